//! What must hold after every step, whatever happened.

use divvy_core::{Body, Error, Fate, State as BatchState};

use crate::lab::{BOOK, Lab, Log, PAYEE};
use crate::model::{DEADLINE_SECS, Stage, State};

/// What is promised, and who breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) promise: Promise,
    pub(crate) said: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Promise {
    /// Money moves at most once for each batch, and never more than was earned.
    MovedOnce,
    /// When the world heals, what was earned has arrived exactly once, and the books say so.
    ArrivesOnce,
    /// Settled only if it moved; void and refused only if it never will.
    FactsTrue,
    /// The core folds whatever was committed, and waits for nothing.
    Folds,
    /// Every equation of the book, and a payee's five places.
    Balances,
    /// No coin is claimed by two batches that may both move.
    CoinsApart,
    /// Nothing is signed for a destination that is not in force then, nor sent there later than
    /// such a try's deadline.
    InForce,
    /// Money that came back is held in the commit that says so.
    ReturnedHeld,
}

impl Finding {
    pub(crate) fn new(promise: Promise, said: impl Into<String>) -> Self {
        Self { promise, said: said.into() }
    }

    pub(crate) fn fold(error: &Error) -> Self {
        Self::new(Promise::Folds, format!("the fold refuses what was committed: {error}"))
    }
}

