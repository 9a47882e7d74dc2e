//! What each fact does to a batch, and which facts may not follow.

use std::collections::BTreeSet;

use crate::amount::Amount;
use crate::batch::{Batch, Fate, Phase, State, Try};
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Head, Line, Planned, Signed, Stream};
use crate::time::Time;

impl Batch {
    /// The batch after its first fact.
    ///
    /// # Errors
    /// [`Code::BatchState`] when that is not `planned`, or plans nothing.
    pub fn begin(fact: &Fact) -> Result<Self, Error> {
        let Body::Planned(planned) = fact.body()? else {
            return Err(refused(
                &format!("{} before planned", fact.kind),
                "read its stream from 0",
            ));
        };
        Self::planned(fact, planned)
    }

    /// The batch after its first fact, whose body is known.
    pub(crate) fn planned(fact: &Fact, planned: Planned) -> Result<Self, Error> {
        if fact.n != 0 || planned.lines.is_empty() {
            return Err(refused("a plan that is late or empty", "plan at least one line, once"));
        }
        planned.lines.iter().try_fold(Amount::ZERO, |sum, line| sum.plus(line.debit()?))?;
        let lines_hash = Line::hash(&planned.lines);
        let lines_count = u32::try_from(planned.lines.len())
            .map_err(|_| refused("more than 2³² lines", "plan fewer in one batch"))?;
        Ok(Self {
            head: Head::after(fact),
            rail: planned.rail,
            wallet: planned.wallet,
            lines: planned.lines,
            lines_count,
            lines_hash,
            asked: None,
            approvals: Vec::new(),
            tries: Vec::new(),
            phase: Phase::Open,
            released: false,
            settled_at: Time::ZERO,
        })
    }

    /// Folds one more fact of this batch.
    ///
    /// # Errors
    /// [`Code::FactOrphan`] when it is not the next one, [`Code::BatchState`] when it may not
    /// follow. Nothing changes then.
    pub fn apply(&mut self, fact: &Fact) -> Result<(), Error> {
        self.apply_known(fact, &fact.body()?)
    }

