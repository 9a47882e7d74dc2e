//! What everyone must have earned, by plain integers from the facts: no code of the core is used
//! but to read what a fact says.

use std::collections::BTreeMap;

use divvy_core::{Body, Error, Fact, Legs, Name, Place, Share, Stream, Target};

/// One book, computed anew.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Where each rule stands in its stream, and its legs.
    rules: Vec<(u64, Legs)>,
    pools: BTreeMap<String, PoolExpected>,
    one_shot: BTreeMap<Name, u128>,
    /// Each payment by its parts, and what went back of it.
    payments: BTreeMap<Stream, Paid>,
    /// What was taken from holders of an earlier day.
    taken: BTreeMap<Name, u128>,
    /// Each payment's part for each pool, until it is declared.
    waiting: BTreeMap<(String, Stream), u128>,
    pub(super) recorded: u128,
}

/// A pool's holders, and what each has earned, in fractions of 2⁻⁴⁰ minor units.
#[derive(Debug, Default)]
struct PoolExpected {
    units: BTreeMap<Name, u128>,
    ideal: BTreeMap<Name, u128>,
    /// What the fractions may be off: one of them for each declaration, and what a changed supply
    /// costs.
    slack: u128,
    supply_first: u128,
    supply_max: u128,
    changes: u128,
    declared: u128,
    reversed: u128,
    restored: u128,
    netted: u128,
    regained: u128,
    mirrored: u128,
}

/// A payment that came in, and what went back of it by the name under which it did.
#[derive(Debug)]
struct Paid {
    amount: u128,
    parts: Vec<(Target, u128)>,
    back: BTreeMap<String, u128>,
}

impl Paid {
    /// What has gone back of one part: `⌊part·back/amount⌋`.
    fn share(&self, part: u128) -> u128 {
        let back: u128 = self.back.values().sum();
        part.saturating_mul(back).checked_div(self.amount).unwrap_or(0)
    }

    /// What of the payment no part bears: the odd units.
    fn borne(&self) -> u128 {
        let back: u128 = self.back.values().sum();
        back.saturating_sub(self.parts.iter().map(|(_, part)| self.share(*part)).sum())
    }
}

/// What one payee has earned at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: u128,
    pub(super) most: u128,
}

impl Expected {
    /// Computes a book from all facts, in the order in which they were written.
    pub(super) fn of(book: &Name, facts: &[Fact]) -> Result<Self, Error> {
        let mut expected = Self::default();
        for fact in facts {
            let body = fact.body()?;
            match (fact.stream.place(), body) {
                (Place::Rule { book: of }, Body::RuleSet(rule)) if of == book.as_str() => {
                    expected.rules.push((fact.n, rule.legs));
                }
                (Place::Pool { book: of, pool }, body) if of == book.as_str() => {
                    expected.pool(pool, &body);
                }
                (Place::Payment { .. }, Body::Recorded(recorded)) if recorded.book == *book => {
                    expected.recorded = expected.recorded.saturating_add(recorded.amount.into());
                    let amount = recorded.amount.into();
                    expected.divide(&fact.stream, amount, recorded.rule);
                }
                (Place::Payment { .. }, Body::Reversed(reversed)) => {
                    let (id, amount) = (reversed.id, u128::from(reversed.amount));
                    expected.go(&fact.stream, |back| {
                        back.insert(id, amount);
                    });
                }
                (Place::Payment { .. }, Body::Restored(restored)) => {
                    expected.go(&fact.stream, |back| {
                        back.remove(&restored.id);
                    });
                }
                _ => {}
            }
        }
        Ok(expected)
    }

    /// What a payee has earned: exactly by legs, and within a unit of the ideal in each pool.
    pub(super) fn bounds(&self, payee: &Name) -> Bounds {
        let taken = self.taken.get(payee).copied().unwrap_or(0);
        let own = self.one_shot.get(payee).copied().unwrap_or(0);
        let mut bounds = Bounds { least: own, most: own };
        for pool in self.pools.values() {
            let Some(ideal) = pool.ideal.get(payee) else { continue };
            let slack = pool.slack();
            let less = (ideal.saturating_sub(slack) >> FRACTION_BITS).saturating_sub(1);
            let more = (ideal.saturating_add(slack) >> FRACTION_BITS).saturating_add(1);
            bounds.least = bounds.least.saturating_add(less);
            bounds.most = bounds.most.saturating_add(more);
        }
        bounds.least = bounds.least.saturating_sub(taken);
        bounds.most = bounds.most.saturating_sub(taken);
        bounds
    }

