//! Learning: from what rails said to facts.

use std::collections::BTreeSet;

use divvy_core::{Batch, Body, Code, Error, Next, Seen, State, Step, Stream, Time, Timing};

use crate::divvy::Divvy;
use crate::worker::tick::count;
use crate::worker::{Tick, Worker};

impl Worker {
    /// Writes what was learned of many batches: in one commit where their streams allow, and
    /// one by one where others were quicker at some of them.
    pub(super) async fn learn(
        &mut self,
        divvy: &mut Divvy,
        seen: Vec<Looked>,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let mut together = Step::default();
        let mut streams: BTreeSet<Stream> = BTreeSet::new();
        let mut alone: Vec<&Looked> = Vec::new();
        let mut joined: Vec<&Looked> = Vec::new();
        for looked in &seen {
            let Looked { batch, seen, timing } = looked;
            if let Some(tip) = seen.tip {
                self.tips.insert(batch.rail().clone(), tip);
            }
            let step = match divvy.books().learn(batch, seen, now, *timing) {
                Ok(step) => step,
                Err(error) => {
                    tracing::warn!(batch = %batch.stream(), %error, "an answer is passed over");
                    continue;
                }
            };
            if step.facts().is_empty() {
                continue;
            }
            count(&mut tick.learned);
            if declined(&step).is_some() {
                count(&mut tick.declined);
            }
            let touched = step.facts().iter().map(|fact| fact.stream.clone());
            let touched: BTreeSet<Stream> = touched.collect();
            if streams.is_disjoint(&touched) {
                self.after_learning(batch, &step, now, *timing)?;
                streams.extend(touched);
                together = together.and(step);
                joined.push(looked);
            } else {
                alone.push(looked);
            }
        }
        match divvy.commit(together).await {
            Ok(_) => (),
            Err(error) if error.code() == Code::AddressTaken => {
                count(&mut tick.races_lost);
                alone.extend(joined);
            }
            Err(error) => return Err(error),
        }
        for looked in alone {
            self.learn_alone(divvy, looked, now).await?;
        }
        Ok(())
    }

    /// Writes what was learned of one batch, on top of whatever others have written of it.
    async fn learn_alone(
        &mut self,
        divvy: &mut Divvy,
        looked: &Looked,
        now: Time,
    ) -> Result<(), Error> {
        for _ in 0..ALONE_TRIES {
            divvy.catch_up().await?;
            let batch = Batch::fold(&divvy.host().read(looked.batch.stream()).await?)?;
            // Another process has signed it anew meanwhile: what was heard is not of all its tries.
            if batch.tries().len() != looked.seen.answers.len() {
                return Ok(());
            }
            let step = divvy.books().learn(&batch, &looked.seen, now, looked.timing)?;
            self.after_learning(&batch, &step, now, looked.timing)?;
            match divvy.commit(step).await {
                Err(error) if error.code() == Code::AddressTaken => (),
                committed => return committed.map(drop),
            }
        }
        Ok(())
    }

    /// Stops pacing what is closed, and starts to watch what settled.
    fn after_learning(
        &mut self,
        batch: &Batch,
        step: &Step,
        now: Time,
        timing: Timing,
    ) -> Result<(), Error> {
        let after = after(batch, step)?;
        if let Next::Watch { from } = after.next(now, None, timing) {
            self.watched.insert(from, batch.stream().clone());
        }
        let state = after.state();
        if let Some(reason) = declined(step) {
            let wait = (now, self.settings.first_wait_secs);
            let lines = batch.lines().len();
            self.purses.decline(batch.rail(), batch.wallet(), lines, &reason, wait);
        } else if state == State::Settled {
            self.suspects.clear(batch.lines());
            self.purses.clear(batch.rail());
        } else if state == State::Refused && !blames_somebody(step) {
            self.suspects.suspect(batch.lines());
        }
        if !after.is_reserved() || after.state() == State::Void {
            self.pace.remove(batch.stream());
        }
        Ok(())
    }
}

/// A batch, what a look at it found, and the timing of its rail.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) batch: Batch,
    pub(super) seen: Seen,
    pub(super) timing: Timing,
}

/// Who loses a race for one batch's address tries again, at most so often; a later look finds
/// what is still unknown then.
const ALONE_TRIES: usize = 8;

/// Whether a refusal names a line.
fn blames_somebody(step: &Step) -> bool {
    let bodies = step.facts().iter().filter_map(|fact| fact.body().ok());
    bodies.into_iter().any(|body| matches!(body, Body::Refused(refused) if refused.line.is_some()))
}

/// Why a try was declined, if one was.
fn declined(step: &Step) -> Option<String> {
    let bodies = step.facts().iter().filter_map(|fact| fact.body().ok());
    let mut declined = bodies.filter_map(|body| {
        let Body::Declined(declined) = body else { return None };
        Some(declined.reason)
    });
    declined.next()
}

/// The batch as it is once a step is committed.
pub(super) fn after(batch: &Batch, step: &Step) -> Result<Batch, Error> {
    let mut after = batch.clone();
    for fact in step.facts().iter().filter(|fact| fact.stream == *batch.stream()) {
        after.apply(fact)?;
    }
    Ok(after)
}
