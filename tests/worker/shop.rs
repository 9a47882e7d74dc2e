//! A shop with holders to pay, on a file, over a sandbox in this process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use divvy::core::danger::{Vouched, vouched};
use divvy::core::{
    Amount, Asset, Evidence, Hash, Leg, Legs, Name, Opened, Policy, Rail, Share, Target, Time,
    Timing, Units,
};
use divvy::sandbox::{Keeper, RailSettings, Sandbox, ServerSettings, Terms, WindowKind};
use divvy::{Divvy, Sender, Sqlite};

pub(crate) const BOOK: &str = "shop";
pub(crate) const RAIL: &str = "sandbox";

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn at(secs: u64) -> Time {
    Time::parse("2026-03-01T12:00:00Z").unwrap().plus_secs(secs)
}

/// A folder that is gone when the test is over.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let own = format!("worker-{}-{count}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What is paid over, and by whom it is served.
pub(crate) struct Till {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) settings: RailSettings,
}

impl Till {
    pub(crate) fn new(terms: Terms, lines_max: usize) -> Self {
        let settings = ServerSettings { terms, ..ServerSettings::default() };
        let keeper = Arc::new(Keeper::open(&settings).unwrap());
        let settings = RailSettings::at("http://127.0.0.1:4010", name("till")).unwrap();
        let timing = Timing { watch_secs: 0, ..settings.timing };
        let window = terms.window;
        let settings = RailSettings { window, lines_max, timing, ..settings };
        Self { keeper, settings }
    }

    pub(crate) fn plain(window: WindowKind, lines_max: usize) -> Self {
        Self::new(Terms { window, ..Terms::default() }, lines_max)
    }

    pub(crate) fn rails(&self) -> Vec<Arc<dyn Rail>> {
        vec![Arc::new(Sandbox::new(self.settings.clone()).unwrap())]
    }

    pub(crate) fn sender(&self) -> Arc<dyn Sender> {
        self.keeper.clone()
    }

    pub(crate) fn moved(&self) -> u64 {
        self.keeper.world().moved()
    }
}

/// Opens a shop whose holders are paid at once at their own name, or finds it.
pub(crate) async fn open(file: &Path, holders: usize) -> Divvy {
    let mut divvy = Divvy::open(Sqlite::open(file).unwrap()).await.unwrap();
    let opened = Opened {
        asset: Asset::parse("USD").unwrap(),
        policy: Policy::Instant,
        floor: Amount::ONE,
        cooling_secs: 86_400,
        named_on: Some(name(RAIL)),
    };
    let now = at(0);
    let mut book = divvy.open_book_with(&name(BOOK), opened, now).await.unwrap();
    let units = |n: usize| Units::parse(&n.to_string()).unwrap();
    book.open_pool(&name("fans"), units(holders), now).await.unwrap();
    let entries: Vec<_> = (0..holders).map(|n| (name(&format!("fan-{n}")), units(1))).collect();
    book.issue_first("fans", &entries, now).await.unwrap();
    let all = Leg { to: Target::Pool("fans".to_owned()), share: Share::Remaining };
    book.set_rule(Time::ZERO, &Legs::new(vec![all]).unwrap(), now).await.unwrap();
    divvy
}

/// Takes a payment, of 1.00 for each holder, and declares it.
pub(crate) async fn take(divvy: &mut Divvy, id: &str, holders: usize, now: Time) {
    let usd = Asset::parse("USD").unwrap();
    let evidence = Evidence { source: "till".into(), hash: Hash::of(b"1"), said: String::new() };
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: name(id),
        amount: Amount::new(100 * u64::try_from(holders).unwrap()).unwrap(),
        asset: usd.clone(),
        payer: None,
        event_at: now,
        evidence,
    };
    let mut book = divvy.book(BOOK).unwrap();
    book.record(&[vouched(said, &usd).unwrap()], now).await.unwrap();
    book.declare(now).await.unwrap();
}

pub(crate) fn paid(divvy: &Divvy) -> u64 {
    divvy.books().book(BOOK).unwrap().totals().paid.get()
}

/// A sender whose questions are answered, and whose orders to pay get lost on their way.
#[derive(Debug)]
pub(crate) struct Losing(pub(crate) Arc<Keeper>);

#[async_trait::async_trait]
impl Sender for Losing {
    async fn send(&self, request: &divvy::core::Request) -> Option<divvy::core::Reply> {
        if request.method == "POST" { None } else { self.0.send(request).await }
    }
}

/// A sender whom nobody answers.
#[derive(Debug)]
pub(crate) struct Mute;

#[async_trait::async_trait]
impl Sender for Mute {
    async fn send(&self, _: &divvy::core::Request) -> Option<divvy::core::Reply> {
        None
    }
}
