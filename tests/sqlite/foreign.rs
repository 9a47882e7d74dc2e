//! Files that are refused are left as they are, to the last byte, and nothing is put beside them.

use std::fs;
use std::path::{Path, PathBuf};

use divvy::Sqlite;
use divvy::core::{Code, Manner};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::desk::{Folder, hash, made};
use crate::host::{all, chain, commit};

type Open = fn(PathBuf) -> Result<Sqlite, divvy::core::Error>;
const OPENINGS: [Open; 3] = [Sqlite::open, Sqlite::open_existing, Sqlite::open_read_only];

/// Opens a file in every way; it must be refused with this code and these words, untouched.
fn refused(folder: &Folder, path: &Path, code: Code, words: &str) {
    let (before, names) = (hash(path), folder.names());
    for open in OPENINGS {
        let error = open(path.to_owned()).expect_err(words);
        assert_eq!(error.code(), code, "{error}");
        let said = error.to_string();
        assert!(said.contains(words) && said.contains(&path.display().to_string()), "{said}");
        assert!(said.contains("It was left as it is"), "{said}");
    }
    assert_eq!(hash(path), before, "{words}: touched");
    assert_eq!(folder.names(), names, "{words}: something was put beside it");
}

fn script(path: &Path, sql: &str) {
    Connection::open(path).expect("SQLite").execute_batch(sql).expect("a script");
}