    /// Every payment is divided, declared, waiting or gone back: to the unit. What went back of a
    /// pool and nobody has made up for yet is somewhere twice, so it is taken off.
    pub(super) fn accounted(&self) -> u128 {
        let pools = self.pools.values();
        let declared: u128 = pools.clone().map(|pool| pool.declared).sum();
        let surplus: u128 = pools.clone().map(PoolExpected::surplus).sum();
        let deficit: u128 = pools.map(PoolExpected::deficit).sum();
        let waiting: u128 = self.waiting.values().sum();
        let back: u128 = self.payments.values().flat_map(|paid| paid.back.values()).sum();
        let borne: u128 = self.payments.values().map(Paid::borne).sum();
        let taken: u128 = self.taken.values().sum();
        let held: u128 = self.one_shot.values().sum();
        let there = [declared, surplus, waiting, back, held].into_iter().sum::<u128>();
        there.saturating_sub([deficit, borne, taken].into_iter().sum())
    }

    /// Money of a payment goes back, or comes again.
    fn go(&mut self, payment: &Stream, change: impl FnOnce(&mut BTreeMap<String, u128>)) {
        let Some(paid) = self.payments.get_mut(payment) else { return };
        let shares = |paid: &Paid| -> Vec<u128> {
            paid.parts.iter().map(|(_, part)| paid.share(*part)).collect()
        };
        let before = shares(paid);
        change(&mut paid.back);
        let after = shares(paid);
        for ((to, _), (before, after)) in paid.parts.iter().zip(before.into_iter().zip(after)) {
            let (more, less) = (after.saturating_sub(before), before.saturating_sub(after));
            match to {
                Target::Payee(payee) => {
                    let Ok(payee) = Name::new(payee) else { continue };
                    let own = self.one_shot.entry(payee).or_default();
                    *own = own.saturating_add(less).saturating_sub(more);
                }
                Target::Pool(pool) => {
                    let pool = self.pools.entry(pool.clone()).or_default();
                    pool.reversed = pool.reversed.saturating_add(more);
                    pool.restored = pool.restored.saturating_add(less);
                }
                _ => {}
            }
        }
    }

