//! What the book keeps of one payee.

use crate::amount::Amount;
use crate::error::Error;
use crate::fact::{Destination, Hash};
use crate::name::Name;
use crate::policy::Policy;
use crate::time::Time;

/// One payee: three sums, and what they or the operator chose.
#[derive(Clone, Debug)]
pub(super) struct Payee {
    pub(super) name: Name,
    /// Earned by legs of the rule; what pools brought is in the pools.
    pub(super) one_shot: Amount,
    pub(super) reserved: Amount,
    pub(super) paid: Amount,
    /// Since when something is payable; [`Time::ZERO`] while nothing is.
    pub(super) waiting_since: Time,
    /// Outdates what the due queue knows of this payee.
    pub(super) armed: u32,
    /// The pools in which they hold or held units.
    pub(super) pools: Box<[u32]>,
    /// Absent until the payee's own stream has a fact.
    pub(super) choices: Option<Box<Choices>>,
}

/// What the facts of the payee's own stream say.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    /// The next free place of the stream.
    pub(super) n: u64,
    /// The newest fact's hash.
    pub(super) hash: Hash,
    pub(super) policy: Option<Policy>,
    pub(super) destination: Option<Chosen>,
    /// A changed destination that still cools.
    pub(super) cooling: Option<Box<Chosen>>,
    /// Destinations that were in force before, oldest first: a plan that was long in coming is
    /// judged by its own time.
    pub(super) past: Vec<Chosen>,
    /// Why the payee is held.
    pub(super) held: Option<Box<str>>,
}

/// A destination and the fact that chose it.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) destination: Destination,
    pub(super) n: u64,
    /// In force from this moment on.
    pub(super) from: Time,
}

impl Payee {
    pub(super) fn new(name: Name) -> Self {
        Self {
            name,
            one_shot: Amount::ZERO,
            reserved: Amount::ZERO,
            paid: Amount::ZERO,
            waiting_since: Time::ZERO,
            armed: 0,
            pools: Box::default(),
            choices: None,
        }
    }

    /// Reserved and paid together: what is spoken for.
    pub(super) fn spoken_for(&self) -> Result<Amount, Error> {
        self.reserved.plus(self.paid)
    }

    pub(super) fn policy(&self) -> Option<Policy> {
        self.choices.as_ref().and_then(|choices| choices.policy)
    }

    pub(super) fn held(&self) -> Option<&str> {
        self.choices.as_ref().and_then(|choices| choices.held.as_deref())
    }

    /// The payee's own destination in force at a moment.
    pub(super) fn chosen(&self, now: Time) -> Option<&Chosen> {
        let choices = self.choices.as_ref()?;
        let cooled = choices.cooling.as_deref().filter(|chosen| chosen.from <= now);
        let then = |chosen: &&Chosen| chosen.from <= now;
        let past = || choices.past.iter().rev().find(then);
        let current = choices.destination.as_ref();
        cooled.or_else(|| current.filter(then)).or_else(past).or(current)
    }
}
