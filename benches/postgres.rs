//! Durable record on a PostgreSQL server: facts per second through `Host::commit`, beside raw
//! statements over the same client.
//!
//! Goal: what the rules of an address, the queue and the thread cost on top of the server itself,
//! and what sharing transactions brings. Method: `scripts/postgres` starts a server of this bench's
//! own, with fsync on; the same prehashed facts go into the same tables of fresh databases, raw and
//! through the host in turn. Singly, each raw client has a connection and commits each row; all
//! callers of ours share one host. Each figure is the median of the rounds.
#![expect(clippy::print_stdout, reason = "a bench is there to be read")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    reason = "a bench that goes wrong should stop"
)]

#[path = "../tests/support/postgres.rs"]
mod server;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use divvy::core::{Body, Fact, Hash, Head, Held, Manner, Stream, Time};
use divvy::{Host, Postgres};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use crate::server::{Server, client};

const ROUNDS: usize = 5;

/// Facts that are recorded singly, by all callers together.
const SINGLY: usize = 2_000;
const CALLERS: [usize; 3] = [1, 8, 32];

/// Facts of a commit, and commits, in bulk.
const BULK: usize = 10_000;
const COMMITS: usize = 6;

/// One row of the table: what, raw and ours, and the aim.
struct Figure {
    name: String,
    facts: usize,
    raw: Duration,
    ours: Duration,
    percent_min: u128,
    per_second_min: u128,
}

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    print(HEAD.map(str::to_owned));
    for callers in CALLERS {
        print(singly(callers, &runtime).row());
    }
    let commits: Vec<Vec<Fact>> = (0..COMMITS).map(|at| facts(BULK, at)).collect();
    let [ours, arrays, copy, staged] = in_turn([
        &mut || time(&runtime, |url| bulk_ours(url, commits.clone())),
        &mut || time(&runtime, |url| bulk_raw(url, &commits, Way::Arrays)),
        &mut || time(&runtime, |url| bulk_raw(url, &commits, Way::Copy)),
        &mut || time(&runtime, |url| bulk_raw(url, &commits, Way::Staged)),
    ]);
    for (name, raw, per_second_min) in [
        ("10 k a commit, by arrays", arrays, 50_000),
        ("10 k a commit, by COPY", copy, 60_000),
        ("10 k a commit, by COPY and a staging table", staged, 60_000),
    ] {
        let (name, facts) = (name.to_owned(), BULK * COMMITS);
        print(Figure { name, facts, raw, ours, percent_min: 0, per_second_min }.row());
    }
}

fn print([name, raw, ours, ratio, aim]: [String; 5]) {
    println!("{name:<43} {raw:>8} {ours:>8} {ratio:>9}   {aim}");
}

const HEAD: [&str; 5] = ["facts", "raw/s", "divvy/s", "divvy:raw", "aim"];

impl Figure {
    fn row(&self) -> [String; 5] {
        let per_second = |took: Duration| self.facts as u128 * 1_000_000_000 / took.as_nanos();
        let percent = self.raw.as_nanos() * 100 / self.ours.as_nanos();
        let met = percent >= self.percent_min && per_second(self.ours) >= self.per_second_min;
        let aim = match self.per_second_min {
            0 => format!("0.{}x", self.percent_min),
            least => format!("{least}/s"),
        };
        [
            self.name.clone(),
            per_second(self.raw).to_string(),
            per_second(self.ours).to_string(),
            format!("{}.{:02}x", percent / 100, percent % 100),
            format!("{aim}: {}", if met { "met" } else { "MISSED" }),
        ]
    }
}

fn singly(callers: usize, runtime: &Runtime) -> Figure {
    let parts: Vec<Vec<Fact>> = (0..callers).map(|at| facts(SINGLY / callers, at)).collect();
    let [raw, ours] =
        in_turn([&mut || time(runtime, |url| singly_raw(url, parts.clone())), &mut || {
            time(runtime, |url| singly_ours(url, parts.clone()))
        }]);
    let (name, facts) = (format!("singly, {callers} callers"), SINGLY / callers * callers);
    Figure { name, facts, raw, ours, percent_min: 80, per_second_min: 0 }
}

