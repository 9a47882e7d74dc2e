//! Paying, by how many workers: lines a second from due to settled, and flushes a line.
//!
//! Goal: throughput grows with workers until the rail or the disk is the limit. Method: as many
//! threads as workers, each with its own connection, fold and runtime, on one SQLite file; the rail
//! is a sandbox in this process, and a request takes as long as the row says.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::integer_division,
    reason = "a bench that goes wrong should stop"
)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use divvy::core::danger::{Vouched, vouched};
use divvy::core::{
    Amount, Asset, Evidence, Hash, Leg, Legs, Name, Opened, Policy, Rail, Reply, Request, Share,
    Target, Time, Units,
};
use divvy::sandbox::{Keeper, RailSettings, Sandbox, ServerSettings};
use divvy::{Clock, Divvy, Sender, Sqlite, Worker, WorkerSettings};
use tokio::runtime::Builder;

const LINES: u64 = 20_000;
const LINES_MAX: usize = 100;

fn main() {
    println!("a request takes  workers  in flight  lines/s  flushes per 1,000 lines  races lost");
    for (millis, in_flight) in [(0, 8), (50, 1), (50, 8)] {
        for workers in [1, 2, 4] {
            let measured = measure(workers, in_flight, Duration::from_millis(millis));
            let per_second = u128::from(LINES) * 1_000 / measured.time.as_millis().max(1);
            let (flushes, lost) = (measured.flushes * 100_000 / LINES, measured.races_lost);
            let flushes = format!("{}.{:02}", flushes / 100, flushes % 100);
            println!(
                "{millis:>12} ms  {workers:>7}  {in_flight:>9}  {per_second:>7}  {flushes:>23}  \
                 {lost:>10}"
            );
        }
    }
}

struct Measured {
    time: Duration,
    flushes: u64,
    races_lost: u64,
}

fn measure(workers: usize, in_flight: usize, latency: Duration) -> Measured {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-pay");
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a folder for the database");
    let file = folder.join("db");
    let runtime = || Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime().block_on(found(&file));
    let keeper = Arc::new(Keeper::open(&ServerSettings::default()).expect("a sandbox"));
    let barrier = Arc::new(Barrier::new(workers + 1));
    let threads: Vec<_> = (0..workers)
        .map(|_| {
            let (file, barrier) = (file.clone(), Arc::clone(&barrier));
            let sender = Arc::new(Slow { keeper: Arc::clone(&keeper), latency });
            std::thread::spawn(move || runtime().block_on(work(&file, sender, in_flight, &barrier)))
        })
        .collect();
    // Everyone has heard of everyone; then there is something to pay.
    barrier.wait();
    runtime().block_on(take(&file));
    barrier.wait();
    let start = Instant::now();
    let mut measured = Measured { time: Duration::ZERO, flushes: 0, races_lost: 0 };
    for thread in threads {
        let (flushes, races_lost) = thread.join().expect("a worker that came through");
        measured.flushes += flushes;
        measured.races_lost += races_lost;
    }
    measured.time = start.elapsed();
    assert_eq!(keeper.world().moved(), LINES * 100, "everyone is paid, once");
    drop(std::fs::remove_dir_all(&folder));
    measured
}

async fn work(
    file: &Path,
    sender: Arc<dyn Sender>,
    in_flight: usize,
    barrier: &Barrier,
) -> (u64, u64) {
    let (clock, sqlite) = (Clock::system(), Arc::new(Sqlite::open(file).expect("a database")));
    let mut divvy = Divvy::open_from(sqlite.clone(), None).await.expect("a fold");
    let settings = WorkerSettings { in_flight, roster_secs: 6, ..WorkerSettings::default() };
    let rail = RailSettings::at("http://127.0.0.1:9", name("till")).expect("settings");
    let rail = Sandbox::new(RailSettings { lines_max: LINES_MAX, ..rail }).expect("a rail");
    let rails: Vec<Arc<dyn Rail>> = vec![Arc::new(rail)];
    let mut worker = Worker::with(rails, sender, settings).expect("a worker");
    for _ in 0..2 {
        worker.tick_by(&mut divvy, &clock).await.expect("a tick");
        tokio::time::sleep(Duration::from_millis(2_100)).await;
    }
    barrier.wait();
    barrier.wait();
    let before = Sqlite::flushes(&sqlite);
    while divvy.books().book("shop").expect("a book").totals().paid.get() < LINES * 100 {
        worker.tick_by(&mut divvy, &clock).await.expect("a tick");
    }
    (Sqlite::flushes(&sqlite) - before, worker.counters().races_lost)
}

/// A shop whose holders are paid at once.
async fn found(file: &Path) {
    let mut divvy = Divvy::open(Sqlite::open(file).expect("a database")).await.expect("a fold");
    let opened = Opened {
        asset: Asset::parse("USD").expect("an asset"),
        policy: Policy::Instant,
        floor: Amount::ONE,
        cooling_secs: 86_400,
        named_on: Some(name("sandbox")),
    };
    let now = Clock::system().now();
    let mut book = divvy.open_book_with(&name("shop"), opened, now).await.expect("a book");
    let units = |n: u64| Units::parse(&n.to_string()).expect("units");
    book.open_pool(&name("fans"), units(LINES), now).await.expect("a pool");
    let entries: Vec<_> = (0..LINES).map(|n| (name(&format!("fan-{n}")), units(1))).collect();
    book.issue_first("fans", &entries, now).await.expect("units");
    let all = Leg { to: Target::Pool("fans".to_owned()), share: Share::Remaining };
    book.set_rule(Time::ZERO, &Legs::new(vec![all]).expect("a rule"), now).await.expect("a rule");
}

/// A payment of 1.00 for each.
async fn take(file: &Path) {
    let mut divvy = Divvy::open(Sqlite::open(file).expect("a database")).await.expect("a fold");
    let (usd, now) = (Asset::parse("USD").expect("an asset"), Clock::system().now());
    let evidence = Evidence { source: "till".into(), hash: Hash::of(b"1"), said: String::new() };
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: name("one"),
        amount: Amount::new(LINES * 100).expect("an amount"),
        asset: usd.clone(),
        payer: None,
        event_at: now,
        evidence,
    };
    let payment = vouched(said, &usd).expect("a payment");
    let mut book = divvy.book("shop").expect("a book");
    book.record(&[payment], now).await.expect("a record");
    book.declare(now).await.expect("a declaration");
}

/// A sandbox at some distance.
#[derive(Debug)]
struct Slow {
    keeper: Arc<Keeper>,
    latency: Duration,
}

#[async_trait::async_trait]
impl Sender for Slow {
    async fn send(&self, request: &Request) -> Option<Reply> {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        self.keeper.serve(request)
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}
