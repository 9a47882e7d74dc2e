//! The SQLite host, held to the promises of a host and to what it says of files.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    reason = "a test that panics is a red test, which is what it is for"
)]

mod addresses;
mod backups;
mod cursors;
mod desk;
mod durability;
mod files;
mod foreign;
mod roster;
