//! Paying, by how many workers: lines a second from due to settled, and flushes a line.
//!
//! Goal: throughput grows with workers until the rail or the disk is the limit. Method: as many
//! threads as workers, each with its own connection, fold and runtime, on one SQLite file, and then
//! on one database of a PostgreSQL server that `scripts/postgres` starts; the rail is a sandbox in
//! this process, and a request takes as long as the row says.
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::integer_division,
    reason = "a bench that goes wrong should stop"
)]

#[path = "../tests/support/postgres.rs"]
#[expect(dead_code, reason = "the tests say more to it")]
mod server;

use std::path::PathBuf;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use divvy::core::danger::{Vouched, vouched};
use divvy::core::{
    Amount, Asset, Evidence, Hash, Leg, Legs, Name, Opened, Policy, Rail, Reply, Request, Share,
    Target, Time, Units,
};
use divvy::sandbox::{Keeper, RailSettings, Sandbox, ServerSettings};
use divvy::{Clock, Divvy, Host, Postgres, Sender, Sqlite, Worker, WorkerSettings};
use tokio::runtime::Builder;

const LINES: u64 = 20_000;
const LINES_MAX: usize = 100;

/// Where the facts are.
#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Server(String),
}

/// A host of either kind, and its flushes.
enum Store {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

fn main() {
    let server = server::Server::start();
    for place in ["SQLite", "PostgreSQL"] {
        println!("{place}");
        table(&|| match place {
            "SQLite" => fresh_file(),
            _ => Place::Server(server.database()),
        });
    }
}

fn fresh_file() -> Place {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-pay");
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a folder for the database");
    Place::File(folder.join("db"))
}

fn table(fresh: &dyn Fn() -> Place) {
    println!("a request takes  workers  in flight  lines/s  flushes per 1,000 lines  races lost");
    for (millis, in_flight) in [(0, 8), (50, 1), (50, 8)] {
        for workers in [1, 2, 4] {
            let measured = measure(&fresh(), workers, in_flight, Duration::from_millis(millis));
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

fn measure(place: &Place, workers: usize, in_flight: usize, latency: Duration) -> Measured {
    let runtime = || Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime().block_on(found(place));
    let keeper = Arc::new(Keeper::open(&ServerSettings::default()).expect("a sandbox"));
    let barrier = Arc::new(Barrier::new(workers + 1));
    let threads: Vec<_> = (0..workers)
        .map(|_| {
            let (place, barrier) = (place.clone(), Arc::clone(&barrier));
            let sender = Arc::new(Slow { keeper: Arc::clone(&keeper), latency });
            std::thread::spawn(move || {
                let work = work(&place, sender, in_flight, &barrier);
                runtime().block_on(work)
            })
        })
        .collect();
    // Everyone has heard of everyone; then there is something to pay.
    barrier.wait();
    runtime().block_on(take(place));
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
    measured
}

impl Store {
    async fn open(place: &Place) -> Self {
        match place {
            Place::File(file) => Self::Sqlite(Arc::new(Sqlite::open(file).expect("a database"))),
            Place::Server(url) => {
                Self::Postgres(Arc::new(Postgres::open(url).await.expect("a database")))
            }
        }
    }

    fn host(&self) -> Arc<dyn Host> {
        match self {
            Self::Sqlite(host) => host.clone(),
            Self::Postgres(host) => host.clone(),
        }
    }

    fn flushes(&self) -> u64 {
        match self {
            Self::Sqlite(host) => host.flushes(),
            Self::Postgres(host) => host.flushes(),
        }
    }
}

async fn fold(place: &Place) -> (Store, Divvy) {
    let store = Store::open(place).await;
    let divvy = Divvy::open_from(store.host(), None).await.expect("a fold");
    (store, divvy)
}

async fn work(
    place: &Place,
    sender: Arc<dyn Sender>,
    in_flight: usize,
    barrier: &Barrier,
) -> (u64, u64) {
    let (clock, (store, mut divvy)) = (Clock::system(), fold(place).await);
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
    let before = store.flushes();
    while divvy.books().book("shop").expect("a book").totals().paid.get() < LINES * 100 {
        worker.tick_by(&mut divvy, &clock).await.expect("a tick");
    }
    (store.flushes() - before, worker.counters().races_lost)
}

/// A shop whose holders are paid at once.
async fn found(place: &Place) {
    let (_store, mut divvy) = fold(place).await;
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
async fn take(place: &Place) {
    let (_store, mut divvy) = fold(place).await;
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
