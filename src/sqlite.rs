//! The host in the box: one SQLite file (ADR 0003).

mod copy;
mod file;
mod presence;
mod project;
mod refusal;
mod roster;
mod rows;
mod schema;
mod threads;
mod writer;

use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use async_trait::async_trait;
use divvy_core::{Code, Cursor, Error, Fact, Manner, Page, Stream, Time, Written};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::Host;
use crate::projection::Projection;
use crate::sqlite::copy::Target;
use crate::sqlite::file::File;
use crate::sqlite::presence::Presence;
use crate::sqlite::refusal::refusal;
use crate::sqlite::roster::Entry;
use crate::sqlite::threads::{read_until_closed, thread};
use crate::sqlite::writer::{Ask, Job, Writer};

/// Facts in one SQLite file: no server, durable, many processes on one machine.
///
/// One thread writes. Commits that wait at the same moment share one transaction and one flush,
/// and nobody is told "written" before that flush returned, so it holds after a power cut. Readers
/// never wait for the writer. Dropping it ends the queue, joins the threads and folds the log into
/// the file. Never put the file on a network file system: its locks do not hold there.
///
/// ```
/// use divvy::core::{Body, Code, Fact, Head, Manner, Released, Stream, Time};
/// use divvy::{Host, Sqlite};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), divvy::core::Error> {
/// let host = Sqlite::in_memory()?;
/// let stream = Stream::parse("payee/chapter-42/alice")?;
/// let body = Body::Released(Released { reason: "address proven".into() });
/// let fact = Fact::new(&Head::start(stream.clone()), Time::ZERO, &body);
///
/// host.commit(vec![fact.clone()], Manner::Together).await?;
/// assert_eq!(host.read(&stream).await?, [fact.clone()]);
/// // An address is written once, even with the same fact.
/// let again = host.commit(vec![fact], Manner::Together).await.unwrap_err();
/// assert_eq!(again.code(), Code::AddressTaken);
/// # Ok(())
/// # }
/// ```
pub struct Sqlite {
    path: PathBuf,
    epoch: String,
    flushes: Arc<AtomicU64>,
    presence: Presence,
    /// Not there for one that was opened for reading alone.
    writes: Option<Sender<Job>>,
    /// For a look on the caller's own thread at what little is new.
    glance: Option<Mutex<Connection>>,
    /// Not there for a database in memory: only the writer sees it.
    reads: Option<Sender<Ask>>,
    writer: Option<JoinHandle<()>>,
    readers: Vec<JoinHandle<()>>,
}

impl Sqlite {
    /// Opens a database, and makes it when there is nothing at the path. One of an older version
    /// is brought to this one, in one transaction.
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("divvy-open-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// use divvy::Sqlite;
    /// use divvy::core::Code;
    ///
    /// drop(Sqlite::open(folder.join("shop.divvy"))?);
    /// assert!(Sqlite::open_existing(folder.join("shop.divvy")).is_ok());
    ///
    /// // What is not ours is refused and left as it is.
    /// std::fs::write(folder.join("notes.txt"), "milk, eggs").unwrap();
    /// let refused = Sqlite::open(folder.join("notes.txt")).unwrap_err();
    /// assert_eq!(refused.code(), Code::StoreForeign);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::StoreForeign`] for a file of another program or of a newer version,
    /// [`Code::StoreUnusable`] for one that is damaged, or cannot be written. None of them is
    /// touched.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = File::new(path.as_ref())?;
        let connection = file.open_or_create()?;
        Self::start(connection, &file)
    }

