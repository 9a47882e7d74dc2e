//! Review: what a person says became of a try that no machine can tell, and what they need for it.

use crate::batch::{Batch, Fate, State, Step, Try};
use crate::book::Judge;
use crate::books::{Books, holds};
use crate::error::{Code, Error};
use crate::fact::{Body, Evidence, Place, Refused, Settled, Voided, Window};
use crate::rail::{Answer, Stranger, Timing};
use crate::time::Time;

/// What a person says became of a batch.
///
/// ```
/// use divvy_core::Verdict;
///
/// // Only money that moved leaves the payees paid; the others need the rail's own listing.
/// assert_ne!(Verdict::Settled, Verdict::Void);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Its money moved.
    Settled,
    /// It never moved and never will: the batch is signed anew.
    Void,
    /// It never moved and never will: its lines are payable again.
    Refused,
}

/// A verdict, what it rests on, and what the rail lists.
///
/// ```
/// use divvy_core::{Evidence, Hash, Resolution, Timing, Verdict};
///
/// let said = "the bank confirmed it by telephone".to_owned();
/// let resolution = Resolution {
///     verdict: Verdict::Settled,
///     reference: None,
///     evidence: Evidence { source: "letter.pdf".into(), hash: Hash::of(b"letter"), said },
///     listing: None,
///     timing: Timing { grace_secs: 60, deadline_secs_max: 300, watch_secs: 0 },
/// };
/// assert!(resolution.listing.is_none(), "what moved needs no listing");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Resolution {
    /// What became of it.
    pub verdict: Verdict,
    /// Which of its tries moved, where several may have; none named means the only one.
    pub reference: Option<String>,
    /// How the person knows.
    pub evidence: Evidence,
    /// Every try that the rail shows from this batch's run on, asked for just now.
    pub listing: Option<Vec<Stranger>>,
    /// The rail's timing.
    pub timing: Timing,
}

impl Books {
    /// What a person decided about a batch in review: who and why, and then what follows. Evidence
    /// beats judgement: should the money have moved after all, a later look still settles it, and
    /// so does a person who says so of a batch that was decided before.
    ///
    /// That nothing moved counts only past the deadline and its grace, and with a listing of the
    /// rail's own from that time that lacks the try.
    ///
    /// # Errors
    /// [`Code::ReviewOver`] for a batch that is not in review, unless a try that did not settle is
    /// said to have moved; [`Code::InputMalformed`] where several may have;
    /// [`Code::ReviewUnproven`] for a verdict that the rail's listing does not bear out;
    /// [`Code::SignatureWrong`] without the key of one whom the book knows, where it knows any.
    pub fn resolve(
        &self,
        batch: &Batch,
        resolution: &Resolution,
        judge: &Judge<'_>,
        now: Time,
    ) -> Result<Step, Error> {
        let at = now.max(self.newest);
        let mut bodies = Vec::new();
        if resolution.verdict == Verdict::Settled {
            bodies.push(resolution.body(moved(batch, resolution)?, judge));
        } else {
            check_in_review(batch)?;
            for try_ in batch.tries().iter().filter(|try_| try_.is_open()) {
                check_unmoved(batch, try_, resolution, at)?;
                bodies.push(resolution.body(try_, judge));
            }
        }
        let Place::Batch { book, .. } = batch.stream().place() else { return Ok(Step::default()) };
        let book = self.book(book)?;
        let decided = book.decided(batch.head(), &bodies, judge)?;
        let all: Vec<Body> = std::iter::once(decided).chain(bodies).collect();
        let mut step = self.follow(batch, &all, now)?;
        for (payee, reason) in holds(batch, &all) {
            step = step.and(book.hold(&payee, &reason, Some(batch.stream()), now));
        }
        Ok(step)
    }
}

impl Resolution {
    fn body(&self, try_: &Try, judge: &Judge<'_>) -> Body {
        let (reference, evidence) = (try_.signed.reference.clone(), self.evidence.clone());
        match self.verdict {
            Verdict::Settled => Body::Settled(Settled { reference, evidence, moved: None }),
            Verdict::Void => Body::Voided(Voided { reference, evidence }),
            Verdict::Refused => {
                let reason = judge.reason.clone();
                Body::Refused(Refused { reference, reason, line: None, evidence })
            }
        }
    }
}

fn check_in_review(batch: &Batch) -> Result<(), Error> {
    if batch.state() == State::Review {
        return Ok(());
    }
    let detail = format!(
        "{} is not in review, it is {}: nothing to decide; see what was decided before",
        batch.stream(),
        format!("{:?}", batch.state()).to_lowercase()
    );
    Err(Error::new(Code::ReviewOver, detail))
}

/// The try that a person says has moved: one that may, or that was taken for void or refused.
fn moved<'a>(batch: &'a Batch, resolution: &Resolution) -> Result<&'a Try, Error> {
    let in_review = batch.state() == State::Review;
    let may = |try_: &&Try| match &resolution.reference {
        Some(reference) => try_.signed.reference == *reference && try_.fate != Fate::Settled,
        None if in_review => try_.is_open(),
        None => matches!(try_.fate, Fate::Void | Fate::Refused),
    };
    let found: Vec<&Try> = batch.tries().iter().filter(may).collect();
    match found[..] {
        [] => {
            check_in_review(batch)?;
            let detail = format!("{} has no such try that could have moved", batch.stream());
            Err(Error::new(Code::InputMalformed, detail))
        }
        [one] => Ok(one),
        _ => {
            let names: Vec<&str> = found.iter().map(|try_| &*try_.signed.reference).collect();
            let detail = format!("several tries may have moved, name one: {}", names.join(", "));
            Err(Error::new(Code::InputMalformed, detail))
        }
    }
}

/// Whether the rail's own listing bears out that a try never moved and never will.
fn check_unmoved(
    batch: &Batch,
    try_: &Try,
    resolution: &Resolution,
    at: Time,
) -> Result<(), Error> {
    let reference = &try_.signed.reference;
    let unproven = |why: String| {
        let detail = format!("nobody can say that try {reference} never moved: {why}");
        Err(Error::new(Code::ReviewUnproven, detail))
    };
    let over = try_.signed.deadline.plus_secs(resolution.timing.grace_secs);
    if at <= over {
        return unproven(format!("it may still move until {over}: decide later"));
    }
    let Some(listing) = &resolution.listing else {
        if try_.signed.window != Window::Once {
            return Ok(());
        }
        return unproven("ask the rail for its own listing first".to_owned());
    };
    let shown = listing
        .iter()
        .find(|shown| shown.reference == *reference && shown.batch == *batch.stream());
    match shown.map(|shown| &shown.answer) {
        None | Some(Answer::Void | Answer::Refused { .. } | Answer::Declined { .. }) => Ok(()),
        Some(answer) => unproven(format!("the rail lists it as {answer:?}")),
    }
}
