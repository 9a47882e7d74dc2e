//! The host for more than one machine: a PostgreSQL server (ADR 0006).

mod checkpoint;
mod group;
mod passfile;
mod project;
mod refusal;
mod rows;
mod schema;
mod server;
mod session;
mod shared;
mod tls;
mod writer;

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};

use async_trait::async_trait;
use divvy_core::{Code, Cursor, Error, Fact, Manner, Page, Stream, Time, Written};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::Host;
use crate::postgres::refusal::{epoch_changed, unusable};
use crate::postgres::server::Server;
use crate::postgres::session::Access;
use crate::postgres::shared::{Making, Shared};
use crate::postgres::writer::Job;
use crate::projection::Projection;

/// Facts in a PostgreSQL database, in a schema of their own: many processes on many machines.
///
/// Commits of this process that wait at the same moment share one transaction and one flush, and
/// nobody is told "written" before that flush returned. A connection that was lost is made anew;
/// when it was lost while a commit was under way, [`Code::CommitUnknown`] says so. It has a thread
/// of its own, so it may be used from any runtime.
///
/// A transaction that writes for long, anywhere on the same server, delays what
/// [`Host::since`] returns, and so everything that is decided on it; nothing is ever skipped.
///
/// ```no_run
/// use divvy::{Divvy, Postgres};
///
/// # async fn open() -> Result<(), divvy::core::Error> {
/// let host = Postgres::open("postgresql://till@db.example/shop?passfile=/etc/till.pass").await?;
/// let divvy = Divvy::open(host).await?;
/// # Ok(())
/// # }
/// ```
pub struct Postgres {
    shared: Arc<Shared>,
    runtime: Handle,
    writes: Option<mpsc::UnboundedSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Postgres {
    /// Opens a database, and makes the tables when there are none, or brings them to this version,
    /// in one transaction. A database that was restored from a dump is taken in as another one: it
    /// has a new epoch.
    ///
    /// The URL is `postgresql://user:password@host:port/database?option=value&…`, its parts
    /// written with percent signs where they hold one of `:/?#@`. Options that matter:
    ///
    /// - `sslmode`: without it, TLS is required but on this machine. `require`, `verify-ca` and
    ///   `verify-full` all mean that the certificate is verified with its name. `prefer` takes
    ///   clear text from a server without TLS, and `disable` never asks.
    /// - `sslrootcert`: a file of the certificates to trust, instead of those of the system.
    /// - `passfile`: a file of passwords as other clients read it, so that none is in the URL.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for a URL that is none, [`Code::StoreForeign`] for a schema `divvy`
    /// of somebody else or of a newer version, which is left as it is, and [`Code::StoreUnusable`]
    /// for a server that cannot be reached or trusted: a replica, one with `fsync = off`, and one
    /// before version 13.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::start(url, Access::Write, Making::IfAbsent).await
    }

    /// Opens a database whose tables must be there, in this version.
    ///
    /// # Errors
    /// As [`Postgres::open`]; [`Code::StoreUnusable`] when there are none, and
    /// [`Code::EpochChanged`] for one that was restored and not opened since.
    pub async fn open_existing(url: &str) -> Result<Self, Error> {
        Self::start(url, Access::Write, Making::Never).await
    }

    /// Opens a database for reading alone; commits are refused. The role needs no more than to
    /// read the tables.
    ///
    /// # Errors
    /// As [`Postgres::open_existing`].
    pub async fn open_read_only(url: &str) -> Result<Self, Error> {
        Self::start(url, Access::ReadOnly, Making::Never).await
    }

    /// How many commits reached the disk: each cost one flush, however many facts shared it. What
    /// wrote nothing is not counted.
    #[must_use]
    pub fn flushes(&self) -> u64 {
        self.shared.flushes.load(Ordering::Relaxed)
    }

