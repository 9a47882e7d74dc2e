//! Time as an argument: milliseconds since 1970 in UTC, and the text that people read.

use core::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Code, Error};

/// A moment in milliseconds since 1970-01-01T00:00:00Z. The core never reads a clock.
///
/// ```
/// use divvy_core::Time;
///
/// let noon = Time::parse("2026-03-01T12:00:00Z")?;
/// assert_eq!(noon.plus_secs(300).to_string(), "2026-03-01T12:05:00Z");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
#[cbor(transparent)]
pub struct Time(#[n(0)] u64);

impl Time {
    /// The beginning of 1970.
    pub const ZERO: Self = Self(0);
    /// The latest moment that has text: 9999-12-30T22:00:00Z, so that it has text with every
    /// offset.
    pub const MAX: Self = Self(253_402_207_200_000);

    /// A moment by its milliseconds since 1970; later than [`Time::MAX`] becomes that.
    ///
    /// ```
    /// # use divvy_core::Time;
    /// assert_eq!(Time::from_millis(1_000).to_string(), "1970-01-01T00:00:01Z");
    /// ```
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 { Self::MAX } else { Self(millis) }
    }

    /// Milliseconds since 1970.
    ///
    /// ```
    /// # use divvy_core::Time;
    /// assert_eq!(Time::from_millis(7).millis(), 7);
    /// ```
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This many seconds later.
    ///
    /// ```
    /// # use divvy_core::Time;
    /// assert_eq!(Time::ZERO.plus_secs(2).millis(), 2_000);
    /// ```
    #[must_use]
    pub const fn plus_secs(self, secs: u64) -> Self {
        Self::from_millis(self.0.saturating_add(secs.saturating_mul(1_000)))
    }

    /// Milliseconds from an earlier moment until this one; zero when it is not earlier.
    ///
    /// ```
    /// # use divvy_core::Time;
    /// assert_eq!(Time::from_millis(9).millis_since(Time::from_millis(4)), 5);
    /// ```
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The first beginning of a month at this moment or after it, in UTC.
    pub(crate) fn month_from(self) -> Self {
        let month = || {
            let moment = Timestamp::from_millisecond(i64::try_from(self.0).ok()?).ok()?;
            let date = Offset::UTC.to_datetime(moment).date();
            let first = |date: Date| {
                let midnight = date.first_of_month().to_datetime(jiff::civil::Time::midnight());
                let moment = Offset::UTC.to_timestamp(midnight).ok()?;
                u64::try_from(moment.as_millisecond()).ok().map(Self::from_millis)
            };
            let this = first(date)?;
            if this == self {
                return Some(this);
            }
            first(date.last_of_month().tomorrow().ok()?)
        };
        month().unwrap_or(Self::MAX)
    }

    /// Reads RFC 3339 text with any offset.
    ///
    /// # Errors
    /// [`Code::TimeMalformed`] for other text, and for times before 1970.
    ///
    /// ```
    /// # use divvy_core::Time;
    /// assert_eq!(Time::parse("1970-01-01T01:00:00+01:00")?, Time::ZERO);
    /// assert!(Time::parse("yesterday").is_err());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let moment = text.parse::<Timestamp>().map_err(|_| malformed(text))?;
        let millis = u64::try_from(moment.as_millisecond()).map_err(|_| malformed(text))?;
        Ok(Self::from_millis(millis))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        match Timestamp::from_millisecond(millis) {
            Ok(moment) => fmt::Display::fmt(&moment, f),
            Err(_) => write!(f, "{} ms after 1970", self.0),
        }
    }
}

impl<C> Decode<'_, C> for Time {
    fn decode(d: &mut Decoder<'_>, _: &mut C) -> Result<Self, DecodeError> {
        let millis = d.u64()?;
        // What is later has no text, so no other language could be told of it.
        let time = Some(Self::from_millis(millis)).filter(|time| time.millis() == millis);
        time.ok_or_else(|| DecodeError::message("a time after the year 9999"))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn malformed(text: &str) -> Error {
    let detail = format!("{text:?} is no time since 1970: write it as 2026-03-01T12:00:00Z");
    Error::new(Code::TimeMalformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_up_to_the_last_has_text_that_reads_back() {
        for millis in [0, 1, 999, 1_000, 951_782_400_000, Time::MAX.millis(), u64::MAX] {
            let time = Time::from_millis(millis);
            assert_eq!(Time::parse(&time.to_string()), Ok(time), "{time}");
        }
        let late =
            ["1969-12-31T23:59:59Z", "9999-12-31T00:00:00Z", "2026-03-01", "2026-03-01T12:00"];
        for text in late {
            assert_eq!(Time::parse(text).unwrap_err().code(), Code::TimeMalformed, "{text}");
        }
    }
}
