#![doc = include_str!("../README.md")]

mod book;
pub mod clock;
pub mod conformance;
mod divvy;
mod host;
mod http;
mod import;
mod key;
mod project;
pub mod sandbox;
pub mod simulation;
mod sqlite;
mod worker;

pub use book::{Book, Makeup, Recording};
pub use clock::{Clock, Told};
pub use divvy::Divvy;
pub use divvy_core as core;
pub use host::{Host, Sender};
pub use http::{Credential, Http, Limits};
pub use import::{BadLine, HolderRow, Import, read_file, read_holders, read_payments};
pub use key::{make_key, read_key};
pub use project::{PaymentsFile, PoolSettings, Project, RailSettings, SETTINGS_FILE, Thresholds};
pub use sqlite::Sqlite;
pub use worker::{End, Shift, Stop, Tick, Worker, WorkerSettings};
