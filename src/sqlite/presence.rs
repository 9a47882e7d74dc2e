//! Whether the file and its log are still where they were opened.
//!
//! A system lets a file be deleted, or replaced, under whoever has it open: everything that is
//! written then goes into a file without a name, and is gone when it is closed. SQLite does not
//! notice, so we look, after each commit and before anyone is told "written".

use std::fs;
use std::path::PathBuf;

use divvy_core::{Code, Error};
use rusqlite::Connection;

/// The file and its log, as they were found when the writer began.
#[derive(Debug)]
pub(super) struct Presence {
    /// The names, and which file each one was, once it was there.
    files: Vec<(PathBuf, Option<Identity>)>,
}

/// What tells one file from another of the same name.
type Identity = (u64, u64);

impl Presence {
    /// Looks for the first time. A database in memory has no file to look at.
    pub(super) fn new(connection: &Connection) -> Self {
        // SQLite's own name for it: it follows links, and so does the log.
        let path = connection.path().filter(|path| !path.is_empty());
        let names = path.map(|path| [path.to_owned(), format!("{path}-wal")]);
        let known = |name: String| {
            let name = PathBuf::from(name);
            let found = fs::metadata(&name).ok().map(|found| identity(&found));
            (name, found)
        };
        Self { files: names.into_iter().flatten().map(known).collect() }
    }

    /// Looks again.
    ///
    /// # Errors
    /// [`Code::CommitUnknown`] when a file is gone, or another stands in its place.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        for (name, known) in &mut self.files {
            let found = fs::metadata(&*name).ok().map(|found| identity(&found));
            if found.is_some_and(|found| *known.get_or_insert(found) == found) {
                continue;
            }
            let detail = format!(
                "{} was deleted or replaced while it was open, and what is written goes nowhere: \
                 stop, put it back or restore a backup, and open it again",
                name.display()
            );
            return Err(Error::new(Code::CommitUnknown, detail));
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
