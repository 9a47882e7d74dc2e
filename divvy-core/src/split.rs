//! Splitting: parts that always add up to the amount, by a rule that has a name.
//!
//! Every way of sharing whole units leaves some over, and someone gets them. The rules differ in
//! who that is, never in the sum: what is not in the shares is in `left`.

mod carry;
mod leg;
mod legs;
mod order;
mod portion;
mod rank;
mod ratio;
mod reciprocal;
mod tier;

use core::fmt;
use core::num::NonZeroU128;

use crate::amount::{Amount, Difference};
use crate::error::{Code, Error};

pub use carry::{Carried, Carry};
pub use leg::{Leg, Share, Target};
pub use legs::Legs;
pub use order::{AfterFee, Waterfall, split_after_fee, split_capped};
pub use portion::portion_weights;
pub use ratio::Ratio;
pub(crate) use ratio::gcd;
pub(crate) use tier::check_tiers;
pub use tier::{Level, Tier, Upline};

use rank::{Buckets, raise_largest};
use reciprocal::Reciprocal;

/// Who gets the units that rounding leaves over.
///
/// ```
/// use divvy_core::{Amount, Rule, split};
///
/// let parts = |rule| -> Result<Vec<u64>, divvy_core::Error> {
///     let split = split(rule, Amount::new(5)?, &[3, 7])?;
///     Ok(split.shares.iter().map(|share| share.get()).collect())
/// };
/// // The quotas are 1.5 and 3.5: a tie of fractions, which goes to the earlier.
/// assert_eq!(parts(Rule::LargestRemainder)?, [2, 3]);
/// assert_eq!(parts(Rule::FloorThenLargestWeight)?, [1, 4]);
/// assert_eq!(parts(Rule::FloorKeepDust)?, [1, 3]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// One unit each from the first listed on, whatever the weights.
    ///
    /// A zero weight can receive a unit, so this is for reproducing others' splits.
    FloorThenListedOrder,
    /// One unit each from the first listed on, zero weights skipped.
    FloorThenListedOrderSkipZero,
    /// One unit each from the largest weight down; equal weights in listed order.
    ///
    /// It can lift a share whose quota is whole already.
    FloorThenLargestWeight,
    /// One unit each to the largest fractions; ties to the lower index.
    #[default]
    LargestRemainder,
    /// Each share is the growth of the floor of the running quota.
    CumulativeFloor,
    /// Nobody: the units stay in [`Shares::left`].
    FloorKeepDust,
    /// Only whole multiples of the weights in lowest terms are paid; the rest is left.
    ExactRatioBlocks,
    /// As the largest remainder, but a negative amount is first rounded down, not toward zero.
    ///
    /// A reversal then differs from the split that it reverses.
    SignedFloorLargestRemainder,
}

impl Rule {
    /// Every rule, in the order of the vectors.
    pub const ALL: &'static [Self] = &[
        Self::FloorThenListedOrder,
        Self::FloorThenListedOrderSkipZero,
        Self::FloorThenLargestWeight,
        Self::LargestRemainder,
        Self::CumulativeFloor,
        Self::FloorKeepDust,
        Self::ExactRatioBlocks,
        Self::SignedFloorLargestRemainder,
    ];

    /// The name that every language shares.
    ///
    /// ```
    /// # use divvy_core::Rule;
    /// assert_eq!(Rule::default().name(), "largest_remainder");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FloorThenListedOrder => "floor_then_listed_order",
            Self::FloorThenListedOrderSkipZero => "floor_then_listed_order_skip_zero",
            Self::FloorThenLargestWeight => "floor_then_largest_weight",
            Self::LargestRemainder => "largest_remainder",
            Self::CumulativeFloor => "cumulative_floor",
            Self::FloorKeepDust => "floor_keep_dust",
            Self::ExactRatioBlocks => "exact_ratio_blocks",
            Self::SignedFloorLargestRemainder => "signed_floor_largest_remainder",
        }
    }

    /// The rule of a name.
    ///
    /// # Errors
    /// [`Code::SplitMalformed`] when no rule has that name.
    ///
    /// ```
    /// # use divvy_core::Rule;
    /// assert_eq!(Rule::parse("cumulative_floor")?, Rule::CumulativeFloor);
    /// assert!(Rule::parse("bankers").is_err());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn parse(name: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|rule| rule.name()).collect();
            malformed(format!("unknown split rule {name:?}: use one of {}", names.join(", ")))
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One share per weight, in order, and what the rule left over; together they are the amount.
///
/// ```
/// use divvy_core::{Amount, Rule, split};
///
/// let split = split(Rule::ExactRatioBlocks, Amount::new(7)?, &[1, 2])?;
/// // Two whole rounds of one and two; the seventh unit is nobody's, and says so.
/// assert_eq!(split.shares, [Amount::new(2)?, Amount::new(4)?]);
/// assert_eq!(split.left, Amount::ONE);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// One share per weight.
    pub shares: Vec<Amount>,
    /// What the rule pays to nobody; zero for every rule that gives the odd units away.
    pub left: Amount,
}

