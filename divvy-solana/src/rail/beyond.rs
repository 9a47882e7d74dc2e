//! Tries that our facts may not know: everything that the wallet has signed and that says so.

use std::collections::BTreeMap;

use divvy_core::{Amount, Answer, Error, Heard, Name, Stranger, StrangerLine, Time, Turn};

use crate::account::TokenAccount;
use crate::address::Address;
use crate::node::Landed;
use crate::node::Provider;
use crate::node::accounts;
use crate::node::done;
use crate::node::{Listed, Talk, listing, unheard};
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
                if one.err.is_none() && may_hold(memo, book) {
                    shown.entry(one.signature.clone()).or_insert((one, provider));
                }
            }
        }
        if whole == 0 {
            return Err(unheard("getSignaturesForAddress", "no provider lists the wallet whole"));
        }
        let mut strangers = Vec::new();
        for (listed, provider) in shown.values() {
            let question = Landed::question(&listed.signature, "confirmed");
            let landed =
                done!(talk.first(&[*provider], &[question], |said| {
                    said.into_iter().next().flatten()
                }));
            let stranger = done!(self.stranger(&talk, &providers, listed, &landed));
            strangers.extend(stranger.filter(|_| self.is_from(&landed, book, run)));
        }
        Ok(Turn::Done(strangers))
    }

    /// Whether the wallet itself has signed this for the book: anyone may write its tag into a
    /// memo beside its address.
    fn is_from(&self, landed: &Landed, book: &Name, run: u64) -> bool {
        let Some(transaction) = landed.transaction() else { return false };
        transaction.message().payer() == Some(&self.address())
            && Tag::of(&transaction).is_some_and(|tag| tag.is_from(book, run))
    }

    fn stranger(
        &self,
        talk: &Talk<'_>,
        providers: &[&Provider],
        listed: &Listed,
        landed: &Landed,
    ) -> Result<Turn<Option<Stranger>>, Error> {
        let Some(transaction) = landed.transaction() else { return Ok(Turn::Done(None)) };
        let Some(Tag { batch, .. }) = Tag::of(&transaction) else { return Ok(Turn::Done(None)) };
        let Some(named) = landed.addresses() else { return Ok(Turn::Done(None)) };
        let leg = |(place, amount)| Some((*named.get(usize::from(place))?, amount));
        let legs: Vec<(Address, u64)> = transfers(transaction.message()).filter_map(leg).collect();
        let to: Vec<Address> = legs.iter().map(|(to, _)| *to).collect();
        let owners = match self.settings.coin {
            Coin::Sol => to,
            Coin::Token { .. } => {
                let found = done!(accounts(talk, providers, &to));
                let owner = |(to, found): (Address, &Option<_>)| {
                    found.as_ref().and_then(TokenAccount::read).map_or(to, |read| read.owner)
                };
                to.into_iter().zip(&found).map(owner).collect()
            }
        };
        let line = |(owner, (_, amount)): (Address, &(Address, u64))| {
            Ok(StrangerLine { to: owner.to_string(), amount: Amount::new(*amount)? })
        };
        let lines = owners.into_iter().zip(&legs).map(line).collect::<Result<_, Error>>()?;
        let is_final = listed.confirmation_status.as_deref() == Some("finalized");
        Ok(Turn::Done(Some(Stranger {
            batch,
            reference: listed.signature.clone(),
            lines,
            answer: if is_final { Answer::Final } else { Answer::Accepted },
            evidence: talk.evidence(),
        })))
    }
}
