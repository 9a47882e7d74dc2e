//! Who validates the chain: what speaks for one, and against.

use divvy_core::{Error, Heard, Time, Turn};
use serde::Deserialize;
use serde_json::json;

use crate::account::Account;
use crate::address::Address;
use crate::chain::Chain;
use crate::instruction::stake;
use crate::node::{AtSlot, Question, Written, done};
use crate::settlement::Rent;
use crate::staking::account::StakeHistory;
use crate::staking::orders::Staking;

/// A validator, as the chain counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validator {
    /// What stakes are delegated to.
    pub vote: Address,
    /// The node's own address.
    pub node: Address,
    /// How much works for it, in lamports.
    pub lamports: u64,
    /// What it keeps of all rewards, in hundredths.
    pub commission_percent: u8,
    /// Whether it has stopped voting.
    pub is_delinquent: bool,
    /// The slot of its last vote.
    pub last_vote: u64,
    /// Credits that it has earned in its last epochs, the oldest first.
    pub credits: Vec<Credits>,
}

/// What a validator's votes earned in an epoch: rewards are shared by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credits {
    /// Which epoch.
    pub epoch: u64,
    /// How many.
    pub earned: u64,
}

impl Validator {
    /// What it earned in an epoch, if the chain still tells.
    #[must_use]
    pub fn credits_in(&self, epoch: u64) -> Option<u64> {
        self.credits.iter().find(|credits| credits.epoch == epoch).map(|credits| credits.earned)
    }
}

#[derive(Deserialize)]
struct Votes {
    current: Vec<Voting>,
    delinquent: Vec<Voting>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Voting {
    vote_pubkey: String,
    node_pubkey: String,
    activated_stake: u64,
    commission: u8,
    last_vote: u64,
    #[serde(default)]
    epoch_credits: Vec<(u64, u64, u64)>,
}

impl Voting {
    fn validator(&self, is_delinquent: bool) -> Option<Validator> {
        let credits = |(epoch, total, before): &(u64, u64, u64)| {
            Some(Credits { epoch: *epoch, earned: total.checked_sub(*before)? })
        };
        Some(Validator {
            vote: Address::parse(&self.vote_pubkey).ok()?,
            node: Address::parse(&self.node_pubkey).ok()?,
            lamports: self.activated_stake,
            commission_percent: (self.commission <= 100).then_some(self.commission)?,
            is_delinquent,
            last_vote: self.last_vote,
            credits: self.epoch_credits.iter().map(credits).collect::<Option<_>>()?,
        })
    }
}

#[derive(Deserialize)]
struct Standing {
    epoch: u64,
}

impl Chain {
    /// Everyone who validates the chain, those with the most stake first; or one alone.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for a provider of another chain, and
    /// [`divvy_core::Code::RailReply`] when nobody answers.
    pub fn validators(
        &self,
        vote: Option<&Address>,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Validator>>, Error> {
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        let mut options = json!({"commitment": "finalized"});
        if let (Some(vote), Some(options)) = (vote, options.as_object_mut()) {
            options.insert("votePubkey".to_owned(), json!(vote.to_string()));
        }
        let question = Question::new("getVoteAccounts", json!([options]));
        let mut all = done!(talk.first(&providers, &[question], |said: Vec<Votes>| {
            let Votes { current, delinquent } = said.into_iter().next()?;
            let current = current.iter().map(|one| one.validator(false));
            let all = current.chain(delinquent.iter().map(|one| one.validator(true)));
            all.collect::<Option<Vec<Validator>>>()
        }));
        all.sort_by(|one, two| (two.lamports, one.vote).cmp(&(one.lamports, two.vote)));
        Ok(Turn::Done(all))
    }

    /// Where the chain stands, as far as stakes need to know.
    ///
    /// # Errors
    /// As for [`Chain::validators`].
    pub fn staking(&self, heard: &[Heard], now: Time) -> Result<Turn<Staking>, Error> {
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        let question = Question::new("getEpochInfo", json!([{"commitment": "finalized"}]));
        let epoch = done!(talk.first(&providers, &[question], |said: Vec<Standing>| {
            said.first().map(|standing| standing.epoch)
        }));
        let least =
            Question::new("getStakeMinimumDelegation", json!([{"commitment": "finalized"}]));
        let lamports_min = done!(talk.first(&providers, &[least], |said: Vec<AtSlot<u64>>| {
            said.first().map(|said| said.value)
        }));
        let rent = done!(self.rent(heard, now));
        let options = json!({"encoding": "base64", "commitment": "finalized"});
        let question =
            Question::new("getAccountInfo", json!([stake::HISTORY.to_string(), options]));
        let history = done!(talk.first(&providers, &[question], |said: Vec<AtSlot<Written>>| {
            let account: Account = said.into_iter().next()?.value.account()?;
            StakeHistory::read(&account).ok()
        }));
        let now_secs = now.millis().checked_div(1_000).and_then(|secs| i64::try_from(secs).ok());
        let now_secs = now_secs.unwrap_or(i64::MAX);
        Ok(Turn::Done(Staking { epoch, now_secs, rent, lamports_min, history }))
    }

    /// What accounts must hold for their bytes.
    ///
    /// # Errors
    /// As for [`Chain::validators`]; also when no price of a byte leads to what two accounts of
    /// different size must hold.
    pub fn rent(&self, heard: &[Heard], now: Time) -> Result<Turn<Rent>, Error> {
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        let of = |bytes: u64| Question::new("getMinimumBalanceForRentExemption", json!([bytes]));
        talk.first(&providers, &[of(0), of(165)], |said: Vec<u64>| {
            let [empty, token_account] = *said.as_slice() else { return None };
            Rent::of_samples(empty, token_account)
        })
    }
}
