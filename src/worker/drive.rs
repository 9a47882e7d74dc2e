//! Driving: each open batch does what it needs next.

use divvy_core::{
    Answer, Batch, Call, Code, Error, Heard, Job, Name, Next, Place, Rail, Seen, Signed, State,
    Stream, Time, Timing, Try, Turn, Window,
};

use crate::divvy::Divvy;
use crate::worker::learn::{Looked, after};
use crate::worker::talk::talk;
use crate::worker::{Tick, Worker};

impl Worker {
    /// Drives each open batch whose time has come.
    pub(super) async fn drive_open(
        &mut self,
        divvy: &mut Divvy,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let mut ready: Vec<Stream> = Vec::new();
        for book in divvy.books().all() {
            let due = |batch: &Stream| self.pace.get(batch).is_none_or(|pace| pace.is_over(now));
            ready.extend(book.open_batches().into_iter().filter(due));
        }
        let mut seen = Vec::new();
        for stream in ready {
            let batch = Batch::fold(&divvy.host().read(&stream).await?)?;
            self.pace.entry(stream.clone()).or_default().wait(stream.as_str(), now);
            if let Some(found) = self.drive(divvy, &batch, now, tick).await? {
                seen.push(found);
            }
        }
        self.learn(divvy, seen, now, tick).await
    }

