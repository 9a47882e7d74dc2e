//! The rail against a chain that loses, forgets, forks and lags.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is red, which is what it is for"
)]

mod bank;
#[path = "../../../tests/contract/bent.rs"]
mod bent;
mod careless;
mod cluster;
mod contract;
mod drive;
mod faults;
mod nonces;
mod reads;
mod words;