    fn divide(&mut self, stream: &Stream, amount: u128, rule: Option<u64>) {
        let rule = self.rules.iter().find(|(n, _)| rule.is_none_or(|rule| rule == *n));
        let Some((_, legs)) = rule else { return };
        let own = legs.legs().iter().map(|leg| leg.to.clone()).zip(parts(legs, amount));
        let paid = Paid { amount, parts: own.collect(), back: BTreeMap::new() };
        self.payments.insert(stream.clone(), paid);
        for (leg, part) in legs.legs().iter().zip(parts(legs, amount)) {
            match &leg.to {
                Target::Payee(payee) => {
                    let Ok(payee) = Name::new(payee) else { continue };
                    let own = self.one_shot.entry(payee).or_default();
                    *own = own.saturating_add(part);
                }
                Target::Pool(pool) if part > 0 => {
                    self.waiting.insert((pool.clone(), stream.clone()), part);
                }
                Target::Pool(_) | _ => {}
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else changes a pool")]
    fn pool(&mut self, name: &str, body: &Body) {
        let pool = self.pools.entry(name.to_owned()).or_default();
        match body {
            Body::PoolOpened(opened) => pool.supply_first = opened.supply.get().into(),
            Body::Issued(issued) => {
                for (holder, units) in &issued.entries {
                    let held = pool.units.entry(holder.clone()).or_default();
                    *held = held.saturating_add(units.get().into());
                }
                pool.supply_changed();
            }
            Body::Redeemed(redeemed) => {
                let held = pool.units.entry(redeemed.holder.clone()).or_default();
                *held = held.saturating_sub(redeemed.units.get().into());
                pool.supply_changed();
            }
            Body::Moved(moved) => {
                let units = u128::from(moved.units.get());
                let from = pool.units.entry(moved.from.clone()).or_default();
                *from = from.saturating_sub(units);
                let to = pool.units.entry(moved.to.clone()).or_default();
                *to = to.saturating_add(units);
            }
            Body::Declared(declared) => {
                let parts = declared.payments.iter();
                let parts = parts
                    .filter_map(|payment| self.waiting.remove(&(name.to_owned(), payment.clone())));
                let netted = declared.netted.map_or(0, u128::from);
                let regained = declared.regained.map_or(0, u128::from);
                pool.netted = pool.netted.saturating_add(netted);
                pool.regained = pool.regained.saturating_add(regained);
                let gross: u128 = parts.sum();
                pool.declare(gross.saturating_add(regained).saturating_sub(netted));
            }
            Body::Mirrored(mirrored) => {
                for (holder, amount) in &mirrored.entries {
                    let amount = u128::from(*amount);
                    pool.mirrored = pool.mirrored.saturating_add(amount);
                    let taken = self.taken.entry(holder.clone()).or_default();
                    *taken = taken.saturating_add(amount);
                }
            }
            _ => {}
        }
    }
}

impl PoolExpected {
    /// What went back, and nobody has made up for.
    fn deficit(&self) -> u128 {
        self.reversed.saturating_sub(self.netted).saturating_sub(self.mirrored)
    }

    /// What came again, and was not declared again.
    fn surplus(&self) -> u128 {
        self.restored.saturating_sub(self.regained)
    }

    fn declare(&mut self, amount: u128) {
        self.declared = self.declared.saturating_add(amount);
        let supply: u128 = self.units.values().sum();
        for (holder, units) in &self.units {
            let scaled = (amount << FRACTION_BITS).checked_mul(*units);
            let part = scaled.and_then(|scaled| scaled.checked_div(supply));
            // More than 2¹²⁸ is never declared to so many units by a till of this town.
            let ideal = self.ideal.entry(holder.clone()).or_default();
            *ideal = ideal.saturating_add(part.unwrap_or(u128::MAX));
        }
        self.slack = self.slack.saturating_add(1);
    }

    fn supply_changed(&mut self) {
        self.changes = self.changes.saturating_add(1);
        self.supply_max = self.supply_max.max(self.units.values().sum());
    }

    /// `(k + 1) · Wmax / S`, and what was cut off, in fractions.
    fn slack(&self) -> u128 {
        let scale = (1_u128 << 64)
            .checked_div(self.supply_first)
            .map_or(1, |times| times.saturating_mul(self.supply_first));
        let changed = self.changes.saturating_add(1).saturating_mul(self.supply_max);
        let changed = (changed << FRACTION_BITS).div_ceil(scale.max(1));
        changed.saturating_add(self.slack)
    }
}

/// One amount by legs: what takes first in order, then the largest remainders of the rest.
fn parts(legs: &Legs, amount: u128) -> Vec<u128> {
    let mut rest = amount;
    let mut parts: Vec<u128> = Vec::with_capacity(legs.legs().len());
    for leg in legs.legs() {
        let part = match leg.share {
            Share::UpTo(most) | Share::Fixed(most) => rest.min(most.into()),
            Share::Portion(_) | Share::Remaining | _ => 0,
        };
        rest = rest.saturating_sub(part);
        parts.push(part);
    }
    // A common denominator of all portions.
    let portion = |share: &Share| {
        if let Share::Portion(ratio) = share { Some((ratio.num(), ratio.den())) } else { None }
    };
    let portions: Vec<(u64, u64)> =
        legs.legs().iter().filter_map(|leg| portion(&leg.share)).collect();
    let whole = portions.iter().fold(1_u128, |whole, (_, den)| least_common(whole, (*den).into()));
    let share_of = |num: u64, den: u64| {
        u128::from(num).saturating_mul(whole.checked_div(den.into()).unwrap_or(0))
    };
    let given: u128 = portions.iter().map(|(num, den)| share_of(*num, *den)).sum();
    let mut remainders: Vec<(u128, usize)> = Vec::new();
    let mut left = rest;
    for (place, leg) in legs.legs().iter().enumerate() {
        let weight = match (&leg.share, portion(&leg.share)) {
            (_, Some((num, den))) => share_of(num, den),
            (Share::Remaining, None) => whole.saturating_sub(given),
            _ => continue,
        };
        let scaled = rest.saturating_mul(weight);
        let part = scaled.checked_div(whole).unwrap_or(0);
        left = left.saturating_sub(part);
        remainders.push((scaled.checked_rem(whole).unwrap_or(0), place));
        if let Some(own) = parts.get_mut(place) {
            *own = part;
        }
    }
    // The largest remainder first; of equals, whoever is listed earlier.
    remainders.sort_by_key(|(remainder, place)| (std::cmp::Reverse(*remainder), *place));
    for (_, place) in remainders {
        if left > 0
            && let Some(own) = parts.get_mut(place)
        {
            *own = own.saturating_add(1);
            left = left.saturating_sub(1);
        }
    }
    parts
}

fn least_common(one: u128, other: u128) -> u128 {
    let (mut large, mut small) = (one, other);
    while let Some(rest) = large.checked_rem(small) {
        (large, small) = (small, rest);
    }
    one.checked_div(large).unwrap_or(0).saturating_mul(other)
}

const FRACTION_BITS: u32 = 40;
