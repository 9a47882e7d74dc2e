//! Driving: each open batch does what it needs next.

use std::collections::HashSet;
use std::sync::Arc;

use divvy_core::{
    Batch, Call, Code, Error, Heard, Job, Name, Next, Place, Rail, Seen, Signed, Stream, Time,
    Timing, Turn,
};

use tracing::Instrument as _;

use crate::clock::Clock;
use crate::divvy::Divvy;
use crate::worker::learn::{Looked, after};
use crate::worker::tick::count;
use crate::worker::together::together;
use crate::worker::{Tick, Worker, time};

impl Worker {
    /// Drives each open batch whose time has come, and that is for this worker to drive.
    pub(super) async fn drive_open(
        &mut self,
        divvy: &mut Divvy,
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let ready = self.ready(divvy, time(divvy, clock));
        for streams in ready.chunks(BATCHES_AT_ONCE) {
            if self.stop.is_stopped() {
                return Ok(());
            }
            let now = time(divvy, clock);
            let mut batches = Vec::with_capacity(streams.len());
            for stream in streams {
                let batch = fold(divvy, stream).await?;
                self.wait(stream, now);
                self.unpace_waiting(&batch, now);
                if !self.gates.is_open(batch.rail(), now) {
                    continue;
                }
                if self.own.insert(stream.clone()) && !batch.tries().is_empty() {
                    count(&mut tick.taken_over);
                }
                batches.push(batch);
            }
            let seen = self.look_at(&batches, now, clock, tick).await?;
            self.learn(divvy, seen, now, tick).await?;
            for batch in &batches {
                self.sign_anew(divvy, batch, clock, tick).await?;
            }
        }
        Ok(())
    }

    /// The open batches whose time has come. Others that were open once are forgotten.
    fn ready(&mut self, divvy: &Divvy, now: Time) -> Vec<Stream> {
        let open: Vec<Stream> =
            divvy.books().all().flat_map(divvy_core::Book::open_batches).collect();
        if self.pace.len().max(self.own.len()) > 0 {
            let still: HashSet<&Stream> = open.iter().collect();
            self.pace.retain(|batch, _| still.contains(batch));
            self.own.retain(|batch| still.contains(batch));
        }
        let mut ready = Vec::new();
        for batch in open {
            if !self.is_mine(&batch) {
                self.pace.remove(&batch);
                continue;
            }
            match self.pace.get(&batch) {
                Some(pace) if !pace.is_over(now) => {}
                // Whoever has just sent it is asked first, for as long as it is taken for alive.
                None if !self.roster.is_alone() && !self.own.contains(&batch) => {
                    let secs = self.settings.roster_secs.max(self.settings.first_wait_secs);
                    self.pace.entry(batch.clone()).or_default().wait(batch.as_str(), now, secs);
                }
                Some(_) | None => ready.push(batch),
            }
        }
        ready
    }

    /// Waits before a batch is asked about again, longer each time.
    fn wait(&mut self, batch: &Stream, now: Time) {
        let first_secs = self.settings.first_wait_secs;
        self.pace.entry(batch.clone()).or_default().wait(batch.as_str(), now, first_secs);
    }

