//! An exact rate between two assets: who quoted it, when, and how it rounds.

use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::{Code, Error};
use crate::split::gcd;
use crate::time::Time;

/// What becomes of a part of a minor unit.
///
/// ```
/// use divvy_core::{Amount, Asset, Rate, Rounding, Time};
///
/// let (usd, eur) = (Asset::parse("USD")?, Asset::parse("EUR")?);
/// let rate = Rate::of_price(usd, eur, "0.9", "a bank", Time::ZERO)?;
/// let five = Amount::new(5)?; // 4.5 cents
/// assert_eq!(rate.convert_by(five, Rounding::Down)?.get(), 4);
/// assert_eq!(rate.convert_by(five, Rounding::HalfEven)?.get(), 4);
/// assert_eq!(rate.convert_by(five, Rounding::Up)?.get(), 5);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rounding {
    /// It is left out.
    #[default]
    #[n(0)]
    Down,
    /// It counts as a whole.
    #[n(1)]
    Up,
    /// More than half counts as a whole, less is left out, and half goes to the even neighbour.
    #[n(2)]
    HalfEven,
}

/// An exact rate between two assets, in lowest terms of their minor units.
///
/// ```
/// use divvy_core::{Asset, Rate, Time};
///
/// // One BSV costs 42.50 USD: 4,250 cents for 100,000,000 satoshi, or 17 for 400,000.
/// let (bsv, usd) = (Asset::parse("BSV@8")?, Asset::parse("USD")?);
/// let rate = Rate::of_price(bsv.clone(), usd.clone(), "42.50", "an exchange", Time::ZERO)?;
/// assert_eq!((rate.num(), rate.den()), (17, 400_000));
/// assert_eq!(usd.text(rate.convert(bsv.amount("2")?)?), "85.00");
/// assert_eq!(bsv.text(rate.inverse().convert(usd.amount("50.00")?)?), "1.17647058");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Serialize, Deserialize)]
#[serde(try_from = "Said")]
#[cbor(map)]
pub struct Rate {
    #[n(0)]
    from: Asset,
    #[n(1)]
    to: Asset,
    #[n(2)]
    #[serde(with = "crate::fact::text::digits")]
    num: u64,
    #[n(3)]
    #[serde(with = "crate::fact::text::digits")]
    den: u64,
    #[n(4)]
    rounding: Rounding,
    #[n(5)]
    source: String,
    #[n(6)]
    at: Time,
}

impl Rate {
    /// A rate of `num` minor units of one asset for `den` minor units of another, rounding down.
    ///
    /// ```
    /// use divvy_core::{Asset, Rate, Time};
    ///
    /// let (jpy, usd) = (Asset::parse("JPY")?, Asset::parse("USD")?);
    /// let rate = Rate::new((jpy, usd), (2, 4), "a bank", Time::ZERO)?;
    /// assert_eq!((rate.num(), rate.den()), (1, 2));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::RateMalformed`] for a rate of or by nothing, and from an asset to itself.
    pub fn new(
        (from, to): (Asset, Asset),
        (num, den): (u64, u64),
        source: impl Into<String>,
        at: Time,
    ) -> Result<Self, Error> {
        Self::reduced((from, to), (num.into(), den.into()), source.into(), at)
    }

