//! Pools: many holders, many payments, for ever, at the same cost for 10 holders or 10 million.
//!
//! A pool keeps one running *index*: how much one unit has earned since the beginning, scaled by
//! `S` so that nothing is rounded away. A holder remembers the index at which they were last
//! looked at, their *mark*, and a fraction below one minor unit:
//!
//! ```text
//! S = ⌊2⁶⁴ / W₀⌋ · W₀            fixed when the pool is opened with supply W₀
//! declare(A):  x = A·S + rest;   step = x div W;   rest = x mod W;   index += step
//! touch(h):    y = units·(index − mark) + fraction;  earned += y div S;  fraction = y mod S
//! invariant:   S·Σearned + Σfraction + (W·index − Σ units·mark) + rest == S·Σdeclared
//! ```
//!
//! At constant supply a holder has exactly the floor of the ideal at every moment, for ever.
//! After k changes of the supply, they are within `1 + (k+1)·Wmax/S` minor units of it.

mod flow;
mod holder;
mod holdings;
mod units;

pub use flow::Flow;
pub use holder::Holder;
pub use holdings::Holdings;
pub use units::{Index, Units};

use minicbor::{Decode, Encode};

use crate::amount::Amount;
use crate::error::{Code, Error};

/// The shared part of a pool: what it has declared, and how much one unit has earned.
///
/// ```
/// use divvy_core::{Amount, Holder, Pool, Units};
///
/// let mut pool = Pool::open(Units::new(3)?)?;
/// let mut holders = [Holder::default(); 3];
/// for holder in &mut holders {
///     pool.issue(holder, Units::new(1)?)?;
/// }
///
/// // 100 over three equal holders: 33 each, and a third of a unit stays with each of them.
/// pool.declare(Amount::new(100)?)?;
/// assert_eq!(pool.earned(&holders[0]).get(), 33);
///
/// // Two more declarations of 100, and the thirds have become a whole unit.
/// pool.declare(Amount::new(100)?)?;
/// pool.declare(Amount::new(100)?)?;
/// assert_eq!(pool.earned(&holders[0]).get(), 100);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Pool {
    /// `S`, at most 2⁶⁴.
    #[n(0)]
    scale: Index,
    /// `W`, the units in holders' hands now.
    #[n(1)]
    supply: Units,
    #[n(2)]
    index: Index,
    /// What the last division left, below `W`.
    #[n(3)]
    rest: u64,
    #[n(4)]
    declared: Amount,
    #[n(5)]
    sums: Sums,
}

/// Running sums over all holders, modulo 2¹²⁸, so that checking costs nothing per holder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Sums {
    #[n(0)]
    earned: Index,
    #[n(1)]
    fraction: Index,
    #[n(2)]
    units_mark: Index,
}

impl Pool {
    /// A new pool whose scale suits the supply that it is going to have.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] for a supply of zero.
    pub fn open(supply: Units) -> Result<Self, Error> {
        let wide = u128::from(supply.get());
        let scale = (1_u128 << 64).checked_div(wide).and_then(|times| times.checked_mul(wide));
        let scale = scale.ok_or_else(|| {
            Error::new(
                Code::PoolUnits,
                "a pool of 0 units earns for nobody: open it with 1 or more",
            )
        })?;
        Ok(Self {
            scale: Index::new(scale),
            supply: Units::ZERO,
            index: Index::ZERO,
            rest: 0,
            declared: Amount::ZERO,
            sums: Sums::default(),
        })
    }

    /// `S`, by which the index is scaled.
    #[must_use]
    pub const fn scale(&self) -> Index {
        self.scale
    }

    /// The units that holders have now.
    #[must_use]
    pub const fn supply(&self) -> Units {
        self.supply
    }

    /// How much one unit has earned since the beginning, times `S`.
    #[must_use]
    pub const fn index(&self) -> Index {
        self.index
    }

    /// What the last division left for the next one, below the supply, times `S`.
    #[must_use]
    pub const fn rest(&self) -> u64 {
        self.rest
    }

    /// Everything that was declared so far. It only grows.
    #[must_use]
    pub const fn declared(&self) -> Amount {
        self.declared
    }

    /// Distributes an amount over the units as they are held now, in O(1).
    ///
    /// # Errors
    /// [`Code::PoolEmpty`] while nobody holds a unit; [`Code::AmountAboveCeiling`] when all
    /// declarations together would pass the ceiling. Nothing changes then.
    pub fn declare(&mut self, amount: Amount) -> Result<(), Error> {
        let supply = u128::from(self.supply.get());
        let declared = self.declared.plus(amount)?;
        let scaled = u128::from(amount.get())
            .checked_mul(self.scale.get())
            .and_then(|scaled| scaled.checked_add(u128::from(self.rest)));
        let scaled = scaled.ok_or_else(|| broken("a declaration outgrew its index"))?;
        let (Some(step), Some(rest)) = (scaled.checked_div(supply), scaled.checked_rem(supply))
        else {
            let detail =
                format!("nobody holds a unit, so {amount} cannot be declared: issue first");
            return Err(Error::new(Code::PoolEmpty, detail));
        };
        self.index = self.index.plus(step)?;
        self.rest = u64::try_from(rest).map_err(|_| broken("a rest reached the supply"))?;
        self.declared = declared;
        Ok(())
    }

