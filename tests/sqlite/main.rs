//! The SQLite host, held to the promises of a host and to what it says of files.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    reason = "a test that panics is a red test, which is what it is for"
)]

#[path = "../support/host/addresses.rs"]
mod addresses;
mod backups;
#[path = "../support/host/cursors.rs"]
mod cursors;
mod desk;
mod durability;
mod files;
mod flushes;
mod foreign;
#[path = "../support/host.rs"]
mod host;
#[path = "../support/host/roster.rs"]
mod roster;
