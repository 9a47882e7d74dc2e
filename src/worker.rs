//! The worker: finds who is due, plans, signs, commits, sends, looks and learns. Safe to run
//! twice, to run in any number of processes, and to kill.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use divvy_core::{Code, Error, Hash, Name, Rail, Sender as SenderId, Stream, Time};

use crate::divvy::Divvy;
use crate::host::Sender;

mod ahead;
mod drive;
mod learn;
mod pace;
mod plan;
mod talk;

use ahead::Clearances;
use pace::Pace;
use plan::Suspects;

/// Drives every batch of a database over its rails.
///
/// A worker remembers nothing that matters: pacing and watching only. Whatever it forgets in a
/// crash is found again in the facts.
#[derive(Debug)]
pub struct Worker {
    rails: BTreeMap<Name, Arc<dyn Rail>>,
    sender: Arc<dyn Sender>,
    process: String,
    pace: HashMap<Stream, Pace>,
    watch: BTreeSet<(Time, Stream)>,
    watching: bool,
    tips: HashMap<Name, u64>,
    suspects: Suspects,
    clearances: Clearances,
}

/// What one tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// Runs planned.
    pub runs: u64,
    /// Payout lines planned.
    pub lines: u64,
    /// Batches whose state changed by what was learned.
    pub learned: u64,
    /// Requests sent.
    pub requests: u64,
    /// Books that are closed on a rail until a person has looked: see [`Worker::obstacles`].
    pub closed: u64,
}

impl Tick {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            runs: self.runs.saturating_add(other.runs),
            lines: self.lines.saturating_add(other.lines),
            learned: self.learned.saturating_add(other.learned),
            requests: self.requests.saturating_add(other.requests),
            closed: self.closed.saturating_add(other.closed),
        }
    }
}

impl Worker {
    /// A worker over these rails. Its process id is drawn anew, so that a `Once` try can only be
    /// sent by the process that committed it.
    ///
    /// # Errors
    /// [`Code::StoreUnusable`] when the system gives no randomness.
    pub fn new(rails: Vec<Arc<dyn Rail>>, sender: Arc<dyn Sender>) -> Result<Self, Error> {
        let rails = rails.into_iter().map(|rail| (rail.name().clone(), rail)).collect();
        Ok(Self {
            rails,
            sender,
            process: random()?.to_string(),
            pace: HashMap::new(),
            watch: BTreeSet::new(),
            watching: false,
            tips: HashMap::new(),
            suspects: Suspects::default(),
            clearances: Clearances::default(),
        })
    }

    /// Does everything that is to be done now, and returns when nothing is left.
    ///
    /// # Errors
    /// The host's errors, those of a history that breaks a rule, and [`Code::ClockAhead`]. What
    /// a rail says is never an error: it is learned, or it teaches nothing.
    pub async fn tick(&mut self, divvy: &mut Divvy, now: Time) -> Result<Tick, Error> {
        let mut tick = Tick::default();
        divvy.catch_up_or_begin_anew().await?;
        self.clearances.follow(divvy);
        divvy_core::check_clock(now, divvy.books().newest(), None)?;
        // Facts are never stamped earlier than the newest one, so nothing is judged earlier.
        let now = now.max(divvy.books().newest());
        self.find_watched(divvy, now);
        self.drive_open(divvy, now, &mut tick).await?;
        self.look_again(divvy, now, &mut tick).await?;
        let names: Vec<Name> = divvy.books().all().map(|book| book.name().clone()).collect();
        for book in names {
            self.pay(divvy, &book, now, &mut tick).await?;
        }
        Ok(tick)
    }

    /// The earliest time at which an open or watched batch wants another look, if there is one.
    #[must_use]
    pub fn not_before(&self) -> Option<Time> {
        let paced = self.pace.values().map(|pace| pace.not_before());
        let watched = self.watch.first().map(|(from, _)| *from);
        paced.chain(watched).chain(self.clearances.not_before()).min()
    }

    /// What stands in the way of paying until a person has looked, each with its remedy.
    ///
    /// [`Code::RailAhead`] when a rail shows tries that the facts do not know.
    #[must_use]
    pub fn obstacles(&self) -> Vec<Error> {
        self.clearances.obstacles()
    }

    fn sender_id(&self) -> Result<SenderId, Error> {
        Ok(SenderId { process: self.process.clone(), try_id: random()? })
    }
}

fn random() -> Result<Hash, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        let detail = format!("the system gives no randomness ({error}): try again");
        Error::new(Code::StoreUnusable, detail)
    })?;
    Ok(Hash::new(bytes))
}
