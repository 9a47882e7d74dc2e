//! The database of a project, whichever host keeps it.

use std::sync::Arc;

use divvy::core::{Code, Error};
use divvy::{Database, Host, Postgres, Projection, Sqlite};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// An open database.
#[derive(Debug)]
pub(crate) enum Store {
    File(Arc<Sqlite>),
    Server(Arc<Postgres>),
}

impl Store {
    /// Opens a database; it is made when there is none.
    pub(crate) async fn open(database: &Database) -> Result<Self, Error> {
        match database {
            Database::File(path) => Ok(Self::File(Arc::new(Sqlite::open(path)?))),
            Database::Server(url) => {
                let host = Postgres::open(&with_secrets(url)).await?;
                Ok(Self::Server(Arc::new(host)))
            }
            _ => Err(unknown()),
        }
    }

    /// Opens a database for looking only.
    pub(crate) async fn look(database: &Database) -> Result<Self, Error> {
        match database {
            Database::File(path) if !path.exists() => {
                let detail = format!(
                    "there is no database at {} yet: `divvy import` or `divvy run` makes one",
                    path.display()
                );
                Err(Error::new(Code::StoreUnusable, detail))
            }
            Database::File(path) => Ok(Self::File(Arc::new(Sqlite::open_read_only(path)?))),
            Database::Server(url) => {
                let host = Postgres::open_read_only(&with_secrets(url)).await?;
                Ok(Self::Server(Arc::new(host)))
            }
            _ => Err(unknown()),
        }
    }

    pub(crate) fn host(&self) -> Arc<dyn Host> {
        match self {
            Self::File(host) => host.clone(),
            Self::Server(host) => host.clone(),
        }
    }

    pub(crate) async fn checkpoint(&self) -> Option<Vec<u8>> {
        match self {
            Self::File(host) => host.checkpoint().await,
            Self::Server(host) => host.checkpoint().await,
        }
    }

    pub(crate) async fn keep_checkpoint(&self, bytes: Vec<u8>) -> Result<(), Error> {
        match self {
            Self::File(host) => host.keep_checkpoint(bytes).await,
            Self::Server(host) => host.keep_checkpoint(bytes).await,
        }
    }

    /// Writes the tables of a projection.
    pub(crate) async fn project(&self, projection: Projection) -> Result<(), Error> {
        match self {
            Self::File(host) => host.project(projection).await,
            Self::Server(host) => host.project(projection).await,
        }
    }

    /// How many commits reached the disk.
    pub(crate) fn flushes(&self) -> u64 {
        match self {
            Self::File(host) => host.flushes(),
            Self::Server(host) => host.flushes(),
        }
    }
}

/// Adds what the environment says and the settings should not: the password, or the file of
/// passwords. What the URL says itself is not asked for.
#[expect(clippy::disallowed_methods, reason = "every PostgreSQL client reads these two")]
fn with_secrets(url: &str) -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = url.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    if user.is_some_and(|(user, _)| user.contains(':')) || url.contains("password=") {
        return url.to_owned();
    }
    let secret = |option: &str, value: &str| {
        let sign = if url.contains('?') { '&' } else { '?' };
        format!("{url}{sign}{option}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    match (named("PGPASSWORD"), named("PGPASSFILE")) {
        (Some(password), _) => secret("password", &password),
        (None, Some(file)) if !url.contains("passfile=") => secret("passfile", &file),
        (None, _) => url.to_owned(),
    }
}

fn unknown() -> Error {
    Error::new(Code::InputMalformed, "this build knows no such database: name a file or a server")
}
