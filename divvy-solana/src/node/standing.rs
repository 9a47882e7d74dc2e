//! Which chain providers are of, and how far they are.

use core::str::FromStr;

use divvy_core::{Code, Error, Turn};
use serde::Deserialize;
use serde_json::json;

use crate::address::Address;
use crate::lifetime::Lifetime;
use crate::node::{Provider, Question, Said, Talk, done, unheard};

/// The hash of a chain's first block, by which chains are told apart.
///
/// ```
/// use divvy_solana::Genesis;
///
/// let mainnet = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";
/// assert_eq!(mainnet.parse(), Ok(Genesis::MAINNET));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Genesis(Lifetime);

impl Genesis {
    /// The chain on which money is worth something.
    pub const MAINNET: Self = Self(Lifetime::new(
        *Address::known("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d").bytes(),
    ));
}

impl FromStr for Genesis {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Lifetime::parse(text).map(Self)
    }
}

/// How far a chain has come.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Epoch {
    pub(crate) absolute_slot: u64,
    /// Blocks, of which there are fewer than slots.
    pub(crate) block_height: u64,
}

impl Talk<'_> {
    /// Whether a provider is of a chain; nothing when it does not say.
    pub(crate) fn is_of_chain(&self, provider: &Provider, chain: Genesis) -> Option<bool> {
        let said: Said<String> = self.said(provider, &genesis());
        said.this().map(|hash| hash.parse::<Genesis>() == Ok(chain))
    }
}

impl<'a> Talk<'a> {
    /// The providers that are of a chain and not behind, the preferred first.
    ///
    /// # Errors
    /// [`Code::RailRefused`] when one is of another chain: whatever it said would be of no use.
    pub(crate) fn abreast(
        &self,
        chain: Genesis,
        lag_slots_max: u64,
    ) -> Result<Turn<Vec<&'a Provider>>, Error> {
        let providers: Vec<&'a Provider> = self.providers.iter().collect();
        let tip = Question::new("getEpochInfo", json!([{"commitment": "confirmed"}]));
        done!(self.asked(&providers, &[genesis(), tip.clone()]));
        let mut standing: Vec<(&'a Provider, u64)> = Vec::with_capacity(providers.len());
        for provider in providers {
            let is_ours = self.is_of_chain(provider, chain);
            if is_ours == Some(false) {
                let detail = format!(
                    "provider {} is of another chain than the settings say: mend them",
                    provider.name
                );
                return Err(Error::new(Code::RailRefused, detail));
            }
            let epoch: Option<Epoch> = self.said(provider, &tip).this();
            let slot = epoch.filter(|_| is_ours.is_some()).map(|epoch| epoch.absolute_slot);
            standing.extend(slot.map(|slot| (provider, slot)));
        }
        let best = standing.iter().map(|(_, slot)| *slot).max();
        let Some(best) = best else {
            return Err(unheard("getEpochInfo", "no provider says where the chain stands"));
        };
        standing.retain(|(_, slot)| best.saturating_sub(*slot) <= lag_slots_max);
        Ok(Turn::Done(standing.into_iter().map(|(provider, _)| provider).collect()))
    }
}

/// Asks which chain it is.
pub(crate) fn genesis() -> Question {
    Question::new("getGenesisHash", json!([]))
}
