//! Above the limit of a day: batches are planned with their lines, and wait until enough people
//! have approved them. Nothing of them is signed before.

use divvy_core::{Amount, Batch, Code, Due, Error, Name, Next, Planned, Time};

use crate::divvy::Divvy;
use crate::worker::tick::count;
use crate::worker::{Tick, Worker};

impl Worker {
    /// Whether paying all of these today needs approvals.
    pub(super) fn needs_approval(
        divvy: &Divvy,
        book: &Name,
        due: &[Due],
        now: Time,
    ) -> Result<bool, Error> {
        let amounts = due.iter().flat_map(|due| &due.lines).map(|line| line.amount);
        Ok(divvy.books().book(book.as_str())?.is_guarded(Amount::total(amounts)?, now))
    }

    /// Plans a run that waits. Whether it was planned, and nobody else was quicker.
    pub(super) async fn plan_to_wait(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        due: Vec<Due>,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Waited, Error> {
        let mut plans: Vec<(Planned, Amount)> = Vec::new();
        for Due { rail, lines } in due {
            let Some(rail) = self.rails.get(&rail).cloned() else { continue };
            let Some(packs) = self.packs(&*rail, &lines, now, tick).await else { continue };
            for part in self.suspects.parted(&lines, &packs) {
                let fold = divvy.books().book(book.as_str())?;
                let allowed = self.allowed(fold, &*rail, &part, now, tick).await;
                let Some(quoted) = allowed else { continue };
                let (name, wallet) = (rail.name().clone(), rail.wallet().clone());
                let lines = fold.bear(part.lines, quoted);
                plans.push((Planned { rail: name, wallet, lines }, quoted));
            }
        }
        if plans.is_empty() {
            return Ok(Waited::Nothing);
        }
        let step = divvy.books().book(book.as_str())?.plan_to_wait(&plans, now)?;
        match divvy.commit(step).await {
            Ok(_) => {
                let lines: usize = plans.iter().map(|(planned, _)| planned.lines.len()).sum();
                count(&mut tick.runs);
                tick.lines = tick.lines.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
                tracing::info!(%book, lines, "a run is above the limit of the day, and waits");
                Ok(Waited::Planned)
            }
            Err(error) if error.code() == Code::AddressTaken => {
                count(&mut tick.races_lost);
                divvy.catch_up().await?;
                Ok(Waited::TooLate)
            }
            Err(error) => Err(error),
        }
    }

    /// Looks at a batch in each tick for as long as it waits for people: they set the pace.
    pub(super) fn unpace_waiting(&mut self, batch: &Batch, now: Time) {
        let timing = self.rails.get(batch.rail()).map(|rail| rail.timing());
        if timing.is_some_and(|timing| batch.next(now, None, timing) == Next::Approve) {
            self.pace.remove(batch.stream());
        }
    }
}

/// What became of a run that was to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// No rail would take it now.
    Nothing,
    Planned,
    /// Somebody else planned another run.
    TooLate,
}
