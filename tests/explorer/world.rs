//! The rail's side: a pure ledger that dedupes exactly as its window says, and no better. It is
//! willing to pay twice.
//!
//! | window | what the rail does with bytes that arrive |
//! |---|---|
//! | unlimited | moves them once, for ever; two tries that share a coin exclude each other |
//! | until | remembers the key until its life is over, then it would pay again |
//! | until height | refuses them after the height, for ever; moves them once before |
//! | once | remembers nothing: every arrival moves money |
//! | chain | refuses them above a height, which may fall again as far as nothing is rooted |
//! | nonce | as unlimited, and what fails has spent its coin too |

use divvy_core::Window;

use crate::lab::Lab;
use crate::model::{Kind, Movement, Stage, State, Told, TryId};

/// A request arrives. Returns what the rail says, or nothing when the ledger is full here.
pub(crate) fn receive(lab: &Lab, state: &mut State, try_id: TryId) -> Option<Told> {
    let fresh = Movement { try_id, stage: Stage::Pending, was_final: false };
    let known = known(lab, state, try_id);
    match lab.kind {
        kind if kind.has_coins() && excluded(lab, state, try_id) => return Some(Told::Unknown),
        kind if kind.has_heights() && is_past_height(lab, try_id, state.height) => {
            return Some(Told::Unknown);
        }
        Kind::Once => return state.put_move(fresh).then_some(Told::Accepted),
        Kind::Until if is_forgotten(lab, state, try_id) => {
            return state.put_move(fresh).then_some(Told::Accepted);
        }
        _ => (),
    }
    let Some(at) = known else { return state.put_move(fresh).then_some(Told::Accepted) };
    let movement = state.moves[at].as_mut()?;
    match movement.stage {
        Stage::Refused => return Some(Told::Refused),
        // A chain takes dropped bytes again; a keyed rail repeats the reply that it saved.
        Stage::Dropped if lab.kind != Kind::Until => movement.stage = Stage::Pending,
        Stage::Dropped | Stage::Pending | Stage::Final | Stage::Returned => (),
    }
    Some(Told::Accepted)
}

/// A request arrives and is refused for good, where the rail has not taken it before.
pub(crate) fn refuse(lab: &Lab, state: &mut State, try_id: TryId) -> Option<Told> {
    // What fails on a chain has landed: nothing fails where it could not have been paid.
    let landed = match lab.kind {
        Kind::Nonce => !excluded(lab, state, try_id),
        Kind::Chain => !is_past_height(lab, try_id, state.height),
        _ => true,
    };
    if known(lab, state, try_id).is_some() || !landed {
        return None;
    }
    let refused = Movement { try_id, stage: Stage::Refused, was_final: false };
    state.put_move(refused).then_some(Told::Refused)
}

/// What an authoritative look tells of one try.
pub(crate) fn truth(lab: &Lab, state: &State, try_id: TryId) -> Told {
    let own = lab.reference(try_id);
    let here = state.moves.iter().flatten().filter(|move_| lab.reference(move_.try_id) == own);
    let newest = here.max_by_key(|move_| weight(**move_));
    let absent = absent(lab, state, try_id);
    let Some(movement) = newest else { return absent };
    match movement.stage {
        Stage::Pending => Told::Accepted,
        Stage::Final => Told::Final,
        Stage::Returned => Told::Returned,
        // Only the reply to the one request says so.
        Stage::Refused if lab.kind == Kind::Once => Told::Unknown,
        Stage::Refused => Told::Refused,
        Stage::Dropped if absent == Told::Void && lab.kind.has_coins() => absent,
        Stage::Dropped if movement.was_final => Told::Undone,
        Stage::Dropped => absent,
    }
}

/// What it proves that the rail does not have a try.
fn absent(lab: &Lab, state: &State, try_id: TryId) -> Told {
    let proven = match lab.kind {
        Kind::Unlimited | Kind::Nonce => {
            let coins = lab.coins(try_id);
            let spent = state.moves.iter().flatten().any(|move_| {
                let failed = lab.kind == Kind::Nonce && move_.stage == Stage::Refused;
                let spends = failed || matches!(move_.stage, Stage::Final | Stage::Returned);
                let other = lab.reference(move_.try_id) != lab.reference(try_id);
                spends && other && lab.coins(move_.try_id) & coins != 0
            });
            spent || state.swept & coins != 0
        }
        Kind::Until => lab.seconds(state.clock) > lab.signed(try_id).deadline,
        Kind::UntilHeight => is_past_height(lab, try_id, state.height),
        Kind::Chain => is_past_height(lab, try_id, state.rooted),
        Kind::Once => false,
    };
    if proven { Told::Void } else { Told::Unknown }
}

fn weight(movement: Movement) -> u8 {
    match movement.stage {
        Stage::Final => 4,
        Stage::Returned => 3,
        Stage::Pending => 2,
        Stage::Refused => 1,
        Stage::Dropped => 0,
    }
}

fn known(lab: &Lab, state: &State, try_id: TryId) -> Option<usize> {
    let own = lab.reference(try_id);
    let same = |slot: &Option<Movement>| slot.is_some_and(|m| lab.reference(m.try_id) == own);
    state.moves.iter().position(same)
}

/// Whether a coin of these bytes is spent by other bytes, or by somebody else.
fn excluded(lab: &Lab, state: &State, try_id: TryId) -> bool {
    let (own, coins) = (lab.reference(try_id), lab.coins(try_id));
    let spends = |move_: &Movement| {
        let failed = lab.kind == Kind::Nonce && move_.stage == Stage::Refused;
        let there = matches!(move_.stage, Stage::Pending | Stage::Final | Stage::Returned);
        (there || failed)
            && lab.reference(move_.try_id) != own
            && lab.coins(move_.try_id) & coins != 0
    };
    state.swept & coins != 0 || state.moves.iter().flatten().any(spends)
}

pub(crate) fn is_past_height(lab: &Lab, try_id: TryId, height: u8) -> bool {
    matches!(lab.signed(try_id).window, Window::UntilHeight(end) if u64::from(height) > end)
}

/// Whether a coin of these bytes is spent, by these bytes themselves or by any others.
pub(crate) fn is_coin_spent(lab: &Lab, state: &State, try_id: TryId) -> bool {
    let coins = lab.coins(try_id);
    let spends =
        |move_: &Movement| move_.stage != Stage::Dropped && lab.coins(move_.try_id) & coins != 0;
    state.swept & coins != 0 || state.moves.iter().flatten().any(spends)
}

fn is_forgotten(lab: &Lab, state: &State, try_id: TryId) -> bool {
    matches!(lab.signed(try_id).window, Window::Until(end) if lab.seconds(state.clock) > end)
}
