//! The worker: finds who is due, plans, signs, commits, sends, looks and learns. Safe to run
//! twice, to run in any number of processes, and to kill.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use divvy_core::{Code, Error, Name, Rail, Sender as SenderId, Stream, Time};
use tracing::Instrument as _;

use crate::clock::{Clock, Told};
use crate::divvy::Divvy;
use crate::host::Sender;
use crate::outbox::Outbox;
use crate::quote::Quotes;
use crate::webhook::Webhook;

mod adopt;
mod ahead;
mod costs;
mod deliver;
mod draws;
mod drive;
mod gates;
mod learn;
mod pace;
mod plan;
mod purses;
mod quote;
mod roster;
mod settings;
mod shift;
mod suspects;
mod talk;
mod tick;
mod together;
mod wait;
mod watch;

pub(crate) use draws::Draws;
pub use settings::WorkerSettings;
pub use shift::{End, Shift, Stop};
pub use tick::Tick;

use ahead::Clearances;
use costs::Costs;
use gates::Gates;
use pace::Pace;
use purses::Purses;
use roster::Roster;
use suspects::Suspects;
use watch::Watched;

/// Drives every batch of a database over its rails.
///
/// A worker remembers nothing that matters: pacing and watching only. Whatever it forgets in a
/// crash is found again in the facts.
#[derive(Debug)]
pub struct Worker {
    rails: BTreeMap<Name, Arc<dyn Rail>>,
    sender: Arc<dyn Sender>,
    quotes: Option<Arc<dyn Quotes>>,
    gates: Gates,
    clock: Clock,
    settings: WorkerSettings,
    process: String,
    draws: Draws,
    roster: Roster,
    pace: HashMap<Stream, Pace>,
    /// The open batches that this worker has sent or asked about.
    own: HashSet<Stream>,
    watched: Watched,
    tips: HashMap<Name, u64>,
    suspects: Suspects,
    purses: Purses,
    costs: Costs,
    clearances: Clearances,
    outbox: Outbox,
    counters: Tick,
    stop: Stop,
}

impl Worker {
    /// A worker over these rails, as [`WorkerSettings::default`] says. Its process id is drawn
    /// anew, so that a `Once` try can only be sent by the process that committed it.
    ///
    /// # Errors
    /// [`divvy_core::Code::StoreUnusable`] when the system gives no randomness.
    pub fn new(rails: Vec<Arc<dyn Rail>>, sender: Arc<dyn Sender>) -> Result<Self, Error> {
        Self::with(rails, sender, WorkerSettings::default())
    }

