//! Who shares the work: each open batch has one owner among the workers that live.

use divvy_core::{Hash, RUN_LINES_MAX, Stream, Time};

use crate::divvy::Divvy;
use crate::worker::Worker;

/// The workers that live, as far as this one has heard. Nothing rests on it but who does what.
#[derive(Debug, Default)]
pub(super) struct Roster {
    names: Vec<String>,
    asked: Option<Time>,
}

impl Roster {
    /// How many workers live, this one among them.
    pub(super) fn count(&self) -> usize {
        self.names.len().max(1)
    }

    pub(super) fn is_alone(&self) -> bool {
        self.count() == 1
    }

    /// How many lines of those that are due are one worker's share of a run.
    pub(super) fn share(&self, due: usize) -> usize {
        if self.is_alone() {
            return RUN_LINES_MAX;
        }
        due.div_ceil(self.count()).clamp(SHARE_LINES_MIN, RUN_LINES_MAX)
    }

    /// Whom a batch falls to: whose name and its own have the highest hash together. When a worker
    /// comes or goes, only what falls to it changes hands.
    fn owner(&self, batch: &Stream) -> Option<&str> {
        let weight = |name: &&String| Hash::of(format!("{name}\0{batch}").as_bytes());
        self.names.iter().max_by_key(weight).map(String::as_str)
    }
}

impl Worker {
    /// Says that this worker lives, and learns who else does.
    pub(super) async fn muster(&mut self, divvy: &Divvy, now: Time) {
        let secs = self.settings.roster_secs;
        let since = self.roster.asked.map(|asked| now.millis_since(asked));
        // A third of the time that it is taken for alive, so that one lost word kills nobody.
        if secs == 0 || since.is_some_and(|since| since < secs.saturating_mul(1_000).div_ceil(3)) {
            return;
        }
        match divvy.host().roster(&self.process, now, now.plus_secs(secs)).await {
            Ok(names) => {
                let gone = self.roster.names.iter().any(|name| !names.contains(name));
                if gone {
                    tracing::info!(workers = names.len(), "a worker is gone: others go on");
                    self.watched.find_all();
                }
                self.roster = Roster { names, asked: Some(now) };
            }
            // It is advice: whoever cannot hear the others does what it knows of.
            Err(error) => tracing::warn!(%error, "the roster cannot be read"),
        }
    }

    /// Leaves the roster, so that others take over at once.
    pub(super) async fn leave(&mut self, divvy: &Divvy, now: Time) {
        if self.settings.roster_secs == 0 || self.roster.asked.is_none() {
            return;
        }
        if let Err(error) = divvy.host().roster(&self.process, now, now).await {
            tracing::warn!(%error, "the roster cannot be left: others wait for its end");
        }
        self.roster = Roster::default();
    }

    /// Whether a batch is for this worker to drive: it has sent it, or the batch falls to it.
    pub(super) fn is_mine(&self, batch: &Stream) -> bool {
        self.roster.is_alone()
            || self.own.contains(batch)
            || self.roster.owner(batch) == Some(&self.process)
    }
}

/// Less is not worth sharing.
const SHARE_LINES_MIN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(names: &[&str]) -> Roster {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Roster { names, asked: None }
    }

    fn owners(roster: &Roster) -> Vec<String> {
        let batch = |i: u32| Stream::parse(&format!("batch/b/{i}/{}", i % 7)).unwrap();
        (0..900).map(|i| roster.owner(&batch(i)).unwrap().to_owned()).collect()
    }

    #[test]
    fn batches_fall_to_each_worker_alike_and_change_hands_only_with_the_one_who_left() {
        let (three, two) = (owners(&roster(&["a", "b", "c"])), owners(&roster(&["a", "c"])));
        for name in ["a", "b", "c"] {
            let own = three.iter().filter(|owner| *owner == name).count();
            assert!((240..360).contains(&own), "{name}: {own} of 900");
        }
        for (before, after) in three.iter().zip(&two) {
            assert!(before == after || before == "b", "{before} lives, and {after} has it");
        }
    }

    #[test]
    fn a_share_is_a_part_of_what_is_due_and_never_tiny_or_more_than_a_run() {
        #[rustfmt::skip]
        let table = [
            // live   due        share
            (1,       5,         10_000),
            (1,       90_000,    10_000),
            (3,       5,         100),
            (3,       901,       301),
            (3,       90_000,    10_000),
        ];
        for (live, due, share) in table {
            assert_eq!(roster(&["a", "b", "c"][..live]).share(due), share, "{live} {due}");
        }
    }
}
