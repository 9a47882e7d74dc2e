//! What SQLite says, in words that name the file and the remedy.

use std::path::Path;

use divvy_core::{Code, Error};
use rusqlite::ErrorCode;

/// Puts SQLite's error into our words.
pub(super) fn refusal(path: &Path, error: &rusqlite::Error) -> Error {
    let file = path.display();
    let unusable = |detail: String| Error::new(Code::StoreUnusable, detail);
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => foreign(path, "it is no SQLite file, or its head is gone"),
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, &error.to_string()),
        Some(ErrorCode::ReadOnly) => read_only(path),
        Some(ErrorCode::PermissionDenied) => {
            unusable(format!("{file} may not be opened: allow reading it and its folder"))
        }
        Some(ErrorCode::DiskFull) => {
            unusable(format!("no room is left for {file}: make room and try again"))
        }
        Some(ErrorCode::CannotOpen) => unusable(format!(
            "{file} cannot be opened: check that its folder is there and may be written"
        )),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            unusable(format!("{file} is being written by another process: try again"))
        }
        Some(ErrorCode::SystemIoFailure) => {
            unusable(format!("the disk failed under {file} ({error}): check it, then open again"))
        }
        _ => unusable(format!("{file}: {error}")),
    }
}

/// A file that may be read and no more.
pub(super) fn read_only(path: &Path) -> Error {
    let file = path.display();
    let detail = format!(
        "{file} may not be written: allow writing to it and to its folder, or only read it"
    );
    Error::new(Code::StoreUnusable, detail)
}

/// A file that is not ours; it was left as it is.
pub(super) fn foreign(path: &Path, why: &str) -> Error {
    let file = path.display();
    let detail = format!("{file} is not Divvy's: {why}. It was left as it is: name another file");
    Error::new(Code::StoreForeign, detail)
}

/// A file of a later version; it was left as it is.
pub(super) fn newer(path: &Path, version: u32, known: u32) -> Error {
    let file = path.display();
    let detail = format!(
        "{file} has schema {version}, and this build knows {known}: update Divvy. It was left as \
         it is"
    );
    Error::new(Code::StoreForeign, detail)
}

/// A file that was ours; it was left as it is.
pub(super) fn damaged(path: &Path, why: &str) -> Error {
    let file = path.display();
    let detail =
        format!("{file} is damaged: {why}. It was left as it is: put a backup in its place");
    Error::new(Code::StoreUnusable, detail)
}