    /// Does what one batch needs next.
    async fn drive(
        &mut self,
        divvy: &mut Divvy,
        batch: &Batch,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Looked>, Error> {
        let Some(rail) = self.rails.get(batch.rail()).cloned() else { return Ok(None) };
        let timing = rail.timing();
        let tip = self.tips.get(batch.rail()).copied();
        let seen = match batch.next(now, tip, timing) {
            Next::Sign => return self.sign_anew(divvy, &*rail, batch, now, tick).await,
            Next::Submit { try_n } => {
                match self.submit_again(&*rail, batch, try_n, now, tick).await? {
                    Some(seen) => Some(seen),
                    None => self.look(&*rail, batch, now, tick).await?,
                }
            }
            Next::Look | Next::Review | Next::Watch { .. } => {
                self.look(&*rail, batch, now, tick).await?
            }
            Next::Done | _ => None,
        };
        let Some(seen) = seen else { return Ok(None) };
        // What the rail took and then forgot goes out once more, while its window is open.
        let again = match batch.lost(&seen, now) {
            Some(try_n) => self.submit_again(&*rail, batch, try_n, now, tick).await?,
            None => None,
        };
        let seen = again.unwrap_or(seen);
        Ok(Some(Looked { batch: batch.clone(), seen, timing }))
    }

    async fn submit_again(
        &self,
        rail: &dyn Rail,
        batch: &Batch,
        try_n: usize,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Seen>, Error> {
        match batch.tries().get(try_n) {
            Some(try_) => self.submit(rail, batch, &try_.signed, now, tick).await,
            None => Ok(None),
        }
    }

    /// Signs a batch that was planned or proven void, or gives it up when its lines have changed.
    async fn sign_anew(
        &mut self,
        divvy: &mut Divvy,
        rail: &dyn Rail,
        batch: &Batch,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Looked>, Error> {
        if let Err(stale) = divvy.books().check_current(batch, now) {
            let step = divvy.books().cancel(batch, &stale.to_string(), now)?;
            match divvy.commit(step).await {
                // Someone else has signed or given it up meanwhile.
                Err(error) if error.code() == Code::AddressTaken => divvy.catch_up().await?,
                given_up => drop(given_up?),
            }
            self.pace.remove(batch.stream());
            return Ok(None);
        }
        // An older copy does not know whether a new try was signed already.
        let Place::Batch { book, .. } = batch.stream().place() else { return Ok(None) };
        if !self.is_clear(divvy, &Name::new(book)?, rail, now, tick).await? {
            return Ok(None);
        }
        let job = Job {
            batch: batch.stream().clone(),
            lines: batch.lines().to_vec(),
            tries: batch.signed(),
            claimed: divvy.books().claimed(batch.wallet().as_str(), Some(batch.stream())),
            sender: self.sender_id()?,
        };
        let Some(signed) = self.sign(rail, &job, now, tick).await? else { return Ok(None) };
        let step = divvy.books().sign(batch, signed, now)?;
        let after = after(batch, &step)?;
        match divvy.commit(step).await {
            Ok(calls) => {
                let batches = vec![after; calls.len()];
                let timings = vec![rail.timing(); calls.len()];
                self.send(divvy, calls, &batches, &timings, now, tick).await?;
                Ok(None)
            }
            Err(error) if error.code() == Code::AddressTaken => {
                divvy.catch_up().await.map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    async fn look(
        &self,
        rail: &dyn Rail,
        batch: &Batch,
        now: Time,
        tick: &mut Tick,
    ) -> Result<Option<Seen>, Error> {
        let tries = batch.signed();
        match talk(&*self.sender, tick, |heard| rail.look(&tries, heard, now)).await {
            Err(error) if error.code() == Code::RailReply => {
                tracing::warn!(batch = %batch.stream(), %error, "the rail's reply cannot be read");
                Ok(None)
            }
            seen => seen,
        }
    }

    /// Looks once more at what settled, for money that came back and finals that were undone.
    pub(super) async fn look_again(
        &mut self,
        divvy: &mut Divvy,
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let mut seen = Vec::new();
        while let Some((from, stream)) = self.watch.first().cloned() {
            if from > now {
                break;
            }
            self.watch.pop_first();
            let batch = Batch::fold(&divvy.host().read(&stream).await?)?;
            let timing = self.rails.get(batch.rail()).map(|rail| rail.timing());
            let Some(timing) = timing else { continue };
            if !matches!(batch.next(now, None, timing), Next::Watch { .. }) {
                continue;
            }
            let found = self.drive(divvy, &batch, now, tick).await?;
            // Nobody answered: what may have come back is asked for again.
            let unknown =
                |found: &Looked| found.seen.answers.iter().all(|answer| *answer == Answer::Unknown);
            if found.as_ref().is_none_or(unknown) && self.is_watched(&batch, now, timing) {
                self.watch.insert((now.plus_secs(WATCH_AGAIN_SECS), stream));
            }
            seen.extend(found);
        }
        self.learn(divvy, seen, now, tick).await
    }

    /// Whether a settled batch is looked at again when nobody answered: for as long again as it
    /// was watched, and not where nobody remembers a try.
    fn is_watched(&self, batch: &Batch, now: Time, timing: Timing) -> bool {
        let remembered = |try_: &Try| try_.signed.window != Window::Once;
        let until = batch.settled_at().plus_secs(timing.watch_secs.saturating_mul(2));
        now < until && batch.tries().iter().any(remembered)
    }

    /// After a start, finds again what has settled lately.
    pub(super) fn find_watched(&mut self, divvy: &Divvy, now: Time) {
        if std::mem::replace(&mut self.watching, true) {
            return;
        }
        let longest = self.rails.values().map(|rail| rail.timing().watch_secs).max().unwrap_or(0);
        if longest == 0 {
            return;
        }
        for standing in divvy.books().all().flat_map(divvy_core::Book::batches) {
            let until = standing.settled_at.plus_secs(longest.saturating_mul(2));
            let settled = matches!(standing.state, State::Settled | State::Returned);
            if settled && until > now {
                self.watch.insert((standing.settled_at.plus_secs(longest), standing.batch));
            }
        }
    }

    /// Sends what a commit has released, and learns from the replies, in one commit where it can.
    pub(super) async fn send(
        &mut self,
        divvy: &mut Divvy,
        calls: Vec<Call>,
        batches: &[Batch],
        timings: &[Timing],
        now: Time,
        tick: &mut Tick,
    ) -> Result<(), Error> {
        let mut seen = Vec::new();
        for (call, (batch, timing)) in calls.iter().zip(batches.iter().zip(timings)) {
            let Some(rail) = self.rails.get(batch.rail()).cloned() else { continue };
            let found = self.submit(&*rail, batch, &call.signed, now, tick).await?;
            self.pace.entry(batch.stream().clone()).or_default().wait(batch.stream().as_str(), now);
            if let Some(found) = found {
                seen.push(Looked { batch: batch.clone(), seen: found, timing: *timing });
            }
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
    ) -> Result<Option<Seen>, Error> {
        let request = rail.submit(signed, now);
        tick.requests = tick.requests.saturating_add(1);
        let reply = self.sender.send(&request).await;
        let heard = [Heard { request, reply }];
        Ok(match rail.look(&batch.signed(), &heard, now) {
            Ok(Turn::Done(seen)) => Some(seen),
            Ok(Turn::Ask(_)) | Err(_) => None,
        })
    }
}

/// A look at what settled that nobody answered is taken again after so many seconds.
const WATCH_AGAIN_SECS: u64 = 3_600;
