//! Pools whose money flows over time: stake, unstake, accrue, compound.
//!
//! The order on a pool's stream is what makes rewards fair: before units change, what has flowed
//! until then is accrued to those who hold them, in the same commit and at the same moment.

use crate::amount::Amount;
use crate::batch::Step;
use crate::book::apply::Folded;
use crate::book::pools::PoolAccount;
use crate::book::{Book, place};
use crate::error::{Code, Error};
use crate::fact::{Accrued, Body, Compounded, Fact, Flowing, Head, Issued, Stream};
use crate::name::Name;
use crate::pool::{Flow, Units};
use crate::time::Time;

/// A fact that lets payments flow names at most so many.
const PAYMENTS_MAX: usize = 1_000;

impl PoolAccount {
    /// Whether something flows, so that units may only change together with what has flowed.
    pub(super) fn flows(&self) -> bool {
        !self.flows.is_empty()
    }

    /// What all flows together have not brought yet.
    pub(super) fn flowing(&self) -> Result<Amount, Error> {
        Amount::total(self.flows.iter().map(Flow::left))
    }

    /// What flows up to a moment; nothing while nobody holds units.
    pub(super) fn flow_until(&self, at: Time) -> Result<(Vec<Flow>, Amount), Error> {
        let (mut flows, mut gross) = (self.flows.clone(), Amount::ZERO);
        // Not even what flows at once: there is nobody to have it.
        if self.pool.supply() == Units::ZERO {
            return Ok((flows, gross));
        }
        let millis = at.millis_since(self.flowed_until);
        for flow in &mut flows {
            gross = gross.plus(flow.pass(millis)?)?;
        }
        flows.retain(|flow| !flow.is_over());
        Ok((flows, gross))
    }

    /// The fact that accrues what has flowed; nothing when nothing flows.
    pub(super) fn accrual(&self, at: Time) -> Result<Option<Body>, Error> {
        if !self.flows() || at == self.flowed_until {
            return Ok(None);
        }
        let (_, gross) = self.flow_until(at)?;
        let netted = self.makeup.deficit().min(gross);
        let mut pool = self.pool.clone();
        if !gross.is_zero() {
            pool.declare(gross.minus(netted)?)?;
        }
        let netted = (!netted.is_zero()).then_some(netted);
        Ok(Some(Body::Accrued(Accrued { gross, index: pool.index(), netted })))
    }

    /// What declares at once in other pools begins to flow in this one.
    fn beginnings(&self, millis: u64) -> Result<Vec<Body>, Error> {
        let waiting = self.waiting();
        let mut again = self.makeup.surplus();
        let alone: &[(&Stream, Amount)] = &[];
        let only_again = waiting.is_empty() && !again.is_zero();
        let mut bodies = Vec::new();
        for chunk in waiting.chunks(PAYMENTS_MAX).chain(only_again.then_some(alone)) {
            let gross = Amount::total(chunk.iter().map(|(_, part)| *part))?;
            let payments = chunk.iter().map(|(stream, _)| (*stream).clone()).collect();
            let again = std::mem::take(&mut again);
            let regained = (!again.is_zero()).then_some(again);
            bodies.push(Body::Flowing(Flowing { payments, gross, millis, regained }));
        }
        Ok(bodies)
    }

    /// The facts by which what waits begins to flow, behind what has flowed until then.
    pub(super) fn flow_on(&self, at: Time) -> Result<Vec<Body>, Error> {
        let Some(millis) = self.flow_millis else { return Ok(Vec::new()) };
        let beginnings = self.beginnings(millis)?;
        // A tick in which nothing flowed is nothing to write.
        let nothing = |body: &Body| matches!(body, Body::Accrued(one) if one.gross.is_zero());
        let accrued = self.accrual(at)?.filter(|body| !beginnings.is_empty() || !nothing(body));
        Ok(accrued.into_iter().chain(beginnings).collect())
    }

    /// Units change only when everything has flowed up to that moment.
    pub(super) fn check_flowed(&self, fact: &Fact) -> Result<(), Error> {
        if !self.flows() || self.flowed_until == fact.at {
            return Ok(());
        }
        let detail = format!(
            "units of {} changed at {}, but what flows was accrued up to {} only",
            self.name, fact.at, self.flowed_until
        );
        Err(Error::new(Code::PoolBroken, detail))
    }

    fn accrue(&mut self, accrued: &Accrued, at: Time) -> Result<bool, Error> {
        let (flows, gross) = self.flow_until(at)?;
        let netted = accrued.netted.unwrap_or(Amount::ZERO);
        let mut makeup = self.makeup;
        if !makeup.declared(netted, Amount::ZERO)? {
            return Ok(false);
        }
        let mut pool = self.pool.clone();
        if !gross.is_zero() {
            pool.declare(gross.minus(netted)?)?;
        }
        if gross != accrued.gross || pool.index() != accrued.index {
            let detail = format!(
                "{} of {} flowed until {at}, and not {}: the index would be {}",
                gross,
                self.name,
                accrued.gross,
                pool.index()
            );
            return Err(Error::new(Code::PoolBroken, detail));
        }
        (self.flows, self.flowed_until, self.makeup, self.pool) = (flows, at, makeup, pool);
        Ok(true)
    }