/// What is wrong with a history by itself: asked once for each history.
pub(crate) fn log_findings(log: &Log) -> Vec<Finding> {
    if log.is_broken {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Some(fact) = log.books.early().first() {
        let said = format!("fact {} of {} is never folded", fact.n, fact.stream);
        found.push(Finding::new(Promise::Folds, said));
    }
    let book = log.books.book(BOOK).expect("the book is open");
    if let Err(error) = book.check() {
        found.push(Finding::new(Promise::Balances, error.to_string()));
    }
    let at = log.books.newest();
    let balance = book.balance(PAYEE, at).expect("a payee of the book");
    let [earned, payable, reserved, paid, owed_back] =
        [balance.earned, balance.payable, balance.reserved, balance.paid, balance.owed_back]
            .map(|amount| amount.get());
    if earned + owed_back != payable + reserved + paid {
        found.push(Finding::new(Promise::Balances, format!("{balance:?}")));
    }
    found.extend(coins_apart(log));
    found.extend(in_force_when_signed(log));
    found.extend(returned_held(log));
    found
}

fn coins_apart(log: &Log) -> Option<Finding> {
    let mut claims = Vec::new();
    for batch in log.batches.iter().filter(|batch| batch.is_in_flight()) {
        let mut own: Vec<_> = batch.tries().iter().flat_map(|try_| &try_.signed.claims).collect();
        own.sort_unstable();
        own.dedup();
        claims.extend(own);
    }
    claims.sort_unstable();
    let twice = claims.windows(2).find(|pair| pair[0] == pair[1])?;
    let said = format!("{} is claimed by two batches at once", twice[0]);
    Some(Finding::new(Promise::CoinsApart, said))
}

fn in_force_when_signed(log: &Log) -> Option<Finding> {
    let book = log.books.book(BOOK).expect("the book is open");
    let signed = |fact: &&divvy_core::Fact| fact.kind == "signed.1";
    for fact in log.facts.iter().filter(signed) {
        let batch = log.batches.iter().find(|batch| *batch.stream() == fact.stream)?;
        let balance = book.balance(PAYEE, fact.at).expect("a payee of the book");
        let in_force = balance.destination.map(|destination| destination.address);
        if batch.lines().iter().any(|line| Some(&line.to) != in_force.as_ref()) {
            let said = format!("signed for {:?}, in force is {in_force:?}", batch.lines());
            return Some(Finding::new(Promise::InForce, said));
        }
    }
    None
}

/// The hold is in the same commit, so nobody can plan between the two.
fn returned_held(log: &Log) -> Option<Finding> {
    let held: Vec<_> = log
        .facts
        .iter()
        .filter_map(|fact| match fact.body() {
            Ok(Body::Held(held)) => held.cause,
            _ => None,
        })
        .collect();
    let returned = |fact: &&divvy_core::Fact| fact.kind == "returned.1";
    let free = log.facts.iter().filter(returned).find(|fact| !held.contains(&fact.stream))?;
    let said = format!("{} came back, and its payee is not held", free.stream);
    Some(Finding::new(Promise::ReturnedHeld, said))
}

/// What is wrong between the facts and the world, now.
pub(crate) fn state_findings(lab: &Lab, state: &State) -> Vec<Finding> {
    let log = lab.log(state.log);
    let mut found = log.findings.clone();
    found.extend(in_force_when_sent(lab, state));
    if state.misjudged {
        // Whoever is wrong about the first try pays a second time: what holds is said when all
        // has come to rest.
        return found;
    }
    let mut moved = 0;
    for (at, move_) in state.moves.iter().flatten().enumerate().filter(|(_, m)| m.is_live()) {
        moved += lab.amount(move_.try_id);
        let batch = lab.batch_of(move_.try_id);
        let other = state
            .moves
            .iter()
            .flatten()
            .skip(at + 1)
            .find(|other| other.is_live() && lab.batch_of(other.try_id) == batch);
        if let Some(other) = other {
            let refs = [move_, other].map(|m| lab.signed(m.try_id).reference.as_str());
            found.push(Finding::new(Promise::MovedOnce, format!("{batch} moved twice: {refs:?}")));
        }
    }
    if moved > log.earned {
        let said = format!("{moved} moved of {} that were earned", log.earned);
        found.push(Finding::new(Promise::MovedOnce, said));
    }
    found.extend(facts_true(lab, state));
    found
}

fn facts_true(lab: &Lab, state: &State) -> Option<Finding> {
    let log = lab.log(state.log);
    for (reference, fate) in &log.fates {
        let own = || {
            let moves = state.moves.iter().flatten();
            moves.filter(|move_| lab.reference(move_.try_id) == *reference)
        };
        let said = match fate {
            Fate::Settled if !own().any(|move_| move_.was_final) => "settled, and never moved",
            // What excluded it for ever was itself undone: its coin is free again.
            Fate::Void if state.undone && lab.kind.has_coins() => continue,
            Fate::Void | Fate::Refused if own().any(|move_| move_.is_live()) => {
                "void or refused, and it moves"
            }
            _ => continue,
        };
        return Some(Finding::new(Promise::FactsTrue, said));
    }
    None
}

fn in_force_when_sent(lab: &Lab, state: &State) -> Option<Finding> {
    if lab.kind.has_coins() || lab.log(state.log).is_broken {
        // Bytes that are good for ever pay where they were signed to pay.
        return None;
    }
    let just = state.flights.iter().flatten().find(|flight| flight.started == state.clock)?;
    let book = lab.log(state.log).books.book(BOOK).expect("the book is open");
    // What was signed just before a change took effect may be sent until its deadline.
    let clock_signed = state.clock.saturating_sub(DEADLINE_SECS as u16);
    let in_force = [clock_signed, state.clock].map(|clock| {
        let balance = book.balance(PAYEE, lab.seconds(clock)).expect("a payee of the book");
        balance.destination.map(|destination| destination.address)
    });
    if in_force.iter().any(|address| address.as_deref() == Some(lab.to(just.try_id))) {
        return None;
    }
    let said = format!("sent to {}, in force is {in_force:?}", lab.to(just.try_id));
    Some(Finding::new(Promise::InForce, said))
}

/// What is wrong when the world has healed and nobody has anything left to do.
pub(crate) fn healed_findings(lab: &Lab, state: &State) -> Vec<Finding> {
    let log = lab.log(state.log);
    let arrived = state.moves.iter().flatten().filter(|move_| move_.stage == Stage::Final);
    let arrived: u64 = arrived.map(|move_| lab.amount(move_.try_id)).sum();
    let mut found = state_findings(lab, state);
    // Where a person was wrong, more may have arrived, and what is too much is owed back.
    if arrived < log.earned || (arrived != log.earned && !state.misjudged) {
        let said = format!("{arrived} arrived of {} that were earned", log.earned);
        found.push(Finding::new(Promise::ArrivesOnce, said));
    }
    if log.is_broken {
        return found;
    }
    let book = log.books.book(BOOK).expect("the book is open");
    let totals = book.totals();
    let balance = book.balance(PAYEE, log.books.newest()).expect("a payee of the book");
    if balance.owed_back.get() != arrived.saturating_sub(log.earned) {
        let said = format!("{} owed back, {arrived} arrived", balance.owed_back);
        found.push(Finding::new(Promise::ArrivesOnce, said));
    }
    let at_rest = |state: BatchState| {
        use BatchState::{Cancelled, Refused, Returned, Settled};
        matches!(state, Cancelled | Refused | Returned | Settled)
    };
    let stuck = log.batches.iter().find(|batch| !at_rest(batch.state()));
    if let Some(batch) = stuck {
        let said = format!("{} stays {:?}", batch.stream(), batch.state());
        found.push(Finding::new(Promise::ArrivesOnce, said));
    } else if totals.paid.get() != arrived {
        let said = format!("the books say {} paid, {arrived} arrived", totals.paid);
        found.push(Finding::new(Promise::ArrivesOnce, said));
    }
    found
}
