//! The world heals: nothing fails any more, both workers take turns, people answer, time passes.
//! Where that ends, money has arrived exactly once.

use divvy_core::Next;

use crate::actions::{Action, Reply, apply, next_of};
use crate::invariants::{Finding, Promise, healed_findings, state_findings};
use crate::lab::Lab;
use crate::model::{Stage, State, View};

const ROUNDS_MAX: usize = 240;
const BATCHES_MAX: usize = 5;
/// Both workers had so many turns, and time passed after each, and there was nothing to do.
const IDLE_MAX: usize = 9;

/// What is wrong after healing, and what was done on the way.
pub(crate) fn heal(lab: &mut Lab, from: &State) -> (Vec<Finding>, Vec<Action>) {
    // What was given up is planned once more, however many batches the search had.
    let searched = std::mem::replace(&mut lab.batches_max, BATCHES_MAX);
    let healed = heal_all(lab, from);
    lab.batches_max = searched;
    healed
}

fn heal_all(lab: &mut Lab, from: &State) -> (Vec<Finding>, Vec<Action>) {
    let mut healing = Healing { state: *from, done: Vec::new() };
    let mut idle = 0;
    for round in 0..ROUNDS_MAX {
        if lab.log(healing.state.log).is_broken || idle > IDLE_MAX {
            break;
        }
        let before = healing.state;
        healing.world(lab);
        healing.worker(lab, round % 2);
        // Money that moves twice while everything goes well has moved twice.
        let found = state_findings(lab, &healing.state);
        if !found.is_empty() {
            return (found, healing.done);
        }
        // Sending the same bytes again is free, and by itself leads nowhere.
        let gist = |state: &State| (state.log, state.moves, state.workers.map(|w| w.holding));
        idle = if gist(&before) == gist(&healing.state) { idle + 1 } else { 0 };
        if idle > 3 {
            healing.time(lab);
        }
    }
    let mut found = healed_findings(lab, &healing.state);
    if idle <= IDLE_MAX && !lab.log(healing.state.log).is_broken {
        found.push(Finding::new(Promise::ArrivesOnce, "it never comes to rest"));
    }
    (found, healing.done)
}

struct Healing {
    state: State,
    done: Vec<Action>,
}

impl Healing {
    fn act(&mut self, lab: &mut Lab, action: Action) -> bool {
        let Some(after) = apply(lab, &self.state, action) else { return false };
        self.state = after;
        self.done.push(action);
        true
    }

    /// Whatever is on its way arrives, and whatever was accepted becomes final.
    fn world(&mut self, lab: &mut Lab) {
        for flight in (0..self.state.flights.len()).rev() {
            if self.state.flights[flight].is_some() {
                self.act(lab, Action::Deliver { flight, reply: Reply::Arrives });
            }
        }
        for movement in 0..self.state.moves.len() {
            if self.state.moves[movement].is_some_and(|move_| move_.stage == Stage::Pending) {
                self.act(lab, Action::Finalise { movement });
            }
        }
        self.act(lab, Action::LandLate);
    }

    fn worker(&mut self, lab: &mut Lab, w: usize) {
        if self.state.workers[w].holding != 0 {
            self.act(lab, Action::Commit { w });
            return;
        }
        if self.state.workers[w].calls != [0; 2] {
            let call = usize::from(self.state.workers[w].calls[0] == 0);
            if self.act(lab, Action::Send { w, call }) {
                return;
            }
        }
        if self.state.workers[w].inbox.is_some() && self.act(lab, Action::Read { w }) {
            return;
        }
        for batch in 0..lab.log(self.state.log).batches.len() {
            if self.drive(lab, w, batch) {
                return;
            }
        }
        if self.act(lab, Action::Plan { w }) || self.act(lab, Action::Release) {
            return;
        }
        // The statement shows what somebody was wrong about.
        for batch in 0..lab.log(self.state.log).batches.len() {
            if self.state.misjudged && self.act(lab, Action::Resolve { batch }) {
                return;
            }
        }
    }

    fn drive(&mut self, lab: &mut Lab, w: usize, batch: usize) -> bool {
        let look = Action::Look { w, batch, view: View::Truth };
        match next_of(lab, &self.state, batch) {
            Next::Approve => self.act(lab, Action::Approve { batch }),
            Next::Sign => self.act(lab, Action::Sign { w, batch }),
            Next::Submit { .. } => {
                self.act(lab, look) || self.act(lab, Action::Resend { w, batch })
            }
            // What a look finds to be lost is sent again.
            Next::Look => self.act(lab, look) || self.act(lab, Action::Resend { w, batch }),
            Next::Watch { from } if from <= lab.seconds(self.state.clock) => self.act(lab, look),
            Next::Review => self.act(lab, look) || self.act(lab, Action::Resolve { batch }),
            _ => false,
        }
    }

    fn time(&mut self, lab: &mut Lab) {
        self.act(lab, Action::Pass { secs: 200 });
        if lab.kind.has_heights() {
            self.act(lab, Action::Rise { heights: 3 });
        }
    }
}
