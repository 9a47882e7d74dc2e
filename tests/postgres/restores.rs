//! A database that came back from somewhere is another one, and its history opens whole.

use divvy::Host;
use divvy::core::{Code, Manner};

use crate::desk::{alone, open, order};
use crate::host::{all, block_on, chain, commit};
use crate::server::{Server, run};

/// Draws thousands of transaction numbers, so that rows carry numbers which are far ahead of those
/// of a young server.
const AGE: &str = "
    CREATE TABLE age (a int);
    DO $$ BEGIN
        FOR i IN 1..5000 LOOP
            BEGIN INSERT INTO age VALUES (i); EXCEPTION WHEN others THEN NULL; END;
        END LOOP;
    END $$";

#[test]
fn a_dump_that_is_restored_elsewhere_opens_whole_under_a_new_epoch() {
    let (server, host) = alone();
    commit(&host, &chain("alice", 2), Manner::Together).expect("a commit");
    run(&server.url, AGE);
    commit(&host, &chain("bob", 2), Manner::Together).expect("a commit");
    block_on(host.keep_checkpoint(b"folded until here".to_vec())).expect("a checkpoint");
    let page = block_on(host.since(None, 99)).expect("a page");

    // Into another server, and beside itself into the same one.
    for to in [Server::shared().database(), server.database()] {
        order(&server, &format!("copy {} {to}", server.url));
        // For reading alone it is refused until somebody has taken it in.
        let error = block_on(divvy::Postgres::open_read_only(&to)).expect_err("not taken in");
        assert_eq!(error.code(), Code::EpochChanged, "{error}");

        let restored = open(&to);
        assert_eq!(all(&restored), page.facts);
        let error = block_on(restored.since(Some(&page.cursor), 9)).expect_err("an old cursor");
        assert_eq!(error.code(), Code::EpochChanged);
        assert_eq!(block_on(restored.checkpoint()), None);
        // What is written from now on comes after it, and opening again changes nothing.
        commit(&restored, &chain("alice", 3)[2..], Manner::Together).expect("a commit");
        let cursor = block_on(restored.since(None, 99)).expect("a page").cursor;
        let again = open(&to);
        assert_eq!(all(&again), [&page.facts[..], &chain("alice", 3)[2..]].concat());
        assert_eq!(block_on(again.since(Some(&cursor), 9)).expect("a page").facts, []);
    }
    // The one that was copied is what it was.
    assert_eq!(block_on(host.since(Some(&page.cursor), 9)).expect("a page").facts, []);
}

#[test]
fn a_replica_is_refused_and_a_new_timeline_is_a_new_epoch() {
    // Method: the server itself becomes a replica of nobody, and is promoted: what was open before
    // must not go on, since facts may have been lost on the way.
    let (server, host) = alone();
    commit(&host, &chain("alice", 2), Manner::Together).expect("a commit");
    let page = block_on(host.since(None, 99)).expect("a page");

    order(&server, "standby");
    let error = block_on(divvy::Postgres::open(&server.url)).expect_err("a replica");
    assert_eq!(error.code(), Code::StoreUnusable);
    assert!(error.to_string().contains("Name the primary"), "{error}");
    for error in [
        commit(&host, &chain("bob", 1), Manner::Together).expect_err("a replica"),
        block_on(host.since(Some(&page.cursor), 9)).expect_err("a replica"),
    ] {
        assert_eq!(error.code(), Code::StoreUnusable, "{error}");
    }

    order(&server, "promote");
    for error in [
        commit(&host, &chain("bob", 1), Manner::Together).expect_err("another timeline"),
        block_on(host.since(Some(&page.cursor), 9)).expect_err("another timeline"),
        block_on(host.read(&chain("bob", 1)[0].stream)).expect_err("another timeline"),
    ] {
        assert_eq!(error.code(), Code::EpochChanged, "{error}");
    }
    let promoted = open(&server.url);
    assert_eq!(all(&promoted), page.facts);
    let error = block_on(promoted.since(Some(&page.cursor), 9)).expect_err("an old cursor");
    assert_eq!(error.code(), Code::EpochChanged);
}
