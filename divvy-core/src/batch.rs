//! Batches: the only thing that pays. A batch moves whole or not at all.
//!
//! ```text
//! Planned → (Approved) → Signed → Sent → Settled ( → Returned, Reopened )
//!    └ Cancelled            └─ unknown → Settled | Void → signed anew | Refused → payable again
//!                                      | Review
//! ```
//!
//! A batch is a fold of its own stream. Everything about it can be asked anywhere, at any time,
//! in any process, after any crash; nothing about it lives outside its facts.

mod apply;
mod approval;
mod cost;
mod learn;
mod next;
mod step;

pub(crate) use apply::unapproved;
pub use next::Next;
pub use step::{Call, Step};

use minicbor::Encode;

use approval::Approval;

use crate::amount::Amount;
use crate::checkpoint::stored;
use crate::error::Error;
use crate::fact::{Asked, Converted, Fact, Hash, Head, Line, Planned, Signed, Stream};
use crate::name::Name;
use crate::rail::Fee;
use crate::time::Time;

/// One batch: its lines, its tries, and what became of them.
///
/// ```
/// use divvy_core::{Amount, Batch, Body, Fact, Head, Line, Name, Planned, State, Stream, Time};
///
/// let (payee, amount) = (Name::new("alice")?, Amount::new(90)?);
/// let line = Line { payee, amount, to: "a1".into(), to_n: None, fee: None };
/// let planned = Body::Planned(Planned {
///     rail: Name::new("sandbox")?,
///     wallet: Name::new("till")?,
///     lines: vec![line],
/// });
/// let head = Head::start(Stream::batch(&Name::new("chapter-42")?, 0, 0));
/// let batch = Batch::fold(&[Fact::new(&head, Time::ZERO, &planned)])?;
/// assert_eq!(batch.state(), State::Planned);
/// assert_eq!(batch.total(), Amount::new(90)?);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    head: Head,
    rail: Name,
    wallet: Name,
    lines: Vec<Line>,
    lines_count: u32,
    lines_hash: Hash,
    asked: Option<Asked>,
    approvals: Vec<Approval>,
    tries: Vec<Try>,
    phase: Phase,
    /// Its lines were payable again once, so another batch may have paid them: no new try.
    released: bool,
    settled_at: Time,
}

/// One try of a batch, and what is known of it.
///
/// ```
/// use divvy_core::{Amount, Batch, Body, Fact, Fate, Hash, Head, Line, Name, Planned, Signed};
/// use divvy_core::{Stream, Time, Window};
///
/// let (payee, amount) = (Name::new("alice")?, Amount::new(90)?);
/// let lines = vec![Line { payee, amount, to: "a1".into(), to_n: None, fee: None }];
/// let signed = |reference: &str, claims: &[&str]| Signed {
///     reference: reference.into(),
///     bytes: vec![1],
///     window: Window::Until(Time::from_millis(9)),
///     deadline: Time::from_millis(9),
///     sender: None,
///     lines: Line::hash(&lines),
///     claims: claims.iter().map(|claim| (*claim).into()).collect(),
/// };
/// let (rail, wallet) = (Name::new("sandbox")?, Name::new("till")?);
/// let planned = Body::Planned(Planned { rail, wallet, lines: lines.clone() });
/// let head = Head::start(Stream::batch(&Name::new("chapter-42")?, 0, 0));
/// let bodies = [planned, Body::Signed(signed("t1", &["coin"]))];
/// let batch = Batch::fold(&Fact::chain(&head, Time::ZERO, &bodies))?;
///
/// let first = &batch.tries()[0];
/// assert_eq!((first.fate, first.is_open()), (Fate::Open, true));
/// assert!(first.may_resend(Time::from_millis(9), None));
/// assert!(!first.may_resend(Time::from_millis(10), None));
/// // Beside a first try that may still move money, only one that shares its coin may be signed.
/// assert!(first.excludes(&signed("t2", &["coin"])) && batch.may_sign(&signed("t2", &["coin"])));
/// assert!(!batch.may_sign(&signed("t2", &["another"])));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Try {
    /// What was signed.
    pub signed: Signed,
    /// What is known of it.
    pub fate: Fate,
    /// Which of its lines came back.
    pub returned: Vec<u32>,
    /// What it has cost, each asset once.
    pub charged: Vec<Fee>,
    /// What moved instead, where it settled in another asset.
    pub moved: Option<Converted>,
}

