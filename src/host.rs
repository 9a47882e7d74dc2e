//! The outside world as three functions: commit facts, read them, send requests.

use core::fmt;

use async_trait::async_trait;
use divvy_core::{Cursor, Error, Fact, Manner, Page, Reply, Request, Stream, Time, Written};

/// Where facts live. [`crate::Sqlite`] and [`crate::Postgres`] are in the box; a host brings any
/// store with a unique key.
///
/// The promises, each of which loses money when it is broken; [`crate::conformance`] tries them:
///
/// - an address is written once: a taken one is told, never overwritten;
/// - a fact whose predecessor is absent is refused;
/// - [`Manner::Together`] is all or none, over any number of streams;
/// - what `commit` returned for is durable: it survives a power cut;
/// - `since` never skips: what it returns up to a cursor is complete for ever.
#[async_trait]
pub trait Host: fmt::Debug + Send + Sync {
    /// Writes facts, and returns what became of each once they are durable.
    ///
    /// # Errors
    /// [`divvy_core::Code::AddressTaken`] under [`Manner::Together`],
    /// [`divvy_core::Code::FactOrphan`], [`divvy_core::Code::StoreUnusable`], and
    /// [`divvy_core::Code::CommitUnknown`] when the store cannot say whether it committed: read
    /// back before going on. Nothing was written in all other cases.
    async fn commit(&self, facts: Vec<Fact>, manner: Manner) -> Result<Vec<Written>, Error>;

    /// All facts of one stream, in order.
    ///
    /// # Errors
    /// [`divvy_core::Code::StoreUnusable`].
    async fn read(&self, stream: &Stream) -> Result<Vec<Fact>, Error>;

    /// Facts after a cursor, at most so many; from the beginning without one.
    ///
    /// # Errors
    /// [`divvy_core::Code::EpochChanged`] for a cursor of another database,
    /// [`divvy_core::Code::StoreUnusable`].
    async fn since(&self, cursor: Option<&Cursor>, facts_max: usize) -> Result<Page, Error>;

    /// The table of facts, as a statement of somebody else's transaction names it.
    fn fact_table(&self) -> &str {
        "divvy_fact"
    }

    /// Says that a process lives until some time, and returns the names of all that live, sorted.
    /// Entries that are over by `now` go; with an `until` that is not after `now`, it leaves.
    ///
    /// It is advice: workers share work by it, and no promise rests on it. It need not survive a
    /// power cut, and a host without it lets every worker believe that it is alone.
    ///
    /// # Errors
    /// [`divvy_core::Code::StoreUnusable`].
    async fn roster(&self, process: &str, now: Time, until: Time) -> Result<Vec<String>, Error> {
        let _ = (now, until);
        Ok(vec![process.to_owned()])
    }
}

/// What carries requests out and replies in. [`crate::Http`] is in the box.
///
/// No answer is an answer: a timeout, a dropped line and a refused connection are all `None`.
/// A request is never started after its deadline.
#[async_trait]
pub trait Sender: fmt::Debug + Send + Sync {
    /// Sends one request, once.
    async fn send(&self, request: &Request) -> Option<Reply>;

    /// How many milliseconds the server at an address wants to be left alone yet, as far as this
    /// sender has heard; webhooks wait for as long.
    fn rest_millis(&self, url: &str) -> u64 {
        let _ = url;
        0
    }
}
