//! Whether a rail keeps its promises: a suite for anyone who brings a [`Rail`] of their own.
//!
//! Everything that Divvy promises about payouts stands on a few promises of the rail: it says
//! *void* only with proof, it sends the same bytes every time, it sends nothing before the facts,
//! it lists what no fact knows. A rail that breaks one of them looks well for months, and then pays
//! twice. This suite tries each of them by name against the rail's own world, and says what it
//! found, at which point, and what that would cost.
//!
//! It is pure, as rails are: a [`Ground`] is the world in memory, with a rail, a clock that moves
//! when it is told to, and whatever goes wrong on request.
//!
//! ```
//! use divvy_core::contract::{Contract, Ground, Report};
//!
//! /// Fails with what was found, part by part.
//! fn hold(open: &dyn Fn() -> Box<dyn Ground>) {
//!     let report: Report = Contract::new(open).run();
//!     assert!(report.is_kept(), "{report}");
//! }
//! ```

mod bench;
mod money;
mod proof;
mod report;
mod words;

use core::fmt;
use std::sync::Arc;

use crate::contract::bench::{Bench, Verdict};
pub use crate::contract::report::{Outcome, Part, Report};
use crate::rail::{Fee, Rail, Reply, Request};
use crate::time::Time;

/// A rail and the world that it pays in, for one part of the suite.
///
/// Each part gets a new one, in which a till can pay a few thousand minor units to each of twenty
/// payees.
///
/// ```
/// use divvy_core::contract::Ground;
///
/// /// Whether somebody was paid, by their number.
/// fn is_paid(ground: &dyn Ground, n: u32) -> bool {
///     ground.arrived(&ground.address(n)) > 0
/// }
/// ```
pub trait Ground: fmt::Debug {
    /// The rail under test.
    fn rail(&self) -> Arc<dyn Rail>;

    /// What the clock says.
    fn now(&self) -> Time;

    /// Lets time pass: what is on its way lands, what can become final does.
    fn pass(&mut self, secs: u64);

    /// One exchange, in which this goes wrong. A mishap that this world does not know is none.
    fn serve(&mut self, request: &Request, mishap: Mishap) -> Option<Reply>;

    /// The address of a payee who can be paid: each number below 20 is another one.
    fn address(&self, n: u32) -> String;

    /// The address of a payee whose line the rail refuses once [`Ground::strike`] was called.
    fn failing(&self) -> String;

    /// From now on that payee cannot be paid.
    fn strike(&mut self);

    /// How much has arrived at an address, for good or not yet.
    fn arrived(&self, to: &str) -> u64;

    /// What the wallet was charged so far; nothing where the rail charges nothing.
    fn charged(&self) -> Option<Fee>;

    /// Addresses that the rail must refuse.
    fn misaddressed(&self) -> Vec<String>;

    /// Texts that must never be seen: keys, passwords, tokens.
    fn secrets(&self) -> Vec<String>;
}

/// What goes wrong with one exchange.
///
/// ```
/// use divvy_core::contract::Mishap;
///
/// // Whoever has sent it cannot tell these two apart, and only one of them pays.
/// assert_ne!(Mishap::Deaf, Mishap::LostReply);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mishap {
    /// Nothing.
    None,
    /// It never arrives.
    Deaf,
    /// It is carried out, and nobody hears of it.
    LostReply,
    /// It is refused for now: too many requests.
    Busy,
    /// A page of an error comes back, from something in between.
    Broken,
    /// It is taken and lands so many seconds later.
    Late {
        /// How many.
        secs: u64,
    },
    /// It is taken, said to be taken, and forgotten.
    Forgotten,
}

/// The suite, with the rail that it is for.
///
/// ```
/// use divvy_core::contract::{Contract, Ground, Part};
///
/// /// What is wrong with how a rail proves that a try can never land.
/// fn doubt(open: &dyn Fn() -> Box<dyn Ground>) -> Option<String> {
///     Contract::new(open).run_part(Part::VoidWithProof).found().map(str::to_owned)
/// }
/// ```
#[expect(missing_debug_implementations, reason = "it holds nothing but how to open a world")]
pub struct Contract<'a> {
    open: &'a dyn Fn() -> Box<dyn Ground>,
}

impl<'a> Contract<'a> {
    /// A suite for a rail: how to make one more world for it.
    #[must_use]
    pub const fn new(open: &'a dyn Fn() -> Box<dyn Ground>) -> Self {
        Self { open }
    }

    /// Tries every promise, and says what became of each.
    #[must_use]
    pub fn run(&self) -> Report {
        Report::new(Part::ALL.into_iter().map(|part| self.run_part(part)).collect())
    }

    /// Tries one promise alone.
    #[must_use]
    pub fn run_part(&self, part: Part) -> Outcome {
        Outcome::new(part, self.try_part(part))
    }

    fn try_part(&self, part: Part) -> Verdict {
        let bench = || Bench::new((self.open)());
        match part {
            Part::SameBytes => words::same_bytes(bench()?),
            Part::FactsFirst => money::facts_first(bench()?),
            Part::PaidOnce => money::paid_once(bench()?),
            Part::VoidWithProof => proof::void_with_proof(&bench),
            Part::FinalForGood => proof::final_for_good(bench()?),
            Part::NamesTheLine => money::names_the_line(bench()?),
            Part::CountsCharges => money::counts_charges(bench()?),
            Part::LostReplies => proof::lost_replies(&bench),
            Part::Strangers => words::strangers(bench()?),
            Part::BadAddresses => words::bad_addresses(&bench()?),
            Part::KeepsSecrets => words::keeps_secrets(bench()?),
            Part::PacksAll => words::packs_all(bench()?),
            Part::SecondTry => proof::second_try(bench()?),
        }
    }
}
