//! `divvy pay`: one tick of a worker, now; or what it costs to pay one payee who asks for it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use divvy::core::{Amount, Asset, Code, Error, Heard, Line, Pack, Rail, State, Time, Turn};
use divvy::{Clock, Http, Sender as _, Tick, WorkerSettings, clock};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::approve::waiting;
use crate::cli::demand;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::till::{Till, sender};
use crate::cli::words::{counted, one_or};

/// Pay who is due.
#[derive(Args, Debug)]
pub(crate) struct Pay {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Only show who would be paid what, and at what cost.
    #[arg(long)]
    dry_run: bool,
    /// Only show what it costs to pay this payee now, whatever their policy waits for.
    #[arg(long, value_name = "NAME", conflicts_with = "dry_run")]
    payee: Option<String>,
    /// They ask for it, and accept that it costs at most so much: pay.
    #[arg(long, value_name = "AMOUNT", requires = "payee")]
    accept_fee: Option<String>,
}

impl Pay {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match (&self.payee, &self.accept_fee) {
            (Some(payee), None) => demand::show(&self.dir, payee, out).await,
            (None, _) if self.dry_run => self.show(out).await,
            _ => self.pay(out).await,
        }
    }

    async fn pay(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir).await?;
        let till = Till::open(&desk.project).await?;
        let asked = match (&self.payee, &self.accept_fee) {
            (Some(payee), Some(most)) => {
                Some(demand::ask(&mut desk, &till, (payee, most), out).await?)
            }
            _ => None,
        };
        let clock = Clock::system();
        let settings = WorkerSettings { roster_secs: 0, ..desk.project.worker };
        let sender = Arc::new(sender(&desk.project, clock.clone())?);
        let mut worker = till.worker(&desk, sender, settings)?;
        let before = desk.book()?.fold()?.totals().lines_settled;
        let tick = worker.tick_by(&mut desk.divvy, &clock).await?;
        let obstacles = worker.obstacles();
        for obstacle in &obstacles {
            out.say(&format!("look: {obstacle}"));
        }
        let left = Left::of(&mut desk, before, clock.now()).await?;
        left.say(tick, obstacles.is_empty(), out);
        let shown: Vec<String> = obstacles.iter().map(ToString::to_string).collect();
        out.value(&json!({
            "lines": tick.lines, "runs": tick.runs, "obstacles": shown, "asked": asked,
            "settled": left.settled, "due": left.due, "waiting": left.waiting,
            "review": left.review, "unanswered": tick.unanswered,
        }));
        desk.close().await?;
        let all = obstacles.is_empty() && left.review == 0 && left.due == 0;
        Ok(if all { Verdict::Done } else { Verdict::Look })
    }

    async fn show(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let now = clock::now();
        let asset = desk.project.opened.asset.clone();
        desk.quote(now, out).await?;
        let lines = desk.divvy.due(desk.project.book.as_str(), now)?;
        let rail = Till::quoting(&desk.project)?;
        let http = sender(&desk.project, Clock::system())?;
        let packs = packed(&*rail, &http, &lines, now).await?;
        let fee = Amount::total(packs.iter().map(|pack| pack.fee))?;
        let book = desk.book()?;
        let fold = book.fold()?;
        let own = |pack: &Pack| {
            let own = pack.lines.iter().filter_map(|at| lines.get(*at).cloned());
            fold.bear(own.collect(), pack.fee)
        };
        let dear = packs.iter().find_map(|pack| fold.check_fee(pack.fee).err());
        let lines: Vec<Line> = packs.iter().flat_map(own).collect();
        let total = Amount::total(lines.iter().map(|line| line.amount))?;
        for line in &lines {
            let borne = borne(line, &asset);
            let amount = asset.text(line.amount);
            out.say(&format!("{amount:>18}  {} to {}{borne}", line.payee, line.to));
        }
        if let Some(dear) = &dear {
            out.say(&format!("look: {dear}"));
        }
        let (total, fee, code) = (asset.text(total), asset.text(fee), asset.code());
        let payees = counted(lines.len(), "payee");
        out.say(&format!("{payees} would get {total} {code}, at a cost of {fee}"));
        out.value(&json!({
            "dry_run": true, "total": total, "fee": fee, "asset": asset.to_string(),
            "waits": dear.as_ref().map(ToString::to_string),
            "lines": lines.iter().map(|line| json!({
                "payee": line.payee, "amount": asset.text(line.amount), "to": line.to,
                "bears": line.fee.map(|fee| asset.text(fee)),
            })).collect::<Vec<_>>(),
        }));
        Ok(if dear.is_some() { Verdict::Look } else { Verdict::Done })
    }
}

