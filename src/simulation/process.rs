//! One process: its own fold and worker, on its own clock, over a host and a sender that may fail.

use core::fmt;
use core::future::poll_fn;
use core::task::Poll;
use std::sync::Arc;

use async_trait::async_trait;
use divvy_core::{Cursor, Error, Fact, Hash, Manner, Page, Reply, Request, Stream, Time, Written};

use crate::simulation::ear::{Ear, webhooks};
use crate::simulation::jobs::Job;
use crate::simulation::prices::Board;
use crate::simulation::promise::Promise;
use crate::simulation::scene::Shared;
use crate::simulation::scheduler::YEARS_AHEAD_MILLIS;
use crate::simulation::shift::{Shift, is_expected};
use crate::worker::Draws;
use crate::{Divvy, Host, Sender, Worker, WorkerSettings};

/// A process's way out: to the store, and to the rails.
#[derive(Clone)]
struct Desk {
    scene: Shared,
    process: usize,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("process", &self.process).finish_non_exhaustive()
    }
}

/// Lets the scheduler choose who goes on. Nothing that others can see happens between two of
/// these, so one before each call is enough for every order and every crash.
pub(super) async fn pause() {
    let mut paused = false;
    poll_fn(|_| if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

#[async_trait]
impl Host for Desk {
    async fn commit(&self, facts: Vec<Fact>, manner: Manner) -> Result<Vec<Written>, Error> {
        pause().await;
        self.scene.with(|scene| scene.commit(self.process, facts, manner))
    }

    async fn read(&self, stream: &Stream) -> Result<Vec<Fact>, Error> {
        pause().await;
        self.scene.with(|scene| scene.read(stream))
    }

    async fn since(&self, cursor: Option<&Cursor>, facts_max: usize) -> Result<Page, Error> {
        pause().await;
        self.scene.with(|scene| scene.since(self.process, cursor, facts_max))
    }

    async fn roster(&self, process: &str, now: Time, until: Time) -> Result<Vec<String>, Error> {
        pause().await;
        Ok(self.scene.with(|scene| scene.store.enter(process, now, until)))
    }
}

#[async_trait]
impl Sender for Desk {
    async fn send(&self, request: &Request) -> Option<Reply> {
        pause().await;
        self.scene.with(|scene| scene.send(self.process, request))
    }
}

/// A process from its start until somebody drops it.
pub(super) async fn live(
    scene: Shared,
    process: usize,
    seed: Hash,
    mut checkpoint: Option<Vec<u8>>,
) {
    let desk = Desk { scene: scene.clone(), process };
    let divvy = loop {
        let host: Arc<dyn Host> = Arc::new(desk.clone());
        match Divvy::open_from(host, checkpoint.as_deref()).await {
            Ok(divvy) => break divvy,
            Err(error) => failed(&scene, process, &error),
        }
        checkpoint = None;
        pause().await;
    };
    let rails = scene.with(|scene| scene.town.rails());
    let in_flight = if seed.as_bytes().first().is_some_and(|byte| *byte < 128) { 1 } else { 4 };
    let settings = WorkerSettings { in_flight, ..WorkerSettings::default() };
    let worker = Worker::with_draws(rails, Arc::new(desk), settings, Draws::seeded(seed));
    let Ok(mut worker) = worker else { return };
    worker.set_quotes(Arc::new(Board { scene: scene.clone(), process }));
    let webhooks = scene.with(|scene| webhooks(&scene.town));
    let Ok(webhooks) = webhooks else { return };
    worker.set_webhooks(webhooks, Arc::new(Ear { scene: scene.clone(), process }));
    let mut shift = Shift { divvy, worker };
    loop {
        let job = next(&scene, process).await;
        let clock = scene.with(|scene| {
            let clock = scene.clock(process);
            scene.tell(|| format!("{process}: begins at its {clock}: {job:?}"));
            clock
        });
        let outcome = shift.work(&scene, &job, clock).await;
        scene.with(|scene| {
            let not_before = shift.worker.not_before();
            if let Some(seat) = scene.seats.get_mut(process) {
                (seat.busy, seat.not_before) = (false, not_before);
                // What was refused for its clock makes somebody look at the clock.
                if seat.ahead_millis >= YEARS_AHEAD_MILLIS {
                    seat.ahead_millis = 0;
                }
            }
            scene.tell(|| format!("{process}: is done: {outcome:?}"));
        });
        match outcome {
            Err(error) if matches!(job, Job::Verify) && !is_expected(&error) => {
                let said = format!("process {process}: {error:?}");
                scene.with(|scene| scene.breaks(Promise::Verifies, said));
            }
            Err(error) => failed(&scene, process, &error),
            Ok(_) => {}
        }
    }
}

/// The next job, once there is one.
async fn next(scene: &Shared, process: usize) -> Job {
    poll_fn(|_| {
        let job = scene.with(|scene| {
            let seat = scene.seats.get_mut(process)?;
            let job = seat.job.take()?;
            seat.busy = true;
            // Whose clock is years ahead is only ever asked to pay, which must be refused.
            Some(if seat.ahead_millis >= YEARS_AHEAD_MILLIS { Job::Tick } else { job })
        });
        job.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

fn failed(scene: &Shared, process: usize, error: &Error) {
    scene.with(|scene| {
        scene.trace.mark(&error.code());
        scene.trace.count(counted(error));
        if !is_expected(error) {
            scene.breaks(Promise::NoFaultOfOurs, format!("process {process}: {error:?}"));
        }
    });
}

/// Errors that a process met, by what they mean.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is rare and counted together")]
fn counted(error: &Error) -> &'static str {
    use divvy_core::Code;
    match error.code() {
        Code::AddressTaken => "errors: others were quicker every time",
        Code::CommitUnknown => "errors: commit unknown",
        Code::StoreUnusable => "errors: store unusable",
        Code::ClockAhead => "errors: clock ahead",
        Code::RuleMissing => "errors: rule missing",
        Code::PoolUnits => "errors: units",
        Code::PayeeUnknown => "errors: payee unknown",
        Code::PolicyMalformed => "errors: policy",
        Code::BatchStale => "errors: batch stale",
        Code::RailRefused => "errors: rail refused",
        Code::ActUnsigned => "errors: act unsigned",
        Code::SignatureWrong => "errors: signature wrong",
        _ => "errors: others",
    }
}
