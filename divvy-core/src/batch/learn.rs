//! From answers to facts: what a look teaches, and what it does not.

use std::collections::BTreeSet;

use crate::batch::{Batch, Fate, State, Try};
use crate::error::{Code, Error};
use crate::fact::{
    Body, Evidence, Refused, Reopened, Returned, Review, Sent, Settled, Voided, Window,
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
        let mut bodies = Vec::new();
        for (try_, answer) in self.tries.iter().zip(&seen.answers) {
            if let Answer::Returned { reason, lines } = answer {
                let lines = self.lines_fresh(try_, lines)?;
                bodies.extend(try_.learn_returned(reason, lines, seen.evidence.clone()));
            }
            bodies.extend(try_.learn(answer, seen, now, timing));
        }
        if bodies.is_empty() && self.is_for_a_person(now, timing) {
            let reason = "the deadline has passed and the rail cannot say what became of the try";
            bodies.push(Body::Review(Review { reason: reason.to_owned() }));
        }
        Ok(bodies)
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

    /// Of the lines that came back, those that have not been written down, if any. As in facts,
    /// none named means all of them.
    fn lines_fresh(&self, try_: &Try, lines: &[u32]) -> Result<Option<Vec<u32>>, Error> {
        if let Some(line) = lines.iter().find(|line| **line >= self.lines_count) {
            let detail = format!(
                "line {line} of {} came back, which has only {}: read the reply again",
                self.stream(),
                self.lines_count
            );
            return Err(Error::new(Code::RailReply, detail));
        }
        let named: BTreeSet<u32> = lines.iter().copied().collect();
        let came_back = |line: &u32| named.is_empty() || named.contains(line);
        let fresh = |line: &u32| came_back(line) && !try_.returned.contains(line);
        if named.is_empty() && try_.returned.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let lines: Vec<u32> = (0..self.lines_count).filter(fresh).collect();
        Ok(Some(lines).filter(|lines| !lines.is_empty()))
    }
}

impl Try {
    fn learn(&self, answer: &Answer, seen: &Seen, now: Time, timing: Timing) -> Vec<Body> {
        let reference = self.signed.reference.clone();
        let evidence = seen.evidence.clone();
        let settled = self.fate == Fate::Settled;
        let body = match answer {
            Answer::Accepted if self.fate == Fate::Open => Body::Sent(Sent { reference }),
            Answer::Final if !settled => Body::Settled(Settled { reference, evidence }),
            Answer::Void if self.is_proven_void(now, seen.tip, timing) => {
                Body::Voided(Voided { reference, evidence })
            }
            Answer::Refused { reason, line } if self.is_open() => {
                Body::Refused(Refused { reference, reason: reason.clone(), line: *line, evidence })
            }
            Answer::Undone if settled => Body::Reopened(Reopened { reference, evidence }),
            Answer::Unknown
            | Answer::Returned { .. }
            | Answer::Accepted
            | Answer::Final
            | Answer::Void
            | Answer::Refused { .. }
            | Answer::Undone => return Vec::new(),
        };
        vec![body]
    }

    /// Money that came back did move first: both facts, in that order.
    fn learn_returned(
        &self,
        reason: &str,
        lines: Option<Vec<u32>>,
        evidence: Evidence,
    ) -> Vec<Body> {
        let mut bodies = Vec::new();
        let reference = self.signed.reference.clone();
        if self.fate != Fate::Settled {
            let (reference, evidence) = (reference.clone(), evidence.clone());
            bodies.push(Body::Settled(Settled { reference, evidence }));
        }
        if let Some(lines) = lines {
            let reason = reason.to_owned();
            bodies.push(Body::Returned(Returned { reference, lines, reason, evidence }));
        }
        bodies
    }

    fn is_proven_void(&self, now: Time, tip: Option<u64>, timing: Timing) -> bool {
        self.is_open() && self.signed.window != Window::Once && self.is_past_grace(now, tip, timing)
    }
}
