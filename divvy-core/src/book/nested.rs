//! Pools that hold units of other pools.
//!
//! A pool may have a payee: whatever that payee earns, by legs, as a holder of other pools or in an
//! upline, is not paid out but declared to the pool's holders. The payee earns whole units and
//! keeps the fraction, so every level is exact, and what is owed back comes off the next drawing.

use std::collections::BTreeSet;

use crate::amount::Amount;
use crate::book::pools::PoolAccount;
use crate::book::{Book, PayeeId, lost, place};
use crate::error::{Code, Error};
use crate::fact::Declared;
use crate::name::Name;
use crate::pool::{Holder, Units};
use crate::time::Time;

impl Book {
    /// The pool to whose holders a payee's earnings go, if they do.
    #[must_use]
    pub fn passed_on_to(&self, payee: &str) -> Option<&Name> {
        self.pool_fed_by(*self.payee_ids.get(payee)?).map(|account| &account.name)
    }

    /// Whether a declaration would distribute anything: parts of payments, or what pools' payees
    /// have earned.
    ///
    /// # Errors
    /// [`Code::BookUnbalanced`] when the book contradicts itself.
    pub fn has_undeclared(&self) -> Result<bool, Error> {
        if !self.totals.undeclared.is_zero() {
            return Ok(true);
        }
        for account in &self.pools {
            if account.pool.supply() > Units::ZERO && !self.drawable(account)?.is_zero() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many pools have a payee: so many times a declaration may bring another one.
    #[must_use]
    pub fn pools_nested(&self) -> usize {
        self.pools.iter().filter(|account| account.payee.is_some()).count()
    }

    pub(super) fn pool_fed_by(&self, payee: PayeeId) -> Option<&PoolAccount> {
        self.pools.iter().find(|account| account.payee == Some(payee))
    }

    /// What a pool's payee has earned and not passed on yet.
    pub(super) fn drawable(&self, account: &PoolAccount) -> Result<Amount, Error> {
        account.payee.map_or(Ok(Amount::ZERO), |payee| self.payable(payee))
    }

    /// Refuses to pay out what goes to a pool's holders.
    pub(super) fn check_kept(&self, id: PayeeId) -> Result<(), Error> {
        let Some(account) = self.pool_fed_by(id) else { return Ok(()) };
        let detail = format!("what is earned goes to the holders of {}: plan anew", account.name);
        Err(Error::new(Code::BatchStale, detail))
    }

    /// Refuses a payee of two pools.
    pub(super) fn check_fed_once(&self, payee: &Name) -> Result<(), Error> {
        let Some(pool) = self.passed_on_to(payee.as_str()) else { return Ok(()) };
        let detail = format!("what {payee} earns goes to pool {pool} already: name another payee");
        Err(Error::new(Code::BookConflict, detail))
    }

    /// Refuses a holder whose units would lead a pool's money back to itself.
    pub(super) fn check_holder(&self, pool: &str, holder: &str) -> Result<(), Error> {
        let fed = self.payee_ids.get(holder).and_then(|id| self.pool_fed_by(*id));
        let Some(fed) = fed else { return Ok(()) };
        let reached = self.reached_from(fed);
        if fed.name.as_str() != pool && !reached.iter().any(|name| name.as_str() == pool) {
            return Ok(());
        }
        let detail = format!(
            "{holder} is pool {}, whose money goes to pool {pool}: units of {pool} would lead it \
             round in a circle",
            fed.name
        );
        Err(Error::new(Code::PoolCircle, detail))
    }

    /// Every pool to which the money of one goes on, directly or through others.
    fn reached_from(&self, from: &PoolAccount) -> BTreeSet<&Name> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&PoolAccount> = vec![from];
        while let Some(account) = open.pop() {
            for next in &self.pools {
                if self.holds(account, next) && reached.insert(&next.name) {
                    open.push(next);
                }
            }
        }
        reached
    }

    /// Whether the second pool's payee holds units of the first.
    fn holds(&self, of: &PoolAccount, pool: &PoolAccount) -> bool {
        let number = self.pool_id(of.name.as_str());
        let payee = pool.payee.and_then(|payee| self.payee(payee).ok());
        let slot = payee.zip(number).and_then(|(payee, number)| payee.slot_in(number));
        let holder = slot.and_then(|slot| of.holders.get(place(slot)));
        holder.map_or(Units::ZERO, Holder::units) > Units::ZERO
    }

    /// Everything that a payee ever earned, whatever went back of it: it only grows.
    fn earned_ever(&self, id: PayeeId) -> Result<u128, Error> {
        let back = self.back.get(&id).copied().unwrap_or_default();
        Ok([self.earned(id)?, self.taken(id), back].into_iter().sum())
    }

    /// Takes what a declaration distributes of what the pool's payee earned; false while that is
    /// not seen yet.
    pub(super) fn may_draw(&self, pool: u32, declared: &Declared) -> Result<bool, Error> {
        let Some(drawn) = declared.drawn else { return Ok(true) };
        let account = self.pools.get(place(pool)).ok_or_else(|| lost(pool))?;
        let Some(payee) = account.payee else {
            let detail = format!("pool {} has no payee to draw {drawn} from", account.name);
            return Err(Error::new(Code::PoolBroken, detail));
        };
        Ok(u128::from(account.drawn.plus(drawn)?.get()) <= self.earned_ever(payee)?)
    }

    /// Books what was drawn: the payee passed it on.
    pub(super) fn draw(&mut self, pool: u32, declared: &Declared, at: Time) -> Result<(), Error> {
        let Some(drawn) = declared.drawn else { return Ok(()) };
        let account = self.account_mut(pool)?;
        account.drawn = account.drawn.plus(drawn)?;
        let payee = account.payee.ok_or_else(|| lost(pool))?;
        let totals = &mut self.totals;
        totals.drawn = totals.drawn.plus(drawn)?;
        self.pass_on(payee, drawn, at)
    }

    /// Money that a payee gave up inside the book: it is neither payable nor paid out any more.
    pub(super) fn pass_on(&mut self, id: PayeeId, amount: Amount, at: Time) -> Result<(), Error> {
        let totals = &mut self.totals;
        totals.paid = totals.paid.plus(amount)?;
        totals.moved = totals.moved.plus(amount)?;
        let payee = self.payee_mut(id)?;
        payee.paid = payee.paid.plus(amount)?;
        let sum = self.compounded.entry(id).or_default();
        *sum = sum.plus(amount)?;
        self.arm(id, at)
    }

    /// No pool's money comes back to it, no payee feeds two pools, and what was drawn was earned.
    pub(super) fn check_nested(&self) -> Result<(), Error> {
        let mut fed = BTreeSet::new();
        let mut drawn = 0_u128;
        for account in &self.pools {
            drawn = drawn.saturating_add(account.drawn.into());
            let Some(payee) = account.payee else { continue };
            let name = &account.name;
            if !fed.insert(payee) || self.reached_from(account).contains(name) {
                let detail = format!("the money of pool {name} comes back to it, or goes to two");
                return Err(Error::new(Code::PoolCircle, detail));
            }
            if u128::from(account.drawn) > self.earned_ever(payee)? {
                let detail = format!("pool {name} has drawn more than its payee earned");
                return Err(Error::new(Code::PoolBroken, detail));
            }
        }
        if drawn == u128::from(self.totals.drawn) {
            return Ok(());
        }
        Err(self.unbalanced("drawn", self.totals.drawn, "sum", Amount::from_wide(drawn)?))
    }
}
