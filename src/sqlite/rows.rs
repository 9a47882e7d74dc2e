//! Facts as rows: written under the rules of an address, and read back.

use std::borrow::Cow;
use std::path::Path;

use divvy_core::address_taken;
use divvy_core::{Body, Code, Cursor, Error, Fact, Hash, Manner, Page, Stream, Time, Written};
use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::sqlite::refusal::{damaged, refusal};

/// Writes one commit's facts, inside the caller's transaction. After an error the caller rolls
/// back what was written of it.
pub(super) fn write(
    connection: &Connection,
    path: &Path,
    facts: &[Fact],
    manner: Manner,
) -> Result<Vec<Written>, Error> {
    let refused = |error: rusqlite::Error| refusal(path, &error);
    let mut insert = connection.prepare_cached(INSERT).map_err(refused)?;
    let mut known = connection.prepare_cached(KNOWN).map_err(refused)?;
    let mut written = Vec::with_capacity(facts.len());
    let mut before: Option<&Fact> = None;
    for fact in facts {
        let (n, at) = (column(fact, fact.n)?, column(fact, fact.at.millis())?);
        // Most facts follow the one before them in the same commit; only others cost a look.
        let follows = before.is_some_and(|before| precedes(before, fact));
        if n > 0 && !follows {
            let address = (fact.stream.as_str(), n.saturating_sub(1));
            if !known.exists(address).map_err(refused)? {
                return Err(orphan(fact));
            }
        }
        let row = (fact.stream.as_str(), n, &*fact.kind, &fact.bytes, at, fact.hash.as_bytes());
        match insert.execute(row) {
            Ok(_) => written.push(Written::New),
            Err(error) if !is_taken(&error) => return Err(refused(error)),
            Err(_) if manner == Manner::EachIfFree => written.push(Written::Taken),
            Err(_) => return Err(address_taken(&fact.stream, fact.n)),
        }
        before = Some(fact);
    }
    Ok(written)
}

fn precedes(before: &Fact, fact: &Fact) -> bool {
    before.n.checked_add(1) == Some(fact.n) && before.stream == fact.stream
}

fn orphan(fact: &Fact) -> Error {
    let (stream, n) = (&fact.stream, fact.n);
    let detail = format!("{stream}/{n} has no fact before it: read the stream and decide anew");
    Error::new(Code::FactOrphan, detail)
}

fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_CONSTRAINT_UNIQUE)
}

/// A number as SQLite keeps it: signed, so that half of the range is refused.
fn column(fact: &Fact, number: u64) -> Result<i64, Error> {
    i64::try_from(number).map_err(|_| {
        let (stream, n) = (&fact.stream, fact.n);
        let detail = format!("{stream}/{n}: {number} is beyond what a database counts");
        Error::new(Code::FactMalformed, detail)
    })
}

/// All facts of one stream, in order.
pub(super) fn read(connection: &Connection, path: &Path, of: &Stream) -> Result<Vec<Fact>, Error> {
    let refused = |error: rusqlite::Error| refusal(path, &error);
    let mut statement = connection.prepare_cached(READ).map_err(refused)?;
    let mut rows = statement.query([of.as_str()]).map_err(refused)?;
    let mut facts = Vec::new();
    while let Some(row) = rows.next().map_err(refused)? {
        facts.push(fact(row, path, facts.last())?);
    }
    Ok(facts)
}

/// Facts after a cursor.
///
/// It never skips: a reader sees whole commits only, commits happen one after the other, and each
/// draws larger numbers than all before it, so nothing can appear below a number that was seen.
pub(super) fn since(
    connection: &Connection,
    path: &Path,
    cursor: &Cursor,
    facts_max: usize,
) -> Result<Page, Error> {
    let refused = |error: rusqlite::Error| refusal(path, &error);
    let position = i64::try_from(cursor.position).map_err(|_| older(path, cursor))?;
    // One more than asked for tells whether this page is the last.
    let rows_max = i64::try_from(facts_max.saturating_add(1)).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(SINCE).map_err(refused)?;
    let mut rows = statement.query([position, rows_max]).map_err(refused)?;
    let mut page = Page { facts: Vec::new(), cursor: cursor.clone(), is_last: true };
    while let Some(row) = rows.next().map_err(refused)? {
        if page.facts.len() == facts_max {
            page.is_last = false;
            break;
        }
        page.facts.push(fact(row, path, page.facts.last())?);
        page.cursor.position = number(row, 0).map_err(|error| damaged(path, &error.to_string()))?;
    }
    if page.facts.is_empty() && page.is_last && position > newest(connection).map_err(refused)? {
        return Err(older(path, cursor));
    }
    Ok(page)
}

