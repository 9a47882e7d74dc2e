//! Nodes: what they are asked in JSON-RPC, and how their replies are read. Requests and replies are
//! data.

mod account;
mod listing;
mod provider;
mod rpc;
mod standing;
mod transaction;

pub(crate) use account::{Written, accounts};
pub(crate) use listing::{LISTED_MAX, Listed, listing};
pub use provider::Provider;
pub(crate) use rpc::{AtSlot, Question, Said, Talk, is_sending, sending, taken, text_of, unheard};
pub use standing::Genesis;
pub(crate) use standing::{Epoch, genesis};
pub(crate) use transaction::Landed;

/// What a turn was about, or the questions that it still has.
macro_rules! done {
    ($turn:expr) => {
        match $turn? {
            divvy_core::Turn::Ask(asked) => return Ok(divvy_core::Turn::Ask(asked)),
            divvy_core::Turn::Done(done) => done,
        }
    };
}
pub(crate) use done;
