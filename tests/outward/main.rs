//! What leaves the house, judged by those who read it: a browser, and two programs that keep books.
//!
//! With `DIVVY_READERS=yes`, as in `make acceptance`, they are asked and have to be there; without
//! it, only what needs none of them is looked at.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests stop at the first thing that is not as it should be"
)]

#[path = "../stories/command.rs"]
#[expect(dead_code, unused_imports, reason = "the stories use more of it")]
mod command;
mod journals;
mod page;
#[path = "../support/command.rs"]
mod shell;

/// Whether a browser and the programs that keep books are to be asked.
#[expect(clippy::disallowed_methods, reason = "a test run is set up by its environment")]
fn readers_are_asked() -> bool {
    std::env::var("DIVVY_READERS").is_ok_and(|asked| asked == "yes")
}
