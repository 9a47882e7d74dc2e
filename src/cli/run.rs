//! `divvy run`: the whole job of a folder; over a sandbox in the time of its payments, and over any
//! other rail now.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use divvy::core::{Error, Payment, Time};
use divvy::{
    BadLine, Clock, End, Http, Sender, Tick, Told, Worker, WorkerSettings, clock, read_file,
    read_payments,
};

use crate::cli::Verdict;
use crate::cli::diary::Diary;
use crate::cli::measure::Stopwatch;
use crate::cli::out::Out;
use crate::cli::reconcile::{Comparison, reconcile};
use crate::cli::rehearsal::People;
use crate::cli::report::Report;
use crate::cli::setup::Desk;
use crate::cli::take::{Taken, record};
use crate::cli::till::{Till, sender};
use crate::cli::work::work;

/// Do the whole job of a folder: take payments, declare, pay, verify, compare.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// What a run did, in sums.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    pub(crate) taken: Taken,
    pub(crate) ticks: u64,
    pub(crate) tick: Tick,
    pub(crate) bad: Vec<BadLine>,
    /// Payments after the project's time has ended.
    pub(crate) later: usize,
}

/// After the last payment, a worker goes on for at most so long, for what is still open: whatever
/// stays open then waits for a person.
const AFTER_SECS_MAX: u64 = 30 * 86_400;

impl Run {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let started = Stopwatch::start();
        let desk = Desk::open(&self.dir).await?;
        let till = Till::open(&desk.project).await?;
        match till.sandbox() {
            Some(_) => self.rehearse(desk, till, &started, out).await,
            None => self.earnest(desk, &till, &started, out).await,
        }
    }

    /// Over a sandbox, in the time of the payments.
    async fn rehearse(
        &self,
        mut desk: Desk,
        mut till: Till,
        started: &Stopwatch,
        out: &mut Out,
    ) -> Result<Verdict, Error> {
        let from = desk.project.from.unwrap_or_else(clock::now);
        let start = from.max(desk.divvy.books().newest());
        let mut sums = Sums { bad: desk.set_up(start, out).await?, ..Sums::default() };
        let payments = self.payments(&desk, &mut sums)?;
        let told = Told::new(start);
        let sender = Arc::new(Http::new(told.clock())?);
        let settings = WorkerSettings { roster_secs: 0, ..desk.project.worker };
        let worker = till.worker(&desk, sender.clone(), settings)?;
        let diary = Diary::open(&desk, out)?;
        let people = People::of(&mut desk, start)?;
        let mut shift = Shift { worker, told, payments, diary, people, sums };
        let end = shift.work(&mut desk, &mut till, (from, start), out).await?.max(start);
        shift.work_after(&mut desk, &mut till, end, out).await?;
        let Shift { worker, told, diary, people, sums, .. } = shift;
        let did = Did { till: &till, sums, diary, people };
        did.conclude(desk, worker, (&*sender, &told.clock()), started, out).await
    }

    /// Over a rail where money moves, now: until nothing is open that no person is waited for.
    async fn earnest(
        &self,
        mut desk: Desk,
        till: &Till,
        started: &Stopwatch,
        out: &mut Out,
    ) -> Result<Verdict, Error> {
        let clock = Clock::system();
        let mut sums = Sums { bad: desk.set_up(clock.now(), out).await?, ..Sums::default() };
        let payments = self.payments(&desk, &mut sums)?;
        let arrived = payments.partition_point(|payment| payment.event_at() <= clock.now());
        let (new, later) = payments.split_at(arrived);
        let (taken, bad) = record(&mut desk, new, clock.now(), out).await?;
        sums.taken = taken;
        sums.bad.extend(bad);
        sums.later = later.len();
        let mut diary = Diary::open(&desk, out)?;
        diary.take(&mut desk, None, clock.now(), out).await?;
        let sender = Arc::new(sender(&desk.project, clock.clone())?);
        let mut worker = till.worker(&desk, sender.clone(), desk.project.worker)?;
        sums.tick = work(&mut worker, &mut desk, End::WhenIdle, &clock).await?;
        let did = Did { till, sums, diary, people: None };
        did.conclude(desk, worker, (&*sender, &clock), started, out).await
    }

    fn payments(&self, desk: &Desk, sums: &mut Sums) -> Result<Vec<Payment>, Error> {
        let Some(settings) = &desk.project.payments else { return Ok(Vec::new()) };
        let asset = &desk.project.opened.asset;
        let import = read_payments(&read_file(&settings.file)?, settings, asset)?;
        sums.bad.extend(import.bad);
        let mut payments = import.rows;
        payments.sort_by_key(Payment::event_at);
        Ok(payments)
    }
}

