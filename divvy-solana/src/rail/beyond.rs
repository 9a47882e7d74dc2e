//! Tries that our facts may not know: everything that the wallet has signed and that says so.

use std::collections::{BTreeMap, BTreeSet};

use divvy_core::{Amount, Answer, Error, Heard, Name, Stranger, StrangerLine, Stream, Time, Turn};

use crate::account::TokenAccount;
use crate::address::Address;
use crate::node::{Landed, Listed, Provider, Question, Talk, accounts, done, listing, unheard};
use crate::rail::SolanaRail;
use crate::rail::failure::transfers;
use crate::rail::settings::Coin;
use crate::rail::tag::{Tag, may_hold};

impl SolanaRail {
    /// Every try of a book from a run on, as all providers together show it. What failed moved
    /// nothing, and is left out.
    pub(super) fn tries_beyond(
        &self,
        book: &Name,
        run: u64,
        heard: &[Heard],
        now: Time,
    ) -> Result<Turn<Vec<Stranger>>, Error> {
        let talk = self.talk(heard, now);
        let providers = done!(talk.abreast(self.settings.genesis, self.settings.lag_slots_max));
        let mut shown: BTreeMap<String, (Listed, &Provider)> = BTreeMap::new();
        let mut whole = 0_usize;
        for provider in &providers {
            let Some(listed) = done!(listing(&talk, provider, &self.address(), None)) else {
                continue;
            };
            whole = whole.saturating_add(1);
            for one in listed {
                let memo = one.memo.as_deref().unwrap_or_default();
                if one.err.is_none() && may_hold(memo, book, run) {
                    shown.entry(one.signature.clone()).or_insert((one, provider));
                }
            }
        }
        if whole == 0 {
            return Err(unheard("getSignaturesForAddress", "no provider lists the wallet whole"));
        }
        // All are asked for before one is read: whatever is asked later has all of it read again.
        for provider in &providers {
            let own = shown.values().filter(|(_, shower)| shower == provider);
            let own: Vec<Question> = own.map(|(listed, _)| landed(listed)).collect();
            done!(talk.asked(&[*provider], &own));
        }
        let mut tries = Vec::new();
        for (listed, shower) in shown.values() {
            // Who has shown it first, and then whoever else may have it.
            let others = providers.iter().copied().filter(|other| other != shower);
            let all: Vec<&Provider> = core::iter::once(*shower).chain(others).collect();
            let landed = done!(talk.first(&all, &[landed(listed)], |said: Vec<Option<Landed>>| {
                said.into_iter().next().flatten()
            }));
            tries.extend(self.try_of(&landed, book, run).map(|found| (listed, found)));
        }
        let legs = tries.iter().flat_map(|(_, (_, legs))| legs);
        let paid: BTreeSet<Address> = legs.map(|(to, _)| *to).collect();
        let owners = done!(self.owners(&talk, &providers, paid));
        let stranger = |(listed, (batch, legs)): (&Listed, (Stream, Legs))| {
            let line = |(to, amount): &(Address, u64)| {
                let to = owners.get(to).unwrap_or(to).to_string();
                Ok(StrangerLine { to, amount: Amount::new(*amount)? })
            };
            let is_final = listed.confirmation_status.as_deref() == Some("finalized");
            Ok(Stranger {
                batch,
                reference: listed.signature.clone(),
                lines: legs.iter().map(line).collect::<Result<_, Error>>()?,
                answer: if is_final { Answer::Final } else { Answer::Accepted },
                evidence: talk.evidence(),
            })
        };
        let strangers = tries.into_iter().map(stranger).collect::<Result<_, Error>>()?;
        Ok(Turn::Done(strangers))
    }

    /// The batch of a transaction and what it paid to which accounts, if the wallet itself has
    /// signed it for the book: anyone may write its tag into a memo beside its address.
    fn try_of(&self, landed: &Landed, book: &Name, run: u64) -> Option<(Stream, Legs)> {
        let transaction = landed.transaction()?;
        let tag = Tag::of(&transaction).filter(|tag| tag.is_from(book, run))?;
        if transaction.message().payer() != Some(&self.address()) {
            return None;
        }
        let named = landed.addresses()?;
        let leg = |(place, amount)| Some((*named.get(usize::from(place))?, amount));
        Some((tag.batch, transfers(transaction.message()).filter_map(leg).collect()))
    }

    /// Whose the token accounts are; one that nobody shows any more is nobody's.
    fn owners(
        &self,
        talk: &Talk<'_>,
        providers: &[&Provider],
        paid: BTreeSet<Address>,
    ) -> Result<Turn<BTreeMap<Address, Address>>, Error> {
        if self.settings.coin == Coin::Sol {
            return Ok(Turn::Done(BTreeMap::new()));
        }
        let paid: Vec<Address> = paid.into_iter().collect();
        let found = done!(accounts(talk, providers, &paid));
        let owner = |(account, found): (Address, Option<_>)| {
            Some((account, TokenAccount::read(&found?)?.owner))
        };
        Ok(Turn::Done(paid.into_iter().zip(found).filter_map(owner).collect()))
    }
}

/// Which accounts were paid, and how much.
type Legs = Vec<(Address, u64)>;

/// Asks for what was listed.
fn landed(listed: &Listed) -> Question {
    Landed::question(&listed.signature, "confirmed")
}
