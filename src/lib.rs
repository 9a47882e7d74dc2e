//! Divvy.

mod divvy;
mod host;
mod import;
mod project;
mod worker;
mod sqlite;

pub use divvy::{Book, Divvy, Recording};
pub use divvy_core as core;
pub use host::{Host, Sender};
pub use import::{BadLine, HolderRow, Import, read_file, read_holders, read_payments};
pub use project::{PaymentsFile, PoolSettings, Project, RailSettings, SETTINGS_FILE, Thresholds};
pub use worker::{Tick, Worker};
pub use sqlite::Sqlite;
