//! A pool inside a book: its shared part, its holders, and what waits to be declared.

use std::collections::{BTreeMap, HashMap};

use crate::amount::Amount;
use crate::book::payee::Holding;
use crate::book::reversals::Makeup;
use crate::book::{Book, PayeeId, place};
use crate::error::{Code, Error};
use crate::fact::{Body, Declared, Hash, Head, PoolOpened, Stream};
use crate::name::Name;
use crate::pool::{Flow, Holder, Index, Pool, Units};
use crate::proof::Holders;
use crate::time::Time;
use crate::verify::same;

/// One pool of a book.
#[derive(Clone, Debug)]
pub(super) struct PoolAccount {
    pub(super) name: Name,
    pub(super) head: Head,
    pub(super) pool: Pool,
    /// Everyone who ever held units, by slot; a payee knows their slots.
    pub(super) holders: Vec<Holder>,
    /// Who has which slot.
    pub(super) members: Vec<PayeeId>,
    /// The parts of payments that wait for a declaration.
    pub(super) undeclared: HashMap<Stream, Amount>,
    pub(super) undeclared_total: Amount,
    /// What went back of its parts, and what makes up for it.
    pub(super) makeup: Makeup,
    /// Over how long its money flows, when it is not declared at once.
    pub(super) flow_millis: Option<u64>,
    /// What is on its way.
    pub(super) flows: Vec<Flow>,
    /// The moment up to which what has flowed is accrued.
    pub(super) flowed_until: Time,
    /// Whether its declarations commit to the holders.
    pub(super) proofs: bool,
    /// The root over the holders, and their number, until units move.
    pub(super) rooted: Option<(Hash, u64)>,
    /// The payee whose earnings are this pool's, if anybody's.
    pub(super) payee: Option<PayeeId>,
    /// What that payee has passed on.
    pub(super) drawn: Amount,
    /// The index with which each of the last days began that has a fact, by the day's number.
    pub(super) begun: BTreeMap<u32, Index>,
}

impl Declared {
    /// What it kept back, and what it added.
    pub(super) fn made_up(&self) -> (Amount, Amount) {
        (self.netted.unwrap_or(Amount::ZERO), self.regained.unwrap_or(Amount::ZERO))
    }

    /// What it distributes: gross, less what was kept back, and what was added.
    pub(crate) fn effective(&self) -> Result<Amount, Error> {
        let (netted, regained) = self.made_up();
        let drawn = self.drawn.unwrap_or(Amount::ZERO);
        self.gross.plus(regained)?.plus(drawn)?.minus(netted)
    }
}

impl PoolAccount {
    pub(super) fn new(
        name: Name,
        head: Head,
        opened: &PoolOpened,
        payee: Option<PayeeId>,
    ) -> Result<Self, Error> {
        Ok(Self {
            name,
            head,
            pool: Pool::open(opened.supply)?,
            holders: Vec::new(),
            members: Vec::new(),
            undeclared: HashMap::new(),
            undeclared_total: Amount::ZERO,
            makeup: Makeup::default(),
            flow_millis: opened.flow_millis,
            flows: Vec::new(),
            flowed_until: Time::ZERO,
            proofs: opened.proofs.is_some(),
            rooted: None,
            payee,
            drawn: Amount::ZERO,
            begun: BTreeMap::new(),
        })
    }

    /// What one holder has earned from this pool up to now.
    pub(super) fn earned(&self, slot: u32) -> Amount {
        self.holders.get(place(slot)).map_or(Amount::ZERO, |holder| self.pool.earned(holder))
    }

    /// Compares a live fold of this pool with this one from zero.
    pub(super) fn compare(&self, live: &Self) -> Result<(), Error> {
        let of = self.name.as_str();
        same(of, "name", &self.name, &live.name)?;
        same(of, "head", &self.head, &live.head)?;
        same(of, "shared part", &self.pool, &live.pool)?;
        same(of, "undeclared", &self.undeclared_total, &live.undeclared_total)?;
        same(of, "proofs", &(self.proofs, self.rooted), &(live.proofs, live.rooted))?;
        let flows = |account: &Self| (account.flow_millis, account.flowed_until);
        same(of, "payee", &(self.payee, self.drawn), &(live.payee, live.drawn))?;
        same(of, "flow", &flows(self), &flows(live))?;
        same(of, "flows", &self.flows, &live.flows)?;
        same(of, "what went back", &self.makeup, &live.makeup)?;
        same(of, "waiting", &self.undeclared.len(), &live.undeclared.len())?;
        for (payment, part) in &self.undeclared {
            same(payment.as_str(), "part", &Some(part), &live.undeclared.get(payment))?;
        }
        same(of, "members", &self.members.len(), &live.members.len())?;
        let own = self.members.iter().zip(&self.holders);
        own.zip(live.members.iter().zip(&live.holders))
            .try_for_each(|(own, live)| same(of, "holder", &own, &live))
    }

