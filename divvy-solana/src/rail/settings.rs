//! What a rail is told: the chain, the coin, the providers, and what a payout may cost.

use divvy_core::{Amount, Code, Error, Name};

use crate::address::Address;
use crate::node::{Genesis, Provider};

/// How payouts are made over Solana.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct SolanaSettings {
    /// The rail's name, as destinations and batches spell it.
    pub name: Name,
    /// What is paid. The book is kept in it: one minor unit is its smallest unit.
    pub coin: Coin,
    /// Which chain. A provider of another one is refused.
    pub genesis: Genesis,
    /// Who is asked, the preferred first. One proves less than two: that a try can never land is
    /// shown by all of them, so one that lies or has forgotten is enough to wait.
    pub providers: Vec<Provider>,
    /// Durable nonces of the wallet: one batch is in flight for each. Without any, a try lives 150
    /// blocks. With one it lives until the nonce is advanced, and a dearer try may go beside it at
    /// once, as only the first of them can land. See [`crate::Concern::DurableNonce`].
    pub nonces: Vec<Address>,
    /// Lookup tables with payees' accounts: batches of 43 in v0, with budget and the longest memo.
    pub tables: Vec<Address>,
    /// Whether to use v1 transactions, of 60 payees; v0 takes about 17.
    pub uses_v1: bool,
    /// Whether to make token accounts for payees who have none, at the wallet's cost.
    pub makes_accounts: bool,
    /// Whether to pay to addresses that no key exists for: vaults and multisigs.
    pub pays_off_curve: bool,
    /// The most offered for each compute unit, in millionths of a lamport.
    pub price_max: u64,
    /// What a whole SOL is worth in the book's asset, for quotes; zero quotes no fee.
    pub sol_worth: Amount,
    /// A provider that is so many slots behind the best one is not asked for blockhashes.
    pub lag_slots_max: u64,
    /// No request of a try starts later than so many seconds after it was signed.
    pub deadline_secs: u64,
}

impl SolanaSettings {
    /// The usual settings: v0, token accounts are made, nobody off the curve is paid.
    #[must_use]
    pub const fn new(name: Name, coin: Coin, genesis: Genesis, providers: Vec<Provider>) -> Self {
        Self {
            name,
            coin,
            genesis,
            providers,
            nonces: Vec::new(),
            tables: Vec::new(),
            uses_v1: false,
            makes_accounts: true,
            pays_off_curve: false,
            price_max: 1_000_000,
            sol_worth: Amount::ZERO,
            lag_slots_max: 100,
            deadline_secs: 180,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let refused = |why: &str| Err(Error::new(Code::RailRefused, why));
        if self.providers.is_empty() || self.deadline_secs == 0 {
            return refused("a rail over Solana needs a provider and a deadline");
        }
        let named = [&self.nonces, &self.tables];
        let again = |(at, one): (usize, &Address), all: &[Address]| {
            all.iter().take(at).any(|other| other == one)
        };
        if named.iter().any(|all| all.iter().enumerate().any(|one| again(one, all))) {
            return refused("a nonce or a table is named twice: name each once");
        }
        let twice = |(at, one): (usize, &Provider)| {
            let before = self.providers.iter().take(at);
            before.into_iter().any(|other| other.name == one.name || other.url == one.url)
        };
        if self.providers.iter().enumerate().any(twice) {
            return refused("two providers are one and the same: name two that are independent");
        }
        Ok(())
    }
}

/// What is paid.
///
/// ```
/// use divvy_solana::Coin;
///
/// assert_eq!(Coin::Sol.mint(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coin {
    /// Lamports.
    Sol,
    /// A token.
    Token {
        /// The program that it belongs to.
        program: Address,
        /// Which token.
        mint: Address,
        /// Those of the mint.
        decimals: u8,
    },
}

impl Coin {
    /// The mint of a token.
    #[must_use]
    pub const fn mint(&self) -> Option<Address> {
        match self {
            Self::Sol => None,
            Self::Token { mint, .. } => Some(*mint),
        }
    }
}
