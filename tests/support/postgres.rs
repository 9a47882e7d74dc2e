//! A PostgreSQL server of a test binary's own: started by `scripts/postgres` with the first test
//! that wants one, and gone with the process, whatever becomes of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;

/// A running server. It ends when its standard input does.
#[derive(Debug)]
pub(crate) struct Server {
    /// The address of its own first database.
    pub(crate) url: String,
    pub(crate) pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _child: Child,
}

impl Server {
    /// A server that nobody else uses.
    pub(crate) fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/postgres");
        let mut command = Command::new("sh");
        let command = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a shell");
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let pipes = (orders.expect("a pipe"), BufReader::new(answers.expect("a pipe")));
        let server = Self { url: String::new(), pipes: Mutex::new(pipes), _child: child };
        let url = server.answer();
        assert!(url.starts_with("postgresql://"), "no server was started: see above");
        Self { url, ..server }
    }

    /// The server that all tests of this binary share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A new database that nobody else uses.
    pub(crate) fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("d{}", NEXT.fetch_add(1, Ordering::Relaxed));
        run(&self.url, &format!("CREATE DATABASE {name}"));
        self.named(&name)
    }

    /// The address of a database by its name.
    pub(crate) fn named(&self, name: &str) -> String {
        let server = self.url.strip_suffix("postgres").expect("the first database's address");
        format!("{server}{name}")
    }

    /// What it says next.
    pub(crate) fn answer(&self) -> String {
        let mut line = String::new();
        let pipes = &mut self.pipes.lock().expect("nobody panicked").1;
        pipes.read_line(&mut line).expect("an answer");
        line.trim().to_owned()
    }
}

/// Says something to a database, on a connection and a thread of its own.
pub(crate) fn run(url: &str, sql: &str) {
    let say = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let said = client(url).await.batch_execute(sql).await;
            said.map_err(|error| format!("{sql}: {error:?}")).expect("it is done");
        });
    };
    thread::scope(|scope| scope.spawn(say).join()).expect("it is done");
}

/// A connection, for a test that plays somebody else's program.
pub(crate) async fn client(url: &str) -> tokio_postgres::Client {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.expect("a connection");
    drop(tokio::spawn(connection));
    client
}
