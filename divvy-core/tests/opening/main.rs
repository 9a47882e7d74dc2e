//! Opening a fold, from zero or from a checkpoint, and keeping it cheap.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that goes wrong should stop"
)]

mod checkpoint;
mod fold;
mod history;
mod tick;
mod verify;
