//! What facts of pools say, in plain integers: units, declarations, flows.

use std::collections::BTreeSet;

use divvy_core::{
    Accrued, Amount, Body, Compounded, Declared, Fact, Flowing, Issued, Name, Stream, Time, Units,
};

use crate::simulation::expected::{Expected, Wrong, add};

impl Expected {
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else changes a pool")]
    pub(super) fn pool(&mut self, name: &str, fact: &Fact, body: &Body) -> Wrong {
        let at = fact.at;
        let pool = self.pools.entry(name.to_owned()).or_default();
        let changes = matches!(body, Body::Issued(_) | Body::Redeemed(_) | Body::Moved(_));
        if changes && !pool.is_even(at) {
            return Some(format!("units of {name} change at {at}, before what has flowed"));
        }
        match body {
            Body::PoolOpened(opened) => pool.open(opened),
            Body::Issued(issued) => {
                pool.issue(issued);
                return self.is_staked(name, issued);
            }
            Body::Redeemed(redeemed) => pool.redeem(redeemed),
            Body::Moved(moved) => pool.move_units(moved),
            Body::Declared(declared) => return self.declare(name, (fact.n, declared)),
            Body::Flowing(flowing) => return self.flow(name, flowing, at),
            Body::Accrued(Accrued { gross, netted, .. }) => {
                let netted = netted.map_or(0, u128::from);
                return pool.accrue((*gross).into(), netted, at);
            }
            Body::Mirrored(mirrored) => {
                for (holder, amount) in &mirrored.entries {
                    pool.mirrored = pool.mirrored.saturating_add((*amount).into());
                    add(&mut self.taken, holder, (*amount).into());
                }
            }
            _ => {}
        }
        None
    }

    /// Money that became units brings as many of them.
    fn is_staked(&mut self, pool: &str, issued: &Issued) -> Wrong {
        let Compounded { pool: of, holder, amount } = self.staked.take()?;
        let own = |(to, units): &(Name, Units)| *to == holder && units.get() == amount.get();
        let right = of.as_str() == pool && issued.entries.len() == 1;
        let right = right && issued.entries.iter().all(own);
        (!right).then(|| format!("{amount} of {holder} became {:?} of {pool}", issued.entries))
    }

    fn declare(&mut self, name: &str, (n, declared): (u64, &Declared)) -> Wrong {
        let (gross, missing) = self.parts_for(name, &declared.payments);
        let some = |amount: Option<Amount>| amount.map_or(0, u128::from);
        let drawn = some(declared.drawn);
        let payee = self.pools.get(name).and_then(|pool| pool.payee.clone());
        let most = payee.as_ref().map_or(0, |payee| self.passable(payee));
        if drawn > most {
            return Some(format!("{name} draws {drawn}, its payee had {most}"));
        }
        payee.iter().for_each(|payee| add(&mut self.passed, payee, drawn));
        self.drawn = self.drawn.saturating_add(drawn);
        let pool = self.pools.entry(name.to_owned()).or_default();
        let all = gross.saturating_add(drawn);
        let (netted, regained) = (some(declared.netted), some(declared.regained));
        pool.declare(all, netted, regained);
        pool.keep(n, all.saturating_add(regained).saturating_sub(netted));
        let wrong = gross != u128::from(declared.gross);
        missing.or_else(|| wrong.then(|| format!("{gross} is declared in {name}, not otherwise")))
    }

    fn flow(&mut self, name: &str, flowing: &Flowing, at: Time) -> Wrong {
        let (gross, missing) = self.parts_for(name, &flowing.payments);
        let pool = self.pools.entry(name.to_owned()).or_default();
        let wrong = pool.begin_flow(gross, flowing, at);
        let other = gross != u128::from(flowing.gross);
        let wrong = wrong.or_else(|| other.then(|| format!("{gross} begin to flow in {name}")));
        missing.or(wrong)
    }

    /// What a pool's payee may pass on at most. What went back meanwhile is owed back.
    fn passable(&self, payee: &Name) -> u128 {
        let ever = [&self.gone, &self.taken].map(|sums| sums.get(payee).copied().unwrap_or(0));
        let ever = self.bounds(payee).most.saturating_add(ever.into_iter().sum());
        ever.saturating_sub(self.passed(payee))
    }

    /// What waits for a pool of these payments, each of which is taken once.
    fn parts_for(&mut self, pool: &str, payments: &[Stream]) -> (u128, Wrong) {
        let names: BTreeSet<&Stream> = payments.iter().collect();
        let mut sum = 0_u128;
        for payment in &names {
            let Some(part) = self.waiting.remove(&(pool.to_owned(), (*payment).clone())) else {
                return (sum, Some(format!("nothing of {payment} waits for {pool}")));
            };
            sum = sum.saturating_add(part);
        }
        let twice = names.len() < payments.len();
        (sum, twice.then(|| format!("a payment is for {pool} twice")))
    }
}
