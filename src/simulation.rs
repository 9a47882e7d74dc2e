//! The whole engine in one thread from one seed: processes, crashes, clocks, rails that fail.
//!
//! ```text
//! scheduler ─ polls ─▶ process ×n      each a Divvy, its Books and a Worker of its own
//!      │                 │  commit, read, since        │ send
//!      │ crash, clock,   ▼                             ▼
//!      │ time, jobs    store (keeps every promise)   network ─▶ World ×4, one for each window
//!      │                 └────────── witness ──────────┘
//!      ▼                    holds the facts against what moved, after each step
//!    dice
//! ```
//!
//! Nothing here is a copy of the engine: [`crate::Divvy`], [`crate::Book`], [`crate::Worker`], the
//! core and the sandbox's rail are the real ones. The store, the network and the scheduler are the
//! simulation's, since they are what goes wrong. At each call to a host or a rail the process is
//! put aside and the dice say who goes on, so that every order of calls may come; a crash drops a
//! process there, and it starts anew with what is durable.
//!
//! At the end the world heals: no more faults, everybody works on, time passes. Then everything is
//! settled that can be, and the statement of the worlds and the facts are the same.

mod bills;
mod dice;
mod differences;
mod ear;
mod earnings;
mod expected;
mod exports;
mod features;
mod heal;
mod issuers;
mod jobs;
mod knobs;
mod notes;
mod people;
mod planted;
mod prices;
mod process;
mod promise;
mod proofs;
mod refunds;
mod rules;
mod rulings;
mod said;
mod scene;
mod scheduler;
mod shift;
mod statement;
mod store;
mod swap;
mod till;
mod town;
mod trace;
mod waits;
mod wishes;
mod witness;
mod worlds;

pub use knobs::Knobs;
pub use planted::Planted;
pub use promise::{Broken, Promise};
pub use trace::Counts;

use divvy_core::Error;
use divvy_core::danger::remembering_signatures;
use scheduler::Simulation;
use trace::Telling;

/// What became of a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What it was started with.
    pub knobs: Knobs,
    /// So many steps were taken, those after the healing included.
    pub steps: u64,
    /// A hash over everything that happened: the same for the same knobs, for ever.
    pub hash: u64,
    /// How often each kind of event happened.
    pub counts: Counts,
    /// The first promise that was broken, if one was.
    pub broken: Option<Broken>,
    /// The last things that happened, as sentences; only where a promise was broken.
    pub story: Vec<String>,
}

/// Runs one simulation.
///
/// ```
/// use divvy::simulation::{Knobs, simulate};
///
/// let knobs = Knobs { steps: 200, ..Knobs::of_seed(1) };
/// let report = simulate(&knobs)?;
/// assert_eq!(report.broken, None);
/// // The same seed is the same story, to the last byte.
/// assert_eq!(simulate(&knobs)?.hash, report.hash);
/// # Ok::<(), divvy::core::Error>(())
/// ```
///
/// # Errors
/// [`divvy_core::Code::InputMalformed`] for knobs that make no town, such as none who works.
pub fn simulate(knobs: &Knobs) -> Result<Report, Error> {
    let report = run(knobs, Telling::Silent)?;
    if report.broken.is_none() {
        return Ok(report);
    }
    // It goes the same way again, and this time somebody listens.
    run(knobs, Telling::Aloud)
}

/// Every process folds every fact, some of them often: no signature is worth computing each time.
fn run(knobs: &Knobs, telling: Telling) -> Result<Report, Error> {
    remembering_signatures(|| Ok(Simulation::new(knobs, telling)?.run()))
}

/// Looks for less that breaks the same promise: fewer steps, payments, workers and faults.
///
/// ```
/// use divvy::simulation::{Knobs, Planted, shrink, simulate};
///
/// let planted = Some(Planted::SendsTwice);
/// let failed = (0..50).map(|seed| simulate(&Knobs { planted, ..Knobs::of_seed(seed) }));
/// let failed = failed.flatten().find(|report| report.broken.is_some()).unwrap();
/// assert!(shrink(&failed)?.knobs.steps < failed.knobs.steps);
/// # Ok::<(), divvy::core::Error>(())
/// ```
///
/// # Errors
/// As [`simulate`].
pub fn shrink(failed: &Report) -> Result<Report, Error> {
    let Some(broken) = &failed.broken else { return Ok(failed.clone()) };
    let breaks_so = |report: &Report| {
        report.broken.as_ref().is_some_and(|other| other.promise == broken.promise)
    };
    // What broke at some step mostly breaks there again, whatever was to come behind it.
    let steps = failed.steps.min(failed.knobs.steps);
    let cut = simulate(&Knobs { steps, ..failed.knobs.clone() })?;
    let mut smallest = if breaks_so(&cut) { cut } else { failed.clone() };
    for _ in 0..SHRINKS_MAX {
        let mut found = None;
        for knobs in smallest.knobs.smaller() {
            let report = run(&knobs, Telling::Silent)?;
            if breaks_so(&report) {
                found = Some(knobs);
                break;
            }
        }
        let Some(knobs) = found else { break };
        smallest = simulate(&knobs)?;
    }
    Ok(smallest)
}

/// So often something smaller is looked for at most.
const SHRINKS_MAX: usize = 40;
