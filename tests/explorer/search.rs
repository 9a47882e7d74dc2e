//! Every state within reach, breadth first: what is found first has the shortest story.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;

use rustc_hash::FxHashSet;

use crate::actions::{Action, actions, apply};
use crate::heal::heal;
use crate::invariants::{Finding, state_findings};
use crate::lab::Lab;
use crate::model::{Kind, State};
use crate::mutants::Mutant;

/// What an exploration came to.
pub(crate) struct Report {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    pub(crate) healed: usize,
    pub(crate) logs: usize,
    /// The first broken promise, and the shortest way to it.
    pub(crate) broken: Option<(Finding, Vec<Action>)>,
}

/// How far to go.
pub(crate) struct Bounds {
    /// What the actions of one history cost together at most.
    pub(crate) depth: usize,
    /// One in so many of the deepest states is healed; shallower ones more often.
    pub(crate) heal_each: u64,
    /// Stop when so many states are known.
    pub(crate) states_max: usize,
}

struct Search {
    lab: Lab,
    bounds: Bounds,
    known: FxHashSet<u64>,
    /// For each state: the one before it, and the action between.
    trail: Vec<(u32, Action)>,
    transitions: usize,
    healed: usize,
}

/// Explores a window; with a planted mistake it looks for the promise that this one breaks.
pub(crate) fn explore(lab: Lab, bounds: Bounds) -> Report {
    let mut search = Search {
        lab,
        bounds,
        known: FxHashSet::default(),
        trail: vec![(0, Action::Hold)],
        transitions: 0,
        healed: 0,
    };
    let broken = search.run();
    Report {
        states: search.known.len(),
        transitions: search.transitions,
        healed: search.healed,
        logs: search.lab.logs.len(),
        broken,
    }
}

impl Search {
    fn run(&mut self) -> Option<(Finding, Vec<Action>)> {
        let start = self.lab.start();
        self.known.insert(fingerprint(&start));
        let mut levels = vec![Vec::new(); self.bounds.depth + 1];
        levels[0].push((0_u32, start));
        for depth in 0..levels.len() {
            for (at, state) in std::mem::take(&mut levels[depth]) {
                if let Some(found) = self.healed(depth, at, &state) {
                    return Some(found);
                }
                if self.known.len() >= self.bounds.states_max {
                    continue;
                }
                for action in actions(&self.lab, &state) {
                    let reached = depth + action.cost();
                    if reached >= levels.len() {
                        continue;
                    }
                    let Some(after) = apply(&mut self.lab, &state, action) else { continue };
                    self.transitions += 1;
                    if !self.known.insert(fingerprint(&after)) {
                        continue;
                    }
                    let place = u32::try_from(self.trail.len()).expect("fewer states than that");
                    self.trail.push((at, action));
                    if let Some(finding) = self.relevant(state_findings(&self.lab, &after)) {
                        return Some((finding, self.story(place)));
                    }
                    if !self.lab.log(after.log).is_broken {
                        levels[reached].push((place, after));
                    }
                }
            }
        }
        None
    }

    fn healed(&mut self, depth: usize, at: u32, state: &State) -> Option<(Finding, Vec<Action>)> {
        let left = u32::try_from(self.bounds.depth - depth).unwrap_or(u32::MAX);
        let each = (self.bounds.heal_each >> left.min(63)).max(1);
        // What a mistake of a person comes to shows only at rest.
        let each = if state.misjudged { 1 } else { each };
        if !fingerprint(state).is_multiple_of(each) {
            return None;
        }
        self.healed += 1;
        let (found, done) = heal(&mut self.lab, state);
        let finding = self.relevant(found)?;
        let mut story = self.story(at);
        story.extend(done);
        Some((finding, story))
    }

    /// Without a planted mistake every finding counts; with one, what it is meant to break.
    fn relevant(&self, found: Vec<Finding>) -> Option<Finding> {
        let breaks = self.lab.mutant.map(Mutant::breaks);
        found.into_iter().find(|finding| breaks.is_none_or(|promise| finding.promise == promise))
    }

