//! What a server says, in words that name it and the remedy. Nothing secret is ever in them.

use divvy_core::{Code, Error};
use tokio_postgres::error::{Severity, SqlState};

/// Puts an error of the client into our words.
pub(super) fn refusal(place: &str, error: &tokio_postgres::Error) -> Error {
    let Some(said) = error.as_db_error() else {
        return unusable(format!("{place} cannot be reached: {}", cause(error)));
    };
    let (code, words) = (said.code(), said.message());
    let remedy = if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        "grant what docs/postgresql.md lists"
    } else if *code == SqlState::INVALID_PASSWORD
        || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
    {
        "check the user, and the password or the file that holds it"
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        "another transaction holds what this one needs: end that one, and try again"
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        "it may only be read: name the primary, and a role that may write"
    } else if *code == SqlState::DISK_FULL {
        "make room and try again"
    } else if *code == SqlState::UNDEFINED_TABLE {
        "the tables are gone: put a backup in their place"
    } else {
        "try again"
    };
    unusable(format!("{place} says: {words} ({}): {remedy}", code.code()))
}

/// Whether the connection is gone, and with it whatever was not committed.
pub(super) fn is_lost(error: &tokio_postgres::Error) -> bool {
    let said = error.as_db_error();
    !said.is_some_and(|said| said.parsed_severity() == Some(Severity::Error))
}

/// Whether the server ended a transaction for others' sake, so that it may be tried again at once.
pub(super) fn is_passing(error: &tokio_postgres::Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
        || code == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
}

/// A server that cannot be used as it is.
pub(super) fn unusable(detail: String) -> Error {
    Error::new(Code::StoreUnusable, detail)
}

/// A schema that is not ours; it was left as it is.
pub(super) fn foreign(place: &str, why: &str) -> Error {
    let detail = format!(
        "the schema divvy of {place} is not Divvy's: {why}. It was left as it is: name another \
         database"
    );
    Error::new(Code::StoreForeign, detail)
}

/// A schema of a later version; it was left as it is.
pub(super) fn newer(place: &str, version: &str, known: usize) -> Error {
    let detail = format!(
        "{place} has schema {version}, and this build knows {known}: update Divvy. It was left as \
         it is"
    );
    Error::new(Code::StoreForeign, detail)
}

/// A schema that was ours; it was left as it is.
pub(super) fn damaged(place: &str, why: &str) -> Error {
    let detail =
        format!("{place} is damaged: {why}. It was left as it is: put a backup in its place");
    Error::new(Code::StoreUnusable, detail)
}

/// Another database, or another timeline of it.
pub(super) fn epoch_changed(place: &str, theirs: &str, ours: &str) -> Error {
    let detail = format!(
        "the cursor is of database {theirs}, and {place} is {ours}: open it anew, drop cursors and \
         checkpoints, and ask the rails before paying"
    );
    Error::new(Code::EpochChanged, detail)
}

/// The innermost reason: the outer ones only say where it was met.
fn cause(error: &tokio_postgres::Error) -> String {
    let mut inner: &dyn core::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
