//! Steps: facts to commit, and the calls that only a commit releases.

use crate::fact::{Fact, Signed, Stream};

/// Facts to commit together, and the calls that they release.
///
/// [`Step::committed`] is the only way to a call, so money is never asked to move before the fact
/// that says so is durable. If the commit fails, drop the step: there is no clever path.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Name, Opened, Policy, Time};
///
/// let opened = Opened {
///     asset: Asset::parse("USD")?,
///     policy: Policy::Instant,
///     floor: Amount::ONE,
///     cooling_secs: 0,
///     named_on: None,
/// };
/// let step = Books::default().open(&Name::new("chapter-42")?, opened, Time::ZERO)?;
/// assert_eq!(step.facts().len(), 1);
/// // No money moves, so this commit may join a host's own transaction.
/// assert!(!step.releases_call());
/// assert_eq!(step.committed(), []);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[must_use = "a step does nothing until its facts are committed"]
pub struct Step {
    facts: Vec<Fact>,
    calls: Vec<Call>,
}

/// An order to the world, released by a commit.
///
/// ```
/// use divvy_core::{Call, Rail, Request, Time};
///
/// // Whoever got a call from a committed step asks the rail for the request, and sends it.
/// fn request(rail: &dyn Rail, call: &Call, now: Time) -> Request {
///     rail.submit(&call.signed, now)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// The batch.
    pub batch: Stream,
    /// The try to submit.
    pub signed: Signed,
}

impl Step {
    pub(crate) const fn new(facts: Vec<Fact>, calls: Vec<Call>) -> Self {
        Self { facts, calls }
    }

    pub(crate) const fn call(batch: Stream, signed: Signed) -> Call {
        Call { batch, signed }
    }

    /// What to commit: all of it or nothing.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The same calls behind other facts.
    pub(crate) fn with_facts(self, facts: Vec<Fact>) -> Self {
        Self { facts, ..self }
    }

    /// Whether a call follows, so that the commit must be flushed and must not join a host's
    /// open transaction.
    #[must_use]
    pub const fn releases_call(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Two steps in one commit.
    pub fn and(mut self, other: Self) -> Self {
        self.facts.extend(other.facts);
        self.calls.extend(other.calls);
        self
    }

    /// The calls, once the commit has returned.
    #[must_use]
    pub fn committed(self) -> Vec<Call> {
        self.calls
    }

    /// The calls, when the commit's own outcome was unknown: only if every fact of the step is
    /// found among those read back, by its hash.
    #[must_use]
    pub fn committed_if_found(self, read: &[Fact]) -> Vec<Call> {
        let found = self.facts.iter().all(|fact| {
            let same = |other: &&Fact| other.stream == fact.stream && other.n == fact.n;
            read.iter().find(same).is_some_and(|other| other.hash == fact.hash)
        });
        if found { self.calls } else { Vec::new() }
    }
}
