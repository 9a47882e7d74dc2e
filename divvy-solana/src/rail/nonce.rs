//! Tries that live by a durable nonce: which one, and the proof that one can never land.
//!
//! Every try of a batch has the same value, so the first that lands ends the others: a dearer one
//! may go at once. One batch is in flight for each nonce.

use divvy_core::{Error, Job, Signed, Turn, Window};
use serde_json::json;

use crate::address::Address;
use crate::lifetime::Lifetime;
use crate::node::{AtSlot, LISTED_MAX, Listed, Provider, Question, Talk, Written, accounts, done};
use crate::nonce::Nonce;
use crate::rail::SolanaRail;
use crate::rail::sign::refused;
use crate::rail::tag::Tag;
use crate::transaction::Transaction;

impl SolanaRail {
    /// The nonce of a try, where the settings name any: that of the batch's earlier tries, or the
    /// first that no other batch has claimed.
    pub(super) fn nonce(
        &self,
        talk: &Talk<'_>,
        providers: &[&Provider],
        job: &Job,
    ) -> Result<Turn<Option<Nonce>>, Error> {
        let named = &self.settings.nonces;
        if named.is_empty() {
            return Ok(Turn::Done(None));
        }
        let found = done!(accounts(talk, providers, named));
        let mut all = Vec::with_capacity(named.len());
        for (address, found) in named.iter().zip(&found) {
            let missing = || refused(&format!("there is no nonce at {address}: make it first"));
            let nonce = Nonce::read(*address, found.as_ref().ok_or_else(missing)?)?;
            if nonce.authority != self.address() {
                return Err(refused(&format!("the nonce {address} is not this wallet's to use")));
            }
            all.push(nonce);
        }
        let used =
            |nonce: &&Nonce| job.tries.iter().any(|signed| signed.claims.contains(&claim(nonce)));
        if let Some(nonce) = all.iter().find(used) {
            return Ok(Turn::Done(Some(*nonce)));
        }
        let is_free = |nonce: &&Nonce| {
            let mark = mark(&nonce.address);
            !job.claimed.iter().any(|claimed| claimed.starts_with(&mark))
        };
        let free = all.iter().find(is_free).copied();
        let none = || refused("a batch is in flight for every nonce: wait, or name one more");
        free.ok_or_else(none).map(|nonce| Turn::Done(Some(nonce)))
    }

    /// Whether a try that lives by a nonce can never land: everyone shows the nonce with another
    /// value for good, and a list of all that used it since, as of then or later, in which the try
    /// is not.
    ///
    /// That it was advanced is no proof by itself: the try may be what advanced it.
    pub(super) fn is_spent_by_others(
        &self,
        talk: &Talk<'_>,
        signed: &Signed,
    ) -> Result<Turn<bool>, Error> {
        let transaction = Transaction::decode(&signed.bytes).ok();
        let tag = transaction.as_ref().and_then(Tag::of);
        let used = transaction.as_ref().and_then(Nonce::used_by);
        let (Some(tag), Some((nonce, value))) = (tag, used) else { return Ok(Turn::Done(false)) };
        let providers: Vec<&Provider> = self.settings.providers.iter().collect();
        let shown = shown(&nonce);
        done!(talk.asked(&providers, core::slice::from_ref(&shown)));
        let mut lists = Vec::with_capacity(providers.len());
        for provider in &providers {
            let Some(slot) = advanced_by(talk, provider, &shown, nonce, value) else {
                return Ok(Turn::Done(false));
            };
            lists.push((*provider, listed_from(&nonce, slot)));
        }
        for (provider, list) in &lists {
            done!(talk.asked(&[*provider], core::slice::from_ref(list)));
        }
        let lacks = |(provider, list): &(&Provider, Question)| {
            let said: Option<Vec<Listed>> = talk.said(provider, list).this();
            said.is_some_and(|listed| {
                let reaches_back = listed.len() < LISTED_MAX
                    || listed.last().is_some_and(|oldest| oldest.slot < tag.slot);
                reaches_back && listed.iter().all(|one| one.signature != signed.reference)
            })
        };
        Ok(Turn::Done(lists.iter().all(lacks)))
    }
}

/// What a try claims that lives by a nonce: this value of it.
pub(super) fn claim(nonce: &Nonce) -> String {
    format!("{}{}", mark(&nonce.address), nonce.value)
}

fn mark(nonce: &Address) -> String {
    format!("nonce {nonce} ")
}

/// Whether a try lives by a nonce.
pub(super) fn is_durable(signed: &Signed) -> bool {
    signed.window == Window::Unlimited
}

/// The slot at which a provider shows, for good, that a nonce has another value than this.
fn advanced_by(
    talk: &Talk<'_>,
    provider: &Provider,
    shown: &Question,
    address: Address,
    value: Lifetime,
) -> Option<u64> {
    let said: AtSlot<Option<Written>> = talk.said(provider, shown).this()?;
    let nonce = Nonce::read(address, &said.value?.account()?).ok()?;
    (nonce.value != value).then_some(said.context.slot)
}

fn shown(nonce: &Address) -> Question {
    let options = json!({"encoding": "base64", "commitment": "finalized"});
    Question::new("getAccountInfo", json!([nonce.to_string(), options]))
}

/// Asks what named a nonce, of nobody who is behind a slot.
fn listed_from(nonce: &Address, slot: u64) -> Question {
    let options = json!({"limit": LISTED_MAX, "commitment": "finalized", "minContextSlot": slot});
    Question::new("getSignaturesForAddress", json!([nonce.to_string(), options]))
}
