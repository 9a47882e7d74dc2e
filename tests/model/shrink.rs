//! A history as one line, and how it becomes the shortest that still fails.

use std::fmt;

use crate::{ACTIONS, SEEDS};

/// Which actions of a seed are played. What an action does follows from the seed and its number
/// alone, so that leaving one out does not change the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) seed: u64,
    pub(crate) actions: Vec<usize>,
}

pub(crate) type Run = fn(&History) -> Result<(), String>;

impl History {
    pub(crate) fn whole(seed: u64, count: usize) -> Self {
        Self { seed, actions: (0..count).collect() }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (seed, actions) = text.split_once(':')?;
        let actions: Result<_, _> = actions.split(',').map(str::parse).collect();
        Some(Self { seed: seed.parse().ok()?, actions: actions.ok()? })
    }

    /// Leaves out runs of actions, longest first, as long as it still fails.
    pub(crate) fn shrunk(mut self, run: Run) -> Self {
        let mut length = self.actions.len() / 2;
        while length > 0 {
            let mut at = 0;
            while at < self.actions.len() {
                let mut shorter = self.clone();
                shorter.actions.drain(at..(at + length).min(self.actions.len()));
                if run(&shorter).is_err() {
                    self = shorter;
                } else {
                    at += length;
                }
            }
            length /= 2;
        }
        self
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions: Vec<String> = self.actions.iter().map(ToString::to_string).collect();
        write!(f, "{}:{}", self.seed, actions.join(","))
    }
}

/// Plays a history; a failing one is a red test that says how to play it again.
pub(crate) fn told(test: &str, history: &History, run: Run) {
    if let Err(what) = run(history) {
        panic!("{what}\nagain with: DIVVY_MODEL={history} cargo test --test model {test}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a test run is set up by its environment")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[test]
fn a_failing_history_becomes_as_short_as_it_gets() {
    let fails = |history: &History| {
        let both = [17, 63].iter().all(|at| history.actions.contains(at));
        if both { Err("17 and 63".to_owned()) } else { Ok(()) }
    };
    let short = History::whole(7, 90).shrunk(fails);
    assert_eq!(short.to_string(), "7:17,63");
    assert_eq!(History::parse("7:17,63"), Some(short));
}

/// Plays as many histories as the environment says, or one for so many of them, or the one that it
/// names.
pub(crate) fn play(test: &str, one_in: u64, run: Run) {
    if let Some(again) = setting("DIVVY_MODEL") {
        let history = History::parse(&again);
        let history = history.unwrap_or_else(|| panic!("seed:action,action,…"));
        return told(test, &history, run);
    }
    let number = |name: &str| setting(name).and_then(|text| text.parse().ok());
    let first: u64 = number("DIVVY_SEED").unwrap_or(0);
    // Soak counts up in ones; each of its rounds has histories of its own.
    let first = first.wrapping_mul(1_000_003);
    for seed in (0..number("DIVVY_SEEDS").unwrap_or(SEEDS).div_ceil(one_in))
        .map(|at| first.wrapping_add(at))
    {
        let history = History::whole(seed, ACTIONS);
        if run(&history).is_err() {
            told(test, &history.shrunk(run), run);
        }
    }
}