    /// What waits for a declaration, in the order of the payments' names.
    pub(super) fn waiting(&self) -> Vec<(&Stream, Amount)> {
        let mut waiting: Vec<_> =
            self.undeclared.iter().map(|(payment, part)| (payment, *part)).collect();
        waiting.sort_unstable_by_key(|(payment, _)| *payment);
        waiting
    }

    /// The root over everyone who holds units now, and how many they are.
    pub(super) fn root<'a>(&'a self, name: impl Fn(PayeeId) -> Option<&'a Name>) -> (Hash, u64) {
        self.rooted.unwrap_or_else(|| {
            let holders = Holders::of(&self.sorted(name), &self.pool);
            (holders.root, holders.count)
        })
    }

    /// Everyone who holds units now, sorted by the bytes of their names.
    pub(super) fn sorted<'a>(
        &'a self,
        name: impl Fn(PayeeId) -> Option<&'a Name>,
    ) -> Vec<(&'a Name, Units)> {
        let members = self.members.iter().zip(&self.holders);
        let holding = members.filter(|(_, holder)| holder.units() > Units::ZERO);
        let named = holding.filter_map(|(id, holder)| Some((name(*id)?, holder.units())));
        let mut sorted: Vec<_> = named.collect();
        sorted.sort_unstable();
        sorted
    }

    /// Declarations of everything that waits, each of at most so many payments. What has gone back
    /// since is kept back from them, and what came again is added.
    pub(super) fn declarations<'a>(
        &'a self,
        payments_max: usize,
        mut drawable: Amount,
        name: impl Fn(PayeeId) -> Option<&'a Name>,
    ) -> Result<Vec<Body>, Error> {
        let mut root = None;
        let waiting = self.waiting();
        let (mut pool, mut makeup) = (self.pool.clone(), self.makeup);
        let mut bodies = Vec::new();
        let alone: &[(&Stream, Amount)] = &[];
        let beside = makeup.surplus().plus(drawable)?;
        let only_again = waiting.is_empty() && beside > makeup.deficit();
        for chunk in waiting.chunks(payments_max).chain(only_again.then_some(alone)) {
            let gross = Amount::total(chunk.iter().map(|(_, part)| *part))?;
            let drawn = std::mem::take(&mut drawable);
            let (netted, regained) = makeup.next(gross.plus(drawn)?)?;
            makeup.declared(netted, regained)?;
            let payments = chunk.iter().map(|(stream, _)| (*stream).clone()).collect();
            let some = |amount: Amount| (!amount.is_zero()).then_some(amount);
            let (netted, regained, drawn) = (some(netted), some(regained), some(drawn));
            let mut holders = None;
            if self.proofs {
                let (root, count) = *root.get_or_insert_with(|| self.root(&name));
                holders = Some(Holders { root, count, ..Holders::of(&[], &pool) });
            }
            let index = pool.index();
            let mut declared =
                Declared { payments, gross, index, netted, regained, holders, drawn };
            pool.declare(declared.effective()?)?;
            declared.index = pool.index();
            bodies.push(Body::Declared(declared));
        }
        Ok(bodies)
    }

    /// Whether what a declaration says of the holders fits the pool before it.
    fn check_holders(&self, declared: &Declared) -> Result<(), Error> {
        let said = declared.holders.as_ref();
        let root = self.rooted.or(said.map(|said| (said.root, said.count)));
        let own = root.filter(|_| self.proofs);
        let own = own.map(|(root, count)| Holders { root, count, ..Holders::of(&[], &self.pool) });
        if said == own.as_ref() && self.proofs == said.is_some() {
            return Ok(());
        }
        let detail = format!("a declaration of {} commits to other holders", self.name);
        Err(Error::new(Code::PoolBroken, detail))
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
        let (netted, regained) = declared.made_up();
        let mut makeup = self.makeup;
        if !makeup.declared(netted, regained)? {
            return Ok(false);
        }
        let mut pool = self.pool.clone();
        pool.declare(declared.effective()?)?;
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
        self.check_holders(declared)?;
        if let Some(holders) = &declared.holders {
            self.rooted = Some((holders.root, holders.count));
        }
        self.undeclared_total = left;
        self.makeup = makeup;
        self.pool = pool;
        self.pool.check()?;
        Ok(true)
    }
}

