//! When and at what cost payees are paid.

use std::collections::HashMap;

use divvy_core::{Error, Name, PayeeSet, Step, TermsSet, Time};

use crate::book::Book;

impl Book<'_> {
    /// Records what payees chose: where to be paid, when, or both. Of who is named twice, what is
    /// said later counts.
    ///
    /// # Errors
    /// [`divvy_core::Code::PolicyMalformed`] for a threshold below the book's floor, and the
    /// host's errors.
    pub async fn set_payees(
        &mut self,
        payees: &[(Name, PayeeSet)],
        now: Time,
    ) -> Result<(), Error> {
        let mut later: HashMap<&Name, PayeeSet> = HashMap::with_capacity(payees.len());
        for (payee, set) in payees {
            let known = later.entry(payee).or_insert(PayeeSet { destination: None, policy: None });
            known.destination = set.destination.clone().or(known.destination.take());
            known.policy = set.policy.or(known.policy);
        }
        // In the order in which they were named first.
        let chosen: Vec<(&Name, PayeeSet)> =
            payees.iter().filter_map(|(payee, _)| Some((payee, later.remove(payee)?))).collect();
        self.act(|book| {
            chosen.iter().try_fold(Step::default(), |step, (payee, set)| {
                Ok(step.and(book.set_payee(payee, set.clone(), now)?))
            })
        })
        .await
    }

    /// Sets the terms of payouts for everyone who has no others, from now on; nothing is written
    /// where they hold already.
    ///
    /// # Errors
    /// [`divvy_core::Code::PolicyMalformed`] for what cannot be held to, and the host's errors.
    pub async fn set_terms(&mut self, set: &TermsSet, now: Time) -> Result<(), Error> {
        self.act(|book| {
            let terms = book.payout_terms();
            let holds = set.fee_share.is_none_or(|share| share == terms.fee_share)
                && set.policy.is_none_or(|policy| policy == terms.policy)
                && set.floor.is_none_or(|floor| floor == terms.floor)
                && (set.policy.is_none() || set.policy_stated == terms.policy_stated)
                && (set.floor.is_none() || set.floor_stated == terms.floor_stated);
            if holds { Ok(Step::default()) } else { book.set_terms(set.clone(), now) }
        })
        .await
    }

    /// Sets other terms of payouts for one payee, from now on.
    ///
    /// # Errors
    /// [`divvy_core::Code::PolicyMalformed`] for what cannot be held to and for a floor, which is
    /// the book's; the host's errors.
    pub async fn set_payee_terms(
        &mut self,
        payee: &Name,
        set: &TermsSet,
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| book.set_payee_terms(payee, set.clone(), now)).await
    }
}
