//! A conversation with a rail, turn by turn.

use divvy_core::{Error, Heard, Turn};

use crate::host::Sender;
use crate::worker::Tick;

/// No rail needs more turns to learn what it wants to know.
const TURNS_MAX: usize = 16;

/// Goes on asking until the rail is done; `None` when it is still asking after many turns.
pub(super) async fn talk<T>(
    sender: &dyn Sender,
    tick: &mut Tick,
    turn: impl FnMut(&[Heard]) -> Result<Turn<T>, Error>,
) -> Result<Option<T>, Error> {
    talk_long(sender, tick, TURNS_MAX, turn).await
}

/// Goes on asking for so many turns: a listing has many pages.
pub(super) async fn talk_long<T>(
    sender: &dyn Sender,
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
                    tick.requests = tick.requests.saturating_add(1);
                    let reply = sender.send(&request).await;
                    heard.push(Heard { request, reply });
                }
            }
        }
    }
    Ok(None)
}
