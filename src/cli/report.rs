//! What `divvy run` says at the end.

use divvy::core::{Amount, Book, Code, Error, Obstacle, Time};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::beside::Beside;
use crate::cli::diary::Diary;
use crate::cli::measure::{Stopwatch, memory_peak_mib};
use crate::cli::out::Out;
use crate::cli::reconcile::Comparison;
use crate::cli::rehearsal::People;
use crate::cli::run::Sums;
use crate::cli::setup::{Desk, say_bad_lines};
use crate::cli::till::Till;
use crate::cli::words::{counted, one_or};

/// The end of a run, in figures.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) till: &'a Till,
    pub(crate) sums: &'a Sums,
    pub(crate) diary: &'a Diary,
    pub(crate) people: Option<&'a People>,
    pub(crate) comparison: Comparison,
    pub(crate) end: Time,
    pub(crate) verified: u64,
}

impl Report<'_> {
    /// Says everything, to people or to programs.
    pub(crate) fn say(&self, out: &mut Out, started: &Stopwatch) -> Result<(), Error> {
        let Self { sums, comparison: lines, verified, till, .. } = self;
        let file = self.desk.project.payments.as_ref().map(|payments| payments.file.clone());
        say_bad_lines(out, &file.unwrap_or_default(), &sums.bad);
        if sums.later > 0 {
            let are = one_or(sums.later, "is", "are");
            let later = counted(sums.later, "payment");
            out.say(&format!("{later} {are} still to come: not taken"));
        }
        self.say_money(out)?;
        let beside = self.beside()?;
        beside.say(&self.desk.project.opened.asset, out);
        self.say_people(out);
        let tick = &sums.tick;
        let rehearsed = till.sandbox().map(|_| {
            let ticks = counted(sums.ticks, "tick");
            let restarts = counted(till.restarts, "time");
            format!(", in {ticks}; the sandbox was started again {restarts}")
        });
        out.say(&format!(
            "this time: {} planned in {}, {}{}",
            counted(tick.lines, "line"),
            counted(tick.runs, "run"),
            counted(tick.requests, "request"),
            rehearsed.unwrap_or_default()
        ));
        let (facts, hold) = (counted(*verified, "fact"), one_or(*verified, "holds", "hold"));
        out.say(&format!("verify: {facts} {hold}, and every equation"));
        out.say(&format!(
            "statement: {} matched, fees among them, {} ours only, {} theirs only, {} different, \
             {} undecided; {} open",
            counted(lines.matched, "line"),
            lines.ours_only,
            lines.theirs_only,
            lines.different,
            lines.undecided,
            counted(beside.breaks_open, "break")
        ));
        let (flushes, memory) = (self.desk.store.flushes(), memory_peak_mib());
        let seconds = started.seconds();
        let flushed = counted(flushes, "flush");
        out.say(&format!("{flushed}, {seconds:.1} s, {memory} MiB at most"));
        if tick.lines == 0 {
            out.say("nobody is due");
        }
        let costs = json!({"flushes": flushes, "seconds": seconds, "memory_mib": memory,
            "sandbox_restarts": till.restarts});
        self.print(out, &beside, &costs)
    }

    fn say_money(&self, out: &mut Out) -> Result<(), Error> {
        let Self { sums, .. } = self;
        let totals = self.book()?.totals();
        let asset = &self.desk.project.opened.asset;
        let text = |amount: Amount| format!("{} {}", asset.text(amount), asset.code());
        let (waiting, held) = self.waiting()?;
        out.say(&format!(
            "{} recorded, {} known before, {} not taken",
            counted(sums.taken.new, "payment"),
            sums.taken.known,
            counted(sums.bad.len(), "line")
        ));
        out.say(&format!(
            "{} recorded: {} to legs, {} declared, {} waiting for a declaration",
            text(totals.recorded),
            text(totals.one_shot),
            text(totals.declared),
            text(totals.undeclared)
        ));
        out.say(&format!(
            "{} paid in {}, {} reserved; {} {} for more, {held} {} held",
            text(totals.paid.less(totals.drawn)),
            counted(totals.lines_settled, "line"),
            text(totals.reserved),
            counted(waiting, "payee"),
            one_or(waiting, "waits", "wait"),
            one_or(held, "is", "are")
        ));
        Ok(())
    }

    /// What people did, where the project rehearses.
    fn say_people(&self, out: &mut Out) {
        let Some(People { approved, released, closed, sealed, .. }) = self.people else { return };
        out.say(&format!(
            "people: {} approved, {} released, {} closed",
            counted(approved, "batch"),
            counted(released, "payee"),
            counted(closed, "week")
        ));
        if let Some(root) = sealed {
            out.say(&format!("sealed: {root}"));
        }
    }

    /// What belongs to the job beside payments in and payouts out.
    fn beside(&self) -> Result<Beside, Error> {
        Beside::of(self.book()?)
    }

    fn print(&self, out: &mut Out, beside: &Beside, costs: &Value) -> Result<(), Error> {
        let Self { sums, comparison, verified, diary, .. } = self;
        let totals = self.book()?.totals();
        let asset = &self.desk.project.opened.asset;
        let text = |amount: Amount| asset.text(amount);
        let payments = json!({"new": sums.taken.new, "known": sums.taken.known,
            "conflicts": sums.taken.conflicts, "bad_lines": sums.bad});
        out.value(&json!({
            "asset": asset.to_string(), "payments": payments,
            "recorded": text(totals.recorded), "one_shot": text(totals.one_shot),
            "declared": text(totals.declared), "undeclared": text(totals.undeclared),
            "reserved": text(totals.reserved), "paid": text(totals.paid.less(totals.drawn)),
            "payments_later": sums.later,
            "lines_settled": totals.lines_settled, "lines_planned": sums.tick.lines,
            "runs": sums.tick.runs, "ticks": sums.ticks, "requests": sums.tick.requests,
            "facts": verified, "statement": comparison, "costs": costs,
            "refunds_and_funds": {"counts": diary.taken.counts(), "bad_lines": diary.bad},
            "refunded": text(totals.refunded), "lines_returned": beside.lines_returned,
            "fees_charged": text(totals.fees_charged), "fees_borne": text(totals.fees_borne),
            "breaks_open": beside.breaks_open, "weeks_closed": beside.weeks_closed,
            "people": self.people.map(|people| json!({
                "approved": people.approved, "released": people.released,
                "sealed": people.sealed,
            })),
        }));
        Ok(())
    }

    /// How many payees have something payable, and how many are held.
    fn waiting(&self) -> Result<(u64, u64), Error> {
        let book = self.book()?;
        let (mut payable, mut held) = (0_u64, 0_u64);
        for payee in book.payees() {
            let balance = book.balance(payee.as_str(), self.end)?;
            if matches!(balance.obstacle, Some(Obstacle::Held(_))) {
                held = held.saturating_add(1);
            } else if !balance.payable.is_zero() {
                payable = payable.saturating_add(1);
            }
        }
        Ok((payable, held))
    }

    /// Whether everything ended as it should.
    pub(crate) fn verdict(&self) -> Result<Verdict, Error> {
        if !self.comparison.is_equal() {
            let detail = "our facts and what the rail says differ: stop paying and look";
            return Err(Error::new(Code::BookUnbalanced, detail));
        }
        let open = !self.book()?.open_batches().is_empty() || self.beside()?.breaks_open > 0;
        let Self { sums, diary, .. } = self;
        let odd = diary.taken.conflicts > 0 || !diary.bad.is_empty();
        let left = sums.taken.conflicts > 0 || sums.later > 0 || odd;
        Ok(if open || left { Verdict::Look } else { Verdict::Done })
    }

    fn book(&self) -> Result<&Book, Error> {
        self.desk.divvy.books().book(self.desk.project.book.as_str())
    }
}
