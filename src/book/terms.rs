//! When and at what cost payees are paid.

use divvy_core::{Error, Name, TermsSet, Time};

use crate::book::Book;

impl Book<'_> {
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
            if holds { Ok(divvy_core::Step::default()) } else { book.set_terms(set.clone(), now) }
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
