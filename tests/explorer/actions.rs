//! Everything that can happen next: what workers do, what the world does to them, what people do.

use divvy_core::{Approved, Batch, Body, Fact, Fate, Judge, Next, State as BatchState, Step, Try};

use crate::driver::{Ask, Who, evidence};
use crate::lab::{BOOK, Lab, Log, PAYEE, PERSON, destination, key, name, payment};
use crate::model::{
    Flight, Kind, LAG_SECS, LogId, Movement, PASSES_SECS, Stage, State, TIMING, Told, UNROOTED,
    View, Worker,
};
use crate::mutants::{Events, Mutant};
use crate::world;

/// One step. Workers, batches, flights and movements are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Folds what is new and plans what is due.
    Plan {
        w: usize,
    },
    /// Asks the rail what became of a batch, and decides what it teaches.
    Look {
        w: usize,
        batch: usize,
        view: View,
    },
    /// Reads the reply to its own request, and decides what it teaches.
    Read {
        w: usize,
    },
    Sign {
        w: usize,
        batch: usize,
    },
    SecondTry {
        w: usize,
        batch: usize,
    },
    Cancel {
        w: usize,
        batch: usize,
    },
    Commit {
        w: usize,
    },
    CommitUnknown {
        w: usize,
        fate: Landing,
    },
    Send {
        w: usize,
        call: usize,
    },
    Resend {
        w: usize,
        batch: usize,
    },
    Crash {
        w: usize,
    },
    /// A request arrives; the reply arrives too, or is lost.
    Deliver {
        flight: usize,
        reply: Reply,
    },
    /// A request arrives, and is going to arrive again.
    Duplicate {
        flight: usize,
    },
    Refuse {
        flight: usize,
        reply: Reply,
    },
    Finalise {
        movement: usize,
    },
    /// What was accepted is dropped.
    Drop {
        movement: usize,
    },
    /// What was final came back.
    Return {
        movement: usize,
    },
    /// What was final is undone by the rail itself.
    Undo {
        movement: usize,
    },
    /// Somebody else spends a coin of the wallet.
    Sweep {
        coin: u8,
    },
    LandLate,
    Pass {
        secs: u16,
    },
    Rise {
        heights: u8,
    },
    /// The newest blocks vanish, as far as nothing is rooted.
    Reorganise,
    /// Another payment comes in.
    Earn,
    /// The payee asks to be paid elsewhere.
    Change,
    Hold,
    Release,
    /// A person approves a batch that waits for it.
    Approve {
        batch: usize,
    },
    /// A person decides a batch in review from the rail's own statement.
    Resolve {
        batch: usize,
    },
    /// A person says that nothing of a batch in review moved, whatever the rail knows.
    Misjudge {
        batch: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// It was written; reading back shows it.
    Landed,
    /// It was not written and never will be.
    Lost,
    /// It is not there on reading back, and may be written later.
    Late,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Arrives,
    Lost,
}

const REPLIES: [Reply; 2] = [Reply::Arrives, Reply::Lost];
const LANDINGS: [Landing; 3] = [Landing::Landed, Landing::Lost, Landing::Late];
const VIEWS: [View; 3] = [View::Truth, View::NoAnswer, View::NotFound];
const CLOCK_MAX: u16 = 1_400;
const HEIGHT_MAX: u8 = 9;

