//! A shop whose holders are paid over a sandbox in this process, and whose webhooks lead to
//! receivers on this machine. Time is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use divvy::core::danger::{Vouched, vouched};
use divvy::core::{
    Amount, Asset, Endpoint, Evidence, Hash, Leg, Legs, Name, Opened, Policy, Rail, Share, Target,
    Time, Units,
};
use divvy::sandbox::{Keeper, RailSettings, Sandbox, ServerSettings};
use divvy::{
    Divvy, Http, Postgres, Reach, SecretsAt, Sqlite, Tick, Told, Webhook, WebhookSettings, Worker,
    WorkerSettings, rotate_secret,
};

use tokio::sync::{Mutex, MutexGuard};

use crate::server::Server;

pub(crate) const BOOK: &str = "shop";
pub(crate) const APP: &str = "app";

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn at(secs: u64) -> Time {
    Time::parse("2026-03-01T12:00:00Z").unwrap().plus_secs(secs)
}

/// A folder that is gone when the test is over, and the database on a server that goes with it.
pub(crate) struct Folder {
    path: PathBuf,
    server: Option<(String, Alone)>,
}

/// Whoever writes on a server delays everyone's cursors a little, so that one test at a time does.
type Alone = Arc<MutexGuard<'static, ()>>;

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

impl Folder {
    pub(crate) fn on_a_file() -> Self {
        Self::new(None)
    }

    pub(crate) async fn on_a_server() -> Self {
        let alone = Arc::new(ONE_AT_A_TIME.lock().await);
        Self::new(Some((Server::shared().database(), alone)))
    }

    /// Another one on the same host.
    pub(crate) fn another(&self) -> Self {
        let again = |(_, alone): &(String, Alone)| (Server::shared().database(), alone.clone());
        Self::new(self.server.as_ref().map(again))
    }

