//! Policy: who is due, and when.

mod fee;

pub use fee::FeeShare;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::error::{Code, Error};
use crate::time::Time;

/// When a payee's payable money is due.
///
/// ```
/// use divvy_core::{Amount, Policy};
///
/// // Reaching the threshold exactly counts, and pays everything.
/// let fifty = Policy::Threshold { min: Amount::new(5_000)?, max_wait_secs: None };
/// assert_eq!(fifty.min(), Amount::new(5_000)?);
/// assert_eq!(Policy::Instant.min(), Amount::ONE);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Policy {
    /// Due at the next tick, whatever the amount.
    #[n(0)]
    Instant,
    /// Due once the payable amount reaches `min`.
    #[n(1)]
    #[cbor(map)]
    Threshold {
        /// The least amount that is due.
        #[n(0)]
        min: Amount,
        /// Due below `min` too, once money has waited this many seconds.
        #[n(1)]
        #[serde(skip_serializing_if = "Option::is_none")]
        max_wait_secs: Option<u64>,
    },
    /// Everything payable is due at the next boundary of a period.
    #[n(2)]
    #[cbor(map)]
    Periodic {
        /// When the boundaries are.
        #[n(0)]
        every: Period,
        /// Less than this waits for a boundary after it was reached.
        #[n(1)]
        #[serde(skip_serializing_if = "Option::is_none")]
        min: Option<Amount>,
    },
}

/// Moments that come again and again.
///
/// ```
/// use divvy_core::{Period, Time};
///
/// let at = |text| Time::parse(text);
/// let tuesday = at("2026-03-03T09:00:00Z")?;
/// assert_eq!(Period::WEEKLY.boundary(tuesday), at("2026-03-09T00:00:00Z")?);
/// assert_eq!(Period::Monthly.boundary(tuesday), at("2026-04-01T00:00:00Z")?);
/// // A boundary is its own.
/// assert_eq!(Period::Monthly.boundary(at("2026-04-01T00:00:00Z")?), at("2026-04-01T00:00:00Z")?);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Period {
    /// Every so many seconds.
    #[n(0)]
    Every {
        /// From one boundary to the next.
        #[n(0)]
        secs: u64,
        /// The first boundary.
        #[n(1)]
        from: Time,
    },
    /// At the beginning of each month, in UTC.
    #[n(1)]
    Monthly,
}

impl Period {
    /// At the beginning of each day, in UTC.
    pub const DAILY: Self = Self::Every { secs: 86_400, from: Time::ZERO };
    /// At the beginning of each Monday, in UTC.
    pub const WEEKLY: Self =
        Self::Every { secs: 604_800, from: Time::from_millis(4 * 86_400 * 1_000) };

    /// The first boundary at a moment or after it.
    #[must_use]
    pub fn boundary(self, at: Time) -> Time {
        match self {
            Self::Every { secs, from } => {
                let step = secs.saturating_mul(1_000).max(1);
                let steps = at.millis_since(from).div_ceil(step);
                let later = steps.saturating_mul(step);
                Time::from_millis(from.millis().saturating_add(later))
            }
            Self::Monthly => at.month_from(),
        }
    }
}

impl Policy {
    /// Whether it can be held to, in a book that pays no line below `floor`.
    pub(crate) fn check(self, floor: Amount) -> Result<(), Error> {
        let detail = match self {
            Self::Threshold { min, .. } | Self::Periodic { min: Some(min), .. } if min < floor => {
                format!("a threshold of {min} is below the book's floor of {floor}: raise it")
            }
            Self::Periodic { every: Period::Every { secs: 0, .. }, .. } => {
                "a period of no time has no boundaries: use at least one second".to_owned()
            }
            Self::Instant | Self::Threshold { .. } | Self::Periodic { .. } => return Ok(()),
        };
        Err(Error::new(Code::PolicyMalformed, detail))
    }

    /// The least payable amount that is due: at once, or at a boundary of the period.
    ///
    /// ```
    /// # use divvy_core::{Amount, Policy};
    /// assert_eq!(Policy::Instant.min(), Amount::ONE);
    /// ```
    #[must_use]
    pub const fn min(self) -> Amount {
        match self {
            Self::Instant => Amount::ONE,
            Self::Threshold { min, .. } | Self::Periodic { min: Some(min), .. } => min,
            Self::Periodic { min: None, .. } => Amount::ONE,
        }
    }

    /// How many seconds money may wait below the threshold, if there is a limit.
    ///
    /// ```
    /// # use divvy_core::Policy;
    /// assert_eq!(Policy::Instant.max_wait_secs(), None);
    /// ```
    #[must_use]
    pub const fn max_wait_secs(self) -> Option<u64> {
        match self {
            Self::Instant | Self::Periodic { .. } => None,
            Self::Threshold { max_wait_secs, .. } => max_wait_secs,
        }
    }
}
