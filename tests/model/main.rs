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
mod money;
mod pay;
mod pool;
mod shrink;

/// How many histories run when nobody says; about twenty seconds without optimisation.
const SEEDS: u64 = 2_000;

/// As long for the ledger, of which more is asked.
const SEEDS_BY_HAND: u64 = 400;

/// Actions of one history.
const ACTIONS: usize = 90;

#[test]
fn a_book_tells_what_plain_sums_tell() {
    shrink::play("plain_sums", SEEDS, ACTIONS, lab::Lab::run);
}

#[test]
fn a_ledger_kept_by_hand_tells_the_same_of_every_unit() {
    shrink::play("kept_by_hand", SEEDS_BY_HAND, ACTIONS, money::run);
}
