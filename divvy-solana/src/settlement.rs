//! One transaction that settles a sale: an edition for the buyer, and a share for everyone who made
//! it. All of it lands, or nothing does.

mod ask;
mod cost;
mod edition;
mod outcome;
mod plan;
mod review;
mod room;
mod step;

pub use ask::{Living, Tried};
pub use cost::{Costs, Rent, Rented};
pub use edition::Edition;
pub use outcome::Outcome;
pub use plan::{Doubt, Part, Settling};
pub use review::Difference;
pub use step::{Act, Extra, Order};

use divvy_core::{Amount, Code, Error, Legs, Target};

use crate::address::Address;
use crate::derive::Derived;
use crate::message::{Format, Limits, Table};

/// A sale to settle: what is minted, what is shared, and out of whose money.
///
/// The shares are those of [`Legs`], so they add up to the amount. A payee whose wallet is the
/// treasury keeps their share there: that is how a platform takes its fee. Everyone else is paid by
/// a transfer each, in the same transaction as the edition.
///
/// ```
/// use divvy_core::{Amount, Leg, Legs, Ratio, Share, Target};
/// use divvy_solana::*;
///
/// let wallet = |n: u8| Keypair::from_seed(&[n; 32]).address();
/// let usdc = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")?;
/// let leg = |name: &str, share| Leg { to: Target::Payee(name.into()), share };
/// let (till, author, artist) = (wallet(1), wallet(2), wallet(3));
/// let sale = Settlement {
///     payer: till,
///     treasury: till,
///     program: token::PROGRAM,
///     coin: usdc,
///     decimals: 6,
///     amount: Amount::new(10_000_000)?,
///     legs: Legs::new(vec![
///         leg("author", Share::Portion(Ratio::parse("60%")?)),
///         leg("artist", Share::Portion(Ratio::parse("30%")?)),
///         leg("platform", Share::Remaining),
///     ])?,
///     payees: vec![
///         Collaborator { name: "author".into(), wallet: author },
///         Collaborator { name: "artist".into(), wallet: artist },
///         Collaborator { name: "platform".into(), wallet: till },
///     ],
///     edition: Some(Edition {
///         mint: wallet(4),
///         authority: till,
///         buyer: wallet(5),
///         name: "Chapter 42".into(),
///         symbol: "CH42".into(),
///         uri: "https://example.org/42.json".into(),
///     }),
///     ..Settlement::empty(till)?
/// };
/// // How many collaborators would fit beside that edition, before anything was asked or signed.
/// assert_eq!(sale.room(Presence::There)?, 8);
/// assert_eq!(Settlement { uses_v1: true, ..sale }.room(Presence::There)?, 51);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Settlement {
    /// Who pays the fee, and the rent of what is made.
    pub payer: Address,
    /// The wallet whose token account pays the shares: the platform's, or the buyer's own.
    pub treasury: Address,
    /// The program of the coin.
    pub program: Address,
    /// The mint of the coin, such as USDC.
    pub coin: Address,
    /// Those of the coin.
    pub decimals: u8,
    /// What is shared, in the coin's smallest unit.
    pub amount: Amount,
    /// By which rule. Shares of zero are not paid.
    pub legs: Legs,
    /// Whom the legs name.
    pub payees: Vec<Collaborator>,
    /// What the buyer gets, if anything.
    pub edition: Option<Edition>,
    /// What is done before all that, such as orders to a program of your own.
    pub before: Vec<Extra>,
    /// What is done after it, such as a memo.
    pub after: Vec<Extra>,
    /// Whether to write v1, which takes more collaborators than v0.
    pub uses_v1: bool,
    /// Lookup tables for v0.
    pub tables: Vec<Table>,
    /// What it may use and what it offers. Absent units and bytes are the most that it can take;
    /// trying it out tells how little suffices.
    pub limits: Limits,
    /// Whether to make token accounts for payees who have none, at the payer's cost.
    pub makes_accounts: bool,
    /// Whether to pay to addresses that no key exists for: vaults and multisigs.
    pub pays_off_curve: bool,
}

