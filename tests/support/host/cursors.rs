//! A cursor never skips, and knows its own database.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use divvy::Host;
use divvy::core::{Code, Fact, Manner};

use crate::desk::{fresh, open};
use crate::host::{all, block_on, chain, commit, since};

#[test]
fn pages_of_any_size_give_the_same_facts() {
    let (host, _place) = fresh();
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
    // Method: two handles on one database, two callers each, and a third that follows its cursor
    // all the while. It must see every fact once, each stream in its own order.
    let (reader, place) = fresh();
    let done = Arc::new(AtomicBool::new(false));
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
    let writers: Vec<_> = (0..2).map(|_| Arc::new(open(&place))).collect();
    let callers: Vec<_> = (0..4)
        .map(|i| {
            let host = Arc::clone(&writers[i % 2]);
            thread::spawn(move || {
                for round in 0..40 {
                    let facts = chain(&format!("c{i}-{round}"), 1 + round % 3);
                    commit(&*host, &facts, Manner::Together).expect("a commit");
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().expect("a caller that ended"));
    done.store(true, Ordering::SeqCst);
    let found = follower.join().expect("the follower ended");

    assert_eq!(found, all(&*writers[0]));
    let addresses: HashSet<_> = found.iter().map(|fact| (fact.stream.clone(), fact.n)).collect();
    assert_eq!(addresses.len(), found.len(), "none came twice");
    let rounds: usize = (0..40).map(|round| 1 + round % 3).sum();
    assert_eq!(found.len(), 4 * rounds);
}

#[test]
fn a_cursor_of_another_database_is_refused() {
    let ((host, _place), (other, _elsewhere)) = (fresh(), fresh());
    let cursor = since(&other, None, 1).cursor;
    assert_ne!(cursor.epoch, since(&host, None, 1).cursor.epoch);
    let error = block_on(host.since(Some(&cursor), 1)).expect_err("a foreign cursor");
    assert_eq!(error.code(), Code::EpochChanged);
}
