//! What happened: all of it in one hash, the last of it as sentences, and counts by kind.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use divvy_core::{Fact, Time};

/// How often each kind of event happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// Whether sentences are made: a run that failed is run again for them, as it goes the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    Silent,
    Aloud,
}

/// The story of one simulation.
#[derive(Debug)]
pub(super) struct Trace {
    telling: Telling,
    hash: DefaultHasher,
    last: VecDeque<String>,
    counts: Counts,
}

impl Trace {
    pub(super) fn new(telling: Telling) -> Self {
        let (hash, counts) = (DefaultHasher::new(), Counts::new());
        Self { telling, hash, last: VecDeque::new(), counts }
    }

    /// Tells what happened, if anybody listens.
    pub(super) fn tell(&mut self, step: u64, now: Time, said: impl FnOnce() -> String) {
        if self.telling == Telling::Silent {
            return;
        }
        if self.last.len() == LAST_MAX {
            self.last.pop_front();
        }
        self.last.push_back(format!("{step:>6} {now} {}", said()));
    }

    /// Takes what happened into the hash.
    pub(super) fn mark(&mut self, what: &impl Hash) {
        what.hash(&mut self.hash);
    }

    pub(super) fn count(&mut self, kind: &'static str) {
        let count = self.counts.entry(kind).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash.finish()
    }

    /// The last events, oldest first.
    pub(super) fn sentences(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }
}

/// So many sentences are kept.
const LAST_MAX: usize = 250;

pub(super) fn addresses(facts: &[Fact]) -> String {
    let shown = facts.iter().map(|fact| format!("{} at {}/{}", fact.kind, fact.stream, fact.n));
    shown.collect::<Vec<_>>().join(", ")
}
