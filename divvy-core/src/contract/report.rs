//! What became of each promise.

use core::fmt;

use crate::contract::bench::Verdict;

macro_rules! parts {
    ($($part:ident $name:literal: $promise:literal, $cost:literal;)+) => {
        /// One promise of a rail, by name.
        ///
        /// ```
        /// use divvy_core::contract::Part;
        ///
        /// assert_eq!(Part::VoidWithProof.name(), "void-with-proof");
        /// assert!(Part::VoidWithProof.promise().contains("silence proves nothing"));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Part {
            $(#[doc = concat!("`", $name, "`: ", $promise, ".")] $part,)+
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

            /// What it would cost to go on with a rail that breaks it.
            #[must_use]
            pub const fn cost(self) -> &'static str {
                match self { $(Self::$part => $cost),+ }
            }
        }
    };
}

parts! {
    SameBytes "same-bytes":
        "a try is sent with the same bytes every time, whoever sends it",
        "what is sent again is another payment, and both arrive";
    FactsFirst "facts-first":
        "nothing but a submission can move a try's money",
        "money leaves before anybody has written down that it may, and leaves again after a crash";
    PaidOnce "paid-once":
        "everyone gets exactly their line's amount, however often a try is sent",
        "payees get more or less than the books say";
    VoidWithProof "void-with-proof":
        "void is said only of what can never land, silence proves nothing, and proof comes at last",
        "a try that still lands is signed anew, and everyone is paid twice";
    FinalForGood "final-for-good":
        "what was taken and may yet vanish is not final",
        "a payee is shown as paid who never is";
    NamesTheLine "names-the-line":
        "a line that fails is named by its place, and nobody of its batch is paid",
        "nobody knows whose line it was: all are held, or all are paid and booked as unpaid";
    CountsCharges "counts-charges":
        "what a try has cost is told whole, that of a failed one too",
        "the wallet runs dry while the books say that it has enough";
    LostReplies "lost-replies":
        "whichever reply is lost, what became of the try is found out later",
        "a batch waits for a person though its money has moved";
    Strangers "strangers":
        "tries that no fact knows are listed, with whom they paid and how much",
        "an older copy of a database pays everybody again";
    BadAddresses "bad-addresses":
        "an address at which money would be lost is refused by name, and no other is",
        "money goes where nobody can spend it";
    KeepsSecrets "keeps-secrets":
        "no request, error or debug text holds a secret",
        "a log or a book of evidence opens the wallet to whoever reads it";
    PacksAll "packs-all":
        "every line is packed at most once, in batches that can be signed",
        "somebody is paid twice in one run, or a batch waits for ever";
    SecondTry "second-try":
        "a try signed beside one that may still move shares a claim with it",
        "both move, and nothing on the rail excludes that";
}

/// What became of one promise.
///
/// Its text is one line: the promise, what was found instead, and what that would cost.
///
/// ```
/// use divvy_core::contract::Outcome;
///
/// fn is_named(outcome: &Outcome) -> bool {
///     outcome.to_string().contains(outcome.part().name())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    part: Part,
    /// What was found instead of what is promised.
    instead: Option<String>,
}

impl Outcome {
    pub(super) fn new(part: Part, verdict: Verdict) -> Self {
        let instead = verdict.err().map(|broken| broken.0);
        Self { part, instead }
    }

    /// What was found instead; nothing when the promise was kept.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.instead.as_deref()
    }

    /// Which promise it is about.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }
}

/// What became of every promise, the kept ones too. Its text is a table.
///
/// ```
/// use divvy_core::contract::Report;
///
/// /// How many of the promises were broken.
/// fn count(report: &Report) -> usize {
///     if report.is_kept() { 0 } else { report.broken().len() }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report(Vec<Outcome>);

impl Report {
    pub(super) const fn new(outcomes: Vec<Outcome>) -> Self {
        Self(outcomes)
    }

    /// Whether the rail kept all of them.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.0.iter().all(|outcome| outcome.instead.is_none())
    }

    /// One outcome for each part, in their order.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.0
    }

    /// Those that it broke.
    #[must_use]
    pub fn broken(&self) -> Vec<Part> {
        let all = self.0.iter();
        all.filter(|outcome| outcome.instead.is_some()).map(Outcome::part).collect()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.instead.is_some() { "BROKEN" } else { "kept" };
        write!(f, "{word:<8}{:<NAME_WIDTH$}{}", self.part.name(), self.part.promise())?;
        match &self.instead {
            Some(found) => {
                write!(f, "; found: {found}; it would cost: {}", self.part.cost())
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|outcome| writeln!(f, "{outcome}"))
    }
}

/// The longest name and two spaces.
const NAME_WIDTH: usize = 17;
