//! A shift: tick after tick by a running clock, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use divvy_core::{Code, Error, Hash, Name, State, Time, Who};
use tokio::sync::watch::Sender;

use crate::clock::Clock;
use crate::divvy::Divvy;
use crate::worker::{Tick, Worker};

/// A word to a worker that runs: finish what is under way, begin nothing new.
///
/// ```
/// use divvy::Stop;
///
/// let stop = Stop::new();
/// let heard = stop.clone();
/// stop.stop();
/// assert!(heard.is_stopped());
/// ```
#[derive(Clone, Debug)]
pub struct Stop(Arc<Sender<bool>>);

/// When a shift ends.
///
/// ```
/// use divvy::Shift;
///
/// // A look every five minutes, for ever.
/// assert_eq!(Shift::default().tick_secs, 300);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Shift {
    /// New payments are looked for every so many seconds.
    pub tick_secs: u64,
    /// Whether it goes on when nothing is open or due.
    pub end: End,
}

/// What ends a shift beside [`Stop`].
///
/// ```
/// use divvy::End;
///
/// assert_ne!(End::Never, End::WhenIdle);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Nothing.
    Never,
    /// Nothing is open or due. What waits for a person does not count, nor what only they can mend.
    WhenIdle,
}

impl Stop {
    /// Nobody has been told yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default word to stop would be odd to read")]
    pub fn new() -> Self {
        Self(Arc::new(Sender::new(false)))
    }

    /// Tells everyone who has a copy.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was told.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    async fn told(&self) {
        let mut told = self.0.subscribe();
        // The sender lives as long as this, so there is nothing else to wait for.
        drop(told.wait_for(|told| *told).await);
    }
}

impl Default for Shift {
    fn default() -> Self {
        Self { tick_secs: 300, end: End::Never }
    }
}

impl Worker {
    /// Works until it is told to stop: declares what waits, pays who is due, follows up what is
    /// open, and waits in between. What is under way when it is told is finished, nothing new is
    /// begun, and it leaves the roster.
    ///
    /// While the world is not ready (the database is away, another worker was quicker every time)
    /// it waits longer each time, and goes on. It needs a tokio runtime with time.
    ///
    /// Returns what it did.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use std::sync::Arc;
    ///
    /// use divvy::{Clock, Divvy, Http, Shift, Sqlite, Stop, Worker};
    ///
    /// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
    /// let clock = Clock::system();
    /// let mut worker = Worker::new(vec![], Arc::new(Http::new(clock.clone())?))?;
    ///
    /// let stop = Stop::new();
    /// stop.stop(); // a signal's handler does this, on a clone
    /// let did = worker.run(&mut divvy, &clock, Shift::default(), &stop).await?;
    /// assert_eq!(did.runs, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Worker::tick`] that waiting does not mend: a broken promise, and what a person
    /// has to change.
    pub async fn run(
        &mut self,
        divvy: &mut Divvy,
        clock: &Clock,
        shift: Shift,
        stop: &Stop,
    ) -> Result<Tick, Error> {
        let before = self.counters;
        self.stop = stop.clone();
        let worked = self.run_until_stopped(divvy, clock, shift, stop).await;
        self.leave(divvy, clock.now()).await;
        self.stop = Stop::new();
        worked.map(|()| self.counters.since(before))
    }

    async fn run_until_stopped(
        &mut self,
        divvy: &mut Divvy,
        clock: &Clock,
        shift: Shift,
        stop: &Stop,
    ) -> Result<(), Error> {
        let mut failures = 0_u32;
        while !stop.is_stopped() {
            let wait = match self.work(divvy, clock).await {
                Ok(tick) => {
                    failures = 0;
                    if shift.end == End::WhenIdle && self.is_idle(divvy, clock.now()) {
                        return Ok(());
                    }
                    self.wait_after(tick, clock, shift)
                }
                Err(error) if error.who() == Who::World => {
                    failures = failures.saturating_add(1);
                    let wait = self.back_off(failures);
                    tracing::warn!(%error, millis = wait.as_millis(), "waiting for the world");
                    wait
                }
                Err(error) => return Err(error),
            };
            tokio::select! {
                () = stop.told() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        Ok(())
    }

    /// Declares what waits, and does a tick.
    async fn work(&mut self, divvy: &mut Divvy, clock: &Clock) -> Result<Tick, Error> {
        divvy.catch_up_or_begin_anew().await?;
        let waits = |book: &&divvy_core::Book| book.has_undeclared().unwrap_or(true);
        let books = divvy.books().all().filter(waits).map(|book| book.name().clone());
        for book in books.collect::<Vec<Name>>() {
            let declared = divvy.book(book.as_str())?.declare(clock.now()).await;
            match declared {
                // Nobody holds a unit yet, or the pool is full: the rest goes on.
                Err(error) if error.who() == Who::You => {
                    tracing::warn!(%book, %error, "nothing is declared");
                }
                declared => drop(declared?),
            }
        }
        self.tick_by(divvy, clock).await
    }

    /// How long nothing is to be done.
    fn wait_after(&self, tick: Tick, clock: &Clock, shift: Shift) -> Duration {
        let now = clock.now();
        if (tick.left > 0 && tick.lines > 0) || self.outbox.is_behind() {
            return Duration::ZERO;
        }
        let next = now.plus_secs(shift.tick_secs.max(1));
        // What was wanted by now had its chance in the tick before.
        let wanted = self.wanted().filter(|wanted| *wanted > now).min();
        let next = wanted.map_or(next, |wanted| wanted.min(next));
        // Others hear of this worker three times before they take it for dead.
        let secs = self.settings.roster_secs;
        let next = if secs == 0 { next } else { next.min(now.plus_secs(secs.div_ceil(3).max(1))) };
        Duration::from_millis(next.millis_since(now).max(WAIT_MILLIS_MIN))
    }

    /// Longer after each failure, and up to half as long again, so that workers which lost the same
    /// database do not all come back at once.
    fn back_off(&self, failures: u32) -> Duration {
        let doubled = 1_u64.checked_shl(failures).unwrap_or(u64::MAX);
        let millis = BACK_OFF_MILLIS.saturating_mul(doubled).min(BACK_OFF_MILLIS_MAX);
        let dice = Hash::of(format!("{}/{failures}", self.process).as_bytes());
        let byte = u64::from(dice.as_bytes().first().copied().unwrap_or(0));
        Duration::from_millis(millis.saturating_add(millis.saturating_mul(byte) >> 9))
    }

    /// Whether there is nothing to do until something new happens.
    fn is_idle(&self, divvy: &Divvy, now: Time) -> bool {
        let books = || divvy.books().all();
        let open = |book: &divvy_core::Book| {
            let batches = book.open_batches();
            batches.iter().any(|batch| book.batch_state(batch) != Some(State::Review))
        };
        let closed: Vec<Error> = self.obstacles();
        let due = |book: &divvy_core::Book| {
            let served = |rail: &Name| self.rails.contains_key(rail);
            let due = book.due_up_to(1, now, served);
            due.is_ok_and(|due| !due.is_empty())
        };
        // A person has been told what stands in the way: waiting does not mend it.
        let told = closed.iter().any(|error| error.code() == Code::RailAhead)
            || self.purses.obstacles().next().is_some();
        !self.outbox.is_behind() && !books().any(open) && (told || !books().any(due))
    }
}

/// A tick that is wanted at once still lets others have the machine.
const WAIT_MILLIS_MIN: u64 = 5;
const BACK_OFF_MILLIS: u64 = 100;
const BACK_OFF_MILLIS_MAX: u64 = 60_000;
