//! Exact positive fractions, and their text.

use core::fmt;
use core::num::NonZeroU64;
use core::str::FromStr;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::malformed;
use crate::error::Error;

/// An exact positive fraction in lowest terms: a portion, a rate.
///
/// Its text is a percentage where that is exact within sixteen decimals, else a fraction. Both
/// are read, with any number of decimals.
///
/// ```
/// use divvy_core::Ratio;
///
/// assert_eq!(Ratio::parse("12.50%")?, Ratio::new(1, 8)?);
/// assert_eq!(Ratio::parse("2/8")?.to_string(), "25%");
/// assert_eq!(Ratio::parse("1/3")?.to_string(), "1/3");
/// assert!(Ratio::parse("0%").is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode)]
#[cbor(map)]
pub struct Ratio {
    #[n(0)]
    num: NonZeroU64,
    #[n(1)]
    den: NonZeroU64,
}

impl Ratio {
    /// The whole.
    pub const ONE: Self = Self { num: NonZeroU64::MIN, den: NonZeroU64::MIN };

    /// `num` over `den`, reduced.
    ///
    /// # Errors
    /// [`Code::SplitMalformed`](crate::Code::SplitMalformed) when either is zero.
    ///
    /// ```
    /// # use divvy_core::Ratio;
    /// assert_eq!(Ratio::new(2, 6)?, Ratio::new(1, 3)?);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn new(num: u64, den: u64) -> Result<Self, Error> {
        Self::of(num.into(), den.into(), &format_args!("{num}/{den}"))
    }

    /// Reads a percentage or a fraction.
    ///
    /// # Errors
    /// [`Code::SplitMalformed`](crate::Code::SplitMalformed) for anything else, for zero, and for
    /// a fraction whose lowest terms pass 64 bits.
    ///
    /// ```
    /// # use divvy_core::Ratio;
    /// // A bare number is refused: nobody knows whether 5 means five times or five percent.
    /// assert!(Ratio::parse("5").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (num, den) = terms(text)?;
        Self::of(num, den, &text)
    }

    /// The numerator, in lowest terms.
    ///
    /// ```
    /// # use divvy_core::Ratio;
    /// assert_eq!(Ratio::parse("40%")?.num(), 2);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub const fn num(self) -> u64 {
        self.num.get()
    }

    /// The denominator, in lowest terms.
    ///
    /// ```
    /// # use divvy_core::Ratio;
    /// assert_eq!(Ratio::parse("40%")?.den(), 5);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub const fn den(self) -> u64 {
        self.den.get()
    }

    fn of(num: u128, den: u128, text: &dyn fmt::Display) -> Result<Self, Error> {
        let common = gcd(num, den);
        let lowest = |value: u128| {
            let term = value.checked_div(common).map(u64::try_from);
            term.and_then(Result::ok).and_then(NonZeroU64::new)
        };
        match (lowest(num), lowest(den)) {
            (Some(num), Some(den)) => Ok(Self { num, den }),
            (_, _) if num == 0 || den == 0 => Err(malformed(format!(
                "ratio {text} has a zero in it: leave the portion out, or write one above zero"
            ))),
            (_, _) => Err(malformed(format!(
                "ratio {text} needs more than 64 bits in lowest terms: write fewer digits"
            ))),
        }
    }

    /// The percentage as digits and decimals, where it is exact within [`DECIMALS`].
    fn percent(self) -> Option<(u128, usize)> {
        let mut scaled = u128::from(self.num()).checked_mul(100)?;
        for decimals in 0..=DECIMALS {
            if scaled.checked_rem(self.den().into())? == 0 {
                return Some((scaled.checked_div(self.den().into())?, decimals));
            }
            scaled = scaled.checked_mul(10)?;
        }
        None
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((digits, decimals)) = self.percent() else {
            return write!(f, "{}/{}", self.num, self.den);
        };
        let width = decimals.saturating_add(1);
        let text = format!("{digits:0width$}");
        let (whole, part) = text.split_at(text.len().saturating_sub(decimals));
        let point = if part.is_empty() { "" } else { "." };
        write!(f, "{whole}{point}{part}%")
    }
}

impl FromStr for Ratio {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl<C> Decode<'_, C> for Ratio {
    fn decode(
        d: &mut minicbor::Decoder<'_>,
        context: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let Terms { num, den } = Terms::decode(d, context)?;
        let ratio = Self::new(num, den).map_err(minicbor::decode::Error::message)?;
        // One value has one encoding, so that its hash means something.
        if (ratio.num(), ratio.den()) == (num, den) {
            Ok(ratio)
        } else {
            Err(minicbor::decode::Error::message("a ratio that is not in lowest terms"))
        }
    }
}

