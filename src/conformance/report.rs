//! What became of each promise.

use core::fmt;

use crate::conformance::desk::Verdict;

macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident $name:literal: $promise:literal, $cost:literal;)+) => {
        /// One promise of a host, by name.
        ///
        /// ```
        /// use divvy::conformance::Part;
        ///
        /// assert_eq!(Part::NeverSkips.name(), "never-skips");
        /// assert!(Part::NeverSkips.promise().starts_with("a cursor never skips"));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Part {
            $(#[doc = concat!("`", $name, "`: ", $promise, ".")] $(#[$doc])* $part,)+
        }

        impl Part {
            /// Every part, in the order in which they are tried.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$part),+];

            /// The name, as reports write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$part => $name),+ }
            }

            /// What is promised.
            #[must_use]
            pub const fn promise(self) -> &'static str {
                match self { $(Self::$part => $promise),+ }
            }

            /// What it would cost to go on with a host that breaks it.
            #[must_use]
            pub const fn cost(self) -> &'static str {
                match self { $(Self::$part => $cost),+ }
            }
        }
    };
}

parts! {
    AddressOnce "address-once":
        "an address is written once, and the first fact stays",
        "a payment that comes twice is split twice, and a signed try is forgotten for another";
    OneWinner "one-winner":
        "of all who race for an address one wins, and the others are told",
        "two workers plan the same payables, and both pay them";
    AllOrNone "all-or-none":
        "a commit is written whole or not at all",
        "a run is written without one of its batches: its payees are reserved for, and never paid";
    ManyStreams "many-streams":
        "one commit writes any number of streams",
        "a run, its batches and what they claim cannot be written as one";
    OrphanRefused "orphan-refused":
        "a fact whose predecessor is absent is refused",
        "a stale worker writes behind a gap, and the book can be folded by nobody";
    StreamOrder "stream-order":
        "a stream reads back in order, and only its own",
        "a batch is driven by another's facts, and sent again though it was settled";
    ExactNames "exact-names":
        "names that differ in one byte are two streams",
        "one payee's money is kept under another's name";
    ExactBytes "exact-bytes":
        "what comes back is what went in, to the last byte",
        "a signed try is sent with other bytes than were signed, and no hash holds";
    BigBytes "big-bytes":
        "bodies of several MiB are kept whole",
        "a batch of thousands of lines is cut off: some are paid, and nobody knows who";
    EdgeNumbers "edge-numbers":
        "numbers at the edges are kept or refused, never wrapped",
        "an address wraps around to one that was written before, or a time to before 1970";
    PageSizes "page-sizes":
        "pages of any size give the same facts, each once",
        "a payment at the end of a page is declared by nobody, or comes twice";
    NeverSkips "never-skips":
        "a cursor never skips, whoever commits meanwhile",
        "a planner does not see a run that was committed, and plans the same payables again";
    SeenWhole "seen-whole":
        "whoever reads to the end sees whole commits",
        "a payout is folded without what it claims, no equation holds, and all paying stops";
    OtherDatabase "other-database":
        "a cursor of another database is refused",
        "after a restored backup a fold goes on as if nothing was lost, and pays again";
    Durable "durable":
        "what a commit returned for is seen by every handle, and by every older cursor",
        "a try is sent, then forgotten, and the payee is paid again";
    ManyFacts "many-facts":
        "many facts are kept as well as few",
        "a book that grew can be opened no more, or misses what it earned";
}

/// What became of one promise.
///
/// Its text is one line, and names the promise, what was found at which address, and what that
/// would cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    part: Part,
    found: Option<String>,
}

impl Outcome {
    pub(super) fn new(part: Part, verdict: Verdict) -> Self {
        Self { part, found: verdict.err().map(|broken| broken.0) }
    }

    /// The promise.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }

    /// What was found instead, with the address; nothing when the promise was kept.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }
}

/// What became of every promise, the kept ones too. Its text is a table.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use std::sync::Arc;
///
/// use divvy::conformance::{Conformance, Opening, Options, Part};
/// use divvy::{Host, Sqlite};
///
/// // A database in memory has one handle; every opening gives that one.
/// fn same(host: &Arc<dyn Host>) -> Opening {
///     let host = Arc::clone(host);
///     Box::pin(async { Ok(host) })
/// }
///
/// let host: Arc<dyn Host> = Arc::new(Sqlite::in_memory()?);
/// let other: Arc<dyn Host> = Arc::new(Sqlite::in_memory()?);
/// let suite = Conformance::new(move || same(&host), move || same(&other));
/// let report = suite.run(&Options { facts: 500, rounds: 5, ..Options::default() }).await;
/// assert!(report.is_kept());
/// assert_eq!(report.outcomes().len(), Part::ALL.len());
/// assert!(report.to_string().starts_with("kept    address-once"));
/// # Ok::<(), divvy::core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    outcomes: Vec<Outcome>,
}

impl Report {
    pub(super) const fn new(outcomes: Vec<Outcome>) -> Self {
        Self { outcomes }
    }

    /// One outcome for each part, in their order.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Whether every promise was kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.broken().is_empty()
    }

    /// The promises that were broken.
    #[must_use]
    pub fn broken(&self) -> Vec<Part> {
        let broken = self.outcomes.iter().filter(|outcome| outcome.found.is_some());
        broken.map(Outcome::part).collect()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, promise) = (self.part.name(), self.part.promise());
        let Some(found) = &self.found else {
            return write!(f, "kept    {name:<NAME_WIDTH$}{promise}");
        };
        let cost = self.part.cost();
        write!(f, "BROKEN  {name:<NAME_WIDTH$}{promise}; found: {found}; it would cost: {cost}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outcomes.iter().try_for_each(|outcome| writeln!(f, "{outcome}"))
    }
}

/// The longest name and two spaces.
const NAME_WIDTH: usize = 16;