/// What is known of one try.
///
/// ```
/// use divvy_core::Fate;
///
/// // Void may be signed anew; what was refused is payable again, in another batch.
/// assert_ne!(Fate::Void, Fate::Refused);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It may move money; nothing was heard that would say whether it did.
    Open,
    /// The rail took it; nothing is final.
    Sent,
    /// It moved its money.
    Settled,
    /// It can never move money.
    Void,
    /// The rail refused it for good.
    Refused,
}

/// Where a batch stands.
///
/// ```
/// use divvy_core::State;
///
/// let reserves = [State::Planned, State::Signed, State::Sent, State::Void, State::Review];
/// // What was given up or came back is payable again.
/// assert!(!reserves.contains(&State::Cancelled) && !reserves.contains(&State::Returned));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Lines are reserved, nothing is signed.
    Planned,
    /// As planned, and as many have approved as were asked.
    Approved,
    /// A try may move money; the rail has not answered for it.
    Signed,
    /// The rail took a try.
    Sent,
    /// Every try is proven void: it may be signed anew, or given up.
    Void,
    /// The money moved.
    Settled,
    /// The rail refused it for good; its lines are payable again.
    Refused,
    /// A person has to decide.
    Review,
    /// It was given up; its lines are payable again.
    Cancelled,
    /// The money moved, and some of it came back.
    Returned,
}

/// What only a fact of its own can change, beside the fates of the tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Review,
}

stored!(Batch {
    head,
    rail,
    wallet,
    lines,
    lines_count,
    lines_hash,
    asked,
    approvals,
    tries,
    phase,
    released,
    settled_at
});
stored!(Try { signed, fate, returned, charged, moved });
stored!(Line as cbor);
stored!(Signed as cbor);
stored!(Fate in Open = 0, Sent = 1, Settled = 2, Void = 3, Refused = 4);
stored!(Phase in Open = 0, Review = 1);

impl Batch {
    /// Folds the facts of one batch, from the first.
    ///
    /// # Errors
    /// [`crate::Code::BatchState`] when a fact may not follow the ones before it, and the errors
    /// of [`Fact::body`].
    pub fn fold(facts: &[Fact]) -> Result<Self, Error> {
        let Some((first, rest)) = facts.split_first() else {
            return Err(apply::refused("a batch without facts", "read its stream from 0"));
        };
        let mut batch = Self::begin(first)?;
        rest.iter().try_for_each(|fact| batch.apply(fact))?;
        Ok(batch)
    }

    /// The batch's stream.
    #[must_use]
    pub const fn stream(&self) -> &Stream {
        &self.head.stream
    }

    /// Where its stream goes on.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The rail that is to move it.
    #[must_use]
    pub const fn rail(&self) -> &Name {
        &self.rail
    }

    /// The wallet that pays it.
    #[must_use]
    pub const fn wallet(&self) -> &Name {
        &self.wallet
    }

    /// Who gets how much, and where.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The hash that every try's `lines` must equal.
    #[must_use]
    pub const fn lines_hash(&self) -> Hash {
        self.lines_hash
    }

    /// The tries so far, oldest first.
    #[must_use]
    pub fn tries(&self) -> &[Try] {
        &self.tries
    }

    /// What was signed so far, oldest first.
    #[must_use]
    pub fn signed(&self) -> Vec<Signed> {
        self.tries.iter().map(|try_| try_.signed.clone()).collect()
    }

