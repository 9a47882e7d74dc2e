//! The sandbox's own file: what it took, what moved, and what time it was. It survives a kill, not
//! a power cut: a provider that is practised on need not wait for the disk.

use std::path::Path;

use divvy_core::{Code, Error, Reply, Time};
use rusqlite::{Connection, Error as SqliteError, ErrorCode, Row, params};
use serde::{Deserialize, Serialize};

use crate::sandbox::world::post::Post;
use crate::sandbox::world::{Effect, Entry, EntryKind, Taken, Terms, World};

/// The file behind a served world.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: Connection,
    terms: Terms,
    boot: u64,
}

impl Ledger {
    /// Opens the file, or makes it; without a path it lives in memory.
    pub(crate) fn open(path: Option<&Path>, terms: Terms) -> Result<Self, Error> {
        let file = match path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        };
        let file = file.map_err(|error| unusable(&error))?;
        // One writer: a second process would pay from a world of its own.
        let alone = file.execute_batch("PRAGMA locking_mode = EXCLUSIVE");
        alone.map_err(|error| unusable(&error))?;
        let empty = is_empty(&file).map_err(|error| foreign_or_unusable(&error))?;
        if !empty {
            check(&file, terms)?;
        }
        let boot = begin(&file, terms).map_err(|error| unusable(&error))?;
        Ok(Self { file, terms, boot })
    }

    /// How often it was opened.
    pub(crate) const fn boot(&self) -> u64 {
        self.boot
    }

    /// Writes what one request did, all or nothing.
    pub(crate) fn write(&mut self, effects: &[Effect]) -> Result<(), Error> {
        let write = || -> Result<(), SqliteError> {
            let [effect] = effects else {
                let together = self.file.unchecked_transaction()?;
                // A try that was taken tells the time as well.
                let dated = effects.iter().any(|effect| matches!(effect, Effect::Taken(_)));
                let told = |effect: &&Effect| !(dated && matches!(effect, Effect::Clock(_)));
                let mut effects = effects.iter().filter(told);
                effects.try_for_each(|effect| write_one(&together, effect))?;
                return together.commit();
            };
            write_one(&self.file, effect)
        };
        write().map_err(|error| unusable(&error))
    }

    /// The world as the file has it.
    pub(crate) fn world(&self) -> Result<World, Error> {
        let world = self.replay().map_err(|error| unusable(&error))?;
        let last = "SELECT coalesce(max(last), 0) FROM entry";
        let last: u64 =
            self.file.query_row(last, [], |row| row.get(0)).map_err(|error| unusable(&error))?;
        if last != world.sequence() {
            let detail = format!(
                "the sandbox's ledger has {last} lines where its tries make {}: begin a new one",
                world.sequence()
            );
            return Err(Error::new(Code::StoreUnusable, detail));
        }
        Ok(world)
    }

    fn replay(&self) -> Result<World, SqliteError> {
        let mut taken =
            self.file.prepare("SELECT n, at, started, fault, body FROM taken ORDER BY n")?;
        let mut failed = None;
        let rows = taken.query_map([], read_taken)?;
        let rows = rows.map_while(|row| row.map_err(|error| failed = Some(error)).ok());
        let clock = self.file.query_row("SELECT now FROM clock", [], |row| row.get(0))?;
        let clock = Effect::Clock(Time::from_millis(clock));
        let world = World::replay(self.terms, rows.map(Effect::Taken).chain([clock]));
        failed.map_or(Ok(world), Err)
    }

    /// A page of the statement, one JSON object a line.
    pub(crate) fn statement(&self, after: u64, limit: u64) -> Result<Reply, Error> {
        let mut body = Vec::new();
        self.page(after, limit, &mut body).map_err(|error| unusable(&error))?;
        Ok(Reply { status: 200, body })
    }

    fn page(&self, after: u64, limit: u64, body: &mut Vec<u8>) -> Result<(), SqliteError> {
        let until = after.saturating_add(limit);
        let mut entries = self.file.prepare_cached(
            "SELECT e.first, e.last, e.kind, e.at, e.taken, e.lines, t.body
             FROM entry e JOIN taken t ON t.n = e.taken
             WHERE e.last > ?1 ORDER BY e.last",
        )?;
        let mut rows = entries.query(params![after])?;
        while let Some(row) = rows.next()? {
            let (entry, post) = (read_entry(row)?, row.get_ref(6)?.as_blob()?);
            if entry.first > until {
                break;
            }
            let Ok(post) = Post::read(post) else { continue };
            if entry.kind == EntryKind::Charged {
                write_charge(&entry, &post, self.terms, body);
            } else {
                write_lines(&entry, &post, after, until, body);
            }
        }
        Ok(())
    }
}

/// One line of the statement.
#[derive(Serialize)]
struct StatementLine<'a> {
    sequence: u64,
    kind: EntryKind,
    at: u64,
    reference: &'a str,
    batch: &'a str,
    line: u32,
    to: &'a str,
    amount: &'a str,
}

/// A fee is one line, paid to nobody.
fn write_charge(entry: &Entry, post: &Post, terms: Terms, body: &mut Vec<u8>) {
    let amount = terms.fee_of(post.lines_count()).to_string();
    let said = StatementLine {
        sequence: entry.first,
        kind: entry.kind,
        at: entry.at.millis(),
        reference: &post.reference,
        batch: &post.batch,
        line: 0,
        to: "",
        amount: &amount,
    };
    write_line(&said, body);
}

fn write_line(said: &StatementLine<'_>, body: &mut Vec<u8>) {
    if serde_json::to_writer(&mut *body, said).is_ok() {
        body.push(b'\n');
    }
}

