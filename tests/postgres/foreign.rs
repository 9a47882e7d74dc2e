//! Schemas that are refused are left as they are, and several processes may make one at once.

use std::thread;

use divvy::core::{Code, Manner, Time};
use divvy::{Host, Postgres};

use crate::desk::{fresh, open};
use crate::host::{all, block_on, chain, commit};
use crate::server::{Server, run};

fn refused(url: &str) -> divvy::core::Error {
    let error = block_on(Postgres::open(url)).expect_err("it is refused");
    let again = block_on(Postgres::open_existing(url)).expect_err("it is refused");
    assert_eq!(error.code(), again.code(), "{error} / {again}");
    error
}

#[test]
fn schemas_of_others_and_of_newer_builds_are_refused_and_left_as_they_are() {
    let ours = include_str!("../../schema/postgresql.sql");
    let cases = [
        ("CREATE SCHEMA divvy; CREATE TABLE divvy.a (b int)", "none that says whose"),
        (&format!("CREATE SCHEMA divvy; {ours}"), "no version"),
    ];
    for (sql, words) in cases {
        let url = Server::shared().database();
        run(&url, sql);
        let error = refused(&url);
        assert_eq!(error.code(), Code::StoreForeign, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains("It was left as it is"), "{error}");
    }
    let changes = [
        ("UPDATE divvy.divvy_meta SET value = '2' WHERE name = 'schema'", Code::StoreForeign),
        ("ALTER TABLE divvy.divvy_fact ADD COLUMN more int", Code::StoreUnusable),
        ("ALTER TABLE divvy.divvy_fact DROP CONSTRAINT divvy_fact_pkey", Code::StoreUnusable),
        ("ALTER TABLE divvy.divvy_fact ENABLE ROW LEVEL SECURITY", Code::StoreUnusable),
        ("CREATE TABLE divvy.divvy_more (a int)", Code::StoreUnusable),
        ("DELETE FROM divvy.divvy_meta WHERE name = 'epoch'", Code::StoreUnusable),
    ];
    for (sql, code) in changes {
        let (host, url) = fresh();
        commit(&host, &chain("alice", 1), Manner::Together).expect("a commit");
        drop(host);
        run(&url, sql);
        let error = refused(&url);
        assert_eq!(error.code(), code, "{sql}: {error}");
        assert!(error.to_string().contains("left as it is"), "{sql}: {error}");
    }
}

#[test]
fn a_schema_that_was_made_for_us_is_filled_and_a_strangers_search_path_changes_nothing() {
    let url = Server::shared().database();
    run(&url, "CREATE SCHEMA divvy; CREATE SCHEMA trap; CREATE TABLE trap.divvy_fact (a int)");
    let role = "CREATE ROLE till LOGIN PASSWORD 'p'; ALTER ROLE till SET search_path = trap;
                GRANT CREATE, USAGE ON SCHEMA divvy TO till; GRANT USAGE ON SCHEMA trap TO till";
    run(&url, role);
    let (_, server) = url.split_once('@').expect("a user");
    let host = open(&format!("postgresql://till:p@{server}"));
    commit(&host, &chain("alice", 2), Manner::Together).expect("a commit");
    assert_eq!(all(&host), chain("alice", 2));
}

#[test]
fn the_grants_of_the_page_are_enough_to_work_and_not_to_change_what_happened() {
    let page = include_str!("../../docs/postgresql.md");
    let grants = page.split("```sql").find(|part| part.contains("GRANT")).expect("grants");
    let grants = grants.split("```").next().expect("their end").replace(" till;", " clerk;");
    let (host, url) = fresh();
    commit(&host, &chain("alice", 1), Manner::Together).expect("a commit");
    run(&url, &format!("CREATE ROLE clerk LOGIN PASSWORD 'p'; {grants}"));
    let (_, server) = url.split_once('@').expect("a user");
    let clerk = format!("postgresql://clerk:p@{server}");
    for opened in [block_on(Postgres::open(&clerk)), block_on(Postgres::open_existing(&clerk))] {
        let host = opened.expect("enough to open");
        let facts = chain("bob", 1);
        commit(&host, &facts, Manner::EachIfFree).expect("enough to commit");
        assert_eq!(all(&host).len(), 2);
        block_on(host.keep_checkpoint(b"x".to_vec())).expect("enough for a checkpoint");
        block_on(host.roster("p", Time::from_millis(1), Time::from_millis(2))).expect("enough");
    }
    for change in ["DELETE FROM divvy.divvy_fact", "UPDATE divvy.divvy_fact SET n = 7"] {
        let refused = std::panic::catch_unwind(|| run(&clerk, change));
        assert!(refused.is_err(), "{change}");
    }
}

#[test]
fn processes_that_open_at_once_make_one_schema() {
    let url = Server::shared().database();
    let openings: Vec<_> = (0..8)
        .map(|i| {
            let url = url.clone();
            thread::spawn(move || {
                let host = open(&url);
                commit(&host, &chain(&format!("p{i}"), 1), Manner::Together).expect("a commit");
                block_on(host.since(None, 99)).expect("a page").cursor.epoch
            })
        })
        .collect();
    let mut epochs: Vec<String> =
        openings.into_iter().map(|opening| opening.join().expect("it opened")).collect();
    epochs.dedup();
    assert_eq!(epochs.len(), 1, "{epochs:?}");
    assert_eq!(all(&open(&url)).len(), 8);
}

#[test]
fn nothing_is_made_where_it_must_be_there_and_nothing_is_written_by_who_only_reads() {
    let url = Server::shared().database();
    for error in [
        block_on(Postgres::open_existing(&url)).expect_err("nothing is there"),
        block_on(Postgres::open_read_only(&url)).expect_err("nothing is there"),
    ] {
        assert_eq!(error.code(), Code::StoreUnusable, "{error}");
    }
    commit(&open(&url), &chain("alice", 1), Manner::Together).expect("a commit");
    let reader = block_on(Postgres::open_read_only(&url)).expect("it is there");
    assert_eq!(all(&reader), chain("alice", 1));
    let error = commit(&reader, &chain("bob", 1), Manner::Together).expect_err("for reading");
    assert_eq!(error.code(), Code::StoreUnusable);
    assert!(block_on(reader.keep_checkpoint(b"x".to_vec())).is_err());
}
