//! Steps on a pool's stream: units and declarations.

use crate::amount::Amount;
use crate::batch::Step;
use crate::book::Book;
use crate::book::pools::PoolAccount;
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Head, Issued, Moved, PoolOpened, Redeemed, Stream};
use crate::name::Name;
use crate::pool::Units;
use crate::time::Time;

/// A fact of new units lists at most so many holders, so that facts stay small.
const ENTRIES_MAX: usize = 1_000;

/// A declaration names at most so many payments.
const PAYMENTS_MAX: usize = 1_000;

impl Book {
    /// Opens a pool for the supply that it is going to have.
    ///
    /// # Errors
    /// [`Code::BookConflict`] when the pool is there already, [`Code::PoolUnits`] for no supply.
    pub fn open_pool(&self, pool: &Name, supply: Units, now: Time) -> Result<Step, Error> {
        self.open_pool_with(
            pool,
            PoolOpened { supply, flow_millis: None, proofs: None, payee: None },
            now,
        )
    }

    /// Opens a pool whose money flows to the holders over so many milliseconds in which somebody
    /// holds units, or whose declarations let each holder prove their part.
    ///
    /// # Errors
    /// As [`Book::open_pool`], [`Code::InputMalformed`] for a form of proofs that this build does
    /// not know, and for proofs or a payee where money flows, and [`Code::BookConflict`] for a
    /// payee who feeds another pool.
    pub fn open_pool_with(
        &self,
        pool: &Name,
        opened: PoolOpened,
        now: Time,
    ) -> Result<Step, Error> {
        if opened.proofs.is_some_and(|form| form != 1)
            || (opened.proofs.and(opened.flow_millis)).is_some()
        {
            let detail = "a pool has proofs of form 1 or none, and none when its money flows";
            return Err(Error::new(Code::InputMalformed, detail));
        }
        if self.pool_id(pool.as_str()).is_some() {
            let detail = format!("{} has a pool {pool} already: use it as it is", self.name);
            return Err(Error::new(Code::BookConflict, detail));
        }
        if let Some(payee) = &opened.payee {
            if opened.flow_millis.is_some() {
                let detail = "a pool whose money flows has no payee of its own: declare it at once";
                return Err(Error::new(Code::InputMalformed, detail));
            }
            self.check_fed_once(payee)?;
        }
        crate::pool::Pool::open(opened.supply)?;
        let head = Head::start(Stream::pool(&self.name, pool));
        let body = Body::PoolOpened(opened);
        Ok(Step::new(vec![Fact::new(&head, self.stamp(now), &body)], Vec::new()))
    }

    /// Gives new units to holders, in order. Holders without units are passed over.
    ///
    /// # Errors
    /// [`Code::PoolUnknown`] for a pool that is not open, [`Code::PoolUnits`] when the supply
    /// would pass what a pool can have, [`Code::PoolCircle`] for the payee of a pool whose money
    /// goes to this one.
    pub fn issue_units(
        &self,
        pool: &str,
        entries: &[(Name, Units)],
        now: Time,
    ) -> Result<Step, Error> {
        let account = self.pool_account(pool)?;
        entries.iter().try_for_each(|(holder, _)| self.check_holder(pool, holder.as_str()))?;
        let with_units: Vec<(Name, Units)> =
            entries.iter().filter(|(_, units)| *units > Units::ZERO).cloned().collect();
        with_units.iter().try_fold(account.pool.supply(), |sum, (_, units)| sum.plus(*units))?;
        let issued = with_units
            .chunks(ENTRIES_MAX)
            .map(|entries| Body::Issued(Issued { entries: entries.to_vec() }));
        self.change_units(account, issued, now)
    }

    /// Moves units from one holder to another, from now on.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] when the first holder has fewer, or both are one, and
    /// [`Code::PoolCircle`] as for new units.
    pub fn move_holding(
        &self,
        pool: &str,
        from: &Name,
        to: &Name,
        units: Units,
        now: Time,
    ) -> Result<Step, Error> {
        let account = self.pool_account(pool)?;
        self.units(pool, from.as_str())?.minus(units)?;
        if from == to {
            return Err(Error::new(Code::PoolUnits, format!("{from} cannot sell to themselves")));
        }
        self.check_holder(pool, to.as_str())?;
        let body = Body::Moved(Moved { from: from.clone(), to: to.clone(), units });
        self.change_units(account, [body], now)
    }

    /// Takes units out of the pool.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] when the holder has fewer.
    pub fn redeem_units(
        &self,
        pool: &str,
        holder: &Name,
        units: Units,
        now: Time,
    ) -> Result<Step, Error> {
        let account = self.pool_account(pool)?;
        self.units(pool, holder.as_str())?.minus(units)?;
        let body = Body::Redeemed(Redeemed { holder: holder.clone(), units });
        self.change_units(account, [body], now)
    }

    /// A change of units, behind what has flowed until then.
    fn change_units(
        &self,
        account: &PoolAccount,
        changes: impl IntoIterator<Item = Body>,
        now: Time,
    ) -> Result<Step, Error> {
        let at = self.stamp(now);
        let bodies: Vec<Body> = account.accrual(at)?.into_iter().chain(changes).collect();
        Ok(Step::new(Fact::chain(&account.head, at, &bodies), Vec::new()))
    }

    /// Declares everything that waits in every pool that somebody holds, at this record date. In a
    /// pool whose money flows, what waits begins to flow, and what has flowed is accrued.
    ///
    /// The step is empty when nothing waits. What waits for a pool without holders goes on
    /// waiting.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] when a pool would pass its ceiling.
    pub fn declare(&self, now: Time) -> Result<Step, Error> {
        let (mut facts, mut drawn) = (Vec::new(), Amount::ZERO);
        for account in &self.pools {
            let bodies = match (account.flow_millis, account.pool.supply()) {
                (Some(_), _) => account.flow_on(self.stamp(now))?,
                (None, Units::ZERO) => continue,
                (None, _) => {
                    let drawable = self.drawable(account)?;
                    drawn = drawn.plus(drawable)?;
                    self.check_room(core::iter::once(drawn))?;
                    account.declarations(PAYMENTS_MAX, drawable, |id| self.name_of(id))?
                }
            };
            facts.extend(Fact::chain(&account.head, self.stamp(now), &bodies));
        }
        Ok(Step::new(facts, Vec::new()))
    }
}
