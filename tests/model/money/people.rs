//! Above the limit of a day people agree: who they are, what they sign, and what waits for them.

use std::collections::BTreeMap;

use divvy_core::{
    Approved, Code, Consent, Error, Fact, Guarded, Hash, Judge, Person, SecretKey, State, Step,
};

use crate::action::{Claim, Window};
use crate::batch::NaiveLine;
use crate::lab::{Same, amount, name, same, text};
use crate::money::diary::DAY;
use crate::money::lab::Lab;
use crate::money::pay::Slip;

const NAMES: [&str; 3] = ["ann", "bob", "cyd"];

/// Nobody's.
const STRANGER: usize = 9;

/// Who agrees, and from how much of a day on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    pub(crate) limit: i128,
    pub(crate) needed: usize,
    pub(crate) people: usize,
    pub(crate) expires_secs: u64,
}

/// What a batch waits for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    guard: Guard,
    /// Until when who has agreed.
    agreed: BTreeMap<usize, i128>,
}

impl Asked {
    pub(crate) const fn new(guard: Guard) -> Self {
        Self { guard, agreed: BTreeMap::new() }
    }

    fn is_enough(&self, now: i128) -> bool {
        self.agreed.values().filter(|until| now <= **until).count() >= self.guard.needed
    }
}

impl Slip {
    /// Where it stands, with what nobody signed yet.
    pub(crate) fn state(&self) -> State {
        match (self.batch.state(), &self.asked) {
            (State::Void, Some(asked)) if self.batch.tries.is_empty() => {
                if asked.is_enough(0) {
                    State::Approved
                } else {
                    State::Planned
                }
            }
            (state, _) => state,
        }
    }
}

fn key(who: usize) -> SecretKey {
    SecretKey::new(&[u8::try_from(who).unwrap() + 1; 32])
}

impl Lab {
    /// What was planned of today.
    pub(crate) fn planned_today(&self) -> i128 {
        let today = i128::from(self.now) / DAY;
        if self.planned.0 == today { self.planned.1 } else { 0 }
    }

    pub(crate) fn note_planned(&mut self, total: i128) {
        self.planned = (i128::from(self.now) / DAY, self.planned_today() + total);
    }

    pub(crate) fn compare_guard(&self) -> Same {
        let left = self.book().left_today(self.time());
        let own = self.guard.map(|guard| (guard.limit - self.planned_today()).max(0));
        let own = own.map_or(i128::from(i64::MAX), |left| left);
        same("what is left of today", i128::from(left.get()), own)
    }

    pub(crate) fn guard(&mut self, limit: u64, needed: usize, people: usize) -> Same {
        let person = |who: usize| Person { name: name(NAMES[who]), key: key(who).public() };
        let mut guarded = Guarded {
            limit: amount(limit),
            approvals: u32::try_from(needed).unwrap(),
            people: (0..people).map(person).collect(),
            expires_secs: 600,
            consents: Vec::new(),
            unsigned: None,
        };
        let digest = self.book().guard_digest(&guarded);
        let before = self.guard;
        let needed_before = before.map_or(0, |before| before.needed);
        for (who, by) in NAMES.iter().enumerate().take(needed_before) {
            let signature = key(who).sign(&digest);
            guarded.consents.push(Consent { by: name(by), signature });
        }
        if guarded.consents.len() > 1 {
            let mut few = guarded.clone();
            few.consents.pop();
            let refused = self.book().guard(few, self.time()).map_err(|error| error.code());
            same("too few agree", refused.map(|_| ()), Err(Code::ApprovalMissing))?;
        }
        let step = self.book().guard(guarded, self.time());
        if self.agreed(step, Ok(()))? {
            let (limit, expires_secs) = (i128::from(limit), 600);
            self.guard = Some(Guard { limit, needed, people, expires_secs });
            self.unsigned = false;
        }
        Ok(())
    }

    /// The same step with the name and signature of somebody, where the book knows people.
    pub(crate) fn signed_by_ann(&self, step: Step) -> Result<Step, Error> {
        if self.guard.is_none() || self.forgets {
            return Ok(step);
        }
        let key = key(0);
        let judge = Judge { by: name(NAMES[0]), reason: "asked for".into(), key: Some(&key) };
        self.books.decide(step, &judge)
    }

