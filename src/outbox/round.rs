//! A round: an endpoint is told what it has not heard yet, one message after the other.

use std::sync::Arc;

use divvy_core::{Body, Code, Error, Fact, Planned, Time};

use crate::clock::Clock;
use crate::divvy::{Divvy, PAGE_FACTS};
use crate::host::{Host, Sender};
use crate::outbox::{Place, Untaken, tell};
use crate::webhook::{EventKind, Webhook, WebhookMessage, book_of};
use crate::worker::Stop;

/// Everything that one round of one endpoint needs.
pub(crate) struct Round<'a> {
    pub(crate) divvy: &'a Divvy,
    pub(crate) webhook: &'a Webhook,
    pub(crate) sender: Arc<dyn Sender>,
    pub(crate) clock: &'a Clock,
    pub(crate) stop: &'a Stop,
    /// What is older was there long before the endpoint was.
    pub(crate) not_before: Time,
}

/// How a round ended.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) place: Place,
    pub(crate) told: u64,
    pub(crate) end: End,
}

/// Why a round ended.
#[derive(Debug)]
pub(crate) enum End {
    /// Everything is told.
    CaughtUp,
    /// Others have a turn, and then it goes on.
    More,
    /// A message was not taken: which, and why.
    Failed(String, Untaken),
    /// A message could not even be signed.
    Obstacle(Error),
}

impl Round<'_> {
    /// Tells an endpoint what is folded and it has not heard yet, for a while at most.
    pub(crate) async fn serve(&self, mut place: Place) -> Result<Served, Error> {
        let (host, horizon) = (self.divvy.host(), self.divvy.books().count());
        let until = self.clock.now().plus_secs(ROUND_SECS);
        let mut told = 0_u64;
        loop {
            let page = host.since(place.cursor(), PAGE_FACTS).await?;
            while let Some((fact, heard)) = place.next(&page) {
                // What is not folded yet may still turn out to break a rule.
                if place.passed() >= horizon {
                    return Ok(Served { place, told, end: End::CaughtUp });
                }
                for message in self.messages(host, fact).await?.into_iter().skip(heard) {
                    let now = self.clock.now();
                    if told >= ROUND_MESSAGES || now > until || self.stop.is_stopped() {
                        return Ok(Served { place, told, end: End::More });
                    }
                    let end = match tell(self.webhook, &*self.sender, &message, now).await {
                        Ok(None) => {
                            place.hear();
                            told = told.saturating_add(1);
                            continue;
                        }
                        Ok(Some(untaken)) => End::Failed(message.id, untaken),
                        Err(error) => End::Obstacle(error),
                    };
                    return Ok(Served { place, told, end });
                }
                place.pass();
            }
            place.turn(&page);
            if page.is_last {
                return Ok(Served { place, told, end: End::CaughtUp });
            }
        }
    }

    /// The messages of a fact that this endpoint wants.
    async fn messages(&self, host: &dyn Host, fact: &Fact) -> Result<Vec<WebhookMessage>, Error> {
        let event = EventKind::of_fact(&fact.kind).filter(|event| self.webhook.wants(*event));
        let Some(event) = event.filter(|_| fact.at >= self.not_before) else {
            return Ok(Vec::new());
        };
        let book = &self.webhook.settings().book;
        if book_of(fact)? != *book {
            return Ok(Vec::new());
        }
        let planned = if event.has_lines() { Some(plan(host, fact).await?) } else { None };
        let asset = &self.divvy.books().book(book.as_str())?.settings().asset;
        WebhookMessage::of(fact, asset, planned.as_ref())
    }
}

/// The plan of the batch that a fact is of.
async fn plan(host: &dyn Host, fact: &Fact) -> Result<Planned, Error> {
    let stream = host.read(&fact.stream).await?;
    if let Some(Body::Planned(planned)) = stream.first().map(Fact::body).transpose()? {
        return Ok(planned);
    }
    Err(Error::new(Code::FactOrphan, format!("{} has no plan: run verify", fact.stream)))
}

/// After so many messages, or so long, an endpoint's progress is noted, and others have a turn.
const ROUND_MESSAGES: u64 = 50;
const ROUND_SECS: u64 = 10;