/// What may be tried from here; [`apply`] says what of it changes anything.
pub(crate) fn actions(lab: &Lab, state: &State) -> Vec<Action> {
    let mut all = Vec::with_capacity(64);
    let batches = lab.log(state.log).batches.len();
    // Before anything was done the workers are alike: the first one begins.
    let fresh = |worker: &Worker| worker.holding == 0 && worker.process < 2;
    let alike = state.log == 0 && state.workers.iter().all(fresh) && state.late == 0;
    let workers = lab.mutant.map_or(state.workers.len(), Mutant::workers);
    for w in 0..if alike { 1 } else { workers } {
        worker_actions(state, w, batches, &mut all);
    }
    if alike {
        all.push(Action::Earn);
        return likely(lab, all);
    }
    for flight in 0..state.flights.len() {
        if state.flights[flight].is_some() {
            all.extend(REPLIES.map(|reply| Action::Deliver { flight, reply }));
            all.extend(REPLIES.map(|reply| Action::Refuse { flight, reply }));
            all.push(Action::Duplicate { flight });
        }
    }
    for movement in 0..state.moves.len() {
        match state.moves[movement].map(|move_| move_.stage) {
            Some(Stage::Pending) => {
                all.extend([Action::Finalise { movement }, Action::Drop { movement }]);
            }
            Some(Stage::Final) if !lab.kind.is_for_good() => {
                all.extend([Action::Return { movement }, Action::Undo { movement }]);
            }
            _ => (),
        }
    }
    if state.clock < CLOCK_MAX {
        all.extend(PASSES_SECS.map(|secs| Action::Pass { secs }));
    }
    match lab.kind {
        Kind::Unlimited | Kind::Nonce => all.push(Action::Sweep { coin: 1 }),
        Kind::UntilHeight | Kind::Chain => {
            all.extend((state.height < HEIGHT_MAX).then_some(Action::Rise { heights: 3 }));
            all.extend((lab.kind == Kind::Chain).then_some(Action::Reorganise));
        }
        Kind::Until => (),
        Kind::Once => all.extend((0..batches).map(|batch| Action::Resolve { batch })),
    }
    if lab.errs {
        all.extend((0..batches).map(|batch| Action::Misjudge { batch }));
    }
    if lab.guarded {
        all.extend((0..batches).map(|batch| Action::Approve { batch }));
    }
    if state.late != 0 {
        all.push(Action::LandLate);
    }
    all.extend([Action::Earn, Action::Change, Action::Hold, Action::Release]);
    likely(lab, all)
}

/// A planted mistake that shows without rare events is looked for without them.
fn likely(lab: &Lab, mut all: Vec<Action>) -> Vec<Action> {
    if lab.mutant.is_some_and(|mutant| mutant.events() == Events::Plain) {
        all.retain(|action| action.cost() < RARE);
    }
    all
}

fn worker_actions(state: &State, w: usize, batches: usize, all: &mut Vec<Action>) {
    let worker = &state.workers[w];
    for call in 0..worker.calls.len() {
        if worker.calls[call] != 0 {
            all.push(Action::Send { w, call });
        }
    }
    if worker.holding != 0 || worker.calls != [0; 2] {
        all.push(Action::Crash { w });
    }
    if worker.holding != 0 {
        all.push(Action::Commit { w });
        all.extend(LANDINGS.map(|fate| Action::CommitUnknown { w, fate }));
        return;
    }
    all.push(Action::Plan { w });
    if worker.inbox.is_some() {
        all.push(Action::Read { w });
    }
    for batch in 0..batches {
        all.extend(VIEWS.map(|view| Action::Look { w, batch, view }));
        all.extend([
            Action::Sign { w, batch },
            Action::SecondTry { w, batch },
            Action::Cancel { w, batch },
            Action::Resend { w, batch },
        ]);
    }
}

/// What one rare event costs of a history's depth; everything else costs 1.
const RARE: usize = 3;

impl Action {
    /// How much of a history's depth it takes: faults of the world and acts of people are rare,
    /// so a history has the fewer of them the longer it is.
    pub(crate) fn cost(self) -> usize {
        match self {
            Self::SecondTry { .. }
            | Self::Cancel { .. }
            | Self::CommitUnknown { fate: Landing::Lost | Landing::Late, .. }
            | Self::Crash { .. }
            | Self::Duplicate { .. }
            | Self::Refuse { .. }
            | Self::Drop { .. }
            | Self::Return { .. }
            | Self::Undo { .. }
            | Self::Sweep { .. }
            | Self::Earn
            | Self::Change
            | Self::Hold => RARE,
            _ => 1,
        }
    }
}

