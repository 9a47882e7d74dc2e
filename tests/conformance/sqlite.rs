//! The hosts in the box keep every promise.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divvy::conformance::{Conformance, Opening, Options, Part};
use divvy::{Host, Sqlite};

use crate::facts;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn open(path: &Path) -> Opening {
    let path = path.to_owned();
    Box::pin(async move {
        let host: Arc<dyn Host> = Arc::new(Sqlite::open(path)?);
        Ok(host)
    })
}

fn same(host: &Arc<dyn Host>) -> Opening {
    let host = Arc::clone(host);
    Box::pin(async { Ok(host) })
}

fn in_memory() -> Arc<dyn Host> {
    Arc::new(Sqlite::in_memory().expect("a database"))
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let own = format!("conformance-{name}-{}", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

#[test]
fn a_file_keeps_every_promise_and_does_so_again() {
    let folder = folder("file");
    let (shop, other) = (folder.join("shop"), folder.join("other"));
    let suite = Conformance::new(move || open(&shop), move || open(&other));
    for (seed, facts) in [(0, facts()), (1, 3_000)] {
        let options = Options { seed, facts, ..Options::default() };
        let report = block_on(suite.run(&options));
        println!("{facts} facts:\n{report}");
        assert!(report.is_kept(), "{report}");
        assert_eq!(report.outcomes().len(), Part::ALL.len());
    }
    std::fs::remove_dir_all(&folder).expect("it is gone");
}

#[test]
fn a_database_in_memory_keeps_every_promise() {
    let (host, other) = (in_memory(), in_memory());
    let suite = Conformance::new(move || same(&host), move || same(&other));
    let options = Options { facts: 3_000, ..Options::default() };
    // As a task, as a host's own tests may have it.
    let report = block_on(async { tokio::spawn(async move { suite.run(&options).await }).await });
    let report = report.expect("it ended");
    assert!(report.is_kept(), "{report}");
}

#[test]
fn a_second_run_with_the_same_seed_is_told() {
    let (host, other) = (in_memory(), in_memory());
    let suite = Conformance::new(move || same(&host), move || same(&other));
    let options = Options { facts: 10, rounds: 2, patience_ms: 0, ..Options::default() };
    assert!(block_on(suite.run(&options)).is_kept());
    let report = block_on(suite.run(&options));
    for outcome in report.outcomes() {
        assert!(outcome.found().expect("it is told").contains("another seed"), "{outcome}");
    }
}
