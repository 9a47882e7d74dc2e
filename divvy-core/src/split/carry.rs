//! Splitting again and again without drift: what rounding owes is carried, exactly.

use core::fmt;

use super::rank::raise_largest;
use super::ratio::gcd;
use super::reciprocal::Reciprocal;
use super::{malformed, total};
use crate::amount::Amount;
use crate::error::{Code, Error};

/// A split that remembers, as exact fractions, what rounding owes to whom.
///
/// Any split that forgets drifts: after a thousand rounds of 100 among three equals, the first
/// is 666 ahead. With a carry nobody is ever more than about a unit away, and a missing unit goes
/// to whoever is owed most. The carries always sum to zero.
///
/// ```
/// use divvy_core::{Amount, Carry};
///
/// let mut carry = Carry::new(3)?;
/// let mut firsts = Vec::new();
/// for _ in 0..3 {
///     let parts = carry.divide(Amount::new(100)?, &[1, 1, 1])?;
///     firsts.extend(parts.first().map(|part| part.get()));
/// }
/// // The odd cent goes round.
/// assert_eq!(firsts, [34, 33, 33]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carry {
    /// What each holder is owed, in parts of a unit.
    owed: Vec<i128>,
    /// How many parts a unit has.
    parts: i128,
}

/// What one holder is owed, an exact fraction of a minor unit in lowest terms; below zero when
/// paid ahead.
///
/// ```
/// use divvy_core::{Amount, Carry};
///
/// let mut carry = Carry::new(2)?;
/// carry.divide(Amount::ONE, &[1, 4])?;
/// let text: Vec<String> = carry.carried().map(|carried| carried.to_string()).collect();
/// assert_eq!(text, ["1/5", "-1/5"]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The numerator, which has the sign.
    pub num: i128,
    /// The denominator, always above zero.
    pub den: i128,
}

impl Carry {
    /// Starts with nothing owed to anyone.
    ///
    /// # Errors
    /// [`Code::SplitEmpty`] for no holders.
    ///
    /// ```
    /// # use divvy_core::Carry;
    /// assert!(Carry::new(0).is_err());
    /// ```
    pub fn new(holders: usize) -> Result<Self, Error> {
        if holders == 0 {
            return Err(Error::new(Code::SplitEmpty, "no holders: name at least one"));
        }
        Ok(Self { owed: vec![0; holders], parts: 1 })
    }

    /// Divides the next round: one part per holder, always summing to the amount.
    ///
    /// Weights may change from round to round; a holder who left keeps a place, with weight zero.
    ///
    /// # Errors
    /// [`Code::SplitMalformed`] when the weights are not one per holder, or the totals of the
    /// rounds have no common denominator in 120 bits; [`Code::SplitEmpty`] for zeros only. The
    /// carry is unchanged then.
    ///
    /// ```
    /// # use divvy_core::{Amount, Carry};
    /// let mut carry = Carry::new(2)?;
    /// carry.divide(Amount::ONE, &[1, 1])?;
    /// // The second is owed half a unit: enough to come first now.
    /// assert_eq!(carry.divide(Amount::ONE, &[1, 1])?, [Amount::ZERO, Amount::ONE]);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn divide(&mut self, amount: Amount, weights: &[u64]) -> Result<Vec<Amount>, Error> {
        if weights.len() != self.owed.len() {
            return Err(malformed(format!(
                "{} weights for {} holders: give one each, zero for who left",
                weights.len(),
                self.owed.len()
            )));
        }
        let round = Round::new(self, amount, weights).ok_or_else(too_fine)??;
        let mut paid: Vec<u64> = round.claims.iter().map(Claim::floor).collect();
        let given = paid.iter().map(|paid| u128::from(*paid)).sum::<u128>();
        let missing = u128::from(amount.get()).saturating_sub(given);
        let excess = given.saturating_sub(amount.get().into());
        let gaps = round.gaps(&paid).ok_or_else(too_fine)?;
        let missing = u64::try_from(missing).unwrap_or(u64::MAX);
        raise_largest(&mut paid, &gaps, missing);
        round.take_back(&mut paid, excess).ok_or_else(too_fine)?;
        let owed = round.gaps(&paid).ok_or_else(too_fine)?;
        *self = Self { owed, parts: round.parts }.reduced();
        Ok(paid.into_iter().map(|paid| amount.part(paid)).collect())
    }

    /// What each holder is owed, in the holders' order.
    ///
    /// ```
    /// # use divvy_core::Carry;
    /// assert!(Carry::new(2)?.carried().all(|carried| carried.num == 0));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn carried(&self) -> impl Iterator<Item = Carried> {
        self.owed.iter().map(|owed| {
            let common = signed(gcd(owed.unsigned_abs(), self.parts.unsigned_abs()));
            let lowest = |value: i128| value.checked_div(common).unwrap_or(value);
            Carried { num: lowest(*owed), den: lowest(self.parts) }
        })
    }

    /// The same carry in the fewest parts, so that the parts grow only with what they must hold.
    fn reduced(self) -> Self {
        let mut common = self.parts.unsigned_abs();
        for owed in &self.owed {
            if common == 1 {
                return self;
            }
            common = gcd(common, owed.unsigned_abs());
        }
        let lowest = |value: i128| value.checked_div(signed(common)).unwrap_or(value);
        Self { owed: self.owed.into_iter().map(lowest).collect(), parts: lowest(self.parts) }
    }
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.den {
            1 => write!(f, "{}", self.num),
            den => write!(f, "{}/{den}", self.num),
        }
    }
}

