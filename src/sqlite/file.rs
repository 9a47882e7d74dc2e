//! A file on disk: whether it is ours, found out without touching it, and how it is opened.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use divvy_core::{Code, Error};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::sqlite::refusal::{damaged, foreign, read_only, refusal};
use crate::sqlite::schema;

/// Where a database is kept.
#[derive(Clone, Debug)]
pub(super) struct File {
    path: PathBuf,
}

/// What is at the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Empty,
    Ours,
}

/// What is on the disk at one moment: lengths and times of the file and its log.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    wal_len: u64,
    journal_len: u64,
}

impl File {
    /// A file by its path; relative ones start at the current folder.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|error| {
            let detail = format!("{:?} is no path of a file: {error}", path.display());
            Error::new(Code::StoreUnusable, detail)
        })?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it for writing, at the newest schema; makes it when it is not there.
    pub(super) fn open_or_create(&self) -> Result<Connection, Error> {
        self.check()?;
        self.open_writer(OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens it for writing, at the newest schema; it must be there.
    pub(super) fn open_writer_of_existing(&self) -> Result<Connection, Error> {
        self.check_exists()?;
        self.open_writer(OpenFlags::empty())
    }

    fn open_writer(&self, create: OpenFlags) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | create;
        let connection = self.connect(&self.path, flags)?;
        // SQLite opens what it may not write for reading, and would say so at the first commit.
        // One field of the header makes it think so too, hence the read before the question.
        let read = connection.pragma_query_value(None, "schema_version", |_| Ok(()));
        let may_only_read = read.and_then(|()| connection.is_readonly("main"));
        if may_only_read.map_err(|error| refusal(&self.path, &error))? {
            return Err(read_only(&self.path));
        }
        schema::migrate(&connection, &self.path)?;
        settle(&connection).map_err(|error| refusal(&self.path, &error))?;
        Ok(connection)
    }

    /// Opens it for reading beside a writer.
    pub(super) fn open_reader(&self) -> Result<Connection, Error> {
        let connection = self.connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        schema::prove(&connection, &self.path)?;
        Ok(connection)
    }

    /// Opens it for reading alone. Where no log can be made beside it, and none is there, nobody
    /// is writing, and it is read as it stands.
    pub(super) fn open_reader_alone(&self) -> Result<Connection, Error> {
        self.check_exists()?;
        match self.open_reader() {
            Ok(connection) => Ok(connection),
            Err(error) if self.stamp()?.is_some_and(|stamp| stamp.wal_len > 0) => Err(error),
            Err(_) => {
                let connection = self.connect_immutable()?;
                schema::prove(&connection, &self.path)?;
                Ok(connection)
            }
        }
    }

    fn check_exists(&self) -> Result<(), Error> {
        if self.check()? == Found::Ours {
            return Ok(());
        }
        let detail = format!("there is no database at {}: make one first", self.path.display());
        Err(Error::new(Code::StoreUnusable, detail))
    }

    /// Finds out whose the file is, and whether it is whole, without touching a byte of it.
    ///
    /// All looking goes through SQLite: to open and close the file beside it would drop the locks
    /// that this process holds through other connections.
    fn check(&self) -> Result<Found, Error> {
        for _ in 0..LOOKS_MAX {
            let Some(before) = self.stamp()? else { return Ok(Found::Nothing) };
            let verdict = self.look(&before);
            // A verdict on a file that changed meanwhile is none: look again.
            if verdict.is_ok() || self.stamp()?.as_ref() == Some(&before) {
                return verdict;
            }
        }
        Ok(Found::Ours)
    }

    fn look(&self, stamp: &Stamp) -> Result<Found, Error> {
        if stamp.len == 0 && stamp.wal_len > 0 {
            return Err(damaged(&self.path, "it is empty, and its log is not"));
        }
        if stamp.len == 0 {
            return Ok(Found::Empty);
        }
        if stamp.len < PAGE_BYTES_MIN {
            return Err(foreign(&self.path, "it is no SQLite file, or its head is gone"));
        }
        let connection = self.connect_immutable()?;
        let proof = schema::prove(&connection, &self.path);
        match proof {
            Ok(_) if stamp.wal_len > 0 => {}
            Ok(_) => return self.look_at_pages(&connection, stamp),
            // Whose it is, the file says alone. Whether it is whole, only together with its log:
            // a checkpoint may have been cut off, and the log mends that.
            Err(error) if error.code() == Code::StoreForeign || stamp.wal_len == 0 => {
                return Err(error);
            }
            Err(_) => {}
        }
        drop(connection);
        if stamp.journal_len == 0 {
            // The log is read, and left as it is: closing must not write it back into the file.
            drop(self.open_reader()?);
        }
        Ok(Found::Ours)
    }

    fn look_at_pages(&self, connection: &Connection, stamp: &Stamp) -> Result<Found, Error> {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let sizes = number("page_size").and_then(|size| Ok((size, number("page_count")?)));
        let (size, count) = sizes.map_err(|error| refusal(&self.path, &error))?;
        if size.checked_mul(count).is_some_and(|bytes| u64::try_from(bytes) == Ok(stamp.len)) {
            return Ok(Found::Ours);
        }
        let detail = format!("it has {} bytes, and its head says {count} × {size}", stamp.len);
        Err(damaged(&self.path, &detail))
    }

    fn stamp(&self) -> Result<Option<Stamp>, Error> {
        let beside = |end: &str| {
            let mut name = self.path.clone().into_os_string();
            name.push(end);
            fs::metadata(name).map_or(0, |found| found.len())
        };
        match fs::metadata(&self.path) {
            Ok(found) if found.is_file() => Ok(Some(Stamp {
                len: found.len(),
                modified: found.modified().ok(),
                wal_len: beside("-wal"),
                journal_len: beside("-journal"),
            })),
            Ok(_) => {
                let detail = format!("{} is no file: name one", self.path.display());
                Err(Error::new(Code::StoreUnusable, detail))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let detail = format!("{} cannot be looked at: {error}", self.path.display());
                Err(Error::new(Code::StoreUnusable, detail))
            }
        }
    }

    /// A connection that takes no lock, reads no log and makes no file.
    fn connect_immutable(&self) -> Result<Connection, Error> {
        let mut uri = String::from("file:");
        for byte in self.path.as_os_str().as_encoded_bytes() {
            match byte {
                b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
                byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
                byte => uri.push_str(&format!("%{byte:02x}")),
            }
        }
        uri.push_str("?immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        self.connect(Path::new(&uri), flags)
    }

    fn connect(&self, name: &Path, flags: OpenFlags) -> Result<Connection, Error> {
        // Each connection is used by one thread at a time, so SQLite needs no lock around it.
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || -> rusqlite::Result<Connection> {
            let mut connection = Connection::open_with_flags(name, flags)?;
            connection.busy_handler(Some(wait_for_lock))?;
            // Plans do not depend on the values asked for, so statements are prepared once.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            if flags.contains(OpenFlags::SQLITE_OPEN_READ_ONLY) {
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            }
            Ok(connection)
        };
        open().map_err(|error| refusal(&self.path, &error))
    }
}

/// Waits for another process in small steps, and gives up at last.
///
/// SQLite's own waiting grows to a tenth of a second between two looks. A process that commits
/// again and again leaves the lock free for much less, and would starve the others.
fn wait_for_lock(tries: i32) -> bool {
    std::thread::park_timeout(BUSY_STEP);
    tries < BUSY_TRIES_MAX
}

/// How the writer writes (ADR 0003).
pub(super) fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX)
}

/// The smallest page that SQLite knows. It takes shorter files for empty databases.
const PAGE_BYTES_MIN: u64 = 512;
/// Ten seconds or a little more in all.
const BUSY_STEP: Duration = Duration::from_millis(1);
const BUSY_TRIES_MAX: i32 = 10_000;
/// A file that changes this often while it is looked at is alive, and opened like any other.
const LOOKS_MAX: usize = 5;
/// The inner pages of the unique index of some million facts.
const CACHE_KIB: i64 = 32 * 1_024;
/// Pages of the log before it is written back. Fewer cost more flushes, more cost a longer start
/// after a kill.
const CHECKPOINT_PAGES: i64 = 4_000;
/// What is left of the log when it starts over.
const WAL_BYTES_MAX: i64 = 64 * 1_024 * 1_024;
