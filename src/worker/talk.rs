//! A conversation with a rail, turn by turn.

use divvy_core::{Error, Heard, Name, Reply, Request, Turn};

use crate::host::Sender;
use crate::worker::tick::count;
use crate::worker::{Tick, Worker};

/// The way to one rail and back.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    sender: &'a dyn Sender,
    rail: &'a Name,
}

impl Worker {
    pub(super) fn wire<'a>(&'a self, rail: &'a Name) -> Wire<'a> {
        Wire { sender: &*self.sender, rail }
    }
}

impl Wire<'_> {
    /// Sends one request, and counts it.
    pub(super) async fn send(&self, request: &Request, tick: &mut Tick) -> Option<Reply> {
        count(&mut tick.requests);
        let reply = self.sender.send(request).await;
        let status = reply.as_ref().map(|reply| reply.status);
        tracing::debug!(rail = %self.rail, method = request.method, status, "a request");
        if reply.is_none() {
            count(&mut tick.unanswered);
        }
        reply
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
