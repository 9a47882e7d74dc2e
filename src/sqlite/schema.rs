//! The tables, how a file comes to have them, and how it proves that they are ours.

use std::path::Path;

use divvy_core::{Code, Error};
use rusqlite::{Connection, OptionalExtension};

use crate::sqlite::refusal::{damaged, foreign, newer, refusal};

/// The steps from an empty file to the newest schema; `user_version` counts those taken.
const STEPS: [&str; 1] = [include_str!("../../schema/sqlite.sql")];

/// "Dvvy", in the file's header.
const APPLICATION_ID: u32 = 0x4476_7679;

/// Checks that a database is ours, of a version that we know, and whole as far as its head, its
/// schema and both ends of its facts go. It writes nothing.
pub(super) fn prove(connection: &Connection, path: &Path) -> Result<u32, Error> {
    let refused = |error: rusqlite::Error| refusal(path, &error);
    let owner = pragma(connection, "application_id").map_err(refused)?;
    if owner != APPLICATION_ID {
        return Err(foreign(path, &format!("its application id is {owner:#010x}")));
    }
    let version = pragma(connection, "user_version").map_err(refused)?;
    let Some(steps) = steps_until(version) else {
        return Err(newer(path, version, known()));
    };
    let reference = Connection::open_in_memory().map_err(refused)?;
    for step in steps {
        reference.execute_batch(step).map_err(refused)?;
    }
    let (found, wanted) = (tables(connection), tables(&reference));
    let (found, wanted) = (found.map_err(refused)?, wanted.map_err(refused)?);
    if found != wanted && version == 0 {
        return Err(foreign(path, "it has tables of our names, and no version"));
    }
    if found != wanted {
        return Err(damaged(path, "its tables are not those of its version"));
    }
    prove_layout(connection, path, &found)?;
    if version > 0 && !has_its_ends(connection).map_err(refused)? {
        return Err(damaged(path, "its newest fact is beyond its counter"));
    }
    Ok(version)
}

/// What would spoil the file once it is written, though it reads well: fields of the header, and a
/// first page that contradicts itself.
fn prove_layout(connection: &Connection, path: &Path, tables: &[[String; 4]]) -> Result<(), Error> {
    let read = |name: &str| pragma(connection, name).map_err(|error| refusal(path, &error));
    let vacuums = read("auto_vacuum")? != 0;
    let text = |sql: &str| {
        let answer = connection.query_row(sql, [], |row| row.get::<_, String>(0));
        answer.map_err(|error| refusal(path, &error))
    };
    if vacuums
        || text("PRAGMA encoding")? != "UTF-8"
        || read("freelist_count")? > read("page_count")?
    {
        return Err(damaged(path, "its head contradicts itself"));
    }
    // Tables that stay small are read whole.
    for table in ["sqlite_schema", "sqlite_sequence", "divvy_meta"] {
        let said = text(&format!("PRAGMA quick_check({table})"))?;
        if said != "ok" {
            return Err(damaged(path, &said.replace('\n', " ")));
        }
        if tables.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Touches the table and its index at both ends, and holds the counter of the cursor against it: a
/// counter that fell back would give numbers out again.
fn has_its_ends(connection: &Connection) -> rusqlite::Result<bool> {
    let mut newest = 0;
    for order in ["stream, n", "stream DESC, n DESC", "seq", "seq DESC"] {
        let sql = format!("SELECT seq, stream, n, kind FROM divvy_fact ORDER BY {order} LIMIT 1");
        newest = connection.query_row(&sql, [], |row| row.get(0)).optional()?.unwrap_or(0_i64);
    }
    epoch(connection)?;
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'divvy_fact'";
    let counter = connection.query_row(sql, [], |row| row.get::<_, i64>(0)).optional()?;
    Ok(newest <= counter.unwrap_or(0))
}

/// Brings a database to the newest schema, in one transaction. Several processes may try.
pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), Error> {
    let refused = |error: rusqlite::Error| refusal(path, &error);
    let owner = pragma(connection, "application_id").map_err(refused)?;
    if owner == 0 {
        // A transaction of one page, before anything else is there. From here on, whatever is
        // interrupted leaves a file that says whose it is.
        connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(refused)?;
    }
    let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", mode);
    let mode = mode.map_err(refused)?;
    if !["wal", "memory"].contains(&mode.as_str()) {
        let file = path.display();
        let detail = format!("{file} can keep no log beside it: put it on a local disk");
        return Err(Error::new(Code::StoreUnusable, detail));
    }
    connection.execute_batch("BEGIN IMMEDIATE").map_err(refused)?;
    let taken = take_steps(connection, path);
    let end = if taken.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.execute_batch(end).map_err(refused);
    taken.and(ended)
}

fn take_steps(connection: &Connection, path: &Path) -> Result<(), Error> {
    let refused = |error: rusqlite::Error| refusal(path, &error);
    // Asked again under the write lock: another process may have been quicker, or newer.
    let version = prove(connection, path)?;
    let Some(steps) = steps_from(version) else { return Err(newer(path, version, known())) };
    for step in steps {
        connection.execute_batch(step).map_err(refused)?;
    }
    if version == 0 {
        let sql = "INSERT INTO divvy_meta (name, value) VALUES ('epoch', ?1)";
        connection.execute(sql, [draw_epoch()?]).map_err(refused)?;
    }
    if version != known() {
        connection.pragma_update(None, "user_version", known()).map_err(refused)?;
    }
    Ok(())
}

/// The name that the database drew when it was made.
pub(super) fn epoch(connection: &Connection) -> rusqlite::Result<String> {
    let sql = "SELECT value FROM divvy_meta WHERE name = 'epoch'";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Makes a copy a database of its own: with an epoch that no cursor knows, and no checkpoint.
pub(super) fn begin_anew(connection: &Connection, path: &Path) -> Result<(), Error> {
    let refused = |error: rusqlite::Error| refusal(path, &error);
    connection.pragma_update(None, "synchronous", "FULL").map_err(refused)?;
    let sql = "UPDATE divvy_meta SET value = ?1 WHERE name = 'epoch'";
    connection.execute(sql, [draw_epoch()?]).map_err(refused)?;
    // Neither what was folded nor who works is the copy's.
    for table in ["divvy_checkpoint", "divvy_worker"] {
        connection.execute(&format!("DELETE FROM {table}"), []).map_err(refused)?;
    }
    prove(connection, path).map(drop)
}

fn draw_epoch() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(Code::StoreUnusable, format!("the system gives no randomness: {error}"))
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn known() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

fn steps_until(version: u32) -> Option<&'static [&'static str]> {
    STEPS.get(..usize::try_from(version).ok()?)
}

fn steps_from(version: u32) -> Option<&'static [&'static str]> {
    STEPS.get(usize::try_from(version).ok()?..)
}

/// What the schema says of our tables, with spaces evened out. Projections may be there or not.
/// Views, indexes and tables that people added beside them under names of their own are no concern
/// of ours.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<[String; 4]>> {
    let sql = r"SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema
                WHERE (tbl_name LIKE 'divvy\_%' ESCAPE '\' OR tbl_name = 'sqlite_sequence')
                  AND tbl_name NOT IN ('divvy_balances', 'divvy_payments', 'divvy_batches',
                                       'divvy_projected')
                  AND (name LIKE 'divvy\_%' ESCAPE '\' OR name LIKE 'sqlite\_%' ESCAPE '\')
                ORDER BY type, name";
    let mut statement = connection.prepare(sql)?;
    let evened = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let rows = statement.query_map([], |row| {
        let sql: String = row.get(3)?;
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, evened(sql)])
    })?;
    rows.collect()
}
