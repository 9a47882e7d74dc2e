//! Files of ours: made, opened again, brought up to date, read only, shared by processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use divvy::core::{Code, Manner};
use divvy::{Host, Sqlite};
use rusqlite::Connection;

use crate::desk::{Folder, hash, made};
use crate::host::{all, block_on, chain, commit, read};

#[test]
fn a_database_is_one_file_when_it_is_closed() {
    let folder = Folder::new("one");
    let path = made(&folder, "shop ?#%41é.divvy");
    assert_eq!(folder.names(), ["shop ?#%41é.divvy"]);
    for open in [Sqlite::open, Sqlite::open_existing, Sqlite::open_read_only] {
        let host = open(path.clone()).expect("ours");
        assert_eq!(all(&host), chain("alice", 3));
    }
    let connection = Connection::open(&path).expect("SQLite opens it");
    let kept: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .expect("an integrity check");
    assert_eq!(kept, "ok");
}

#[test]
fn its_epoch_and_checkpoint_stay_when_it_is_opened_again() {
    let folder = Folder::new("again");
    let path = folder.file("a");
    let host = Sqlite::open(&path).expect("a database");
    assert_eq!(block_on(host.checkpoint()), None);
    for kept in [b"first".as_slice(), &vec![7; 40 << 20], b""] {
        block_on(host.keep_checkpoint(kept.to_vec())).expect("a checkpoint");
    }
    block_on(host.keep_checkpoint(b"last".to_vec())).expect("a checkpoint");
    let cursor = block_on(host.since(None, 1)).expect("a page").cursor;
    drop(host);
    let host = Sqlite::open(&path).expect("the same");
    assert_eq!(block_on(host.checkpoint()).as_deref(), Some(b"last".as_slice()));
    assert_eq!(block_on(host.since(None, 1)).expect("a page").cursor, cursor);
}

#[test]
fn a_file_of_an_older_schema_is_brought_to_this_one() {
    let folder = Folder::new("older");
    let sql = |path: &Path, sql: &str| {
        Connection::open(path).expect("SQLite").execute_batch(sql).expect("a script");
    };
    let before = "PRAGMA application_id = 1148614265;";
    fs::write(folder.file("empty"), "").expect("an empty file");
    sql(&folder.file("named"), before);
    sql(&folder.file("logged"), &format!("{before} PRAGMA journal_mode = WAL;"));
    sql(&folder.file("beside"), &format!("{before} CREATE TABLE orders (id INTEGER);"));
    for name in ["empty", "named", "logged", "beside"] {
        let path = folder.file(name);
        drop(Sqlite::open(&path).expect(name));
        let host = Sqlite::open_existing(&path).expect(name);
        commit(&host, &chain("alice", 2), Manner::Together).expect(name);
        drop(host);
        let version = Connection::open(&path)
            .and_then(|file| file.pragma_query_value(None, "user_version", |row| row.get(0)));
        assert_eq!((version, folder.names().contains(&name.to_owned())), (Ok(1), true), "{name}");
    }
}

#[test]
fn what_people_add_beside_our_tables_is_theirs() {
    let folder = Folder::new("beside");
    let path = made(&folder, "a");
    Connection::open(&path)
        .expect("SQLite")
        .execute_batch(
            "CREATE TABLE orders (id INTEGER);
             CREATE VIEW payees AS SELECT DISTINCT stream FROM divvy_fact;
             CREATE INDEX by_kind ON divvy_fact (kind);",
        )
        .expect("a script");
    assert_eq!(all(&Sqlite::open(&path).expect("still ours")), chain("alice", 3));
}

