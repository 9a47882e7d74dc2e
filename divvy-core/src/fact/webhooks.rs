//! What the facts of webhooks say: what an endpoint has heard, and what became of it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::fact::Hash;
use crate::fact::bodies::bodies;
use crate::host::Cursor;
use crate::time::Time;

bodies! {
    /// An endpoint has heard of everything up to here. The first one is where it begins.
    WebhookHeard {
        /// How many facts are there up to the cursor, in its own order.
        #[n(0)] #[serde(with = "crate::fact::text::digits")]
        count: u64,
        /// The digest over their hashes, so that the place is found again in a copy.
        #[n(1)] digest: Hash,
        /// The host's cursor: whose…
        #[n(2)] epoch: String,
        /// …where…
        #[n(3)] #[serde(with = "crate::fact::text::digits")]
        position: u64,
        /// …and how far within.
        #[n(4)] #[serde(with = "crate::fact::text::digits")]
        within: u64,
        /// How many facts behind the cursor it has heard of beyond.
        #[n(5)] facts: u32,
        /// How many messages of the fact after those.
        #[n(6)] messages: u32,
    }
    /// A message was not taken, and is sent again later.
    WebhookUnheard {
        /// The message.
        #[n(0)] id: String,
        /// How often it was sent.
        #[n(1)] attempts: u32,
        /// It is not sent again before.
        #[n(2)] not_before: Time,
        /// What came back instead, in our words.
        #[n(3)] reason: String,
    }
    /// An endpoint is told nothing more until it is resumed.
    WebhookSilenced {
        /// Why.
        #[n(0)] cause: Silence,
        /// In words.
        #[n(1)] reason: String,
    }
    /// An endpoint that was silenced is told again, from where it stopped.
    WebhookResumed {
        /// Why.
        #[n(0)] reason: String,
    }
}

/// Why an endpoint is told nothing more.
///
/// ```
/// use divvy_core::Silence;
///
/// assert_eq!(Silence::Gone.name(), "gone");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Silence {
    /// It said that it is gone.
    #[n(0)]
    Gone,
    /// It was tried as often as it may be.
    #[n(1)]
    Exhausted,
    /// A person wanted it.
    #[n(2)]
    Wanted,
}

impl Silence {
    /// The name that every language shares, in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Exhausted => "exhausted",
            Self::Wanted => "wanted",
        }
    }
}

impl WebhookHeard {
    /// The cursor; none stands for the beginning of all facts.
    ///
    /// ```
    /// use divvy_core::{Hash, WebhookHeard};
    ///
    /// let (digest, epoch) = (Hash::default(), String::new());
    /// let (position, within, facts, messages) = (0, 0, 0, 0);
    /// let heard = WebhookHeard { count: 0, digest, epoch, position, within, facts, messages };
    /// assert_eq!(heard.cursor(), None);
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        let Self { epoch, position, within, .. } = self;
        let (position, within) = (*position, *within);
        (!epoch.is_empty()).then(|| Cursor { epoch: epoch.clone(), position, within })
    }

    /// Whether this goes no further than the other, in the same database.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let place =
            |heard: &Self| (heard.count.saturating_add(u64::from(heard.facts)), heard.messages);
        self.epoch == other.epoch && place(self) <= place(other)
    }
}
