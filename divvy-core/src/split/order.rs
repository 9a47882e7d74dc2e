//! Splits where some are served before others: caps, a fee first, tranches.

use super::{Rule, Shares, malformed, split};
use crate::amount::Amount;
use crate::error::Error;

/// Pays caps in listed order; the last part is what all of them leave.
///
/// ```
/// use divvy_core::{Amount, split_capped};
///
/// let [ten, sixty] = [Amount::new(10)?, Amount::new(60)?];
/// let parts = split_capped(Amount::new(65)?, &[ten, sixty]);
/// // The second cap is not reached, so nothing remains for the last.
/// assert_eq!(parts, [ten, Amount::new(55)?, Amount::ZERO]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[must_use]
pub fn split_capped(amount: Amount, caps: &[Amount]) -> Vec<Amount> {
    let mut rest = amount;
    let mut parts: Vec<Amount> = Vec::with_capacity(caps.len().saturating_add(1));
    for cap in caps {
        let part = rest.min(*cap);
        rest = rest.less(part);
        parts.push(part);
    }
    parts.push(rest);
    parts
}

/// A fee, and how the rest was shared; together they are the amount.
///
/// ```
/// use divvy_core::{Amount, Rule, split_after_fee};
///
/// let after = split_after_fee(Rule::FloorKeepDust, Amount::new(1_009)?, 10_000, &[1, 1])?;
/// assert_eq!((after.fee.get(), after.rest.left.get()), (10, 1));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AfterFee {
    /// The fee, rounded down.
    pub fee: Amount,
    /// The split of what the fee leaves.
    pub rest: Shares,
}

/// Takes a fee in parts per million, rounded down, and splits the rest by weights.
///
/// # Errors
/// [`Code::SplitMalformed`](crate::Code::SplitMalformed) for a fee above the whole; else as
/// [`split`].
///
/// ```
/// use divvy_core::{Amount, Rule, split_after_fee};
///
/// let after = split_after_fee(Rule::LargestRemainder, Amount::new(9)?, 100_000, &[1, 1])?;
/// // A tenth of 9 rounds down to nothing: a fee never takes the payees' fractions.
/// assert_eq!(after.fee, Amount::ZERO);
/// assert_eq!(after.rest.shares, [Amount::new(5)?, Amount::new(4)?]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
pub fn split_after_fee(
    rule: Rule,
    amount: Amount,
    fee_ppm: u32,
    weights: &[u64],
) -> Result<AfterFee, Error> {
    if fee_ppm > MILLION {
        return Err(malformed(format!(
            "fee {fee_ppm} is above a million parts per million: use at most {MILLION}"
        )));
    }
    // Below 2⁶³ times 2²⁰.
    let scaled = u128::from(amount.get()).saturating_mul(fee_ppm.into());
    let fee = Amount::from_wide(scaled.checked_div(MILLION.into()).unwrap_or(0))?;
    Ok(AfterFee { fee, rest: split(rule, amount.minus(fee)?, weights)? })
}

/// Tranches filled one after another over many payments.
///
/// Each threshold is a running total: the first tranche takes everything until the total reaches
/// the first threshold, and so on. The last tranche has none and takes the rest for ever.
///
/// ```
/// use divvy_core::{Amount, Waterfall};
///
/// let mut fall = Waterfall::new(vec![Amount::new(15)?, Amount::new(25)?])?;
/// let ten = Amount::new(10)?;
/// let parts = |parts: Vec<Amount>| parts.iter().map(|part| part.get()).collect::<Vec<_>>();
/// assert_eq!(parts(fall.divide(ten)?), [10, 0, 0]);
/// assert_eq!(parts(fall.divide(ten)?), [5, 5, 0]);
/// assert_eq!(parts(fall.divide(ten)?), [0, 5, 5]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waterfall {
    thresholds: Vec<Amount>,
    divided: Amount,
}

