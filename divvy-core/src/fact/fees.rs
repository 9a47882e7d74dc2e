//! What the facts say about the cost of paying: what rails charged, and who bears it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::asset::Asset;
use crate::fact::bodies::{Converted, Evidence, bodies};

bodies! {
    /// A rail charged a fee for a try, whatever became of it.
    Charged {
        /// The try.
        #[n(0)] reference: String,
        /// In which asset; it need not be the book's.
        #[n(1)] asset: Asset,
        /// All that the try has cost in this asset so far, minor units.
        #[n(2)] amount: Amount,
        /// How we know.
        #[n(3)] evidence: Evidence,
    }
    /// A rail said, when a try was final already, that it moved another asset.
    Swapped {
        /// The try.
        #[n(0)] reference: String,
        /// What moved, at the rate that was locked then.
        #[n(1)] moved: Converted,
        /// How we know.
        #[n(2)] evidence: Evidence,
    }
    /// From now on rails may cost so much, and payees bear so much of it.
    FeesSet {
        /// Nothing is signed while its rail quotes more for its batch, in the book's asset; none:
        /// whatever it quotes.
        #[n(0)] #[serde(default, skip_serializing_if = "Option::is_none")]
        ceiling: Option<Amount>,
        /// Each payee bears their part of what the rail quotes for a batch, at most so much a
        /// line; none: the platform bears all of it.
        #[n(1)] #[serde(default, skip_serializing_if = "Option::is_none")]
        borne_max: Option<Amount>,
    }
}
