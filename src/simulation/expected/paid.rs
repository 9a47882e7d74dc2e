//! One payment, and what went back of it.

use std::collections::BTreeMap;

use divvy_core::{Name, Target, Time};

/// A payment that waits for its place among those that a rule counts.
#[derive(Debug)]
pub(super) struct Undivided {
    pub(super) rule: u64,
    pub(super) amount: u128,
    pub(super) event_at: Time,
    pub(super) payer: Option<Name>,
}

/// A payment that came in, and what went back of it by the name under which it did.
#[derive(Debug)]
pub(super) struct Paid {
    pub(super) amount: u128,
    pub(super) parts: Vec<(Target, u128)>,
    pub(super) back: BTreeMap<String, u128>,
    /// How much was back after each step, while nobody knew its parts yet.
    pub(super) was: Vec<u128>,
}

impl Paid {
    pub(super) const fn new(amount: u128) -> Self {
        Self { amount, parts: Vec::new(), back: BTreeMap::new(), was: Vec::new() }
    }

    /// How much of it is back now.
    pub(super) fn gone(&self) -> u128 {
        self.back.values().sum()
    }

    /// What goes back of each part when so much of the payment does: `⌊part·back/amount⌋`.
    pub(super) fn shares(&self, back: u128) -> Vec<u128> {
        let share = |part: u128| part.saturating_mul(back).checked_div(self.amount).unwrap_or(0);
        self.parts.iter().map(|(_, part)| share(*part)).collect()
    }

    /// What of the payment no part bears: the odd units.
    pub(super) fn borne(&self) -> u128 {
        let back = self.gone();
        back.saturating_sub(self.shares(back).into_iter().sum())
    }
}
