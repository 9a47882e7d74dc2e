//! A pool as it would be kept by hand: whatever is given out goes to every holder, one by one.

use std::collections::BTreeMap;

/// A pool, and everything on its way into it.
#[derive(Clone, Debug)]
pub(crate) struct Fund {
    /// The least that is told apart is one minor unit divided by this.
    pub(crate) scale: i128,
    pub(crate) supply: i128,
    pub(crate) units: Vec<i128>,
    /// What everyone has got, scaled.
    credit: Vec<i128>,
    /// What did not go up in the last division.
    pub(crate) rest: i128,
    /// What a unit has got since the beginning, scaled.
    pub(crate) per_unit: i128,
    pub(crate) declared: i128,
    /// Whose earnings go to the holders.
    pub(crate) fed_by: Option<usize>,
    /// What they have passed on.
    pub(crate) drawn: i128,
    /// Parts of payments that nobody has yet.
    pub(crate) waiting: BTreeMap<String, i128>,
    /// What went back, and is still to be kept back.
    pub(crate) owes: i128,
    /// What came again, and is still to be given out.
    pub(crate) again: i128,
    pub(crate) flow_millis: Option<i128>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) flowed_until: i128,
    pub(crate) declarations: Vec<Declaration>,
    /// What a unit had got, whenever that had changed.
    pub(crate) indexes: Vec<(i128, i128)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Flow {
    amount: i128,
    millis: i128,
    passed: i128,
    flowed: i128,
}

/// What one declaration gave out, and whom it brought how many whole units.
#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    pub(crate) payments: Vec<String>,
    pub(crate) gross: i128,
    pub(crate) netted: i128,
    pub(crate) regained: i128,
    pub(crate) drawn: i128,
    pub(crate) effective: i128,
    brought: Vec<i128>,
    /// What a unit had got before and after.
    pub(crate) indexes: [i128; 2],
    /// Who held how many units.
    pub(crate) units: Vec<i128>,
}

impl Flow {
    pub(crate) fn left(&self) -> i128 {
        self.amount - self.flowed
    }
}

impl Fund {
    pub(crate) fn open(supply: i128, people: usize) -> Self {
        Self {
            scale: (1 << 64) / supply * supply,
            supply: 0,
            units: vec![0; people],
            credit: vec![0; people],
            rest: 0,
            per_unit: 0,
            declared: 0,
            fed_by: None,
            drawn: 0,
            waiting: BTreeMap::new(),
            owes: 0,
            again: 0,
            flow_millis: None,
            flows: Vec::new(),
            flowed_until: 0,
            declarations: Vec::new(),
            indexes: Vec::new(),
        }
    }

    pub(crate) fn earned(&self, who: usize) -> i128 {
        self.credit[who] / self.scale
    }

    /// What a unit had got before a moment.
    pub(crate) fn per_unit_at(&self, at: i128) -> i128 {
        self.indexes.iter().rev().find(|(when, _)| *when < at).map_or(0, |(_, index)| *index)
    }

    pub(crate) fn waits(&self) -> i128 {
        self.waiting.values().sum::<i128>() + self.flows.iter().map(Flow::left).sum::<i128>()
    }

    /// Gives an amount to everyone by their units; says how many whole ones each got of it.
    fn give(&mut self, amount: i128) -> Vec<i128> {
        let scaled = amount * self.scale + self.rest;
        let each = scaled / self.supply;
        self.rest = scaled % self.supply;
        self.per_unit += each;
        self.declared += amount;
        for (credit, units) in self.credit.iter_mut().zip(&self.units) {
            *credit += units * each;
        }
        self.units.iter().map(|units| units * each / self.scale).collect()
    }

    /// Gives out everything that waits, with what its payee has earned; says whether it did.
    pub(crate) fn declare(&mut self, drawn: i128) -> bool {
        let beside = self.again + drawn;
        if self.supply == 0 || self.waiting.is_empty() && beside <= self.owes {
            return false;
        }
        let gross: i128 = self.waiting.values().sum();
        let netted = self.owes.min(gross + beside);
        let effective = gross + beside - netted;
        let regained = std::mem::take(&mut self.again);
        self.owes -= netted;
        let payments = std::mem::take(&mut self.waiting).into_keys().collect();
        let before = self.per_unit;
        let brought = self.give(effective);
        let (indexes, units) = ([before, self.per_unit], self.units.clone());
        self.declarations.push(Declaration {
            payments,
            gross,
            netted,
            regained,
            drawn,
            effective,
            brought,
            indexes,
            units,
        });
        true
    }

    /// What has flowed up to a moment, by now; time counts only while somebody is there.
    fn pass(&mut self, at: i128) -> i128 {
        let millis = if self.supply == 0 { 0 } else { at - self.flowed_until };
        let mut gross = 0;
        for flow in &mut self.flows {
            if self.supply == 0 {
                continue;
            }
            flow.passed = (flow.passed + millis).min(flow.millis);
            let flowed = if flow.millis == 0 {
                flow.amount
            } else {
                flow.amount * flow.passed / flow.millis
            };
            gross += flowed - flow.flowed;
            flow.flowed = flowed;
        }
        self.flows.retain(|flow| flow.left() > 0 || flow.passed < flow.millis);
        self.flowed_until = at;
        gross
    }

    /// Gives what has flowed until now to those who hold units now.
    pub(crate) fn accrue(&mut self, at: i128) {
        if self.flows.is_empty() || at == self.flowed_until {
            return;
        }
        let gross = self.pass(at);
        if gross > 0 {
            let netted = self.owes.min(gross);
            self.owes -= netted;
            self.give(gross - netted);
        }
    }

    /// What waits begins to flow, behind what has flowed so far.
    pub(crate) fn let_in(&mut self, at: i128) {
        let Some(millis) = self.flow_millis else { return };
        let begins = !self.waiting.is_empty() || self.again > 0;
        let nothing = self.clone().pass(at) == 0;
        if begins || !nothing {
            self.accrue(at);
        }
        if begins {
            let waiting: i128 = std::mem::take(&mut self.waiting).into_values().sum();
            let amount = waiting + std::mem::take(&mut self.again);
            self.flows.push(Flow { amount, millis, passed: 0, flowed: 0 });
            self.flowed_until = at;
        }
    }

    pub(crate) fn add(&mut self, holder: usize, units: i128) {
        self.units[holder] += units;
        self.supply += units;
    }

    /// Who gives back how much when a payment's part goes from this to that much reversed.
    pub(crate) fn given_back(
        &self,
        payment: &str,
        part: i128,
        [before, after, whole]: [i128; 3],
    ) -> Vec<(usize, i128)> {
        let named = |one: &&Declaration| one.payments.iter().any(|name| name == payment);
        let Some(one) = self.declarations.iter().find(named) else { return Vec::new() };
        if one.effective == 0 {
            return Vec::new();
        }
        let reached = part * (one.gross - one.netted).max(0) / one.gross;
        let of = |part: i128| (part * after / whole - part * before / whole).max(0);
        let taken = of(part).min(of(reached)).min(one.effective);
        let shares = one.brought.iter().map(|brought| brought * taken / one.effective);
        shares.enumerate().filter(|(_, share)| *share > 0).collect()
    }
}
