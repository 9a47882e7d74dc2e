//! Everything is killed, again and again; nothing is lost, and nobody is paid twice.
//!
//! Goal: whatever dies whenever, what the rail has moved is what our facts say, line by line, and
//! everyone has what they earned. Method: three workers, somebody who takes payments in, a rail
//! that fails, and a database server are processes of their own; at random moments one of them is
//! killed with -9 and started again. Then the rail is well, nothing is killed any more, and the
//! accounts are compared, with plain sums that know nothing of pools as the third.
#![cfg(unix)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::unwrap_used,
    reason = "a test that panics is a red test, which is what it is for"
)]
#![expect(clippy::disallowed_methods, reason = "processes are waited for, and told, as they are")]
#![expect(clippy::print_stdout, reason = "how to run it again is printed")]

mod accounts;
mod chance;
mod crew;
mod drill;
mod rail;
#[path = "../support/postgres.rs"]
mod server;
#[path = "../support/command.rs"]
mod shell;
mod store;

use crate::drill::drill;
use crate::store::Store;

#[test]
fn on_a_file_everything_may_be_killed_and_all_is_paid_once() {
    drill(Store::file(), "on_a_file");
}

#[test]
fn on_a_server_everything_may_be_killed_and_all_is_paid_once() {
    drill(Store::server(), "on_a_server");
}
