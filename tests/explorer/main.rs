//! Every way in which a batch's life can go, to a stated depth: crashes, lost commits, late and
//! doubled requests, replies that lie by silence, reorgs, returns, people, and two workers in
//! every order. The core is the real one; the host, the rail and time are the model's.
//!
//! Money moves at most once, always, and exactly once when the world heals.
//! `DIVVY_EXPLORER_DEPTH` is what the actions of one history cost together at most: 1 each, and 3
//! for a fault of the world or an act of a person, so that long histories of everyday life are
//! reached beside short ones in which much goes wrong. `DIVVY_EXPLORER_TRACES` shows the shortest
//! story of each planted mistake.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a model that panics is a red test, which is what it is for"
)]

mod actions;
mod driver;
mod heal;
mod invariants;
mod lab;
mod model;
mod mutants;
mod search;
mod world;

use model::Kind;

#[test]
fn money_moves_once_over_a_rail_that_remembers_for_ever() {
    search::hold(Kind::Unlimited);
}

#[test]
fn money_moves_once_over_a_rail_that_remembers_a_key_for_a_time() {
    search::hold(Kind::Until);
}

#[test]
fn money_moves_once_where_people_have_to_approve_it() {
    search::hold_approved(Kind::Until);
}

#[test]
fn money_moves_once_over_a_rail_that_refuses_after_a_height() {
    search::hold(Kind::UntilHeight);
}

#[test]
fn money_moves_once_over_a_chain_whose_newest_blocks_vanish() {
    search::hold(Kind::Chain);
}

#[test]
fn money_moves_once_where_a_durable_nonce_decides() {
    search::hold(Kind::Nonce);
}

#[test]
fn money_moves_once_over_a_rail_that_remembers_nothing() {
    search::hold(Kind::Once);
}

#[test]
fn nothing_is_lost_when_a_person_is_wrong_about_what_moved() {
    search::hold_misjudged(Kind::Once);
}
