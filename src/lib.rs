#![doc = include_str!("../README.md")]

mod book;
pub mod clock;
pub mod conformance;
mod divvy;
mod host;
mod http;
mod import;
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
pub use import::{
    BadLine, BalanceRow, HolderRow, Import, RefundRow, named_payment, read_balances, read_file,
    read_holders, read_payments, read_refunds,
};
pub use project::{PaymentsFile, PoolSettings, Project, RailSettings, SETTINGS_FILE, Thresholds};
pub use sqlite::Sqlite;
pub use worker::{End, Shift, Stop, Tick, Worker, WorkerSettings};
