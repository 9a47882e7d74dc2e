//! Commits that wait at the same moment share a flush, and each stands or falls by itself.

use std::sync::Arc;

use crate::desk::alone;
use crate::host::{block_on, chain, maybe_orphaned, stand_or_fall, told, under_way};
use crate::server::client;

#[test]
fn a_commit_that_falls_leaves_those_that_share_its_flush_standing() {
    // Method: 60 callers at once, each third with an orphan at its end, while somebody else holds
    // the first one's address: so the others wait together. Each commit still stands or falls
    // whole.
    let (server, host) = alone();
    let (url, host) = (server.url.clone(), Arc::new(host));
    let outcomes = block_on(async {
        let other = client(&url).await;
        let taken = "BEGIN; INSERT INTO divvy.divvy_fact (stream, n, kind, body, at, hash)
                     VALUES ('payee/chapter-42/first', 0, '', '', 0, '')";
        other.batch_execute(taken).await.expect("a lock");
        let first = under_way(&host, chain("first", 1));
        await_waiting(&other).await;
        let tasks: Vec<_> = (0..60).map(|i| under_way(&host, maybe_orphaned(i))).collect();
        tokio::task::yield_now().await;
        other.batch_execute("ROLLBACK").await.expect("the lock is given back");
        first.await.expect("a task").expect("the address is free");
        told(tasks).await
    });
    stand_or_fall(&*host, outcomes);
    let flushes = host.flushes();
    assert!((2..=3).contains(&flushes), "1 and 40 commits that wrote took {flushes} flushes");
}

/// Until some connection waits for another one's transaction.
async fn await_waiting(client: &tokio_postgres::Client) {
    let sql = "SELECT 1 FROM pg_locks WHERE NOT granted";
    while client.query_opt(sql, &[]).await.expect("an answer").is_none() {
        tokio::task::yield_now().await;
    }
}