/// The state after an action; nothing when the action cannot happen or changes nothing.
pub(crate) fn apply(lab: &mut Lab, before: &State, action: Action) -> Option<State> {
    let mut state = *before;
    match action {
        Action::Plan { w } => plan(lab, &mut state, w)?,
        Action::Look { w, batch, view } => {
            let (told, tip) = lab.look(&state, batch, view);
            learn(lab, &mut state, w, batch, told, tip)?;
        }
        Action::Read { w } => read(lab, &mut state, w)?,
        Action::Sign { w, batch } => {
            let who = refresh(lab, &mut state, w);
            hold(lab, &mut state, w, Ask::Sign { log: before.log, batch, who })?;
        }
        Action::SecondTry { w, batch } if lab.kind.has_coins() => {
            let who = refresh(lab, &mut state, w);
            hold(lab, &mut state, w, Ask::Second { log: before.log, batch, who })?;
        }
        Action::SecondTry { .. } => return None,
        Action::Cancel { w, batch } => {
            let clock = state.clock;
            hold(lab, &mut state, w, Ask::Cancel { log: before.log, batch, clock })?;
        }
        Action::Commit { w } => commit(lab, &mut state, w),
        Action::CommitUnknown { w, fate } => commit_unknown(lab, &mut state, w, fate)?,
        Action::Send { w, call } => {
            let try_id = state.workers[w].calls[call];
            state.workers[w].calls[call] = 0;
            start(lab, &mut state, w, try_id)?;
        }
        Action::Resend { w, batch } => {
            let try_id = lab.resendable(&state, batch)?;
            start(lab, &mut state, w, try_id)?;
        }
        Action::Crash { w } => {
            let process = state.workers[w].process + 2;
            state.workers[w] = Worker::started(process, state.log);
        }
        Action::LandLate => {
            let late = Some(std::mem::take(&mut state.late)).filter(|late| *late != 0)?;
            state.log = lab.append(state.log, late).unwrap_or(state.log);
        }
        Action::Earn | Action::Change | Action::Hold | Action::Release => {
            state.log = person(lab, &state, action)?;
        }
        Action::Approve { batch } => state.log = approve(lab, &state, batch)?,
        Action::Resolve { batch } => state.log = resolve(lab, &state, batch)?,
        Action::Misjudge { batch } => {
            state.log = misjudge(lab, &state, batch)?;
            state.misjudged = true;
        }
        _ => world_apply(lab, &mut state, action)?,
    }
    if lab.mutant != Some(Mutant::StalePlanner) {
        // A worker folds what is new before it decides. What can be stale is the draft that it
        // holds, and that is part of the state.
        state.workers.iter_mut().for_each(|worker| worker.seen = state.log);
    }
    state.settle_order();
    (state != *before).then_some(state)
}

fn world_apply(lab: &Lab, state: &mut State, action: Action) -> Option<()> {
    match action {
        Action::Deliver { flight, reply } => {
            let sent = state.flights[flight].take()?;
            let told = world::receive(lab, state, sent.try_id)?;
            answer(state, sent, told, reply);
        }
        // What dedupes nothing cannot be sent over a wire that repeats.
        Action::Duplicate { .. } if lab.kind == Kind::Once => return None,
        Action::Duplicate { flight } => {
            let sent = state.flights[flight]?;
            world::receive(lab, state, sent.try_id)?;
        }
        Action::Refuse { flight, reply } => {
            let sent = state.flights[flight].take()?;
            let told = world::refuse(lab, state, sent.try_id)?;
            answer(state, sent, told, reply);
        }
        Action::Finalise { movement } => restage(state, movement, Stage::Final),
        Action::Drop { movement } => restage(state, movement, Stage::Dropped),
        Action::Return { movement } => restage(state, movement, Stage::Returned),
        Action::Undo { movement } => {
            state.undone = true;
            restage(state, movement, Stage::Dropped);
        }
        Action::Sweep { coin } => {
            let spends =
                |m: &Movement| lab.coins(m.try_id) & coin != 0 && m.stage != Stage::Dropped;
            if state.swept & coin != 0 || state.moves.iter().flatten().any(spends) {
                return None;
            }
            state.swept |= coin;
        }
        Action::Pass { secs } => pass(lab, state, secs),
        Action::Rise { heights } => {
            state.height += heights;
            state.rooted = state.rooted.max(state.height.saturating_sub(UNROOTED));
        }
        Action::Reorganise => state.height = state.rooted,
        _ => return None,
    }
    Some(())
}

fn restage(state: &mut State, movement: usize, stage: Stage) {
    if let Some(move_) = &mut state.moves[movement] {
        move_.stage = stage;
        move_.was_final |= stage == Stage::Final;
    }
}

fn answer(state: &mut State, sent: Flight, told: Told, reply: Reply) {
    if reply == Reply::Arrives && told != Told::Unknown {
        state.workers[usize::from(sent.worker)].inbox = Some((sent.try_id, told));
    }
}

fn pass(lab: &Lab, state: &mut State, secs: u16) {
    state.clock += secs;
    for slot in &mut state.flights {
        *slot = slot.filter(|flight| flight.started + LAG_SECS >= state.clock);
    }
    let now = *state;
    for call in state.workers.iter_mut().flat_map(|worker| &mut worker.calls) {
        if *call != 0 && !lab.may_start(&now, *call) {
            *call = 0;
        }
    }
}

fn refresh(lab: &Lab, state: &mut State, w: usize) -> Who {
    state.workers[w].seen = state.log;
    state.workers[w].who(lab, state)
}

