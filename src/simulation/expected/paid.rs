//! One payment, and what went back of it.

use std::collections::BTreeMap;

use divvy_core::Target;

/// A payment that came in, and what went back of it by the name under which it did.
#[derive(Debug)]
pub(super) struct Paid {
    pub(super) amount: u128,
    pub(super) parts: Vec<(Target, u128)>,
    pub(super) back: BTreeMap<String, u128>,
}

impl Paid {
    /// What has gone back of each part: `⌊part·back/amount⌋`.
    pub(super) fn shares(&self) -> Vec<u128> {
        let back: u128 = self.back.values().sum();
        let share = |part: u128| part.saturating_mul(back).checked_div(self.amount).unwrap_or(0);
        self.parts.iter().map(|(_, part)| share(*part)).collect()
    }

    /// What of the payment no part bears: the odd units.
    pub(super) fn borne(&self) -> u128 {
        let back: u128 = self.back.values().sum();
        back.saturating_sub(self.shares().into_iter().sum())
    }
}
