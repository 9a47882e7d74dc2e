//! What a seal says: one hash over everything that was written since the one before.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::fact::Hash;
use crate::fact::bodies::bodies;

bodies! {
    /// One hash over the facts since the last seal, so that a missing or altered one shows.
    Sealed {
        /// How many facts were there before the first of these, in the order of the cursor.
        #[n(0)] #[serde(with = "crate::fact::text::digits")]
        from: u64,
        /// How many are there up to the last of these.
        #[n(1)] #[serde(with = "crate::fact::text::digits")]
        until: u64,
        /// The Merkle root over their hashes, sorted.
        #[n(2)] root: Hash,
        /// The host's cursor behind the last of these: whose…
        #[n(3)] epoch: String,
        /// …where…
        #[n(4)] #[serde(with = "crate::fact::text::digits")]
        position: u64,
        /// …and how far within.
        #[n(5)] #[serde(with = "crate::fact::text::digits")]
        within: u64,
    }
}