#[test]
fn files_of_other_programs_are_refused_and_left_as_they_are() {
    let folder = Folder::new("foreign");
    let schema = include_str!("../../schema/sqlite.sql");
    let databases = [
        ("other", "PRAGMA application_id = 7; CREATE TABLE a (b)".to_owned(), "0x00000007"),
        ("unnamed", "CREATE TABLE a (b)".to_owned(), "0x00000000"),
        ("bare", "CREATE TABLE a (b); DROP TABLE a".to_owned(), "0x00000000"),
        ("logged", "PRAGMA journal_mode = WAL; CREATE TABLE a (b)".to_owned(), "0x00000000"),
        ("alike", schema.to_owned(), "0x00000000"),
        ("odd", format!("PRAGMA application_id = 1148614265; {schema}"), "no version"),
    ];
    for (name, sql, words) in databases {
        script(&folder.file(name), &sql);
        refused(&folder, &folder.file(name), Code::StoreForeign, words);
    }
    let files = [
        ("text", b"milk, eggs".to_vec()),
        ("zeros", vec![0; 8_192]),
        ("long", b"payment,amount\n".repeat(100_000)),
        ("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ("alike16", b"SQLite format 3\0".to_vec()),
    ];
    for (name, bytes) in files {
        fs::write(folder.file(name), bytes).expect("a file");
        refused(&folder, &folder.file(name), Code::StoreForeign, "no SQLite file");
    }
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let folder = Folder::new("newer");
    let path = made(&folder, "a");
    script(&path, "PRAGMA user_version = 2");
    refused(&folder, &path, Code::StoreForeign, "has schema 2, and this build knows 1");
}

#[test]
fn a_newer_version_that_only_the_log_knows_is_refused_with_its_log() {
    let folder = Folder::new("newer-log");
    let path = made(&folder, "a");
    let connection = Connection::open(&path).expect("SQLite");
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("a setting");
    connection.execute_batch("PRAGMA user_version = 9").expect("a script");
    drop(connection);
    let log = folder.file("a-wal");
    let (file, wal) = (hash(&path), hash(&log));
    for open in OPENINGS {
        let error = open(path.clone()).expect_err("newer");
        assert!(error.to_string().contains("has schema 9"), "{error}");
    }
    assert_eq!((hash(&path), hash(&log)), (file, wal));
}

#[test]
fn a_cut_off_file_is_refused_and_left_as_it_is() {
    let folder = Folder::new("cut");
    let path = made(&folder, "a");
    let whole = fs::read(&path).expect("the file");
    let pages = whole.chunks(4_096).len();
    assert!(pages > 3, "{pages} pages");
    for len in [1, 99, 100, 511, 512, 4_095].into_iter().chain((1..pages).map(|p| p * 4_096)) {
        for len in [len, len + 1] {
            fs::write(&path, &whole[..len]).expect("a cut file");
            let code = if len < 512 { Code::StoreForeign } else { Code::StoreUnusable };
            refused(&folder, &path, code, if len < 512 { "no SQLite file" } else { "damaged" });
        }
    }
    fs::write(&path, [&whole[..], b"x"].concat()).expect("a longer file");
    refused(&folder, &path, Code::StoreUnusable, "damaged");
}

#[test]
fn tables_that_are_not_those_of_their_version_are_refused_and_left_as_they_are() {
    let folder = Folder::new("tables");
    let scripts = [
        "DROP TABLE divvy_checkpoint",
        "DROP TABLE divvy_fact",
        "CREATE TABLE divvy_more (a)",
        "ALTER TABLE divvy_fact ADD COLUMN more",
        "ALTER TABLE divvy_fact RENAME COLUMN at TO moment",
        "PRAGMA user_version = 0",
        // The cursor would give numbers out again.
        "UPDATE sqlite_sequence SET seq = 1",
        "DELETE FROM sqlite_sequence",
    ];
    for (at, sql) in scripts.into_iter().enumerate() {
        let path = made(&folder, &at.to_string());
        script(&path, sql);
        let (code, words) = match sql {
            "PRAGMA user_version = 0" => (Code::StoreForeign, "no version"),
            _ => (Code::StoreUnusable, "damaged"),
        };
        refused(&folder, &path, code, words);
    }
    let path = made(&folder, "vacuums");
    script(&path, "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = FULL; VACUUM");
    refused(&folder, &path, Code::StoreUnusable, "its head contradicts itself");
}

#[test]
fn an_emptied_file_with_its_log_beside_it_is_refused_with_its_log() {
    let folder = Folder::new("emptied");
    fs::write(folder.file("a"), "").expect("an empty file");
    fs::write(folder.file("a-wal"), "what is left of the facts").expect("a log");
    refused(&folder, &folder.file("a"), Code::StoreUnusable, "it is empty, and its log is not");
    assert_eq!(fs::read(folder.file("a-wal")).expect("the log"), b"what is left of the facts");
}

#[test]
fn a_flipped_byte_of_the_first_page_is_refused_or_does_no_harm() {
    // Method: one byte at a time: the whole header, and the rest in steps. A file that opens all
    // the same must give every fact back and take new ones.
    let folder = Folder::new("flipped");
    let path = made(&folder, "a");
    let whole = fs::read(&path).expect("the file");
    let (mut refusals, mut harmless) = (0, 0);
    // Bytes 64 to 67 are read by nobody while auto_vacuum, which is looked at, is off.
    for at in (0..64).chain(68..108).chain((108..4_096).step_by(43)) {
        for mask in [0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            fs::write(&path, &bytes).expect("a damaged file");
            match Sqlite::open(&path) {
                Err(error) => {
                    let known = [Code::StoreForeign, Code::StoreUnusable].contains(&error.code());
                    assert!(known, "byte {at}: {error}");
                    assert_eq!(fs::read(&path).expect("the file"), bytes, "byte {at}: touched");
                    assert_eq!(folder.names(), ["a"], "byte {at}: {error}");
                    refusals += 1;
                }
                Ok(host) => {
                    assert_eq!(all(&host), chain("alice", 3), "byte {at}");
                    commit(&host, &chain("bob", 40), Manner::Together)
                        .unwrap_or_else(|error| panic!("byte {at}: {error}"));
                    drop(host);
                    let check = |file: Connection| {
                        file.pragma_query_value(None, "integrity_check", |row| row.get(0))
                    };
                    let kept: String =
                        Connection::open(&path).and_then(check).expect("an integrity check");
                    assert_eq!(kept, "ok", "byte {at}");
                    harmless += 1;
                }
            }
        }
    }
    println!("{refusals} flips refused, {harmless} harmless");
    // What is free on the page may hold anything.
    assert!(refusals > 100, "{refusals} flips refused, {harmless} harmless");
}
