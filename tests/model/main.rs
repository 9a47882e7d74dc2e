//! The book beside a naive one: plain integers, plain loops, everybody credited one by one.
//!
//! Goal: every figure that a book tells is the one that anyone would reckon by hand.
//! Method: random histories of both. After each action everything is compared: every balance, who
//! is due (by asking everyone), pools, batches, claims, totals, and each holder's exact share as a
//! fraction. A history that fails is made as short as it gets and told in one line, which
//! `DIVVY_MODEL` plays again. `DIVVY_SEEDS` says how many histories, `DIVVY_SEED` from where.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a model that panics is a red test, which is what it is for"
)]

mod action;
mod batch;
mod book;
mod compare;
mod lab;
mod pay;
mod pool;
mod shrink;

use lab::Lab;
use shrink::History;

/// How many histories run when nobody says; about twenty seconds without optimisation.
const SEEDS: u64 = 2_000;

/// Actions of one history.
const ACTIONS: usize = 90;

#[test]
fn a_book_tells_what_plain_sums_tell() {
    if let Some(again) = shrink::setting("DIVVY_MODEL") {
        let history = History::parse(&again).expect("seed:action,action,…");
        return shrink::told(&history, Lab::run);
    }
    let number = |name: &str| shrink::setting(name).and_then(|text| text.parse().ok());
    let first: u64 = number("DIVVY_SEED").unwrap_or(0);
    // Soak counts up in ones; each of its rounds has histories of its own.
    let first = first.wrapping_mul(1_000_003);
    for seed in (0..number("DIVVY_SEEDS").unwrap_or(SEEDS)).map(|at| first.wrapping_add(at)) {
        let history = History::whole(seed, ACTIONS);
        if Lab::run(&history).is_err() {
            shrink::told(&history.shrunk(Lab::run), Lab::run);
        }
    }
}