    /// A rate as people write it: what one whole unit of `from` costs in `to`, in decimals.
    ///
    /// ```
    /// use divvy_core::{Asset, Rate, Time};
    ///
    /// let (usd, jpy) = (Asset::parse("USD")?, Asset::parse("JPY")?);
    /// let rate = Rate::of_price(usd.clone(), jpy.clone(), "151.37", "a bank", Time::ZERO)?;
    /// assert_eq!(jpy.text(rate.convert(usd.amount("10.00")?)?), "1513");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::RateMalformed`] for text that is no positive decimal, a rate whose lowest terms
    /// pass 64 bits, and from an asset to itself.
    pub fn of_price(
        from: Asset,
        to: Asset,
        price: &str,
        source: impl Into<String>,
        at: Time,
    ) -> Result<Self, Error> {
        let Some((digits, places)) = decimal(price) else {
            let shown: String = price.chars().take(60).collect();
            let detail = format!(
                "{shown:?} is no price of one {} in {}: write a positive decimal such as 42.50",
                from.code(),
                to.code()
            );
            return Err(Error::new(Code::RateMalformed, detail));
        };
        // Decimals that both sides have cancel out; what is left is a power of ten on one side.
        let ups = i32::from(to.decimals());
        let downs = i32::from(from.decimals()).saturating_add(places);
        let power = |exponent: i32| 10_u128.checked_pow(u32::try_from(exponent.max(0)).ok()?);
        let up = power(ups.saturating_sub(downs));
        let num = up.and_then(|up| digits.checked_mul(up));
        let den = power(downs.saturating_sub(ups));
        let terms = num.zip(den).ok_or_else(|| too_fine(&from, &to))?;
        Self::reduced((from, to), terms, source.into(), at)
    }

    /// The same rate with another rounding.
    ///
    /// ```
    /// use divvy_core::{Amount, Asset, Rate, Rounding, Time};
    ///
    /// let assets = (Asset::parse("JPY")?, Asset::parse("USD")?);
    /// let rate = Rate::new(assets, (2, 3), "a bank", Time::ZERO)?.rounding(Rounding::Up);
    /// assert_eq!(rate.convert(Amount::ONE)?, Amount::ONE);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn rounding(self, rounding: Rounding) -> Self {
        Self { rounding, ..self }
    }

    /// The same rate the other way round.
    ///
    /// ```
    /// use divvy_core::{Asset, Rate, Time};
    ///
    /// let (jpy, usd) = (Asset::parse("JPY")?, Asset::parse("USD")?);
    /// let rate = Rate::new((jpy, usd.clone()), (2, 3), "a bank", Time::ZERO)?.inverse();
    /// assert_eq!((rate.from(), rate.num(), rate.den()), (&usd, 3, 2));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn inverse(&self) -> Self {
        let Self { from, to, num, den, rounding, source, at } = self.clone();
        Self { from: to, to: from, num: den, den: num, rounding, source, at }
    }

    /// An amount of the first asset in minor units of the second, rounded as the rate says.
    ///
    /// ```
    /// use divvy_core::{Amount, Asset, Rate, Time};
    ///
    /// let assets = (Asset::parse("JPY")?, Asset::parse("USD")?);
    /// let rate = Rate::new(assets, (2, 3), "a bank", Time::ZERO)?;
    /// assert_eq!(rate.convert(Amount::new(100)?)?.get(), 66);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] when an amount cannot hold the outcome.
    pub fn convert(&self, amount: Amount) -> Result<Amount, Error> {
        self.convert_by(amount, self.rounding)
    }

    /// An amount of the first asset in minor units of the second, rounded as is said.
    ///
    /// ```
    /// use divvy_core::{Amount, Asset, Rate, Rounding, Time};
    ///
    /// let assets = (Asset::parse("JPY")?, Asset::parse("USD")?);
    /// let rate = Rate::new(assets, (2, 3), "a bank", Time::ZERO)?;
    /// assert_eq!(rate.convert_by(Amount::new(100)?, Rounding::Up)?.get(), 67);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Rate::convert`].
    pub fn convert_by(&self, amount: Amount, rounding: Rounding) -> Result<Amount, Error> {
        // 63 and 64 bits fit 128, and the denominator is never zero.
        let (wide, den) = (u128::from(amount.get()), u128::from(self.den));
        let wide = wide.saturating_mul(u128::from(self.num));
        let whole = wide.checked_div(den).unwrap_or(u128::MAX);
        let rest = wide.checked_rem(den).unwrap_or(0);
        let odd = whole.checked_rem(2) == Some(1);
        let more = match rounding {
            Rounding::Down => false,
            Rounding::Up => rest > 0,
            Rounding::HalfEven => match rest.saturating_mul(2).cmp(&den) {
                core::cmp::Ordering::Less => false,
                core::cmp::Ordering::Equal => odd,
                core::cmp::Ordering::Greater => true,
            },
        };
        Amount::from_wide(whole.saturating_add(u128::from(more)))
    }

    /// What is converted.
    #[must_use]
    pub const fn from(&self) -> &Asset {
        &self.from
    }

    /// Into what.
    #[must_use]
    pub const fn to(&self) -> &Asset {
        &self.to
    }

    /// So many minor units of the second asset…
    #[must_use]
    pub const fn num(&self) -> u64 {
        self.num
    }

    /// …for so many minor units of the first.
    #[must_use]
    pub const fn den(&self) -> u64 {
        self.den
    }

    /// Who quoted it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// When it was quoted.
    #[must_use]
    pub const fn at(&self) -> Time {
        self.at
    }

    fn reduced(
        (from, to): (Asset, Asset),
        (num, den): (u128, u128),
        source: String,
        at: Time,
    ) -> Result<Self, Error> {
        if from == to {
            let detail = format!("a rate from {from} to itself: leave it out");
            return Err(Error::new(Code::RateMalformed, detail));
        }
        if num == 0 || den == 0 {
            let detail = format!("a rate of {num}/{den} converts nothing: use positive numbers");
            return Err(Error::new(Code::RateMalformed, detail));
        }
        let common = gcd(num, den);
        let term = |term: u128| term.checked_div(common).and_then(|term| u64::try_from(term).ok());
        let (Some(num), Some(den)) = (term(num), term(den)) else {
            return Err(too_fine(&from, &to));
        };
        Ok(Self { from, to, num, den, rounding: Rounding::Down, source, at })
    }
}

