//! What a power cut leaves: the log of a real run is cut and spoilt everywhere, and the engine goes
//! on from it beside a rail that remembers more than we do.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a red test, and a started copy says what it found"
)]

mod cuts;
mod disk;
mod folder;
mod hasty;
mod history;
mod till;
