//! Durable record: facts per second through `Host::commit`, beside raw inserts of the same rows.
//!
//! Goal: what the rules of an address, the queue and the thread cost on top of SQLite itself.
//! Method: the same prehashed facts go into the same table with the same pragmas, once through a
//! bare prepared insert and once through the host, in turn; each figure is the median of the
//! rounds. Both flush every commit for real.
#![expect(clippy::print_stdout, reason = "a bench is there to be read")]
#![expect(clippy::expect_used, reason = "a bench that cannot run has nothing to print")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use divvy::core::{Body, Fact, Head, Held, Manner, Stream, Time};
use divvy::{Host, Sqlite};
use rusqlite::Connection;
use tokio::runtime::{Builder, Runtime};

/// One row of the table.
struct Case {
    name: &'static str,
    facts_per_commit: usize,
    commits: usize,
    chain: usize,
    percent_min: u128,
    per_second_min: u128,
}

const CASES: [Case; 4] = [
    case("singly", 1, 4_000, 1, 80, 0),
    case("1 k", 1_000, 100, 1, 40, 0),
    case("10 k", 10_000, 15, 1, 40, 100_000),
    case("10 k, chains of 100", 10_000, 15, 100, 40, 100_000),
];

const ROUNDS: usize = 5;

fn main() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-record");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).expect("a folder for the databases");
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    println!(
        "{:<20} {:>12} {:>12} {:>8}   aims",
        "facts per commit", "raw/s", "divvy/s", "divvy:raw"
    );
    for case in &CASES {
        measure(case, &folder, &runtime);
    }
    drop(fs::remove_dir_all(&folder));
}

fn measure(case: &Case, folder: &Path, runtime: &Runtime) {
    let commits = commits(case);
    let mut raw = Vec::new();
    let mut ours = Vec::new();
    for round in 0..ROUNDS {
        let path = |name: &str| folder.join(format!("{name}-{round}"));
        raw.push(time_raw(&path("raw"), &commits));
        ours.push(time_ours(&path("ours"), &commits, runtime));
        for entry in fs::read_dir(folder).expect("the folder").flatten() {
            fs::remove_file(entry.path()).expect("a database of this bench");
        }
    }
    let (raw, ours) = (median(raw), median(ours));
    let facts = commits.iter().map(Vec::len).sum::<usize>();
    let per_second = |took: Duration| {
        let facts = u128::try_from(facts).unwrap_or(u128::MAX);
        facts.saturating_mul(NANOS).checked_div(took.as_nanos()).unwrap_or(0)
    };
    let percent = raw.as_nanos().saturating_mul(100).checked_div(ours.as_nanos()).unwrap_or(0);
    let met = percent >= case.percent_min && per_second(ours) >= case.per_second_min;
    let least = match case.per_second_min {
        0 => String::new(),
        least => format!(", at least {least}/s"),
    };
    println!(
        "{:<20} {:>12} {:>12} {:>8}   at least {}{least}: {}",
        case.name,
        per_second(raw),
        per_second(ours),
        ratio(percent),
        ratio(case.percent_min),
        if met { "met" } else { "MISSED" },
    );
}

fn time_raw(path: &Path, commits: &[Vec<Fact>]) -> Duration {
    let connection = Connection::open(path).expect("a database");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;",
        )
        .expect("the pragmas of the host");
    connection.execute_batch(include_str!("../schema/sqlite.sql")).expect("the schema");
    let sql = "INSERT INTO divvy_fact (stream, n, kind, body, at, hash)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = connection.prepare(sql).expect("a statement");
    let mut begin = connection.prepare("BEGIN IMMEDIATE").expect("a statement");
    let mut commit = connection.prepare("COMMIT").expect("a statement");
    let start = Instant::now();
    for facts in commits {
        begin.execute([]).expect("a transaction");
        for fact in facts {
            let n = i64::try_from(fact.n).expect("a small number");
            let at = i64::try_from(fact.at.millis()).expect("a small number");
            let row = (fact.stream.as_str(), n, &*fact.kind, &fact.bytes, at, fact.hash.as_bytes());
            insert.execute(row).expect("a free address");
        }
        commit.execute([]).expect("a commit");
    }
    start.elapsed()
}

fn time_ours(path: &Path, commits: &[Vec<Fact>], runtime: &Runtime) -> Duration {
    let host = Sqlite::open(path).expect("a database");
    let given = commits.to_vec();
    let start = Instant::now();
    runtime.block_on(async {
        for facts in given {
            host.commit(facts, Manner::EachIfFree).await.expect("a commit");
        }
    });
    start.elapsed()
}

/// The same facts for both, in the order in which payments arrive: no order at all.
fn commits(case: &Case) -> Vec<Vec<Fact>> {
    let commit = |at: usize| {
        let streams = case.facts_per_commit.checked_div(case.chain).unwrap_or(0);
        let stream = |i: usize| {
            let id = divvy::core::Hash::of(format!("{at}/{i}").as_bytes()).to_string();
            Stream::parse(&format!("payment/bench/till/{id}")).expect("a stream")
        };
        let held = Body::Held(Held { reason: "x".repeat(120), cause: None });
        let bodies = vec![held; case.chain];
        let time = Time::from_millis(1_767_225_600_000);
        (0..streams)
            .flat_map(|i| Fact::chain(&Head::start(stream(i)), time, &bodies))
            .collect::<Vec<_>>()
    };
    (0..case.commits).map(commit).collect()
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort();
    let middle = rounds.len().checked_div(2).unwrap_or(0);
    rounds.into_iter().nth(middle).unwrap_or_default()
}

fn ratio(percent: u128) -> String {
    let (whole, rest) = (percent.checked_div(100).unwrap_or(0), percent.checked_rem(100));
    format!("{whole}.{:02}×", rest.unwrap_or(0))
}

const fn case(
    name: &'static str,
    facts_per_commit: usize,
    commits: usize,
    chain: usize,
    percent_min: u128,
    per_second_min: u128,
) -> Case {
    Case { name, facts_per_commit, commits, chain, percent_min, per_second_min }
}

const NANOS: u128 = 1_000_000_000;
