//! The host seam: what it means to commit and to read facts, as plain data.
//!
//! A host owns three functions: *commit* facts, *read* them, *send* requests. The traits over
//! this data live with the hosts; nothing here waits.

use core::fmt;

use crate::error::{Code, Error};
use crate::fact::{Fact, Hash};
use crate::time::Time;

/// Where a reader of all facts has got to: the database's identity and a position in it.
///
/// A cursor never skips. When the epoch changes (a restore, a failover that lost writes), cursors
/// and checkpoints are dropped, and paying waits until the rails have been asked.
///
/// ```
/// use divvy_core::Cursor;
///
/// assert_eq!(Cursor::start("a1".to_owned()).position, 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that hosts store and hand back")]
pub struct Cursor {
    /// The database's identity and timeline.
    pub epoch: String,
    /// The host's own position; facts after it have not been read.
    pub position: u64,
    /// How far into the position; 0 for a host whose positions hold one fact each.
    pub within: u64,
}

crate::checkpoint::stored!(Cursor { epoch, position, within });

impl Cursor {
    /// Before the first fact of a database.
    #[must_use]
    pub const fn start(epoch: String) -> Self {
        Self { epoch, position: 0, within: 0 }
    }
}

/// Facts after a cursor.
///
/// ```
/// use divvy_core::{Cursor, Page};
///
/// let page = Page { facts: vec![], cursor: Cursor::start("a1".to_owned()), is_last: true };
/// assert!(page.is_last);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that hosts return")]
pub struct Page {
    /// The facts, complete up to the new cursor, each stream in its own order.
    pub facts: Vec<Fact>,
    /// Where to go on.
    pub cursor: Cursor,
    /// Whether nothing more was there to read.
    pub is_last: bool,
}

/// How facts are committed.
///
/// ```
/// use divvy_core::Manner;
///
/// assert_ne!(Manner::Together, Manner::EachIfFree);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a host must know both, and there is no third")]
pub enum Manner {
    /// All or none: one taken address refuses them all.
    Together,
    /// Each whose address is free; what is taken is told apart, and left as it is. For payments,
    /// so that a duplicate never spoils what it came with.
    EachIfFree,
}

/// What became of each fact of a commit, in order.
///
/// ```
/// use divvy_core::Written;
///
/// assert_ne!(Written::New, Written::Taken);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an address is free or taken")]
pub enum Written {
    /// It is durable at its address.
    New,
    /// Another fact was there already.
    Taken,
}

/// The error for an address that someone else was quicker to write.
///
/// ```
/// use divvy_core::{Code, Stream, address_taken};
///
/// let error = address_taken(&Stream::parse("run/chapter-42")?, 7);
/// assert_eq!(error.code(), Code::AddressTaken);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[must_use]
pub fn address_taken(stream: impl fmt::Display, n: u64) -> Error {
    let detail = format!("{stream}/{n} is written already: read again and decide anew");
    Error::new(Code::AddressTaken, detail)
}

/// Checks the clock before anything is paid by it.
///
/// A `now` more than an hour ahead of what the rails last said, or, where they said nothing, more
/// than 400 days past the newest fact, needs the operator's consent.
///
/// ```
/// use divvy_core::{Code, Time, check_clock};
///
/// let newest = Time::parse("2026-03-01T00:00:00Z")?;
/// let next_year = Time::parse("2027-06-01T00:00:00Z")?;
/// assert_eq!(check_clock(next_year, newest, None).unwrap_err().code(), Code::ClockAhead);
/// assert!(check_clock(newest, next_year, None).is_ok());
/// # Ok::<(), divvy_core::Error>(())
/// ```
///
/// # Errors
/// [`Code::ClockAhead`] with both times.
pub fn check_clock(now: Time, newest: Time, rails_said: Option<Time>) -> Result<(), Error> {
    let (limit, witness) = match rails_said {
        Some(said) => (said.plus_secs(HOUR_SECS), format!("the rails say {said}")),
        None if newest == Time::ZERO => return Ok(()),
        None => (newest.plus_secs(DAYS_400_SECS), format!("the newest fact is of {newest}")),
    };
    if now <= limit {
        return Ok(());
    }
    let detail = format!("the clock says {now}, but {witness}: mend the clock, or consent to it");
    Err(Error::new(Code::ClockAhead, detail))
}

const HOUR_SECS: u64 = 3_600;
const DAYS_400_SECS: u64 = 400 * 86_400;

/// A digest over many facts in their order: what a checkpoint names, and `verify` recomputes.
///
/// ```
/// use divvy_core::{Hash, digest};
///
/// assert_eq!(digest(Hash::default(), &[]), Hash::default());
/// ```
#[must_use]
pub fn digest(before: Hash, facts: &[Fact]) -> Hash {
    facts.iter().fold(before, |digest, fact| digest.then(&fact.hash))
}