fn plan(lab: &mut Lab, state: &mut State, w: usize) -> Option<()> {
    if lab.log(state.log).batches.len() >= lab.batches_max {
        return None;
    }
    let seen = state.workers[w].seen;
    let who = refresh(lab, state, w);
    let seen = if lab.mutant == Some(Mutant::StalePlanner) { seen } else { state.log };
    hold(lab, state, w, Ask::Plan { log: state.log, seen, who })?;
    if lab.mutant == Some(Mutant::CallBeforeCommit) {
        let calls = lab.released(state.workers[w].holding);
        calls.into_iter().for_each(|call| state.workers[w].put_call(call));
    }
    Some(())
}

fn learn(
    lab: &mut Lab,
    state: &mut State,
    w: usize,
    batch: usize,
    told: [Told; 4],
    tip: Option<u64>,
) -> Option<()> {
    let (log, clock, seen) = (state.log, state.clock, state.workers[w].seen);
    // A worker drives what it has folded; the batch itself it reads anew.
    let seen = if lab.log(seen).batches.len() > batch { seen } else { log };
    state.workers[w].seen = seen;
    hold(lab, state, w, Ask::Learn { log, seen, batch, clock, told, tip })
}

fn read(lab: &mut Lab, state: &mut State, w: usize) -> Option<()> {
    let (try_id, said) = state.workers[w].inbox.take()?;
    let batches = &lab.log(state.log).batches;
    let Some(batch) = batches.iter().position(|batch| batch.stream() == lab.batch_of(try_id))
    else {
        return Some(());
    };
    let own = lab.reference(try_id);
    let tries = lab.tries_of(state.log, batch);
    let mut told = [Told::Unknown; 4];
    for (told, one) in told.iter_mut().zip(tries) {
        if lab.reference(one) == own {
            *told = said;
        }
    }
    let _nothing_to_commit = learn(lab, state, w, batch, told, None);
    Some(())
}

fn hold(lab: &mut Lab, state: &mut State, w: usize, ask: Ask) -> Option<()> {
    if lab.log(state.log).is_broken {
        return None;
    }
    state.workers[w].holding = Some(lab.ask(ask)).filter(|draft| *draft != 0)?;
    Some(())
}

fn commit(lab: &mut Lab, state: &mut State, w: usize) {
    let draft = std::mem::take(&mut state.workers[w].holding);
    if let Some(log) = lab.append(state.log, draft) {
        state.log = log;
        if lab.mutant != Some(Mutant::CallBeforeCommit) {
            let calls = lab.released(draft);
            calls.into_iter().for_each(|call| state.workers[w].put_call(call));
        }
    }
    state.workers[w].seen = state.log;
}

fn commit_unknown(lab: &mut Lab, state: &mut State, w: usize, fate: Landing) -> Option<()> {
    let draft = std::mem::take(&mut state.workers[w].holding);
    let seen = state.workers[w].seen;
    match fate {
        Landing::Landed => state.log = lab.append(state.log, draft)?,
        Landing::Lost => (),
        Landing::Late if state.late == 0 => state.late = draft,
        Landing::Late => return None,
    }
    let calls = match lab.mutant {
        Some(Mutant::UnknownCommitTakenAsDone) => lab.released(draft),
        Some(Mutant::UnknownCommitPlannedAgain) if seen != state.log => {
            let who = state.workers[w].who(lab, state);
            hold(lab, state, w, Ask::Plan { log: state.log, seen, who })?;
            Vec::new()
        }
        _ => lab.released_if_found(draft, state.log),
    };
    calls.into_iter().for_each(|call| state.workers[w].put_call(call));
    state.workers[w].seen = state.log;
    Some(())
}

fn start(lab: &Lab, state: &mut State, w: usize, try_id: u16) -> Option<()> {
    let worker = u8::try_from(w).expect("two workers");
    let same = |flight: &Flight| flight.try_id == try_id && flight.worker == worker;
    if !lab.may_start(state, try_id) || state.flights.iter().flatten().any(same) {
        return None;
    }
    state.put_flight(Flight { try_id, started: state.clock, worker }).then_some(())
}

/// People write through the same host, from what is durable now.
fn person(lab: &mut Lab, state: &State, action: Action) -> Option<LogId> {
    let (log, now) = (lab.log(state.log), lab.seconds(state.clock));
    if log.is_broken {
        return None;
    }
    let book = log.books.book(BOOK).ok()?;
    let payee = name(PAYEE);
    let facts = match action {
        Action::Earn if log.earned == crate::model::PAYMENT => {
            book.record(&[payment(1, now)], now).ok()?
        }
        Action::Change
            if !log.facts.iter().any(|fact| fact.kind == "payee_set.1" && fact.n > 0) =>
        {
            book.set_payee(&payee, destination(1), now).ok()?.facts().to_vec()
        }
        Action::Hold if book.release(&payee, "", now).is_err() => {
            decided(lab, log, book.hold(&payee, "asked to wait", None, now))
        }
        Action::Release => decided(lab, log, book.release(&payee, "looked at", now).ok()?),
        _ => return None,
    };
    let draft = lab.planted(facts, Vec::new());
    lab.append(state.log, draft)
}