    /// A worker with settings of its own.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use divvy::{Clock, Http, Worker, WorkerSettings};
    ///
    /// let settings = WorkerSettings { in_flight: 2, ..WorkerSettings::default() };
    /// let worker = Worker::with(vec![], Arc::new(Http::new(Clock::system())?), settings)?;
    /// assert_eq!(worker.not_before(), None, "nothing is open");
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::StoreUnusable`] when the system gives no randomness.
    pub fn with(
        rails: Vec<Arc<dyn Rail>>,
        sender: Arc<dyn Sender>,
        settings: WorkerSettings,
    ) -> Result<Self, Error> {
        Self::with_draws(rails, sender, settings, Draws::System)
    }

    /// A worker whose process id and try ids come from this source.
    pub(crate) fn with_draws(
        rails: Vec<Arc<dyn Rail>>,
        sender: Arc<dyn Sender>,
        settings: WorkerSettings,
        draws: Draws,
    ) -> Result<Self, Error> {
        let rails = rails.into_iter().map(|rail| (rail.name().clone(), rail)).collect();
        Ok(Self {
            rails,
            sender,
            quotes: None,
            gates: Gates::default(),
            clock: Told::new(Time::ZERO).clock(),
            settings,
            process: draws.draw()?.to_string(),
            draws,
            roster: Roster::default(),
            pace: HashMap::new(),
            own: HashSet::new(),
            watched: Watched::default(),
            tips: HashMap::new(),
            suspects: Suspects::default(),
            purses: Purses::default(),
            costs: Costs::default(),
            clearances: Clearances::default(),
            outbox: Outbox::default(),
            counters: Tick::default(),
            stop: Stop::new(),
        })
    }

    /// Sends a rail at most so many requests a second, all living workers together: each takes its
    /// part, evenly spaced. It waits by a running clock; where time is told, nothing waits.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use divvy::core::Name;
    /// use divvy::{Clock, Http, Worker};
    ///
    /// let mut worker = Worker::new(vec![], Arc::new(Http::new(Clock::system())?))?;
    /// worker.set_rate(&Name::new("sandbox")?, 25);
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    pub fn set_rate(&mut self, rail: &Name, requests_per_sec: u64) {
        self.gates.set_rate(rail, requests_per_sec);
    }

    /// Asks for what rails charge where somebody's terms weigh it. Without this nobody can say, and
    /// whoever weighs fees waits.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use divvy::{Clock, FixedQuotes, Http, Worker};
    ///
    /// let mut worker = Worker::new(vec![], Arc::new(Http::new(Clock::system())?))?;
    /// worker.set_quotes(Arc::new(FixedQuotes::default()));
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    pub fn set_quotes(&mut self, quotes: Arc<dyn Quotes>) {
        self.quotes = Some(quotes);
    }

    /// Tells these endpoints what happens, over this sender, at least once each and in order:
    /// whatever is a fact is told, however often everybody dies. [`Http::to_webhooks`] makes a
    /// sender that nobody can turn against our own network.
    ///
    /// [`Http::to_webhooks`]: crate::Http::to_webhooks
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use std::sync::Arc;
    ///
    /// use divvy::core::{Asset, Name};
    /// use divvy::{Clock, Divvy, Http, Sqlite, Webhook, WebhookSecrets, WebhookSettings, Worker};
    ///
    /// let (mut divvy, clock) = (Divvy::open(Sqlite::in_memory()?).await?, Clock::system());
    /// let (app, book) = (Name::new("app")?, Name::new("chapter-42")?);
    /// divvy.open_book(&book, Asset::parse("USD")?, clock.now()).await?;
    ///
    /// let secrets = WebhookSecrets::new(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])?;
    /// let settings = WebhookSettings::new(app, book, "https://app.example/hooks");
    /// let webhooks = vec![Webhook::new(settings, secrets)?];
    /// let sender = Arc::new(Http::to_webhooks(clock.clone(), &webhooks)?);
    /// let mut worker = Worker::new(vec![], Arc::new(Http::new(clock.clone())?))?;
    /// worker.set_webhooks(webhooks, sender);
    ///
    /// // It begins now: nothing has happened yet, so nothing is sent.
    /// let tick = worker.tick_by(&mut divvy, &clock).await?;
    /// assert_eq!((tick.told, tick.untold), (0, 0));
    /// assert!(divvy.books().book("chapter-42")?.endpoint("app")?.silenced.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_webhooks(&mut self, webhooks: Vec<Webhook>, sender: Arc<dyn Sender>) {
        self.outbox = Outbox::new(webhooks, sender);
    }

    /// Does everything that is to be done now, and returns when nothing is left; beside other
    /// workers, when its share is done.
    ///
    /// # Errors
    /// The host's errors, those of a history that breaks a rule, and [`Code::ClockAhead`];
    /// [`Code::RailRefused`] when a book lets a changed destination take effect before a rail's
    /// longest deadline, once everything else is done. What a rail says is never an error: it is
    /// learned, or it teaches nothing.
    pub async fn tick(&mut self, divvy: &mut Divvy, now: Time) -> Result<Tick, Error> {
        self.tick_by(divvy, &Told::new(now).clock()).await
    }

    /// A tick that asks a clock for the time before each plan, and not once for all of them: where
    /// rails are slow, the deadlines of later runs would be used up before anything is sent.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use std::sync::Arc;
    ///
    /// use divvy::{Clock, Divvy, Http, Sqlite, Worker};
    ///
    /// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
    /// let clock = Clock::system();
    /// let mut worker = Worker::new(vec![], Arc::new(Http::new(clock.clone())?))?;
    /// let tick = worker.tick_by(&mut divvy, &clock).await?;
    /// assert_eq!(tick.runs, 0, "nobody is due");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Worker::tick`].
    pub async fn tick_by(&mut self, divvy: &mut Divvy, clock: &Clock) -> Result<Tick, Error> {
        let mut tick = Tick::default();
        self.clock = clock.clone();
        let span = tracing::info_span!("tick", workers = self.roster.count());
        let done = self.tick_whole(divvy, clock, &mut tick).instrument(span).await;
        self.counters = self.counters.and(tick);
        done.map(|()| tick)
    }

    async fn tick_whole(
        &mut self,
        divvy: &mut Divvy,
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let now = self.fresh(divvy, clock).await?;
        self.muster(divvy, now).await;
        self.find_watched(divvy, now);
        self.begin_webhooks(divvy, clock).await?;
        let paid = self.pay_all(divvy, clock, tick).await;
        // Whatever stands in the way of paying, what happened is told.
        let told = self.deliver(divvy, clock, tick).await;
        paid.and(told)
    }

    async fn pay_all(
        &mut self,
        divvy: &mut Divvy,
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        self.drive_open(divvy, clock, tick).await?;
        self.look_again(divvy, clock, tick).await?;
        let names: Vec<Name> = divvy.books().all().map(|book| book.name().clone()).collect();
        let mut refused = None;
        for book in names {
            match self.pay(divvy, &book, clock, tick).await {
                Err(error) if error.code() == Code::RailRefused => refused = Some(error),
                paid => paid?,
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// The earliest time at which something wants another look, if there is one.
    #[must_use]
    pub fn not_before(&self) -> Option<Time> {
        self.wanted().min()
    }

    /// The times at which something wants another look.
    fn wanted(&self) -> impl Iterator<Item = Time> {
        let paced = self.pace.values().map(|pace| pace.not_before());
        let others = [self.watched.not_before(), self.clearances.not_before()];
        let rests = [self.purses.not_before(), self.gates.not_before(), self.outbox.not_before()];
        paced.chain(others.into_iter().chain(rests).flatten())
    }

    /// What stands in the way of paying until a person has looked, each with its remedy.
    ///
    /// [`Code::RailAhead`] when a rail shows tries that the facts do not know,
    /// [`Code::RailRefused`] when a wallet cannot pay, [`Code::FeeAboveCeiling`] when a rail quotes
    /// more for a batch than its book pays, and [`Code::WebhookUnheard`] for an endpoint that is
    /// told nothing more; the errors of its secrets for one whose secrets cannot be read.
    #[must_use]
    pub fn obstacles(&self) -> Vec<Error> {
        let (purses, costs) = (self.purses.obstacles(), self.costs.obstacles());
        let paying = self.clearances.obstacles().into_iter().chain(purses).chain(costs);
        paying.chain(self.outbox.obstacles()).collect()
    }

    /// What all ticks of this worker did together.
    #[must_use]
    pub const fn counters(&self) -> Tick {
        self.counters
    }

    /// The time, and every fact that was there then. The time is taken first: a fact that is older
    /// than it is known then, as far as the host shows facts at once.
    async fn fresh(&mut self, divvy: &mut Divvy, clock: &Clock) -> Result<Time, Error> {
        let now = clock.now();
        divvy.catch_up_or_begin_anew().await?;
        self.clearances.follow(divvy);
        divvy_core::check_clock(now, divvy.books().newest(), None)?;
        Ok(now.max(divvy.books().newest()))
    }

    fn sender_id(&self) -> Result<SenderId, Error> {
        Ok(SenderId { process: self.process.clone(), try_id: self.draws.draw()? })
    }
}

/// What time it is for somebody who goes on with a fold: facts are never stamped earlier than the
/// newest one, so nothing is judged earlier.
fn time(divvy: &Divvy, clock: &Clock) -> Time {
    clock.now().max(divvy.books().newest())
}
