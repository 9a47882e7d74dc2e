//! What only the inside can bring about: a full disk, a commit that fails, a thread that dies.

use std::path::Path;

use divvy_core::{Body, Code, Fact, Head, Held, Manner, Stream, Time, Written};
use rusqlite::Connection;

use crate::Host;
use crate::sqlite::file::File;
use crate::sqlite::{Sqlite, file, schema};

fn facts(name: &str, bytes: usize) -> Vec<Fact> {
    let stream = Stream::parse(&format!("payee/chapter-42/{name}")).expect("a stream");
    let held = Body::Held(Held { reason: "x".repeat(bytes), cause: None });
    vec![Fact::new(&Head::start(stream), Time::ZERO, &held)]
}

fn commit(host: &Sqlite, facts: Vec<Fact>) -> Result<Vec<Written>, divvy_core::Error> {
    block_on(host.commit(facts, Manner::Together))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// A database in memory with settings of the test's own.
fn tuned(sql: &str) -> Sqlite {
    let path = Path::new("planted");
    let connection = Connection::open_in_memory().expect("SQLite");
    schema::migrate(&connection, path).expect("the schema");
    file::settle(&connection).expect("the settings");
    connection.execute_batch(sql).expect("a script");
    let mut host = Sqlite::bare(path, &connection).expect("a host");
    host.start_writer(connection).expect("a thread");
    host
}

#[test]
fn a_full_disk_refuses_a_commit_whole_and_takes_the_next_that_fits() {
    let host = tuned("PRAGMA max_page_count = 20");
    assert_eq!(commit(&host, facts("small", 10)), Ok(vec![Written::New]));
    let error = commit(&host, [facts("a", 10), facts("big", 200_000)].concat()).expect_err("full");
    assert_eq!(error.code(), Code::StoreUnusable);
    assert!(error.to_string().contains("make room"), "{error}");
    assert_eq!(commit(&host, facts("a", 10)), Ok(vec![Written::New]));
    let page = block_on(host.since(None, 9)).expect("a page");
    assert_eq!(page.facts, [facts("small", 10), facts("a", 10)].concat());
}

#[test]
fn nobody_is_told_written_in_a_transaction_that_was_undone() {
    // Method: the jobs are queued by hand, so that they share one transaction; the third makes
    // SQLite roll all of it back, as a failing disk does.
    use crate::sqlite::writer::{Job, Writer};
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use tokio::sync::oneshot;

    let path = Path::new("planted");
    let connection = Connection::open_in_memory().expect("SQLite");
    schema::migrate(&connection, path).expect("the schema");
    let trigger = "CREATE TRIGGER undo AFTER INSERT ON divvy_fact WHEN new.stream LIKE '%/bad'
                   BEGIN SELECT RAISE(ROLLBACK, 'undone'); END";
    connection.execute_batch(trigger).expect("a trigger");
    let (sender, queue) = channel();
    let mut told = Vec::new();
    for name in ["a", "b", "bad", "c"] {
        let (reply, answer) = oneshot::channel();
        let job = Job::Commit(facts(name, 1), Manner::Together, reply);
        sender.send(job).expect("a queue");
        told.push(answer);
    }
    let (reply, count) = oneshot::channel();
    let ask = move |connection: &Connection| {
        let sql = "SELECT count(*) FROM divvy_fact";
        let found = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        drop(reply.send(found));
    };
    sender.send(Job::Read(Box::new(ask))).expect("a queue");
    drop(sender);
    Writer::new(connection, path.to_owned(), Arc::default()).run(&queue);

    let count = block_on(count).expect("an answer").expect("a count");
    for told in told {
        let error = block_on(told).expect("a reply").expect_err("it was undone");
        assert_eq!(error.code(), Code::StoreUnusable);
    }
    assert_eq!(count, 0);
}

#[test]
fn a_commit_that_fails_at_its_very_end_is_told_as_what_it_is() {
    // Method: a deferred foreign key makes COMMIT itself fail, after every row was taken.
    let host = tuned(
        "CREATE TABLE broken (id INTEGER REFERENCES missing (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE missing (id INTEGER PRIMARY KEY);
         CREATE TRIGGER break AFTER INSERT ON divvy_fact WHEN new.stream LIKE '%/bad'
         BEGIN INSERT INTO broken VALUES (1); END;",
    );
    assert_eq!(commit(&host, facts("good", 1)), Ok(vec![Written::New]));
    let error = commit(&host, facts("bad", 1)).expect_err("the commit failed");
    assert_eq!(error.code(), Code::CommitUnknown);
    // Nothing is written behind a commit of which nobody knows.
    let error = commit(&host, facts("later", 1)).expect_err("closed");
    assert_eq!(error.code(), Code::StoreUnusable);
    assert!(error.to_string().contains("opened again"), "{error}");
    assert_eq!(block_on(host.since(None, 9)).expect("reading goes on").facts, facts("good", 1));
}

#[test]
fn a_writer_flushes_every_commit_for_real() {
    let folder = std::env::temp_dir().join(format!("divvy-settings-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let connection = File::new(&folder.join("a")).and_then(|file| file.open_or_create());
    let connection = connection.expect("a database");
    let read = |name: &str| {
        let value = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
        connection.pragma_query_value(None, name, value).expect(name)
    };
    assert_eq!(read("synchronous"), 2.into(), "FULL");
    assert_eq!(read("journal_mode"), "wal".to_owned().into());
    assert_eq!(read("application_id"), i64::from(u32::from_be_bytes(*b"Dvvy")).into());
    drop(connection);
    std::fs::remove_dir_all(&folder).expect("it is gone");
}

#[test]
fn a_dead_thread_is_told_and_not_waited_for() {
    let mut host = tuned("");
    let (sender, queue) = std::sync::mpsc::channel();
    drop(queue);
    host.writes = Some(sender);
    let error = commit(&host, facts("a", 1)).expect_err("nobody is there");
    assert_eq!(error.code(), Code::StoreUnusable);

    // It took the job, and died over it: before or after the commit, nobody knows.
    let (sender, queue) = std::sync::mpsc::channel();
    host.writes = Some(sender);
    let thief = std::thread::spawn(move || drop(queue.recv()));
    let error = commit(&host, facts("a", 1)).expect_err("it died");
    assert_eq!(error.code(), Code::CommitUnknown);
    thief.join().expect("it ended");
    assert_eq!(
        block_on(host.read(&facts("a", 1)[0].stream)).unwrap_err().code(),
        Code::StoreUnusable
    );
}
