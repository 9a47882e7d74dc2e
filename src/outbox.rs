//! The outbox: every endpoint reads the facts by a cursor of its own, and is told what it wants.
//!
//! There is no queue that could lose something or disagree: a message is made of a fact each time
//! that it is sent. How far an endpoint has heard is a fact, too, written after it was heard. So a
//! message is sent once more after a crash in between, with the same id, and never lost.

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

use divvy_core::{Code, Cursor, Error, Hash, Stream, Time, WebhookHeard};

use crate::divvy::Divvy;
use crate::host::Sender;
use crate::webhook::{Webhook, WebhookStart};

mod attempt;
mod place;
mod round;

pub(crate) use attempt::{Untaken, later, not_before, tell};
pub(crate) use place::Place;
pub(crate) use round::{End, Round, Served};

/// What a worker knows of its webhooks. Whatever it forgets is found again in the facts.
#[derive(Default)]
pub(crate) struct Outbox {
    webhooks: Vec<Arc<Webhook>>,
    sender: Option<Arc<dyn Sender>>,
    /// How far each has got here, and when to go on.
    places: HashMap<Stream, Known>,
    opening: Option<Arc<()>>,
    /// When alerts were judged last.
    judged: HashMap<Stream, Time>,
}

/// What is known of an endpoint beyond its facts.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// How far it has got.
    pub(crate) place: Option<Place>,
    /// More was to be told when its turn was over.
    pub(crate) is_behind: bool,
    /// It is not told anything before.
    pub(crate) not_before: Option<Time>,
    /// What a person has to mend.
    pub(crate) obstacle: Option<Error>,
}

impl Outbox {
    pub(crate) fn new(webhooks: Vec<Webhook>, sender: Arc<dyn Sender>) -> Self {
        let webhooks = webhooks.into_iter().map(Arc::new).collect();
        Self { webhooks, sender: Some(sender), ..Self::default() }
    }

    pub(crate) fn webhooks(&self) -> Vec<Arc<Webhook>> {
        self.webhooks.clone()
    }

    pub(crate) fn sender(&self) -> Option<Arc<dyn Sender>> {
        self.sender.clone()
    }

    /// Forgets how far endpoints have got when the fold was begun anew: cursors are worth nothing.
    pub(crate) fn follow(&mut self, divvy: &Divvy) {
        let same = |known: &Arc<()>| Arc::ptr_eq(known, divvy.opening());
        if !self.opening.as_ref().is_some_and(same) {
            self.opening = Some(Arc::clone(divvy.opening()));
            self.places.clear();
        }
    }

    /// Another worker sees to it now.
    pub(crate) fn forget(&mut self, stream: &Stream) {
        self.places.remove(stream);
    }

    /// Whether the alerts of an endpoint's book are to be judged again.
    pub(crate) fn is_time_to_judge(&mut self, webhook: &Webhook, now: Time) -> bool {
        let last = self.judged.get(&webhook.stream());
        if last.is_some_and(|last| now < last.plus_secs(JUDGE_SECS)) {
            return false;
        }
        self.judged.insert(webhook.stream(), now);
        true
    }

    pub(crate) fn known(&mut self, stream: &Stream) -> &mut Known {
        self.places.entry(stream.clone()).or_default()
    }

    /// Whether there is more to tell right now.
    pub(crate) fn is_behind(&self) -> bool {
        self.places.values().any(|known| known.is_behind)
    }

    /// The earliest time at which something is to be sent again.
    pub(crate) fn not_before(&self) -> Option<Time> {
        self.places.values().filter_map(|known| known.not_before).min()
    }

    pub(crate) fn obstacles(&self) -> Vec<Error> {
        self.places.values().filter_map(|known| known.obstacle.clone()).collect()
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("webhooks", &self.webhooks).finish_non_exhaustive()
    }
}

/// What a person is told of an endpoint that is told nothing more.
pub(crate) fn silenced(webhook: &Webhook, reason: &str) -> Error {
    let name = &webhook.settings().name;
    let detail = format!(
        "the webhook {name} is told nothing more: {reason}; once it is mended, \
         `divvy webhook resume {name}`"
    );
    Error::new(Code::WebhookUnheard, detail)
}

/// Where an endpoint begins: behind everything that is folded, or before it all.
pub(crate) fn beginning(divvy: &Divvy, webhook: &Webhook) -> WebhookHeard {
    let (books, cursor) = (divvy.books(), divvy.cursor().cloned());
    let cursor = cursor.unwrap_or_else(|| Cursor::start(String::new()));
    let place = match webhook.settings().from {
        WebhookStart::Now => Place::at(cursor, books.count(), books.digest()),
        WebhookStart::Beginning => Place::at(Cursor::start(cursor.epoch), 0, Hash::default()),
    };
    place.heard()
}

/// Alerts are judged again after so many seconds.
const JUDGE_SECS: u64 = 60;
