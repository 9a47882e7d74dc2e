//! Where a project's facts are kept.

use core::fmt;
use std::path::{Path, PathBuf};

/// Where a project's facts are kept.
///
/// ```
/// use divvy::Database;
///
/// let server = Database::named("postgresql://till:s3cret@db.example/shop", "shop".as_ref());
/// assert!(!format!("{server:?} {server}").contains("s3cret"));
/// let file = Database::named("books.db", "shop".as_ref());
/// assert!(matches!(file, Database::File(path) if path.ends_with("shop/books.db")));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// One SQLite file.
    File(PathBuf),
    /// A PostgreSQL server, by the URL that [`crate::Postgres::open`] takes. It may hold a
    /// password, and is not shown.
    Server(String),
}

impl Database {
    /// What settings name: a server when it begins as a URL of one, and a file of the folder
    /// otherwise.
    #[must_use]
    pub fn named(text: &str, dir: &Path) -> Self {
        let is_server = ["postgresql://", "postgres://"].iter().any(|head| text.starts_with(head));
        if is_server { Self::Server(text.to_owned()) } else { Self::File(dir.join(text)) }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(_) => f.write_str("the server of divvy.toml"),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Server(_) => f.debug_tuple("Server").finish_non_exhaustive(),
        }
    }
}