    /// A batch, mostly one that waits for people.
    fn chosen(&self, batch: usize) -> Option<usize> {
        let waits =
            |at: &usize| matches!(self.slips[*at].state(), State::Planned | State::Approved);
        let waiting: Vec<usize> = (0..self.slips.len()).filter(waits).collect();
        let among = batch.checked_rem(waiting.len()).filter(|_| !batch.is_multiple_of(5));
        among.map(|at| waiting[at]).or_else(|| batch.checked_rem(self.slips.len()))
    }

    /// Somebody agrees to what waits; with a wrong key, that is nobody.
    pub(crate) fn approve(&mut self, batch: usize, who: usize, forged: bool) -> Same {
        let Some(at) = self.chosen(batch) else { return Ok(()) };
        let batch = self.batches[at].clone();
        let digest = batch.approval(self.time()).unwrap_or_else(|_| Hash::default());
        let signature = key(if forged { STRANGER } else { who }).sign(&digest);
        let approved = Approved { by: name(NAMES[who]), signed_at: self.time(), signature };
        let slip = &self.slips[at];
        let waits = matches!(slip.state(), State::Planned | State::Approved | State::Void);
        let expected = match &slip.asked {
            _ if !waits => Err(Code::BatchStale),
            None => Err(Code::ApprovalMissing),
            Some(asked) if forged || who >= asked.guard.people => Err(Code::SignatureWrong),
            Some(_) => Ok(()),
        };
        let step = self.books.approve(&batch, approved, self.time());
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if self.agreed(step, expected)? {
            self.follow(at, &facts)?;
            let until = i128::from(self.now);
            if let Some(asked) = &mut self.slips[at].asked {
                let until = until + i128::from(asked.guard.expires_secs) * 1_000;
                asked.agreed.insert(who, until);
            }
        }
        Ok(())
    }

    /// Signs what waits, or signs anew.
    pub(crate) fn sign(&mut self, batch: usize) -> Same {
        let Some(at) = self.chosen(batch) else { return Ok(()) };
        let lines = self.batches[at].lines().to_vec();
        let signed = self.try_of(&lines);
        let slip = &self.slips[at];
        let held = |line: &NaiveLine| self.ledger.people[line.payee].held;
        let claim = Claim { coin: None, window: Window::Unlimited };
        let expected = if self.unsigned {
            Err(Code::ActUnsigned)
        } else if slip.batch.lines.iter().any(held) {
            Err(Code::BatchStale)
        } else if !slip.batch.may_sign(claim) || slip.state() == State::Cancelled {
            Err(Code::BatchState)
        } else if slip.asked.as_ref().is_some_and(|asked| !asked.is_enough(self.now.into())) {
            Err(Code::ApprovalMissing)
        } else {
            Ok(())
        };
        let step = self.books.sign(&self.batches[at], signed, self.time());
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if self.agreed(step, expected)? {
            self.follow(at, &facts)?;
            self.slips[at].sign();
            self.recount();
        }
        Ok(())
    }

    pub(crate) fn cancel(&mut self, batch: usize) -> Same {
        let Some(at) = self.chosen(batch) else { return Ok(()) };
        let expected = self.slips[at].batch.clone().cancel();
        let step = self.books.cancel(&self.batches[at], "given up", self.time());
        let facts = step.as_ref().map(|step| step.facts().to_vec()).unwrap_or_default();
        if self.agreed(step, expected)? {
            self.follow(at, &facts)?;
            self.slips[at].batch.cancel().unwrap();
            self.recount();
        }
        Ok(())
    }

    /// Folds a batch's own new facts, as whoever drives it does.
    pub(crate) fn follow(&mut self, at: usize, facts: &[Fact]) -> Same {
        let stream = self.batches[at].stream().clone();
        for fact in facts.iter().filter(|fact| fact.stream == stream) {
            self.batches[at].apply(fact).map_err(text)?;
        }
        Ok(())
    }
}
