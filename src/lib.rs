//! Divvy.

mod host;
pub mod sandbox;

pub use divvy_core as core;
pub use host::{Host, Sender};
