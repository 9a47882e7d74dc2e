//! Payments and moves inside transactions of the host's own, over drivers that we do not choose.
#![expect(
    clippy::expect_used,
    reason = "a test that panics is a red test, which is what it is for"
)]

mod book;
mod on_postgres;
mod on_sqlite;
#[path = "../support/postgres.rs"]
mod server;
