//! What a simulation is started with: a seed, and how much of everything there is.

use core::fmt;

use crate::simulation::dice::Dice;
use crate::simulation::planted::Planted;

/// What a simulation is started with. The same knobs give the same simulation.
///
/// ```
/// use divvy::simulation::Knobs;
///
/// let knobs = Knobs::of_seed(123);
/// assert_eq!(Knobs::of_seed(123), knobs);
/// // One line says how to have it again.
/// assert!(knobs.to_string().starts_with("DIVVY_SEED=123 DIVVY_SEEDS=1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Knobs {
    /// Everything that is left to chance follows from it.
    pub seed: u64,
    /// So many choices of the scheduler before the world heals.
    pub steps: u64,
    /// So many processes, each with a fold and a worker of its own.
    pub workers: usize,
    /// So many receipts come in at most.
    pub payments: u64,
    /// How often things go wrong, in percent of the usual.
    pub faults: u64,
    /// A mistake that is to be noticed.
    pub planted: Option<Planted>,
}

impl Knobs {
    /// The usual knobs of a seed.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let workers = dice.within(2, 4);
        let workers = usize::try_from(workers).unwrap_or(2);
        let payments = dice.within(10, 60);
        Self { seed, steps: STEPS, workers, payments, faults: 100, planted: None }
    }

    /// Smaller ones, the smallest first: for finding out how little it takes to fail.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        let mut with = |change: fn(&mut Self, u64), parts: &[u64]| {
            for percent in parts {
                let mut knobs = self.clone();
                change(&mut knobs, *percent);
                if knobs != *self {
                    smaller.push(knobs);
                }
            }
        };
        with(|knobs, percent| knobs.steps = part(knobs.steps, percent), &[10, 25, 50, 75, 90]);
        with(|knobs, percent| knobs.payments = part(knobs.payments, percent), &[10, 30, 60, 90]);
        with(|knobs, _| knobs.workers = knobs.workers.saturating_sub(1).max(1), &[100]);
        with(|knobs, percent| knobs.faults = part(knobs.faults, percent), &[0, 20, 50]);
        smaller
    }
}

impl fmt::Display for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, steps, workers, payments, faults, planted } = self;
        write!(f, "DIVVY_SEED={seed} DIVVY_SEEDS=1 DIVVY_STEPS={steps} DIVVY_WORKERS={workers} ")?;
        write!(f, "DIVVY_PAYMENTS={payments} DIVVY_FAULTS={faults} ")?;
        if let Some(planted) = planted {
            write!(f, "DIVVY_PLANTED={planted} ")?;
        }
        f.write_str("cargo test --release --test simulation -- --nocapture seeds")
    }
}

fn part(of: u64, percent: u64) -> u64 {
    of.saturating_mul(percent).checked_div(100).unwrap_or(0)
}

/// So many steps a seed has unless it is said otherwise.
const STEPS: u64 = 1_000;
