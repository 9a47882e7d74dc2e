//! What the book keeps of one payee.

use crate::amount::Amount;
use crate::error::Error;
use crate::fact::{Destination, Hash};
use crate::name::Name;
use crate::policy::{FeeShare, Policy};
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
    /// Whether they are among the due.
    pub(super) is_due: bool,
    /// Where they hold or held units.
    pub(super) holdings: Box<[Holding]>,
    /// Absent until the payee's own stream has a fact.
    pub(super) choices: Option<Box<Choices>>,
}

/// A payee's place among the holders of one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) pool: u32,
    pub(super) slot: u32,
}

/// What the facts of the payee's own stream say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choices {
    /// The next free place of the stream.
    pub(super) n: u64,
    /// The newest fact's hash.
    pub(super) hash: Hash,
    pub(super) policy: Option<Policy>,
    pub(super) fee_share: Option<FeeShare>,
    /// Every destination that came or is to come into force, oldest first.
    pub(super) destinations: Vec<Chosen>,
    /// Why the payee is held.
    pub(super) held: Option<Box<str>>,
}

/// A destination and the fact that chose it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
            is_due: false,
            holdings: Box::default(),
            choices: None,
        }
    }

    /// Their place among the holders of a pool, if they ever held units of it.
    pub(super) fn slot_in(&self, pool: u32) -> Option<u32> {
        self.holdings.iter().find(|holding| holding.pool == pool).map(|holding| holding.slot)
    }

    /// The name and the sums, without what only helps to find who is due.
    pub(super) fn money(&self) -> (&Name, [Amount; 3], &[Holding]) {
        (&self.name, [self.one_shot, self.reserved, self.paid], &self.holdings)
    }

    /// Reserved and paid together: what is spoken for.
    pub(super) fn spoken_for(&self) -> Result<Amount, Error> {
        self.reserved.plus(self.paid)
    }

    pub(super) fn policy(&self) -> Option<Policy> {
        self.choices.as_ref().and_then(|choices| choices.policy)
    }

    pub(super) fn fee_share(&self) -> Option<FeeShare> {
        self.choices.as_ref().and_then(|choices| choices.fee_share)
    }

    /// Whether terms of their own weigh what a rail charges.
    pub(super) fn weighs(&self) -> bool {
        self.fee_share().is_some_and(|share| share != FeeShare::Any)
    }

    pub(super) fn held(&self) -> Option<&str> {
        self.choices.as_ref().and_then(|choices| choices.held.as_deref())
    }

    /// When the next destination comes into force.
    pub(super) fn next_change(&self, now: Time) -> Option<Time> {
        self.cooling(now).map(|chosen| chosen.from)
    }

    /// The destination that is chosen and not in force yet.
    pub(super) fn cooling(&self, now: Time) -> Option<&Chosen> {
        self.choices.as_ref()?.destinations.iter().find(|chosen| chosen.from > now)
    }

    /// The payee's own destination in force at a moment.
    pub(super) fn chosen(&self, now: Time) -> Option<&Chosen> {
        let choices = self.choices.as_ref()?;
        choices.destinations.iter().rev().find(|chosen| chosen.from <= now)
    }
}
