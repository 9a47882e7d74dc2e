//! The treasury: the book's figures, and those that anybody adds up from the diary.

use divvy_core::{Day, Error, Runway, TreasuryStatus, TreasuryTerms};

use crate::lab::{Same, amount, payee_name, same, text};
use crate::money::alarm::LOW;
use crate::money::diary::{DAY, Entry};
use crate::money::lab::Lab;

/// How many days back and ahead are looked at.
const BACK: i128 = 3;
const AHEAD: i128 = 5;

/// Due beside what is in batches.
const DUE: u64 = 77;

impl Lab {
    pub(crate) fn compare_treasury(&self) -> Same {
        let today = Day::of(self.time());
        let midnight = i128::from(self.now) / DAY * DAY;
        let owner = self.ledger.people[0].known.then(|| payee_name(0));
        for (until, end) in [(None, i128::MAX), (Some(today), midnight)] {
            let real = self.book().figures(owner.as_ref(), until).map_err(text)?;
            let sum = |entry| self.ledger.diary.sum(entry, end);
            for (what, real, own) in [
                ("recorded", real.recorded, Entry::Recorded),
                ("withheld", real.withheld, Entry::Withheld),
                ("reversed", real.reversed, Entry::Reversed),
                ("restored", real.restored, Entry::Restored),
                ("kept", real.kept, Entry::Kept(0)),
                ("given back", real.given_back, Entry::GivenBack(0)),
                ("paid", real.paid, Entry::Paid),
                ("returned", real.returned, Entry::Returned),
                ("arrived", real.arrived, Entry::Arrived),
                ("fees earned", real.fees_earned, Entry::FeeEarned),
                ("fees paid", real.fees_paid, Entry::FeePaid),
                ("replenished", real.replenished, Entry::Replenished),
                ("withdrawn", real.withdrawn, Entry::Withdrawn),
                ("drawn", real.drawn, Entry::Drawn),
                ("repaid", real.repaid, Entry::Repaid),
            ] {
                same(&format!("{what}, by the treasury"), i128::from(real.get()), sum(own))?;
            }
        }
        self.compare_health(midnight)
    }

    pub(crate) fn status(&self) -> Result<TreasuryStatus, Error> {
        let terms = TreasuryTerms {
            window_days: u32::try_from(BACK).unwrap(),
            horizon_days: u32::try_from(AHEAD).unwrap(),
            ..TreasuryTerms::new(amount(LOW))
        };
        self.book().treasury_status(&terms, amount(DUE), self.time())
    }

    /// What is there, how long it lasts, and what the days ahead bring.
    fn compare_health(&self, midnight: i128) -> Same {
        let diary = &self.ledger.diary;
        let real = self.status().map_err(text)?;
        let all = |entry| diary.sum(entry, i128::MAX);
        let owed = (all(Entry::Drawn) - all(Entry::Repaid)).max(0);
        let headroom = (diary.credit_limit - owed).max(0);
        let reserved: i128 = self.ledger.people.iter().map(|person| person.reserved).sum();
        let due = reserved + i128::from(DUE);
        let liquidity = diary.balance() + headroom - diary.reserve - due;
        let on_its_way = diary.expected();
        let late = on_its_way.iter().filter(|(_, on)| *on < midnight);
        let late: i128 = late.map(|(amount, _)| amount).sum();
        let in_time = on_its_way.iter().map(|(amount, _)| amount).sum::<i128>() - late;
        let out = all(Entry::Paid) - all(Entry::Returned);
        let back = all(Entry::Arrived) + all(Entry::FeeEarned) + in_time;
        same("balance", i128::from(real.balance.get()), diary.balance())?;
        same("liquidity", i128::from(real.liquidity.get()), liquidity)?;
        for (what, real, own) in [
            ("fronted", real.fronted, (out - all(Entry::Arrived)).max(0)),
            ("to replenish", real.to_replenish, (out + all(Entry::FeePaid) - back).max(0)),
            ("overdue", real.overdue, late),
            ("in transit", real.in_transit, in_time + late),
            ("credit headroom", real.credit_headroom, headroom),
            ("reserve", real.reserve, diary.reserve),
        ] {
            same(what, i128::from(real.get()), own)?;
        }
        let lasts = self.compare_runway(&real, [midnight, liquidity, due])?;
        self.compare_alerts(&real, [midnight, late], lasts)
    }

    /// How long it lasts, and the first day that is short.
    fn compare_runway(
        &self,
        real: &TreasuryStatus,
        [midnight, has, due]: [i128; 3],
    ) -> Same<(Runway, Option<u32>)> {
        let diary = &self.ledger.diary;
        let begins = diary.begins().map_or(midnight, |at| at / DAY * DAY);
        let from = (midnight - BACK * DAY).max(begins).min(midnight);
        let past = |entry| diary.between(entry, from, midnight);
        let went = past(Entry::Paid) + past(Entry::FeePaid) - past(Entry::Returned);
        let came = past(Entry::Arrived) + past(Entry::FeeEarned);
        let (burnt, days) = (went - came, (midnight - from) / DAY);
        let runway = match (has, days, burnt) {
            (..=0, _, _) => Runway::Exhausted,
            (_, 0, _) => Runway::NoHistory,
            (_, _, ..=0) => Runway::Unbounded,
            _ => Runway::Days(u64::try_from(has * days / burnt).unwrap()),
        };
        same("runway", real.runway, runway)?;
        same("burn per day", i128::from(real.burn_per_day.get()), up(burnt, days.max(1)))?;
        let average = up(went, days.max(1)).max(0);
        let mut left = has + due;
        let mut ends = Vec::new();
        for ahead in 0..AHEAD {
            let day = midnight + ahead * DAY;
            let on_it = |(amount, on): (i128, i128)| (on / DAY * DAY == day).then_some(amount);
            left += diary.expected().into_iter().filter_map(on_it).sum::<i128>();
            left -= if ahead == 0 { average.max(due) } else { average };
            ends.push(left);
        }
        let begins = Some(has + due).filter(|begins| *begins < 0);
        let lowest = ends.iter().copied().chain(begins).min();
        let short = if begins.is_some() {
            Some(0)
        } else {
            ends.iter().position(|end| *end < 0).map(|at| u32::try_from(at + 1).unwrap())
        };
        let ahead = &real.projection;
        same("the lowest ahead", Some(i128::from(ahead.lowest)), lowest)?;
        same("the end ahead", i128::from(ahead.closing), left)?;
        same("the first short day", ahead.first_short_day, short)?;
        Ok((runway, short))
    }
}

/// A part of a sum, rounded up.
fn up(sum: i128, parts: i128) -> i128 {
    -(-sum).div_euclid(parts)
}
