//! A copy of a database while it is in use: a prefix of history, whole, flushed, and known as a
//! copy.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use divvy_core::{Code, Error};
use rusqlite::{Connection, OpenFlags};

use crate::sqlite::refusal::refusal;
use crate::sqlite::schema;

/// Where a copy goes, and where it is made before it is whole.
#[derive(Clone, Debug)]
pub(super) struct Target {
    path: PathBuf,
    unfinished: PathBuf,
}

impl Target {
    /// A place that must be free.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path).map_err(|error| unwritable(path, &error))?;
        let mut unfinished = path.clone().into_os_string();
        unfinished.push(".unfinished");
        let target = Self { path, unfinished: PathBuf::from(unfinished) };
        for place in [&target.path, &target.unfinished] {
            if fs::symlink_metadata(place).is_ok() {
                return Err(taken(place));
            }
        }
        Ok(target)
    }

    /// Copies what a connection sees at this moment. Nobody waits for it, and what others commit
    /// meanwhile is not in it.
    pub(super) fn copy(&self, from: &Connection) -> Result<(), Error> {
        let made = self.make(from).and_then(|()| self.hand_over());
        // Half a copy must never be taken for one; and of a whole one this is the second name.
        let mut journal = self.unfinished.clone().into_os_string();
        journal.push("-journal");
        for left in [self.unfinished.as_os_str(), &journal] {
            drop(fs::remove_file(left));
        }
        made
    }

    fn make(&self, from: &Connection) -> Result<(), Error> {
        let refused = |error: rusqlite::Error| refusal(&self.path, &error);
        let name = self.unfinished.to_str().ok_or_else(|| {
            let detail = format!("{} is no text: name another file", self.path.display());
            Error::new(Code::FileUnusable, detail)
        })?;
        from.execute("VACUUM INTO ?1", [name]).map_err(refused)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let copy = Connection::open_with_flags(&self.unfinished, flags).map_err(refused)?;
        schema::begin_anew(&copy, &self.path)
    }

    /// Flushes the copy, and gives it its name only then: what has the name is whole.
    fn hand_over(&self) -> Result<(), Error> {
        let unusable = |error: io::Error| unwritable(&self.path, &error);
        let file = fs::OpenOptions::new().write(true).open(&self.unfinished).map_err(unusable)?;
        file.sync_all().map_err(unusable)?;
        drop(file);
        match fs::hard_link(&self.unfinished, &self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(taken(&self.path));
            }
            // A medium without links, such as a stick. Whoever takes the name in between loses it.
            Err(_) if fs::symlink_metadata(&self.path).is_ok() => return Err(taken(&self.path)),
            Err(_) => fs::rename(&self.unfinished, &self.path).map_err(unusable)?,
        }
        flush_folder(&self.path).map_err(unusable)
    }
}

/// A file's name is in its folder, which is flushed apart from it.
#[cfg(unix)]
fn flush_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

/// Where folders cannot be opened, the system keeps them itself.
#[cfg(not(unix))]
fn flush_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn taken(path: &Path) -> Error {
    let detail = format!("{} is there already: name a new file, or move it away", path.display());
    Error::new(Code::FileUnusable, detail)
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    let detail = format!("{} cannot be written: {error}", path.display());
    Error::new(Code::FileUnusable, detail)
}
