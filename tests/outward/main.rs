//! What leaves the house, judged by those who read it: a browser, and two programs that keep books.
//!
//! They are installed by nobody: `make acceptance` says what is missing, and fails then.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests stop at the first thing that is not as it should be"
)]

#[path = "../stories/command.rs"]
#[expect(dead_code, reason = "the stories use more of it")]
mod command;
mod journals;
mod page;
