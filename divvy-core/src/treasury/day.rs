//! Calendar days in UTC: what treasuries count in.

use core::fmt;

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::{SignedDuration, Timestamp};

use crate::error::{Code, Error};
use crate::time::Time;

/// A day in UTC, counted from 1970-01-01.
///
/// ```
/// use divvy_core::{Day, Time};
///
/// let day = Day::of(Time::parse("2026-11-18T23:59:59Z")?);
/// assert_eq!(day.to_string(), "2026-11-18");
/// assert_eq!(day.week(), (Day::parse("2026-11-16")?, Day::parse("2026-11-23")?));
/// assert_eq!(Day::parse("2026-W47")?.to_string(), "2026-11-16");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u32);

/// Milliseconds in a day.
const DAY_MILLIS: u64 = 86_400_000;

impl Day {
    /// The day that a moment lies in.
    #[must_use]
    pub fn of(time: Time) -> Self {
        let days = time.millis().checked_div(DAY_MILLIS).unwrap_or(0);
        Self(u32::try_from(days).unwrap_or(u32::MAX))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The day with this number; later than the last that has text becomes that.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self(number.min(Self::of(Time::MAX).0))
    }

    /// The day's first moment.
    #[must_use]
    pub fn start(self) -> Time {
        Time::from_millis(u64::from(self.0).saturating_mul(DAY_MILLIS))
    }

    /// So many days later.
    #[must_use]
    pub fn plus(self, days: u32) -> Self {
        Self::from_number(self.0.saturating_add(days))
    }

    /// So many days earlier, not before 1970-01-01.
    #[must_use]
    pub const fn less(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// Days from an earlier day until this one; zero when it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }

    /// The Monday of this day's week, and the one after it. What was before the first Monday of
    /// 1970 belongs to a week that begins on 1970-01-01.
    #[must_use]
    pub fn week(self) -> (Self, Self) {
        let monday = self.less(self.weekday());
        (monday, Self::from_number(self.0.saturating_add(7).saturating_sub(self.weekday())))
    }

    /// Reads `2026-11-16`, or `2026-W47` for the Monday of that week.
    ///
    /// # Errors
    /// [`Code::TimeMalformed`] for other text, and for days before 1970.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let date = match text.split_once("-W") {
            Some((year, week)) => monday_of(year, week),
            None => text.parse::<Date>().ok(),
        };
        let since = date.map(|date| date.duration_since(epoch()));
        let days = since.and_then(|since: SignedDuration| since.as_hours().checked_div(24));
        let number = days.and_then(|days| u32::try_from(days).ok());
        number.map(Self::from_number).ok_or_else(|| {
            let detail = format!("{text:?} is no day: write it as 2026-11-16, or 2026-W47");
            Error::new(Code::TimeMalformed, detail)
        })
    }

    /// Whether business is done on this day: no Saturday, no Sunday, no holiday.
    #[must_use]
    pub fn is_business(self, holidays: &[Self]) -> bool {
        self.weekday() < 5 && !holidays.contains(&self)
    }

    /// The day so many business days after this one: when a payment of this day settles.
    ///
    /// ```
    /// use divvy_core::Day;
    ///
    /// // Two business days from a Friday is a Tuesday.
    /// let friday = Day::parse("2026-11-20")?;
    /// assert_eq!(friday.plus_business(2, &[]), Day::parse("2026-11-24")?);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn plus_business(self, days: u32, holidays: &[Self]) -> Self {
        let (mut day, mut left) = (self, days);
        while left > 0 && day < Self::from_number(u32::MAX) {
            day = day.plus(1);
            left = left.saturating_sub(u32::from(day.is_business(holidays)));
        }
        day
    }

    /// Days since Monday; 1970-01-01 was a Thursday.
    fn weekday(self) -> u32 {
        self.0.saturating_add(3).checked_rem(7).unwrap_or(0)
    }
}

fn monday_of(year: &str, week: &str) -> Option<Date> {
    let fits = year.len() == 4 && week.len() == 2;
    let digits = year.bytes().chain(week.bytes()).all(|byte| byte.is_ascii_digit());
    let (year, week) = (year.parse().ok()?, week.parse().ok()?);
    let monday = ISOWeekDate::new(year, week, Weekday::Monday).ok().filter(|_| fits && digits);
    monday.map(ISOWeekDate::date)
}

fn epoch() -> Date {
    jiff::tz::Offset::UTC.to_datetime(Timestamp::UNIX_EPOCH).date()
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_string();
        f.write_str(text.split_once('T').map_or(text.as_str(), |(day, _)| day))
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl<C> minicbor::Encode<C> for Day {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u32(self.0)?.ok()
    }
}

impl<C> minicbor::Decode<'_, C> for Day {
    fn decode(d: &mut minicbor::Decoder<'_>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let number = d.u32()?;
        let day = Some(Self::from_number(number)).filter(|day| day.number() == number);
        day.ok_or_else(|| minicbor::decode::Error::message("a day after the year 9999"))
    }
}