    /// Does what batches need next but for signing, several of them at once.
    pub(super) async fn look_at(
        &self,
        batches: &[Batch],
        now: Time,
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<Vec<Looked>, Error> {
        let looks: Vec<_> =
            batches.iter().map(|batch| self.look_at_one(batch, now, clock)).collect();
        let mut seen = Vec::new();
        for (looked, counted) in together(looks, self.settings.in_flight).await {
            *tick = tick.and(counted);
            seen.extend(looked?);
        }
        Ok(seen)
    }

    async fn look_at_one(
        &self,
        batch: &Batch,
        floor: Time,
        clock: &Clock,
    ) -> (Result<Option<Looked>, Error>, Tick) {
        let mut tick = Tick::default();
        let Some(rail) = self.rails.get(batch.rail()) else { return (Ok(None), tick) };
        let now = floor.max(clock.now());
        let span = tracing::debug_span!("batch", batch = %batch.stream());
        let seen = self.hear(&**rail, batch, now, &mut tick).instrument(span).await;
        let timing = rail.timing();
        let looked = |seen| Looked { batch: batch.clone(), seen, timing };
        (seen.map(|seen| seen.map(looked)), tick)
    }

    /// Sends again or asks what became of a batch, whichever it needs.
    async fn hear(
        &self,
        rail: &dyn Rail,
        batch: &Batch,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Seen>, Error> {
        let tip = self.tips.get(batch.rail()).copied();
        let seen = match batch.next(now, tip, rail.timing()) {
            Next::Submit { try_n } => {
                match self.submit_again(rail, batch, try_n, now, tick).await {
                    Some(seen) => Some(seen),
                    None => self.look(rail, batch, now, tick).await?,
                }
            }
            Next::Look | Next::Review | Next::Watch { .. } => {
                self.look(rail, batch, now, tick).await?
            }
            Next::Approve | Next::Sign | Next::Done | _ => None,
        };
        let Some(seen) = seen else { return Ok(None) };
        // What the rail took and then forgot goes out once more, while its window is open.
        let again = match batch.lost(&seen, now) {
            Some(try_n) => self.submit_again(rail, batch, try_n, now, tick).await,
            None => None,
        };
        Ok(Some(again.unwrap_or(seen)))
    }

    async fn submit_again(
        &self,
        rail: &dyn Rail,
        batch: &Batch,
        try_n: usize,
        now: Time,
        tick: &mut Tick,
    ) -> Option<Seen> {
        let signed = &batch.tries().get(try_n)?.signed;
        self.submit(rail, batch, signed, now, tick).await
    }

    /// Signs a batch that was planned or proven void, once it is approved, or gives it up when its
    /// lines have changed: what is planned anew needs new approvals.
    async fn sign_anew(
        &mut self,
        divvy: &mut Divvy,
        batch: &Batch,
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let Some(rail) = self.rails.get(batch.rail()).cloned() else { return Ok(()) };
        let next = batch.next(time(divvy, clock), None, rail.timing());
        if !matches!(next, Next::Sign | Next::Approve) {
            return Ok(());
        }
        let now = self.fresh(divvy, clock).await?;
        if let Err(stale) = divvy.books().check_current(batch, now) {
            return self.give_up(divvy, batch, &stale, now, tick).await;
        }
        if !batch.is_approved(now) {
            return Ok(());
        }
        // An older copy does not know whether a new try was signed already.
        let Place::Batch { book, .. } = batch.stream().place() else { return Ok(()) };
        if !self.is_clear(divvy, &Name::new(book)?, &*rail, now, tick).await? {
            return Ok(());
        }
        let quoted = self.cost_of(&*rail, batch.lines(), now, tick).await;
        let Some(fee) = quoted else { return Ok(()) };
        if let Err(above) = batch.check_fee(fee) {
            return self.give_up(divvy, batch, &above, now, tick).await;
        }
        let fold = divvy.books().book(book)?;
        if let Err(above) = fold.check_fee_anew(batch.stream(), fee) {
            return self.give_up(divvy, batch, &above, now, tick).await;
        }
        if !self.costs.allow(fold, rail.name(), fee) {
            return Ok(());
        }
        let job = Job {
            batch: batch.stream().clone(),
            lines: batch.lines().to_vec(),
            tries: batch.signed(),
            claimed: divvy.books().claimed(batch.wallet().as_str(), Some(batch.stream())),
            sender: self.sender_id()?,
        };
        let Some(signed) = self.sign(&*rail, &job, now, tick).await? else { return Ok(()) };
        let step = divvy.books().sign(batch, signed, now)?;
        let after = after(batch, &step)?;
        match divvy.commit(step).await {
            Ok(calls) => {
                let batches = vec![after; calls.len()];
                self.send(divvy, calls, &batches, clock, tick).await
            }
            Err(error) if error.code() == Code::AddressTaken => {
                count(&mut tick.races_lost);
                divvy.catch_up().await
            }
            Err(error) => Err(error),
        }
    }

    /// Gives up a batch that may not be signed any more; what is due is planned anew.
    async fn give_up(
        &mut self,
        divvy: &mut Divvy,
        batch: &Batch,
        why: &Error,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        tracing::warn!(batch = %batch.stream(), %why, "a batch is given up and planned anew");
        let step = divvy.books().cancel(batch, &why.to_string(), now)?;
        match divvy.commit(step).await {
            // Someone else has signed or given it up meanwhile.
            Err(error) if error.code() == Code::AddressTaken => {
                count(&mut tick.races_lost);
                divvy.catch_up().await?;
            }
            given_up => drop(given_up?),
        }
        self.pace.remove(batch.stream());
        Ok(())
    }

    async fn look(
        &self,
        rail: &dyn Rail,
        batch: &Batch,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Seen>, Error> {
        let tries = batch.signed();
        match self.wire(rail.name()).talk(tick, |heard| rail.look(&tries, heard, now)).await {
            Err(error) if error.code() == Code::RailReply => {
                tracing::warn!(batch = %batch.stream(), %error, "the rail's reply cannot be read");
                Ok(None)
            }
            seen => seen,
        }
    }

    /// Sends what a commit has released, several requests at once, and learns from the replies, in
    /// one commit where it can.
    pub(super) async fn send(
        &mut self,
        divvy: &mut Divvy,
        calls: Vec<Call>,
        batches: &[Batch],
        clock: &Clock,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let now = time(divvy, clock);
        let sends = calls.iter().zip(batches).map(|(call, batch)| async {
            let mut tick = Tick::default();
            let rail: Option<&Arc<dyn Rail>> = self.rails.get(batch.rail());
            let Some(rail) = rail else { return (None, tick) };
            let (at, timing) = (now.max(clock.now()), rail.timing());
            let span = tracing::debug_span!("batch", batch = %batch.stream());
            let sent = self.submit(&**rail, batch, &call.signed, at, &mut tick).instrument(span);
            let seen = sent.await;
            (seen.map(|seen| (seen, timing)), tick)
        });
        let replies = together(sends.collect(), self.settings.in_flight).await;
        let mut seen = Vec::new();
        for (batch, (found, counted)) in batches.iter().zip(replies) {
            *tick = tick.and(counted);
            self.own.insert(batch.stream().clone());
            self.wait(batch.stream(), now);
            let looked = |(seen, timing): (Seen, Timing)| {
                let batch = batch.clone();
                Looked { batch, seen, timing }
            };
            seen.extend(found.map(looked));
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
    ) -> Option<Seen> {
        let request = rail.submit(signed, now);
        let reply = self.wire(rail.name()).send(&request, tick).await;
        let heard = [Heard { request, reply }];
        match rail.look(&batch.signed(), &heard, now) {
            Ok(Turn::Done(seen)) => Some(seen),
            Ok(Turn::Ask(_)) | Err(_) => None,
        }
    }
}

/// A batch as it stands now, folded from its own stream.
pub(super) async fn fold(divvy: &Divvy, batch: &Stream) -> Result<Batch, Error> {
    Batch::fold(&divvy.host().read(batch).await?)
}

/// So many batches are read, asked about and learned of together.
pub(super) const BATCHES_AT_ONCE: usize = 256;
