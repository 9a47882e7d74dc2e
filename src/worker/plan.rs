//! Planning: from who is due to a committed run, and on to its requests.

use std::collections::{BTreeSet, HashMap};

use divvy_core::{
    Batch, Code, Due, Error, Job, Line, Name, Pack, Plan, Planned, Rail, Signed, Step, Time, Timing,
};

use crate::divvy::Divvy;
use crate::worker::talk::talk;
use crate::worker::{Tick, Worker};

/// Payees of batches that a rail refused without saying who is to blame, and the most lines that
/// a batch with them may have: half as many each time, until the one is alone and is held.
#[derive(Debug, Default)]
pub(super) struct Suspects(HashMap<Name, usize>);

impl Suspects {
    /// A batch was refused as a whole.
    pub(super) fn suspect(&mut self, lines: &[Line]) {
        let half = lines.len().div_ceil(2);
        for line in lines {
            self.0.insert(line.payee.clone(), half);
        }
    }

    /// A batch went through.
    pub(super) fn clear(&mut self, lines: &[Line]) {
        for line in lines {
            if self.0.is_empty() {
                return;
            }
            self.0.remove(&line.payee);
        }
    }

    /// The lines of each pack, with suspects among themselves and in smaller batches.
    fn parted(&self, lines: &[Line], packs: &[Pack]) -> Vec<Vec<Line>> {
        let mut parted = Vec::with_capacity(packs.len());
        for pack in packs {
            let lines = pack.lines.iter().filter_map(|line| lines.get(*line).cloned());
            let (suspects, clear): (Vec<Line>, Vec<Line>) =
                lines.partition(|line| self.0.contains_key(&line.payee));
            let most = |line: &Line| self.0.get(&line.payee).copied();
            let most = suspects.iter().filter_map(most).min().unwrap_or(1).max(1);
            parted.extend(suspects.chunks(most).map(<[Line]>::to_vec));
            if !clear.is_empty() {
                parted.push(clear);
            }
        }
        parted
    }
}

impl Worker {
    /// Plans runs for a book until nobody is due, and sends what they release.
    pub(super) async fn pay(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        loop {
            divvy.books_mut().book_mut(book.as_str())?.wake_waited(now)?;
            let due = self.due(divvy, book, now, tick).await?;
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

    /// Who is due on the rails that may be paid over.
    async fn due(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Vec<Due>, Error> {
        let served = |rail: &Name| self.rails.contains_key(rail);
        let due = divvy.books().book(book.as_str())?.due_on(now, served)?;
        if due.iter().all(|due| self.clearances.is_clear(divvy, book, &due.rail)) {
            return Ok(due);
        }
        let mut clear: BTreeSet<Name> = BTreeSet::new();
        for rail in self.rails.values().cloned().collect::<Vec<_>>() {
            let wanted = due.iter().any(|due| due.rail == *rail.name());
            if !wanted || self.is_clear(divvy, book, &*rail, now, tick).await? {
                clear.insert(rail.name().clone());
            }
        }
        divvy.books().book(book.as_str())?.due_on(now, |rail| clear.contains(rail))
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
            let packed = talk(&*self.sender, tick, |heard| rail.pack(&lines, heard, now)).await;
            let packs = match packed {
                Ok(Some(packs)) => packs,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(rail = %rail.name(), %error, "the rail cannot pack now");
                    continue;
                }
            };
            for lines in self.suspects.parted(&lines, &packs) {
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
    pub(super) async fn sign(
        &self,
        rail: &dyn Rail,
        job: &Job,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Signed>, Error> {
        match talk(&*self.sender, tick, |heard| rail.sign(job, heard, now)).await {
            Err(error) if matches!(error.code(), Code::RailRefused | Code::RailReply) => {
                tracing::warn!(batch = %job.batch, %error, "the rail cannot sign now");
                Ok(None)
            }
            signed => signed,
        }
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
