//! Rules of every kind, as the dice draw them: tiers, moments, uplines.

use divvy_core::{
    Amount, Error, Leg, Legs, Level, Ratio, RuleSet, Share, Target, Tier, Time, Upline,
};

use crate::simulation::dice::Dice;
use crate::simulation::town::Town;

impl Town {
    /// A rule that holds from a moment on. Some count what they divide, some change by themselves.
    pub(super) fn rule(&self, from: Time, begins: Time, dice: &mut Dice) -> Result<RuleSet, Error> {
        let plain = |legs| RuleSet::plain(from, legs);
        if !self.features.counts || dice.permille(200) {
            return Ok(plain(self.legs(None, dice)?));
        }
        let rest = Target::Payee(self.payee(dice)?.as_str().to_owned());
        let mut tiers = Vec::new();
        let mut over = 0_u64;
        for _ in 0..dice.below(3) {
            over = over.saturating_add(dice.within(1, 200_000));
            let legs = self.legs(Some(&rest), dice)?;
            tiers.push(Tier { from: None, over: Some(Amount::new(over)?), legs });
        }
        if dice.permille(300) {
            let from = Some(begins.plus_secs(dice.within(1, 200_000)));
            tiers.push(Tier { from, over: None, legs: self.legs(Some(&rest), dice)? });
            if dice.permille(500) {
                let over = Some(Amount::new(dice.within(1, 400_000))?);
                tiers.push(Tier { from, over, legs: self.legs(Some(&rest), dice)? });
            }
        }
        let upline = dice.permille(400).then(|| upline(rest.clone(), dice)).transpose()?;
        let tiers = (!tiers.is_empty()).then_some(tiers);
        Ok(RuleSet { tiers, upline, ..plain(self.legs(Some(&rest), dice)?) })
    }

    /// Legs that give something to some payees and, mostly, to pools; what is left goes to whoever
    /// is named.
    fn legs(&self, rest: Option<&Target>, dice: &mut Dice) -> Result<Legs, Error> {
        let mut targets: Vec<Target> = Vec::new();
        for _ in 0..dice.within(0, 3) {
            let payee = Target::Payee(self.payee(dice)?.as_str().to_owned());
            if !targets.contains(&payee) {
                targets.push(payee);
            }
        }
        for pool in self.pools.iter().filter(|_| dice.permille(700)) {
            targets.push(Target::Pool(pool.name.as_str().to_owned()));
        }
        if let Some(rest) = rest {
            targets.retain(|target| target != rest);
            targets.push(rest.clone());
        }
        if targets.is_empty() {
            targets.push(Target::Payee(self.payee(dice)?.as_str().to_owned()));
        }
        let last = targets.len().saturating_sub(1);
        let mut legs = Vec::with_capacity(targets.len());
        for (at, to) in targets.into_iter().enumerate() {
            let share = match dice.below(4) {
                _ if at == last => Share::Remaining,
                0 => Share::UpTo(Amount::new(dice.within(1, 500))?),
                1 => Share::Portion(Ratio::new(1, dice.within(8, 11))?),
                _ => Share::Portion(Ratio::new(dice.within(1, 14), 100)?),
            };
            legs.push(Leg { to, share });
        }
        Legs::new(legs)
    }
}

/// Levels with and without a limit.
fn upline(rest: Target, dice: &mut Dice) -> Result<Upline, Error> {
    let mut most = |often: u64, largest: u64| -> Result<Option<Amount>, Error> {
        dice.permille(often).then(|| dice.within(0, largest)).map(Amount::new).transpose()
    };
    let (each_most, all_most) = (most(400, 20_000)?, most(300, 40_000)?);
    let limits = [most(300, 5_000)?, most(300, 5_000)?, most(300, 5_000)?];
    let count = usize::try_from(dice.within(1, 3)).unwrap_or(1);
    let mut levels = Vec::new();
    for most in limits.into_iter().take(count) {
        levels.push(Level { portion: Ratio::new(dice.within(1, 15), 100)?, most });
    }
    Ok(Upline { levels, rest, each_most, most: all_most })
}