/// Keeps a checkpoint in place of the one before, inside the caller's transaction.
pub(super) fn keep_checkpoint(connection: &Connection, bytes: &[u8]) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM divvy_checkpoint", [])?;
    let mut insert = connection.prepare_cached(KEEP)?;
    for (part, body) in (0_i64..).zip(bytes.chunks(PART_BYTES)) {
        insert.execute((part, body))?;
    }
    Ok(())
}

/// The checkpoint that was kept last, or nothing.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<Vec<u8>> {
    let mut statement = connection.prepare_cached(KEPT)?;
    let mut rows = statement.query([])?;
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        bytes.extend_from_slice(row.get_ref(0)?.as_blob()?);
    }
    Ok(bytes)
}

/// The largest number that was ever drawn.
fn newest(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached(NEWEST)?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// A cursor that is ahead of its own database: an older copy was put in its place.
fn older(path: &Path, cursor: &Cursor) -> Error {
    let (file, position) = (path.display(), cursor.position);
    let detail = format!(
        "{file} has no fact {position} yet: it is older than the cursor. Drop cursors and \
         checkpoints, and ask the rails before paying"
    );
    Error::new(Code::EpochChanged, detail)
}

/// A row as a fact. Streams and kinds repeat, so they are shared with the fact before it.
fn fact(row: &Row<'_>, path: &Path, before: Option<&Fact>) -> Result<Fact, Error> {
    let unread = |error: rusqlite::Error| damaged(path, &error.to_string());
    let (stream, n) = (text(row, 1).map_err(unread)?, number(row, 2).map_err(unread)?);
    // What is of another type than we write was altered: it is told which fact, and what of it.
    let altered = |what: &'static str| {
        move |_: rusqlite::Error| {
            damaged(path, &format!("fact {n} of {stream}: its {what} was altered"))
        }
    };
    let kind = text(row, 3).map_err(altered("kind"))?;
    let bytes = row.get_ref(4).and_then(|value| Ok(value.as_blob()?));
    let bytes = bytes.map_err(altered("body"))?;
    let hash: [u8; 32] = row.get(6).map_err(altered("hash"))?;
    Ok(Fact {
        stream: match before {
            Some(before) if before.stream.as_str() == stream => before.stream.clone(),
            _ => Stream::parse(stream).map_err(|error| damaged(path, &error.to_string()))?,
        },
        n,
        at: Time::from_millis(number(row, 5).map_err(altered("time"))?),
        kind: match before {
            Some(before) if before.kind == kind => before.kind.clone(),
            _ => named(kind),
        },
        bytes: bytes.to_vec(),
        hash: Hash::new(hash),
    })
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r str> {
    Ok(row.get_ref(column)?.as_str()?)
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// A kind of a newer build stays text: whoever folds it refuses it by name.
fn named(kind: &str) -> Cow<'static, str> {
    let known = Body::KINDS.iter().find(|known| **known == kind);
    known.map_or_else(|| Cow::Owned(kind.to_owned()), |known| Cow::Borrowed(*known))
}

const INSERT: &str = "INSERT INTO divvy_fact (stream, n, kind, body, at, hash)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const KNOWN: &str = "SELECT 1 FROM divvy_fact WHERE stream = ?1 AND n = ?2";
const READ: &str = "SELECT seq, stream, n, kind, body, at, hash FROM divvy_fact
                    WHERE stream = ?1 ORDER BY n";
const SINCE: &str = "SELECT seq, stream, n, kind, body, at, hash FROM divvy_fact
                     WHERE seq > ?1 ORDER BY seq LIMIT ?2";
const KEEP: &str = "INSERT INTO divvy_checkpoint (part, body) VALUES (?1, ?2)";
const KEPT: &str = "SELECT body FROM divvy_checkpoint ORDER BY part";
const NEWEST: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'divvy_fact'";

/// No part of a checkpoint is larger; a value of SQLite has at most 1,000,000,000 bytes.
const PART_BYTES: usize = 16 << 20;
