//! Money that flows into a pool over time, so that who holds units longer earns more.

use crate::amount::Amount;
use crate::checkpoint::stored;
use crate::error::Error;

/// An amount on its way to the holders of a pool, evenly over a length of time.
///
/// Time counts only while somebody holds units: with nobody there the flow pauses, and ends so much
/// later. What has flowed is `⌊amount·passed/length⌋`, so that all of it has at the end.
///
/// ```
/// use divvy_core::{Amount, Flow};
///
/// let mut flow = Flow::new(Amount::new(100)?, 3_000);
/// let steps = [1_000, 1_000, 1_000, 1_000].map(|millis| flow.pass(millis).unwrap().get());
/// assert_eq!(steps, [33, 33, 34, 0]);
/// assert!(flow.is_over());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    amount: Amount,
    length_millis: u64,
    passed_millis: u64,
    flowed: Amount,
}

stored!(Flow { amount, length_millis, passed_millis, flowed });

impl Flow {
    /// An amount that is to flow over so many milliseconds; over none, it flows at once.
    #[must_use]
    pub const fn new(amount: Amount, length_millis: u64) -> Self {
        Self { amount, length_millis, passed_millis: 0, flowed: Amount::ZERO }
    }

    /// Lets time pass, and gives what flows in it.
    ///
    /// # Errors
    /// [`crate::Code::AmountAboveCeiling`] never: no more flows than there was.
    pub fn pass(&mut self, millis: u64) -> Result<Amount, Error> {
        self.passed_millis = self.passed_millis.saturating_add(millis).min(self.length_millis);
        let wide = u128::from(self.amount.get()).checked_mul(self.passed_millis.into());
        let flowed = wide.and_then(|wide| wide.checked_div(self.length_millis.into()));
        let flowed = flowed.map_or(Ok(self.amount), Amount::from_wide)?;
        let more = flowed.minus(self.flowed)?;
        self.flowed = flowed;
        Ok(more)
    }

    /// What has not flowed yet.
    #[must_use]
    pub const fn left(&self) -> Amount {
        self.amount.less(self.flowed)
    }

    /// How much longer it flows, while somebody holds units.
    #[must_use]
    pub const fn left_millis(&self) -> u64 {
        self.length_millis.saturating_sub(self.passed_millis)
    }

    /// Whether all of it has flowed.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.left().is_zero() && self.left_millis() == 0
    }
}
