//! Divvy.

mod host;
mod sqlite;

pub use divvy_core as core;
pub use host::{Host, Sender};
pub use sqlite::Sqlite;
