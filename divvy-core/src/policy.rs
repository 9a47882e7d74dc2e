//! Policy: who is due, and when.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;

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
}

impl Policy {
    /// The least payable amount that is due without waiting.
    ///
    /// ```
    /// # use divvy_core::{Amount, Policy};
    /// assert_eq!(Policy::Instant.min(), Amount::ONE);
    /// ```
    #[must_use]
    pub const fn min(self) -> Amount {
        match self {
            Self::Instant => Amount::ONE,
            Self::Threshold { min, .. } => min,
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
            Self::Instant => None,
            Self::Threshold { max_wait_secs, .. } => max_wait_secs,
        }
    }
}
