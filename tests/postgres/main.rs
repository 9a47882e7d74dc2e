//! The PostgreSQL host, held to the promises of a host and to what it says of servers.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a red test, which is what it is for"
)]

#[path = "../support/host/addresses.rs"]
mod addresses;
#[path = "../support/host/cursors.rs"]
mod cursors;
mod desk;
mod durability;
mod flushes;
mod foreign;
mod horizon;
#[path = "../support/host.rs"]
mod host;
mod lines;
mod restores;
#[path = "../support/host/roster.rs"]
mod roster;
#[path = "../support/postgres.rs"]
mod server;
