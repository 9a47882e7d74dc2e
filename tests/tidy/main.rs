//! The house rules as tests. A rule nobody runs is a wish, so each one reads the whole tree, and
//! each one is first shown a planted mistake that it must catch.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a house rule that panics is a red test, which is what it is for"
)]

mod arrows;
mod code;
mod codes;
mod docs;
mod house;
mod licences;
mod links;
mod places;
mod repeats;
mod runners;
mod sizes;
mod words;
