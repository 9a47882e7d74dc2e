//! What a cursor sees while transactions of others run, and where it may stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use divvy::Host;
use divvy::core::{Code, Cursor, Manner};

use crate::desk::{alone, fresh};
use crate::host::{block_on, chain, commit, since};
use crate::server::client;

#[test]
fn a_transaction_that_stays_open_delays_and_never_hides() {
    // Method: somebody else's transaction draws the first number and the first address, and stays
    // open while we commit. What comes after it is there for whoever reads its stream, and for no
    // cursor; when it ends, both come, the earlier one first.
    let (server, host) = alone();
    let url = &server.url;
    let (early, late) = (chain("early", 1), chain("late", 1));
    commit(&host, &chain("before", 1), Manner::Together).expect("a commit");
    block_on(async {
        let other = client(url).await;
        other.batch_execute("BEGIN").await.expect("a transaction");
        let fact = &early[0];
        let sql = "INSERT INTO divvy.divvy_fact (stream, n, kind, body, at, hash)
                   VALUES ($1, 0, $2, $3, 7, $4)";
        let hash = fact.hash.as_bytes().as_slice();
        let row: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&fact.stream.as_str(), &&*fact.kind, &fact.bytes, &hash];
        other.execute(sql, &row).await.expect("a row");
        host.commit(late.clone(), Manner::Together).await.expect("a commit");
        assert_eq!(host.read(&late[0].stream).await, Ok(late.clone()));

        let page = host.since(None, 9).await.expect("a page");
        assert_eq!(page.facts, chain("before", 1));
        let page = host.since(Some(&page.cursor), 9).await.expect("a page");
        assert_eq!((page.facts, page.is_last), (vec![], true), "one is held back by another");

        other.batch_execute("COMMIT").await.expect("it ends");
        let page = host.since(Some(&page.cursor), 9).await.expect("a page");
        assert_eq!(page.facts, [early, late].concat());
    });
}

#[test]
fn what_was_committed_is_read_back_while_others_come_and_go() {
    // Method: transactions of strangers that are never all gone, each a few milliseconds long.
    let (server, host) = alone();
    let url = &server.url;
    let done = Arc::new(AtomicBool::new(false));
    let strangers: Vec<_> = (0..3)
        .map(|i| {
            let (url, done) = (url.to_owned(), Arc::clone(&done));
            thread::spawn(move || {
                block_on(async {
                    let other = client(&url).await;
                    let sql = format!("CREATE TABLE stranger{i} (a int)");
                    other.batch_execute(&sql).await.expect("a table");
                    while !done.load(Ordering::SeqCst) {
                        let sql = format!(
                            "BEGIN; INSERT INTO stranger{i} VALUES (1);
                                           SELECT pg_sleep(0.003); COMMIT"
                        );
                        other.batch_execute(&sql).await.expect("a transaction");
                    }
                });
            })
        })
        .collect();
    let mut cursor = None;
    for round in 0..50 {
        let facts = chain(&format!("p{round}"), 1);
        commit(&host, &facts, Manner::Together).expect("a commit");
        let page = since(&host, cursor.as_ref(), 9);
        assert_eq!(page.facts, facts, "{round}");
        cursor = Some(page.cursor);
    }
    done.store(true, Ordering::SeqCst);
    strangers.into_iter().for_each(|stranger| stranger.join().expect("it ended"));
}

#[test]
fn a_cursor_that_stands_at_no_fact_is_refused() {
    let (host, _) = fresh();
    commit(&host, &chain("alice", 2), Manner::Together).expect("a commit");
    let cursor = since(&host, None, 9).cursor;
    assert_eq!(since(&host, Some(&cursor), 9).facts, []);
    let (position, within) = (cursor.position, cursor.within);
    for (position, within) in
        [(position + 1, within), (position, within + 1), (u64::MAX, 0), (0, u64::MAX)]
    {
        let beyond = Cursor { position, within, ..cursor.clone() };
        let error = block_on(host.since(Some(&beyond), 9)).expect_err("no such fact");
        assert_eq!(error.code(), Code::EpochChanged);
    }
}
