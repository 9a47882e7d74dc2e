//! Commits that wait at the same moment share a flush, and each stands or falls by itself.

use std::sync::Arc;

use divvy::Sqlite;
use rusqlite::Connection;

use crate::desk::Folder;
use crate::host::{block_on, maybe_orphaned, stand_or_fall, told, under_way};

#[test]
fn a_commit_that_falls_leaves_those_that_share_its_flush_standing() {
    // Method: 60 callers at once, each third with an orphan at its end, while somebody else holds
    // the write lock: so they wait together. Each commit still stands or falls whole.
    let folder = Folder::new("shared");
    let host = Arc::new(Sqlite::open(folder.file("a")).expect("a database"));
    let lock = Connection::open(folder.file("a")).expect("a second connection");
    lock.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let outcomes = block_on(async {
        let tasks: Vec<_> = (0..60).map(|i| under_way(&host, maybe_orphaned(i))).collect();
        tokio::task::yield_now().await;
        lock.execute_batch("ROLLBACK").expect("the lock is given back");
        told(tasks).await
    });
    stand_or_fall(&*host, outcomes);
    let flushes = host.flushes();
    assert!((1..=2).contains(&flushes), "40 commits that wrote took {flushes} flushes");
}