/// A rate as it is read, before it is believed.
#[derive(Decode, Deserialize)]
#[serde(deny_unknown_fields)]
#[cbor(map)]
struct Said {
    #[n(0)]
    from: Asset,
    #[n(1)]
    to: Asset,
    #[n(2)]
    #[serde(with = "crate::fact::text::digits")]
    num: u64,
    #[n(3)]
    #[serde(with = "crate::fact::text::digits")]
    den: u64,
    #[n(4)]
    rounding: Rounding,
    #[n(5)]
    source: String,
    #[n(6)]
    at: Time,
}

impl TryFrom<Said> for Rate {
    type Error = Error;

    fn try_from(said: Said) -> Result<Self, Error> {
        let Said { from, to, num, den, rounding, source, at } = said;
        let rate = Self::new((from, to), (num, den), source, at)?.rounding(rounding);
        // One rate has one encoding, so that its hash means something.
        if (rate.num, rate.den) == (num, den) {
            return Ok(rate);
        }
        let detail = format!("a rate of {num}/{den} is not in lowest terms");
        Err(Error::new(Code::RateMalformed, detail))
    }
}

impl<C> Decode<'_, C> for Rate {
    fn decode(d: &mut Decoder<'_>, context: &mut C) -> Result<Self, DecodeError> {
        Said::decode(d, context)?.try_into().map_err(DecodeError::message)
    }
}

/// The digits of a positive decimal without its point, and how many of them stand behind it.
fn decimal(text: &str) -> Option<(u128, i32)> {
    let (whole, part) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, part)) => (whole, part.trim_end_matches('0')),
        None => (text, ""),
    };
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(part) {
        return None;
    }
    let digits = format!("{whole}{part}").parse::<u128>().ok().filter(|digits| *digits > 0)?;
    Some((digits, i32::try_from(part.len()).ok()?))
}

fn too_fine(from: &Asset, to: &Asset) -> Error {
    let detail = format!("a rate from {from} to {to} is too fine for 64 bits: use fewer decimals");
    Error::new(Code::RateMalformed, detail)
}

#[cfg(test)]
mod tests;
