//! What a power cut leaves: the log of a real run is cut and spoilt everywhere, and the engine goes
//! on from it beside a rail that remembers more than we do.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a red test, which is what it is for"
)]

mod cuts;
mod disk;
mod folder;
mod hasty;
mod history;
mod till;
