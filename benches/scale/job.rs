//! The job that is measured: a pool of many holders, of whom some cross their threshold.

use std::path::PathBuf;
use std::sync::Arc;

use divvy::core::danger::{Vouched, vouched};
use divvy::core::{
    Amount, Asset, Evidence, Hash, Leg, Legs, Name, Opened, Payment, Policy, Share, Target, Time,
    Units,
};
use divvy::sandbox::{Keeper, RailSettings, Sandbox, ServerSettings};
use divvy::{Divvy, Sqlite, Worker};

use crate::Size;

/// An open book, its worker, and how much is to be done.
pub(crate) struct Job {
    size: Size,
    sqlite: Arc<Sqlite>,
    divvy: Divvy,
    worker: Worker,
    now: Time,
    kept: Kept,
}

/// The folder of a closed job.
#[derive(Debug)]
pub(crate) struct Kept(PathBuf);

/// What an opening begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    Checkpoint,
    Zero,
}

impl Job {
    /// Opens a book and gives every holder their units: those who are to be paid have a thousand,
    /// all others one.
    pub(crate) async fn begin(size: Size) -> Self {
        let folder = std::env::temp_dir().join(format!("divvy-scale-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut job = Self::open(&Kept(folder), From::Zero).await;
        job.size = size;
        let opened = Opened {
            asset: asset(),
            policy: Policy::Threshold { min: job.threshold(), max_wait_secs: None },
            floor: Amount::ONE,
            cooling_secs: 86_400,
            named_on: Some(name("sandbox")),
        };
        let (book, now) = (name(BOOK), job.now);
        job.divvy.open_book_with(&book, opened, now).await.expect("a new book");
        let mut book = job.divvy.book(BOOK).expect("just opened");
        let many = size.lines * RICH + (size.holders - size.lines);
        let supply = Units::new(many).expect("below the ceiling");
        book.open_pool(&name(POOL), supply, now).await.expect("a new pool");
        let all = Leg { to: Target::Pool(POOL.into()), share: Share::Remaining };
        let legs = Legs::new(vec![all]).expect("it leaves nothing");
        book.set_rule(Time::ZERO, &legs, now).await.expect("the first rule");
        for first in (0..size.holders).step_by(ISSUED) {
            let some = first..size.holders.min(first + ISSUED as u64);
            let entries: Vec<_> = some.map(|at| (holder(at), size.units(at))).collect();
            book.issue(POOL, &entries, now).await.expect("new units");
        }
        job
    }

    /// Opens what was closed before; the sandbox beside it has forgotten everything.
    pub(crate) async fn open(kept: &Kept, from: From) -> Self {
        let sqlite = Arc::new(Sqlite::open(kept.0.join("divvy.db")).expect("a database"));
        let checkpoint = match from {
            From::Checkpoint => Some(sqlite.checkpoint().await.expect("one was kept")),
            From::Zero => None,
        };
        let divvy = Divvy::open_from(sqlite.clone(), checkpoint.as_deref()).await;
        let divvy = divvy.expect("a sound history");
        let keeper = Keeper::open(&ServerSettings::default()).expect("a sandbox in memory");
        let settings = RailSettings::at("http://127.0.0.1:9", name("till")).expect("settings");
        let rail = Sandbox::new(settings).expect("a rail");
        let worker = Worker::new(vec![Arc::new(rail)], Arc::new(keeper)).expect("randomness");
        let now = Time::parse("2026-01-01T00:00:00Z").expect("a time");
        let size = Size { holders: 0, payments: 0, lines: 0 };
        Self { size, sqlite, divvy, worker, now, kept: Kept(kept.0.clone()) }
    }

    /// Records every payment, a thousand a commit, and declares after each ten thousand.
    pub(crate) async fn record(&mut self) {
        let mut serial = 0;
        while serial < self.size.payments {
            self.now = self.now.plus_secs(60);
            let end = self.size.payments.min(serial + RECORDED);
            let payments: Vec<Payment> = (serial..end).map(|at| payment(at, self.now)).collect();
            let mut book = self.divvy.book(BOOK).expect("open");
            book.record(&payments, self.now).await.expect("new payments");
            serial = end;
            if serial % DECLARED == 0 || serial == self.size.payments {
                book.declare(self.now).await.expect("a declaration");
            }
        }
    }

    /// Pays everyone who is due, and says how many lines that took.
    pub(crate) async fn pay(&mut self) -> u64 {
        self.now = self.now.plus_secs(60);
        let tick = self.worker.tick(&mut self.divvy, self.now).await.expect("a tick");
        let totals = self.divvy.books().book(BOOK).expect("open").totals();
        assert_eq!(totals.reserved, Amount::ZERO, "everything sent has settled");
        tick.lines
    }

    pub(crate) fn balances(&self) {
        let book = self.divvy.books().book(BOOK).expect("open");
        let mut dice = 7_u64;
        for _ in 0..100_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888);
            let at = (dice >> 20) % self.size.holders;
            let balance = book.balance(holder(at).as_str(), self.now).expect("a holder");
            assert_eq!(balance.paid > Amount::ZERO, at < self.size.lines, "{at}");
        }
    }

