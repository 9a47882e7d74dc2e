//! A cursor never skips, and knows its own database.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use divvy::core::{Code, Cursor, Fact, Manner, Page};
use divvy::{Host, Sqlite};

use crate::desk::{Folder, all, block_on, chain, commit};

fn since(host: &Sqlite, cursor: Option<&Cursor>, facts_max: usize) -> Page {
    block_on(host.since(cursor, facts_max)).expect("a page")
}

#[test]
fn pages_of_any_size_give_the_same_facts() {
    let host = Sqlite::in_memory().expect("a database");
    let facts: Vec<Fact> = ["a", "b", "c"].iter().flat_map(|name| chain(name, 4)).collect();
    commit(&host, &facts, Manner::Together).expect("a commit");
    for facts_max in [1, 2, 3, 4, 11, 12, 13, usize::MAX] {
        let (mut found, mut cursor, mut is_last) = (Vec::new(), None, false);
        while !is_last {
            let page = since(&host, cursor.as_ref(), facts_max);
            assert!(page.facts.len() <= facts_max && found.len() < facts.len());
            found.extend(page.facts);
            (cursor, is_last) = (Some(page.cursor), page.is_last);
        }
        assert_eq!(found, facts, "{facts_max} at a time");
        let rest = since(&host, cursor.as_ref(), facts_max);
        assert_eq!((rest.facts, rest.is_last, Some(rest.cursor)), (vec![], true, cursor));
    }
    let none = since(&host, None, 0);
    assert_eq!((none.facts, none.is_last, none.cursor.position), (vec![], false, 0));
}

#[test]
fn a_cursor_never_skips_while_two_handles_commit() {
    // Method: two handles on one file, two callers each, and a third that follows its cursor all
    // the while. It must see every fact once, each stream in its own order.
    let folder = Folder::new("cursor");
    let path = folder.file("a");
    let done = Arc::new(AtomicBool::new(false));
    let reader = Sqlite::open(&path).expect("a database");
    let follower = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let ended = done.load(Ordering::SeqCst);
                let page = since(&reader, cursor.as_ref(), 7);
                found.extend(page.facts);
                cursor = Some(page.cursor);
                if ended && page.is_last {
                    return found;
                }
            }
        }
    });
    let writers: Vec<_> =
        (0..2).map(|_| Arc::new(Sqlite::open(&path).expect("a handle"))).collect();
    let callers: Vec<_> = (0..4)
        .map(|i| {
            let host = Arc::clone(&writers[i % 2]);
            thread::spawn(move || {
                for round in 0..40 {
                    let facts = chain(&format!("c{i}-{round}"), 1 + round % 3);
                    commit(&host, &facts, Manner::Together).expect("a commit");
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().expect("a caller that ended"));
    done.store(true, Ordering::SeqCst);
    let found = follower.join().expect("the follower ended");

    assert_eq!(found, all(&writers[0]));
    let addresses: HashSet<_> = found.iter().map(|fact| (fact.stream.clone(), fact.n)).collect();
    assert_eq!(addresses.len(), found.len(), "none came twice");
    let rounds: usize = (0..40).map(|round| 1 + round % 3).sum();
    assert_eq!(found.len(), 4 * rounds);
}

#[test]
fn a_cursor_of_another_database_is_refused() {
    let folder = Folder::new("epoch");
    let host = Sqlite::open(folder.file("a")).expect("a database");
    let other = Sqlite::open(folder.file("b")).expect("another");
    let cursor = since(&other, None, 1).cursor;
    assert_ne!(cursor.epoch, since(&host, None, 1).cursor.epoch);
    let error = block_on(host.since(Some(&cursor), 1)).expect_err("a foreign cursor");
    assert_eq!(error.code(), Code::EpochChanged);
}

#[test]
fn a_cursor_ahead_of_a_restored_copy_is_refused() {
    let folder = Folder::new("restored");
    let path = folder.file("a");
    let host = Sqlite::open(&path).expect("a database");
    commit(&host, &chain("alice", 2), Manner::Together).expect("a commit");
    drop(host);
    fs::copy(&path, folder.file("backup")).expect("a copy");
    let host = Sqlite::open(&path).expect("a database");
    commit(&host, &chain("alice", 3)[2..], Manner::Together).expect("a commit");
    let cursor = since(&host, None, 9).cursor;
    assert_eq!(since(&host, Some(&cursor), 9).facts, []);
    drop(host);

    let restored = Sqlite::open(folder.file("backup")).expect("the copy");
    let error = block_on(restored.since(Some(&cursor), 9)).expect_err("facts are gone");
    assert_eq!(error.code(), Code::EpochChanged);
    let beyond = Cursor { position: u64::MAX, ..cursor };
    let error = block_on(restored.since(Some(&beyond), 9)).expect_err("no such position");
    assert_eq!(error.code(), Code::EpochChanged);
}
