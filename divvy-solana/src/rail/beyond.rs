//! Tries that our facts may not know: everything that the wallet has signed and that says so.

use std::collections::BTreeMap;

use divvy_core::{Amount, Answer, Error, Heard, Name, Stranger, StrangerLine, Time, Turn};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::TokenAccount;
use crate::address::Address;
use crate::rail::account::accounts;
use crate::rail::failure::paid;
use crate::rail::provider::Provider;
use crate::rail::rpc::{Question, Said, Talk, unheard};
use crate::rail::settings::Coin;
use crate::rail::tag::{Tag, may_hold};
use crate::rail::transaction::Landed;
use crate::rail::{SolanaRail, done};

/// A transaction that names an account.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    pub(crate) signature: String,
    pub(crate) err: Option<Value>,
    pub(crate) memo: Option<String>,
    pub(crate) confirmation_status: Option<String>,
}

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
        let providers = done!(self.abreast(&talk));
        let mut shown: BTreeMap<String, (Listed, &Provider)> = BTreeMap::new();
        let mut whole = 0_usize;
        for provider in &providers {
            let Some(listed) = done!(listing(&talk, provider, &self.address())) else { continue };
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
        let orders = transaction.message().instructions(&[])?;
        let legs: Vec<(Address, u64)> = orders.iter().filter_map(paid).collect();
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

/// Every transaction that a provider shows of an address, the newest first, page by page; nothing
/// when it does not show them whole.
pub(crate) fn listing(
    talk: &Talk<'_>,
    provider: &Provider,
    address: &Address,
) -> Result<Turn<Option<Vec<Listed>>>, Error> {
    let (mut all, mut before): (Vec<Listed>, Option<String>) = (Vec::new(), None);
    loop {
        let mut options = json!({"limit": PAGE, "commitment": "confirmed"});
        if let (Some(before), Some(options)) = (&before, options.as_object_mut()) {
            options.insert("before".to_owned(), json!(before));
        }
        let question =
            Question::new("getSignaturesForAddress", json!([address.to_string(), options]));
        done!(talk.asked(&[provider], core::slice::from_ref(&question)));
        let Said::This(page): Said<Vec<Listed>> = talk.said(provider, &question) else {
            return Ok(Turn::Done(None));
        };
        let (is_last, last) = (page.len() < PAGE, page.last().map(|one| one.signature.clone()));
        all.extend(page);
        if is_last || last == before {
            return Ok(Turn::Done(Some(all)));
        }
        before = last;
    }
}

/// No node lists more at once.
const PAGE: usize = 1_000;
