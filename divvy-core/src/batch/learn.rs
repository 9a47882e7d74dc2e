//! From answers to facts: what a look teaches, and what it does not.

use std::collections::BTreeSet;

use crate::batch::{Batch, Fate, State, Try};
use crate::error::{Code, Error};
use crate::fact::{
    Body, Declined, Refused, Reopened, Returned, Review, Sent, Settled, Voided, Window,
};
use crate::rail::{Answer, Seen, Timing};
use crate::time::Time;

impl Batch {
    /// The facts that a look teaches, in order. An answer that teaches nothing writes nothing.
    ///
    /// *Void* counts only when the try's window is over and what was sent inside it has had time
    /// to land, and never for `Once`: such a try goes to a person.
    ///
    /// # Errors
    /// [`Code::RailReply`] unless there is one answer for each try, about lines that are there.
    pub fn learn(&self, seen: &Seen, now: Time, timing: Timing) -> Result<Vec<Body>, Error> {
        if seen.answers.len() != self.tries.len() {
            let detail = format!(
                "{} answers for the {} tries of {}: answer for each of them",
                seen.answers.len(),
                self.tries.len(),
                self.stream()
            );
            return Err(Error::new(Code::RailReply, detail));
        }
        self.check_bills(&seen.bills)?;
        let mut bodies = Vec::new();
        for (try_, answer) in self.tries.iter().zip(&seen.answers) {
            if let Answer::Returned { reason, lines } = answer {
                let lines = self.fresh_returns(try_, lines)?;
                bodies.extend(try_.learn_returned(reason, lines, seen));
            } else {
                let body = try_.learn(answer, seen, now, timing);
                bodies.extend(body.map(|body| self.without_unknown_line(body)));
            }
        }
        if bodies.is_empty() && self.is_for_a_person(now, timing) {
            let reason = "the deadline has passed and the rail cannot say what became of the try";
            bodies.push(Body::Review(Review { reason: reason.to_owned() }));
        }
        bodies.extend(self.learn_swaps(seen));
        bodies.extend(self.learn_bills(&seen.bills, &seen.evidence));
        Ok(bodies)
    }

    /// A refusal that blames a line which is not there blames nobody.
    fn without_unknown_line(&self, body: Body) -> Body {
        let Body::Refused(refused) = body else { return body };
        let line = refused.line.filter(|line| *line < self.lines_count);
        Body::Refused(Refused { line, ..refused })
    }

    /// Which lines came back that were not known to, written as a fact names them.
    fn fresh_returns(&self, try_: &Try, named: &[u32]) -> Result<Option<Vec<u32>>, Error> {
        if let Some(line) = named.iter().find(|line| **line >= self.lines_count) {
            let detail = format!(
                "line {line} of {} came back, which has only {}: read the reply again",
                self.stream(),
                self.lines_count
            );
            return Err(Error::new(Code::RailReply, detail));
        }
        let lines: BTreeSet<u32> = match named {
            // None named means all of them, whatever an earlier return has named.
            [] => (0..self.lines_count).collect(),
            named => named.iter().copied().collect(),
        };
        let is_fresh = |line: &u32| !try_.returned.contains(line);
        let fresh: Vec<u32> = lines.into_iter().filter(is_fresh).collect();
        Ok(match u32::try_from(fresh.len()) {
            Ok(0) => None,
            Ok(count) if count == self.lines_count => Some(Vec::new()),
            Ok(_) | Err(_) => Some(fresh),
        })
    }

    /// Whether only a person can find out: a try that was to be sent once, long past its deadline.
    fn is_for_a_person(&self, now: Time, timing: Timing) -> bool {
        let lost = |try_: &Try| {
            try_.is_open()
                && try_.signed.window == Window::Once
                && try_.is_past_grace(now, None, timing)
        };
        matches!(self.state(), State::Signed | State::Sent) && self.tries.iter().any(lost)
    }
}

impl Try {
    fn learn(&self, answer: &Answer, seen: &Seen, now: Time, timing: Timing) -> Option<Body> {
        let reference = self.signed.reference.clone();
        let evidence = seen.evidence.clone();
        let settled = self.fate == Fate::Settled;
        match answer {
            Answer::Accepted if self.fate == Fate::Open => Some(Body::Sent(Sent { reference })),
            Answer::Final if !settled => {
                let moved = self.moved_by(&seen.bills);
                Some(Body::Settled(Settled { reference, evidence, moved }))
            }
            Answer::Void if self.is_proven_void(now, seen.tip, timing) => {
                Some(Body::Voided(Voided { reference, evidence }))
            }
            Answer::Undone if settled => Some(Body::Reopened(Reopened { reference, evidence })),
            Answer::Undone if self.is_undone_for_good(now, seen.tip, timing) => {
                Some(Body::Voided(Voided { reference, evidence }))
            }
            Answer::Refused { reason, line } if self.is_open() => {
                let reason = reason.clone();
                Some(Body::Refused(Refused { reference, reason, line: *line, evidence }))
            }
            Answer::Declined { reason } if self.is_open() => {
                let reason = reason.clone();
                Some(Body::Declined(Declined { reference, reason, evidence }))
            }
            Answer::Unknown
            | Answer::Accepted
            | Answer::Final
            | Answer::Void
            | Answer::Refused { .. }
            | Answer::Declined { .. }
            | Answer::Returned { .. }
            | Answer::Undone => None,
        }
    }

    /// Money that came back did move first: both facts, in that order.
    fn learn_returned(&self, reason: &str, lines: Option<Vec<u32>>, seen: &Seen) -> Vec<Body> {
        let mut bodies = Vec::new();
        let (reference, evidence) = (self.signed.reference.clone(), seen.evidence.clone());
        if self.fate != Fate::Settled {
            let (reference, evidence) = (reference.clone(), evidence.clone());
            let moved = self.moved_by(&seen.bills);
            bodies.push(Body::Settled(Settled { reference, evidence, moved }));
        }
        if let Some(lines) = lines {
            let reason = reason.to_owned();
            bodies.push(Body::Returned(Returned { reference, lines, reason, evidence }));
        }
        bodies
    }

    /// What the rail undid, and nobody may send any more, never moves again. Bytes that are good
    /// for ever may: they are sent again.
    fn is_undone_for_good(&self, now: Time, tip: Option<u64>, timing: Timing) -> bool {
        self.signed.window != Window::Unlimited && self.is_proven_void(now, tip, timing)
    }

    fn is_proven_void(&self, now: Time, tip: Option<u64>, timing: Timing) -> bool {
        self.is_open() && self.signed.window != Window::Once && self.is_past_grace(now, tip, timing)
    }
}

#[cfg(test)]
mod tests;
