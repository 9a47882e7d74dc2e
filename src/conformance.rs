//! Whether a host keeps its promises: a suite for anyone who brings a [`Host`] of their own.
//!
//! Everything that Divvy promises about money stands on a few promises of its host: an address is
//! written once, a commit is all or none, what was committed is durable, a cursor never skips. A
//! store that breaks one of them looks well for months, and then pays twice. This suite tries each
//! of them by name, races included, and says what it found, where, and what it would cost.
//!
//! It needs nothing but the three functions, and two ways to open a handle. It writes facts that no
//! book understands, so give it a database of its own. It may run there any number of times.
//!
//! ```
//! # let folder = std::env::temp_dir().join(format!("divvy-conforms-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let (shop, other) = (folder.join("shop.divvy"), folder.join("other.divvy"));
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use divvy::conformance::{Conformance, Opening, Options};
//! use divvy::{Host, Sqlite};
//!
//! // Another handle on the same database, whenever it is called.
//! fn open(path: &Path) -> Opening {
//!     let path = path.to_owned();
//!     Box::pin(async move {
//!         let host: Arc<dyn Host> = Arc::new(Sqlite::open(path)?);
//!         Ok(host)
//!     })
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let suite = Conformance::new(move || open(&shop), move || open(&other));
//! let report = suite.run(&Options { facts: 2_000, ..Options::default() }).await;
//! assert!(report.is_kept(), "{report}");
//! # });
//! # std::fs::remove_dir_all(&folder).unwrap();
//! ```
//!
//! What it cannot try is the power cable: whether a flush reaches the disk is between the store,
//! the system and the disk. `docs/durability.md` says what each host in the box relies on.

mod addresses;
mod cursors;
mod desk;
mod exact;
mod race;
mod report;

use core::fmt;
use std::pin::Pin;
use std::sync::Arc;

use divvy_core::{Cursor, Error};

use crate::Host;
use crate::conformance::desk::{Desk, Verdict, WHOLE};
pub use crate::conformance::report::{Outcome, Part, Report};

/// A handle on a database, once it is open.
pub type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn Host>, Error>> + Send>>;

type Open = Box<dyn Fn() -> Opening + Send + Sync>;

/// How much is tried.
///
/// ```
/// use divvy::conformance::Options;
///
/// let thorough = Options { seed: 7, facts: 1_000_000, ..Options::default() };
/// assert!(thorough.facts > Options::default().facts);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Names the streams of one run. Two runs on one database need two seeds.
    pub seed: u64,
    /// How many facts [`Part::ManyFacts`] writes.
    pub facts: usize,
    /// How many callers race each other.
    pub callers: usize,
    /// How many commits each of them makes.
    pub rounds: usize,
    /// How long a cursor may take to show what was committed, in milliseconds. A host whose cursor
    /// waits for long transactions of others needs more than a moment.
    pub patience_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 0, facts: 20_000, callers: 8, rounds: 30, patience_ms: 10_000 }
    }
}

/// The suite, with the host that it is for.
pub struct Conformance {
    same: Open,
    other: Open,
}

impl Conformance {
    /// A suite for a host: how to open one more handle on the database in question, and how to
    /// open one on another database of the same kind.
    ///
    /// A database that only one handle sees may give that one again and again; what a fresh handle
    /// would show is then not shown.
    #[must_use]
    pub fn new(
        same: impl Fn() -> Opening + Send + Sync + 'static,
        other: impl Fn() -> Opening + Send + Sync + 'static,
    ) -> Self {
        Self { same: Box::new(same), other: Box::new(other) }
    }

    /// Tries every promise, and says what became of each.
    pub async fn run(&self, options: &Options) -> Report {
        let (mut start, mut outcomes) = (None, Vec::with_capacity(Part::ALL.len()));
        for part in Part::ALL {
            start = self.end_so_far(options, start).await;
            let desk = Desk::new(self, part, options, start.clone());
            let verdict = match desk.is_first().await {
                Ok(()) => desk.try_part().await,
                used => used,
            };
            outcomes.push(Outcome::new(part, verdict));
        }
        Report::new(outcomes)
    }

    /// Where the database ends before a part, so that none reads again what others wrote. Who
    /// cannot be asked is asked again by the part, which then says so.
    async fn end_so_far(&self, options: &Options, start: Option<Cursor>) -> Option<Cursor> {
        let host = (self.same)().await.ok()?;
        let desk = Desk::new(self, Part::AddressOnce, options, None);
        let read = desk.follow(&*host, start.as_ref(), WHOLE, 0).await;
        read.map_or(start, |(_, end)| end)
    }
}

impl Desk<'_> {
    async fn try_part(&self) -> Verdict {
        match self.part() {
            Part::AddressOnce => addresses::once(self).await,
            Part::OneWinner => race::one_winner(self).await,
            Part::AllOrNone => addresses::all_or_none(self).await,
            Part::ManyStreams => addresses::many_streams(self).await,
            Part::OrphanRefused => addresses::orphans(self).await,
            Part::StreamOrder => exact::stream_order(self).await,
            Part::ExactNames => exact::names(self).await,
            Part::ExactBytes => exact::bytes(self).await,
            Part::BigBytes => exact::big_bytes(self).await,
            Part::EdgeNumbers => exact::edge_numbers(self).await,
            Part::PageSizes => cursors::page_sizes(self).await,
            Part::NeverSkips => race::never_skips(self).await,
            Part::SeenWhole => race::seen_whole(self).await,
            Part::OtherDatabase => cursors::other_database(self).await,
            Part::Durable => cursors::durable(self).await,
            Part::ManyFacts => cursors::many_facts(self).await,
        }
    }
}

impl fmt::Debug for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance").finish_non_exhaustive()
    }
}
