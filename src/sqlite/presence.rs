//! Whether the file and its log are still where they were opened.
//!
//! A system lets a file be deleted, or replaced, under whoever has it open: everything that is
//! written then goes into a file without a name, and is gone when it is closed. SQLite does not
//! notice, so we look: after each commit, before anyone is told "written", and after each reading,
//! before anyone acts by what another handle wrote there.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use divvy_core::{Code, Error};
use rusqlite::Connection;

/// The file and its log, as they were found when the database was opened.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// The names, and which file each one was, once it was there.
    files: Vec<(PathBuf, OnceLock<Identity>)>,
}

/// What tells one file from another of the same name.
type Identity = (u64, u64);

impl Presence {
    /// Looks for the first time. A database in memory has no file to look at.
    pub(super) fn new(connection: &Connection) -> Self {
        // SQLite's own name for it: it follows links, and so does the log.
        let path = connection.path().filter(|path| !path.is_empty());
        let names = path.map(|path| [path.to_owned(), format!("{path}-wal")]);
        let file = |name: String| (PathBuf::from(name), OnceLock::new());
        let presence = Self { files: names.into_iter().flatten().map(file).collect() };
        // Whatever is there is learned; nothing can differ yet.
        let _ = presence.check(Code::StoreUnusable);
        presence
    }

    /// Looks again.
    ///
    /// # Errors
    /// The code that is asked for, when a file is gone or another stands in its place.
    pub(super) fn check(&self, code: Code) -> Result<(), Error> {
        for (name, known) in &self.files {
            let same = match fs::metadata(name) {
                Ok(found) => *known.get_or_init(|| identity(&found)) == identity(&found),
                Err(_) => known.get().is_none(),
            };
            if !same {
                let detail = format!(
                    "{} was deleted or replaced while it was open, and what is written goes \
                     nowhere: stop, put it back or restore a backup, and open it again",
                    name.display()
                );
                return Err(Error::new(code, detail));
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn identity(found: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

/// Where an open file cannot be deleted, there is nothing to tell apart.
#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    (0, 0)
}