    fn story(&self, place: u32) -> Vec<Action> {
        let mut story = Vec::new();
        let mut at = place;
        while at != 0 {
            let (before, action) = self.trail[at as usize];
            story.push(action);
            at = before;
        }
        story.reverse();
        story
    }
}

/// States are known by 64 bits of a keyed hash: among ten million, two that collide have odds of
/// one in four hundred thousand, and would hide one state.
fn fingerprint(state: &State) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// Explores one window to the depth that was asked for, says how far it got, and fails with the
/// shortest story of whatever is wrong.
pub(crate) fn hold(kind: Kind) {
    hold_in(Lab::new(kind, false, None), depth(), &format!("{kind:?}"));
}

/// The same, where every payout waits for a person: whoever may approve may do so at any time, so
/// a life is wider, and is walked less deep in the same time.
pub(crate) fn hold_approved(kind: Kind) {
    let depth = depth().saturating_sub(4);
    hold_in(Lab::new(kind, true, None), depth, &format!("{kind:?}, approved"));
}

/// The same, where a person may be wrong about what a rail has forgotten: nothing is lost, and what
/// arrived twice is owed back.
pub(crate) fn hold_misjudged(kind: Kind) {
    let mut lab = Lab::new(kind, false, None);
    lab.errs = true;
    hold_in(lab, depth(), &format!("{kind:?}, misjudged"));
}

fn hold_in(lab: Lab, depth: usize, what: &str) {
    let bounds = Bounds { depth, heal_each: 1 << 10, states_max: usize::MAX };
    let report = explore(lab, bounds);
    say(&format!(
        "explorer, {what}: {} distinct states, {} transitions, depth {depth}, {} histories of \
         facts, {} states healed",
        report.states, report.transitions, report.logs, report.healed
    ));
    if let Some((finding, story)) = report.broken {
        panic!("{:?}: {}\n{}", finding.promise, finding.said, told(&story));
    }
}

/// Looks for the promise that a planted mistake breaks, and fails when none is broken.
pub(crate) fn catch(mutant: Mutant) {
    let bounds = Bounds { depth: 14, heal_each: 1, states_max: 3_000_000 };
    let heals = mutant.breaks() == crate::invariants::Promise::ArrivesOnce;
    let bounds = Bounds { heal_each: if heals { 1 } else { u64::MAX }, ..bounds };
    let lab = Lab::new(mutant.kind(), mutant.is_guarded(), Some(mutant));
    let report = explore(lab, bounds);
    let Some((finding, story)) = report.broken else {
        panic!("{mutant:?} is not caught among {} states", report.states);
    };
    assert_eq!(finding.promise, mutant.breaks());
    say(&format!(
        "explorer, {mutant:?} caught in {} steps among {} states, {:?}: {}",
        story.len(),
        report.states,
        finding.promise,
        finding.said
    ));
    if is_asked("DIVVY_EXPLORER_TRACES") {
        say(&told(&story));
    }
}

fn told(story: &[Action]) -> String {
    let lines = story.iter().enumerate();
    lines.map(|(n, action)| format!("  {:2} {action:?}\n", n + 1)).collect()
}

/// Said past the test harness, which keeps what a passing test prints to itself.
fn say(text: &str) {
    let _nobody_listens = writeln!(std::io::stderr(), "{text}");
}

#[expect(clippy::disallowed_methods, reason = "the depth is the caller's, as for every suite")]
fn depth() -> usize {
    let asked = std::env::var("DIVVY_EXPLORER_DEPTH").ok();
    asked.map_or(DEPTH, |depth| depth.parse().expect("DIVVY_EXPLORER_DEPTH is a number"))
}

#[expect(clippy::disallowed_methods, reason = "stories are long: they are told on request")]
fn is_asked(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

/// What a minute of one core is enough for, without optimisation.
const DEPTH: usize = 10;
