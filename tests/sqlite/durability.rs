//! What a commit returned for is in the log, and a log that is cut gives whole commits or nothing.

use std::fs;

use divvy::Sqlite;
use divvy::core::{Fact, Manner};

use crate::desk::{Folder, made};
use crate::host::{all, chain, commit};

const FRAME: usize = 24 + 4_096;
const LOG_HEAD: usize = 32;

/// A database whose log was never folded into it, as a killed process leaves it: the file, the
/// log, and the commits in it.
fn killed(folder: &Folder) -> (Vec<u8>, Vec<u8>, Vec<Vec<Fact>>) {
    let path = made(folder, "a");
    let host = Sqlite::open(&path).expect("a database");
    let mut commits = vec![chain("alice", 3)];
    for i in 0..6 {
        // Three streams and at last more than one page of facts in one commit.
        let facts: Vec<Fact> = ["x", "y", "z"]
            .iter()
            .flat_map(|name| chain(&format!("{name}{i}"), 1 + i * 4))
            .collect();
        commit(&host, &facts, Manner::Together).expect("a commit");
        commits.push(facts);
    }
    let read = |name: &str| fs::read(folder.file(name)).expect("a file");
    (read("a"), read("a-wal"), commits)
}

#[test]
fn a_cut_log_gives_whole_commits_and_never_half_of_one() {
    // Method: the log is cut at every frame, just after it, and in the middle; each cut is opened
    // as if the power had failed there. Whatever comes back is a prefix of the commits.
    let folder = Folder::new("log");
    let (file, log, commits) = killed(&folder);
    let frames = log[LOG_HEAD..].chunks_exact(FRAME).len();
    assert!(frames > commits.len(), "{frames} frames");
    let ends = (0..=frames).map(|frame| LOG_HEAD + frame * FRAME);
    let cuts = ends.flat_map(|end| [end, end + 1, end + 2_000]).chain([0, 1, LOG_HEAD - 1]);
    let mut seen = vec![false; commits.len()];
    for cut in cuts.filter(|cut| *cut <= log.len()) {
        let found = reopened(&file, &log[..cut]);
        let whole = (0..commits.len()).find(|n| commits[..=*n].concat() == found);
        seen[whole.unwrap_or_else(|| panic!("cut at {cut}: half a commit"))] = true;
    }
    assert_eq!(seen, vec![true; commits.len()], "each commit was the last one for some cut");
}

#[test]
fn a_flipped_bit_in_the_log_ends_history_before_it() {
    let folder = Folder::new("bits");
    let (file, log, commits) = killed(&folder);
    for at in (0..log.len()).step_by(997) {
        let mut flipped = log.clone();
        flipped[at] ^= 0x10;
        let found = reopened(&file, &flipped);
        let whole = (0..commits.len()).any(|n| commits[..=n].concat() == found);
        assert!(whole, "flipped at {at}: half a commit");
    }
}

/// What a database says that starts with this file and this log.
fn reopened(file: &[u8], log: &[u8]) -> Vec<Fact> {
    let folder = Folder::new("reopened");
    fs::write(folder.file("a"), file).expect("a file");
    fs::write(folder.file("a-wal"), log).expect("a log");
    all(&Sqlite::open_existing(folder.file("a")).expect("it opens"))
}
