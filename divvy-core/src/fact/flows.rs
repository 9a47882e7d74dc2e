//! What the facts of pools say whose money flows over time.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::fact::bodies::bodies;
use crate::fact::stream::Stream;
use crate::name::Name;
use crate::pool::Index;

bodies! {
    /// Parts of payments begin to flow to the holders.
    Flowing {
        /// The payments whose part for this pool begins to flow.
        #[n(0)] payments: Vec<Stream>,
        /// Their parts together.
        #[n(1)] gross: Amount,
        /// Over how many milliseconds in which somebody holds units.
        #[n(2)] millis: u64,
        /// What flows beside, of money that had gone back and came again.
        #[n(3)] #[serde(default, skip_serializing_if = "Option::is_none")]
        regained: Option<Amount>,
    }
    /// What has flowed up to the time of this fact belongs to the holders.
    Accrued {
        /// What has flowed since the last one.
        #[n(0)] gross: Amount,
        /// The pool's index afterwards, so that anyone can check the step.
        #[n(1)] index: Index,
        /// What was kept back of it, for money that had gone back.
        #[n(2)] #[serde(default, skip_serializing_if = "Option::is_none")]
        netted: Option<Amount>,
    }
    /// A holder's payable money became units, instead of being paid out.
    Compounded {
        /// The pool whose units were issued for it, in the same commit.
        #[n(0)] pool: Name,
        /// Whose money.
        #[n(1)] holder: Name,
        /// How much.
        #[n(2)] amount: Amount,
    }
}
