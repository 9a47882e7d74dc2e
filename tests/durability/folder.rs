//! Folders of the tests' own, and a runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that is gone with its test.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let own = format!("durability-{name}-{process}-{next}");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// A folder with a database file and its log.
    pub(crate) fn with(file: &[u8], log: &[u8]) -> Self {
        let folder = Self::new("reopened");
        fs::write(folder.file("a"), file).expect("a file");
        fs::write(folder.file("a-wal"), log).expect("a log");
        folder
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
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
