//! Units and the index: the two integers of a pool that are never money.

use core::fmt;

use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::amount::Amount;
use crate::error::{Code, Error};

/// What holders hold: shares of a pool, never money.
///
/// ```
/// use divvy_core::{Code, Units};
///
/// let sold = Units::new(200_000)?;
/// assert_eq!(Units::ZERO.minus(sold).unwrap_err().code(), Code::PoolUnits);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
#[cbor(transparent)]
pub struct Units(#[n(0)] u64);

impl Units {
    /// None.
    pub const ZERO: Self = Self(0);

    /// Checks a count of units.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] beyond `i64::MAX`.
    pub fn new(units: u64) -> Result<Self, Error> {
        if i64::try_from(units).is_ok() {
            Ok(Self(units))
        } else {
            let detail = format!("{units} units are more than a pool can have: {}", i64::MAX);
            Err(Error::new(Code::PoolUnits, detail))
        }
    }

    /// Reads a whole number of units.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] for anything but digits, and beyond `i64::MAX`.
    ///
    /// ```
    /// # use divvy_core::Units;
    /// assert_eq!(Units::parse("200000")?.get(), 200_000);
    /// assert!(Units::parse("-1").is_err());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let units = if digits { text.parse::<u64>().ok() } else { None };
        let Some(units) = units else {
            let shown: String = text.chars().take(60).collect();
            let detail = format!("{shown:?} is no number of units: write digits alone");
            return Err(Error::new(Code::PoolUnits, detail));
        };
        Self::new(units)
    }

    /// The count.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum of both.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] beyond `i64::MAX`.
    pub fn plus(self, other: Self) -> Result<Self, Error> {
        Self::new(self.0.saturating_add(other.0))
    }

    /// What is left when the other is taken away.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] when the other is larger.
    pub fn minus(self, other: Self) -> Result<Self, Error> {
        self.0.checked_sub(other.0).map(Self).ok_or_else(|| {
            let detail = format!("{} units are not there: take at most {}", other.0, self.0);
            Error::new(Code::PoolUnits, detail)
        })
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<C> Decode<'_, C> for Units {
    fn decode(d: &mut Decoder<'_>, _: &mut C) -> Result<Self, DecodeError> {
        Self::new(d.u64()?).map_err(DecodeError::message)
    }
}

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What one unit has earned since the pool began, times the pool's scale.
///
/// It stays below 2¹²⁷, because all declarations together stay below 2⁶³ and the scale below 2⁶⁴.
///
/// ```
/// use divvy_core::Index;
///
/// assert!(Index::ZERO < Index::ZERO.plus(1)?);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Index(u128);

impl Index {
    /// Where every pool begins.
    pub const ZERO: Self = Self(0);

    /// An index by its value.
    #[must_use]
    pub const fn new(value: u128) -> Self {
        Self(value)
    }

    /// The value.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }

    /// The index after so many more steps.
    ///
    /// # Errors
    /// [`Code::PoolBroken`] beyond 128 bits, which no pool within its ceiling reaches.
    pub fn plus(self, steps: u128) -> Result<Self, Error> {
        let sum = self.0.checked_add(steps).map(Self);
        sum.ok_or_else(|| Error::new(Code::PoolBroken, "the pool is broken: its index wrapped"))
    }

    /// A running sum modulo 2¹²⁸, with one summand exchanged.
    pub(super) const fn swap(self, before: u128, after: u128) -> Self {
        Self(self.0.wrapping_sub(before).wrapping_add(after))
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<C> Encode<C> for Index {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0.to_be_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Index {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let bytes = <[u8; 16]>::try_from(d.bytes()?).map_err(DecodeError::message)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

impl Serialize for Index {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(from)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let value = if digits { text.parse().ok() } else { None };
        value.map(Self).ok_or_else(|| serde::de::Error::custom("digits of a u128 expected"))
    }
}

impl From<Amount> for u128 {
    fn from(amount: Amount) -> Self {
        Self::from(amount.get())
    }
}
