//! A conversation with a rail, turn by turn.

use std::time::Duration;

use divvy_core::{Error, Heard, Name, Reply, Request, Turn};

use tracing::Instrument as _;

use crate::worker::tick::count;
use crate::worker::{Tick, Worker};

/// The way to one rail and back.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    worker: &'a Worker,
    rail: &'a Name,
}

impl Worker {
    pub(super) fn wire<'a>(&'a self, rail: &'a Name) -> Wire<'a> {
        Wire { worker: self, rail }
    }
}

impl Wire<'_> {
    /// Sends one request, and counts it.
    pub(super) async fn send(&self, request: &Request, tick: &mut Tick) -> Option<Reply> {
        self.wait_for_turn(request).await;
        count(&mut tick.requests);
        let span = tracing::debug_span!("request", rail = %self.rail, method = request.method);
        let reply = self.worker.sender.send(request).instrument(span).await;
        let status = reply.as_ref().map(|reply| reply.status);
        if let Some(status) = status {
            let Worker { gates, clock, settings, .. } = self.worker;
            gates.note(self.rail, status, clock.now(), settings.first_wait_secs);
        }
        tracing::debug!(rail = %self.rail, method = request.method, status, "a request went out");
        if reply.is_none() {
            count(&mut tick.unanswered);
        }
        reply
    }

    /// Waits until a request may go out; at most until its deadline, when it is for the sender to
    /// say that it is too late.
    async fn wait_for_turn(&self, request: &Request) {
        let Worker { gates, clock, roster, .. } = self.worker;
        let now = clock.now();
        let wait = gates.pass(self.rail, now, roster.count());
        let wait = wait.min(request.deadline.millis_since(now));
        if wait > 0 && clock.runs() {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }

    /// Goes on asking until the rail is done; `None` when it is still asking after many turns.
    pub(super) async fn talk<T>(
        &self,
        tick: &mut Tick,
        turn: impl FnMut(&[Heard]) -> Result<Turn<T>, Error>,
    ) -> Result<Option<T>, Error> {
        self.talk_long(tick, TURNS_MAX, turn).await
    }

    /// Goes on asking for so many turns: a listing has many pages.
    pub(super) async fn talk_long<T>(
        &self,
        tick: &mut Tick,
        turns_max: usize,
        mut turn: impl FnMut(&[Heard]) -> Result<Turn<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let mut heard: Vec<Heard> = Vec::new();
        for _ in 0..turns_max {
            match turn(&heard)? {
                Turn::Done(outcome) => return Ok(Some(outcome)),
                Turn::Ask(requests) => {
                    for request in requests {
                        let reply = self.send(&request, tick).await;
                        heard.push(Heard { request, reply });
                    }
                }
            }
        }
        Ok(None)
    }
}

/// No rail needs more turns to learn what it wants to know.
const TURNS_MAX: usize = 16;