async fn singly_raw(url: String, parts: Vec<Vec<Fact>>) -> Duration {
    let mut clients = Vec::new();
    for part in parts {
        let client = client(&url).await;
        let insert = client.prepare(INSERT).await.expect("a statement");
        clients.push((client, insert, part));
    }
    let start = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|(client, insert, part)| {
            tokio::spawn(async move {
                for fact in &part {
                    let row = Row::new(fact);
                    client.execute(&insert, &row.cells()).await.expect("a free address");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it came through");
    }
    start.elapsed()
}

async fn singly_ours(url: String, parts: Vec<Vec<Fact>>) -> Duration {
    let host = Arc::new(Postgres::open(&url).await.expect("a database"));
    warm(&host).await;
    let (alone, before) = ((parts.len() == 1).then_some(SINGLY as u64), host.flushes());
    let start = Instant::now();
    let tasks: Vec<_> = parts
        .into_iter()
        .map(|part| {
            let host = Arc::clone(&host);
            tokio::spawn(async move {
                for fact in part {
                    host.commit(vec![fact], Manner::EachIfFree).await.expect("a commit");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it came through");
    }
    let took = start.elapsed();
    if let Some(flushes) = alone {
        assert_eq!(host.flushes() - before, flushes, "nobody to share a flush with");
    }
    took
}

/// The first commit makes the connection.
async fn warm(host: &Postgres) {
    host.commit(facts(1, usize::MAX), Manner::EachIfFree).await.expect("a commit");
}

async fn bulk_ours(url: String, commits: Vec<Vec<Fact>>) -> Duration {
    let host = Postgres::open(&url).await.expect("a database");
    warm(&host).await;
    let start = Instant::now();
    for facts in commits {
        host.commit(facts, Manner::EachIfFree).await.expect("a commit");
    }
    start.elapsed()
}

/// How rows reach the table.
#[derive(Clone, Copy)]
enum Way {
    Arrays,
    Copy,
    Staged,
}

async fn bulk_raw(url: String, commits: &[Vec<Fact>], way: Way) -> Duration {
    let client = client(&url).await;
    client.batch_execute(STAGE).await.expect("a staging table");
    let start = Instant::now();
    for facts in commits {
        client.batch_execute("BEGIN").await.expect("a transaction");
        match way {
            Way::Arrays => arrays(&client, facts).await,
            Way::Copy => copy(&client, "divvy.divvy_fact", facts).await,
            Way::Staged => {
                copy(&client, "staged", facts).await;
                client.batch_execute(UNSTAGE).await.expect("free addresses");
            }
        }
        client.batch_execute("COMMIT").await.expect("a commit");
    }
    start.elapsed()
}

async fn arrays(client: &Client, facts: &[Fact]) {
    let rows: Vec<Row<'_>> = facts.iter().map(Row::new).collect();
    let streams: Vec<&str> = rows.iter().map(|row| row.stream).collect();
    let ns: Vec<i64> = rows.iter().map(|row| row.n).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind).collect();
    let bodies: Vec<&[u8]> = rows.iter().map(|row| row.body).collect();
    let ats: Vec<i64> = rows.iter().map(|row| row.at).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|row| row.hash).collect();
    let written = client.execute(ARRAYS, &[&streams, &ns, &kinds, &bodies, &ats, &hashes]).await;
    assert_eq!(written.expect("free addresses"), facts.len() as u64);
}

async fn copy(client: &Client, table: &str, facts: &[Fact]) {
    let sql = format!("COPY {table} (stream, n, kind, body, at, hash) FROM STDIN BINARY");
    let sink = client.copy_in(&sql).await.expect("a copy");
    let types = [Type::TEXT, Type::INT8, Type::TEXT, Type::BYTEA, Type::INT8, Type::BYTEA];
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for fact in facts {
        writer.as_mut().write(&Row::new(fact).cells()).await.expect("a row");
    }
    assert_eq!(writer.finish().await.expect("all rows"), facts.len() as u64);
}

/// A fact as it is written.
struct Row<'a> {
    stream: &'a str,
    n: i64,
    kind: &'a str,
    body: &'a [u8],
    at: i64,
    hash: &'a [u8],
}

impl<'a> Row<'a> {
    fn new(fact: &'a Fact) -> Self {
        Self {
            stream: fact.stream.as_str(),
            n: fact.n as i64,
            kind: &fact.kind,
            body: &fact.bytes,
            at: fact.at.millis() as i64,
            hash: fact.hash.as_bytes(),
        }
    }

    fn cells(&self) -> [&(dyn tokio_postgres::types::ToSql + Sync); 6] {
        [&self.stream, &self.n, &self.kind, &self.body, &self.at, &self.hash]
    }
}

/// Runs something on a fresh database that has the tables.
fn time<T: Future<Output = Duration>>(
    runtime: &Runtime,
    run: impl FnOnce(String) -> T,
) -> Duration {
    let url = Server::shared().database();
    runtime.block_on(async {
        drop(Postgres::open(&url).await.expect("a database"));
        run(url.clone()).await
    })
}

/// The median of each, measured round by round, so that what else the machine does meets all.
fn in_turn<const N: usize>(mut calls: [&mut dyn FnMut() -> Duration; N]) -> [Duration; N] {
    let mut rounds: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (call, rounds) in calls.iter_mut().zip(&mut rounds) {
            rounds.push(call());
        }
    }
    rounds.map(|mut rounds| {
        rounds.sort_unstable();
        rounds[ROUNDS / 2]
    })
}

/// Facts at addresses in no order, as payments arrive.
fn facts(count: usize, part: usize) -> Vec<Fact> {
    let held = [Body::Held(Held { reason: "x".repeat(120), cause: None })];
    let fact = |i: usize| {
        let id = Hash::of(format!("{part}/{i}").as_bytes()).to_string();
        let stream = Stream::parse(&format!("payment/bench/till/{id}")).expect("a stream");
        Fact::chain(&Head::start(stream), Time::from_millis(1_767_225_600_000), &held)
    };
    (0..count).flat_map(fact).collect()
}

const INSERT: &str = "INSERT INTO divvy.divvy_fact (stream, n, kind, body, at, hash)
                      VALUES ($1, $2, $3, $4, $5, $6)";
const ARRAYS: &str = "
    INSERT INTO divvy.divvy_fact (stream, n, kind, body, at, hash)
    SELECT * FROM unnest($1::text[], $2::int8[], $3::text[], $4::bytea[], $5::int8[], $6::bytea[])";
const STAGE: &str = "CREATE TEMPORARY TABLE staged (stream text, n int8, kind text, body bytea,
                     at int8, hash bytea) ON COMMIT DELETE ROWS";
const UNSTAGE: &str = "INSERT INTO divvy.divvy_fact (stream, n, kind, body, at, hash)
                       SELECT * FROM staged ON CONFLICT (stream, n) DO NOTHING";