/// [`Shares`] of a signed amount.
///
/// ```
/// use divvy_core::{Difference, Rule, split_signed};
///
/// let split = split_signed(Rule::FloorKeepDust, Difference::new(-7)?, &[1, 1])?;
/// // What is left of a reversal is to be taken back too.
/// assert_eq!(split.left, Difference::new(-1)?);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedShares {
    /// One share per weight.
    pub shares: Vec<Difference>,
    /// What the rule pays to nobody, with the amount's sign.
    pub left: Difference,
}

/// Splits an amount by weights.
///
/// The shares and what is left always sum to the amount. The cost is linear in the number of
/// weights, with one division in all.
///
/// # Errors
/// [`Code::SplitEmpty`] without weights or with zeros only, even for an amount of zero.
///
/// ```
/// use divvy_core::{Amount, Rule, split};
///
/// let split = split(Rule::LargestRemainder, Amount::new(100)?, &[1, 1, 1])?;
/// // The odd cent goes to the earliest of equal claims. Nothing is ever lost.
/// assert_eq!(split.shares, [Amount::new(34)?, Amount::new(33)?, Amount::new(33)?]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
pub fn split(rule: Rule, amount: Amount, weights: &[u64]) -> Result<Shares, Error> {
    let total = total(weights)?;
    let shares = match Reciprocal::new(amount.get(), total) {
        Reciprocal::Narrow(narrow) => {
            let bucket = |rest| narrow.bucket(rest);
            shares(rule, amount, weights, total, |weight| narrow.of(weight), bucket)
        }
        Reciprocal::Wide(wide) => {
            let bucket = |rest| wide.bucket(rest);
            shares(rule, amount, weights, total, |weight| wide.of(weight), bucket)
        }
    };
    let left = amount.minus(Amount::new(shares.iter().sum())?)?;
    // No share is above the amount, because the sum of all is not.
    Ok(Shares { shares: shares.into_iter().map(|share| amount.part(share)).collect(), left })
}

/// Splits a signed amount by weights.
///
/// Every rule but [`Rule::SignedFloorLargestRemainder`] mirrors the split of the magnitude, so
/// that a reversal undoes a split unit by unit.
///
/// # Errors
/// As [`split`].
///
/// ```
/// use divvy_core::{Difference, Rule, split_signed};
///
/// let parts = |rule| -> Result<Vec<i64>, divvy_core::Error> {
///     let split = split_signed(rule, Difference::new(-5)?, &[7, 3])?;
///     Ok(split.shares.iter().map(|share| share.get()).collect())
/// };
/// assert_eq!(parts(Rule::LargestRemainder)?, [-4, -1]);
/// assert_eq!(parts(Rule::SignedFloorLargestRemainder)?, [-3, -2]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
pub fn split_signed(
    rule: Rule,
    amount: Difference,
    weights: &[u64],
) -> Result<SignedShares, Error> {
    let Shares { shares, left } = match (rule, amount.is_negative()) {
        (Rule::SignedFloorLargestRemainder, true) => split_down(amount.magnitude(), weights)?,
        (_, _) => split(rule, amount.magnitude(), weights)?,
    };
    let sign = |magnitude| match amount.is_negative() {
        true => Difference::between(Amount::ZERO, magnitude),
        false => Difference::between(magnitude, Amount::ZERO),
    };
    Ok(SignedShares { shares: shares.into_iter().map(sign).collect(), left: sign(left) })
}

/// The magnitudes of a negative amount's shares, each first rounded away from zero.
fn split_down(magnitude: Amount, weights: &[u64]) -> Result<Shares, Error> {
    let total = total(weights)?;
    let of: Box<dyn Fn(u64) -> (u64, u128)> = match Reciprocal::new(magnitude.get(), total) {
        Reciprocal::Narrow(narrow) => Box::new(move |weight| {
            let (floor, rest) = narrow.of(weight);
            (floor, rest.into())
        }),
        Reciprocal::Wide(wide) => Box::new(move |weight| wide.of(weight)),
    };
    // What lies between a quota and its ceiling; a whole quota has nothing to give back.
    let short = |(_, rest)| if rest == 0 { 0 } else { total.get().saturating_sub(rest) };
    let (floors, shorts): (Vec<u64>, Vec<u128>) =
        weights.iter().map(|weight| of(*weight)).map(|part| (part.0, short(part))).unzip();
    let ceilings = floors.iter().zip(&shorts);
    let over: u64 = ceilings.map(|(floor, short)| floor.saturating_add((*short > 0).into())).sum();
    // The units that the ceilings pay too much come back from those who lie furthest above.
    let mut back = vec![0; weights.len()];
    let over = over.saturating_sub(magnitude.get());
    raise_largest(&mut back, &shorts, over);
    let shares = floors.iter().zip(&shorts).zip(&back).map(|((floor, short), back)| {
        magnitude.part(floor.saturating_add((*short > 0).into()).saturating_sub(*back))
    });
    Ok(Shares { shares: shares.collect(), left: Amount::ZERO })
}

