//! Webhooks: whatever is a fact is told, at least once, in order, whoever fails or dies.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at the first thing that is not as it should be"
)]

mod copies;
mod desk;
#[path = "../support/receiver.rs"]
mod receiver;
mod refused;
mod told;
