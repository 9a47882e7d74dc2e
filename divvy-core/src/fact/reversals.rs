//! What the facts say that follow a payment: money that went back, and came again.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::fact::bodies::{Evidence, bodies};
use crate::fact::kinds::Body;
use crate::name::Name;
use crate::time::Time;

bodies! {
    /// Money of a payment that went back: a refund, a dispute, or a payment that failed after all.
    Reversed {
        /// What the source calls this reversal. The same twice is one.
        #[n(0)] id: String,
        /// Why it went back.
        #[n(1)] cause: Cause,
        /// How much, in the asset that was paid.
        #[n(2)] amount: Amount,
        /// How far the payment is reversed with it.
        #[n(3)] extent: Extent,
        /// When the provider says that it happened.
        #[n(4)] event_at: Time,
        /// How we know.
        #[n(5)] evidence: Evidence,
    }
    /// What had gone back came again: a refund that failed, or a dispute that was won.
    Restored {
        /// The reversal that is undone.
        #[n(0)] id: String,
        /// How far the payment is still reversed.
        #[n(1)] extent: Extent,
        /// When the provider says that it happened.
        #[n(2)] event_at: Time,
        /// How we know.
        #[n(3)] evidence: Evidence,
    }
    /// A dispute was lost: what went back stays away.
    Lost {
        /// The book that the payment is of.
        #[n(0)] book: Name,
        /// The reversal that is final now.
        #[n(1)] id: String,
        /// How we know.
        #[n(2)] evidence: Evidence,
    }
    /// How far a payment is reversed, with all that is needed to tell whose part that is.
    Extent {
        /// The book that the payment is of.
        #[n(0)] book: Name,
        /// What the payment brought, in the book's asset.
        #[n(1)] amount: Amount,
        /// What of it was kept back at receipt, and never divided.
        #[n(2)] withheld: Amount,
        /// The payment's event time.
        #[n(3)] paid_at: Time,
        /// How much of the payment was reversed before…
        #[n(4)] before: Amount,
        /// …and how much is afterwards.
        #[n(5)] after: Amount,
        /// The rule that divided the payment, as its own fact names it.
        #[n(6)] #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<u64>,
    }
    /// A part of a payment, taken from those who held units at its record date.
    Mirrored {
        /// The place of the declaration in the pool's stream.
        #[n(0)] declaration: u64,
        /// Holder and money, in order.
        #[n(1)] entries: Vec<(Name, Amount)>,
    }
    /// What a payee brings along from before the book began.
    Brought {
        /// Everything that they had earned.
        #[n(0)] earned: Amount,
        /// What of it they had been paid.
        #[n(1)] paid: Amount,
        /// Who vouches for it.
        #[n(2)] evidence: Evidence,
    }
}

/// Why money went back.
///
/// ```
/// use divvy_core::Cause;
///
/// // A dispute may still be won, a refund may still fail: both are restored then.
/// assert_ne!(Cause::Refund, Cause::Dispute);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The seller gave it back.
    #[n(0)]
    Refund,
    /// The payer had it taken back.
    #[n(1)]
    Dispute,
    /// The payment failed after it had been reported.
    #[n(2)]
    Failure,
}

impl Body {
    /// The book of a fact on a payment's stream, whose name tells none.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other kinds stand in streams of a book")]
    pub(crate) const fn payment_book(&self) -> Option<&Name> {
        match self {
            Self::Recorded(recorded) => Some(&recorded.book),
            Self::Reversed(reversed) => Some(&reversed.extent.book),
            Self::Restored(restored) => Some(&restored.extent.book),
            Self::Lost(lost) => Some(&lost.book),
            _ => None,
        }
    }
}
