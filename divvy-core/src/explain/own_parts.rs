//! One payee's parts of payments that rules divide which count.

use std::collections::{BTreeMap, BTreeSet};

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::Error;
use crate::explain::Told;
use crate::explain::words::share_text;
use crate::fact::{Divided, Extent, Part, RuleSet, Stream};
use crate::movement::share_reversed;
use crate::name::Name;
use crate::split::Target;

/// What a payee got of each payment, and what went back of payments before they were divided.
#[derive(Debug, Default)]
pub(super) struct OwnParts {
    own: BTreeMap<Stream, Amount>,
    back: BTreeMap<Stream, Extent>,
}

impl OwnParts {
    /// The payee's part of a payment that a reversal is about; of one that waits it is kept for
    /// later, and there is none yet.
    pub(super) fn of_reversed(&mut self, payment: &Stream, extent: &Extent) -> Option<Amount> {
        let own = self.own.get(payment).copied();
        if own.is_none() {
            self.back.insert(payment.clone(), extent.clone());
        }
        own
    }

    /// What a division brought the payee.
    pub(super) fn tell(
        &mut self,
        payee: &Name,
        divided: &Divided,
        rule: &RuleSet,
        asset: &Asset,
    ) -> Result<Told, Error> {
        let mut payments = BTreeSet::new();
        let mut sums: BTreeMap<String, Amount> = BTreeMap::new();
        let (mut earned, mut gone) = (Amount::ZERO, Amount::ZERO);
        let is_own = |part: &&Part| matches!(&part.to, Target::Payee(to) if to == payee.as_str());
        for parts in &divided.payments {
            for part in parts.parts.iter().filter(is_own) {
                let sum = sums.entry(why(rule, part, asset)).or_default();
                *sum = sum.plus(part.amount)?;
                let own = self.own.entry(parts.payment.clone()).or_default();
                *own = own.plus(part.amount)?;
                earned = earned.plus(part.amount)?;
                payments.insert(&parts.payment);
            }
            let own = self.own.get(&parts.payment).copied().unwrap_or_default();
            if let Some(extent) = self.back.remove(&parts.payment) {
                gone = gone.plus(share_reversed(own, extent.after, extent.amount)?)?;
            }
        }
        let Some(first) = payments.first() else { return Ok(None) };
        let of = match payments.len() {
            1 => first.to_string(),
            count => format!("{count} payments"),
        };
        let (text, code) = (|amount| asset.text(amount), asset.code());
        let sums: Vec<String> =
            sums.into_iter().map(|(why, sum)| format!("{} by {why}", text(sum))).collect();
        let before = match gone {
            Amount::ZERO => String::new(),
            gone => format!(", of which {} had gone back before", text(gone)),
        };
        let sentence =
            format!("earned {} {code} of {of}: {}{before}", text(earned), sums.join(", "));
        Ok(Some((Some(format!("earned +{}", text(earned.less(gone)))), sentence)))
    }
}

/// Which tier and leg, or which level, gave a part.
pub(super) fn why(rule: &RuleSet, part: &Part, asset: &Asset) -> String {
    if part.level > 0 {
        return format!("level {} of the upline", part.level);
    }
    let tier = usize::try_from(part.tier).ok().and_then(|tier| rule.all_legs().nth(tier));
    let leg = tier.and_then(|legs| legs.legs().iter().find(|leg| leg.to == part.to));
    let share = leg.map_or_else(String::new, |leg| format!(", {}", share_text(&leg.share, asset)));
    format!("tier {}{share}", part.tier)
}