    fn begin_flow(&mut self, flowing: &Flowing, at: Time) -> Result<bool, Error> {
        let mut gross = Amount::ZERO;
        for payment in &flowing.payments {
            let Some(part) = self.undeclared.get(payment) else { return Ok(false) };
            gross = gross.plus(*part)?;
        }
        if gross != flowing.gross {
            let detail = format!("{} begin to flow in {}, not {gross}", flowing.gross, self.name);
            return Err(Error::new(Code::PoolBroken, detail));
        }
        let regained = flowing.regained.unwrap_or(Amount::ZERO);
        if !self.makeup.declared(Amount::ZERO, regained)? {
            return Ok(false);
        }
        for payment in &flowing.payments {
            if self.undeclared.remove(payment).is_none() {
                let detail = format!("{payment} begins to flow twice");
                return Err(Error::new(Code::PaymentNotDeclarable, detail));
            }
        }
        self.undeclared_total = self.undeclared_total.minus(gross)?;
        self.flows.push(Flow::new(gross.plus(regained)?, flowing.millis));
        self.flowed_until = at;
        Ok(true)
    }
}

impl Book {
    /// What a payee has earned up to now, with what has flowed since the last fact of each pool
    /// where they hold units: a figure to show, while only a fact makes it payable.
    ///
    /// # Errors
    /// [`Code::PayeeUnknown`] for a name that was never part of this book.
    pub fn earned_until(&self, payee: &str, now: Time) -> Result<Amount, Error> {
        let id = self.payee_id(payee)?;
        let mut earned = self.earned(id)?;
        for holding in &self.payee(id)?.holdings {
            let Some(account) = self.pools.get(place(holding.pool)) else { continue };
            let Some(holder) = account.holders.get(place(holding.slot)) else { continue };
            let (_, gross) = account.flow_until(now.max(account.flowed_until))?;
            if gross.is_zero() {
                continue;
            }
            let mut pool = account.pool.clone();
            pool.declare(gross.less(account.makeup.deficit()))?;
            let more = pool.earned(holder).less(account.pool.earned(holder));
            earned = earned.plus(more)?;
        }
        Ok(earned)
    }

    /// What is on its way to the holders of a pool, flow by flow.
    ///
    /// # Errors
    /// [`Code::PoolUnknown`] for a name that is no pool of this book.
    pub fn flows(&self, pool: &str) -> Result<&[Flow], Error> {
        Ok(&self.pool_account(pool)?.flows)
    }

    /// Turns payable money of a holder into units of a pool, one for each minor unit, instead of
    /// paying it out: it stakes what it earned.
    ///
    /// The step takes a place among the payout runs, so no run pays the same money.
    ///
    /// # Errors
    /// [`Code::BatchStale`] for more than is payable, [`Code::PoolUnits`] for nothing or beyond
    /// what a pool can have, and [`Code::PoolUnknown`].
    pub fn compound(
        &self,
        pool: &str,
        holder: &Name,
        amount: Amount,
        now: Time,
    ) -> Result<Step, Error> {
        let at = self.stamp(now);
        let account = self.pool_account(pool)?;
        let id = self.payee_id(holder.as_str())?;
        self.check_kept(id)?;
        let payable = self.payable(id)?;
        if amount.is_zero() || amount > payable {
            let asset = &self.settings.asset;
            let (text, payable, code) = (asset.text(amount), asset.text(payable), asset.code());
            let detail = format!("{text} of {payable} {code} payable to {holder} cannot be staked");
            return Err(Error::new(Code::BatchStale, detail));
        }
        let units = Units::new(amount.get())?;
        account.pool.supply().plus(units)?;
        let issued = Body::Issued(Issued { entries: vec![(holder.clone(), units)] });
        let bodies: Vec<Body> = account.accrual(at)?.into_iter().chain([issued]).collect();
        let (pool, holder) = (account.name.clone(), holder.clone());
        let compounded = Body::Compounded(Compounded { pool, holder, amount });
        let mut facts = vec![Fact::new(&self.run_head, at, &compounded)];
        facts.extend(Fact::chain(&account.head, at, &bodies));
        Ok(Step::new(facts, Vec::new()))
    }

    pub(super) fn apply_accrued(
        &mut self,
        pool: u32,
        accrued: &Accrued,
        at: Time,
    ) -> Result<Folded, Error> {
        if !self.account_mut(pool)?.accrue(accrued, at)? {
            return Ok(Folded::Early);
        }
        let netted = accrued.netted.unwrap_or(Amount::ZERO);
        let totals = &mut self.totals;
        totals.undeclared = totals.undeclared.minus(accrued.gross)?;
        totals.declared = totals.declared.plus(accrued.gross)?.minus(netted)?;
        totals.deficit = totals.deficit.minus(netted)?;
        self.wake_crossed(pool, at)?;
        Ok(Folded::Yes)
    }

    pub(super) fn apply_flowing(
        &mut self,
        pool: u32,
        flowing: &Flowing,
        fact: &Fact,
    ) -> Result<Folded, Error> {
        let account = self.account_mut(pool)?;
        account.check_flowed(fact)?;
        if !account.begin_flow(flowing, fact.at)? {
            return Ok(Folded::Early);
        }
        let regained = flowing.regained.unwrap_or(Amount::ZERO);
        self.totals.surplus = self.totals.surplus.minus(regained)?;
        self.totals.undeclared = self.totals.undeclared.plus(regained)?;
        Ok(Folded::Yes)
    }

    /// Money that became units: it is neither payable nor paid out any more.
    pub(super) fn apply_compounded(
        &mut self,
        compounded: &Compounded,
        fact: &Fact,
    ) -> Result<Folded, Error> {
        let Some(id) = self.payee_ids.get(&compounded.holder).copied() else {
            return Ok(Folded::Early);
        };
        self.run_batches.push(0);
        self.run_head = Head::after(fact);
        self.pass_on(id, compounded.amount, fact.at)?;
        Ok(Folded::Yes)
    }
}
