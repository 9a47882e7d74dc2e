//! What the tests work with: folders of their own, facts, and a runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use divvy::core::{Body, Error, Fact, Hash, Head, Held, Manner, Stream, Time, Written};
use divvy::{Host, Sqlite};

/// A folder that is gone with its test.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let own = format!("{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of what is in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the folder").flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Runs to the end on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
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

pub(crate) fn commit(host: &Sqlite, facts: &[Fact], manner: Manner) -> Result<Vec<Written>, Error> {
    block_on(host.commit(facts.to_vec(), manner))
}

pub(crate) fn read(host: &Sqlite, name: &str) -> Vec<Fact> {
    block_on(host.read(&stream(name))).expect("a readable stream")
}

/// Everything in it, in the order of the cursor.
pub(crate) fn all(host: &Sqlite) -> Vec<Fact> {
    block_on(host.since(None, usize::MAX)).expect("a readable database").facts
}

/// A database with three facts, closed again.
pub(crate) fn made(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.file(name);
    let host = Sqlite::open(&path).expect("a database");
    commit(&host, &chain("alice", 3), Manner::Together).expect("a commit");
    path
}

pub(crate) fn hash(path: &Path) -> Hash {
    Hash::of(&fs::read(path).expect("a readable file"))
}
