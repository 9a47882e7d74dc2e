//! Servers and databases of the tests' own.

use std::io::Write as _;

use divvy::Postgres;

use crate::host::block_on;
use crate::server::Server;

/// A new database, and its address.
pub(crate) fn fresh() -> (Postgres, String) {
    let url = Server::shared().database();
    (open(&url), url)
}

/// A server of its own, for a test that keeps a transaction open: that delays everyone's cursors.
pub(crate) fn alone() -> (Server, Postgres) {
    let server = Server::start();
    let host = open(&server.url);
    (server, host)
}

pub(crate) fn open(url: &str) -> Postgres {
    block_on(Postgres::open(url)).expect("a database")
}

/// Gives a server an order, as `scripts/postgres` lists them.
pub(crate) fn order(server: &Server, order: &str) {
    writeln!(server.pipes.lock().expect("nobody panicked").0, "{order}").expect("a server");
    assert_eq!(server.answer(), "done", "{order}");
}