/// What a payout came to, and what is left of it.
#[derive(Clone, Copy, Debug)]
struct Left {
    /// Lines that settled.
    settled: u64,
    /// Who is due all the same.
    due: usize,
    /// Batches that wait until people agree.
    waiting: usize,
    /// Batches that wait for a person to say what became of them.
    review: usize,
    /// Batches that are signed, and not final yet.
    open: usize,
}

impl Left {
    async fn of(desk: &mut Desk, settled_before: u64, now: Time) -> Result<Self, Error> {
        let due = desk.divvy.due(desk.project.book.as_str(), now)?.len();
        let waiting = waiting(desk, now).await?.len();
        let book = desk.book()?;
        let fold = book.fold()?;
        let states: Vec<Option<State>> =
            fold.open_batches().iter().map(|batch| fold.batch_state(batch)).collect();
        let review = states.iter().filter(|state| **state == Some(State::Review)).count();
        let open = states.len().saturating_sub(waiting).saturating_sub(review);
        let settled = fold.totals().lines_settled.saturating_sub(settled_before);
        Ok(Self { settled, due, waiting, review, open })
    }

    fn say(self, tick: Tick, unhindered: bool, out: &mut Out) {
        let Self { settled, due, waiting, review, open } = self;
        let rest = [due, waiting, review, open].iter().all(|count| *count == 0);
        let nobody = tick.lines == 0 && settled == 0 && rest && unhindered;
        let nobody = if nobody { "; nobody is due" } else { "" };
        let (lines, runs) = (counted(tick.lines, "line"), counted(tick.runs, "run"));
        out.say(&format!("{lines} planned in {runs}, {settled} settled{nobody}"));
        let batches = |count: usize| counted(count, "batch");
        if open > 0 {
            out.say(&format!("{} not final yet: pay again, or `divvy work`", batches(open)));
        }
        if waiting > 0 {
            let wait = one_or(waiting, "waits", "wait");
            out.say(&format!("{} {wait} until people agree: `divvy approvals`", batches(waiting)));
        }
        if review > 0 {
            let wait = one_or(review, "waits", "wait");
            out.say(&format!("look: {} {wait} for a person: `divvy review`", batches(review)));
        }
        if due > 0 {
            let are = one_or(due, "is", "are");
            let silent = counted(tick.unanswered, "request");
            let why = format!(", as {silent} got no answer");
            let why = if tick.unanswered > 0 { why.as_str() } else { "" };
            out.say(&format!("look: {due} {are} still due{why}: pay again"));
        }
    }
}

/// How lines would go together, once the rail has heard what it needs for that.
async fn packed(
    rail: &dyn Rail,
    http: &Http,
    lines: &[Line],
    now: Time,
) -> Result<Vec<Pack>, Error> {
    let mut heard = Vec::new();
    for _ in 0..TURNS_MAX {
        match rail.pack(lines, &heard, now)? {
            Turn::Done(packs) => return Ok(packs),
            Turn::Ask(requests) => {
                for request in requests {
                    let reply = http.send(&request).await;
                    heard.push(Heard { request, reply });
                }
            }
        }
    }
    Err(Error::new(Code::RailReply, "the rail asks without end: try again"))
}

/// No rail needs more turns to pack.
const TURNS_MAX: usize = 16;

/// What a payee bears of a fee, as the end of a sentence.
pub(crate) fn borne(line: &Line, asset: &Asset) -> String {
    line.fee.map_or_else(String::new, |fee| format!(", who bears {} of the fee", asset.text(fee)))
}
