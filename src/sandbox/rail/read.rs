//! Reading replies. What cannot be read teaches nothing.

use divvy_core::{Amount, Answer, Heard, Stranger, StrangerLine, Stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What a reply says of one try; nothing when it does not say.
pub(super) fn answer(heard: &Heard, reference: &str) -> Answer {
    let known = [200, 202, 422].contains(&status(heard));
    let said: Option<Said> = parsed(heard).filter(|_| known);
    said.filter(|said| said.reference == reference).map_or(Answer::Unknown, Said::answer)
}

/// What a reply says that a try has cost, if it says so: alone, or in the listing of its batch.
pub(super) fn charged(heard: &Heard, reference: &str) -> Option<Amount> {
    let listed = || parsed::<BatchListing>(heard).map_or(Vec::new(), |listing| listing.tries);
    let said = parsed::<Said>(heard).map_or_else(listed, |said| vec![said]);
    let fee = said.into_iter().find(|said| said.reference == reference)?.fee?;
    Amount::new(fee.parse().ok()?).ok()
}

/// What the listing of a batch says of one try. Once the world's own time is past what anything
/// takes to land, a try that is missing there never moved and never will.
pub(super) fn answer_listed(heard: &Heard, reference: &str, past: u64) -> Answer {
    let listing: Option<BatchListing> = parsed(heard).filter(|_| status(heard) == 200);
    let Some(listing) = listing else { return Answer::Unknown };
    let said = listing.tries.into_iter().find(|said| said.reference == reference);
    match said {
        Some(said) => said.answer(),
        None if listing.now > past => Answer::Void,
        None => Answer::Unknown,
    }
}

/// A page of what was carried out for a book.
pub(super) struct Listing {
    pub(super) strangers: Vec<Stranger>,
    /// Where the next page begins, if there is one.
    pub(super) after: Option<u64>,
}

/// A page of what was carried out for a book; nothing when it cannot be read whole.
pub(super) fn listing(heard: &Heard) -> Option<Listing> {
    let page: BookListing = parsed(heard).filter(|_| status(heard) == 200)?;
    let last = page.tries.last().map(|listed| listed.n);
    let after = if page.is_last { None } else { Some(last?) };
    let strangers = page.tries.into_iter().map(|listed| listed.stranger(heard));
    Some(Listing { strangers: strangers.collect::<Option<_>>()?, after })
}

/// Whether the world says that it does not know, which is no more than that.
pub(super) fn is_missing(heard: &Heard) -> bool {
    status(heard) == 404 && height(heard).is_some()
}

/// The height at which the reply was given.
pub(super) fn height(heard: &Heard) -> Option<u64> {
    parsed::<Height>(heard).map(|said| said.height)
}

/// The coins of a page.
pub(super) fn coins_unspent(heard: &Heard) -> Option<Vec<String>> {
    parsed::<Coins>(heard).map(|said| said.coins)
}

/// Who spent a coin, if anyone did.
pub(super) fn coin_spent(heard: &Heard) -> Option<Option<Spent>> {
    let said: Coin = parsed(heard)?;
    Some(said.spent_by.map(|by| Spent { by, is_final: said.is_final }))
}

/// The try that spent a coin.
pub(super) struct Spent {
    pub(super) by: String,
    pub(super) is_final: bool,
}

#[derive(Deserialize)]
struct Said {
    reference: String,
    state: String,
    reason: Option<String>,
    line: Option<u32>,
    #[serde(default)]
    returned: Vec<u32>,
    fee: Option<String>,
}

#[derive(Deserialize)]
struct BookListing {
    tries: Vec<Listed>,
    is_last: bool,
}

#[derive(Deserialize)]
struct Listed {
    n: u64,
    batch: String,
    #[serde(flatten)]
    said: Said,
    lines: Vec<ListedLine>,
}

#[derive(Deserialize)]
struct ListedLine {
    to: String,
    amount: String,
}

#[derive(Deserialize)]
struct BatchListing {
    tries: Vec<Said>,
    now: u64,
}

#[derive(Deserialize)]
struct Height {
    height: u64,
}

#[derive(Deserialize)]
struct Coins {
    coins: Vec<String>,
}

#[derive(Deserialize)]
struct Coin {
    spent_by: Option<String>,
    #[serde(rename = "final")]
    is_final: bool,
}

impl Listed {
    fn stranger(self, heard: &Heard) -> Option<Stranger> {
        let line = |line: ListedLine| {
            let amount = Amount::new(line.amount.parse().ok()?).ok()?;
            Some(StrangerLine { to: line.to, amount })
        };
        Some(Stranger {
            batch: Stream::parse(&self.batch).ok()?,
            reference: self.said.reference.clone(),
            lines: self.lines.into_iter().map(line).collect::<Option<_>>()?,
            answer: self.said.answer(),
            evidence: heard.evidence(),
        })
    }
}

impl Said {
    fn answer(self) -> Answer {
        let reason = self.reason.unwrap_or_default();
        match self.state.as_str() {
            "accepted" => Answer::Accepted,
            "final" => Answer::Final,
            "undone" => Answer::Undone,
            "refused" => Answer::Refused { reason, line: self.line },
            "declined" => Answer::Declined { reason },
            "returned" => Answer::Returned { reason, lines: self.returned },
            _ => Answer::Unknown,
        }
    }
}

fn status(heard: &Heard) -> u16 {
    heard.reply.as_ref().map_or(0, |reply| reply.status)
}

fn parsed<T: DeserializeOwned>(heard: &Heard) -> Option<T> {
    let reply = heard.reply.as_ref()?;
    // Fields that nobody asks for are passed over unread: the whole must be text before that.
    serde_json::from_str(core::str::from_utf8(&reply.body).ok()?).ok()
}
