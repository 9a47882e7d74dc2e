//! `divvy run`: the whole job of a folder, in the time of its payments.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use divvy::core::{Code, Error, Obstacle, Payment, Time};
use divvy::{BadLine, Http, Sqlite, Tick, Told, Worker, clock, read_file, read_payments};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::measure::{Stopwatch, memory_peak_mib};
use crate::cli::out::Out;
use crate::cli::reconcile::{Comparison, reconcile};
use crate::cli::setup::{Desk, say_bad_lines};
use crate::cli::take::{Taken, record};
use crate::cli::till::Till;

/// Do the whole job of a folder: take payments, declare, pay, verify, compare.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// What a run did, in sums.
#[derive(Debug, Default)]
struct Sums {
    taken: Taken,
    ticks: u64,
    tick: Tick,
    bad: Vec<BadLine>,
}

/// After the last payment, a worker goes on for at most so many ticks, for what is still open.
const TICKS_AFTER_MAX: u64 = 20_000;

impl Run {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let started = Stopwatch::start();
        let mut desk = Desk::open(&self.dir).await?;
        let from = desk.project.from.unwrap_or_else(clock::now);
        let start = from.max(desk.divvy.books().newest());
        let mut sums = Sums { bad: desk.set_up(start, out).await?, ..Sums::default() };
        let payments = self.payments(&desk, &mut sums)?;
        let mut till = Till::open(&desk.project).await?;
        let told = Told::new(start);
        let sender = Arc::new(Http::new(told.clock())?);
        let worker = Worker::new(till.rails(), sender.clone())?;
        let mut shift = Shift { worker, told, payments, sums };
        let end = shift.work(&mut desk, &mut till, (from, start), out).await?.max(start);
        let end = shift.work_after(&mut desk, &mut till, end).await?;
        let verified = desk.divvy.verify_anew().await?;
        let book = desk.project.book.clone();
        let comparison = reconcile(&desk.divvy, book.as_str(), &*sender, &till.rail, end).await?;
        let report = Report { desk: &desk, sums: &shift.sums, comparison, end, verified };
        let verdict = report.say(out, &started, till.restarts)?;
        desk.close().await?;
        verdict
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

/// A worker and the payments that are still to come in.
#[derive(Debug)]
struct Shift {
    worker: Worker,
    told: Told,
    payments: Vec<Payment>,
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
        let until = desk.project.until.unwrap_or(start);
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
                let taken = record(desk, new, now, out).await?;
                self.sums.taken = self.sums.taken.and(taken);
            }
            waiting = later;
            self.tick(desk, till, now).await?;
            if now >= until {
                progress.finish_and_clear();
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
    ) -> Result<Time, Error> {
        let mut now = end;
        for _ in 0..TICKS_AFTER_MAX {
            let Some(wanted) = self.worker.not_before() else { return Ok(now) };
            now = now.plus_secs(desk.project.tick_secs).max(wanted);
            self.tick(desk, till, now).await?;
        }
        Ok(now)
    }

    async fn tick(&mut self, desk: &mut Desk, till: &mut Till, now: Time) -> Result<(), Error> {
        self.told.tell(now);
        till.revive().await?;
        let waits = desk.book()?.fold()?.totals().undeclared;
        if !waits.is_zero() {
            desk.book()?.declare(now).await?;
        }
        let tick = self.worker.tick(&mut desk.divvy, now).await?;
        self.sums.ticks = self.sums.ticks.saturating_add(1);
        self.sums.tick = self.sums.tick.and(tick);
        Ok(())
    }
}

/// What is said at the end.
struct Report<'a> {
    desk: &'a Desk,
    sums: &'a Sums,
    comparison: Comparison,
    end: Time,
    verified: u64,
}

