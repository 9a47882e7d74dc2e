//! What a book knows of differences with statements: found, explained, closed.

use crate::amount::Amount;
use crate::batch::Step;
use crate::book::Book;
use crate::book::apply::{Folded, follows, misplaced};
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{
    Body, BreakCause, BreakClosed, BreakExplained, BreakFound, Evidence, Fact, Head, Stream,
};
use crate::name::Name;
use crate::reconcile::{Found, Reconciliation};
use crate::time::Time;

/// A difference between a book and a statement.
///
/// ```
/// use divvy_core::{Break, BreakState};
///
/// fn wants_a_person(found: &Break) -> bool {
///     found.state == BreakState::Found
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Break {
    /// What both sides call it.
    pub reference: String,
    /// Why, as far as is known.
    pub cause: BreakCause,
    /// What our books say; nothing when they say nothing.
    pub ours: Option<Amount>,
    /// What the statement says; nothing when it says nothing.
    pub theirs: Option<Amount>,
    /// When it happened.
    pub event_at: Time,
    /// Since when it is known and open; a break that came again is as old as its return.
    pub since: Time,
    /// Where it stands.
    pub state: BreakState,
    /// What a person said of it last.
    pub reason: String,
    pub(crate) head: Head,
}

/// Where a break stands.
///
/// ```
/// assert_ne!(divvy_core::BreakState::Found, divvy_core::BreakState::Closed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BreakState {
    /// Nobody has looked yet.
    Found,
    /// A person knows why.
    Explained,
    /// It is over.
    Closed,
}

stored!(BreakState in Found = 0, Explained = 1, Closed = 2);
stored!(BreakCause as cbor);
stored!(Break { reference, cause, ours, theirs, event_at, since, state, reason, head });

impl Break {
    /// How many whole days it has been open.
    #[must_use]
    pub fn age_days(&self, now: Time) -> u64 {
        now.millis_since(self.since).checked_div(86_400_000).unwrap_or(0)
    }

    fn is(&self, found: &Found) -> bool {
        let figures = (self.ours, self.theirs) == (found.ours, found.theirs);
        figures && self.state != BreakState::Closed
    }
}

impl Book {
    /// Every break, open or closed, by its id.
    pub fn breaks(&self) -> impl Iterator<Item = (&Name, &Break)> {
        self.breaks.iter()
    }

    /// Notes what a comparison found: what is new, what came again, and what differs otherwise
    /// than before. What was known is not found anew, only older. Open breaks of what matches now
    /// are closed.
    ///
    /// # Errors
    /// As [`Reconciliation::check`]: nothing is noted of what is not complete.
    pub fn note_breaks(
        &self,
        found: &Reconciliation,
        evidence: &Evidence,
        now: Time,
    ) -> Result<Step, Error> {
        found.check()?;
        let mut facts = Vec::new();
        for found in &found.breaks {
            if self.breaks.get(&found.id).is_some_and(|known| known.is(found)) {
                continue;
            }
            let body = Body::BreakFound(BreakFound {
                reference: found.reference.clone(),
                cause: found.cause,
                ours: found.ours,
                theirs: found.theirs,
                event_at: found.event_at,
                evidence: evidence.clone(),
            });
            facts.push(Fact::new(&self.break_head(&found.id), self.stamp(now), &body));
        }
        for id in &found.settled {
            let Some(known) = self.breaks.get(id) else { continue };
            if known.state != BreakState::Closed {
                let reason = format!("both sides say the same in {}", evidence.source);
                let evidence = Some(evidence.clone());
                let body = Body::BreakClosed(BreakClosed { reason, evidence });
                facts.push(Fact::new(&known.head, self.stamp(now), &body));
            }
        }
        Ok(Step::new(facts, Vec::new()))
    }

    /// A person says why a break is there; it stays open.
    ///
    /// # Errors
    /// [`Code::BreakUnknown`] for an id that is no open break.
    pub fn explain_break(
        &self,
        id: &str,
        cause: BreakCause,
        reason: &str,
        now: Time,
    ) -> Result<Step, Error> {
        let reason = reason.to_owned();
        self.end_break(id, &Body::BreakExplained(BreakExplained { cause, reason }), now)
    }

    /// A person closes a break.
    ///
    /// # Errors
    /// [`Code::BreakUnknown`] for an id that is no open break.
    pub fn close_break(&self, id: &str, reason: &str, now: Time) -> Result<Step, Error> {
        let reason = reason.to_owned();
        self.end_break(id, &Body::BreakClosed(BreakClosed { reason, evidence: None }), now)
    }

    fn end_break(&self, id: &str, body: &Body, now: Time) -> Result<Step, Error> {
        let known = self.breaks.get(id).filter(|known| known.state != BreakState::Closed);
        let known = known.ok_or_else(|| {
            let detail = format!("{} has no open break {id:?}: list them first", self.name);
            Error::new(Code::BreakUnknown, detail)
        })?;
        Ok(Step::new(vec![Fact::new(&known.head, self.stamp(now), body)], Vec::new()))
    }

    pub(super) fn break_head(&self, id: &Name) -> Head {
        let known = self.breaks.get(id).map(|known| known.head.clone());
        known.unwrap_or_else(|| Head::start(Stream::of_break(&self.name, id)))
    }

    pub(super) fn apply_break(
        &mut self,
        id: &str,
        fact: &Fact,
        body: &Body,
    ) -> Result<Folded, Error> {
        let id = Name::new(id)?;
        if !follows(&self.break_head(&id), fact) {
            return Ok(Folded::Early);
        }
        let known = self.breaks.get(&id);
        let open = known.filter(|known| known.state != BreakState::Closed);
        let next = match (body, open) {
            (Body::BreakFound(found), open) => Break {
                reference: found.reference.clone(),
                cause: found.cause,
                ours: found.ours,
                theirs: found.theirs,
                event_at: found.event_at,
                since: open.map_or(fact.at, |open| open.since),
                state: BreakState::Found,
                reason: String::new(),
                head: Head::after(fact),
            },
            (Body::BreakExplained(BreakExplained { cause, reason }), Some(open)) => Break {
                cause: *cause,
                reason: reason.clone(),
                state: BreakState::Explained,
                head: Head::after(fact),
                ..open.clone()
            },
            (Body::BreakClosed(BreakClosed { reason, .. }), Some(open)) => Break {
                reason: reason.clone(),
                state: BreakState::Closed,
                head: Head::after(fact),
                ..open.clone()
            },
            (Body::Decided(decided), Some(open)) => {
                if self.apply_decided(decided, fact)? == Folded::Early {
                    return Ok(Folded::Early);
                }
                Break { head: Head::after(fact), ..open.clone() }
            }
            _ => return Err(misplaced(fact)),
        };
        self.breaks.insert(id, next);
        Ok(Folded::Yes)
    }
}
