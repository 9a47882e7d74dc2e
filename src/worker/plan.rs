//! Planning: from who is due to a committed run, and on to its requests.

use std::collections::BTreeSet;

use divvy_core::{
    Batch, Book, Code, Due, Error, Job, Line, Name, Pack, Plan, Planned, RUN_LINES_MAX, Rail,
    Signed, Step, Time,
};

use tracing::Instrument as _;

use crate::clock::Clock;
use crate::divvy::Divvy;
use crate::worker::tick::count;
use crate::worker::wait::Waited;
use crate::worker::{Tick, Worker, time};

impl Worker {
    /// Plans runs for a book and sends what they release: until nobody is due, or one run of a
    /// fair share beside other workers.
    pub(super) async fn pay(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        self.costs.forget_demands(book);
        self.quote(divvy, book, time(divvy, clock)).await?;
        while !self.stop.is_stopped() {
            let now = time(divvy, clock);
            divvy.books_mut().book_mut(book.as_str())?.wake_waited(now)?;
            let fold = divvy.books().book(book.as_str())?;
            if fold.due_count() == 0 && fold.demanded(now, |_| true)?.is_empty() {
                return Ok(());
            }
            let now = self.fresh(divvy, clock).await?;
            let due = self.due(divvy, book, now, tick).await?;
            if Self::needs_approval(divvy, book, &due, now)? {
                match self.plan_to_wait(divvy, book, due, now, tick).await? {
                    Waited::Planned | Waited::TooLate => continue,
                    Waited::Nothing => return Ok(()),
                }
            }
            let plans = self.plans(divvy, book, due, now, tick).await?;
            if plans.is_empty() {
                return Ok(());
            }
            let lines: usize = plans.iter().map(|plan| plan.planned.lines.len()).sum();
            let step = divvy.books().plan(book.as_str(), &plans, now)?;
            let batches = batches_of(&step)?;
            match divvy.commit(step).await {
                Ok(calls) => {
                    count(&mut tick.runs);
                    let lines = u64::try_from(lines).unwrap_or(u64::MAX);
                    tick.lines = tick.lines.saturating_add(lines);
                    let run = batches.first().map(|batch| batch.stream().to_string());
                    let span = tracing::info_span!("run", %book, first = run, lines);
                    self.send(divvy, calls, &batches, clock, tick).instrument(span).await?;
                }
                // Someone else planned this run: what they reserved is not due any more.
                Err(error) if error.code() == Code::AddressTaken => {
                    count(&mut tick.races_lost);
                    divvy.catch_up().await?;
                    continue;
                }
                Err(error) => return Err(error),
            }
            if !self.roster.is_alone() {
                let left = divvy.books().book(book.as_str())?.due_count();
                tick.left = tick.left.saturating_add(u64::try_from(left).unwrap_or(u64::MAX));
                return Ok(());
            }
        }
        Ok(())
    }