    /// Opens a database that must be there.
    ///
    /// ```
    /// use divvy::Sqlite;
    /// use divvy::core::Code;
    ///
    /// let missing = Sqlite::open_existing("no/such/shop.divvy").unwrap_err();
    /// assert_eq!(missing.code(), Code::StoreUnusable);
    /// ```
    ///
    /// # Errors
    /// As [`Sqlite::open`], and [`Code::StoreUnusable`] when there is none.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = File::new(path.as_ref())?;
        let connection = file.open_writer_of_existing()?;
        Self::start(connection, &file)
    }

    /// Opens a database for reading alone; commits are refused. It must be there, and of this
    /// version.
    ///
    /// In a folder that may not be written, and with no log beside it, the file is taken to be at
    /// rest, as on a backup medium: nobody may write it meanwhile.
    ///
    /// ```
    /// use divvy::Sqlite;
    /// use divvy::core::Code;
    ///
    /// let missing = Sqlite::open_read_only("no/such/shop.divvy").unwrap_err();
    /// assert_eq!(missing.code(), Code::StoreUnusable);
    /// ```
    ///
    /// # Errors
    /// As [`Sqlite::open_existing`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = File::new(path.as_ref())?;
        let connection = file.open_reader_alone()?;
        let mut host = Self::bare(file.path(), &connection)?;
        host.start_readers(vec![connection])?;
        Ok(host)
    }

    /// A database that is gone when it is dropped, for tests and trials.
    ///
    /// ```
    /// assert_eq!(divvy::Sqlite::in_memory()?.flushes(), 0);
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::StoreUnusable`] when the system gives no thread or randomness.
    pub fn in_memory() -> Result<Self, Error> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| refusal(path, &error))?;
        schema::migrate(&connection, path)?;
        let mut host = Self::bare(path, &connection)?;
        host.start_writer(connection)?;
        Ok(host)
    }

    /// How many commits reached the disk: each cost one flush, however many facts shared it. What
    /// wrote nothing is not counted.
    #[must_use]
    pub fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Relaxed)
    }

    /// Keeps a checkpoint in place of the one before.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// let host = divvy::Sqlite::in_memory()?;
    /// assert_eq!(host.checkpoint().await, None);
    /// host.keep_checkpoint(b"folded until 7".to_vec()).await?;
    /// assert_eq!(host.checkpoint().await.as_deref(), Some(b"folded until 7".as_slice()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Code::StoreUnusable`]; nothing but time is lost then.
    pub async fn keep_checkpoint(&self, bytes: Vec<u8>) -> Result<(), Error> {
        self.write(|reply| Job::Keep(bytes, reply)).await
    }

    /// The checkpoint that was kept last. It is a cache: one that cannot be read is not there.
    pub async fn checkpoint(&self) -> Option<Vec<u8>> {
        let kept = self.ask(rows::checkpoint);
        kept.await.ok()?.ok().filter(|bytes| !bytes.is_empty())
    }

    /// Copies the database into a new file while it is in use: all commits up to one moment, and
    /// no half of one. It returns once the copy is whole and flushed; until then nothing has its
    /// name. Others write on meanwhile.
    ///
    /// The copy is another timeline, and says so: it has an epoch of its own and no checkpoint, so
    /// whoever opens it drops cursors and asks the rails before paying (`docs/backup.md`).
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("divvy-copy-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use divvy::core::Code;
    /// use divvy::{Divvy, Sqlite};
    ///
    /// let shop = Sqlite::open(folder.join("shop.divvy"))?;
    /// shop.back_up(folder.join("monday.divvy")).await?;
    ///
    /// let mut copy = Divvy::open(Sqlite::open_existing(folder.join("monday.divvy"))?).await?;
    /// assert_eq!(copy.verify().await?.facts, 0);
    /// // A copy is never written over.
    /// let again = shop.back_up(folder.join("monday.divvy")).await.unwrap_err();
    /// assert_eq!(again.code(), Code::FileUnusable);
    /// # Ok::<(), divvy::core::Error>(())
    /// # }).unwrap();
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Code::FileUnusable`] when something is at the path already, or it cannot be written, and
    /// [`Code::StoreUnusable`] when there is no room; what was half done is taken away.
    pub async fn back_up(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let target = Target::new(path.as_ref())?;
        self.ask(move |connection| target.copy(connection)).await?
    }

    /// Writes the tables of a projection, in place of those before, in one transaction.
    ///
    /// # Errors
    /// [`Code::StoreUnusable`]; the tables are as before then.
    pub async fn project(&self, projection: Projection) -> Result<(), Error> {
        self.write(|reply| Job::Project(projection, reply)).await
    }

    fn start(connection: Connection, file: &File) -> Result<Self, Error> {
        let mut host = Self::bare(file.path(), &connection)?;
        let readers = (0..READERS).map(|_| file.open_reader()).collect::<Result<_, _>>()?;
        host.glance = Some(Mutex::new(file.open_reader()?));
        host.start_writer(connection)?;
        host.start_readers(readers)?;
        Ok(host)
    }

    fn bare(path: &Path, connection: &Connection) -> Result<Self, Error> {
        let epoch = schema::epoch(connection).map_err(|error| refusal(path, &error))?;
        let (path, flushes) = (path.to_owned(), Arc::default());
        let (glance, writes, reads, writer, readers) = (None, None, None, None, Vec::new());
        let presence = Presence::new(connection);
        Ok(Self { path, epoch, flushes, presence, writes, glance, reads, writer, readers })
    }

    fn start_writer(&mut self, connection: Connection) -> Result<(), Error> {
        let (sender, queue) = channel();
        let writer = Writer::new(connection, self.path.clone(), Arc::clone(&self.flushes));
        self.writer = Some(thread("divvy-write", move || writer.run(&queue))?);
        self.writes = Some(sender);
        Ok(())
    }

    fn start_readers(&mut self, connections: Vec<Connection>) -> Result<(), Error> {
        let (sender, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for connection in connections {
            let queue = Arc::clone(&queue);
            let run = move || read_until_closed(&connection, &queue);
            self.readers.push(thread("divvy-read", run)?);
        }
        self.reads = Some(sender);
        Ok(())
    }

    async fn write<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Job,
    ) -> Result<T, Error> {
        let Some(writes) = &self.writes else {
            let detail = format!("{} was opened for reading alone", self.path.display());
            return Err(Error::new(Code::StoreUnusable, detail));
        };
        let (reply, told) = oneshot::channel();
        writes.send(job(reply)).map_err(|_| self.stopped(Code::StoreUnusable))?;
        // The queue took it, and then the thread died: before or after the commit, who knows.
        told.await.map_err(|_| self.stopped(Code::CommitUnknown))?
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, told) = oneshot::channel();
        let ask: Ask = Box::new(move |connection| drop(reply.send(question(connection))));
        let sent = match (&self.reads, &self.writes) {
            (Some(reads), _) => reads.send(ask).is_ok(),
            (None, Some(writes)) => writes.send(Job::Read(ask)).is_ok(),
            (None, None) => false,
        };
        match told.await {
            Ok(told) if sent => Ok(told),
            _ => Err(self.stopped(Code::StoreUnusable)),
        }
    }

    /// What is new, when it is little. Most looks find nothing: answering takes microseconds on
    /// this thread, and waking another one takes longer.
    fn glance(&self, cursor: &Cursor, facts_max: usize) -> Result<Option<Page>, Error> {
        let Some(Ok(connection)) = self.glance.as_ref().map(Mutex::try_lock) else {
            return Ok(None);
        };
        let facts_max = facts_max.min(GLANCE_FACTS);
        let page = rows::since(&connection, &self.path, cursor, facts_max)?;
        Ok(Some(page).filter(|page| page.is_last))
    }

    fn stopped(&self, code: Code) -> Error {
        let detail = format!("the thread of {} stopped: open it again", self.path.display());
        Error::new(code, detail)
    }
}

#[async_trait]
impl Host for Sqlite {
    async fn commit(&self, facts: Vec<Fact>, manner: Manner) -> Result<Vec<Written>, Error> {
        self.write(|reply| Job::Commit(facts, manner, reply)).await
    }

    async fn read(&self, stream: &Stream) -> Result<Vec<Fact>, Error> {
        let (path, stream) = (self.path.clone(), stream.clone());
        let facts = self.ask(move |connection| rows::read(connection, &path, &stream)).await??;
        self.presence.check(Code::StoreUnusable).map(|()| facts)
    }

    async fn since(&self, cursor: Option<&Cursor>, facts_max: usize) -> Result<Page, Error> {
        let cursor = cursor.cloned().unwrap_or_else(|| Cursor::start(self.epoch.clone()));
        if cursor.epoch != self.epoch {
            let (file, epoch, ours) = (self.path.display(), &cursor.epoch, &self.epoch);
            let detail = format!(
                "the cursor is of database {epoch}, and {file} is {ours}: drop cursors and \
                 checkpoints, and ask the rails before paying"
            );
            return Err(Error::new(Code::EpochChanged, detail));
        }
        let (path, glanced) = (self.path.clone(), self.glance(&cursor, facts_max)?);
        let page = match glanced {
            Some(page) => page,
            None => {
                let ask = move |db: &Connection| rows::since(db, &path, &cursor, facts_max);
                self.ask(ask).await??
            }
        };
        self.presence.check(Code::StoreUnusable).map(|()| page)
    }

    async fn roster(&self, process: &str, now: Time, until: Time) -> Result<Vec<String>, Error> {
        let entry = Entry { process: process.to_owned(), now, until };
        self.write(|reply| Job::Enter(entry, reply)).await
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, epoch, flushes, .. } = self;
        let mut shown = f.debug_struct("Sqlite");
        shown.field("path", path).field("epoch", epoch).field("flushes", flushes);
        shown.finish_non_exhaustive()
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // Readers end first: the last connection to close folds the log into the file, and only
        // the writer's may. A thread that panicked has nothing left to say.
        drop(self.glance.take());
        drop(self.reads.take());
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
        drop(self.writes.take());
        drop(self.writer.take().map(JoinHandle::join));
    }
}

/// More than so many new facts are worth another thread.
const GLANCE_FACTS: usize = 64;

/// Two, so that a long page does not hold up the reading of a stream.
const READERS: usize = 2;

#[cfg(test)]
mod tests;