/// Somebody whom a leg names.
///
/// ```
/// use divvy_solana::{Address, Collaborator};
///
/// let author = Collaborator { name: "author".into(), wallet: Address::new([1; 32]) };
/// assert_eq!(author.name, "author");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Collaborator {
    /// As the leg spells it.
    pub name: String,
    /// Their wallet; never a token account. The treasury's means that the share stays there.
    pub wallet: Address,
}

impl Settlement {
    /// A settlement of nothing, to be filled in: USDC of the main network, in v0, that makes no
    /// accounts and pays nobody off the curve.
    ///
    /// # Errors
    /// None that anybody has seen: the rule of its one leg holds.
    pub fn empty(treasury: Address) -> Result<Self, Error> {
        let to = Target::Payee("treasury".to_owned());
        let rest = divvy_core::Leg { to, share: divvy_core::Share::Remaining };
        Ok(Self {
            payer: treasury,
            treasury,
            program: crate::instruction::token::PROGRAM,
            coin: USDC,
            decimals: 6,
            amount: Amount::ZERO,
            legs: Legs::new(vec![rest])?,
            payees: vec![Collaborator { name: "treasury".to_owned(), wallet: treasury }],
            edition: None,
            before: Vec::new(),
            after: Vec::new(),
            uses_v1: false,
            tables: Vec::new(),
            limits: Limits::default(),
            makes_accounts: false,
            pays_off_curve: false,
        })
    }

    /// The token account that pays the shares.
    ///
    /// # Errors
    /// As for [`Derived::token_account`].
    pub fn source(&self) -> Result<Address, Error> {
        Ok(Derived::token_account(&self.treasury, &self.coin, &self.program)?.address)
    }

    /// The accounts that must be looked at before it can be planned, in the order in which
    /// [`Settlement::plan`] takes them.
    ///
    /// # Errors
    /// As for [`Settlement::plan`], where no account is needed to tell.
    pub fn asks(&self) -> Result<Vec<Address>, Error> {
        let mut asked = vec![self.coin, self.source()?, self.payer];
        asked.extend(self.edition.iter().flat_map(|edition| [edition.mint, edition.buyer]));
        for share in self.shares()? {
            asked.extend([share.wallet, share.account]);
        }
        Ok(asked)
    }

    /// In which format it is written, with these limits where they stand in its head.
    fn format(&self, limits: Limits) -> Format {
        match self.uses_v1 {
            true => Format::V1(limits),
            false => Format::V0(self.tables.clone()),
        }
    }

    /// What each leg pays, to whom; those that pay nothing are left out.
    fn shares(&self) -> Result<Vec<ShareOf>, Error> {
        let parts = self.legs.divide(self.amount)?;
        let mut shares: Vec<ShareOf> = Vec::with_capacity(parts.len());
        for (leg, amount) in self.legs.legs().iter().zip(parts) {
            let Target::Payee(name) = &leg.to else {
                let why = format!("{} has many holders: a batch pays those", leg.to);
                return Err(refused(&why));
            };
            let payee = self.payees.iter().find(|payee| payee.name == *name);
            let Some(payee) = payee else {
                return Err(refused(&format!("{name} has no wallet: add them to the payees")));
            };
            let wallet = payee.wallet;
            if shares.iter().any(|other| other.wallet == wallet) {
                let why = format!("{name} has the wallet of another leg: add their legs up");
                return Err(refused(&why));
            }
            if !amount.is_zero() {
                let account = Derived::token_account(&wallet, &self.coin, &self.program)?.address;
                shares.push(ShareOf { name: name.clone(), wallet, account, amount });
            }
        }
        Ok(shares)
    }
}

/// What one leg pays.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ShareOf {
    name: String,
    wallet: Address,
    account: Address,
    amount: Amount,
}

fn refused(why: &str) -> Error {
    Error::new(Code::RailRefused, why)
}

/// USDC of the main network.
const USDC: Address = Address::known("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");

#[cfg(test)]
mod tests;
