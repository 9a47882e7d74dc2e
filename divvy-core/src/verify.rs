//! Verification: everything from zero, trusting nothing that was stored.
//!
//! Opening trusts stored hashes and checkpoints. Verification recomputes every hash along every
//! stream, holds every body to its one encoding, checks each run against its batches, folds all of
//! it anew, and checks every equation. What it finds it names: stream, place and kind.

mod acts;
mod agree;
mod payments;
mod rules;
mod runs;

pub(crate) use agree::same;

use std::collections::HashMap;

use crate::books::Books;
use crate::error::{Code, Error};
use crate::fact::{Fact, Hash, Place, Stream};
use crate::proof::Seals;
use acts::Acts;
use payments::Payments;
use rules::Rules;
use runs::Runs;

/// A verification under way: fed with every fact from the first, in the host's order.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Code, Name, Opened, Policy, Time, Verify};
///
/// let opened = Opened {
///     asset: Asset::parse("USD")?,
///     policy: Policy::Instant,
///     floor: Amount::ONE,
///     cooling_secs: 0,
///     named_on: None,
/// };
/// let step = Books::default().open(&Name::new("chapter-42")?, opened, Time::ZERO)?;
/// let mut facts = step.facts().to_vec();
///
/// let mut verify = Verify::new();
/// verify.feed(&facts)?;
/// assert_eq!(verify.finish()?.facts, 1);
///
/// facts[0].at = Time::from_millis(1);
/// let altered = Verify::new().feed(&facts).unwrap_err();
/// assert_eq!(altered.code(), Code::FactTampered);
/// assert!(altered.to_string().starts_with("fact 0 of rule/chapter-42 (opened.1)"));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Verify {
    books: Books,
    /// Where streams go on that are ahead of the fold; of all others the fold knows it.
    ahead: HashMap<Stream, (u64, Hash)>,
    streams: usize,
    payments: Payments,
    rules: Rules,
    runs: Runs,
    acts: Acts,
    seals: Seals,
}

/// What a verification found when it found nothing wrong.
///
/// ```
/// use divvy_core::Verify;
///
/// // Nothing at all is sound, too.
/// let verified = Verify::new().finish()?;
/// assert_eq!((verified.facts, verified.streams), (0, 0));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verified {
    /// How many facts there are.
    pub facts: u64,
    /// How many streams they are in.
    pub streams: usize,
    /// The digest over their hashes, in order.
    pub digest: Hash,
    /// How many of the facts are covered by seals.
    pub sealed: u64,
    /// The fold of them all, with every equation checked.
    pub books: Books,
}

impl Default for Verify {
    fn default() -> Self {
        Self::new()
    }
}

impl Verify {
    /// Before the first fact.
    #[must_use]
    pub fn new() -> Self {
        Self {
            books: Books { strict: true, ..Books::default() },
            ahead: HashMap::new(),
            streams: 0,
            payments: Payments::default(),
            rules: Rules::default(),
            runs: Runs::default(),
            acts: Acts::default(),
            seals: Seals::default(),
        }
    }

    /// Takes the next facts, in the order in which the host returns them.
    ///
    /// # Errors
    /// [`Code::FactTampered`] for a fact that was altered, [`Code::FactOrphan`] for one whose
    /// predecessor is missing or that is there twice, [`Code::FactMalformed`] and
    /// [`Code::FactUnknown`] for a body that cannot be read, [`Code::RuleMissing`] for a payment
    /// that is not divided by the rule of its time, and whatever rule of the fold a fact breaks.
    /// The first fact at fault is named; nothing after it was looked at.
    pub fn feed(&mut self, facts: &[Fact]) -> Result<(), Error> {
        for fact in facts {
            self.follow(fact)?;
            self.seals.feed(std::slice::from_ref(fact))?;
            let body = fact.body_strict()?;
            self.runs.note(fact, &body);
            self.acts.note(fact, &body);
            self.rules.note(fact, &body)?;
            if matches!(fact.stream.place(), Place::Payment { .. }) {
                self.payments.note(fact, &body)?;
            }
            let early = self.books.early().len();
            self.books.feed_known(fact, &body)?;
            let is_ahead = self.books.early().len() > early;
            if is_ahead || self.ahead.contains_key(&fact.stream) {
                self.ahead.insert(fact.stream.clone(), (fact.n.saturating_add(1), fact.hash));
            }
        }
        self.books.fold_early()
    }

    /// The end of all facts: nothing may wait any more, and everything must balance.
    ///
    /// # Errors
    /// [`Code::FactOrphan`] for a fact that rests on what is not there and for a run whose batches
    /// are missing, [`Code::FactTampered`] for a run that differs from its batches and for what
    /// nobody decided, [`Code::ActUnsigned`] for what a person said and none of those signed whom
    /// the book knew, [`Code::RuleMissing`] for a payment that is not divided by the rule of its
    /// time, and the errors of [`Books::check`].
    pub fn finish(self) -> Result<Verified, Error> {
        if let Some(early) = self.books.early().first() {
            let detail = "it rests on something that is missing";
            return Err(early.named(&Error::new(Code::FactOrphan, detail)));
        }
        self.runs.check()?;
        self.acts.check(&self.books)?;
        self.rules.check()?;
        self.books.check()?;
        Ok(Verified {
            facts: self.books.count(),
            streams: self.streams,
            digest: self.books.digest(),
            sealed: self.seals.covered(),
            books: Books { strict: false, ..self.books },
        })
    }

    /// Checks that a fact is the next of its stream, and its hash.
    fn follow(&mut self, fact: &Fact) -> Result<(), Error> {
        self.streams = self.streams.saturating_add(usize::from(fact.n == 0));
        if matches!(fact.stream.place(), Place::Payment { .. }) {
            return self.payments.follow(fact);
        }
        let ahead = self.ahead.get(&fact.stream).copied();
        let (n, hash) = ahead
            .or_else(|| self.books.head_of(&fact.stream))
            .unwrap_or_else(|| (0, Hash::of_stream(&fact.stream)));
        fact.check_after(n, &hash)
    }
}
