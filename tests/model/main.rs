//! The book beside a naive one: plain integers, plain loops, everybody credited one by one.
//!
//! Goal: every figure that a book tells is the one that anyone would reckon by hand.
//! Method: random histories of both. After each action everything is compared: every balance, who
//! is due (by asking everyone), pools, batches, claims, totals, and each holder's exact share as a
//! fraction. All the rest is held against a ledger in the same manner: who may set rules and how
//! they share, which day money is due, what holders can prove, who agreed, and what statements say
//! of it. Its facts are then folded again in another order of their streams, and verified. A
//! history that fails is made as short as it gets and told in one line, which `DIVVY_MODEL` plays
//! again. `DIVVY_SEEDS` says how many histories, `DIVVY_SEED` from where.
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

/// How many histories run when nobody says; about twenty seconds each without optimisation.
const SEEDS: u64 = 2_000;

/// Of the ledger so much more is asked that it has one history for so many.
const ONE_IN: u64 = 5;

/// Actions of one history.
const ACTIONS: usize = 90;

#[test]
fn a_book_tells_what_plain_sums_tell() {
    shrink::play("plain_sums", 1, lab::Lab::run);
}

#[test]
fn a_ledger_kept_by_hand_tells_the_same_of_every_unit() {
    shrink::play("kept_by_hand", ONE_IN, money::run);
}
