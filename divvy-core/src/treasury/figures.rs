//! Sums over days.

use crate::amount::Amount;
use crate::error::Error;
use crate::fact::{Figures, Purpose};
use crate::treasury::{Day, Treasury};

impl Figures {
    /// What came into the treasury.
    #[must_use]
    pub fn came_in(&self) -> u128 {
        [self.arrived, self.fees_earned, self.replenished, self.drawn, self.returned]
            .into_iter()
            .sum()
    }

    /// What went out of it.
    #[must_use]
    pub fn went_out(&self) -> u128 {
        [self.paid, self.fees_paid, self.withdrawn, self.repaid].into_iter().sum()
    }

    /// What these figures leave in the treasury, in minor units.
    #[must_use]
    pub fn balance(&self) -> i128 {
        signed(self.came_in()).saturating_sub(signed(self.went_out()))
    }

    /// Paid out before the income arrived.
    #[must_use]
    pub const fn fronted(&self) -> Amount {
        self.paid.less(self.returned).less(self.arrived)
    }

    /// What the platform earned: kept back at receipt, its own legs, and fees beside payments.
    ///
    /// # Errors
    /// [`crate::Code::AmountAboveCeiling`] when the sum is too large.
    pub fn earned(&self) -> Result<Amount, Error> {
        self.withheld.plus(self.kept.less(self.given_back))?.plus(self.fees_earned)
    }

    /// What payouts and fees took beyond what settlements and fees brought, in minor units; below
    /// zero when they brought more. What the owner or a lender put in does not count.
    #[must_use]
    pub fn net_to_replenish(&self) -> i128 {
        let out: u128 = [self.paid, self.fees_paid].into_iter().sum();
        let back: u128 = [self.returned, self.arrived, self.fees_earned].into_iter().sum();
        signed(out).saturating_sub(signed(back))
    }

    /// What these figures have beyond earlier ones.
    ///
    /// ```
    /// use divvy_core::{Amount, Figures};
    ///
    /// let earlier = Figures { paid: Amount::new(7)?, ..Figures::default() };
    /// let later = Figures { paid: Amount::new(9)?, ..Figures::default() };
    /// assert_eq!(later.beyond(&earlier)?.paid, Amount::new(2)?);
    /// assert!(earlier.beyond(&later).is_err());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Code::AmountBelowZero`] when an earlier figure is larger.
    pub fn beyond(&self, earlier: &Self) -> Result<Self, Error> {
        self.with(earlier, Amount::minus)
    }

    pub(super) fn and(&self, other: &Self) -> Result<Self, Error> {
        self.with(other, Amount::plus)
    }

    fn with(
        &self,
        other: &Self,
        both: impl Fn(Amount, Amount) -> Result<Amount, Error>,
    ) -> Result<Self, Error> {
        Ok(Self {
            recorded: both(self.recorded, other.recorded)?,
            withheld: both(self.withheld, other.withheld)?,
            reversed: both(self.reversed, other.reversed)?,
            restored: both(self.restored, other.restored)?,
            kept: both(self.kept, other.kept)?,
            given_back: both(self.given_back, other.given_back)?,
            paid: both(self.paid, other.paid)?,
            returned: both(self.returned, other.returned)?,
            arrived: both(self.arrived, other.arrived)?,
            fees_earned: both(self.fees_earned, other.fees_earned)?,
            fees_paid: both(self.fees_paid, other.fees_paid)?,
            replenished: both(self.replenished, other.replenished)?,
            withdrawn: both(self.withdrawn, other.withdrawn)?,
            drawn: both(self.drawn, other.drawn)?,
            repaid: both(self.repaid, other.repaid)?,
        })
    }

    /// The sum that a purpose adds to, if it moves money.
    pub(crate) const fn sum_of(&mut self, purpose: Purpose) -> Option<&mut Amount> {
        match purpose {
            Purpose::Replenished => Some(&mut self.replenished),
            Purpose::Withdrawn => Some(&mut self.withdrawn),
            Purpose::FeeEarned => Some(&mut self.fees_earned),
            Purpose::FeePaid => Some(&mut self.fees_paid),
            Purpose::Arrived => Some(&mut self.arrived),
            Purpose::Drawn => Some(&mut self.drawn),
            Purpose::Repaid => Some(&mut self.repaid),
            Purpose::Expected(_) | Purpose::Missed | Purpose::CreditLimit | Purpose::Reserve => {
                None
            }
        }
    }
}

impl Treasury {
    /// Everything before a day, or ever, without legs.
    pub(crate) fn up_to(&self, until: Option<Day>) -> Result<Figures, Error> {
        let until = until.map_or(u32::MAX, Day::number);
        self.days.range(..until).try_fold(Figures::default(), |sum, (_, day)| sum.and(day))
    }

    /// Everything from a day until before another, without legs.
    pub(super) fn between(&self, from: Day, until: Day) -> Result<Figures, Error> {
        let days = self.days.range(from.number()..until.number().max(from.number()));
        days.map(|(_, day)| day).try_fold(Figures::default(), |sum, day| sum.and(day))
    }

    /// The first day on which anything moved.
    pub(crate) fn first_day(&self) -> Option<Day> {
        self.days.keys().next().copied().map(Day::from_number)
    }

    /// Everything before a day, or ever, with the legs of an owner.
    pub(crate) fn figures(&self, owner: Option<u32>, until: Option<Day>) -> Result<Figures, Error> {
        let mut figures = self.up_to(until)?;
        let last = until.map_or(u32::MAX, Day::number);
        let own = |((day, payee), _): &(&(u32, u32), _)| *day < last && Some(*payee) == owner;
        for (_, (earned, given_back)) in self.legs.iter().filter(own) {
            figures.kept = figures.kept.plus(*earned)?;
            figures.given_back = figures.given_back.plus(*given_back)?;
        }
        Ok(figures)
    }
}

pub(super) fn signed(sum: u128) -> i128 {
    i128::try_from(sum).unwrap_or(i128::MAX)
}
