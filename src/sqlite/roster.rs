//! Which workers live: a few rows that need no flush.

use divvy_core::Time;
use rusqlite::Connection;

/// A worker's own entry.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) process: String,
    pub(super) now: Time,
    pub(super) until: Time,
}

/// Writes a worker's entry, drops those that are over, and says who lives.
///
/// Losing it in a power cut costs nothing, so it waits for no flush. `NORMAL` still flushes the log
/// before it is written back, and the next commit of facts flushes all that stands before it.
///
/// The caller ends what is left open of the transaction, and flushes again from then on.
pub(super) fn enter(connection: &Connection, entry: &Entry) -> rusqlite::Result<Vec<String>> {
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let millis = |time: Time| i64::try_from(time.millis()).unwrap_or(i64::MAX);
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.prepare_cached(DROP)?.execute([millis(entry.now)])?;
    if entry.until > entry.now {
        connection.prepare_cached(ENTER)?.execute((&entry.process, millis(entry.until)))?;
    } else {
        connection.prepare_cached(LEAVE)?.execute([&entry.process])?;
    }
    let mut names = connection.prepare_cached(NAMES)?;
    let names = names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    connection.execute_batch("COMMIT")?;
    Ok(names)
}

const DROP: &str = "DELETE FROM divvy_worker WHERE until <= ?1";
const ENTER: &str = "INSERT OR REPLACE INTO divvy_worker (process, until) VALUES (?1, ?2)";
const LEAVE: &str = "DELETE FROM divvy_worker WHERE process = ?1";
const NAMES: &str = "SELECT process FROM divvy_worker ORDER BY process";
