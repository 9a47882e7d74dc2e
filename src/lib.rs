#![doc = include_str!("../README.md")]

#[cfg(doctest)]
#[doc = include_str!("../docs/postgresql.md")]
struct PostgresqlPage;

mod book;
pub mod clock;
pub mod conformance;
mod divvy;
mod host;
mod http;
mod import;
mod joined;
mod postgres;
mod project;
mod projection;
mod proof;
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
pub use joined::{Joined, JoinedRow, Landed};
pub use postgres::Postgres;
pub use project::{
    Database, PaymentsFile, PoolSettings, Project, RailSettings, SETTINGS_FILE, Thresholds,
};
pub use projection::Projection;
pub use sqlite::Sqlite;
pub use worker::{End, Shift, Stop, Tick, Worker, WorkerSettings};