    /// Who is due on the rails that may be paid over, at most a fair share of them.
    async fn due(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Vec<Due>, Error> {
        let fold = divvy.books().book(book.as_str())?;
        let lines_max = self.roster.share(fold.due_count());
        let served = |rail: &Name| self.rails.contains_key(rail) && self.may_pay(rail, now);
        let due = due_and_demanded(fold, lines_max, now, served)?;
        for Due { rail, .. } in &due {
            self.check_cooling(fold, rail)?;
        }
        if due.iter().all(|due| self.clearances.is_clear(divvy, book, &due.rail)) {
            return Ok(due);
        }
        let mut clear: BTreeSet<Name> = BTreeSet::new();
        for rail in self.rails.values().cloned().collect::<Vec<_>>() {
            if self.may_pay(rail.name(), now)
                && self.is_clear(divvy, book, &*rail, now, tick).await?
            {
                clear.insert(rail.name().clone());
            }
        }
        let fold = divvy.books().book(book.as_str())?;
        due_and_demanded(fold, lines_max, now, |rail| clear.contains(rail))
    }

    /// Whether nothing but its answer is waited for: the wallet pays, and the rail takes requests.
    fn may_pay(&self, rail: &Name, now: Time) -> bool {
        self.purses.is_open(rail, now) && self.gates.is_open(rail, now)
    }

    /// A changed destination must not take effect while a try to the old one may still go out.
    fn check_cooling(&self, book: &Book, rail: &Name) -> Result<(), Error> {
        let deadline_secs = self.rails.get(rail).map_or(0, |rail| rail.timing().deadline_secs_max);
        let cooling_secs = book.settings().cooling_secs;
        if cooling_secs >= deadline_secs {
            return Ok(());
        }
        let detail = format!(
            "book {} lets a changed destination take effect after {cooling_secs} s, and a try of \
             rail {rail} may go out for {deadline_secs} s: shorten the rail's deadline, or pay \
             over it from a book with a longer cooling time",
            book.name()
        );
        Err(Error::new(Code::RailRefused, detail))
    }

    /// Packs and signs everyone who is due on a rail that this worker has.
    async fn plans(
        &mut self,
        divvy: &Divvy,
        book: &Name,
        due: Vec<Due>,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Vec<Plan>, Error> {
        let mut plans = Vec::new();
        let mut claimed_here: Vec<String> = Vec::new();
        for Due { rail, lines } in due {
            let Some(rail) = self.rails.get(&rail).cloned() else { continue };
            let Some(packs) = self.packs(&*rail, &lines, now, tick).await else { continue };
            let parts = self.purses.probe(&*rail, self.suspects.parted(&lines, &packs));
            let begun = self.clock.now();
            for part in parts {
                let fold = divvy.books().book(book.as_str())?;
                let allowed = self.allowed(fold, &*rail, &part, now, tick).await;
                let Some(quoted) = allowed else { continue };
                let lines = fold.bear(part.lines, quoted);
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
                if self.clock.now() >= begun.plus_secs(SIGNING_SECS_MAX) {
                    return Ok(plans);
                }
            }
        }
        Ok(plans)
    }

    /// Packs lines; `None` when the rail cannot do that just now.
    pub(super) async fn packs(
        &self,
        rail: &dyn Rail,
        lines: &[Line],
        now: Time,
        tick: &mut Tick,
    ) -> Option<Vec<Pack>> {
        let wire = self.wire(rail.name());
        wire.talk(tick, |heard: &[_]| rail.pack(lines, heard, now)).await.unwrap_or_else(|error| {
            tracing::warn!(rail = %rail.name(), %error, "the rail cannot pack now");
            None
        })
    }

    /// Signs a try; `None` when the rail could not be asked for what it needs just now.
    pub(super) async fn sign(
        &self,
        rail: &dyn Rail,
        job: &Job,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Signed>, Error> {
        match self.wire(rail.name()).talk(tick, |heard| rail.sign(job, heard, now)).await {
            Err(error) if matches!(error.code(), Code::RailRefused | Code::RailReply) => {
                tracing::warn!(batch = %job.batch, %error, "the rail cannot sign now");
                Ok(None)
            }
            signed => signed,
        }
    }
}

/// Who is due, and behind them, each alone, who is paid because they asked for it.
fn due_and_demanded(
    book: &Book,
    lines_max: usize,
    now: Time,
    is_served: impl Fn(&Name) -> bool,
) -> Result<Vec<Due>, Error> {
    let mut dues = book.due_up_to(lines_max, now, &is_served)?;
    let lines: usize = dues.iter().map(|due| due.lines.len()).sum();
    let demanded = book.demanded(now, is_served)?;
    dues.extend(demanded.into_iter().take(RUN_LINES_MAX.saturating_sub(lines)));
    Ok(dues)
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

/// What is signed first must not grow old until the last is signed, nor be lost with whoever dies
/// meanwhile: a run ends when signing has taken so long, and the rest is for the next one. Half a
/// minute is what some chains let a try live.
const SIGNING_SECS_MAX: u64 = 10;