    /// Keeps a checkpoint in place of the one before.
    ///
    /// # Errors
    /// [`Code::StoreUnusable`]; nothing but time is lost then.
    pub async fn keep_checkpoint(&self, bytes: Vec<u8>) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        self.run(async move { shared.keep_checkpoint(&bytes).await }).await?
    }

    /// The checkpoint that was kept last. It is a cache: one that cannot be read is not there.
    pub async fn checkpoint(&self) -> Option<Vec<u8>> {
        let shared = Arc::clone(&self.shared);
        let kept = self.run(async move { shared.checkpoint().await }).await;
        kept.ok()?.ok().filter(|bytes| !bytes.is_empty())
    }

    /// Writes the tables of a projection, in place of those before, in one transaction. The role
    /// must be allowed to make tables in the schema `divvy` the first time.
    ///
    /// # Errors
    /// [`Code::StoreUnusable`]; the tables are as before then.
    pub async fn project(&self, projection: Projection) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        self.run(async move { shared.project(&projection).await }).await?
    }

    async fn start(url: &str, access: Access, making: Making) -> Result<Self, Error> {
        let server = Server::parse(url)?;
        let no_thread = |error: std::io::Error| {
            unusable(format!("the system gives no thread for a connection: {error}"))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(no_thread)?;
        let handle = runtime.handle().clone();
        let (writes, queue) = mpsc::unbounded_channel();
        let (told, opened) = oneshot::channel();
        let main = async move {
            match Shared::open(server, access, making).await.map(Arc::new) {
                Err(error) => drop(told.send(Err(error))),
                Ok(shared) if told.send(Ok(Arc::clone(&shared))).is_ok() => {
                    writer::run(&shared, queue).await;
                    shared.close().await;
                }
                Ok(_) => {}
            }
        };
        let named = Builder::new().name("divvy-postgres".to_owned());
        let thread = named.spawn(move || runtime.block_on(main)).map_err(no_thread)?;
        let shared = opened.await.map_err(|_| unusable("its thread stopped".to_owned()))??;
        Ok(Self { shared, runtime: handle, writes: Some(writes), thread: Some(thread) })
    }

    /// Runs a task on the thread that has the connections. It goes on when nobody waits any more.
    async fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        self.runtime.spawn(task).await.map_err(|_| self.stopped(Code::StoreUnusable))
    }

    fn stopped(&self, code: Code) -> Error {
        let detail = format!("the thread of {} stopped: open it again", self.shared.server.place());
        Error::new(code, detail)
    }
}

#[async_trait]
impl Host for Postgres {
    async fn commit(&self, facts: Vec<Fact>, manner: Manner) -> Result<Vec<Written>, Error> {
        let place = self.shared.server.place();
        let Some(writes) = self.writes.as_ref().filter(|_| self.shared.access == Access::Write)
        else {
            return Err(unusable(format!("{place} was opened for reading alone")));
        };
        if facts.is_empty() {
            return Ok(Vec::new());
        }
        group::check(&facts)?;
        let (reply, told) = oneshot::channel();
        let sent = writes.send(Job { facts, manner, reply });
        sent.map_err(|_| self.stopped(Code::StoreUnusable))?;
        // The queue took it, and then the thread died: before or after the commit, who knows.
        told.await.map_err(|_| self.stopped(Code::CommitUnknown))?
    }

    async fn read(&self, stream: &Stream) -> Result<Vec<Fact>, Error> {
        let (shared, stream) = (Arc::clone(&self.shared), stream.clone());
        self.run(async move { shared.read(&stream).await }).await?
    }

    async fn since(&self, cursor: Option<&Cursor>, facts_max: usize) -> Result<Page, Error> {
        let epoch = &self.shared.epoch;
        let cursor = cursor.cloned().unwrap_or_else(|| Cursor::start(epoch.clone()));
        if cursor.epoch != *epoch {
            return Err(epoch_changed(self.shared.server.place(), &cursor.epoch, epoch));
        }
        let shared = Arc::clone(&self.shared);
        self.run(async move { shared.since(&cursor, facts_max).await }).await?
    }

    fn fact_table(&self) -> &str {
        "divvy.divvy_fact"
    }

    async fn roster(&self, process: &str, now: Time, until: Time) -> Result<Vec<String>, Error> {
        let (shared, process) = (Arc::clone(&self.shared), process.to_owned());
        self.run(async move { shared.roster(&process, now, until).await }).await?
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, epoch) = (self.shared.server.place(), &self.shared.epoch);
        let mut shown = f.debug_struct("Postgres");
        shown.field("place", &place).field("epoch", epoch).field("flushes", &self.flushes());
        shown.finish_non_exhaustive()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // What is queued is written first. A thread that panicked has nothing left to say.
        drop(self.writes.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}
