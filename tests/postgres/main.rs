//! The PostgreSQL host, held to the promises of a host and to what it says of servers.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a red test, which is what it is for"
)]

mod addresses;
mod cursors;
mod desk;
mod durability;
mod foreign;
mod lines;
mod restores;
mod roster;
#[path = "../support/postgres.rs"]
mod server;
