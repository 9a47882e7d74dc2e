//! A pool without an index: each declaration goes to every holder, one by one.

use num_rational::BigRational;

/// Every payee of the book has a place here, holder or not.
#[derive(Clone, Debug)]
pub(crate) struct NaivePool {
    pub(crate) name: usize,
    /// The least unit of money that a pool knows is one minor unit divided by this.
    pub(crate) scale: u128,
    pub(crate) supply: u64,
    /// What one unit has earned since the beginning, scaled.
    pub(crate) per_unit: u128,
    pub(crate) rest: u128,
    pub(crate) declared: u64,
    /// Parts of payments that wait, in the order of the payments' names.
    pub(crate) waiting: Vec<(String, u64)>,
    pub(crate) holders: Vec<NaiveHolder>,
    /// How the supply changed since the first declaration, and its largest.
    changes: u32,
    supply_max: u64,
    /// Whether every declaration could be divided without a rest.
    exact: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct NaiveHolder {
    pub(crate) units: u64,
    /// Earned, scaled: nothing is ever rounded.
    scaled: u128,
    /// What they should have, as an exact fraction of minor units.
    ideal: BigRational,
}

impl NaivePool {
    pub(crate) fn open(name: usize, supply: u64, payees: usize) -> Self {
        let wide = u128::from(supply);
        let holder =
            NaiveHolder { units: 0, scaled: 0, ideal: BigRational::from_integer(0.into()) };
        Self {
            name,
            scale: (1 << 64) / wide * wide,
            supply: 0,
            per_unit: 0,
            rest: 0,
            declared: 0,
            waiting: Vec::new(),
            holders: vec![holder; payees],
            changes: 0,
            supply_max: 0,
            exact: true,
        }
    }

    pub(crate) fn earned(&self, holder: usize) -> u64 {
        u64::try_from(self.holders[holder].scaled / self.scale).unwrap()
    }

    /// Gives everything that waits to everyone who holds units.
    pub(crate) fn declare(&mut self) {
        let gross: u64 = self.waiting.drain(..).map(|(_, part)| part).sum();
        let wide = u128::from(self.supply);
        let scaled = u128::from(gross) * self.scale + self.rest;
        let each = scaled / wide;
        self.rest = scaled % wide;
        self.per_unit += each;
        self.declared += gross;
        self.exact &= self.rest == 0;
        self.supply_max = self.supply_max.max(self.supply);
        for holder in &mut self.holders {
            holder.scaled += u128::from(holder.units) * each;
            let part = u128::from(gross) * u128::from(holder.units);
            holder.ideal += BigRational::new(part.into(), wide.into());
        }
    }

    pub(crate) fn issue(&mut self, holder: usize, units: u64) {
        self.holders[holder].units += units;
        self.supply_changed(self.supply + units);
    }

    pub(crate) fn redeem(&mut self, holder: usize, units: u64) {
        self.holders[holder].units -= units;
        self.supply_changed(self.supply - units);
    }

    fn supply_changed(&mut self, supply: u64) {
        if self.declared > 0 && supply != self.supply {
            self.changes += 1;
        }
        self.supply = supply;
        self.supply_max = self.supply_max.max(supply);
    }

    /// Holds everyone's whole units against the exact fraction: its floor while every division
    /// came out even, and within `1 + (k+1)·Wmax/S` of it after k changes of the supply.
    pub(crate) fn check_shares(&self) -> Result<(), String> {
        for (at, holder) in self.holders.iter().enumerate() {
            let has = BigRational::from_integer(self.earned(at).into());
            if self.exact && has != holder.ideal.floor() {
                return Err(format!("holder {at} has {has}, not the floor of {}", holder.ideal));
            }
            let wide = u128::from(self.supply_max) * u128::from(self.changes + 1);
            let one = BigRational::from_integer(1.into());
            let bound = one + BigRational::new(wide.into(), self.scale.into());
            let away = &holder.ideal - &has;
            if away > bound || -away > bound {
                return Err(format!("holder {at} has {has}, beyond {bound} of {}", holder.ideal));
            }
        }
        Ok(())
    }
}
