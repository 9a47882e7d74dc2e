//! The conformance suite itself: our hosts pass it, and each planted mistake is caught by name.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is a red test, which is what it is for"
)]

mod mistakes;
mod postgres;
#[path = "../support/postgres.rs"]
mod server;
mod shelf;
mod sqlite;

/// `DIVVY_FACTS` says how many facts there shall be at most.
#[expect(clippy::disallowed_methods, reason = "a suite's counts come from the environment")]
pub(crate) fn facts() -> usize {
    let told = std::env::var("DIVVY_FACTS").ok();
    told.map_or(20_000, |told| told.parse().expect("DIVVY_FACTS is a number"))
}