fn write_lines(entry: &Entry, post: &Post, after: u64, until: u64, body: &mut Vec<u8>) {
    let all: Vec<u32>;
    let lines = if entry.lines.is_empty() {
        all = (0..post.lines_count()).collect();
        &all
    } else {
        &entry.lines
    };
    for (sequence, line) in (entry.first..=entry.last).zip(lines) {
        let place = usize::try_from(*line).unwrap_or(usize::MAX);
        let Some(paid) = post.lines.get(place).filter(|_| after < sequence && sequence <= until)
        else {
            continue;
        };
        let (reference, batch) = (post.reference.as_str(), post.batch.as_str());
        let (to, amount) = (paid.to.as_str(), paid.amount.as_str());
        let (kind, at, line) = (entry.kind, entry.at.millis(), *line);
        let said = StatementLine { sequence, kind, at, reference, batch, line, to, amount };
        write_line(&said, body);
    }
}

/// Refuses what is not ours before anything is written.
fn check(file: &Connection, terms: Terms) -> Result<(), Error> {
    let application = file.query_row("PRAGMA application_id", [], |row| row.get::<_, i64>(0));
    if application.map_err(|error| unusable(&error))? != APPLICATION {
        return Err(foreign("it is no sandbox's ledger"));
    }
    let stored = file.query_row("SELECT terms FROM boot WHERE n = 1", [], |row| row.get(0));
    let stored: String = stored.map_err(|error| unusable(&error))?;
    if stored != json(&terms) {
        return Err(foreign(&format!("it was begun on other terms, {stored}")));
    }
    Ok(())
}

fn begin(file: &Connection, terms: Terms) -> Result<u64, SqliteError> {
    file.execute_batch(MODE)?;
    // In one transaction: a file is either empty or a ledger that has its terms.
    let together = file.unchecked_transaction()?;
    together.execute_batch(SCHEMA)?;
    together.execute("INSERT INTO boot (terms) VALUES (?1)", params![json(&terms)])?;
    together.commit()?;
    file.query_row("SELECT max(n) FROM boot", [], |row| row.get(0))
}

fn write_one(file: &Connection, effect: &Effect) -> Result<(), SqliteError> {
    match effect {
        Effect::Clock(now) => {
            file.prepare_cached("UPDATE clock SET now = ?1")?.execute([now.millis()])
        }
        Effect::Taken(Taken { n, at, started, fault, body }) => file
            .prepare_cached("INSERT INTO taken VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![n, at.millis(), started.millis(), json(fault), body]),
        Effect::Entered(Entry { first, last, kind, at, taken, lines }) => file
            .prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![last, first, json(kind), at.millis(), taken, json(lines)]),
    }
    .map(drop)
}

fn read_taken(row: &Row<'_>) -> Result<Taken, SqliteError> {
    let (n, body) = (row.get(0)?, row.get(4)?);
    let (at, started) = (Time::from_millis(row.get(1)?), Time::from_millis(row.get(2)?));
    let fault = parsed(row.get_ref(3)?.as_str()?, 3)?;
    Ok(Taken { n, at, started, fault, body })
}

fn read_entry(row: &Row<'_>) -> Result<Entry, SqliteError> {
    let (first, last, taken) = (row.get(0)?, row.get(1)?, row.get(4)?);
    let (kind, lines) =
        (parsed(row.get_ref(2)?.as_str()?, 2)?, parsed(row.get_ref(5)?.as_str()?, 5)?);
    Ok(Entry { first, last, kind, at: Time::from_millis(row.get(3)?), taken, lines })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str, column: usize) -> Result<T, SqliteError> {
    serde_json::from_str(text).map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        SqliteError::FromSqlConversionFailure(column, kind, Box::new(error))
    })
}

fn is_empty(file: &Connection) -> Result<bool, SqliteError> {
    file.query_row("SELECT count(*) FROM sqlite_schema", [], |row| Ok(row.get::<_, u64>(0)? == 0))
}

fn foreign_or_unusable(error: &SqliteError) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => foreign("it is no SQLite file"),
        _ => unusable(error),
    }
}

fn foreign(what: &str) -> Error {
    let detail = format!("the ledger cannot be served: {what}; name another file");
    Error::new(Code::StoreForeign, detail)
}

fn unusable(error: &SqliteError) -> Error {
    if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) {
        let detail = "another process serves the sandbox's ledger: stop it, or name another file";
        return Error::new(Code::StoreUnusable, detail);
    }
    Error::new(Code::StoreUnusable, format!("the sandbox's ledger cannot be used: {error}"))
}

/// "dvsb": a file that says so is a sandbox's ledger.
const APPLICATION: i64 = 0x6476_7362;

/// Written back after 32 MiB, as each time waits for the disk.
const MODE: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 8192;
";

const SCHEMA: &str = "
    PRAGMA application_id = 0x64767362;
    CREATE TABLE IF NOT EXISTS boot (n INTEGER PRIMARY KEY, terms TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS clock (n INTEGER PRIMARY KEY CHECK (n = 1), now INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS taken (n INTEGER PRIMARY KEY, at INTEGER NOT NULL,
        started INTEGER NOT NULL, fault TEXT NOT NULL, body BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS entry (last INTEGER PRIMARY KEY, first INTEGER NOT NULL,
        kind TEXT NOT NULL, at INTEGER NOT NULL, taken INTEGER NOT NULL, lines TEXT NOT NULL);
    INSERT OR IGNORE INTO clock VALUES (1, 0);
";
