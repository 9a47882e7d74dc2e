//! The log cut at every frame and in its middle, and spoilt at every frame.
//!
//! Of every opening this is asked: it is a prefix of history, of whole commits; every try that the
//! rail had been told of is in it; it folds and verifies; and the engine goes on from it to the
//! end, and nobody is paid twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use divvy::core::{Body, Code, Error, Fact};
use divvy::sandbox::{Faults, WindowKind};
use divvy::{Divvy, Host, Sqlite};

use crate::folder::{Folder, block_on};
use crate::hasty::Hasty;
use crate::history::{FRAME, LOG_HEAD, Run, days, run, set_up, take_in, worker};
use crate::till::{Rail, Till};

const WINDOWS: [WindowKind; 4] =
    [WindowKind::Unlimited, WindowKind::Until, WindowKind::UntilHeight, WindowKind::Once];

/// What is found in a database that starts with this file and this log.
fn reopened(file: &[u8], log: &[u8], alone: bool) -> Result<Vec<Fact>, Error> {
    let folder = Folder::with(file, log);
    let open = if alone { Sqlite::open_read_only } else { Sqlite::open_existing };
    let host = open(folder.file("a"))?;
    block_on(host.since(None, usize::MAX)).map(|page| page.facts)
}

/// For each prefix of history that some cut leaves, how long it was: the shortest and the longest
/// log that leaves it. Cuts inside a frame leave what cuts before them do.
fn cut_everywhere(run: &Run) -> Result<BTreeMap<usize, (usize, usize)>, String> {
    let frames = run.frames();
    let mut prefixes: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let ends = (0..=frames).map(|frame| LOG_HEAD + frame * FRAME);
    let inside = (0..frames).map(|frame| LOG_HEAD + frame * FRAME + (frame * 1_009) % FRAME);
    for cut in ends.chain(inside).chain([0, 1, LOG_HEAD - 1]) {
        // Cuts inside a frame are opened for reading alone, which flushes nothing.
        let alone = cut > LOG_HEAD && !(cut - LOG_HEAD).is_multiple_of(FRAME);
        let found = reopened(&run.file, &run.log[..cut], alone);
        let found = found.map_err(|error| error.to_string())?;
        if found[..] != run.facts[..found.len().min(run.facts.len())] {
            return Err(format!("cut at {cut}: no prefix of history"));
        }
        told_is_kept(run, &found, cut)?;
        let range = prefixes.entry(found.len()).or_insert((cut, cut));
        *range = (range.0.min(cut), range.1.max(cut));
    }
    Ok(prefixes)
}

/// Every try that the rail was told of, while the log was no longer than this, is in the facts.
fn told_is_kept(run: &Run, found: &[Fact], cut: usize) -> Result<(), String> {
    let signed: Vec<String> = found.iter().filter_map(reference).collect();
    let told = run.sent.iter().filter(|sent| sent.log_len <= cut);
    match told.into_iter().find(|sent| !signed.contains(&sent.reference)) {
        None => Ok(()),
        Some(sent) => Err(format!("cut at {cut}: try {} was sent, and is gone", sent.reference)),
    }
}

fn reference(fact: &Fact) -> Option<String> {
    let Body::Signed(signed) = fact.body().expect("a body") else { return None };
    Some(signed.reference)
}

/// The rail as it was when the log was so long.
fn rail_at(run: &Run, cut: usize) -> Rail {
    let told = run.sent.iter().rev().find(|sent| sent.log_len <= cut);
    told.map_or(&run.blank, |sent| &sent.rail).clone()
}

/// Goes on from a cut to the end: everything that came in comes in again, as providers do, and the
/// worker follows up. Nobody may be paid more than they earned, and without a window of `Once`
/// nobody less.
fn go_on(run: &Run, cut: usize, rail: Rail) -> Result<(), String> {
    let folder = Folder::with(&run.file, &run.log[..cut]);
    let host: Arc<dyn Host> = Arc::new(Sqlite::open_existing(folder.file("a")).expect("it opens"));
    let till = Arc::new(Till::new(folder.file("a-wal"), rail, Faults::default()));
    block_on(async {
        let mut divvy = Divvy::open_from(host, None).await.map_err(|error| error.to_string())?;
        divvy.verify().await.map_err(|error| format!("it does not verify: {error}"))?;
        let mut now = run.end;
        set_up(&mut divvy, now).await;
        for day in 0..days() {
            take_in(&mut divvy, day, now).await;
        }
        let mut worker = worker(run.window, Arc::clone(&till));
        for _ in 0..TICKS_MAX {
            worker.tick(&mut divvy, now).await.map_err(|error| error.to_string())?;
            let open = divvy.books().book("show").expect("the book").open_batches();
            if open.is_empty() || worker.not_before().is_none() {
                break;
            }
            now = worker.not_before().unwrap_or(now).max(now.plus_secs(1));
        }
        divvy.verify().await.map_err(|error| format!("it verifies no more: {error}"))?;
        let mut rail = till.rail();
        rail.settle(now.plus_secs(100_000));
        for payee in ["ann", "bo", "cy", "dee"] {
            let mut book = divvy.book("show").expect("the book");
            let balance = book.balance(payee, now).await.map_err(|error| error.to_string())?;
            let paid = rail.paid.get(payee).copied().unwrap_or(0);
            let (earned, held) = (balance.earned.get(), balance.obstacle.is_some());
            let late = paid < earned && run.window != WindowKind::Once && !held;
            if paid > earned {
                return Err(format!("{payee} earned {earned} and was paid {paid}"));
            }
            if late {
                return Err(format!("{payee} earned {earned} and was paid {ONLY} {paid}"));
            }
        }
        Ok(())
    })
}