impl Book {
    /// Recomputes the root over the holders that a declaration commits to, where that is wanted:
    /// it costs the number of holders.
    pub(super) fn check_root(&self, pool: u32, declared: &Declared) -> Result<(), Error> {
        let Some(said) = declared.holders.as_ref().filter(|_| self.strict) else { return Ok(()) };
        let account = self.pools.get(place(pool)).ok_or_else(missing)?;
        if account.root(|id| self.name_of(id)) == (said.root, said.count) {
            return Ok(());
        }
        let detail = format!("a declaration of {} commits to other holders", account.name);
        Err(Error::new(Code::PoolBroken, detail))
    }

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
        let (account, number) = (self.pool_account(pool)?, self.pool_id(pool));
        let payee = self.payee_ids.get(payee).and_then(|id| self.payee(*id).ok());
        let slot = payee.zip(number).and_then(|(payee, pool)| payee.slot_in(pool));
        let holder = slot.and_then(|slot| account.holders.get(place(slot)));
        Ok(holder.map_or(Units::ZERO, Holder::units))
    }

    /// Every holder of a pool with units, in the order in which they were first named.
    ///
    /// # Errors
    /// [`Code::PoolUnknown`] for a name that is no pool of this book.
    pub fn holders(&self, pool: &str) -> Result<Vec<(&Name, Units)>, Error> {
        let account = self.pool_account(pool)?;
        let members = account.members.iter().zip(&account.holders);
        let mut ids: Vec<_> = members.filter(|(_, holder)| holder.units() > Units::ZERO).collect();
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
        let payments = account.waiting().into_iter().map(|(payment, _)| payment.clone()).collect();
        Ok((payments, account.undeclared_total))
    }

    pub(super) fn pool_account(&self, pool: &str) -> Result<&PoolAccount, Error> {
        let id = self.pool_id(pool).ok_or_else(|| {
            let detail = format!("{} has no pool {pool:?}: open it first", self.name);
            Error::new(Code::PoolUnknown, detail)
        })?;
        self.pools.get(place(id)).ok_or_else(missing)
    }

    pub(super) fn pool_id(&self, pool: &str) -> Option<u32> {
        let at = self.pools.iter().position(|account| account.name.as_str() == pool)?;
        u32::try_from(at).ok()
    }

    /// Changes the units of one holder, and arms that payee anew.
    pub(super) fn with_holder(
        &mut self,
        pool: u32,
        payee: PayeeId,
        at: Time,
        change: impl FnOnce(&mut Pool, &mut Holder) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut holder = self.holder(pool, payee)?;
        change(&mut self.account_mut(pool)?.pool, &mut holder)?;
        self.keep_holder(pool, payee, holder)?;
        self.arm(payee, at)
    }

    /// Moves units between two holders, and arms both payees anew.
    pub(super) fn move_units(
        &mut self,
        pool: u32,
        [from, to]: [PayeeId; 2],
        units: Units,
        at: Time,
    ) -> Result<(), Error> {
        if from == to {
            return Err(Error::new(Code::PoolUnits, "units cannot move to who holds them"));
        }
        let mut giver = self.holder(pool, from)?;
        let mut taker = self.holder(pool, to)?;
        self.account_mut(pool)?.pool.transfer(&mut giver, &mut taker, units)?;
        for (payee, holder) in [(from, giver), (to, taker)] {
            self.keep_holder(pool, payee, holder)?;
            self.arm(payee, at)?;
        }
        Ok(())
    }

    /// What a pool keeps of a payee; of one who never held a unit, nothing yet.
    fn holder(&self, pool: u32, payee: PayeeId) -> Result<Holder, Error> {
        let slot = self.payee(payee)?.slot_in(pool);
        let account = self.pools.get(place(pool)).ok_or_else(missing)?;
        Ok(slot.and_then(|slot| account.holders.get(place(slot)).copied()).unwrap_or_default())
    }

    fn keep_holder(&mut self, pool: u32, payee: PayeeId, holder: Holder) -> Result<(), Error> {
        let known = self.payee(payee)?.slot_in(pool);
        let account = self.account_mut(pool)?;
        if let Some(kept) = known.and_then(|slot| account.holders.get_mut(place(slot))) {
            *kept = holder;
            return Ok(());
        }
        let slot = u32::try_from(account.holders.len()).map_err(|_| missing())?;
        account.holders.push(holder);
        account.members.push(payee);
        let payee = self.payee_mut(payee)?;
        let joined = payee.holdings.iter().copied().chain([Holding { pool, slot }]);
        payee.holdings = joined.collect();
        Ok(())
    }

    pub(super) fn account_mut(&mut self, pool: u32) -> Result<&mut PoolAccount, Error> {
        self.pools.get_mut(place(pool)).ok_or_else(missing)
    }
}

fn missing() -> Error {
    Error::new(Code::PoolUnknown, "a pool went missing: run verify")
}