#[test]
fn a_database_that_is_not_there_is_told_and_not_made() {
    let folder = Folder::new("missing");
    for open in [Sqlite::open_existing, Sqlite::open_read_only] {
        let error = open(folder.file("a")).expect_err("nothing there");
        assert_eq!(error.code(), Code::StoreUnusable);
        assert!(error.to_string().contains("make one first"), "{error}");
    }
    let places = [folder.file("no/such/a"), folder.file("."), PathBuf::from("")];
    for path in places {
        let error = Sqlite::open(&path).expect_err("no place for a file");
        assert_eq!(error.code(), Code::StoreUnusable, "{error}");
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn reading_alone_writes_nothing() {
    let folder = Folder::new("reading");
    let path = made(&folder, "a");
    let before = hash(&path);
    let host = Sqlite::open_read_only(&path).expect("a database");
    assert_eq!(all(&host), chain("alice", 3));
    for manner in [Manner::Together, Manner::EachIfFree] {
        let error = commit(&host, &chain("bob", 1), manner).expect_err("read only");
        assert_eq!(error.code(), Code::StoreUnusable);
        assert!(error.to_string().contains("for reading alone"), "{error}");
    }
    assert!(block_on(host.keep_checkpoint(b"x".to_vec())).is_err());
    drop(host);
    assert_eq!(hash(&path), before);
}

#[test]
fn whoever_reads_alone_sees_what_another_writes() {
    let folder = Folder::new("live");
    let path = made(&folder, "a");
    let writer = Sqlite::open(&path).expect("a writer");
    let reader = Sqlite::open_read_only(&path).expect("a reader");
    commit(&writer, &chain("bob", 2), Manner::Together).expect("a commit");
    assert_eq!(read(&reader, "bob"), chain("bob", 2));
}

#[test]
fn several_processes_write_one_file() {
    // Method: this test starts itself three times more; a started one is told the path as a filter
    // that matches no test. All begin on a file that is not there, and all want the same addresses.
    let name = "files::several_processes_write_one_file";
    if let Some(path) = std::env::args().find(|arg| arg.ends_with(".two-processes")) {
        let host = Sqlite::open(path).expect("a shared database");
        for i in 0..30 {
            let own = chain(&format!("own{}-{i}", std::process::id()), 2);
            // One by one: the second looks for the first before it writes.
            for fact in &own {
                let one = std::slice::from_ref(fact);
                commit(&host, one, Manner::Together).expect("an address of its own");
            }
            match commit(&host, &chain(&format!("both{i}"), 2), Manner::Together) {
                Ok(_) => commit(&host, &chain(&format!("won{i}"), 1), Manner::Together)
                    .map(drop)
                    .expect("only one can win"),
                Err(error) => assert_eq!(error.code(), Code::AddressTaken),
            }
        }
        return;
    }
    let folder = Folder::new("processes");
    let path = folder.file("a.two-processes");
    let start = || {
        let itself = std::env::current_exe().expect("the test itself");
        Command::new(itself)
            .args(["--exact", name])
            .arg(&path)
            .stdout(Stdio::null())
            .spawn()
            .expect("a process")
    };
    for mut child in [start(), start(), start()] {
        assert!(child.wait().expect("its end").success());
    }
    let host = Sqlite::open_existing(&path).expect("the shared database");
    assert_eq!(all(&host).len(), 3 * 30 * 2 + 30 * 2 + 30);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_written_is_told_and_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    // Method: a superuser may write anything, so such a one starts this test again as nobody.
    let name = "files::a_file_that_may_not_be_written_is_told_and_can_be_read";
    if let Some(path) = std::env::args().find(|arg| arg.ends_with(".read-only")) {
        refuses_to_write(Path::new(&path));
        return;
    }
    let folder = Folder::new("permission");
    let path = made(&folder, "a.read-only");
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    allow(&path, 0o444);
    allow(&folder.file("."), 0o555);
    if fs::write(folder.file("new"), "").is_err() {
        refuses_to_write(&path);
    } else {
        let mut itself = Command::new(std::env::current_exe().expect("the test itself"));
        match itself
            .args(["--exact", name])
            .arg(&path)
            .uid(65_534)
            .gid(65_534)
            .stdout(Stdio::null())
            .spawn()
        {
            Ok(mut child) => assert!(child.wait().expect("its end").success()),
            Err(error) => println!("not shown, nobody cannot run this test: {error}"),
        }
    }
    allow(&folder.file("."), 0o755);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_in_a_writable_folder_is_told_when_it_is_opened() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("one-file");
    let path = made(&folder, "a");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("a mode");
    if fs::OpenOptions::new().append(true).open(&path).is_ok() {
        println!("not shown: a superuser writes it all the same");
        return;
    }
    let error = Sqlite::open(&path).expect_err("read only");
    assert!(error.to_string().contains("may not be written"), "{error}");
}

#[cfg(unix)]
fn refuses_to_write(path: &Path) {
    let before = hash(path);
    let new = path.with_extension("new");
    for (path, what) in [(path, "a read-only file"), (&new, "a new file in a read-only folder")] {
        let error = Sqlite::open(path).expect_err(what);
        assert_eq!(error.code(), Code::StoreUnusable, "{what}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert!(
            error.to_string().contains("may be written") || error.to_string().contains("allow")
        );
    }
    assert_eq!(all(&Sqlite::open_read_only(path).expect("it can be read")), chain("alice", 3));
    assert_eq!(hash(path), before);
}
