//! A copy is a prefix of history, whole, and known as another timeline.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use divvy::core::{Code, Cursor, Fact, Manner, Written};
use divvy::{Divvy, Host, Sqlite};

use crate::desk::{Folder, hash, made};
use crate::host::{all, block_on, chain, commit, since};

#[test]
fn a_copy_made_while_others_write_is_a_prefix_of_whole_commits() {
    // Method: two callers on two handles commit three facts of two streams at a time, while copies
    // are made of a third. Each copy must be what the cursor showed up to one commit.
    let folder = Folder::new("backup");
    let path = folder.file("a");
    let host = Sqlite::open(&path).expect("a database");
    let done = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..2)
        .map(|caller| {
            let (path, done) = (path.clone(), Arc::clone(&done));
            thread::spawn(move || {
                let host = Sqlite::open(path).expect("a handle");
                let mut round = 0;
                while !done.load(Ordering::SeqCst) {
                    let pair = [format!("a{caller}-{round}"), format!("b{caller}-{round}")];
                    let facts = [chain(&pair[0], 2), chain(&pair[1], 1)].concat();
                    commit(&host, &facts, Manner::Together).expect("a commit");
                    round += 1;
                }
            })
        })
        .collect();
    let copies: Vec<_> = (0..8).map(|i| folder.file(&format!("copy{i}"))).collect();
    for copy in &copies {
        block_on(host.back_up(copy)).expect("a copy");
    }
    done.store(true, Ordering::SeqCst);
    callers.into_iter().for_each(|caller| caller.join().expect("a caller that ended"));

    let facts = all(&host);
    let mut lens = Vec::new();
    for copy in &copies {
        let found = all(&Sqlite::open_existing(copy).expect("it opens"));
        assert!(facts.starts_with(&found) && found.len().is_multiple_of(3), "{}", found.len());
        lens.push(found.len());
    }
    assert!(lens.is_sorted() && lens.first() < lens.last(), "{lens:?}");
}

#[test]
fn a_copy_is_another_timeline_and_leaves_the_first_as_it_was() {
    let folder = Folder::new("timeline");
    let path = made(&folder, "a");
    let host = Sqlite::open(&path).expect("a database");
    let cursor = block_on(host.since(None, 9)).expect("a page").cursor;
    block_on(host.keep_checkpoint(b"folded until 3".to_vec())).expect("a checkpoint");
    block_on(host.back_up(folder.file("copy"))).expect("a copy");
    assert_eq!(folder.names(), ["a", "a-shm", "a-wal", "copy"], "nothing else is left behind");

    let copy = Sqlite::open_existing(folder.file("copy")).expect("it opens");
    assert_eq!(all(&copy), all(&host));
    assert_eq!(block_on(copy.checkpoint()), None);
    let error = block_on(copy.since(Some(&cursor), 9)).expect_err("a cursor of the first");
    assert_eq!(error.code(), Code::EpochChanged);
    let theirs = block_on(copy.since(None, 9)).expect("a page").cursor;
    assert_eq!(theirs.position, cursor.position, "the cursor goes on where it was");
    // It goes on by itself, and so does the first.
    for host in [&host, &copy] {
        let written = commit(host, &chain("alice", 4)[3..], Manner::Together);
        assert_eq!(written, Ok(vec![Written::New]));
    }
    assert_eq!(block_on(host.since(Some(&cursor), 9)).expect("its own").facts.len(), 1);
    assert_eq!(block_on(host.checkpoint()).as_deref(), Some(b"folded until 3".as_slice()));
    // A copy of a copy is a third one.
    block_on(copy.back_up(folder.file("third"))).expect("a copy");
    let third = Sqlite::open_existing(folder.file("third")).expect("it opens");
    assert_ne!(block_on(third.since(None, 9)).expect("a page").cursor.epoch, theirs.epoch);
}

#[test]
fn a_copy_in_the_place_of_the_first_is_folded_anew() {
    let folder = Folder::new("restore");
    let path = made(&folder, "a");
    let host = Sqlite::open(&path).expect("a database");
    block_on(host.back_up(folder.file("copy"))).expect("a copy");
    commit(&host, &chain("bob", 2), Manner::Together).expect("a commit");
    let divvy = block_on(Divvy::open(host)).expect("it opens");
    let checkpoint = divvy.checkpoint().expect("a checkpoint");
    assert_eq!(divvy.books().count(), 5);
    drop(divvy);
    fs::rename(folder.file("copy"), &path).expect("restored");
    // Whoever kept a checkpoint elsewhere brings it along; it is of another timeline.
    let host = Arc::new(Sqlite::open_existing(&path).expect("it opens"));
    let divvy = block_on(Divvy::open_from(host, Some(&checkpoint))).expect("folded anew");
    assert_eq!(divvy.books().count(), 3);
}

#[test]
fn what_is_there_is_never_written_over() {
    let folder = Folder::new("over");
    let host = Sqlite::open(made(&folder, "a")).expect("a database");
    fs::write(folder.file("b"), "yesterday").expect("a file");
    fs::write(folder.file("c.unfinished"), "another is being made").expect("a file");
    fs::create_dir(folder.file("d")).expect("a folder");
    for name in ["a", "b", "c", "d", "no/such/place"] {
        let names = folder.names();
        let error = block_on(host.back_up(folder.file(name))).expect_err(name);
        assert!([Code::FileUnusable, Code::StoreUnusable].contains(&error.code()), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(folder.names(), names, "{name}: something was left behind");
    }
    assert_eq!(fs::read(folder.file("b")).expect("a file"), b"yesterday");
    assert_eq!(all(&host), chain("alice", 3));
}

#[test]
fn a_database_in_memory_and_one_for_reading_alone_are_copied_too() {
    let folder = Folder::new("others");
    let memory = Sqlite::in_memory().expect("a database");
    commit(&memory, &chain("alice", 3), Manner::Together).expect("a commit");
    let path = made(&folder, "a");
    let before = hash(&path);
    let reader = Sqlite::open_read_only(&path).expect("a reader");
    for (host, name) in [(&memory, "of memory"), (&reader, "of a reader")] {
        block_on(host.back_up(folder.file(name))).expect("a copy");
        let copy = Sqlite::open(folder.file(name)).expect("it opens");
        let found: Vec<Fact> = all(&copy);
        assert_eq!(found, chain("alice", 3), "{name}");
    }
    drop(reader);
    assert_eq!(hash(&path), before);
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
