//! A rail to practise on: a world that pays, the server that serves it, and the rail that asks it.
//!
//! ```text
//! Sandbox (the rail) ── Request ──▶ Server ──▶ Keeper ──▶ World      pure: (state, request, fault)
//!                    ◀── Reply ───                └─ ledger file, written before the reply
//! ```
//!
//! [`World`] shares nothing with the engine but requests and replies, and is **willing to pay a
//! careless client twice**: it remembers a try only as its window says.
//!
//! | [`WindowKind`] | what the world remembers | how a careless client pays twice |
//! |---|---|---|
//! | `Unlimited` | the reference for ever; a coin is spent once | a second try with another coin |
//! | `Until` | the reference until a time | sends the same bytes after that time |
//! | `UntilHeight` | the reference; refuses it above a height | a new try before the height |
//! | `Once` | nothing | sends anything twice |
//!
//! Its clock moves only by requests: each carries the header `sandbox-now` in milliseconds, and
//! the world's time is the latest that it has seen. One height is ten seconds.
//!
//! | request | reply |
//! |---|---|
//! | `POST /tries` | 200 final or returned, 202 accepted, 422 refused or declined, 409, 410, 503 |
//! | `GET /tries/{reference}` | 200 with the same body, or 404, which proves nothing |
//! | `GET /tries?batch=…` | every try of that batch that ever was carried out |
//! | `GET /tries?book=…&run_from=…&after=N` | what was carried out for a book, from a run on |
//! | `GET /coins?after=N&limit=M`, `GET /coins/{coin}` | unspent coins; who spent one |
//! | `GET /height`, `POST /clock` | height and time |
//! | `GET /statement?after=N&limit=M` | what moved, came back and was undone; one line each |
//!
//! Addresses behave by their beginning: `refuse:` is refused, naming the line; `closed:` is
//! refused without naming one; `return:` settles and comes back after a day.

mod faults;
mod keeper;
mod ledger;
mod process;
mod rail;
mod server;
mod world;

pub use faults::{Fault, Faults};
pub use keeper::Keeper;
pub use process::{Options, run_process};
pub use rail::{RailSettings, Sandbox};
pub use server::{ServerSettings, serve};
pub(crate) use world::NOW_HEADER;
pub use world::{Effect, Entry, EntryKind, Outcome, Taken, Terms, WindowKind, World};
