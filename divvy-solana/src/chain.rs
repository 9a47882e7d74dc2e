//! Reading the chain: who holds a token, and what came in.

mod holders;
mod received;

pub use holders::{Holding, Snapshot};
pub use received::{Incoming, Received};

use divvy_core::{Heard, Time};

use crate::node::{Genesis, Provider, Talk};

/// A chain as its providers show it. Every reading asks by requests as data, and what it says is
/// final.
///
/// ```
/// use divvy_core::{Time, Turn};
/// use divvy_solana::{Address, Chain, Genesis, Provider, token};
///
/// let providers = vec![Provider::new("one", "https://one.example", None)?];
/// let chain = Chain { genesis: Genesis::MAINNET, providers, lag_slots_max: 100 };
/// let mint = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")?;
/// // Nothing was heard yet: it asks which chain this is, and how far.
/// let turn = chain.holders(&mint, &token::PROGRAM, &[], Time::ZERO)?;
/// assert!(matches!(turn, Turn::Ask(requests) if requests.len() == 2));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Chain {
    /// Which chain. A provider of another one is refused.
    pub genesis: Genesis,
    /// Who is asked, the preferred first.
    pub providers: Vec<Provider>,
    /// A provider that is so many slots behind the best one is not asked.
    pub lag_slots_max: u64,
}

impl Chain {
    pub(crate) fn talk<'a>(&'a self, heard: &'a [Heard], now: Time) -> Talk<'a> {
        Talk { providers: &self.providers, heard, now }
    }
}
