//! Learning: from what rails said to facts.

use std::collections::BTreeSet;

use divvy_core::{Batch, Body, Code, Error, Next, Seen, State, Step, Stream, Time, Timing};

use crate::divvy::Divvy;
use crate::worker::{Tick, Worker};

impl Worker {
    /// Writes what was learned of many batches, in as few commits as their streams allow.
    pub(super) async fn learn(
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
        if let Next::Watch { from } = after.next(now, None, timing) {
            self.watch.insert((from, batch.stream().clone()));
        }
        let state = after.state();
        if state == State::Settled {
            self.suspects.clear(batch.lines());
        } else if state == State::Refused && !blames_somebody(step) {
            self.suspects.suspect(batch.lines());
        }
        if !after.is_reserved() || after.state() == State::Void {
            self.pace.remove(batch.stream());
        }
        Ok(())
    }
}

/// Whether a refusal names a line.
fn blames_somebody(step: &Step) -> bool {
    let bodies = step.facts().iter().filter_map(|fact| fact.body().ok());
    bodies.into_iter().any(|body| matches!(body, Body::Refused(refused) if refused.line.is_some()))
}

/// Commits what was learned. Whoever was quicker has learned it too.
pub(super) async fn commit_learned(divvy: &mut Divvy, step: Step) -> Result<(), Error> {
    match divvy.commit(step).await {
        Err(error) if error.code() == Code::AddressTaken => divvy.catch_up().await,
        committed => committed.map(drop),
    }
}