/// What a person does, signed where the book knows people.
fn decided(lab: &Lab, log: &Log, step: Step) -> Vec<Fact> {
    let (own, by, reason) = (key(), name(PERSON), "they rang".to_owned());
    let judge = Judge { by, reason, key: lab.guarded.then_some(&own) };
    let step = log.books.decide(step, &judge).expect("one whom the book knows may decide");
    step.facts().to_vec()
}

/// Nothing moved, says a person who has looked at the wrong statement.
fn misjudge(lab: &mut Lab, state: &State, batch: usize) -> Option<LogId> {
    let (log, now) = (lab.log(state.log), lab.seconds(state.clock));
    let here: &Batch = &log.batches[batch];
    if log.is_broken || here.state() != BatchState::Review {
        return None;
    }
    let open = here.tries().iter().filter(|try_| try_.is_open());
    let wrong = |try_: &Try| {
        let (reference, evidence) = (try_.signed.reference.clone(), evidence());
        Body::Voided(divvy_core::Voided { reference, evidence })
    };
    let bodies: Vec<Body> = open.map(wrong).collect();
    let step = log.books.follow(here, &bodies, now).expect("a person may decide a review");
    let draft = lab.draft(step);
    lab.append(state.log, draft)
}

/// From the statement of a rail that remembers nothing: it moved, or, long after the deadline, it
/// did not and never will. What somebody was wrong about settles whenever it is seen.
fn resolve(lab: &mut Lab, state: &State, batch: usize) -> Option<LogId> {
    let (log, now) = (lab.log(state.log), lab.seconds(state.clock));
    let in_review = !log.is_broken && log.batches[batch].state() == BatchState::Review;
    if log.is_broken || !(in_review || state.misjudged) {
        return None;
    }
    let tries = lab.tries_of(state.log, batch);
    let log = lab.log(state.log);
    let here: &Batch = &log.batches[batch];
    let open = here.tries().iter().zip(tries).filter(|(try_, _)| match in_review {
        true => try_.is_open(),
        false => try_.fate == Fate::Void,
    });
    let mut bodies = Vec::new();
    for (try_, id) in open {
        let reference = try_.signed.reference.clone();
        let evidence = evidence();
        let listed = state
            .moves
            .iter()
            .flatten()
            .filter(|move_| lab.reference(move_.try_id) == lab.reference(id));
        let stages: Vec<Stage> = listed.map(|move_| move_.stage).collect();
        let moved = stages.iter().any(|stage| matches!(stage, Stage::Final | Stage::Returned));
        if moved {
            bodies.push(Body::Settled(divvy_core::Settled { reference, evidence, moved: None }));
        } else if in_review
            && !stages.contains(&Stage::Pending)
            && try_.is_past_grace(now, None, TIMING)
        {
            bodies.push(Body::Voided(divvy_core::Voided { reference, evidence }));
        }
    }
    if bodies.is_empty() {
        return None;
    }
    let step = log.books.follow(here, &bodies, now).expect("a person may decide a review");
    let draft = lab.draft(step);
    lab.append(state.log, draft)
}

/// A person signs what a batch says now.
fn approve(lab: &mut Lab, state: &State, batch: usize) -> Option<LogId> {
    if next_of(lab, state, batch) != Next::Approve {
        return None;
    }
    let (log, signed_at) = (lab.log(state.log), lab.seconds(state.clock));
    let here: &Batch = &log.batches[batch];
    let signature = key().sign(&here.approval(signed_at).expect("it waits for approvals"));
    let approved = Approved { by: name(PERSON), signed_at, signature };
    let step = log.books.approve(here, approved, signed_at).expect("a person may approve it");
    let draft = lab.draft(step);
    lab.append(state.log, draft)
}

/// What a fair worker does about one batch when nothing fails.
pub(crate) fn next_of(lab: &Lab, state: &State, batch: usize) -> Next {
    let tip = lab.kind.has_heights().then(|| lab.tip(state));
    lab.log(state.log).batches[batch].next(lab.seconds(state.clock), tip, TIMING)
}