/// What everyone is entitled to in one round, the carry included.
struct Round {
    claims: Vec<Claim>,
    parts: i128,
}

/// A whole number of units, which may be below zero, and a fraction in `0..parts`.
struct Claim {
    units: i128,
    fraction: i128,
}

impl Claim {
    fn floor(&self) -> u64 {
        // Below zero nothing is paid; above, it is at most the amount and a small carry.
        u64::try_from(self.units.max(0)).unwrap_or(u64::MAX)
    }
}

impl Round {
    /// The outer nothing is a fraction beyond 128 bits.
    fn new(carry: &Carry, amount: Amount, weights: &[u64]) -> Option<Result<Self, Error>> {
        let total = match total(weights) {
            Ok(total) => total,
            Err(error) => return Some(Err(error)),
        };
        let common = gcd(total.get(), carry.parts.unsigned_abs());
        let fresh = signed(carry.parts.unsigned_abs().checked_div(common)?);
        let parts = fresh.checked_mul(i128::try_from(total.get()).ok()?)?;
        let stale = parts.checked_div(carry.parts)?;
        if parts > PARTS_MAX {
            return None;
        }
        let reciprocal = Reciprocal::new(amount.get(), total);
        let claim = |(weight, owed): (&u64, &i128)| {
            let (units, rest) = match &reciprocal {
                Reciprocal::Narrow(narrow) => {
                    let (units, rest) = narrow.of(*weight);
                    (units, rest.into())
                }
                Reciprocal::Wide(wide) => wide.of(*weight),
            };
            let fraction = i128::try_from(rest).ok()?.checked_mul(fresh)?;
            let fraction = fraction.checked_add(owed.checked_mul(stale)?)?;
            Some(Claim {
                units: i128::from(units).checked_add(fraction.checked_div_euclid(parts)?)?,
                fraction: fraction.checked_rem_euclid(parts)?,
            })
        };
        let claims = weights.iter().zip(&carry.owed).map(claim).collect::<Option<_>>()?;
        Some(Ok(Self { claims, parts }))
    }

    /// What each claim is still short of, in parts.
    fn gaps(&self, paid: &[u64]) -> Option<Vec<i128>> {
        let gap = |(claim, paid): (&Claim, &u64)| {
            let units = claim.units.checked_sub((*paid).into())?;
            units.checked_mul(self.parts)?.checked_add(claim.fraction)
        };
        self.claims.iter().zip(paid).map(gap).collect()
    }

    /// Takes units back, one each from those paid furthest above their claim.
    fn take_back(&self, paid: &mut [u64], excess: u128) -> Option<()> {
        let mut excess = usize::try_from(excess).ok()?;
        while excess > 0 {
            let mut order: Vec<(i128, usize)> = self.gaps(paid)?.into_iter().zip(0..).collect();
            order.retain(|(_, place)| paid.get(*place).is_some_and(|paid| *paid > 0));
            order.sort_unstable();
            order.truncate(excess);
            for (_, place) in &order {
                *paid.get_mut(*place)? = paid.get(*place)?.saturating_sub(1);
            }
            excess = excess.checked_sub(order.len())?;
        }
        Some(())
    }
}

/// A divisor of a positive `i128`, so it fits one.
fn signed(value: u128) -> i128 {
    i128::try_from(value).unwrap_or(i128::MAX)
}

fn too_fine() -> Error {
    malformed(
        "the totals of these rounds have no common denominator in 120 bits: keep the weights' \
         total constant, or use a pool"
            .to_owned(),
    )
}

/// Leaves room for a hundred whole units beside each fraction.
const PARTS_MAX: i128 = 1 << 120;

#[cfg(test)]
mod tests;
