//! One payment by a rule, in plain integers: tiers, then the upline, then legs.

use std::collections::BTreeMap;

use divvy_core::{Legs, Name, RuleSet, Share, Target, Time, Upline};

/// What a rule has divided so far.
#[derive(Debug, Default)]
pub(super) struct Count {
    so_far: u128,
    levels: BTreeMap<usize, u128>,
    people: BTreeMap<Name, u128>,
}

type Sums = BTreeMap<Target, u128>;

/// Whether it matters what came before a payment, or who brought its payer.
pub(super) fn counts(rule: &RuleSet) -> bool {
    let tiers = rule.tiers.iter().flatten();
    rule.upline.is_some() || tiers.into_iter().any(|tier| tier.over.is_some_and(|o| !o.is_zero()))
}

/// The legs that hold for a payment of a moment, and from which amount on each does.
pub(super) fn bands(rule: &RuleSet, event_at: Time) -> Vec<(u128, &Legs)> {
    let tiers = rule.tiers.iter().flatten();
    let mut all: Vec<(Time, u128, &Legs)> = vec![(Time::ZERO, 0, &rule.legs)];
    all.extend(tiers.map(|tier| {
        (tier.from.unwrap_or(Time::ZERO), tier.over.map_or(0, u128::from), &tier.legs)
    }));
    all.retain(|(from, _, _)| *from <= event_at);
    let newest = all.iter().map(|(from, _, _)| *from).max();
    all.retain(|(from, _, _)| Some(*from) == newest);
    all.into_iter().map(|(_, over, legs)| (over, legs)).collect()
}

impl Count {
    /// The next payment: what everyone gets of it. Those above the payer come nearest first.
    pub(super) fn divide(
        &mut self,
        rule: &RuleSet,
        (amount, event_at): (u128, Time),
        above: &[Name],
    ) -> Sums {
        let mut sums = Sums::new();
        let bands = bands(rule, event_at);
        let (begin, end) = (self.so_far, self.so_far.saturating_add(amount));
        for (at, (over, legs)) in bands.iter().enumerate() {
            let next = bands.get(at.saturating_add(1)).map_or(u128::MAX, |(over, _)| *over);
            let piece = end.min(next).saturating_sub(begin.max(*over));
            if piece == 0 {
                continue;
            }
            let base = match &rule.upline {
                None => piece,
                Some(upline) => self.lift(upline, piece, above, &mut sums),
            };
            for (leg, part) in legs.legs().iter().zip(parts(legs, base)) {
                add(&mut sums, &leg.to, part);
            }
        }
        self.so_far = end;
        sums.retain(|_, part| *part > 0);
        sums
    }

    /// What those get who brought the payer; the rest of the piece is for the legs.
    fn lift(&mut self, upline: &Upline, piece: u128, above: &[Name], sums: &mut Sums) -> u128 {
        let portions = upline.levels.iter().map(|level| level.portion);
        let portions = portions.map(|ratio| Some((ratio.num(), ratio.den()))).chain([None]);
        let mut shares = shares(&portions.collect::<Vec<_>>(), piece);
        let base = shares.pop().unwrap_or(0);
        for (at, (level, share)) in upline.levels.iter().zip(shares).enumerate() {
            let mut got = 0;
            if let Some(person) = above.get(at) {
                let all: u128 = self.levels.values().sum();
                let (own, own_level) = (
                    self.people.entry(person.clone()).or_default(),
                    self.levels.entry(at).or_default(),
                );
                let limits =
                    [(level.most, *own_level), (upline.each_most, *own), (upline.most, all)];
                got = limits.into_iter().fold(share, |got, (most, had)| {
                    most.map_or(got, |most| got.min(u128::from(most).saturating_sub(had)))
                });
                *own = own.saturating_add(got);
                *own_level = own_level.saturating_add(got);
                add(sums, &Target::Payee(person.as_str().to_owned()), got);
            }
            add(sums, &upline.rest, share.saturating_sub(got));
        }
        base
    }
}

fn add(sums: &mut Sums, to: &Target, part: u128) {
    let sum = sums.entry(to.clone()).or_default();
    *sum = sum.saturating_add(part);
}

/// One amount by legs: what takes first in order, then the largest remainders of the rest.
pub(super) fn parts(legs: &Legs, amount: u128) -> Vec<u128> {
    let mut rest = amount;
    let mut parts: Vec<u128> = Vec::with_capacity(legs.legs().len());
    let (mut places, mut portions) = (Vec::new(), Vec::new());
    for (place, leg) in legs.legs().iter().enumerate() {
        let part = match leg.share {
            Share::UpTo(most) | Share::Fixed(most) => rest.min(most.into()),
            Share::Portion(_) | Share::Remaining | _ => 0,
        };
        rest = rest.saturating_sub(part);
        parts.push(part);
        match &leg.share {
            Share::Portion(ratio) => {
                places.push(place);
                portions.push(Some((ratio.num(), ratio.den())));
            }
            Share::Remaining => {
                places.push(place);
                portions.push(None);
            }
            Share::UpTo(_) | Share::Fixed(_) | _ => {}
        }
    }
    for (place, share) in places.into_iter().zip(shares(&portions, rest)) {
        if let Some(own) = parts.get_mut(place) {
            *own = share;
        }
    }
    parts
}

/// One amount by portions; who has none takes what they leave. The largest remainder gets the odd
/// unit first; of equals, whoever is listed earlier.
fn shares(portions: &[Option<(u64, u64)>], amount: u128) -> Vec<u128> {
    let stated = portions.iter().flatten();
    let whole = stated.clone().fold(1_u128, |whole, (_, den)| least_common(whole, (*den).into()));
    let weight = |(num, den): (u64, u64)| {
        u128::from(num).saturating_mul(whole.checked_div(den.into()).unwrap_or(0))
    };
    let given: u128 = stated.map(|portion| weight(*portion)).sum();
    let (mut shares, mut remainders, mut left) = (Vec::new(), Vec::new(), amount);
    for (place, portion) in portions.iter().enumerate() {
        let weight = portion.map_or(whole.saturating_sub(given), weight);
        let scaled = amount.saturating_mul(weight);
        let share = scaled.checked_div(whole).unwrap_or(0);
        left = left.saturating_sub(share);
        remainders.push((std::cmp::Reverse(scaled.checked_rem(whole).unwrap_or(0)), place));
        shares.push(share);
    }
    remainders.sort_unstable();
    for (_, place) in remainders {
        if left > 0
            && let Some(own) = shares.get_mut(place)
        {
            *own = own.saturating_add(1);
            left = left.saturating_sub(1);
        }
    }
    shares
}

fn least_common(one: u128, other: u128) -> u128 {
    let (mut large, mut small) = (one, other);
    while let Some(rest) = large.checked_rem(small) {
        (large, small) = (small, rest);
    }
    one.checked_div(large).unwrap_or(0).saturating_mul(other)
}