/// What a run did, before it is held against anything.
#[derive(Debug)]
struct Did<'a> {
    till: &'a Till,
    sums: Sums,
    diary: Diary,
    people: Option<People>,
}

impl Did<'_> {
    /// Recomputes everything, holds it against what the rail itself says, and reports.
    async fn conclude(
        self,
        mut desk: Desk,
        mut worker: Worker,
        (sender, clock): (&dyn Sender, &Clock),
        started: &Stopwatch,
        out: &mut Out,
    ) -> Result<Verdict, Error> {
        let Self { till, sums, diary, people } = &self;
        for obstacle in worker.obstacles() {
            out.say(&format!("look: {obstacle}"));
        }
        let verified = desk.divvy.verify_anew().await?;
        let book = desk.project.book.clone();
        let by = (sender, clock);
        let found = reconcile(&mut desk.divvy, &book, till, &mut worker, by).await?;
        let (comparison, end) = (Comparison::of(&found), clock.now());
        let people = people.as_ref();
        let report = Report { desk: &desk, till, sums, diary, people, comparison, end, verified };
        report.say(out, started)?;
        let verdict = report.verdict();
        desk.close().await?;
        verdict
    }
}

/// A worker and the payments that are still to come in.
#[derive(Debug)]
struct Shift {
    worker: Worker,
    told: Told,
    payments: Vec<Payment>,
    diary: Diary,
    people: Option<People>,
    sums: Sums,
}

impl Shift {
    /// Ticks through the project's time, from where an earlier run got to.
    async fn work(
        &mut self,
        desk: &mut Desk,
        till: &mut Till,
        (from, start): (Time, Time),
        out: &mut Out,
    ) -> Result<Time, Error> {
        let newest = self.payments.last().map_or(start, Payment::event_at);
        let until = desk.project.until.unwrap_or_else(|| newest.max(start));
        let step_secs = desk.project.tick_secs;
        let length = until.millis_since(from).checked_div(step_secs.saturating_mul(1_000));
        let progress = out.progress("ticks", length.unwrap_or(0));
        let payments = std::mem::take(&mut self.payments);
        let mut waiting = payments.as_slice();
        let mut now = from;
        loop {
            now = now.plus_secs(step_secs);
            progress.inc(1);
            if now < start && now < until {
                continue;
            }
            let arrived = waiting.partition_point(|payment| payment.event_at() <= now);
            let (new, later) = waiting.split_at(arrived);
            if !new.is_empty() {
                let (taken, bad) = record(desk, new, now, out).await?;
                self.sums.taken = self.sums.taken.and(taken);
                self.sums.bad.extend(bad);
            }
            waiting = later;
            self.tick(desk, till, now, out).await?;
            if now >= until {
                progress.finish_and_clear();
                self.sums.later = waiting.len();
                return Ok(now);
            }
        }
    }

    /// Goes on until nothing is open and nothing is watched any more.
    async fn work_after(
        &mut self,
        desk: &mut Desk,
        till: &mut Till,
        end: Time,
        out: &mut Out,
    ) -> Result<Time, Error> {
        let mut now = end;
        while now < end.plus_secs(AFTER_SECS_MAX) {
            // What waits for people wants no look of the worker's before they have agreed.
            let people = self.people.is_some() && !desk.book()?.fold()?.open_batches().is_empty();
            let wanted = self.worker.not_before().or_else(|| people.then_some(now));
            let Some(wanted) = wanted else { break };
            now = now.plus_secs(desk.project.tick_secs).max(wanted);
            self.tick(desk, till, now, out).await?;
        }
        if let Some(people) = &mut self.people {
            people.seal(desk, now).await?;
        }
        Ok(now)
    }

    async fn tick(
        &mut self,
        desk: &mut Desk,
        till: &mut Till,
        now: Time,
        out: &mut Out,
    ) -> Result<(), Error> {
        self.told.tell(now);
        till.revive().await?;
        let judge = self.people.as_ref().map(|people| people.judge("as the file of funds says"));
        self.diary.take(desk, judge.as_ref(), now, out).await?;
        if let Some(people) = &mut self.people {
            people.act(desk, now).await?;
        }
        if desk.book()?.fold()?.has_undeclared()? {
            desk.book()?.declare(now).await?;
        }
        let tick = self.worker.tick(&mut desk.divvy, now).await?;
        self.sums.ticks = self.sums.ticks.saturating_add(1);
        self.sums.tick = self.sums.tick.and(tick);
        Ok(())
    }
}
