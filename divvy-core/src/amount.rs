//! Money: whole minor units of one asset, exact decimal text, nothing else.

use core::fmt;
use core::iter::Sum;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Code, Error};

/// An amount in the smallest unit of one book's asset (a cent, a satoshi, a lamport).
///
/// A book has exactly one asset, so two amounts of one book can always be added and two of
/// different books never meet.
///
/// The ceiling is `i64::MAX`, not `u64::MAX`, so that a plain SQL `BIGINT` can hold every value
/// that we can hold.
///
/// ```
/// use divvy_core::{Amount, Code};
///
/// let top = Amount::new(9_223_372_036_854_775_807)?;
/// assert_eq!(top.plus(Amount::ONE).unwrap_err().code(), Code::AmountAboveCeiling);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
#[cbor(transparent)]
pub struct Amount(#[n(0)] u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One minor unit.
    pub const ONE: Self = Self(1);
    /// The ceiling, `i64::MAX`.
    pub const MAX: Self = Self(i64::MAX.unsigned_abs());

    /// Checks a count of minor units.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] beyond `i64::MAX`.
    ///
    /// ```
    /// # use divvy_core::Amount;
    /// assert_eq!(Amount::new(100)?.get(), 100);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn new(minor: u64) -> Result<Self, Error> {
        if minor > Self::MAX.0 { Err(above_ceiling(minor)) } else { Ok(Self(minor)) }
    }

    /// Checks a wide count of minor units.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] beyond `i64::MAX`.
    ///
    /// ```
    /// # use divvy_core::Amount;
    /// assert!(Amount::from_wide(1 << 64).is_err());
    /// ```
    pub fn from_wide(minor: u128) -> Result<Self, Error> {
        u64::try_from(minor).map_or_else(|_| Err(above_ceiling(minor)), Self::new)
    }

    /// The count of minor units.
    ///
    /// ```
    /// # use divvy_core::Amount;
    /// assert_eq!(Amount::ONE.get(), 1);
    /// ```
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether this is nothing at all.
    ///
    /// ```
    /// # use divvy_core::Amount;
    /// assert!(Amount::ZERO.is_zero());
    /// ```
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum of both.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] beyond `i64::MAX`.
    ///
    /// ```
    /// # use divvy_core::Amount;
    /// assert_eq!(Amount::new(2)?.plus(Amount::ONE)?, Amount::new(3)?);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn plus(self, other: Self) -> Result<Self, Error> {
        Self::from_wide(u128::from(self.0).saturating_add(u128::from(other.0)))
    }

    /// What is left when the other is taken away.
    ///
    /// # Errors
    /// [`Code::AmountBelowZero`] when the other is larger.
    ///
    /// ```
    /// # use divvy_core::Amount;
    /// assert!(Amount::ZERO.minus(Amount::ONE).is_err());
    /// ```
    pub fn minus(self, other: Self) -> Result<Self, Error> {
        self.0.checked_sub(other.0).map(Self).ok_or_else(|| {
            let detail = format!("{} minus {} is below zero: take at most {0}", self.0, other.0);
            Error::new(Code::AmountBelowZero, detail)
        })
    }

    /// What is left when the other is taken away, or nothing when the other is larger.
    ///
    /// ```
    /// # use divvy_core::Amount;
    /// assert_eq!(Amount::ZERO.less(Amount::ONE), Amount::ZERO);
    /// ```
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// A part of this amount: that many units of it, or all of it where there are fewer.
    ///
    /// ```
    /// # use divvy_core::Amount;
    /// assert_eq!(Amount::MAX.part(5), Amount::new(5)?);
    /// assert_eq!(Amount::ONE.part(5), Amount::ONE);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub const fn part(self, minor: u64) -> Self {
        if minor < self.0 { Self(minor) } else { self }
    }

    /// The sum of many.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] beyond `i64::MAX`.
    ///
    /// ```
    /// # use divvy_core::Amount;
    /// assert_eq!(Amount::total([Amount::ONE, Amount::ONE])?.get(), 2);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn total(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Error> {
        Self::from_wide(amounts.into_iter().map(|amount| u128::from(amount.0)).sum())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<C> Decode<'_, C> for Amount {
    fn decode(d: &mut minicbor::Decoder<'_>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.u64()?).map_err(minicbor::decode::Error::message)
    }
}

/// Amounts are decimal strings of minor units in JSON, as in the vectors.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(from)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let minor = if digits { text.parse::<u64>().ok() } else { None };
        let minor = minor.ok_or_else(|| serde::de::Error::custom("digits of a u64 expected"))?;
        Self::new(minor).map_err(serde::de::Error::custom)
    }
}

/// A signed difference between two amounts: a correction, a reversal, a rate's gain or loss.
///
/// ```
/// use divvy_core::{Amount, Difference};
///
/// let back = Difference::between(Amount::ZERO, Amount::new(5)?);
/// assert_eq!(back.get(), -5);
/// assert_eq!(back.magnitude(), Amount::new(5)?);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Difference(i64);

impl Difference {
    /// Checks a signed count of minor units.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] when the magnitude is beyond `i64::MAX`.
    pub fn new(minor: i128) -> Result<Self, Error> {
        match i64::try_from(minor) {
            Ok(value) if value != i64::MIN => Ok(Self(value)),
            Ok(_) | Err(_) => Err(above_ceiling(minor)),
        }
    }

    /// `later` minus `earlier`; both lie in `0..=i64::MAX`, so it always fits.
    #[must_use]
    pub const fn between(later: Amount, earlier: Amount) -> Self {
        Self(later.0.cast_signed().wrapping_sub(earlier.0.cast_signed()))
    }

    /// The signed count of minor units.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The difference without its sign.
    #[must_use]
    pub const fn magnitude(self) -> Amount {
        Amount(self.0.unsigned_abs())
    }

    /// Whether it takes away.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Sums wide, so that a running total of many amounts cannot wrap.
impl Sum<Amount> for u128 {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Self {
        amounts.map(|amount| Self::from(amount.0)).sum()
    }
}

fn above_ceiling(value: impl fmt::Display) -> Error {
    let detail = format!(
        "amount {value} is above the ceiling of {} minor units: \
         use fewer decimals or several payments",
        i64::MAX
    );
    Error::new(Code::AmountAboveCeiling, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_is_the_largest_sql_bigint() {
        let table = [
            // minor                        accepted
            (0, true),
            (9_223_372_036_854_775_807, true),
            (9_223_372_036_854_775_808, false),
            (u64::MAX, false),
        ];
        for (minor, accepted) in table {
            assert_eq!(Amount::new(minor).is_ok(), accepted, "{minor}");
        }
    }

    #[test]
    fn a_difference_mirrors() {
        let (five, seven) = (Amount::new(5).unwrap(), Amount::new(7).unwrap());
        assert_eq!(Difference::between(five, seven).get(), -2);
        assert_eq!(Difference::between(seven, five).get(), 2);
        assert!(Difference::new(i128::from(i64::MIN)).is_err());
    }
}
