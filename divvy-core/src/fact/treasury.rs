//! What the facts of treasuries say: money that moves beside payments and payouts, and closings.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::fact::bodies::{Evidence, bodies};
use crate::name::Name;
use crate::time::Time;
use crate::treasury::Alert;

bodies! {
    /// Something of a treasury that no payment and no payout tells.
    Funds {
        /// What its source calls it. The same purpose and id twice is one.
        #[n(0)] id: String,
        /// What it was for.
        #[n(1)] purpose: Purpose,
        /// How much, in the book's asset.
        #[n(2)] amount: Amount,
        /// When it happened, as its source says.
        #[n(3)] event_at: Time,
        /// How we know.
        #[n(4)] evidence: Evidence,
    }
    /// A week of a treasury was closed: from now on its figures are these.
    WeekClosed {
        /// The week's first moment.
        #[n(0)] from: Time,
        /// The first moment after it.
        #[n(1)] until: Time,
        /// Everything up to its end, since the beginning.
        #[n(2)] figures: Figures,
        /// Whose legs are the platform's own, if anyone's.
        #[n(3)] #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<Name>,
    }
    /// What a person should look at of a treasury has changed; nothing means that all is well.
    Alerted {
        /// All of it.
        #[n(0)] alerts: Vec<Alert>,
    }
}

/// What money of a treasury was for.
///
/// ```
/// use divvy_core::{Purpose, Time};
///
/// // A settlement is expected on a date, and arrives under the same id, or is missed.
/// assert_ne!(Purpose::Expected(Time::ZERO), Purpose::Arrived);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// The owner put it in.
    #[n(0)]
    Replenished,
    /// The owner took it out.
    #[n(1)]
    Withdrawn,
    /// A fee came in that no payment brought.
    #[n(2)]
    FeeEarned,
    /// A fee was paid, such as a network's.
    #[n(3)]
    FeePaid,
    /// A settlement is on its way, and expected then.
    #[n(4)]
    Expected(#[n(0)] Time),
    /// A settlement arrived, with what was left of it.
    #[n(5)]
    Arrived,
    /// A settlement that was expected will not come; the amount is what was expected.
    #[n(6)]
    Missed,
    /// Credit was drawn.
    #[n(7)]
    Drawn,
    /// Credit was paid back.
    #[n(8)]
    Repaid,
    /// From now on at most so much may be drawn.
    #[n(9)]
    CreditLimit,
    /// From now on so much must stay.
    #[n(10)]
    Reserve,
}

/// Sums of a treasury that only grow, so that facts of any order give the same.
///
/// ```
/// use divvy_core::Figures;
///
/// let figures = Figures::default();
/// assert_eq!(figures.came_in(), figures.went_out());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
#[expect(clippy::exhaustive_structs, reason = "a new field is a new version of its kind")]
pub struct Figures {
    /// Payments recorded.
    #[n(0)]
    pub recorded: Amount,
    /// What of them was kept back at receipt.
    #[n(1)]
    pub withheld: Amount,
    /// What went back of payments.
    #[n(2)]
    pub reversed: Amount,
    /// What of that came again.
    #[n(3)]
    pub restored: Amount,
    /// What the owner's legs earned.
    #[n(4)]
    pub kept: Amount,
    /// What of that went back.
    #[n(5)]
    pub given_back: Amount,
    /// Payouts that settled.
    #[n(6)]
    pub paid: Amount,
    /// What of them came back.
    #[n(7)]
    pub returned: Amount,
    /// Settlements that arrived.
    #[n(8)]
    pub arrived: Amount,
    /// Fees that came in beside payments.
    #[n(9)]
    pub fees_earned: Amount,
    /// Fees paid.
    #[n(10)]
    pub fees_paid: Amount,
    /// What the owner put in.
    #[n(11)]
    pub replenished: Amount,
    /// What the owner took out.
    #[n(12)]
    pub withdrawn: Amount,
    /// Credit drawn.
    #[n(13)]
    pub drawn: Amount,
    /// Credit paid back.
    #[n(14)]
    pub repaid: Amount,
}
