#![doc = include_str!("../README.md")]

#[cfg(doctest)]
#[doc = include_str!("../docs/postgresql.md")]
struct PostgresqlPage;

#[cfg(doctest)]
#[doc = include_str!("../docs/webhooks.md")]
struct WebhooksPage;

mod book;
pub mod clock;
pub mod conformance;
mod divvy;
mod export;
mod host;
mod http;
mod import;
mod joined;
mod key;
mod outbox;
mod postgres;
mod project;
mod projection;
mod proof;
mod quote;
mod report;
pub mod sandbox;
pub mod simulation;
mod sqlite;
mod webhook;
mod worker;

pub use book::{Book, Cost, Makeup, Recording};
pub use clock::{Clock, Told};
pub use divvy::Divvy;
pub use divvy_core as core;
pub use export::{Exported, Format};
pub use host::{Host, Sender};
pub use http::{Credential, Http, Limits};
pub use import::{
    BadLine, BalanceRow, Ended, HolderRow, Import, RefundRow, named_payment, read_balances,
    read_file, read_funds, read_holders, read_payments, read_referrals, read_refunds,
    read_statement,
};
pub use joined::{Joined, JoinedRow, Landed};
pub use key::{make_key, read_key};
pub use postgres::Postgres;
pub use project::{
    Database, PaymentsFile, PoolSettings, Project, RailSettings, Rehearsal, SETTINGS_FILE,
    SolanaProvider, SolanaWallet, Thresholds,
};
pub use projection::Projection;
pub use quote::{FileQuotes, FixedQuotes, Quotes};
pub use report::{Names, Report};
pub use sqlite::Sqlite;
pub use webhook::{
    EventKind, Reach, SecretsAt, Webhook, WebhookMessage, WebhookSecrets, WebhookSettings,
    WebhookStart, rotate_secret,
};
pub use worker::{End, Shift, Stop, Tick, Worker, WorkerSettings};
