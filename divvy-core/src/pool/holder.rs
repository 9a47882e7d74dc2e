//! One holder's part of a pool.

use minicbor::{Decode, Encode};

use crate::amount::Amount;
use crate::pool::units::{Index, Units};

/// What a pool keeps of one holder: units, the index when last touched, and what was earned.
///
/// A new holder has nothing and starts at the index of the first units that they get.
///
/// ```
/// use divvy_core::{Amount, Holder, Units};
///
/// assert_eq!(Holder::default().units(), Units::ZERO);
/// assert_eq!(Holder::default().earned(), Amount::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Holder {
    #[n(0)]
    units: Units,
    #[n(1)]
    mark: Index,
    /// Below one minor unit, times the pool's scale; so below 2⁶⁴.
    #[n(2)]
    fraction: u64,
    #[n(3)]
    earned: Amount,
}

crate::checkpoint::stored!(Holder { units, mark, fraction, earned });

impl Holder {
    /// The units held now.
    #[must_use]
    pub const fn units(&self) -> Units {
        self.units
    }

    /// The pool's index when this holder was last touched.
    #[must_use]
    pub const fn mark(&self) -> Index {
        self.mark
    }

    /// What was earned up to the mark, in whole minor units.
    #[must_use]
    pub const fn earned(&self) -> Amount {
        self.earned
    }

    /// The part of a minor unit that waits at the mark, times the pool's scale.
    #[must_use]
    pub const fn fraction(&self) -> u64 {
        self.fraction
    }

    pub(super) fn brought_up(&self, index: Index, scale: Index) -> Option<Self> {
        let steps = index.get().checked_sub(self.mark.get())?;
        let scaled = u128::from(self.units.get())
            .checked_mul(steps)?
            .checked_add(u128::from(self.fraction))?;
        let more = Amount::from_wide(scaled.checked_div(scale.get())?).ok()?;
        Some(Self {
            units: self.units,
            mark: index,
            fraction: u64::try_from(scaled.checked_rem(scale.get())?).ok()?,
            earned: self.earned.plus(more).ok()?,
        })
    }

    pub(super) fn units_mark(&self) -> u128 {
        u128::from(self.units.get()).wrapping_mul(self.mark.get())
    }

    pub(super) const fn set_units(&mut self, units: Units) {
        self.units = units;
    }
}
