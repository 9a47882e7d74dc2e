//! One leg of a rule: who, and what part.

use core::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::ratio::Ratio;
use crate::amount::Amount;

/// Who a leg pays.
///
/// ```
/// use divvy_core::Target;
///
/// // A payee and a pool of one name are two targets.
/// assert_ne!(Target::Payee("fund".into()), Target::Pool("fund".into()));
/// ```
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Target {
    /// One payee, by name.
    #[n(0)]
    Payee(#[n(0)] String),
    /// Everyone who holds units of a pool, pro rata, by the pool's name.
    #[n(1)]
    Pool(#[n(0)] String),
}

impl Target {
    /// The name, of whichever kind.
    ///
    /// ```
    /// # use divvy_core::Target;
    /// assert_eq!(Target::Pool("fund".into()).name(), "fund");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Payee(name) | Self::Pool(name) => name,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payee(name) => write!(f, "payee {name}"),
            Self::Pool(name) => write!(f, "pool {name}"),
        }
    }
}

/// What part a leg takes.
///
/// ```
/// use divvy_core::{Amount, Share};
///
/// assert_eq!(Share::UpTo(Amount::new(500)?).to_string(), "up to 500");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Share {
    /// Exactly this much, before any portion; only where the amount is known.
    #[n(0)]
    Fixed(#[n(0)] Amount),
    /// This portion of what fixed and up-to legs leave.
    #[n(1)]
    Portion(#[n(0)] Ratio),
    /// This much or what is there, before any portion.
    #[n(2)]
    UpTo(#[n(0)] Amount),
    /// What the portions leave of the whole.
    #[n(3)]
    Remaining,
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(amount) => write!(f, "exactly {amount}"),
            Self::Portion(ratio) => write!(f, "{ratio}"),
            Self::UpTo(amount) => write!(f, "up to {amount}"),
            Self::Remaining => f.write_str("remaining"),
        }
    }
}

/// One leg: who gets what part.
///
/// ```
/// use divvy_core::{Leg, Share, Target};
///
/// let leg = Leg { to: Target::Payee("ann".into()), share: Share::Remaining };
/// assert_eq!(leg.to_string(), "remaining to payee ann");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Leg {
    /// Who gets it.
    #[n(0)]
    pub to: Target,
    /// What part.
    #[n(1)]
    pub share: Share,
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.share, self.to)
    }
}
