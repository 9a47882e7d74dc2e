//! Opening a book of a million facts over a quarter of a million holders, out of one SQLite file.
//!
//! Aims: cold in 1.5 s, from a checkpoint in 200 ms, and verified from zero in 3 s. One thread
//! reads rows while another folds them, as a host may; the fold itself knows no threads.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints what it measured")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    reason = "a bench that goes wrong should stop"
)]

mod history;
mod store;
#[path = "../support/mod.rs"]
mod support;

use std::mem::ManuallyDrop;
use std::time::Duration;

use divvy_core::{Books, Cursor, Verified, Verify};
use history::{HOLDERS, History};
use store::Store;
use support::{median, print_table, quiet_or_exit, ratio, text};

fn main() {
    quiet_or_exit();
    let history = History::new();
    let (store, live) = (Store::of(&history.facts), history.books);
    let facts = history.facts.len();
    drop(history.facts);
    let cursor = Cursor { epoch: "a1".to_owned(), position: facts as u64, within: 0 };
    let checkpoint = live.checkpoint(&cursor);
    results_agree(&store, &checkpoint, &live);
    println!(
        "{facts} facts over {HOLDERS} holders in {} MB of SQLite, a checkpoint of {} MB",
        store.bytes() / 1_000_000,
        checkpoint.len() / 1_000_000
    );

    // What was opened is kept: letting go of it is no part of opening.
    let read = median(|| store.pages(|_| ()));
    let cold = median(|| ManuallyDrop::new(cold(&store)));
    let warm = median(|| ManuallyDrop::new(Books::from_checkpoint(&checkpoint)));
    let kept = median(|| live.checkpoint(&cursor));
    let verified = median(|| ManuallyDrop::new(verified(&store)));
    let row = |what: &str, time: Duration, aim: Option<u64>| {
        let met = match aim {
            Some(aim) if time > Duration::from_millis(aim) => "MISSED",
            Some(_) => "met",
            None => "",
        };
        let aim = aim.map_or_else(String::new, |aim| format!("<= {aim} ms"));
        vec![what.to_owned(), text(time), ratio(time, cold), aim, met.to_owned()]
    };
    let head = ["opening", "median", "against cold", "aim", ""];
    print_table(&[
        head.map(str::to_owned).to_vec(),
        row("rows read alone", read, None),
        row("cold", cold, Some(1_500)),
        row("from a checkpoint", warm, Some(200)),
        row("checkpoint made", kept, None),
        row("verify from zero", verified, Some(3_000)),
    ]);
}

fn cold(store: &Store) -> Books {
    let mut books = Books::default();
    store.pages(|page| books.feed(page).expect("they fold"));
    books
}

fn verified(store: &Store) -> Verified {
    let mut verify = Verify::new();
    store.pages(|page| verify.feed(page).expect("nothing was altered"));
    verify.finish().expect("nothing is missing")
}

/// Every way to open gives the same fold.
fn results_agree(store: &Store, checkpoint: &[u8], live: &Books) {
    let verified = verified(store);
    let (restored, _) = Books::from_checkpoint(checkpoint).expect("just made");
    for books in [live, &restored, &cold(store)] {
        verified.compare(books).expect("one history has one fold");
    }
}
