//! What each fact does to a book.

use crate::amount::Amount;
use crate::book::payee::{Choices, Chosen};
use crate::book::pools::PoolAccount;
use crate::book::{Book, PayeeId};
use crate::error::{Code, Error};
use crate::fact::{Body, Declared, Fact, Hash, Head, Issued, PayeeSet, Place};
use crate::name::Name;
use crate::pool::Units;
use crate::split::Target;
use crate::time::Time;

/// Whether a fact could be folded, or has to wait for what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folded {
    Yes,
    Early,
}

impl Folded {
    pub(crate) fn is_done(self) -> bool {
        self == Self::Yes
    }
}

impl Book {
    /// Folds one fact of this book.
    pub(crate) fn apply(&mut self, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        let folded = match fact.stream.place() {
            Place::Rule { .. } => self.apply_rule(fact, body)?,
            Place::Pool { pool, .. } => self.apply_pool(pool, fact, body)?,
            Place::Payee { payee, .. } => self.apply_payee(payee, fact, body)?,
            Place::Payment { .. } => self.apply_payment(fact, body)?,
            Place::Run { .. } => self.apply_run(fact, body)?,
            Place::Batch { run, i, .. } => self.apply_batch((run, i), fact, body)?,
            Place::Coins { .. } => return Err(misplaced(fact)),
        };
        if folded == Folded::Yes {
            self.newest = self.newest.max(fact.at);
            self.totals.facts = self.totals.facts.saturating_add(1);
            self.check_accrual()?;
        }
        Ok(folded)
    }

    fn apply_rule(&mut self, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        let Body::RuleSet(rule) = body else { return Err(misplaced(fact)) };
        if !follows(&self.rule_head, fact) {
            return Ok(Folded::Early);
        }
        for leg in rule.legs.legs() {
            match &leg.to {
                Target::Payee(payee) => {
                    self.payee_named(&Name::new(payee)?)?;
                }
                Target::Pool(pool) if self.pool_id(pool.as_str()).is_none() => {
                    return Ok(Folded::Early);
                }
                Target::Pool(_) => (),
            }
        }
        self.rules.push(rule.clone());
        self.rule_head = Head::after(fact);
        Ok(Folded::Yes)
    }

    fn apply_payment(&mut self, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        let Body::Recorded(recorded) = body else { return Err(misplaced(fact)) };
        let total = self.totals.recorded.plus(recorded.amount)?;
        let event_at = recorded.event_at;
        match self.rule_at(event_at) {
            None => {
                self.unruled.insert(fact.stream.clone(), recorded.amount);
                self.totals.undeclared = self.totals.undeclared.plus(recorded.amount)?;
            }
            Some(rule) => {
                let parts = rule.legs.divide(recorded.amount)?;
                let targets: Vec<Target> =
                    rule.legs.legs().iter().map(|leg| leg.to.clone()).collect();
                for (target, part) in targets.iter().zip(parts) {
                    self.give(target, part, fact)?;
                }
            }
        }
        self.totals.recorded = total;
        self.event_newest = self.event_newest.max(event_at);
        self.event_first = Some(self.event_first.map_or(event_at, |first| first.min(event_at)));
        Ok(Folded::Yes)
    }

