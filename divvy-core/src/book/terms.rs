//! The terms of payouts in force: for everyone, and for whoever has others.

use crate::amount::Amount;
use crate::batch::Step;
use crate::book::Book;
use crate::book::apply::Folded;
use crate::book::payee::Payee;
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Opened, Stated, TermsSet};
use crate::name::Name;
use crate::policy::{FeeShare, Policy};
use crate::time::Time;

/// The terms of payouts for everyone who has no others.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, FeeShare, Name, Opened, Policy, TermsSet, Time};
/// # let opened = Opened {
/// #     asset: Asset::parse("USD")?,
/// #     policy: Policy::Instant,
/// #     floor: Amount::ONE,
/// #     cooling_secs: 0,
/// #     named_on: None,
/// # };
/// # let mut books = Books::default();
/// # books.feed(books.open(&Name::new("chapter-42")?, opened, Time::ZERO)?.facts())?;
/// // Everyone is paid at once, but for no more than 2% of what they get.
/// let fee_share = Some(FeeShare::AtMost { bps: 200, waits_secs: Some(30 * 86_400) });
/// let terms = TermsSet { fee_share, ..TermsSet::NONE };
/// let step = books.book("chapter-42")?.set_terms(terms, Time::ZERO)?;
/// books.feed(step.facts())?;
/// assert_eq!(books.book("chapter-42")?.payout_terms().fee_share, fee_share.unwrap());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayoutTerms {
    /// When payable money is due.
    pub policy: Policy,
    /// How its least amount was stated, where that was in another asset.
    pub policy_stated: Option<Stated>,
    /// No line is smaller.
    pub floor: Amount,
    /// How the floor was stated, where that was in another asset.
    pub floor_stated: Option<Stated>,
    /// How much of a line its fee may be.
    pub fee_share: FeeShare,
}

stored!(PayoutTerms { policy, policy_stated, floor, floor_stated, fee_share });
stored!(Stated as cbor);
stored!(FeeShare as cbor);

impl PayoutTerms {
    /// As the book was opened.
    pub(super) fn opened(opened: &Opened) -> Self {
        let Opened { policy, floor, .. } = *opened;
        let floor = floor.max(Amount::ONE);
        let (policy_stated, floor_stated, fee_share) = (None, None, FeeShare::Any);
        Self { policy, policy_stated, floor, floor_stated, fee_share }
    }

    fn set(&mut self, set: &TermsSet) {
        if let Some(policy) = set.policy {
            (self.policy, self.policy_stated) = (policy, set.policy_stated.clone());
        }
        if let Some(floor) = set.floor {
            (self.floor, self.floor_stated) = (floor.max(Amount::ONE), set.floor_stated.clone());
        }
        self.fee_share = set.fee_share.unwrap_or(self.fee_share);
    }
}

impl Book {
    /// The terms of payouts for everyone who has no others.
    #[must_use]
    pub const fn payout_terms(&self) -> &PayoutTerms {
        &self.everyone
    }

    /// How much of a payee's line its fee may be: as they chose, or as everybody's.
    #[must_use]
    pub fn fee_share(&self, payee: &str) -> FeeShare {
        let known = self.payee_id(payee).ok().and_then(|id| self.payee(id).ok());
        known.and_then(Payee::fee_share).unwrap_or(self.everyone.fee_share)
    }

    /// Sets the terms of payouts for everyone who has no others, from now on.
    ///
    /// It takes a place among the runs: whoever has not seen it plans no further run.
    ///
    /// # Errors
    /// [`Code::PolicyMalformed`] for what cannot be held to.
    pub fn set_terms(&self, set: TermsSet, now: Time) -> Result<Step, Error> {
        let mut after = self.everyone.clone();
        after.set(&set);
        set.check(&self.settings.asset)?;
        after.policy.check(if set.policy.is_some() { after.floor } else { Amount::ZERO })?;
        let fact = Fact::new(&self.run_head, self.stamp(now), &Body::TermsSet(set));
        Ok(Step::new(vec![fact], Vec::new()))
    }

    /// Sets other terms of payouts for one payee, from now on.
    ///
    /// # Errors
    /// [`Code::PolicyMalformed`] for what cannot be held to, a threshold below the book's floor
    /// and a floor: that is the book's.
    pub fn set_payee_terms(&self, payee: &Name, set: TermsSet, now: Time) -> Result<Step, Error> {
        set.check(&self.settings.asset)?;
        set.policy.map_or(Ok(()), |policy| policy.check(self.floor()))?;
        check_own(&set)?;
        Ok(self.payee_step(payee, &Body::TermsSet(set), now))
    }

    pub(super) fn apply_terms(&mut self, set: &TermsSet, fact: &Fact) -> Result<Folded, Error> {
        set.check(&self.settings.asset)?;
        self.everyone.set(set);
        self.pass_run(fact);
        for id in self.ids() {
            self.arm(id, fact.at)?;
        }
        Ok(Folded::Yes)
    }
}

/// A payee has a policy and a fee share of their own, and no floor.
pub(super) fn check_own(set: &TermsSet) -> Result<(), Error> {
    if set.floor.is_none() && set.floor_stated.is_none() {
        return Ok(());
    }
    let detail = "a floor of one payee: it is the book's, choose a threshold instead";
    Err(Error::new(Code::PolicyMalformed, detail))
}
