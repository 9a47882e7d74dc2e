//! Watching: what settled is looked at once more, for money that came back and finals that were
//! undone.

use std::collections::BTreeSet;

use divvy_core::{Answer, Batch, Book, Error, Next, State, Stream, Time, Timing, Try, Window};

use crate::clock::Clock;
use crate::divvy::Divvy;
use crate::worker::drive::{BATCHES_AT_ONCE, fold};
use crate::worker::learn::Looked;
use crate::worker::{Tick, Worker, time};

/// What has settled lately, by the time of its next look.
#[derive(Debug, Default)]
pub(super) struct Watched {
    batches: BTreeSet<(Time, Stream)>,
    /// When the facts were searched for more, and nothing before the first time.
    found: Option<Time>,
}

impl Watched {
    pub(super) fn insert(&mut self, from: Time, batch: Stream) {
        self.batches.insert((from, batch));
    }

    /// Searches all facts again: somebody is gone, and what they watched falls to others.
    pub(super) const fn find_all(&mut self) {
        self.found = None;
    }

    pub(super) fn not_before(&self) -> Option<Time> {
        self.batches.first().map(|(from, _)| *from)
    }

    /// The next batches to look at, at most so many.
    fn over(&mut self, now: Time, count: usize) -> Vec<Stream> {
        let mut over = Vec::new();
        while over.len() < count && self.batches.first().is_some_and(|(from, _)| *from <= now) {
            over.extend(self.batches.pop_first().map(|(_, batch)| batch));
        }
        over
    }
}

impl Worker {
    /// Finds what has settled and is not watched here: after a start, when a worker is gone, and
    /// from time to time, for those who settled something and never came back.
    pub(super) fn find_watched(&mut self, divvy: &Divvy, now: Time) {
        let longest = self.rails.values().map(|rail| rail.timing().watch_secs).max().unwrap_or(0);
        let again_secs = longest.checked_div(2).unwrap_or(0).max(FIND_AGAIN_SECS);
        let found = self.watched.found;
        if longest == 0 || found.is_some_and(|found| now < found.plus_secs(again_secs)) {
            return;
        }
        self.watched.found = Some(now);
        for standing in divvy.books().all().flat_map(Book::batches) {
            let from = standing.settled_at.plus_secs(longest);
            let until = standing.settled_at.plus_secs(longest.saturating_mul(2));
            let settled = matches!(standing.state, State::Settled | State::Returned);
            // What was due before the last search was found by it.
            let fresh = found.is_none_or(|found| from > found);
            if settled && fresh && until > now && self.is_mine(&standing.batch) {
                self.watched.insert(from, standing.batch);
            }
        }
    }

    /// Looks once more at what settled, for money that came back and finals that were undone.
    pub(super) async fn look_again(
        &mut self,
        divvy: &mut Divvy,
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        loop {
            let now = time(divvy, clock);
            let over = self.watched.over(now, BATCHES_AT_ONCE);
            if over.is_empty() || self.stop.is_stopped() {
                return Ok(());
            }
            let mut batches = Vec::with_capacity(over.len());
            for stream in over {
                let batch = fold(divvy, &stream).await?;
                let timing = self.rails.get(batch.rail()).map(|rail| rail.timing());
                let next = timing.map(|timing| batch.next(now, None, timing));
                if matches!(next, Some(Next::Watch { .. })) {
                    batches.push(batch);
                }
            }
            let seen = self.look_at(&batches, now, clock, tick).await?;
            let heard = |batch: &Batch| {
                let own = |looked: &&Looked| looked.batch.stream() == batch.stream();
                let looked = seen.iter().find(own);
                let answers = looked.into_iter().flat_map(|looked| &looked.seen.answers);
                answers.into_iter().any(|answer| *answer != Answer::Unknown)
            };
            for batch in batches.iter().filter(|batch| !heard(batch)) {
                let timing = self.rails.get(batch.rail()).map(|rail| rail.timing());
                // Nobody answered: what may have come back is asked for again.
                if timing.is_some_and(|timing| is_watched(batch, now, timing)) {
                    let again = now.plus_secs(WATCH_AGAIN_SECS);
                    self.watched.insert(again, batch.stream().clone());
                }
            }
            self.learn(divvy, seen, now, tick).await?;
        }
    }
}

/// Whether a settled batch is looked at again when nobody answered: for as long again as it was
/// watched, and not where nobody remembers a try.
fn is_watched(batch: &Batch, now: Time, timing: Timing) -> bool {
    let remembered = |try_: &Try| try_.signed.window != Window::Once;
    let until = batch.settled_at().plus_secs(timing.watch_secs.saturating_mul(2));
    now < until && batch.tries().iter().any(remembered)
}

/// A look at what settled that nobody answered is taken again after so many seconds.
const WATCH_AGAIN_SECS: u64 = 3_600;
/// The facts are not searched again sooner.
const FIND_AGAIN_SECS: u64 = 3_600;
