//! What the tests work with: databases of their own, facts, and a runtime.

use std::io::Write as _;

use divvy::core::{Body, Error, Fact, Head, Held, Manner, Stream, Time, Written};
use divvy::{Host, Postgres};

use crate::server::Server;

/// Runs to the end on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

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

pub(crate) fn stream(name: &str) -> Stream {
    Stream::parse(&format!("payee/chapter-42/{name}")).expect("a stream")
}

/// The first facts of a payee's stream.
pub(crate) fn chain(name: &str, len: usize) -> Vec<Fact> {
    chain_of(name, len, "asked to wait")
}

pub(crate) fn chain_of(name: &str, len: usize, reason: &str) -> Vec<Fact> {
    let held = Body::Held(Held { reason: reason.to_owned(), cause: None });
    Fact::chain(&Head::start(stream(name)), Time::from_millis(7), &vec![held; len])
}

pub(crate) fn commit(
    host: &Postgres,
    facts: &[Fact],
    manner: Manner,
) -> Result<Vec<Written>, Error> {
    block_on(host.commit(facts.to_vec(), manner))
}

pub(crate) fn read(host: &Postgres, name: &str) -> Vec<Fact> {
    block_on(host.read(&stream(name))).expect("a readable stream")
}

/// Everything in it, in the order of the cursor.
pub(crate) fn all(host: &Postgres) -> Vec<Fact> {
    block_on(host.since(None, usize::MAX)).expect("a readable database").facts
}

/// Gives a server an order, as `scripts/postgres` lists them.
pub(crate) fn order(server: &Server, order: &str) {
    writeln!(server.pipes.lock().expect("nobody panicked").0, "{order}").expect("a server");
    assert_eq!(server.answer(), "done", "{order}");
}
