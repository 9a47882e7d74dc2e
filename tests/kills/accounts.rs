//! What everyone must have in the end, in plain sums.

use std::collections::BTreeMap;

use crate::chance::Chance;

/// Holders with their units, and every payment that was made.
pub(crate) struct Accounts {
    units: Vec<u64>,
    payments: u64,
    total: u64,
}

impl Accounts {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let units = (0..HOLDERS).map(|_| 1 + chance.below(9)).collect();
        Self { units, payments: 0, total: 0 }
    }

    pub(crate) fn supply(&self) -> u64 {
        self.units.iter().sum()
    }

    /// The file of holders.
    pub(crate) fn holders(&self) -> String {
        let lines = self.units.iter().enumerate();
        let lines: String = lines.map(|(n, units)| format!("{},{units}\n", fan(n))).collect();
        format!("holder,units\n{lines}")
    }

    /// A file of some more payments. Each divides by ten, so that a tenth of it is no question.
    pub(crate) fn more_payments(&mut self, chance: &mut Chance) -> String {
        let mut file = "id,paid_at,amount\n".to_owned();
        for _ in 0..PAYMENTS {
            let tenth = 1 + chance.below(5_000);
            let (id, dollars, cents) = (self.payments, tenth / 10, tenth % 10 * 10);
            file += &format!("receipt-{id},2026-03-01T00:00:00Z,{dollars}.{cents:02}\n");
            self.payments += 1;
            self.total += tenth * 10;
        }
        file
    }

    /// What all payments come to, as decimal text.
    pub(crate) fn total(&self) -> String {
        format!("{}.{:02}", self.total / 100, self.total % 100)
    }

    /// What everyone has earned: a tenth to the platform, and the rest by units, rounded down once
    /// and not with every payment. Who earned nothing yet is left out.
    pub(crate) fn earned(&self) -> BTreeMap<String, i64> {
        let (tenth, rest) = (self.total / 10, u128::from(self.total / 10 * 9));
        let share = |units: u64| (rest * u128::from(units) / u128::from(self.supply())) as i64;
        let fans = self.units.iter().enumerate().map(|(n, units)| (fan(n), share(*units)));
        let all = fans.chain([("platform".to_owned(), tenth as i64)]);
        all.filter(|(_, earned)| *earned > 0).collect()
    }
}

fn fan(n: usize) -> String {
    format!("fan-{n:03}")
}

const HOLDERS: u64 = 300;

/// So many at once are taken in.
const PAYMENTS: u64 = 5;
