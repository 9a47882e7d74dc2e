//! Divvy.

mod clock;
mod host;
mod http;
mod sqlite;

pub use clock::{Clock, Told};
pub use divvy_core as core;
pub use host::{Host, Sender};
pub use http::{Credential, Http, Limits};
pub use sqlite::Sqlite;
