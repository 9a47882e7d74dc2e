//! The command as a user meets it: whole jobs, killed and run again, and bad input.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at the first thing that is not as it should be"
)]

mod approvals;
mod backups;
mod bad_input;
mod chains;
mod command;
mod demands;
mod desk;
mod fees;
mod jobs;
mod kills;
mod outward;
mod pages;
mod payees;
mod policies;
mod projections;
#[path = "../support/receiver.rs"]
mod receiver;
mod rehearsals;
mod review;
mod rules;
#[path = "../support/postgres.rs"]
mod server;
mod servers;
#[path = "../support/command.rs"]
mod shell;
mod tiers;
mod webhooks;
mod workers;