/// The shares by a rule, given each weight's floor and remainder, and the remainder's bucket.
fn shares<R: Copy + Ord + Into<u128>>(
    rule: Rule,
    amount: Amount,
    weights: &[u64],
    total: NonZeroU128,
    of: impl Fn(u64) -> (u64, R),
    bucket: impl Fn(R) -> usize,
) -> Vec<u64> {
    let floors = || weights.iter().map(|weight| of(*weight).0).collect::<Vec<u64>>();
    match rule {
        Rule::FloorThenListedOrder => in_listed_order(amount, floors(), weights, |_| true),
        Rule::FloorThenListedOrderSkipZero => {
            in_listed_order(amount, floors(), weights, |weight| weight > 0)
        }
        Rule::FloorThenLargestWeight => {
            let mut shares = floors();
            let over = over(amount, &shares);
            raise_largest(&mut shares, weights, over);
            shares
        }
        Rule::LargestRemainder | Rule::SignedFloorLargestRemainder => {
            largest_remainder(amount, weights, of, bucket)
        }
        Rule::CumulativeFloor => cumulative(weights, total, of),
        Rule::FloorKeepDust => floors(),
        Rule::ExactRatioBlocks => blocks(amount, weights, total),
    }
}

/// Floors, and one unit each to the largest remainders.
///
/// As few passes as there can be, because a long list is as slow as memory is: remainders are
/// cheaper to compute again than to store and fetch.
fn largest_remainder<R: Copy + Ord>(
    amount: Amount,
    weights: &[u64],
    of: impl Fn(u64) -> (u64, R),
    bucket: impl Fn(R) -> usize,
) -> Vec<u64> {
    let (mut buckets, mut over) = (Buckets::new(), amount.get());
    let floor = |weight: &u64| {
        let (floor, rest) = of(*weight);
        buckets.count(bucket(rest));
        over = over.saturating_sub(floor);
        floor
    };
    let mut shares: Vec<u64> = weights.iter().map(floor).collect();
    let rests = || weights.iter().map(|weight| of(*weight).1);
    if let Some(mut cut) = buckets.cut(rests(), over, bucket) {
        for (share, rest) in shares.iter_mut().zip(rests()) {
            *share = share.saturating_add(cut.unit(rest));
        }
    }
    shares
}

/// What the floors leave of the amount: always less than one unit per weight above zero.
fn over(amount: Amount, floors: &[u64]) -> u64 {
    amount.get().saturating_sub(floors.iter().sum())
}

/// One unit each from the first on, to those whose weight may have one.
fn in_listed_order(
    amount: Amount,
    mut shares: Vec<u64>,
    weights: &[u64],
    may: impl Fn(u64) -> bool,
) -> Vec<u64> {
    let mut over = over(amount, &shares);
    for (share, weight) in shares.iter_mut().zip(weights) {
        let unit = u64::from(over > 0 && may(*weight));
        *share = share.saturating_add(unit);
        over = over.saturating_sub(unit);
    }
    shares
}

/// The growth of the floor of the running quota, kept as a running remainder below the total.
fn cumulative<R: Into<u128>>(
    weights: &[u64],
    total: NonZeroU128,
    of: impl Fn(u64) -> (u64, R),
) -> Vec<u64> {
    let mut running = 0_u128;
    let share = |weight: &u64| {
        let (floor, rest) = of(*weight);
        // Two remainders, both below the total, which is below 2¹²⁷.
        running = running.saturating_add(rest.into());
        match running.checked_sub(total.get()) {
            Some(rest) => {
                running = rest;
                floor.saturating_add(1)
            }
            None => floor,
        }
    };
    weights.iter().map(share).collect()
}

/// As many whole rounds of the weights in lowest terms as the amount holds.
fn blocks(amount: Amount, weights: &[u64], total: NonZeroU128) -> Vec<u64> {
    let common = weights.iter().fold(0, |common, weight| gcd(common, (*weight).into()));
    let lowest = |value: u128| value.checked_div(common).unwrap_or(0);
    let rounds = u128::from(amount.get()).checked_div(lowest(total.get())).unwrap_or(0);
    // At most the amount, because the weight is at most the total.
    let share = |weight: &u64| lowest((*weight).into()).saturating_mul(rounds);
    weights.iter().map(|weight| u64::try_from(share(weight)).unwrap_or(u64::MAX)).collect()
}

/// The sum of the weights; 2⁶⁴ of them would be needed to pass 128 bits.
fn total(weights: &[u64]) -> Result<NonZeroU128, Error> {
    let total = weights.iter().map(|weight| u128::from(*weight)).sum();
    NonZeroU128::new(total).ok_or_else(|| {
        let detail = match weights.len() {
            0 => "no weights: name at least one holder".to_owned(),
            count => format!("all {count} weights are zero: give someone a weight above zero"),
        };
        Error::new(Code::SplitEmpty, detail)
    })
}

fn malformed(detail: String) -> Error {
    Error::new(Code::SplitMalformed, detail)
}

#[cfg(test)]
mod tests;