    /// One leg of a payment: earned at once by a payee, or waiting for a pool's declaration.
    fn give(&mut self, target: &Target, part: Amount, fact: &Fact) -> Result<(), Error> {
        match target {
            Target::Payee(payee) => {
                let id = self.payee_named(&Name::new(payee)?)?;
                self.totals.one_shot = self.totals.one_shot.plus(part)?;
                let payee = self.payee_mut(id)?;
                payee.one_shot = payee.one_shot.plus(part)?;
                self.arm(id, fact.at)
            }
            Target::Pool(pool) => {
                let known = self.pool_id(pool.as_str()).and_then(|id| self.pools.get_mut(id));
                let Some(account) = known else {
                    return Err(Error::new(Code::PoolUnknown, format!("no pool {pool}: open it")));
                };
                if !part.is_zero() {
                    account.undeclared.insert(fact.stream.clone(), part);
                    account.undeclared_total = account.undeclared_total.plus(part)?;
                    self.totals.undeclared = self.totals.undeclared.plus(part)?;
                }
                Ok(())
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else does not belong into a pool's stream"
    )]
    fn apply_pool(&mut self, pool: &str, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        let Some(id) = self.pool_id(pool) else {
            let Body::PoolOpened(opened) = body else { return Ok(Folded::Early) };
            let account = PoolAccount::new(Name::new(pool)?, Head::after(fact), opened.supply)?;
            self.pools.push(account);
            self.due.add_pool();
            return Ok(Folded::Yes);
        };
        let Some(account) = self.pools.get(id) else { return Err(misplaced(fact)) };
        if !follows(&account.head, fact) {
            return Ok(Folded::Early);
        }
        match body {
            Body::Issued(issued) => self.issue(id, issued, fact.at)?,
            Body::Moved(moved) => {
                let ids = [self.payee_named(&moved.from)?, self.payee_named(&moved.to)?];
                self.move_units(id, ids, moved.units, fact.at)?;
            }
            Body::Redeemed(redeemed) => {
                let holder = self.payee_named(&redeemed.holder)?;
                self.with_holders(id, &[holder], fact.at, |pool, holders| match holders {
                    [holder] => pool.redeem(holder, redeemed.units),
                    _ => Ok(()),
                })?;
            }
            Body::Declared(declared) => {
                if !self.declare_folded(id, declared, fact.at)? {
                    return Ok(Folded::Early);
                }
            }
            _ => return Err(misplaced(fact)),
        }
        if let Some(account) = self.pools.get_mut(id) {
            account.head = Head::after(fact);
            account.pool.check()?;
        }
        Ok(Folded::Yes)
    }

    fn issue(&mut self, pool: usize, issued: &Issued, at: Time) -> Result<(), Error> {
        for (name, units) in &issued.entries {
            let holder = self.payee_named(name)?;
            self.with_holders(pool, &[holder], at, |pool, holders| match holders {
                [holder] => pool.issue(holder, *units),
                _ => Ok(()),
            })?;
        }
        Ok(())
    }

    fn move_units(
        &mut self,
        pool: usize,
        ids: [PayeeId; 2],
        units: Units,
        at: Time,
    ) -> Result<(), Error> {
        if ids[0] == ids[1] {
            return Err(Error::new(Code::PoolUnits, "units cannot move to who holds them"));
        }
        self.with_holders(pool, &ids, at, |pool, holders| match holders {
            [from, to] => pool.transfer(from, to, units),
            _ => Ok(()),
        })
    }

    fn declare_folded(&mut self, id: usize, declared: &Declared, at: Time) -> Result<bool, Error> {
        let Some(account) = self.pools.get_mut(id) else { return Ok(false) };
        if !account.declare(declared)? {
            return Ok(false);
        }
        self.totals.undeclared = self.totals.undeclared.minus(declared.gross)?;
        self.totals.declared = self.totals.declared.plus(declared.gross)?;
        self.wake_crossed(id, at)?;
        Ok(true)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else does not belong into a payee's stream"
    )]
    fn apply_payee(&mut self, payee: &str, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        let id = match self.payee_ids.get(payee) {
            Some(id) => *id,
            None => self.payee_named(&Name::new(payee)?)?,
        };
        let cooling_secs = self.settings.cooling_secs;
        // Who is paid at their own name has a destination already: their first one is a change.
        let first_secs = if self.settings.named_on.is_some() { cooling_secs } else { 0 };
        let payee = self.payee_mut(id)?;
        let choices = payee.choices.get_or_insert_with(|| {
            let hash = Hash::of_stream(&fact.stream);
            let (policy, destination, cooling, held) = (None, None, None, None);
            let past = Vec::new();
            Box::new(Choices { n: 0, hash, policy, destination, cooling, past, held })
        });
        if choices.n != fact.n {
            return Ok(Folded::Early);
        }
        match body {
            Body::PayeeSet(set) => choices.set(set, fact, first_secs, cooling_secs),
            Body::Held(held) => choices.held = Some(held.reason.as_str().into()),
            Body::Released(_) => choices.held = None,
            _ => return Err(misplaced(fact)),
        }
        (choices.n, choices.hash) = (fact.n.saturating_add(1), fact.hash);
        self.arm(id, fact.at)?;
        Ok(Folded::Yes)
    }
}

impl Choices {
    fn set(&mut self, set: &PayeeSet, fact: &Fact, first_secs: u64, cooling_secs: u64) {
        if let Some(policy) = set.policy {
            self.policy = Some(policy);
        }
        let Some(destination) = &set.destination else { return };
        // What has cooled by now is what the new one replaces.
        if let Some(cooled) = self.cooling.take_if(|chosen| chosen.from <= fact.at) {
            self.past.extend(self.destination.replace(*cooled));
        }
        let is_first = self.destination.is_none();
        let from = fact.at.plus_secs(if is_first { first_secs } else { cooling_secs });
        let chosen = Chosen { destination: destination.clone(), n: fact.n, from };
        if is_first && first_secs == 0 {
            self.destination = Some(chosen);
        } else {
            self.cooling = Some(Box::new(chosen));
        }
    }
}

pub(super) fn follows(head: &Head, fact: &Fact) -> bool {
    head.n == fact.n
}

pub(crate) fn misplaced(fact: &Fact) -> Error {
    let detail = format!("fact {} of {} cannot be a {}", fact.n, fact.stream, fact.kind);
    Error::new(Code::FactMalformed, detail)
}