impl Waterfall {
    /// Makes tranches from their thresholds, one tranche more than there are thresholds.
    ///
    /// # Errors
    /// [`Code::SplitMalformed`](crate::Code::SplitMalformed) unless the thresholds ascend from
    /// above zero: a tranche between equal ones would never get anything.
    ///
    /// ```
    /// # use divvy_core::{Amount, Waterfall};
    /// assert!(Waterfall::new(vec![Amount::ONE, Amount::ONE]).is_err());
    /// ```
    pub fn new(thresholds: Vec<Amount>) -> Result<Self, Error> {
        let mut reached = Amount::ZERO;
        for threshold in &thresholds {
            if *threshold <= reached {
                return Err(malformed(format!(
                    "threshold {threshold} is not above {reached}: list running totals, ascending"
                )));
            }
            reached = *threshold;
        }
        Ok(Self { thresholds, divided: Amount::ZERO })
    }

    /// Divides the next payment: one part per tranche, summing to the amount.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`](crate::Code::AmountAboveCeiling) when the running total would
    /// pass the ceiling; nothing is divided then.
    ///
    /// ```
    /// # use divvy_core::{Amount, Waterfall};
    /// let mut fall = Waterfall::new(vec![Amount::ONE])?;
    /// fall.divide(Amount::MAX)?;
    /// assert!(fall.divide(Amount::ONE).is_err());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn divide(&mut self, amount: Amount) -> Result<Vec<Amount>, Error> {
        let before = self.divided;
        self.divided = before.plus(amount)?;
        let mut filled = before;
        let room = |threshold: &Amount| {
            let room = threshold.less(filled);
            filled = filled.max(*threshold);
            room
        };
        let rooms: Vec<Amount> = self.thresholds.iter().map(room).collect();
        Ok(split_capped(amount, &rooms))
    }

    /// The running total of everything divided so far.
    ///
    /// ```
    /// # use divvy_core::{Amount, Waterfall};
    /// assert!(Waterfall::new(vec![])?.divided().is_zero());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub const fn divided(&self) -> Amount {
        self.divided
    }
}

const MILLION: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(minors: &[u64]) -> Vec<Amount> {
        minors.iter().map(|minor| Amount::new(*minor).unwrap()).collect()
    }

    #[test]
    fn a_fee_is_rounded_down_and_never_above_the_whole() {
        #[rustfmt::skip]
        let table = [
            // amount              ppm        fee
            (1_000_001,               65_000,    Some(65_000)),
            (9,                       100_000,   Some(0)),
            (10,                      1_000_000, Some(10)),
            (i64::MAX.unsigned_abs(), 999_999,   Some(9_223_362_813_482_738_952)),
            (10,                      1_000_001, None),
        ];
        for (amount, ppm, fee) in table {
            let amount = Amount::new(amount).unwrap();
            let after = split_after_fee(Rule::default(), amount, ppm, &[2, 1]);
            let Some(fee) = fee else {
                assert!(after.is_err(), "{ppm}");
                continue;
            };
            let after = after.unwrap();
            assert_eq!(after.fee.get(), fee, "{amount} {ppm}");
            let total = Amount::total(after.rest.shares).unwrap();
            assert_eq!(total.plus(after.fee), Ok(amount));
        }
    }

    #[test]
    fn tranches_fill_one_after_another() {
        let mut fall = Waterfall::new(amounts(&[100, 300, 600])).unwrap();
        #[rustfmt::skip]
        let table = [
            // amount  parts
            (0,   [0, 0, 0, 0]),
            (100, [100, 0, 0, 0]),
            (1,   [0, 1, 0, 0]),
            (399, [0, 199, 200, 0]),
            (500, [0, 0, 100, 400]),
            (7,   [0, 0, 0, 7]),
        ];
        for (amount, parts) in table {
            assert_eq!(fall.divide(Amount::new(amount).unwrap()), Ok(amounts(&parts)), "{amount}");
        }
        assert_eq!(fall.divided().get(), 1_007);
        for bad in [&[0][..], &[5, 5], &[5, 4]] {
            assert!(Waterfall::new(amounts(bad)).is_err(), "{bad:?}");
        }
    }
}