    pub(crate) async fn verify(&mut self) -> u64 {
        self.divvy.verify_anew().await.expect("everything holds")
    }

    /// Keeps a checkpoint, and says how many bytes it has.
    pub(crate) async fn keep_checkpoint(&self) -> usize {
        let checkpoint = self.divvy.checkpoint().expect("it was folded");
        let bytes = checkpoint.len();
        self.sqlite.keep_checkpoint(checkpoint).await.expect("room for it");
        bytes
    }

    pub(crate) fn close(self) -> Kept {
        self.kept
    }

    /// What a holder of a thousand units has earned once everything is declared; a holder of one
    /// unit is far below it.
    fn threshold(&self) -> Amount {
        let units = u128::from(self.size.lines * RICH + (self.size.holders - self.size.lines));
        let all = u128::from(self.size.payments) * u128::from(PAYMENT_MINOR);
        let earned = all * u128::from(RICH) / units;
        Amount::new(u64::try_from(earned).expect("below the ceiling")).expect("below the ceiling")
    }
}

impl Kept {
    pub(crate) fn mb(&self) -> u64 {
        let length = std::fs::metadata(self.0.join("divvy.db")).expect("the file is there").len();
        length / 1_000_000
    }

    pub(crate) fn remove(self) {
        std::fs::remove_dir_all(self.0).expect("nobody has it open");
    }
}

impl Size {
    fn units(self, at: u64) -> Units {
        Units::new(if at < self.lines { RICH } else { 1 }).expect("below the ceiling")
    }
}

/// Like the address of a wallet: long, and telling nothing.
fn holder(at: u64) -> Name {
    let wide = u128::from(at + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    name(&format!("0x{wide:032x}{at:08x}"))
}

fn payment(serial: u64, now: Time) -> Payment {
    let source = format!("till.csv:{serial}");
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: name(&format!("receipt-{serial}")),
        amount: Amount::new(PAYMENT_MINOR).expect("below the ceiling"),
        asset: asset(),
        payer: None,
        event_at: now,
        evidence: Evidence { hash: Hash::of(source.as_bytes()), source, said: String::new() },
    };
    vouched(said, &asset()).expect("the book's asset")
}

fn asset() -> Asset {
    Asset::parse("USDC@6").expect("an asset")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

const BOOK: &str = "chapter-42";
const POOL: &str = "tokens";
const RICH: u64 = 1_000;
const ISSUED: usize = 100_000;
const RECORDED: u64 = 1_000;
const DECLARED: u64 = 10_000;
const PAYMENT_MINOR: u64 = 50_000_000;
