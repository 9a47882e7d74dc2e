//! When everybody is going to be paid: by their terms, and by how they earned in the last weeks.

use divvy_core::{Expected, Time};

use crate::book::END;
use crate::money::deed::{FED, Pays};
use crate::money::diary::{DAY, Entry};
use crate::money::lab::Lab;

/// What somebody earned lately is what they earned in so many whole days, and today.
const LATELY: i128 = 28;

impl Lab {
    /// When somebody is going to be paid; nothing where it rests on when somebody last looked.
    pub(crate) fn expected(&self, who: usize, is_due: bool) -> Option<Expected> {
        if self.ledger.people[who].held || FED.contains(&Some(who)) {
            return Some(Expected::Never);
        }
        if is_due {
            return Some(Expected::Now);
        }
        let payable = self.ledger.payable(who);
        let (pays, share) = self.terms.of(who);
        let since = self.surely_since(who)?;
        if let Some((bps, ends)) = share
            && self.terms.is_met(who, payable, since, self.now.into())
        {
            let least = self.terms.quote.filter(|(_, until)| i128::from(self.now) <= *until);
            let least = least.map(|(fee, _)| up(fee * 10_000, bps.into()));
            let least = least.and_then(|least| self.reached(who, least));
            let ends = since.zip(ends).map(|(since, secs)| since + i128::from(secs) * 1_000);
            return Some(on(least.into_iter().chain(ends).min(), Expected::Never));
        }
        let (at_once, least) = match pays {
            Pays::AtOnce => (Some(self.terms.floor), self.terms.floor),
            Pays::From { min, .. } => (Some(self.terms.floor.max(min.into())), self.terms.floor),
            Pays::Every { .. } | Pays::Dates { .. } => (None, self.terms.runs_from(who)),
        };
        let crossing = at_once.and_then(|goal| self.reached(who, goal));
        let waited = self.reached(who, least).and_then(|reached| {
            let since = match since {
                None if at_once.is_some() => return None,
                None => self.reached(who, self.terms.runs_from(who))?,
                Some(since) => since,
            };
            let over = match pays {
                Pays::From { wait_secs, .. } => since + i128::from(wait_secs?) * 1_000,
                pays => pays.boundary(since)?,
            };
            Some(over.max(reached))
        });
        Some(on(crossing.into_iter().chain(waited).min(), Expected::Unknown))
    }

    /// What keeps somebody's money back beside its amount, the fee, and the most that they pay;
    /// nothing where it rests on when somebody last looked.
    pub(crate) fn obstacle(&self, who: usize) -> Option<(&'static str, i128, i128)> {
        if FED.contains(&Some(who)) {
            return Some(("a pool", 0, 0));
        }
        if self.ledger.people[who].held {
            return Some(("a hold", 0, 0));
        }
        let since = self.surely_since(who)?;
        let (payable, now) = (self.ledger.payable(who), i128::from(self.now));
        let Some((bps, ends)) = self.terms.of(who).1 else { return Some(("nothing", 0, 0)) };
        let over = |secs: u64| since.is_some_and(|since| since + i128::from(secs) * 1_000 <= now);
        if !self.terms.is_met(who, payable, since, now) || ends.is_some_and(over) {
            return Some(("nothing", 0, 0));
        }
        let most = payable * i128::from(bps) / 10_000;
        Some(match self.terms.quote.filter(|(_, until)| now <= *until) {
            None => ("no fee", 0, 0),
            Some((fee, _)) if most < fee => ("the fee", fee, most),
            Some(_) => ("nothing", 0, 0),
        })
    }

    /// Since when time runs for somebody, if it does; nothing where nobody can be sure.
    fn surely_since(&self, who: usize) -> Option<Option<i128>> {
        let runs = self.ledger.payable(who) >= self.terms.runs_from(who);
        match self.terms.since(who) {
            Some((first, noticed)) if runs => (noticed == Some(first)).then_some(noticed),
            _ => (!runs).then_some(None),
        }
    }

    /// When so much is payable, if they go on as they have lately.
    fn reached(&self, who: usize, goal: i128) -> Option<i128> {
        let spoken_for = self.ledger.paid(who) + self.ledger.people[who].reserved;
        let lacking = goal + spoken_for - self.ledger.earned(who);
        if lacking <= 0 {
            return Some(self.now.into());
        }
        let (earned, millis) = self.lately(who)?;
        (earned > 0).then(|| i128::from(self.now) + up(lacking * millis, earned))
    }

    /// How much somebody earned lately, in how many milliseconds.
    fn lately(&self, who: usize) -> Option<(i128, i128)> {
        let (ledger, now) = (&self.ledger, i128::from(self.now));
        let first = ledger.payments.iter().map(|paid| paid.event_at).min()?;
        let from = (now / DAY - LATELY) * DAY;
        if ledger.diary.begins().is_none_or(|begins| begins >= from) {
            return Some((ledger.earned(who), now - first));
        }
        let sum = |entry| ledger.diary.between(entry, from, i128::MAX);
        let legs = (sum(Entry::Kept(who)) - sum(Entry::GivenBack(who))).max(0);
        let pooled = |fund: &crate::money::fund::Fund| {
            (fund.per_unit - fund.per_unit_at(from)) * fund.units[who] / fund.scale
        };
        Some((legs + ledger.funds.iter().map(pooled).sum::<i128>(), now - from))
    }
}

fn on(at: Option<i128>, never: Expected) -> Expected {
    let time = |at: i128| Time::from_millis(u64::try_from(at.min(END.into())).unwrap());
    at.map_or(never, |at| Expected::On(time(at)))
}

/// A part of a sum, rounded up.
fn up(sum: i128, parts: i128) -> i128 {
    (sum + parts - 1) / parts
}