    fn new(server: Option<(String, Alone)>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let own = format!("outbox-{}-{count}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
        fs::create_dir_all(&path).unwrap();
        rotate_secret(&path.join("secrets"), 0).unwrap();
        Self { path, server }
    }

    /// The database: on the server, or a file of this name.
    async fn open(&self, file: &str) -> Divvy {
        match &self.server {
            Some((url, _)) => Divvy::open(Postgres::open(url).await.unwrap()).await.unwrap(),
            None => Divvy::open(Sqlite::open(self.file(file)).unwrap()).await.unwrap(),
        }
    }

    pub(crate) fn file(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }

    /// The secrets of the webhook, newest first.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file("secrets")).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// One process: a fold, a worker and a clock of its own.
pub(crate) struct Desk {
    pub(crate) divvy: Divvy,
    pub(crate) worker: Worker,
    told: Told,
}

/// Enters no roster: nobody waits until it is taken for dead.
pub(crate) const LONELY: WorkerSettings =
    WorkerSettings { in_flight: 8, first_wait_secs: 60, roster_secs: 0 };

/// The webhook of a desk, but for what a test wants otherwise.
pub(crate) fn settings(url: &str) -> WebhookSettings {
    let plain = WebhookSettings::new(name(APP), name(BOOK), url);
    WebhookSettings { reach: Reach::Own, ..plain }
}

impl Desk {
    /// A worker beside others, with one webhook.
    pub(crate) async fn new(folder: &Folder, url: &str) -> Self {
        Self::with(folder, "db", settings(url), WorkerSettings::default()).await
    }

    /// A worker that sees no others, as the only one of a shop.
    pub(crate) async fn alone(folder: &Folder, url: &str) -> Self {
        Self::with(folder, "db", settings(url), LONELY).await
    }

    pub(crate) async fn with(
        folder: &Folder,
        file: &str,
        settings: WebhookSettings,
        workers: WorkerSettings,
    ) -> Self {
        let divvy = folder.open(file).await;
        let keeper = Arc::new(Keeper::open(&ServerSettings::default()).unwrap());
        let rail = RailSettings::at("http://127.0.0.1:4010", name("till")).unwrap();
        let rails: Vec<Arc<dyn Rail>> = vec![Arc::new(Sandbox::new(rail).unwrap())];
        let mut worker = Worker::with(rails, keeper, workers).unwrap();
        let told = Told::new(at(0));
        let at_file = SecretsAt::File(folder.file("secrets"));
        let webhooks = vec![Webhook::open(settings, &at_file).unwrap()];
        let sender = Arc::new(Http::to_webhooks(told.clock(), &webhooks).unwrap());
        worker.set_webhooks(webhooks, sender);
        Self { divvy, worker, told }
    }

    /// Opens the book with so many holders of one unit each, who are paid at once.
    pub(crate) async fn open(&mut self, holders: usize) {
        let opened = Opened {
            asset: Asset::parse("USD").unwrap(),
            policy: Policy::Instant,
            floor: Amount::ONE,
            cooling_secs: 86_400,
            named_on: Some(name("sandbox")),
        };
        let mut book = self.divvy.open_book_with(&name(BOOK), opened, at(0)).await.unwrap();
        let units = |n: usize| Units::parse(&n.to_string()).unwrap();
        book.open_pool(&name("fans"), units(holders), at(0)).await.unwrap();
        let entries: Vec<_> =
            (0..holders).map(|n| (name(&format!("fan-{n:03}")), units(1))).collect();
        book.issue_first("fans", &entries, at(0)).await.unwrap();
        let all = Leg { to: Target::Pool("fans".to_owned()), share: Share::Remaining };
        book.set_rule(Time::ZERO, &Legs::new(vec![all]).unwrap(), at(0)).await.unwrap();
    }

    /// From now on payments flow to the first holder, each over so many seconds.
    pub(crate) async fn flow(&mut self, pool: &str, over_secs: u64, secs: u64) {
        let mut book = self.divvy.book(BOOK).unwrap();
        let one = Units::parse("1").unwrap();
        book.open_pool_flowing(&name(pool), one, over_secs, at(secs)).await.unwrap();
        book.issue_first(pool, &[(name("fan-000"), one)], at(secs)).await.unwrap();
        let all = Leg { to: Target::Pool(pool.to_owned()), share: Share::Remaining };
        book.set_rule(at(secs), &Legs::new(vec![all]).unwrap(), at(secs)).await.unwrap();
    }

    /// Takes a payment and declares it.
    pub(crate) async fn take(&mut self, id: &str, minor: u64, secs: u64) {
        let usd = Asset::parse("USD").unwrap();
        let evidence =
            Evidence { source: "till".into(), hash: Hash::of(b"1"), said: String::new() };
        let said = Vouched {
            source: name("till"),
            account: name("main"),
            id: name(id),
            amount: Amount::new(minor).unwrap(),
            asset: usd.clone(),
            payer: Some("somebody@mail.example".into()),
            event_at: at(secs),
            evidence,
        };
        let mut book = self.divvy.book(BOOK).unwrap();
        book.record(&[vouched(said, &usd).unwrap()], at(secs)).await.unwrap();
        self.declare(secs).await;
    }

    /// Declares what waits, and accrues what flows.
    pub(crate) async fn declare(&mut self, secs: u64) {
        self.divvy.book(BOOK).unwrap().declare(at(secs)).await.unwrap();
    }

    /// Holds a payee and releases it again: two events, and no money.
    pub(crate) async fn hold(&mut self, payee: &str, secs: u64) {
        let mut book = self.divvy.book(BOOK).unwrap();
        book.hold(&name(payee), "ann's wedding", at(secs)).await.unwrap();
        book.release(&name(payee), "the wedding is over", at(secs)).await.unwrap();
    }

    pub(crate) async fn tick(&mut self, secs: u64) -> Tick {
        self.told.tell(at(secs));
        self.worker.tick_by(&mut self.divvy, &self.told.clock()).await.unwrap()
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        self.divvy.books().book(BOOK).unwrap().endpoint(APP).unwrap()
    }
}
