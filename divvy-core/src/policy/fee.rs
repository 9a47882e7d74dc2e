//! The fee share: how much of a line its fee may be.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::error::{Code, Error};
use crate::time::Time;

/// How much of a line the fee for it may be.
///
/// ```
/// use divvy_core::{Amount, FeeShare};
///
/// // Not while the fee is more than 2% of the line. Exactly 2% counts as due.
/// let share = FeeShare::AtMost { bps: 200, waits_secs: None };
/// assert!(share.allows(Amount::new(10)?, Amount::new(500)?));
/// assert!(!share.allows(Amount::new(10)?, Amount::new(499)?));
/// assert!(FeeShare::Any.allows(Amount::MAX, Amount::ONE));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FeeShare {
    /// Whatever it costs.
    #[default]
    #[n(0)]
    Any,
    /// Not while the quoted fee is more than so much of the line.
    #[n(1)]
    #[cbor(map)]
    AtMost {
        /// Hundredths of a percent: 200 is 2%.
        #[n(0)]
        bps: u64,
        /// Whatever it costs, once money has waited so many seconds. Without it nothing is paid
        /// above, also when the waiting limit of a threshold is over.
        #[n(1)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waits_secs: Option<u64>,
    },
}

impl FeeShare {
    /// Whether a line may be paid for this fee, both in the same asset.
    ///
    /// ```
    /// # use divvy_core::{Amount, FeeShare};
    /// let tenth = FeeShare::AtMost { bps: 1_000, waits_secs: None };
    /// assert!(tenth.allows(Amount::ZERO, Amount::ONE), "what is free is always allowed");
    /// ```
    #[must_use]
    pub fn allows(self, fee: Amount, line: Amount) -> bool {
        self.fee_max(line).is_none_or(|most| fee <= most)
    }

    /// The highest fee at which a line is paid; none where it does not matter.
    ///
    /// ```
    /// # use divvy_core::{Amount, FeeShare};
    /// let share = FeeShare::AtMost { bps: 150, waits_secs: None };
    /// assert_eq!(share.fee_max(Amount::new(999)?), Some(Amount::new(14)?));
    /// assert_eq!(FeeShare::Any.fee_max(Amount::ONE), None);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn fee_max(self, line: Amount) -> Option<Amount> {
        let Self::AtMost { bps, .. } = self else { return None };
        let wide = u128::from(line.get()).saturating_mul(bps.into()).checked_div(WHOLE_BPS);
        Some(wide.and_then(|wide| Amount::from_wide(wide).ok()).unwrap_or(Amount::MAX))
    }

    /// The least line that is paid for this fee; none where no line is.
    ///
    /// ```
    /// # use divvy_core::{Amount, FeeShare};
    /// let share = FeeShare::AtMost { bps: 150, waits_secs: None };
    /// assert_eq!(share.least_for(Amount::new(15)?), Some(Amount::new(1_000)?));
    /// assert_eq!(FeeShare::Any.least_for(Amount::MAX), Some(Amount::ZERO));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn least_for(self, fee: Amount) -> Option<Amount> {
        let Self::AtMost { bps, .. } = self else { return Some(Amount::ZERO) };
        let wide = u128::from(fee.get()).saturating_mul(WHOLE_BPS);
        match (bps, fee.is_zero()) {
            (_, true) => Some(Amount::ZERO),
            (0, false) => None,
            (bps, false) => Amount::from_wide(wide.div_ceil(bps.into())).ok(),
        }
    }

    /// When the fee does not matter any more to what has been waiting since a moment.
    pub(crate) fn ends(self, since: Time) -> Option<Time> {
        match self {
            Self::Any | Self::AtMost { waits_secs: None, .. } => None,
            Self::AtMost { waits_secs: Some(secs), .. } => Some(since.plus_secs(secs)),
        }
    }

    /// Whether it can be held to.
    pub(crate) fn check(self) -> Result<(), Error> {
        let Self::AtMost { bps, .. } = self else { return Ok(()) };
        if (1..=10_000).contains(&bps) {
            return Ok(());
        }
        let detail = format!("a fee share of {bps} hundredths of a percent: use 1 to 10000");
        Err(Error::new(Code::PolicyMalformed, detail))
    }
}

const WHOLE_BPS: u128 = 10_000;