    /// Folds one more fact of this batch, whose body is known.
    pub(crate) fn apply_known(&mut self, fact: &Fact, body: &Body) -> Result<(), Error> {
        if fact.stream != self.head.stream || fact.n != self.head.n {
            let detail =
                format!("fact {} of {} does not follow {}", fact.n, fact.stream, self.head.n);
            return Err(Error::new(Code::FactOrphan, detail));
        }
        self.apply_body(body, fact)?;
        self.head = Head::after(fact);
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else does not belong into a batch's stream"
    )]
    fn apply_body(&mut self, body: &Body, fact: &Fact) -> Result<(), Error> {
        match body {
            Body::Asked(asked) => self.apply_asked(asked),
            Body::Approved(approved) => self.apply_approved(approved, fact.at),
            // What a person decided are the facts that follow.
            Body::Decided(_) => Ok(()),
            Body::Signed(signed) => self.apply_signed(signed, fact.at),
            Body::Sent(sent) => {
                let try_ = self.named(&sent.reference)?;
                if try_.fate == Fate::Open {
                    try_.fate = Fate::Sent;
                }
                Ok(())
            }
            Body::Settled(settled) => {
                // Evidence beats judgement: whatever was believed of this try, it moved.
                let released = self.released || self.state() == State::Refused;
                let try_ = self.named(&settled.reference)?;
                try_.fate = Fate::Settled;
                try_.moved.clone_from(&settled.moved);
                self.released = released;
                self.settled_at = fact.at;
                Ok(())
            }
            Body::Charged(charged) => self.apply_charged(charged),
            Body::Swapped(swapped) => self.apply_swapped(swapped),
            Body::Voided(voided) => self.close(&voided.reference, Fate::Void),
            Body::Refused(refused) => self.close(&refused.reference, Fate::Refused),
            Body::Declined(declined) => self.close(&declined.reference, Fate::Refused),
            Body::Reopened(reopened) => {
                let try_ = self.named(&reopened.reference)?;
                if try_.fate != Fate::Settled {
                    return Err(refused("reopened before it was settled", "look at it again"));
                }
                try_.fate = Fate::Sent;
                try_.moved = None;
                let returned = std::mem::take(&mut try_.returned);
                self.released |= !returned.is_empty();
                Ok(())
            }
            Body::Returned(returned) => self.apply_returned(&returned.reference, &returned.lines),
            Body::Review(_) if self.is_in_flight() => {
                self.phase = Phase::Review;
                Ok(())
            }
            Body::Review(_) => {
                let what = format!("review while {:?}", self.state());
                Err(refused(&what, "there is nothing to decide while no try is open"))
            }
            Body::Cancelled(_) => match self.state() {
                State::Planned | State::Approved | State::Void => {
                    self.released = true;
                    Ok(())
                }
                state => Err(refused(
                    &format!("cancelled while {state:?}"),
                    "only what no try can move may be given up",
                )),
            },
            _ => {
                Err(refused(&format!("{} in a batch's stream", fact.kind), "it belongs elsewhere"))
            }
        }
    }

    fn apply_signed(&mut self, signed: &Signed, at: Time) -> Result<(), Error> {
        if signed.lines != self.lines_hash {
            return Err(refused("a try that pays other lines", "sign the lines as planned"));
        }
        if self.tries.iter().any(|try_| try_.signed.reference == signed.reference) {
            return Err(refused("a reference that was used before", "sign with a new one"));
        }
        if !self.may_sign(signed) {
            let remedy = "prove the first one void, or share a claim with it";
            return Err(refused("a second try that can coexist with the first", remedy));
        }
        // What nobody may send any more moves nothing: a try that is adopted needs no approval.
        if signed.deadline >= at && !self.is_approved(at) {
            return Err(unapproved(&self.head.stream));
        }
        self.phase = Phase::Open;
        self.tries.push(Try {
            signed: signed.clone(),
            fate: Fate::Open,
            returned: Vec::new(),
            charged: Vec::new(),
            moved: None,
        });
        Ok(())
    }

    /// Whether this try could never move money beside an earlier one.
    #[must_use]
    pub fn may_sign(&self, signed: &Signed) -> bool {
        match self.state() {
            State::Planned | State::Approved | State::Void => true,
            State::Signed | State::Sent | State::Review if self.released => false,
            State::Signed | State::Sent | State::Review => {
                self.tries.iter().filter(|try_| try_.is_open()).all(|try_| try_.excludes(signed))
            }
            State::Settled | State::Refused | State::Cancelled | State::Returned => false,
        }
    }

    fn close(&mut self, reference: &str, fate: Fate) -> Result<(), Error> {
        let try_ = self.named(reference)?;
        match try_.fate {
            Fate::Settled => {
                Err(refused("a settled try taken for void", "only reopened undoes a settlement"))
            }
            // Its lines may be in another batch by now; void would reserve and sign them again.
            Fate::Refused if fate == Fate::Void => {
                Err(refused("a refused try taken for void", "what was refused stays refused"))
            }
            Fate::Open | Fate::Sent | Fate::Void | Fate::Refused => {
                try_.fate = fate;
                Ok(())
            }
        }
    }

    fn apply_returned(&mut self, reference: &str, lines: &[u32]) -> Result<(), Error> {
        let all = self.lines_count;
        let try_ = self.named(reference)?;
        if try_.fate != Fate::Settled {
            return Err(refused("returned before it was settled", "record the settlement first"));
        }
        let lines = if lines.is_empty() { (0..all).collect() } else { lines.to_vec() };
        let mut returned: BTreeSet<u32> = try_.returned.iter().copied().collect();
        if !lines.iter().all(|line| *line < all && returned.insert(*line)) {
            return Err(refused("a line that came back twice or never was", "look again"));
        }
        try_.returned.extend(lines);
        Ok(())
    }

    pub(super) fn named(&mut self, reference: &str) -> Result<&mut Try, Error> {
        let found = self.tries.iter_mut().find(|try_| try_.signed.reference == reference);
        found.ok_or_else(|| {
            refused(&format!("the unknown reference {reference:?}"), "sign it before anything else")
        })
    }
}

pub(crate) fn unapproved(batch: &Stream) -> Error {
    let detail = format!("too few people have approved {batch} lately: have it approved first");
    Error::new(Code::ApprovalMissing, detail)
}

pub(super) fn refused(what: &str, remedy: &str) -> Error {
    Error::new(Code::BatchState, format!("a batch cannot take {what}: {remedy}"))
}
