//! How fast somebody has been earning lately.

use crate::amount::Amount;
use crate::book::pools::PoolAccount;
use crate::book::{Book, PayeeId, place};
use crate::error::Error;
use crate::time::Time;
use crate::treasury::Day;

/// So much since then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) earned: Amount,
    pub(super) from: Time,
}

/// What somebody earned lately is what they earned in so many whole days, and today.
const RECENT_DAYS: u32 = 28;

impl Book {
    /// What a payee has earned lately, and since when: in the last weeks, or since the first
    /// payment where the book is younger than that. A pool counts with the units held now.
    pub(super) fn pace(
        &self,
        id: PayeeId,
        earned: Amount,
        now: Time,
    ) -> Result<Option<Pace>, Error> {
        let Some(first) = self.event_first else { return Ok(None) };
        let from = Day::of(now).less(RECENT_DAYS);
        if self.treasury.first_day().is_none_or(|day| day >= from) {
            return Ok(Some(Pace { earned, from: first }));
        }
        let payee = self.payee(id)?;
        let pooled = payee.holdings.iter().map(|holding| {
            let account = self.pools.get(place(holding.pool));
            account.map_or(Amount::ZERO, |account| account.earned_since(holding.slot, from))
        });
        let earned = self.treasury.leg_since(id, from)?.plus(Amount::total(pooled)?)?;
        Ok(Some(Pace { earned, from: from.start() }))
    }
}

impl PoolAccount {
    /// Keeps the index with which a day begins, before its first fact changes it.
    pub(super) fn note_day(&mut self, at: Time) {
        let (day, index) = (Day::of(at), self.pool.index());
        if self.begun.contains_key(&day.number()) {
            return;
        }
        self.begun.insert(day.number(), index);
        let oldest = day.less(RECENT_DAYS).number();
        self.begun.retain(|day, _| *day >= oldest);
    }

    /// What the units that a holder has now have earned since the beginning of a day.
    pub(super) fn earned_since(&self, slot: u32, from: Day) -> Amount {
        let begun = self.begun.range(from.number()..).next().map(|(_, index)| *index);
        let index = self.pool.index().get();
        let steps = begun.map_or(0, |begun| index.saturating_sub(begun.get()));
        let holder = self.holders.get(place(slot)).copied().unwrap_or_default();
        let scaled = steps.checked_mul(u128::from(holder.units().get()));
        let earned = scaled.and_then(|scaled| scaled.checked_div(self.pool.scale().get()));
        earned.and_then(|earned| Amount::from_wide(earned).ok()).unwrap_or(Amount::MAX)
    }
}
