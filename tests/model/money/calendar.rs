//! A calendar as it hangs on a wall: days counted one by one from the first of 1970, a Thursday.

use crate::money::deed::{Each, Pays};
use crate::money::diary::DAY;

const MONTHS: [i128; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const WEEK: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// The first midnight at a moment or after it with which such a span begins.
fn begins(each: Each, at: i128) -> i128 {
    let is_leap = |year: i128| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut month, mut of_month) = (1970, 0, 1);
    let mut days = 0;
    loop {
        let fits = match each {
            Each::Day => true,
            Each::Week => WEEK[usize::try_from(days % 7).unwrap()] == "Mon",
            Each::Month => of_month == 1,
        };
        if fits && days * DAY >= at {
            return days * DAY;
        }
        let long = MONTHS[month] + i128::from(month == 1 && is_leap(year));
        (days, of_month) = (days + 1, of_month + 1);
        if of_month > long {
            (month, of_month) = (month + 1, 1);
        }
        if month == 12 {
            (year, month) = (year + 1, 0);
        }
    }
}

impl Pays {
    /// The boundary at which what waits since then is due; nothing where there are none.
    pub(crate) fn boundary(self, since: i128) -> Option<i128> {
        match self {
            Self::AtOnce | Self::From { .. } => None,
            Self::Every { secs, from, .. } => {
                let (step, from) = (i128::from(secs) * 1_000, i128::from(from));
                Some(from + ((since - from).max(0) + step - 1) / step * step)
            }
            Self::Dates { each, .. } => Some(begins(each, since)),
        }
    }
}
