//! What speaks against paying somewhere, by name.

use core::fmt;

use crate::address::Address;

/// Something that speaks against paying to an address, with a token, or into an account.
///
/// Each one is [`Weight::Refuse`], because the money would be lost, stuck, or less than was said;
/// or [`Weight::Ask`], because only a person can know.
///
/// ```
/// use divvy_solana::{Concern, Weight};
///
/// assert_eq!(Concern::OffCurve.weight(), Weight::Ask);
/// assert_eq!(Concern::Frozen.weight(), Weight::Refuse);
/// assert_eq!(Concern::Frozen.name(), "frozen");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Concern {
    /// A program or a place of the chain itself: nobody has its key.
    Reserved,
    /// A token account was given where a wallet is asked for: what is paid to its own token account
    /// would be stranded.
    TokenAccountGiven,
    /// A mint was given.
    MintGiven,
    /// A program was given.
    ProgramGiven,
    /// No key can exist for it: a vault or multisig, which may be unable to spend, or a slip of one
    /// letter.
    OffCurve,
    /// A program owns it, which may be unable to spend tokens.
    OwnedByProgram(Address),
    /// The chain has never seen it.
    NeverSeen,
    /// It looks like one that is paid already: a slip, or somebody who hopes for one.
    Lookalike(Address),
    /// It was there when the payout was planned, and is closed now.
    Closed,
    /// Another program owns the account.
    WrongProgram(Address),
    /// It is of a token program, and is no token account.
    NoTokenAccount,
    /// It holds another token.
    WrongMint(Address),
    /// It belongs to somebody else by now.
    WrongOwner(Address),
    /// It was never finished.
    Unready,
    /// The issuer has frozen it.
    Frozen,
    /// It takes nothing without a memo in front of the transfer.
    MemoRequired,
    /// It takes confidential transfers alone.
    ConfidentialOnly,
    /// This is no mint.
    NoMint,
    /// The mint has another number of decimals than was said.
    WrongDecimals(u8),
    /// A part of each transfer is kept back: less arrives than is sent.
    TransferFee,
    /// The issuer may keep a part of each transfer back from some day on.
    TransferFeePossible,
    /// Each transfer calls a program of the issuer's.
    TransferHook,
    /// The issuer may have each transfer call a program from some day on.
    TransferHookPossible,
    /// The token cannot be transferred.
    NonTransferable,
    /// New accounts come frozen.
    FrozenByDefault,
    /// The issuer may take tokens out of every account.
    PermanentDelegate,
    /// The issuer has paused all transfers.
    Paused,
    /// The issuer may pause all transfers.
    Pausable,
    /// Wallets show another number than is transferred.
    ShownOtherwise,
    /// Its life rests on a durable nonce. The network's developers propose to make those dearer
    /// and then to remove them: what was signed ahead may never land.
    DurableNonce,
    /// An extension that this build does not know, or cannot read, by its number.
    UnknownExtension(u16),
}

/// How much a [`Concern`] weighs.
///
/// ```
/// use divvy_solana::Weight;
///
/// assert!(Weight::Refuse > Weight::Ask);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Weight {
    /// A person may say yes to it.
    Ask,
    /// Nobody may.
    Refuse,
}

/// Declares, for each concern, its name, its weight and its sentence.
macro_rules! concerns {
    ($($concern:pat => $name:literal, $weight:ident, $says:literal;)+) => {
        impl Concern {
            /// The name that every language shares.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $($concern => $name),+ }
            }

            /// Whether a person may say yes to it.
            #[must_use]
            pub const fn weight(&self) -> Weight {
                match self { $($concern => Weight::$weight),+ }
            }

            const fn sentence(&self) -> &'static str {
                match self { $($concern => $says),+ }
            }
        }
    };
}

concerns! {
    Self::Reserved => "reserved", Refuse, "nobody has the key of this address";
    Self::TokenAccountGiven => "token_account_given", Refuse,
        "this is a token account: ask for the wallet that owns it";
    Self::MintGiven => "mint_given", Refuse, "this is a mint: ask for a wallet";
    Self::ProgramGiven => "program_given", Refuse, "this is a program: ask for a wallet";
    Self::OffCurve => "off_curve", Ask,
        "no key can exist for this address: a vault, a multisig, or a slip of one letter";
    Self::OwnedByProgram(_) => "owned_by_program", Ask,
        "a program owns this account: it may be unable to spend what it is paid";
    Self::NeverSeen => "never_seen", Ask, "nobody has ever used this address: is it spelled right?";
    Self::Lookalike(_) => "lookalike", Ask, "this address looks like another that is known";
    Self::Closed => "closed", Ask, "the token account was closed since: make it anew, for rent?";
    Self::WrongProgram(_) => "wrong_program", Refuse, "another program owns this account";
    Self::NoTokenAccount => "no_token_account", Refuse, "this is no token account";
    Self::WrongMint(_) => "wrong_mint", Refuse, "this account holds another token";
    Self::WrongOwner(_) => "wrong_owner", Refuse, "this account belongs to somebody else";
    Self::Unready => "unready", Refuse, "this token account was never finished";
    Self::Frozen => "frozen", Refuse, "the issuer has frozen this token account";
    Self::MemoRequired => "memo_required", Ask, "this account takes nothing without a memo";
    Self::ConfidentialOnly => "confidential_only", Refuse,
        "this account takes confidential transfers alone";
    Self::NoMint => "no_mint", Refuse, "this is no mint of a token program";
    Self::WrongDecimals(_) => "wrong_decimals", Refuse, "the mint has other decimals than was said";
    Self::TransferFee => "transfer_fee", Refuse, "less arrives than is sent: the mint keeps a fee";
    Self::TransferFeePossible => "transfer_fee_possible", Ask,
        "the issuer may keep a fee of each transfer from some day on";
    Self::TransferHook => "transfer_hook", Refuse, "each transfer calls a program of the issuer's";
    Self::TransferHookPossible => "transfer_hook_possible", Ask,
        "the issuer may have transfers call a program from some day on";
    Self::NonTransferable => "non_transferable", Refuse, "this token cannot be transferred";
    Self::FrozenByDefault => "frozen_by_default", Refuse, "new accounts of this token come frozen";
    Self::PermanentDelegate => "permanent_delegate", Ask,
        "the issuer may take this token out of every account";
    Self::Paused => "paused", Refuse, "the issuer has paused all transfers";
    Self::Pausable => "pausable", Ask, "the issuer may pause all transfers";
    Self::ShownOtherwise => "shown_otherwise", Ask,
        "wallets show another number than is transferred";
    Self::DurableNonce => "durable_nonce", Ask,
        "durable nonces may be removed from the network: what is signed ahead may never land";
    Self::UnknownExtension(_) => "unknown_extension", Refuse,
        "the token has an extension that this version does not know";
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())?;
        if let Self::OwnedByProgram(address)
        | Self::Lookalike(address)
        | Self::WrongProgram(address)
        | Self::WrongMint(address)
        | Self::WrongOwner(address) = self
        {
            write!(f, " ({address})")?;
        }
        if let Self::WrongDecimals(decimals) = self {
            write!(f, " ({decimals})")?;
        }
        if let Self::UnknownExtension(kind) = self {
            write!(f, " ({kind})")?;
        }
        Ok(())
    }
}
