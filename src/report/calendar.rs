//! Days, weeks, months or years: as many as a picture has room for.

use std::collections::BTreeMap;

use divvy_core::{Amount, Difference, Error, Time};

use crate::report::walk::Sums;

/// What moved on each day.
#[derive(Clone, Debug, Default)]
pub(super) struct Days(BTreeMap<u64, Moved>);

/// What came, went back and went out in some stretch of time. A movement may be undone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    pub(super) came: i64,
    pub(super) back: i64,
    pub(super) out: i64,
}

/// Equal stretches of time, without gaps.
#[derive(Clone, Debug)]
pub(super) struct Stretches {
    pub(super) step: Step,
    /// The first moment of each, and what moved in it.
    pub(super) bars: Vec<(Time, Moved)>,
}

/// How long a stretch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Day,
    Week,
    Month,
    Year,
}

/// A picture has room for so many bars.
const BARS_MAX: u64 = 31;

/// A day has so many milliseconds.
const DAY_MILLIS: u64 = 86_400_000;

impl Days {
    pub(super) fn add(&mut self, at: Time, before: Sums, after: Sums) -> Result<(), Error> {
        let change = |before: Amount, after: Amount| Difference::between(after, before).get();
        let (came, back) = (change(before.came, after.came), change(before.back, after.back));
        let out = change(before.out, after.out);
        if (came, back, out) != (0, 0, 0) {
            let day = at.millis().checked_div(DAY_MILLIS).unwrap_or(0);
            self.0.entry(day).or_default().add(Moved { came, back, out });
        }
        Ok(())
    }

    /// The first and the last day on which money moved.
    pub(super) fn ends(&self) -> Option<(Time, Time)> {
        let first = self.0.first_key_value()?;
        let last = self.0.last_key_value()?;
        Some((begin(*first.0), begin(*last.0)))
    }

    /// All of it, in the shortest stretches that there is room for.
    pub(super) fn stretches(&self) -> Option<Stretches> {
        let (first, last) = (*self.0.first_key_value()?.0, *self.0.last_key_value()?.0);
        let fits = |step: &&Step| step.number(last).saturating_sub(step.number(first)) < BARS_MAX;
        let steps = [Step::Day, Step::Week, Step::Month];
        let step = steps.iter().find(fits).copied().unwrap_or(Step::Year);
        let mut bars: BTreeMap<u64, (Time, Moved)> = BTreeMap::new();
        for day in first..=last {
            let bar = bars.entry(step.number(day)).or_insert((begin(day), Moved::default()));
            if let Some(moved) = self.0.get(&day) {
                bar.1.add(*moved);
            }
        }
        Some(Stretches { step, bars: bars.into_values().collect() })
    }
}

impl Moved {
    const fn add(&mut self, other: Self) {
        self.came = self.came.saturating_add(other.came);
        self.back = self.back.saturating_add(other.back);
        self.out = self.out.saturating_add(other.out);
    }
}

impl Step {
    /// The number of a day's stretch, counted from 1970 on; weeks begin on Mondays.
    fn number(self, day: u64) -> u64 {
        let text = begin(day).to_string();
        let part = |from: usize, to: usize| -> u64 {
            text.get(from..to).and_then(|digits| digits.parse().ok()).unwrap_or(0)
        };
        match self {
            Self::Day => day,
            Self::Week => day.saturating_add(3).checked_div(7).unwrap_or(0),
            Self::Month => part(0, 4).saturating_mul(12).saturating_add(part(5, 7)),
            Self::Year => part(0, 4),
        }
    }

    /// What a stretch is called under an axis.
    pub(super) fn label(self, at: Time) -> String {
        let text = date(at);
        let mut words = text.split(' ');
        let (day, month, year) = (words.next(), words.next(), words.next());
        match self {
            Self::Day | Self::Week => {
                format!("{} {}", day.unwrap_or_default(), month.unwrap_or_default())
            }
            Self::Month => format!("{} {}", month.unwrap_or_default(), year.unwrap_or_default()),
            Self::Year => year.unwrap_or_default().to_owned(),
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

fn begin(day: u64) -> Time {
    Time::from_millis(day.saturating_mul(DAY_MILLIS))
}

/// A date for people, as 1 Mar 2026.
pub(super) fn date(at: Time) -> String {
    let text = at.to_string();
    let mut parts = text.get(..10).unwrap_or_default().split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month: usize = month.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let month = MONTHS.get(month.saturating_sub(1)).copied().unwrap_or_default();
    let day = day.unwrap_or_default().trim_start_matches('0');
    format!("{day} {month} {}", year.unwrap_or_default())
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_the_shortest_stretches_that_there_is_room_for() {
        let sums = |came| Sums { came: Amount::new(came).unwrap(), ..Sums::default() };
        for (last, step, bars, label) in [
            ("2026-03-31T23:59:59Z", Step::Day, 31, "1 Mar"),
            ("2026-04-01T00:00:00Z", Step::Week, 6, "1 Mar"),
            ("2027-02-01T00:00:00Z", Step::Month, 12, "Mar 2026"),
            ("2038-01-01T00:00:00Z", Step::Year, 13, "2026"),
        ] {
            let mut days = Days::default();
            days.add(Time::parse("2026-03-01T12:00:00Z").unwrap(), sums(0), sums(7)).unwrap();
            days.add(Time::parse(last).unwrap(), sums(7), sums(9)).unwrap();
            let stretches = days.stretches().unwrap();
            assert_eq!((stretches.step, stretches.bars.len()), (step, bars), "{last}");
            assert_eq!(step.label(stretches.bars[0].0), label);
            assert_eq!(stretches.bars.iter().map(|(_, moved)| moved.came).sum::<i64>(), 9);
        }
    }
}
