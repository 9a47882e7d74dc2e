//! Delivering: each endpoint is told by the one worker that it falls to.

use std::sync::Arc;

use divvy_core::{Amount, Books, Code, Error, Name, Silence, Step, Time, WebhookUnheard};

use crate::clock::Clock;
use crate::divvy::Divvy;
use crate::outbox::{End, Place, Round, Served, Untaken, beginning, later, not_before, silenced};
use crate::webhook::{EventKind, Webhook};
use crate::worker::together::together;
use crate::worker::{Tick, Worker, time};

impl Worker {
    /// Begins with the endpoints that are new, before anything happens that they want to hear of.
    pub(super) async fn begin_webhooks(
        &self,
        divvy: &mut Divvy,
        clock: &Clock,
    ) -> Result<(), Error> {
        for webhook in self.outbox.webhooks() {
            if divvy.books().book(webhook.book()).is_ok() {
                begin(divvy, &webhook, clock.now()).await?;
            }
        }
        Ok(())
    }

    /// Tells every endpoint that falls to this worker what it has not heard yet, for a while.
    pub(super) async fn deliver(
        &mut self,
        divvy: &mut Divvy,
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let Some(sender) = self.outbox.sender() else { return Ok(()) };
        divvy.catch_up_or_begin_anew().await?;
        self.outbox.follow(divvy);
        let webhooks = self.outbox.webhooks();
        let mut rounds: Vec<(Arc<Webhook>, Place, Time)> = Vec::new();
        for webhook in webhooks {
            if let Some((place, from)) = self.prepare(divvy, &webhook, clock).await? {
                rounds.push((webhook, place, from));
            }
        }
        let served = {
            let (stop, divvy) = (&self.stop, &*divvy);
            let round = |(webhook, place, not_before): (Arc<Webhook>, Place, Time)| {
                let sender = Arc::clone(&sender);
                async move {
                    let own = &*webhook;
                    let round = Round { divvy, webhook: own, sender, clock, stop, not_before };
                    let served = round.serve(place).await;
                    (webhook, served)
                }
            };
            together(rounds.into_iter().map(round).collect(), self.settings.in_flight).await
        };
        let mut outcome = Ok(());
        for (webhook, served) in served {
            let noted = match served {
                Ok(served) => self.note_served(divvy, &webhook, served, clock, tick).await,
                // The next tick begins anew.
                Err(error) if error.code() == Code::EpochChanged => Ok(()),
                Err(error) => Err(error),
            };
            // Whatever became of one, the progress of the others is kept.
            outcome = outcome.and(noted);
        }
        outcome
    }

    /// Where an endpoint goes on, if it is to be told anything now.
    async fn prepare(
        &mut self,
        divvy: &mut Divvy,
        webhook: &Webhook,
        clock: &Clock,
    ) -> Result<Option<(Place, Time)>, Error> {
        let (stream, name, book) = (webhook.stream(), webhook.name(), webhook.book());
        if !self.is_mine(&stream) || divvy.books().book(book).is_err() {
            self.outbox.forget(&stream);
            return Ok(None);
        }
        begin(divvy, webhook, clock.now()).await?;
        self.judge(divvy, webhook, clock).await?;
        self.look_up(divvy, webhook)?;
        let endpoint = divvy.books().book(book)?.endpoint(name.as_str())?;
        if !endpoint.is_open(time(divvy, clock)) {
            return Ok(None);
        }
        let from = Time::from_millis(endpoint.since.millis().saturating_sub(MARGIN_MILLIS));
        let place = match self.outbox.known(&stream).place.take() {
            Some(place) if place.is_at_least(&endpoint.heard) => place,
            // It is new here, or another worker has told it more meanwhile.
            _ => Place::find(divvy.host(), &endpoint.heard).await?,
        };
        Ok(Some((place, from)))
    }

    /// Takes over what the facts say of an endpoint: when it is told again, or why it is not.
    fn look_up(&mut self, divvy: &Divvy, webhook: &Webhook) -> Result<(), Error> {
        let endpoint = divvy.books().book(webhook.book())?.endpoint(webhook.name().as_str())?;
        let known = self.outbox.known(&webhook.stream());
        known.is_behind = false;
        known.obstacle = endpoint.silenced.as_ref().map(|why| silenced(webhook, &why.reason));
        let waits = endpoint.failing.as_ref().map(|failing| failing.not_before);
        known.not_before = waits.filter(|_| endpoint.silenced.is_none());
        Ok(())
    }

