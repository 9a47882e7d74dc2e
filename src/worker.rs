//! The worker: finds who is due, plans, signs, commits, sends, looks and learns. Safe to run
//! twice, to run in any number of processes, and to kill.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use divvy_core::{
    Batch, Call, Code, Due, Error, Hash, Heard, Job, Line, Name, Next, Plan, Planned, Rail, Seen,
    Sender as SenderId, Signed, State, Step, Stream, Time, Timing, Turn,
};

use crate::divvy::Divvy;
use crate::host::Sender;

mod pace;
mod talk;

use pace::Pace;
use talk::talk;

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
        })
    }

    /// Does everything that is to be done now, and returns when nothing is left.
    ///
    /// # Errors
    /// The host's errors, those of a history that breaks a rule, and [`Code::ClockAhead`]. What
    /// a rail says is never an error: it is learned, or it teaches nothing.
    pub async fn tick(&mut self, divvy: &mut Divvy, now: Time) -> Result<Tick, Error> {
        let mut tick = Tick::default();
        divvy.catch_up().await?;
        divvy_core::check_clock(now, divvy.books().newest(), None)?;
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
        paced.chain(self.watch.first().map(|(from, _)| *from)).min()
    }

    /// Plans runs for a book until nobody is due, and sends what they release.
    async fn pay(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        loop {
            divvy.books_mut().book_mut(book.as_str())?.wake_waited(now)?;
            let due = divvy.books().book(book.as_str())?.due(now)?;
            let (plans, timings) = self.plans(divvy, book, due, now, tick).await?;
            if plans.is_empty() {
                return Ok(());
            }
            let lines: usize = plans.iter().map(|plan| plan.planned.lines.len()).sum();
            let step = divvy.books().plan(book.as_str(), &plans, now)?;
            let batches = batches_of(&step)?;
            match divvy.commit(step).await {
                Ok(calls) => {
                    tick.runs = tick.runs.saturating_add(1);
                    tick.lines = tick.lines.saturating_add(u64::try_from(lines).unwrap_or(0));
                    self.send(divvy, calls, &batches, &timings, now, tick).await?;
                }
                // Someone else planned this run: what they reserved is not due any more.
                Err(error) if error.code() == Code::AddressTaken => divvy.catch_up().await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Packs and signs everyone who is due on a rail that this worker has.
    async fn plans(
        &mut self,
        divvy: &Divvy,
        book: &Name,
        due: Vec<Due>,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(Vec<Plan>, Vec<Timing>), Error> {
        let (mut plans, mut timings) = (Vec::new(), Vec::new());
        let mut claimed_here: Vec<String> = Vec::new();
        for Due { rail, lines } in due {
            let Some(rail) = self.rails.get(&rail).cloned() else {
                tracing::warn!(%rail, lines = lines.len(), "due on a rail that is not set up");
                continue;
            };
            let packs = talk(&*self.sender, tick, |heard| rail.pack(&lines, heard, now)).await?;
            let Some(packs) = packs else { continue };
            for pack in packs {
                let lines: Vec<Line> =
                    pack.lines.iter().filter_map(|line| lines.get(*line).cloned()).collect();
                let i = u32::try_from(plans.len()).unwrap_or(u32::MAX);
                let mut claimed = divvy.books().claimed(rail.wallet().as_str(), None);
                claimed.extend(claimed_here.iter().cloned());
                let job = Job {
                    batch: divvy.books().book(book.as_str())?.next_batch(i),
                    lines,
                    tries: Vec::new(),
                    claimed,
                    sender: self.sender_id()?,
                };
                let Some(signed) = self.sign(&*rail, &job, now, tick).await? else { continue };
                claimed_here.extend(signed.claims.iter().cloned());
                let (name, wallet) = (rail.name().clone(), rail.wallet().clone());
                let planned = Planned { rail: name, wallet, lines: job.lines };
                plans.push(Plan { planned, signed });
                timings.push(rail.timing());
            }
        }
        Ok((plans, timings))
    }

    /// Signs a try; `None` when the rail could not be asked for what it needs just now.
    async fn sign(
        &self,
        rail: &dyn Rail,
        job: &Job,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Signed>, Error> {
        match talk(&*self.sender, tick, |heard| rail.sign(job, heard, now)).await {
            Err(error) if error.code() == Code::RailRefused => {
                tracing::warn!(batch = %job.batch, %error, "the rail cannot sign now");
                Ok(None)
            }
            signed => signed,
        }
    }

    /// Sends what a commit has released, and learns from the replies, in one commit where it can.
    async fn send(
        &mut self,
        divvy: &mut Divvy,
        calls: Vec<Call>,
        batches: &[Batch],
        timings: &[Timing],
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let mut seen = Vec::new();
        for (call, (batch, timing)) in calls.iter().zip(batches.iter().zip(timings)) {
            let Some(rail) = self.rails.get(batch.rail()).cloned() else { continue };
            let found = self.submit(&*rail, batch, &call.signed, now, tick).await?;
            self.pace.entry(batch.stream().clone()).or_default().wait(batch.stream(), now);
            if let Some(found) = found {
                seen.push((batch.clone(), found, *timing));
            }
        }
        self.learn(divvy, seen, now, tick).await
    }

    /// Sends a try's bytes, and reads what the reply alone teaches.
    async fn submit(
        &self,
        rail: &dyn Rail,
        batch: &Batch,
        signed: &Signed,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Seen>, Error> {
        let request = rail.submit(signed, now);
        tick.requests = tick.requests.saturating_add(1);
        let reply = self.sender.send(&request).await;
        let heard = [Heard { request, reply }];
        Ok(match rail.look(&batch.signed(), &heard, now) {
            Ok(Turn::Done(seen)) => Some(seen),
            Ok(Turn::Ask(_)) | Err(_) => None,
        })
    }

    /// Writes what was learned of many batches, in as few commits as their streams allow.
    async fn learn(
        &mut self,
        divvy: &mut Divvy,
        seen: Vec<(Batch, Seen, Timing)>,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let mut together = Step::default();
        let mut streams: BTreeSet<Stream> = BTreeSet::new();
        for (batch, seen, timing) in seen {
            if let Some(tip) = seen.tip {
                self.tips.insert(batch.rail().clone(), tip);
            }
            let step = divvy.books().learn(&batch, &seen, now, timing)?;
            if step.facts().is_empty() {
                continue;
            }
            tick.learned = tick.learned.saturating_add(1);
            self.after_learning(&batch, &step, now, timing)?;
            let touched: BTreeSet<Stream> =
                step.facts().iter().map(|fact| fact.stream.clone()).collect();
            let step = if streams.is_disjoint(&touched) {
                step
            } else {
                commit_learned(divvy, std::mem::take(&mut together)).await?;
                streams.clear();
                divvy.books().learn(&batch, &seen, now, timing)?
            };
            together = together.and(step);
            streams.extend(touched);
        }
        commit_learned(divvy, together).await
    }

    /// Stops pacing what is closed, and starts to watch what settled.
    fn after_learning(
        &mut self,
        batch: &Batch,
        step: &Step,
        now: Time,
        timing: Timing,
    ) -> Result<(), Error> {
        let mut after = batch.clone();
        for fact in step.facts().iter().filter(|fact| fact.stream == *batch.stream()) {
            after.apply(fact)?;
        }
        if after.state() == State::Settled && timing.watch_secs > 0 {
            self.watch.insert((now.plus_secs(timing.watch_secs), batch.stream().clone()));
        }
        if !after.is_reserved() || after.state() == State::Void {
            self.pace.remove(batch.stream());
        }
        Ok(())
    }

    /// Drives each open batch whose time has come.
    async fn drive_open(
        &mut self,
        divvy: &mut Divvy,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let mut ready: Vec<Stream> = Vec::new();
        for book in divvy.books().all() {
            let due = |batch: &Stream| self.pace.get(batch).is_none_or(|pace| pace.is_over(now));
            ready.extend(book.open_batches().into_iter().filter(due));
        }
        let mut seen = Vec::new();
        for stream in ready {
            let batch = Batch::fold(&divvy.host().read(&stream).await?)?;
            self.pace.entry(stream.clone()).or_default().wait(&stream, now);
            if let Some(found) = self.drive(divvy, &batch, now, tick).await? {
                seen.push(found);
            }
        }
        self.learn(divvy, seen, now, tick).await
    }

    /// Does what one batch needs next.
    async fn drive(
        &mut self,
        divvy: &mut Divvy,
        batch: &Batch,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<(Batch, Seen, Timing)>, Error> {
        let Some(rail) = self.rails.get(batch.rail()).cloned() else { return Ok(None) };
        let timing = rail.timing();
        let tip = self.tips.get(batch.rail()).copied();
        let seen = match batch.next(now, tip, timing) {
            Next::Sign => return self.sign_anew(divvy, &*rail, batch, now, tick).await,
            Next::Submit { try_n } => match batch.tries().get(try_n) {
                Some(try_) => {
                    let signed = try_.signed.clone();
                    match self.submit(&*rail, batch, &signed, now, tick).await? {
                        Some(seen) => Some(seen),
                        None => self.look(&*rail, batch, now, tick).await?,
                    }
                }
                None => None,
            },
            Next::Look | Next::Review | Next::Watch { .. } => {
                self.look(&*rail, batch, now, tick).await?
            }
            _ => None,
        };
        Ok(seen.map(|seen| (batch.clone(), seen, timing)))
    }

    /// Signs a batch that was planned or proven void, or gives it up when its lines have changed.
    async fn sign_anew(
        &mut self,
        divvy: &mut Divvy,
        rail: &dyn Rail,
        batch: &Batch,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<(Batch, Seen, Timing)>, Error> {
        if let Err(stale) = divvy.books().check_current(batch, now) {
            let step = divvy.books().cancel(batch, &stale.to_string(), now)?;
            commit_learned(divvy, step).await?;
            self.pace.remove(batch.stream());
            return Ok(None);
        }
        let job = Job {
            batch: batch.stream().clone(),
            lines: batch.lines().to_vec(),
            tries: batch.signed(),
            claimed: divvy.books().claimed(batch.wallet().as_str(), Some(batch.stream())),
            sender: self.sender_id()?,
        };
        let Some(signed) = self.sign(rail, &job, now, tick).await? else { return Ok(None) };
        let step = divvy.books().sign(batch, signed, now)?;
        let mut after = batch.clone();
        for fact in step.facts().iter().filter(|fact| fact.stream == *batch.stream()) {
            after.apply(fact)?;
        }
        match divvy.commit(step).await {
            Ok(calls) => {
                let batches = vec![after; calls.len()];
                let timings = vec![rail.timing(); calls.len()];
                self.send(divvy, calls, &batches, &timings, now, tick).await?;
                Ok(None)
            }
            Err(error) if error.code() == Code::AddressTaken => {
                divvy.catch_up().await.map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    async fn look(
        &self,
        rail: &dyn Rail,
        batch: &Batch,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Seen>, Error> {
        let tries = batch.signed();
        match talk(&*self.sender, tick, |heard| rail.look(&tries, heard, now)).await {
            Err(error) if error.code() == Code::RailReply => {
                tracing::warn!(batch = %batch.stream(), %error, "the rail's reply cannot be read");
                Ok(None)
            }
            seen => seen,
        }
    }

    /// Looks once more at what settled, for money that came back and finals that were undone.
    async fn look_again(
        &mut self,
        divvy: &mut Divvy,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let mut seen = Vec::new();
        while let Some((from, stream)) = self.watch.first().cloned() {
            if from > now {
                break;
            }
            self.watch.pop_first();
            let batch = Batch::fold(&divvy.host().read(&stream).await?)?;
            if let Some(found) = self.drive(divvy, &batch, now, tick).await? {
                seen.push(found);
            }
        }
        self.learn(divvy, seen, now, tick).await
    }

    /// After a start, finds again what has settled lately.
    fn find_watched(&mut self, divvy: &Divvy, now: Time) {
        if std::mem::replace(&mut self.watching, true) {
            return;
        }
        let longest = self.rails.values().map(|rail| rail.timing().watch_secs).max().unwrap_or(0);
        if longest == 0 {
            return;
        }
        for standing in divvy.books().all().flat_map(divvy_core::Book::batches) {
            let until = standing.settled_at.plus_secs(longest.saturating_mul(2));
            if standing.state == State::Settled && until > now {
                self.watch.insert((standing.settled_at.plus_secs(longest), standing.batch));
            }
        }
    }

    fn sender_id(&self) -> Result<SenderId, Error> {
        Ok(SenderId { process: self.process.clone(), try_id: random()? })
    }
}

/// Commits what was learned. Whoever was quicker has learned it too.
async fn commit_learned(divvy: &mut Divvy, step: Step) -> Result<(), Error> {
    match divvy.commit(step).await {
        Err(error) if error.code() == Code::AddressTaken => divvy.catch_up().await,
        committed => committed.map(drop),
    }
}

/// The batches that a step plans, in order.
fn batches_of(step: &Step) -> Result<Vec<Batch>, Error> {
    let mut batches: Vec<Batch> = Vec::new();
    for fact in step.facts() {
        if let Some(batch) = batches.last_mut().filter(|batch| *batch.stream() == fact.stream) {
            batch.apply(fact)?;
        } else if fact.kind == "planned.1" {
            batches.push(Batch::begin(fact)?);
        }
    }
    Ok(batches)
}

fn random() -> Result<Hash, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        let detail = format!("the system gives no randomness ({error}): try again");
        Error::new(Code::StoreUnusable, detail)
    })?;
    Ok(Hash::new(bytes))
}
