//! The conformance suite itself: our hosts pass it, and each planted mistake is caught by name.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is a red test, which is what it is for"
)]

mod mistakes;
mod shelf;
mod sqlite;
