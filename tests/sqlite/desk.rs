//! Folders of the tests' own, and databases in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use divvy::Sqlite;
use divvy::core::{Hash, Manner};

use crate::host::{chain, commit};

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

/// A new database, and the folder that it is in.
pub(crate) fn fresh() -> (Sqlite, Folder) {
    let folder = Folder::new("fresh");
    (open(&folder), folder)
}

/// Another handle on the database of a folder.
pub(crate) fn open(folder: &Folder) -> Sqlite {
    Sqlite::open(folder.file("a")).expect("a database")
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
