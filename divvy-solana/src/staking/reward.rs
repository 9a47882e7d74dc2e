//! What stakes have earned, epoch by epoch: payments that are taken in once, however often
//! somebody asks.

use std::collections::BTreeSet;

use divvy_core::danger::Vouched;
use divvy_core::{Amount, Asset, Code, Error, Evidence, Heard, Name, Time, Turn};
use serde::Deserialize;
use serde_json::json;

use crate::address::Address;
use crate::chain::Chain;
use crate::node::{Provider, Question, Talk, done, unheard};
use crate::tariff::LAMPORTS_PER_SOL;

/// What one stake has earned in one epoch, once it is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StakeReward {
    /// The stake account, or the vote account of a validator.
    pub account: Address,
    /// The epoch that it was earned in.
    pub epoch: u64,
    /// How much, in lamports.
    pub lamports: u64,
    /// What the account held with it.
    pub balance: u64,
    /// What the validator kept, in hundredths, where nodes tell.
    pub commission_percent: Option<u8>,
    /// What a book records. Account and epoch are its identity, so taking it in again is a quiet
    /// yes, and another amount for them is refused.
    pub payment: Vouched,
}

#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Earned {
    epoch: u64,
    effective_slot: u64,
    amount: u64,
    post_balance: u64,
    commission: Option<u8>,
}

impl Chain {
    /// What these stakes have earned in an epoch that is over. Those that earned nothing are left
    /// out; providers that tell differently are refused, all of them.
    ///
    /// Nodes keep few epochs: ask soon after each. While an epoch's rewards are still being paid
    /// out, nobody answers.
    ///
    /// # Errors
    /// [`Code::RailRefused`] for a provider of another chain, and an asset that does not have nine
    /// decimals; [`Code::RailReply`] when nobody answers, or two contradict each other.
    pub fn stake_rewards(
        &self,
        (source, asset): (&Name, &Asset),
        accounts: &[Address],
        epoch: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<StakeReward>>, Error> {
        if asset.amount("1").ok() != Amount::new(LAMPORTS_PER_SOL).ok() {
            let detail = format!("{} has other decimals than SOL: 9", asset.code());
            return Err(Error::new(Code::RailRefused, detail));
        }
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.genesis, self.lag_slots_max));
        let question = |accounts: &[Address]| {
            let keys: Vec<String> = accounts.iter().map(Address::to_string).collect();
            let options = json!({"commitment": "finalized", "epoch": epoch});
            Question::new("getInflationReward", json!([keys, options]))
        };
        let questions: Vec<Question> = accounts.chunks(KEYS_MAX).map(question).collect();
        let (provider, all) = done!(earned(&talk, &providers, &questions, accounts.len()));
        // All blocks at once, so that many stakes are no longer a conversation than one.
        let slots = all.iter().flatten().filter(|earned| earned.amount > 0);
        let slots: BTreeSet<u64> = slots.map(|earned| earned.effective_slot).collect();
        let blocks: Vec<Question> = slots.into_iter().map(block).collect();
        done!(talk.asked(&[provider], &blocks));
        let mut rewards = Vec::with_capacity(all.len());
        for (place, (account, earned)) in accounts.iter().zip(all).enumerate() {
            let Some(earned) = earned.filter(|earned| earned.amount > 0) else { continue };
            if earned.epoch != epoch {
                return Err(unheard("getInflationReward", "it tells of another epoch"));
            }
            let at = done!(block_time(&talk, &providers, earned.effective_slot));
            let asked = place.checked_div(KEYS_MAX).and_then(|page| questions.get(page));
            let heard = asked.and_then(|asked| talk.heard_of(provider, asked));
            let evidence = heard.map(Heard::evidence).unwrap_or_else(|| talk.evidence());
            let source_said = format!("getInflationReward at {}", provider.name);
            let payment = Vouched {
                source: source.clone(),
                account: Name::new(&account.to_string())?,
                id: Name::new(&format!("epoch-{epoch}"))?,
                asset: asset.clone(),
                amount: Amount::new(earned.amount)?,
                payer: None,
                event_at: at,
                evidence: Evidence { source: source_said, ..evidence },
            };
            rewards.push(StakeReward {
                account: *account,
                epoch,
                lamports: earned.amount,
                balance: earned.post_balance,
                commission_percent: earned.commission,
                payment,
            });
        }
        Ok(Turn::Done(rewards))
    }
}

type Told<'a> = (&'a Provider, Vec<Option<Earned>>);

/// What all providers say who say anything; they must say the same.
fn earned<'a>(
    talk: &Talk<'a>,
    providers: &[&'a Provider],
    questions: &[Question],
    count: usize,
) -> Result<Turn<Told<'a>>, Error> {
    done!(talk.asked(providers, questions));
    let mut told: Option<Told<'a>> = None;
    for provider in providers {
        let pages = questions.iter().map(|question| talk.said(provider, question).this());
        let Some(pages) = pages.collect::<Option<Vec<Vec<Option<Earned>>>>>() else { continue };
        let all: Vec<Option<Earned>> = pages.into_iter().flatten().collect();
        if all.len() != count {
            continue;
        }
        match &told {
            Some((_, other)) if !agree(other, &all) => {
                return Err(unheard("getInflationReward", "two providers contradict each other"));
            }
            Some(_) => {}
            None => told = Some((provider, all)),
        }
    }
    told.map(Turn::Done).ok_or_else(|| {
        unheard("getInflationReward", "no provider tells: its rewards may still be being paid")
    })
}

/// Whether the money is the same. What a validator kept is not told by all.
fn agree(one: &[Option<Earned>], two: &[Option<Earned>]) -> bool {
    let money = |earned: &Option<Earned>| {
        earned.as_ref().map(|one| (one.epoch, one.effective_slot, one.amount, one.post_balance))
    };
    one.iter().map(money).eq(two.iter().map(money))
}

fn block(slot: u64) -> Question {
    Question::new("getBlockTime", json!([slot]))
}

fn block_time(talk: &Talk<'_>, providers: &[&Provider], slot: u64) -> Result<Turn<Time>, Error> {
    talk.first(providers, &[block(slot)], |said: Vec<Option<u64>>| {
        said.into_iter().next()?.map(|secs| Time::ZERO.plus_secs(secs))
    })
}

/// Nodes take more; this keeps requests small.
const KEYS_MAX: usize = 100;
