//! One pool, in plain integers: who holds what, and what each has earned of it.

use std::collections::BTreeMap;

use divvy_core::{Flowing, Issued, Moved, Name, PoolOpened, Redeemed, Time};

use crate::simulation::expected::flow::Flows;

/// A pool's holders, and what each has earned, in fractions of 2⁻⁴⁰ minor units.
#[derive(Debug, Default)]
pub(super) struct Pool {
    units: BTreeMap<Name, u128>,
    ideal: BTreeMap<Name, u128>,
    /// What the fractions may be off: one of them for each declaration.
    cut_off: u128,
    supply_first: u128,
    supply_max: u128,
    /// How often the supply changed, which costs precision.
    changes: u128,
    pub(super) declared: u128,
    pub(super) reversed: u128,
    pub(super) restored: u128,
    pub(super) mirrored: u128,
    netted: u128,
    regained: u128,
    /// The payee whose earnings are for the holders.
    pub(super) payee: Option<Name>,
    flow_millis: Option<u64>,
    /// Who held what at each declaration, where they can prove it.
    proves: bool,
    declarations: BTreeMap<u64, Declaration>,
    flows: Flows,
}

/// Who held what when so much was declared.
#[derive(Debug)]
struct Declaration {
    amount: u128,
    units: BTreeMap<Name, u128>,
}

/// What somebody had of one declaration: so many units, of so many, of so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulation) struct Share {
    pub(in crate::simulation) units: u128,
    pub(in crate::simulation) supply: u128,
    pub(in crate::simulation) amount: u128,
}

impl Pool {
    pub(super) fn open(&mut self, opened: &PoolOpened) {
        self.supply_first = opened.supply.get().into();
        self.payee.clone_from(&opened.payee);
        self.flow_millis = opened.flow_millis;
        self.proves = opened.proofs.is_some();
    }

    pub(super) fn issue(&mut self, issued: &Issued) {
        for (holder, units) in &issued.entries {
            let held = self.units.entry(holder.clone()).or_default();
            *held = held.saturating_add(units.get().into());
        }
        self.supply_changed();
    }

    pub(super) fn redeem(&mut self, redeemed: &Redeemed) {
        let held = self.units.entry(redeemed.holder.clone()).or_default();
        *held = held.saturating_sub(redeemed.units.get().into());
        self.supply_changed();
    }

    pub(super) fn move_units(&mut self, moved: &Moved) {
        let units = u128::from(moved.units.get());
        let from = self.units.entry(moved.from.clone()).or_default();
        *from = from.saturating_sub(units);
        let to = self.units.entry(moved.to.clone()).or_default();
        *to = to.saturating_add(units);
    }

    /// What is for the holders at once, and what of it is kept back, or was kept back before.
    pub(super) fn declare(&mut self, amount: u128, netted: u128, regained: u128) {
        self.netted = self.netted.saturating_add(netted);
        self.regained = self.regained.saturating_add(regained);
        self.give(amount.saturating_add(regained).saturating_sub(netted));
    }

    /// Keeps who held what when something was declared.
    pub(super) fn keep(&mut self, n: u64, amount: u128) {
        if self.proves {
            let units = self.units.clone();
            self.declarations.insert(n, Declaration { amount, units });
        }
    }

    /// What a holder had of each declaration.
    pub(super) fn shares(&self, holder: &Name) -> impl Iterator<Item = (u64, Share)> {
        self.declarations.iter().filter_map(move |(n, Declaration { amount, units })| {
            let own = units.get(holder).copied().filter(|own| *own > 0)?;
            let share = Share { units: own, supply: units.values().sum(), amount: *amount };
            Some((*n, share))
        })
    }

    /// What is for the holders over time. Says what is wrong about it.
    pub(super) fn begin_flow(
        &mut self,
        gross: u128,
        flowing: &Flowing,
        at: Time,
    ) -> Option<String> {
        let regained = flowing.regained.map_or(0, u128::from);
        self.regained = self.regained.saturating_add(regained);
        self.flows.begin(gross.saturating_add(regained), flowing.millis, at);
        let length = Some(flowing.millis);
        (length != self.flow_millis).then(|| format!("it flows over {length:?}"))
    }

    /// What has flowed until a moment is the holders'. Says what is wrong about it.
    pub(super) fn accrue(&mut self, said: u128, netted: u128, at: Time) -> Option<String> {
        let gross = self.flows.until(at, self.is_held());
        self.declare(gross, netted, 0);
        (gross != said).then(|| format!("{gross} flowed until {at}, and not {said}"))
    }

    /// Whether units may change at a moment: all that flows has flowed until then.
    pub(super) fn is_even(&self, at: Time) -> bool {
        self.flows.is_even(at)
    }

    pub(super) fn is_held(&self) -> bool {
        self.units.values().any(|units| *units > 0)
    }

    /// What went back, and nobody has made up for.
    pub(super) fn deficit(&self) -> u128 {
        self.reversed.saturating_sub(self.netted).saturating_sub(self.mirrored)
    }

    /// What came again, and was not declared again.
    pub(super) fn surplus(&self) -> u128 {
        self.restored.saturating_sub(self.regained)
    }

    /// What is on its way to the holders.
    pub(super) fn flowing(&self) -> u128 {
        self.flows.left()
    }

    /// What a holder has earned, at least and at most.
    pub(super) fn earned(&self, holder: &Name) -> (u128, u128) {
        let Some(ideal) = self.ideal.get(holder) else { return (0, 0) };
        let slack = self.slack();
        let least = (ideal.saturating_sub(slack) >> FRACTION_BITS).saturating_sub(1);
        let most = (ideal.saturating_add(slack) >> FRACTION_BITS).saturating_add(1);
        (least, most)
    }

    fn give(&mut self, amount: u128) {
        self.declared = self.declared.saturating_add(amount);
        let supply: u128 = self.units.values().sum();
        for (holder, units) in &self.units {
            let whole = amount.saturating_mul(*units);
            let rest = whole.checked_rem(supply).unwrap_or(0) << FRACTION_BITS;
            let whole = whole.checked_div(supply).unwrap_or(0) << FRACTION_BITS;
            let ideal = self.ideal.entry(holder.clone()).or_default();
            *ideal = ideal.saturating_add(whole);
            *ideal = ideal.saturating_add(rest.checked_div(supply).unwrap_or(0));
        }
        self.cut_off = self.cut_off.saturating_add(1);
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
        changed.saturating_add(self.cut_off)
    }
}

const FRACTION_BITS: u32 = 40;
