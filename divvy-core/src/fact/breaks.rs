//! What the facts of breaks say: where our books and a rail's statement differ, and how that ends.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::fact::bodies::{Evidence, bodies};
use crate::time::Time;

bodies! {
    /// Our books and a statement differ, or differ in another way than before.
    BreakFound {
        /// What both sides call it.
        #[n(0)] reference: String,
        /// Why, as far as figures tell.
        #[n(1)] cause: BreakCause,
        /// What our books say went out, or came in; nothing when they say nothing.
        #[n(2)] #[serde(default, skip_serializing_if = "Option::is_none")]
        ours: Option<Amount>,
        /// What the statement says; nothing when it says nothing.
        #[n(3)] #[serde(default, skip_serializing_if = "Option::is_none")]
        theirs: Option<Amount>,
        /// When it happened, as the side says that has it.
        #[n(4)] event_at: Time,
        /// The statement.
        #[n(5)] evidence: Evidence,
    }
    /// A person knows why; it is still open.
    BreakExplained {
        /// Why.
        #[n(0)] cause: BreakCause,
        /// In their words.
        #[n(1)] reason: String,
    }
    /// A break is over.
    BreakClosed {
        /// Why.
        #[n(0)] reason: String,
        /// The statement that says the same as our books now; none where a person says so.
        #[n(1)] #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Evidence>,
    }
}

/// Why our books and a statement differ.
///
/// ```
/// use divvy_core::BreakCause;
///
/// assert_eq!(BreakCause::parse("fee"), Some(BreakCause::Fee));
/// assert_eq!(BreakCause::Unknown.name(), "unknown");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BreakCause {
    /// Nobody knows yet.
    #[n(0)]
    Unknown,
    /// The statement has nothing of it.
    #[n(1)]
    MissingTheirs,
    /// Our books have nothing of it.
    #[n(2)]
    MissingOurs,
    /// The statement has it more than once.
    #[n(3)]
    Duplicate,
    /// Another amount.
    #[n(4)]
    Amount,
    /// The same amount, another fee.
    #[n(5)]
    Fee,
    /// Another asset.
    #[n(6)]
    Asset,
    /// To, or from, another party.
    #[n(7)]
    Party,
    /// It came in on one side and went out on the other.
    #[n(8)]
    Direction,
    /// The statement names nothing that it could be compared by.
    #[n(9)]
    Unsourced,
    /// Both are right, at different times.
    #[n(10)]
    Timing,
}

impl BreakCause {
    /// Every cause, by number.
    pub const ALL: &'static [Self] = &[
        Self::Unknown,
        Self::MissingTheirs,
        Self::MissingOurs,
        Self::Duplicate,
        Self::Amount,
        Self::Fee,
        Self::Asset,
        Self::Party,
        Self::Direction,
        Self::Unsourced,
        Self::Timing,
    ];

    /// The name that every language shares, in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::MissingTheirs => "missing_theirs",
            Self::MissingOurs => "missing_ours",
            Self::Duplicate => "duplicate",
            Self::Amount => "amount",
            Self::Fee => "fee",
            Self::Asset => "asset",
            Self::Party => "party",
            Self::Direction => "direction",
            Self::Unsourced => "unsourced",
            Self::Timing => "timing",
        }
    }

    /// The cause with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.name() == name)
    }
}