    /// Gives new units to a holder.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] when the supply would pass `i64::MAX`. Nothing changes then.
    pub fn issue(&mut self, holder: &mut Holder, units: Units) -> Result<(), Error> {
        let supply = self.supply.plus(units)?;
        self.touch(holder)?;
        self.set_units(holder, holder.units().plus(units)?);
        self.supply = supply;
        Ok(())
    }

    /// Takes units from a holder and out of the supply.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] when the holder has fewer. Nothing changes then.
    pub fn redeem(&mut self, holder: &mut Holder, units: Units) -> Result<(), Error> {
        let left = holder.units().minus(units)?;
        let supply = self.supply.minus(units)?;
        self.touch(holder)?;
        self.set_units(holder, left);
        self.supply = supply;
        Ok(())
    }

    /// Moves units between two holders; what they have earned so far stays with each.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] when the first has fewer. Nothing changes then.
    pub fn transfer(
        &mut self,
        from: &mut Holder,
        to: &mut Holder,
        units: Units,
    ) -> Result<(), Error> {
        let left = from.units().minus(units)?;
        let more = to.units().plus(units)?;
        self.touch(from)?;
        self.touch(to)?;
        self.set_units(from, left);
        self.set_units(to, more);
        Ok(())
    }

    /// Brings a holder's own figures up to the index.
    ///
    /// # Errors
    /// [`Code::PoolBroken`] when the figures cannot be of this pool.
    pub fn touch(&mut self, holder: &mut Holder) -> Result<(), Error> {
        let now = self.brought_up(holder).ok_or_else(|| broken("a holder outgrew its pool"))?;
        let sums = &mut self.sums;
        sums.earned = sums.earned.swap(u128::from(holder.earned().get()), now.earned().into());
        sums.fraction = sums.fraction.swap(holder.fraction().into(), now.fraction().into());
        sums.units_mark = sums.units_mark.swap(holder.units_mark(), now.units_mark());
        *holder = now;
        Ok(())
    }

    /// What a holder has earned up to now, in whole minor units, without touching them.
    #[must_use]
    pub fn earned(&self, holder: &Holder) -> Amount {
        self.brought_up(holder).map_or(holder.earned(), |now| now.earned())
    }

    /// The index at which a holder will have earned this much more than they have now.
    ///
    /// The least index that is enough; `None` when the holder has no units, or when more would
    /// have to be declared than a pool can.
    ///
    /// ```
    /// use divvy_core::{Amount, Holder, Pool, Units};
    ///
    /// let mut pool = Pool::open(Units::new(4)?)?;
    /// let mut holder = Holder::default();
    /// pool.issue(&mut holder, Units::new(4)?)?;
    /// let crossing = pool.index_at_which(&holder, Amount::new(10)?).unwrap();
    /// pool.declare(Amount::new(9)?)?;
    /// assert!(pool.index() < crossing);
    /// pool.declare(Amount::new(1)?)?;
    /// assert_eq!(pool.index(), crossing);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn index_at_which(&self, holder: &Holder, more: Amount) -> Option<Index> {
        let now = self.brought_up(holder)?;
        let units = u128::from(now.units().get());
        let lacking = u128::from(more.get())
            .checked_mul(self.scale.get())?
            .saturating_sub(u128::from(now.fraction()));
        let steps = if units == 0 {
            return None;
        } else {
            lacking.div_ceil(units)
        };
        now.mark().plus(steps).ok()
    }

    /// Checks the pool's invariant from its running sums, in O(1).
    ///
    /// # Errors
    /// [`Code::PoolBroken`] when a unit was lost or invented.
    pub fn check(&self) -> Result<(), Error> {
        let earned = self.scale.get().wrapping_mul(self.sums.earned.get());
        let waiting = u128::from(self.supply.get())
            .wrapping_mul(self.index.get())
            .wrapping_sub(self.sums.units_mark.get());
        let held = earned
            .wrapping_add(self.sums.fraction.get())
            .wrapping_add(waiting)
            .wrapping_add(u128::from(self.rest));
        let declared = self.scale.get().wrapping_mul(u128::from(self.declared.get()));
        if held == declared { Ok(()) } else { Err(broken("its invariant does not hold")) }
    }

    fn brought_up(&self, holder: &Holder) -> Option<Holder> {
        holder.brought_up(self.index, self.scale)
    }

    fn set_units(&mut self, holder: &mut Holder, units: Units) {
        let before = holder.units_mark();
        holder.set_units(units);
        self.sums.units_mark = self.sums.units_mark.swap(before, holder.units_mark());
    }
}

crate::checkpoint::stored!(Pool as cbor);

fn broken(what: &str) -> Error {
    Error::new(Code::PoolBroken, format!("the pool is broken: {what}; stop and run verify"))
}

#[cfg(test)]
mod tests;
