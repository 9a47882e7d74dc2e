//! What a rule that counts has divided so far, and what the next payment brings to whom.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::error::Error;
use crate::fact::{Part, RuleSet};
use crate::name::Name;
use crate::split::{Legs, Target, Upline};
use crate::time::Time;

/// Who brought whom.
pub(super) type Referrers = BTreeMap<Name, Name>;

/// The counts of one rule, over its whole life. They only grow: what goes back of a payment opens
/// no tier again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Everything that it has divided.
    pub(super) so_far: Amount,
    /// What each level of its upline got.
    pub(super) levels: Vec<Amount>,
    /// What each person got of its upline.
    pub(super) people: BTreeMap<Name, Amount>,
}

/// The sums of a payment's parts, by tier, level and target.
type Sums = BTreeMap<(u32, u32, Target), Amount>;

impl Tally {
    /// Divides the next payment, and counts it.
    pub(super) fn divide(
        &mut self,
        rule: &RuleSet,
        (amount, event_at): (Amount, Time),
        payer: Option<&str>,
        referrers: &Referrers,
    ) -> Result<Vec<Part>, Error> {
        let bands = rule.bands_at(event_at);
        let ends = bands.iter().skip(1).map(|(_, over, _)| *over).chain([Amount::MAX]);
        let mut sums = Sums::new();
        let mut left = amount;
        for ((tier, _, legs), end) in bands.iter().zip(ends) {
            let piece = left.min(end.less(self.so_far));
            if piece.is_zero() {
                continue;
            }
            left = left.less(piece);
            self.so_far = self.so_far.plus(piece)?;
            let base = match &rule.upline {
                None => piece,
                Some(upline) => {
                    let chain = chain(payer, referrers);
                    self.lift(upline, piece, *tier, chain, &mut sums)?
                }
            };
            give(legs, base, *tier, &mut sums)?;
        }
        let parts = sums.into_iter().filter(|(_, amount)| !amount.is_zero());
        Ok(parts.map(|((tier, level, to), amount)| Part { tier, level, to, amount }).collect())
    }

    /// Gives each level its part, and returns what is left for the legs.
    fn lift<'a>(
        &mut self,
        upline: &Upline,
        piece: Amount,
        tier: u32,
        mut chain: impl Iterator<Item = &'a Name>,
        sums: &mut Sums,
    ) -> Result<Amount, Error> {
        self.levels.resize(upline.levels.len(), Amount::ZERO);
        let mut shares = upline.divide(piece)?;
        let base = shares.pop().unwrap_or_default();
        for (at, (level, part)) in (0_usize..).zip(upline.levels.iter().zip(shares)) {
            let mut given = Amount::ZERO;
            if let Some(person) = chain.next() {
                let all = Amount::total(self.levels.iter().copied())?;
                let own = self.people.get(person).copied().unwrap_or_default();
                let level_sum = self.levels.get(at).copied().unwrap_or_default();
                let room = |most: Option<Amount>, sum| most.unwrap_or(Amount::MAX).less(sum);
                given = part
                    .min(room(level.most, level_sum))
                    .min(room(upline.each_most, own))
                    .min(room(upline.most, all));
                self.people.insert(person.clone(), own.plus(given)?);
                if let Some(sum) = self.levels.get_mut(at) {
                    *sum = sum.plus(given)?;
                }
                let number = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
                add(sums, (tier, number, Target::Payee(person.to_string())), given)?;
            }
            add(sums, (tier, 0, upline.rest.clone()), part.less(given))?;
        }
        Ok(base)
    }
}

/// Whoever brought a payer, then whoever brought that one.
fn chain<'a>(payer: Option<&'a str>, referrers: &'a Referrers) -> impl Iterator<Item = &'a Name> {
    let first = payer.and_then(|payer| referrers.get(payer));
    std::iter::successors(first, |person| referrers.get(*person))
}

fn give(legs: &Legs, base: Amount, tier: u32, sums: &mut Sums) -> Result<(), Error> {
    for (leg, part) in legs.legs().iter().zip(legs.divide(base)?) {
        add(sums, (tier, 0, leg.to.clone()), part)?;
    }
    Ok(())
}

fn add(sums: &mut Sums, key: (u32, u32, Target), amount: Amount) -> Result<(), Error> {
    let sum = sums.entry(key).or_default();
    *sum = sum.plus(amount)?;
    Ok(())
}