const TICKS_MAX: usize = 60;
/// How a history is told that pays too little: late, and not wrong.
const ONLY: &str = "only";

#[test]
fn a_power_cut_anywhere_leaves_a_history_from_which_nobody_is_paid_twice() {
    for window in WINDOWS {
        let run = run(window, |host| Arc::new(host));
        let prefixes = cut_everywhere(&run).unwrap_or_else(|broken| panic!("{window:?}: {broken}"));
        assert_eq!(prefixes.keys().max(), Some(&run.facts.len()), "the whole log has it all");
        let (tries, frames) = (run.sent.len(), run.frames());
        assert!(tries > 10 && prefixes.len() > 20, "{tries} tries, {} prefixes", prefixes.len());
        for (i, (count, (shortest, longest))) in prefixes.iter().enumerate() {
            // The rail may have heard of all that was released, or of nothing after the commit,
            // which is asked of every third only, as less can go wrong.
            let before = Some(rail_at(&run, shortest.saturating_sub(1))).filter(|_| i % 3 == 0);
            for rail in before.into_iter().chain([rail_at(&run, *longest)]) {
                go_on(&run, *longest, rail).unwrap_or_else(|broken| {
                    panic!("{window:?}, from a prefix of {count} facts: {broken}")
                });
            }
        }
        println!(
            "{window:?}: {} facts, {frames} frames, {} prefixes, {tries} requests",
            run.facts.len(),
            prefixes.len()
        );
    }
}

#[test]
fn a_spoilt_frame_ends_history_before_it_or_is_refused_by_name() {
    let run = run(WindowKind::Until, |host| Arc::new(host));
    let frames = run.frames();
    let mut prefixes = BTreeMap::new();
    for frame in 0..frames {
        // Somewhere in its head and somewhere in its page: the checksum covers both.
        for at in [frame % 24, 24 + (frame * 997) % 4_096] {
            let (at, mut log) = (LOG_HEAD + frame * FRAME + at, run.log.clone());
            log[at] ^= 1 << (frame % 8);
            match reopened(&run.file, &log, frame % 2 == 0) {
                Ok(found) => {
                    let is_prefix = run.facts.starts_with(&found);
                    assert!(is_prefix && found.len() < run.facts.len(), "bit flipped at {at}");
                    prefixes.insert(found.len(), LOG_HEAD + frame * FRAME);
                }
                Err(error) => {
                    let known = [Code::StoreUnusable, Code::StoreForeign];
                    assert!(known.contains(&error.code()), "bit flipped at {at}: {error}");
                }
            }
        }
    }
    assert!(prefixes.len() > 20, "{} prefixes", prefixes.len());
}

#[test]
fn a_host_that_says_written_before_it_is_loses_tries_that_were_sent() {
    // The planted mistake: each commit reaches the log only when the next one comes.
    for window in WINDOWS {
        let run = run(window, |host| Arc::new(Hasty::new(host)));
        let broken = cut_everywhere(&run).expect_err("a try is sent, and then forgotten");
        assert!(broken.contains("was sent, and is gone"), "{broken}");
    }
}

#[test]
fn an_old_copy_from_any_moment_pays_nobody_again() {
    // Method: the database as it was after each commit, and the rail as it is at the very end, when
    // nothing is in the air any more. Paying stays closed where the rail shows more than the copy
    // knows, so some are paid late; nobody may be paid twice.
    for window in WINDOWS {
        let run = run(window, |host| Arc::new(host));
        let prefixes = cut_everywhere(&run).unwrap_or_else(|broken| panic!("{window:?}: {broken}"));
        let mut closed = 0;
        for (count, (_, longest)) in &prefixes {
            let mut rail = rail_at(&run, usize::MAX);
            rail.settle(run.end.plus_secs(86_400));
            match go_on(&run, *longest, rail) {
                Err(broken) if broken.contains(ONLY) => closed += 1,
                Err(broken) => panic!("{window:?}, a copy with {count} facts: {broken}"),
                Ok(()) => {}
            }
        }
        println!("{window:?}: {closed} of {} old copies stay closed", prefixes.len());
        assert!(closed > 5 || window == WindowKind::Once, "{window:?}: {closed} copies were told");
    }
}