    /// Drops the text of lines and bytes, which a book need not keep.
    pub(crate) fn shed(&mut self) {
        self.lines = Vec::new();
        for try_ in &mut self.tries {
            try_.signed.bytes = Vec::new();
        }
    }

    /// When it was settled last; [`Time::ZERO`] while it never was.
    #[must_use]
    pub const fn settled_at(&self) -> Time {
        self.settled_at
    }

    /// What its lines pay together. The sum was checked when the batch was folded.
    #[must_use]
    pub fn total(&self) -> Amount {
        Amount::total(self.lines.iter().map(|line| line.amount)).unwrap_or(Amount::MAX)
    }

    /// How often its money moved: 0 or 1, unless a rail moved two tries.
    #[must_use]
    pub fn times_settled(&self) -> usize {
        self.count(Fate::Settled)
    }

    /// Whether its lines are neither paid nor payable.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        match self.state() {
            State::Planned | State::Approved | State::Signed => true,
            State::Sent | State::Void | State::Review => true,
            State::Settled | State::Refused | State::Cancelled | State::Returned => false,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        let any = |fate: Fate| self.count(fate) > 0;
        if any(Fate::Settled) {
            let returned = self.tries.iter().any(|try_| !try_.returned.is_empty());
            return if returned { State::Returned } else { State::Settled };
        }
        match self.phase {
            Phase::Review if any(Fate::Sent) || any(Fate::Open) => State::Review,
            Phase::Review | Phase::Open if any(Fate::Sent) => State::Sent,
            Phase::Review | Phase::Open if any(Fate::Open) => State::Signed,
            Phase::Review | Phase::Open if any(Fate::Refused) => State::Refused,
            Phase::Review | Phase::Open if self.released => State::Cancelled,
            Phase::Review | Phase::Open if any(Fate::Void) => State::Void,
            Phase::Review | Phase::Open if self.was_approved() => State::Approved,
            Phase::Review | Phase::Open => State::Planned,
        }
    }

    /// Whether a try may still move money, as far as we know.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        matches!(self.state(), State::Signed | State::Sent | State::Review)
    }

    fn count(&self, fate: Fate) -> usize {
        self.tries.iter().filter(|try_| try_.fate == fate).count()
    }
}

impl Planned {
    /// What its lines pay together, up to the ceiling of an amount.
    #[must_use]
    pub(crate) fn total(&self) -> Amount {
        Amount::total(self.lines.iter().map(|line| line.amount)).unwrap_or(Amount::MAX)
    }
}

impl Line {
    /// What it takes from its payee: what arrives, and the fee that they bear.
    ///
    /// # Errors
    /// [`crate::Code::AmountAboveCeiling`] when that is too much.
    pub fn debit(&self) -> Result<Amount, Error> {
        self.amount.plus(self.fee.unwrap_or(Amount::ZERO))
    }

    /// The hash over lines that a try's bytes pay, and that approvals sign.
    ///
    /// ```
    /// use divvy_core::Line;
    ///
    /// assert_eq!(Line::hash(&[]), Line::hash(&[]));
    /// ```
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "writing to a vector cannot fail")]
    #[expect(clippy::expect_used, reason = "writing to a vector cannot fail")]
    pub fn hash(lines: &[Self]) -> Hash {
        let mut bytes = Vec::with_capacity(lines.len().saturating_mul(96));
        let mut encoder = minicbor::Encoder::new(&mut bytes);
        lines.encode(&mut encoder, &mut ()).expect("writing to a vector cannot fail");
        Hash::of(&bytes)
    }
}

impl Try {
    /// Whether it may still move money, as far as we know.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.fate, Fate::Open | Fate::Sent)
    }

    /// Whether both tries claim the same thing, so that at most one of them can move money.
    #[must_use]
    pub fn excludes(&self, other: &Signed) -> bool {
        self.signed.claims.iter().any(|claim| other.claims.contains(claim))
    }
}

#[cfg(test)]
mod tests;
