//! What a request did: the reply, and what must be written before anyone hears it.

use divvy_core::{Reply, Time};
use serde::{Deserialize, Serialize};

use crate::sandbox::faults::Fault;

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that servers read")]
pub struct Outcome {
    /// What the client hears; nothing when no answer arrives.
    pub reply: Option<Reply>,
    /// What a server writes down first, in order.
    pub effects: Vec<Effect>,
}

/// Something that a server writes down. The world is a fold of the first two; the third is its
/// statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a server must write all of them")]
pub enum Effect {
    /// Time moved to here.
    Clock(Time),
    /// A try was taken: it changed something, or is going to.
    Taken(Taken),
    /// The statement grew.
    Entered(Entry),
}

/// A posted try that was not in vain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "plain data that servers store and hand back")]
pub struct Taken {
    /// Its number, from 1.
    pub n: u64,
    /// The world's time.
    pub at: Time,
    /// When the client says that it started.
    pub started: Time,
    /// What went wrong with it.
    pub fault: Fault,
    /// The body.
    pub body: Vec<u8>,
}

/// Some lines of one try that moved, came back or were undone together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "plain data that servers store and hand back")]
pub struct Entry {
    /// The sequence number of its first line.
    pub first: u64,
    /// The sequence number of its last line.
    pub last: u64,
    /// What happened.
    pub kind: EntryKind,
    /// When.
    pub at: Time,
    /// The number of the [`Taken`] try that has the lines.
    pub taken: u64,
    /// Which of its lines; none named means all of them.
    pub lines: Vec<u32>,
}

/// What happened to money.
///
/// ```
/// use divvy::sandbox::EntryKind;
///
/// assert_ne!(EntryKind::Moved, EntryKind::Undone);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a reader must know what each does to a balance")]
pub enum EntryKind {
    /// It left the wallet.
    Moved,
    /// It came back.
    Returned,
    /// It never left after all, until it moves again.
    Undone,
    /// The provider charged for a try, in one line: nobody's, and never given back.
    Charged,
}