    /// Writes down what became of a round.
    async fn note_served(
        &mut self,
        divvy: &mut Divvy,
        webhook: &Webhook,
        served: Served,
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let (name, book, now) = (webhook.name(), webhook.book(), clock.now());
        let Served { place, told, end } = served;
        tick.told = tick.told.saturating_add(told);
        let heard = place.heard();
        let noted = &divvy.books().book(book)?.endpoint(name.as_str())?.heard;
        let noted = noted.count.saturating_add(noted.facts.into());
        if told > 0 || place.passed().saturating_sub(noted) > PASSED_MAX {
            divvy.act(|books| Ok(books.book(book)?.note_heard(name, &heard, now))).await?;
        }
        if let End::Failed(id, untaken) = &end {
            tick.untold = tick.untold.saturating_add(1);
            note_untaken(divvy, webhook, (id, untaken), now).await?;
        }
        self.look_up(divvy, webhook)?;
        let known = self.outbox.known(&webhook.stream());
        known.place = Some(place);
        match end {
            End::More => known.is_behind = true,
            End::Obstacle(error) => known.obstacle = Some(error),
            End::CaughtUp | End::Failed(..) => (),
        }
        Ok(())
    }

    /// Notes what a person should look at of a book's treasury, so that it can be told.
    async fn judge(
        &mut self,
        divvy: &mut Divvy,
        webhook: &Webhook,
        clock: &Clock,
    ) -> Result<(), Error> {
        let (book, now) = (webhook.book(), time(divvy, clock));
        let Some(terms) = &webhook.settings().treasury else { return Ok(()) };
        if !webhook.wants(EventKind::Alert) || !self.outbox.is_time_to_judge(webhook, now) {
            return Ok(());
        }
        let lines = divvy.due(book, now)?;
        let due = Amount::total(lines.iter().map(|line| line.amount))?;
        let judged = |books: &Books| {
            let book = books.book(book)?;
            let status = book.treasury_status(terms, due, now)?;
            Ok(book.note_alerts(&status.alerts, now))
        };
        match divvy.act(judged).await {
            // The owner is named in the settings, and has earned nothing yet.
            Err(error) if error.code() == Code::PayeeUnknown => Ok(()),
            judged => judged.map(drop),
        }
    }
}

/// Begins with an endpoint, if nobody did before.
async fn begin(divvy: &mut Divvy, webhook: &Webhook, now: Time) -> Result<(), Error> {
    let (name, book) = (webhook.name(), webhook.book());
    if divvy.books().book(book)?.endpoint(name.as_str()).is_ok() {
        return Ok(());
    }
    let heard = beginning(divvy, webhook);
    let begin = |books: &Books| {
        let book = books.book(book)?;
        let is_known = book.endpoint(name.as_str()).is_ok();
        Ok(if is_known { Step::default() } else { book.note_heard(name, &heard, now) })
    };
    divvy.act(begin).await.map(drop)
}

/// Writes down that a message was not taken: when it is sent again, or that it is not.
async fn note_untaken(
    divvy: &mut Divvy,
    webhook: &Webhook,
    (id, untaken): (&str, &Untaken),
    now: Time,
) -> Result<(), Error> {
    let Untaken::Unheard { reason, rest_millis } = untaken else {
        let reason = "it answered with 410, that it is gone";
        return silence(divvy, webhook, Silence::Gone, reason, now).await;
    };
    let (name, book) = (webhook.name(), webhook.book());
    let failing = divvy.books().book(book)?.endpoint(name.as_str())?.failing.as_ref();
    let before = failing.filter(|failing| failing.id == id).map_or(0, |own| own.attempts);
    let attempts = before.saturating_add(1);
    let Some(next) = not_before(id, attempts, now) else {
        let reason = format!("{id} was sent {attempts} times, and the last time: {reason}");
        return silence(divvy, webhook, Silence::Exhausted, &reason, now).await;
    };
    let not_before = next.max(later(now, *rest_millis));
    tracing::warn!(%name, id, attempts, reason, %not_before, "a message was not taken");
    let (id, reason) = (id.to_owned(), reason.clone());
    let unheard = WebhookUnheard { id, attempts, not_before, reason };
    let note = |books: &Books| {
        let book = books.book(book)?;
        let known = book.endpoint(name.as_str())?.failing.as_ref();
        // Another worker has tried it as well, and noted that already.
        if known.is_some_and(|known| known.id == unheard.id && known.attempts >= attempts) {
            return Ok(Step::default());
        }
        book.note_unheard(name, &unheard, now)
    };
    divvy.act(note).await.map(drop)
}

async fn silence(
    divvy: &mut Divvy,
    webhook: &Webhook,
    cause: Silence,
    reason: &str,
    now: Time,
) -> Result<(), Error> {
    let (name, book): (&Name, &str) = (webhook.name(), webhook.book());
    tracing::warn!(%name, reason, "a webhook is told nothing more");
    let silence = |books: &Books| books.book(book)?.silence_webhook(name, cause, reason, now);
    divvy.act(silence).await.map(drop)
}

/// A fact that was stamped so much before its endpoint was begun with is not told to it: only
/// where everything is read again does that matter.
const MARGIN_MILLIS: u64 = 86_400_000;
/// Progress is noted after so many facts without a message, so that they are not read again.
const PASSED_MAX: u64 = 10_000;
