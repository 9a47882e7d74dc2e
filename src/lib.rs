//! Divvy.

mod host;

pub use divvy_core as core;
pub use host::{Host, Sender};