impl Report<'_> {
    fn say(
        &self,
        out: &mut Out,
        started: &Stopwatch,
        restarts: u64,
    ) -> Result<Result<Verdict, Error>, Error> {
        let Self { desk, sums, comparison, end, verified } = self;
        let book = desk.divvy.books().book(desk.project.book.as_str())?;
        let (asset, totals) = (&desk.project.opened.asset, book.totals());
        let Sums { taken, ticks, tick, bad } = sums;
        let file = desk.project.payments.as_ref().map(|payments| payments.file.clone());
        say_bad_lines(out, &file.unwrap_or_default(), bad);
        let text = |amount| format!("{} {}", asset.text(amount), asset.code());
        let (payable, held) = self.waiting(*end)?;
        let flushes = Sqlite::flushes(&desk.sqlite);
        let memory = memory_peak_mib();
        let said = [
            format!(
                "{} payments recorded, {} known before, {} lines unreadable",
                taken.new,
                taken.known,
                bad.len()
            ),
            format!(
                "{} recorded: {} to legs, {} declared, {} waiting for a declaration",
                text(totals.recorded),
                text(totals.one_shot),
                text(totals.declared),
                text(totals.undeclared)
            ),
            format!(
                "{} paid in {} lines, {} reserved; {} payees wait for more, {} are held",
                text(totals.paid),
                totals.lines_settled,
                text(totals.reserved),
                payable,
                held
            ),
            format!(
                "this time: {ticks} ticks, {} lines planned in {} runs, {} requests, sandbox restarted {restarts} times",
                tick.lines, tick.runs, tick.requests
            ),
            format!("verify: {verified} facts hold, and every equation"),
            format!(
                "statement: {} lines match, {} ours only, {} theirs only, {} different",
                comparison.matched,
                comparison.ours_only,
                comparison.theirs_only,
                comparison.different
            ),
            format!("{flushes} flushes, {:.1} s, {memory} MiB at most", started.seconds()),
        ];
        said.iter().for_each(|sentence| out.say(sentence));
        if tick.lines == 0 {
            out.say("nobody is due");
        }
        out.value(&json!({
            "payments": {"new": taken.new, "known": taken.known, "conflicts": taken.conflicts, "bad_lines": bad},
            "recorded": asset.text(totals.recorded), "one_shot": asset.text(totals.one_shot),
            "declared": asset.text(totals.declared), "undeclared": asset.text(totals.undeclared),
            "reserved": asset.text(totals.reserved), "paid": asset.text(totals.paid),
            "lines_settled": totals.lines_settled, "lines_planned": tick.lines, "runs": tick.runs,
            "ticks": ticks, "requests": tick.requests, "facts": verified, "statement": comparison,
            "flushes": flushes, "seconds": started.seconds(), "memory_mib": memory,
            "sandbox_restarts": restarts, "asset": asset.to_string(),
        }));
        Ok(self.verdict())
    }

    /// How many payees have something payable, and how many are held.
    fn waiting(&self, now: Time) -> Result<(u64, u64), Error> {
        let book = self.desk.divvy.books().book(self.desk.project.book.as_str())?;
        let (mut payable, mut held) = (0_u64, 0_u64);
        for payee in book.payees() {
            let balance = book.balance(payee.as_str(), now)?;
            match balance.obstacle {
                Some(Obstacle::Held(_)) => held = held.saturating_add(1),
                _ if !balance.payable.is_zero() => payable = payable.saturating_add(1),
                _ => (),
            }
        }
        Ok((payable, held))
    }

    fn verdict(&self) -> Result<Verdict, Error> {
        let book = self.desk.divvy.books().book(self.desk.project.book.as_str())?;
        if !self.comparison.is_equal() {
            let detail = "our facts and the sandbox's statement differ: stop paying and look";
            return Err(Error::new(Code::BookUnbalanced, detail));
        }
        let open = !book.open_batches().is_empty();
        Ok(if open || self.sums.taken.conflicts > 0 { Verdict::Look } else { Verdict::Done })
    }
}
