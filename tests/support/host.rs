//! What both hosts are asked with: facts, a runtime, and calls that wait.

use std::sync::Arc;

use divvy::Host;
use divvy::core::{
    Body, Code, Cursor, Error, Fact, Head, Held, Manner, Page, Stream, Time, Written,
};
use tokio::task::JoinHandle;

/// Runs to the end on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
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
    host: &dyn Host,
    facts: &[Fact],
    manner: Manner,
) -> Result<Vec<Written>, Error> {
    block_on(host.commit(facts.to_vec(), manner))
}

pub(crate) fn read(host: &dyn Host, name: &str) -> Vec<Fact> {
    block_on(host.read(&stream(name))).expect("a readable stream")
}

pub(crate) fn since(host: &dyn Host, cursor: Option<&Cursor>, facts_max: usize) -> Page {
    block_on(host.since(cursor, facts_max)).expect("a page")
}

/// Everything in it, in the order of the cursor.
pub(crate) fn all(host: &dyn Host) -> Vec<Fact> {
    since(host, None, usize::MAX).facts
}

/// Three facts of a payee, and behind each third of them an orphan: that commit must fall.
pub(crate) fn maybe_orphaned(i: usize) -> Vec<Fact> {
    let mut facts = chain(&format!("p{i}"), 3);
    if i.is_multiple_of(3) {
        facts.push(chain(&format!("q{i}"), 2).remove(1));
    }
    facts
}

/// A commit that is under way while others are.
pub(crate) fn under_way<H: Host + 'static>(
    host: &Arc<H>,
    facts: Vec<Fact>,
) -> JoinHandle<Result<Vec<Written>, Error>> {
    let host = Arc::clone(host);
    tokio::spawn(async move { host.commit(facts, Manner::Together).await })
}

/// What each of them was told.
pub(crate) async fn told<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut told = Vec::new();
    for task in tasks {
        told.push(task.await.expect("a task that ended"));
    }
    told
}

/// Each of those commits stands or falls whole, whoever shared its flush.
pub(crate) fn stand_or_fall(host: &dyn Host, told: Vec<Result<Vec<Written>, Error>>) {
    for (i, told) in told.into_iter().enumerate() {
        let found = read(host, &format!("p{i}")).len();
        match told {
            Ok(_) => assert_eq!((found, i.is_multiple_of(3)), (3, false), "{i}"),
            Err(error) => assert_eq!((found, error.code()), (0, Code::FactOrphan), "{i}"),
        }
    }
}
