//! A real run: payments, a pool that is declared, moves, holds, and a worker that pays over a
//! sandbox in which much goes wrong.

use std::fs;
use std::sync::Arc;

use divvy::core::danger::{Vouched, vouched};
use divvy::core::{
    Amount, Asset, Evidence, Fact, Hash, Leg, Legs, Name, Opened, Payment, Policy, Ratio, Share,
    Target, Time, Units,
};
use divvy::sandbox::{Faults, RailSettings, Sandbox, Terms, WindowKind};
use divvy::{Divvy, Host, Sqlite, Worker, WorkerSettings};

use crate::folder::{Folder, block_on};
use crate::till::{Rail, Sent, Till};

/// What a run left behind, as a killed process leaves it: nothing is folded back into the file.
pub(crate) struct Run {
    pub(crate) window: WindowKind,
    pub(crate) file: Vec<u8>,
    pub(crate) log: Vec<u8>,
    /// Every fact, in the order of the cursor.
    pub(crate) facts: Vec<Fact>,
    pub(crate) sent: Vec<Sent>,
    /// The rail before anything was sent.
    pub(crate) blank: Rail,
    pub(crate) end: Time,
}

impl Run {
    /// How many frames the log has.
    pub(crate) fn frames(&self) -> usize {
        self.log[LOG_HEAD..].chunks_exact(FRAME).len()
    }
}

const DAY_SECS: u64 = 86_400;
const DAYS: u64 = 6;
const TROUBLE: &str = "late=150,lost=120,dropped=60,duplicated=80,out_of_order=60,refused=80,\
                       server_error=60,slow=60";

/// Runs the whole engine over a host on the file.
pub(crate) fn run(window: WindowKind, wrap: impl Fn(Sqlite) -> Arc<dyn Host>) -> Run {
    let folder = Folder::new("history");
    let path = folder.file("a");
    // Made and closed, so that everything that happens is in the log.
    drop(Sqlite::open(&path).expect("a database"));
    let host = wrap(Sqlite::open(&path).expect("a database"));
    let blank = Rail::new(Terms { window, ..Terms::default() });
    let faults = Faults::parse(11, TROUBLE).expect("faults");
    let till = Arc::new(Till::new(folder.file("a-wal"), blank.clone(), faults));
    let end = block_on(live(Arc::clone(&host), Arc::clone(&till), window));
    let facts = block_on(host.since(None, usize::MAX)).expect("a page").facts;
    let read = |name: &str| fs::read(folder.file(name)).expect("a file");
    let (file, log) = (read("a"), read("a-wal"));
    let run = Run { window, file, log, facts, sent: till.sent(), blank, end };
    assert!(run.frames() < 4_000, "the log was folded into the file meanwhile");
    run
}

/// Lives through some days, and comes to rest at none of them.
async fn live(host: Arc<dyn Host>, till: Arc<Till>, window: WindowKind) -> Time {
    let mut divvy = Divvy::open_from(host, None).await.expect("it opens");
    let mut now = start();
    set_up(&mut divvy, now).await;
    let mut worker = worker(window, till);
    for day in 0..DAYS {
        take_in(&mut divvy, day, now).await;
        let mut book = divvy.book("show").expect("the book");
        match day {
            1 => {
                let (bo, cy) = (name("bo"), name("cy"));
                let units = Units::new(50).expect("units");
                book.move_units("crew", (&bo, &cy), units, now).await.expect("a move");
            }
            2 => book.hold(&name("dee"), "asked to wait", now).await.expect("a hold"),
            3 => book.release(&name("dee"), "asked to go on", now).await.expect("a release"),
            _ => {}
        }
        for _ in 0..4 {
            now = now.plus_secs(400);
            worker.tick(&mut divvy, now).await.expect("a tick");
        }
        now = start().plus_secs((day + 1) * DAY_SECS);
    }
    now
}

/// Takes in what a day brought, and declares it. Safe to do again.
pub(crate) async fn take_in(divvy: &mut Divvy, day: u64, now: Time) {
    let mut book = divvy.book("show").expect("the book");
    let payments: Vec<Payment> = (0..3).map(|i| payment(day, i)).collect();
    book.record(&payments, now).await.expect("recorded");
    book.declare(now).await.expect("declared");
}

/// Opens the book with its pool and rule. Safe to do again.
pub(crate) async fn set_up(divvy: &mut Divvy, now: Time) {
    let opened = Opened {
        asset: usd(),
        policy: Policy::Instant,
        floor: Amount::ONE,
        cooling_secs: DAY_SECS,
        named_on: Some(name("sandbox")),
    };
    let mut book = divvy.open_book_with(&name("show"), opened, now).await.expect("a book");
    let units = |units| Units::new(units).expect("units");
    book.open_pool(&name("crew"), units(1_000), now).await.expect("a pool");
    let holders = [(name("bo"), units(500)), (name("cy"), units(300)), (name("dee"), units(200))];
    book.issue_first("crew", &holders, now).await.expect("units");
    let third = Share::Portion(Ratio::parse("30%").expect("a ratio"));
    let legs = Legs::new(vec![
        Leg { to: Target::Payee("ann".into()), share: third },
        Leg { to: Target::Pool("crew".into()), share: Share::Remaining },
    ]);
    book.set_rule(Time::ZERO, &legs.expect("legs"), now).await.expect("a rule");
}

/// A worker over the sandbox, whose batches take two lines.
pub(crate) fn worker(window: WindowKind, till: Arc<Till>) -> Worker {
    let settings = RailSettings::at("http://127.0.0.1:1", name("purse")).expect("settings");
    let rail = Sandbox::new(RailSettings { window, lines_max: 2, ..settings }).expect("a rail");
    // Who enters no roster writes nothing but facts, so that every frame of the log is of some.
    let settings = WorkerSettings { roster_secs: 0, ..WorkerSettings::default() };
    Worker::with(vec![Arc::new(rail)], till, settings).expect("a worker")
}

fn payment(day: u64, i: u64) -> Payment {
    let said = format!("{day}/{i}");
    let evidence = Evidence { source: "tests".into(), hash: Hash::of(said.as_bytes()), said };
    let payment = Vouched {
        source: name("door"),
        account: name("main"),
        id: name(&format!("day{day}-{i}")),
        amount: Amount::new(1_001 + day * 97 + i * 13).expect("an amount"),
        asset: usd(),
        payer: None,
        event_at: start().plus_secs(day * DAY_SECS),
        evidence,
    };
    vouched(payment, &usd()).expect("a payment")
}

pub(crate) fn start() -> Time {
    Time::parse("2026-03-01T12:00:00Z").expect("a time")
}

pub(crate) const fn days() -> u64 {
    DAYS
}

fn usd() -> Asset {
    Asset::parse("USD").expect("a currency")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// A frame of the log is a page with its head, behind the log's own head.
pub(crate) const FRAME: usize = 24 + 4_096;
pub(crate) const LOG_HEAD: usize = 32;
