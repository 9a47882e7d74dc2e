//! Steps on the streams of payees: what holds from now on, and for whom.

use crate::batch::Step;
use crate::book::{Book, PayeeId};
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Head, Held, PayeeSet, Released, Stream};
use crate::name::Name;
use crate::time::Time;

impl Book {
    /// Records what a payee chose: where to be paid, when, or both.
    ///
    /// A first destination is in force at once, a changed one after the book's cooling time. Where
    /// payees are paid at their own name, the first one changes that, and cools too: a plan that
    /// another worker is just committing must not find its destination gone.
    ///
    /// # Errors
    /// [`Code::PolicyMalformed`] for a threshold below the book's floor, and a period of no time.
    pub fn set_payee(&self, payee: &Name, set: PayeeSet, now: Time) -> Result<Step, Error> {
        if let Some(policy) = set.policy {
            policy.check(self.floor())?;
        }
        Ok(self.payee_step(payee, &Body::PayeeSet(set), now))
    }

    /// Holds a payee: accrual goes on, planning skips them.
    #[must_use = "a step does nothing until its facts are committed"]
    pub fn hold(&self, payee: &Name, reason: &str, cause: Option<&Stream>, now: Time) -> Step {
        let held = Held { reason: reason.to_owned(), cause: cause.cloned() };
        self.payee_step(payee, &Body::Held(held), now)
    }

    /// Lets a held payee be paid again.
    ///
    /// # Errors
    /// [`Code::PayeeUnknown`] when the payee is not held.
    pub fn release(&self, payee: &Name, reason: &str, now: Time) -> Result<Step, Error> {
        let id = self.payee_id(payee.as_str())?;
        if self.payee(id)?.held().is_none() {
            let detail = format!("{payee} is not held: nothing to release");
            return Err(Error::new(Code::PayeeUnknown, detail));
        }
        let body = Body::Released(Released { reason: reason.to_owned() });
        Ok(self.payee_step(payee, &body, now))
    }

    /// Where a payee's own stream goes on.
    #[must_use]
    pub fn payee_head(&self, payee: &Name) -> Head {
        let stream = Stream::payee(&self.name, payee);
        let id = self.payee_ids.get(payee);
        let known = id.and_then(|id: &PayeeId| self.payee(*id).ok());
        match known.and_then(|payee| payee.choices.as_ref()) {
            Some(choices) => Head { stream, n: choices.n, hash: choices.hash },
            None => Head::start(stream),
        }
    }

    pub(super) fn payee_step(&self, payee: &Name, body: &Body, now: Time) -> Step {
        let head = self.payee_head(payee);
        Step::new(vec![Fact::new(&head, self.stamp(now), body)], Vec::new())
    }
}

#[cfg(test)]
mod tests;