/// A ratio's encoding, before it is believed.
#[derive(Decode)]
#[cbor(map)]
struct Terms {
    #[n(0)]
    num: u64,
    #[n(1)]
    den: u64,
}

/// Ratios are their text in JSON.
impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Numerator and denominator of a percentage or a fraction, zero included, not reduced.
pub(super) fn terms(text: &str) -> Result<(u128, u128), Error> {
    let found = match text.strip_suffix('%') {
        Some(percent) => percent_terms(percent.trim_end()),
        None => text.split_once('/').and_then(|(num, den)| Some((digits(num)?, digits(den)?))),
    };
    found.ok_or_else(|| {
        malformed(format!(
            "portion {text:?} is no positive fraction: write it like 1/3 or 12.5%, \
             with at most 36 digits"
        ))
    })
}

fn percent_terms(text: &str) -> Option<(u128, u128)> {
    let (whole, part) = match text.split_once('.') {
        Some((whole, part)) if !part.is_empty() => (whole, part.trim_end_matches('0')),
        Some(_) => return None,
        None => (text, ""),
    };
    let ten = 10_u128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let part = if part.is_empty() { 0 } else { digits(part)? };
    let num = digits(whole)?.checked_mul(ten)?.checked_add(part)?;
    Some((num, ten.checked_mul(100)?))
}

/// Plain digits; the standard parser would take a plus sign too.
fn digits(text: &str) -> Option<u128> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The greatest common divisor; that of zero and a number is the number.
pub(crate) fn gcd(left: u128, right: u128) -> u128 {
    let (mut left, mut right) = (left, right);
    while let Some(rest) = left.checked_rem(right) {
        (left, right) = (right, rest);
    }
    left
}

/// So that `u64` times a hundred times ten to this many still fits 128 bits.
const DECIMALS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_exactly_and_writes_back() {
        let table = [
            // text                    num   den     text again
            ("1/3", Some((1, 3, "1/3"))),
            ("2/6", Some((1, 3, "1/3"))),
            ("25%", Some((1, 4, "25%"))),
            ("12.5%", Some((1, 8, "12.5%"))),
            ("12.5 %", Some((1, 8, "12.5%"))),
            ("0.000001%", Some((1, 100_000_000, "0.000001%"))),
            ("100.0001%", Some((1_000_001, 1_000_000, "100.0001%"))),
            ("25.000000000000000000000000000000000000000000%", Some((1, 4, "25%"))),
            ("7/2", Some((7, 2, "350%"))),
            ("1/1125899906842624", Some((1, 1 << 50, "1/1125899906842624"))),
            ("18446744073709551615/1", Some((u64::MAX, 1, "1844674407370955161500%"))),
            ("36893488147419103230/2", Some((u64::MAX, 1, "1844674407370955161500%"))),
            ("18446744073709551616/1", None),
            ("0.0000000000000000000001%", None),
            ("", None),
            ("%", None),
            ("/", None),
            ("5", None),
            ("1/0", None),
            ("0/1", None),
            ("0%", None),
            ("-1/3", None),
            ("+1/3", None),
            ("-10%", None),
            ("1.%", None),
            (".5%", None),
            ("1.2.3%", None),
            ("1e2%", None),
            ("1/2/3", None),
            (" 1/3", None),
            ("١/٣", None),
        ];
        for (text, expected) in table {
            let Some((num, den, again)) = expected else {
                assert!(Ratio::parse(text).is_err(), "{text}");
                continue;
            };
            let ratio = Ratio::parse(text).unwrap();
            assert_eq!((ratio.num(), ratio.den()), (num, den), "{text}");
            assert_eq!(ratio.to_string(), again, "{text}");
            assert_eq!(Ratio::parse(again), Ok(ratio), "{text}");
        }
    }

    #[test]
    fn bytes_and_json_are_checked_when_read() {
        let third = Ratio::new(1, 3).unwrap();
        let bytes = minicbor::to_vec(third).unwrap();
        assert_eq!(minicbor::decode::<Ratio>(&bytes).unwrap(), third);
        for (num, den) in [(0_u64, 1_u64), (1, 0), (2, 6)] {
            let bytes = minicbor::to_vec(Wild { num, den }).unwrap();
            assert!(minicbor::decode::<Ratio>(&bytes).is_err(), "{num}/{den}");
        }
    }

    #[derive(Encode)]
    #[cbor(map)]
    struct Wild {
        #[n(0)]
        num: u64,
        #[n(1)]
        den: u64,
    }
}
