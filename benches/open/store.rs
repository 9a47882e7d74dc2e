//! The facts in a table of the frozen shape, and a reader that stays ahead of the fold.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::mpsc::{channel, sync_channel};

use divvy_core::{Body, Fact, Hash, Stream, Time};
use rusqlite::{Connection, Row, params};

/// A database file of its own, removed at the end.
pub(crate) struct Store {
    path: PathBuf,
}

const PAGE: usize = 2_000;
const PAGES_AHEAD: usize = 8;

impl Store {
    pub(crate) fn of(facts: &[Fact]) -> Self {
        let path = std::env::temp_dir().join(format!("divvy-open-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let mut database = Connection::open(&path).expect("a new file");
        database.pragma_update(None, "journal_mode", "off").expect("no journal");
        database.pragma_update(None, "synchronous", "off").expect("no flushes");
        database.execute(TABLE, ()).expect("a new table");
        let all = database.transaction().expect("the only writer");
        let mut insert = all.prepare(INSERT).expect("it fits the table");
        for fact in facts {
            let Fact { stream, n, at, kind, bytes, hash } = fact;
            let (n, at) = (n.cast_signed(), at.millis().cast_signed());
            let row = params![stream.as_str(), n, kind, bytes, at, hash.as_bytes()];
            insert.execute(row).expect("a new address");
        }
        drop(insert);
        all.commit().expect("it fits the disk");
        Self { path }
    }

    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).expect("the file is there").len()
    }

    /// Reads all facts in order on a thread of its own, and hands them on page by page; that
    /// thread also lets go of them, as the fold has enough to do.
    pub(crate) fn pages(&self, mut each: impl FnMut(&[Fact])) {
        let (give, take) = sync_channel::<Vec<Fact>>(PAGES_AHEAD);
        let (give_back, take_back) = channel::<Vec<Fact>>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let database = Connection::open(&self.path).expect("the file is there");
                let mut select = database.prepare(SELECT).expect("it fits the table");
                let mut rows = select.query(()).expect("it takes nothing");
                let mut page = Vec::with_capacity(PAGE);
                while let Some(row) = rows.next().expect("the file is sound") {
                    page.push(fact(row));
                    if page.len() == PAGE {
                        let mut next = take_back.try_recv().unwrap_or_default();
                        next.clear();
                        give.send(std::mem::replace(&mut page, next)).expect("the fold waits");
                    }
                }
                give.send(page).expect("the fold waits");
                drop(give);
                take_back.iter().for_each(drop);
            });
            for page in take {
                each(&page);
                // At the end nobody takes it, and it is let go of here.
                let _ = give_back.send(page);
            }
            drop(give_back);
        });
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn fact(row: &Row<'_>) -> Fact {
    let text = |column| row.get_ref(column).expect("a column").as_str().expect("text");
    let blob = |column| row.get_ref(column).expect("a column").as_blob().expect("bytes");
    let number = |column| row.get::<_, i64>(column).expect("a number").cast_unsigned();
    let kind = text(2);
    let known = Body::KINDS.iter().find(|known| **known == kind);
    Fact {
        stream: Stream::parse(text(0)).expect("a stream"),
        n: number(1),
        kind: known.map_or_else(|| Cow::Owned(kind.to_owned()), |known| Cow::Borrowed(*known)),
        bytes: blob(3).to_vec(),
        at: Time::from_millis(number(4)),
        hash: Hash::new(blob(5).try_into().expect("32 bytes")),
    }
}

const TABLE: &str = "CREATE TABLE divvy_fact (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, n INTEGER NOT NULL,
    kind TEXT NOT NULL, body BLOB NOT NULL, at INTEGER NOT NULL, hash BLOB NOT NULL,
    UNIQUE (stream, n))";
const INSERT: &str =
    "INSERT INTO divvy_fact (stream, n, kind, body, at, hash) VALUES (?, ?, ?, ?, ?, ?)";
const SELECT: &str = "SELECT stream, n, kind, body, at, hash FROM divvy_fact ORDER BY seq";
