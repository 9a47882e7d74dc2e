//! Whether money may go somewhere: pure functions over what a node shows.

mod lookalike;
mod mint;

pub use lookalike::{Lookalikes, look_alike};
pub use mint::check_mint;

use crate::account::{
    Account, Mint, Presence, TokenAccount, TokenState, is_of_tokens, kind, read_token,
};
use crate::address::Address;
use crate::concern::Concern;
use crate::instruction::{associated, budget, lookup, memo, stake, system, token};

/// What speaks against paying to an address that somebody gave as their wallet: what it is, what
/// the chain shows of it, and whether it looks like one that is known.
///
/// An empty answer means that nothing does. Ask again before a payout: what a node shows changes.
///
/// ```
/// use divvy_solana::{Address, Concern, check_wallet, token};
///
/// let wallet = Address::parse("ERcUwANyLGQuzwkEjq6uGC77dsJkREXqkvkAnohxPHEY")?;
/// assert_eq!(check_wallet(&wallet, None, &[]), [Concern::NeverSeen]);
/// assert_eq!(check_wallet(&token::PROGRAM, None, &[])[0], Concern::Reserved);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[must_use]
pub fn check_wallet(wallet: &Address, found: Option<&Account>, known: &[Address]) -> Vec<Concern> {
    let mut concerns = Vec::new();
    if RESERVED.contains(wallet) || is_sysvar(wallet) {
        concerns.push(Concern::Reserved);
    }
    let found = found.filter(|found| found.lamports > 0);
    match found {
        None => concerns.push(Concern::NeverSeen),
        Some(found) if found.executable => concerns.push(Concern::ProgramGiven),
        Some(found) if TokenAccount::read(found).is_some() => {
            concerns.push(Concern::TokenAccountGiven);
        }
        Some(found) if Mint::read(found).is_some() => concerns.push(Concern::MintGiven),
        Some(found) if found.is_plain() => {}
        Some(found) => concerns.push(Concern::OwnedByProgram(found.program)),
    }
    if !wallet.is_on_curve() {
        concerns.push(Concern::OffCurve);
    }
    let alike = known.iter().filter(|other| look_alike(wallet, other));
    concerns.extend(alike.copied().map(Concern::Lookalike));
    concerns
}

/// A token account that is going to be paid.
///
/// ```
/// use divvy_solana::{Address, Concern, Destination, Presence, token};
///
/// let [wallet, mint] = [1, 2].map(|byte| Address::new([byte; 32]));
/// let planned = Presence::There;
/// let payee = Destination { wallet, mint, token_program: token::PROGRAM, planned };
/// // It was there when the payout was planned, and is not now.
/// assert_eq!(payee.check(None), [Concern::Closed]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Destination {
    /// Whose it must be.
    pub wallet: Address,
    /// Which token it must hold.
    pub mint: Address,
    /// The program of that token.
    pub token_program: Address,
    /// What was there when the payout was planned.
    pub planned: Presence,
}

impl Destination {
    /// What speaks against paying into it. One that is missing and was, is made first: that is no
    /// concern.
    #[must_use]
    pub fn check(&self, found: Option<&Account>) -> Vec<Concern> {
        let gone = Presence::of(found) != Presence::There;
        let Some(account) = found.filter(|_| !gone) else {
            let closed = self.planned == Presence::There;
            return if closed { vec![Concern::Closed] } else { Vec::new() };
        };
        if account.program != self.token_program || !is_of_tokens(account) {
            return vec![Concern::WrongProgram(account.program)];
        }
        let Some((read, extensions)) = read_token(account) else {
            return vec![Concern::NoTokenAccount];
        };
        let mut concerns = Vec::new();
        if read.mint != self.mint {
            concerns.push(Concern::WrongMint(read.mint));
        }
        if read.owner != self.wallet {
            concerns.push(Concern::WrongOwner(read.owner));
        }
        match read.state {
            TokenState::Usable => {}
            TokenState::Frozen => concerns.push(Concern::Frozen),
            TokenState::Unready => concerns.push(Concern::Unready),
        }
        concerns.extend(extensions.iter().filter_map(|piece| of_account(piece.kind, piece.bytes)));
        concerns
    }
}

/// What an extension of a token account means for whoever pays into it.
fn of_account(number: u16, bytes: &[u8]) -> Option<Concern> {
    let unknown = Some(Concern::UnknownExtension(number));
    let flag = |place: usize| bytes.get(place).copied();
    match number {
        kind::MEMO_REQUIRED => match flag(0) {
            Some(0) => None,
            Some(_) => Some(Concern::MemoRequired),
            None => unknown,
        },
        kind::CONFIDENTIAL_ACCOUNT => match flag(PUBLIC_CREDITS_PLACE) {
            Some(0) => Some(Concern::ConfidentialOnly),
            Some(_) => None,
            None => unknown,
        },
        kind::NON_TRANSFERABLE_ACCOUNT => Some(Concern::NonTransferable),
        // The mint tells of fees, hooks and pauses; guards are about calls of other programs.
        kind::WITHHELD_FEE
        | kind::IMMUTABLE_OWNER
        | kind::CALL_GUARD
        | kind::HOOKED_ACCOUNT
        | kind::CONFIDENTIAL_WITHHELD
        | kind::PAUSABLE_ACCOUNT => None,
        _ => unknown,
    }
}

/// Where the chain keeps its clock and the like: no key leads there.
fn is_sysvar(address: &Address) -> bool {
    // They share what `Sysvar` and a row of ones become.
    address.bytes().starts_with(SYSVAR_START)
}

/// After whether it is approved, a key, three balances, one more, and whether confidential money
/// is taken.
const PUBLIC_CREDITS_PLACE: usize = 1 + 32 + 3 * 64 + 36 + 1;

const SYSVAR_START: &[u8] = &[0x06, 0xa7, 0xd5, 0x17];

/// Programs, and the place where money is burnt.
const RESERVED: [Address; 10] = [
    system::PROGRAM,
    token::PROGRAM,
    token::PROGRAM_2022,
    associated::PROGRAM,
    memo::PROGRAM,
    budget::PROGRAM,
    lookup::PROGRAM,
    stake::PROGRAM,
    Address::known("Vote111111111111111111111111111111111111111"),
    Address::known("1nc1nerator11111111111111111111111111111111"),
];
