//! The database that everyone works on: a file, or a server whose processes are killed as well.

use std::fmt;
use std::io::Write as _;
use std::process::Command;

use crate::chance::Chance;
use crate::server::Server;
use crate::shell::Folder;

pub(crate) enum Store {
    File,
    /// A server that nobody else uses, and the address of a database.
    Server(&'static Server, String),
}

impl Store {
    pub(crate) fn file() -> Self {
        Self::File
    }

    pub(crate) fn server() -> Self {
        let server = Server::shared();
        let url = server.database();
        Self::Server(server, url)
    }

    /// As a project's settings name it.
    pub(crate) fn address(&self) -> &str {
        match self {
            Self::File => "divvy.db",
            Self::Server(_, url) => url,
        }
    }

    /// Kills the first process of the server, and with it all of them; it starts again.
    pub(crate) fn kill_first(&self) {
        let Self::Server(server, _) = self else { return };
        writeln!(server.pipes.lock().expect("nobody panicked").0, "kill").expect("a server");
        assert_eq!(server.answer(), "done", "the server is there again");
    }

    /// Kills one of the server's processes, a client's or one of its own: it ends all the others,
    /// and recovers by itself.
    pub(crate) fn kill_one(&self, chance: &mut Chance) -> String {
        let Self::Server(server, _) = self else { return String::new() };
        let sql = "SELECT pid::text, backend_type FROM pg_stat_activity
                   WHERE pid <> pg_backend_pid() ORDER BY backend_start, pid";
        let rows = ask(&server.url, sql).unwrap_or_default();
        if rows.is_empty() {
            return "none, since it is away".to_owned();
        }
        let (pid, kind) = &rows[chance.below(rows.len() as u64) as usize];
        // It may have ended a moment ago.
        let _ = Command::new("sh").args(["-c", &format!("kill -9 {pid}")]).status();
        kind.clone()
    }

    /// How many facts there are, unless it is away.
    pub(crate) fn facts(&self, folder: &Folder) -> Option<i64> {
        let sql = "SELECT CAST(count(*) AS TEXT), '' FROM";
        let rows = match self {
            Self::File => rows(folder, &format!("{sql} divvy_fact")),
            Self::Server(_, url) => ask(url, &format!("{sql} divvy.divvy_fact")),
        };
        rows.ok()?.first()?.0.parse().ok()
    }

    /// What each payee has, in rows of a name and a number: that which is asked for.
    pub(crate) fn balances(&self, folder: &Folder, what: &str) -> Vec<(String, i64)> {
        let sql = format!("SELECT payee, CAST({what} AS TEXT) FROM");
        let rows = match self {
            Self::File => rows(folder, &format!("{sql} divvy_balances")),
            Self::Server(_, url) => ask(url, &format!("{sql} divvy.divvy_balances")),
        };
        let rows = rows.expect("rows");
        let number = |text: String| text.parse().expect("a number");
        rows.into_iter().map(|(payee, found)| (payee, number(found))).collect()
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::File) { "a file" } else { "a server" })
    }
}

/// Rows of two texts, from the file.
fn rows(folder: &Folder, sql: &str) -> Result<Vec<(String, String)>, String> {
    let shop = rusqlite::Connection::open(folder.path().join("divvy.db")).map_err(said)?;
    let mut statement = shop.prepare(sql).map_err(said)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(said)?;
    rows.collect::<Result<_, _>>().map_err(said)
}

/// Rows of two texts, from the server.
fn ask(url: &str, sql: &str) -> Result<Vec<(String, String)>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(said)?.block_on(async {
        let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(said)?;
        drop(tokio::spawn(connection));
        let rows = client.query(sql, &[]).await.map_err(said)?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    })
}

fn said(error: impl fmt::Display) -> String {
    error.to_string()
}
