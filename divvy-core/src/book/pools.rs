//! A pool inside a book: its shared part, its holders, and what waits to be declared.

use std::collections::{BTreeMap, HashMap};

use crate::amount::Amount;
use crate::book::{Book, PayeeId};
use crate::error::{Code, Error};
use crate::fact::{Declared, Head, Stream};
use crate::name::Name;
use crate::pool::{Holder, Pool, Units};
use crate::time::Time;

/// One pool of a book.
#[derive(Clone, Debug)]
pub(super) struct PoolAccount {
    pub(super) name: Name,
    pub(super) head: Head,
    pub(super) pool: Pool,
    pub(super) holders: HashMap<PayeeId, Holder>,
    /// The parts of payments that wait for a declaration.
    pub(super) undeclared: BTreeMap<Stream, Amount>,
    pub(super) undeclared_total: Amount,
}

impl PoolAccount {
    pub(super) fn new(name: Name, head: Head, supply: Units) -> Result<Self, Error> {
        Ok(Self {
            name,
            head,
            pool: Pool::open(supply)?,
            holders: HashMap::new(),
            undeclared: BTreeMap::new(),
            undeclared_total: Amount::ZERO,
        })
    }

    /// What one payee has earned from this pool up to now.
    pub(super) fn earned(&self, payee: PayeeId) -> Amount {
        self.holders.get(&payee).map_or(Amount::ZERO, |holder| self.pool.earned(holder))
    }

    /// Takes a declaration's payments out of what waits, and gives them to the pool.
    ///
    /// Returns false when a payment that it names has not been seen yet.
    pub(super) fn declare(&mut self, declared: &Declared) -> Result<bool, Error> {
        let mut gross = Amount::ZERO;
        for payment in &declared.payments {
            let Some(part) = self.undeclared.get(payment) else { return Ok(false) };
            gross = gross.plus(*part)?;
        }
        let mut pool = self.pool.clone();
        pool.declare(gross)?;
        if gross != declared.gross || pool.index() != declared.index {
            let detail = format!(
                "a declaration of {} says {} and index {}, its payments give {gross} and {}",
                self.name,
                declared.gross,
                declared.index,
                pool.index()
            );
            return Err(Error::new(Code::PoolBroken, detail));
        }
        let left = self.undeclared_total.minus(gross)?;
        for payment in &declared.payments {
            if self.undeclared.remove(payment).is_none() {
                let detail = format!("{payment} is declared twice in one declaration");
                return Err(Error::new(Code::PaymentNotDeclarable, detail));
            }
        }
        self.undeclared_total = left;
        self.pool = pool;
        self.pool.check()?;
        Ok(true)
    }
}

impl Book {
    /// The names of the book's pools, in the order in which they were opened.
    pub fn pools(&self) -> impl Iterator<Item = &Name> {
        self.pools.iter().map(|account| &account.name)
    }

    /// The shared part of a pool.
    ///
    /// # Errors
    /// [`Code::PoolUnknown`] for a name that is no pool of this book.
    pub fn pool(&self, pool: &str) -> Result<&Pool, Error> {
        Ok(&self.pool_account(pool)?.pool)
    }

    /// The units that a payee holds in a pool now.
    ///
    /// # Errors
    /// [`Code::PoolUnknown`] for a name that is no pool of this book.
    pub fn units(&self, pool: &str, payee: &str) -> Result<Units, Error> {
        let account = self.pool_account(pool)?;
        let holder = self.payee_ids.get(payee).and_then(|id| account.holders.get(id));
        Ok(holder.map_or(Units::ZERO, Holder::units))
    }

    /// Every holder of a pool with units, in the order in which they were first named.
    ///
    /// # Errors
    /// [`Code::PoolUnknown`] for a name that is no pool of this book.
    pub fn holders(&self, pool: &str) -> Result<Vec<(&Name, Units)>, Error> {
        let account = self.pool_account(pool)?;
        let mut ids: Vec<_> =
            account.holders.iter().filter(|(_, holder)| holder.units() > Units::ZERO).collect();
        ids.sort_unstable_by_key(|(id, _)| **id);
        let named =
            |(id, holder): (&PayeeId, &Holder)| Ok((&self.payee(*id)?.name, holder.units()));
        ids.into_iter().map(named).collect()
    }

    /// The payments whose part for a pool waits for a declaration, and the sum of their parts.
    ///
    /// # Errors
    /// [`Code::PoolUnknown`] for a name that is no pool of this book.
    pub fn undeclared(&self, pool: &str) -> Result<(Vec<Stream>, Amount), Error> {
        let account = self.pool_account(pool)?;
        Ok((account.undeclared.keys().cloned().collect(), account.undeclared_total))
    }

    pub(super) fn pool_account(&self, pool: &str) -> Result<&PoolAccount, Error> {
        let id = self.pool_id(pool).ok_or_else(|| {
            let detail = format!("{} has no pool {pool:?}: open it first", self.name);
            Error::new(Code::PoolUnknown, detail)
        })?;
        self.pools.get(id).ok_or_else(|| Error::new(Code::PoolUnknown, "a pool went missing"))
    }

    pub(super) fn pool_id(&self, pool: &str) -> Option<usize> {
        self.pools.iter().position(|account| account.name.as_str() == pool)
    }

    /// Changes units with the holders that a change needs, and arms those payees anew.
    pub(super) fn with_holders(
        &mut self,
        pool_id: usize,
        payees: &[PayeeId],
        at: Time,
        change: impl FnOnce(&mut Pool, &mut [Holder]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(account) = self.pools.get_mut(pool_id) else {
            return Err(Error::new(Code::PoolUnknown, "a pool went missing"));
        };
        let fresh = |id: &PayeeId| account.holders.get(id).copied().unwrap_or_default();
        let mut holders: Vec<Holder> = payees.iter().map(fresh).collect();
        let mut pool = account.pool.clone();
        change(&mut pool, &mut holders)?;
        account.pool = pool;
        for (payee, holder) in payees.iter().zip(holders) {
            account.holders.insert(*payee, holder);
        }
        let pool_number = u32::try_from(pool_id).unwrap_or(u32::MAX);
        for payee in payees {
            self.payee_mut(*payee)?.joins(pool_number);
            self.arm(*payee, at)?;
        }
        Ok(())
    }
}

impl crate::book::payee::Payee {
    fn joins(&mut self, pool: u32) {
        if !self.pools.contains(&pool) {
            let mut pools = self.pools.to_vec();
            pools.push(pool);
            self.pools = pools.into();
        }
    }
}
