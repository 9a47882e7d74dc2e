//! How long the money lasts: pure arithmetic on whole minor units of one currency.
//!
//! Everything is exact and rounds against the optimist: days down, money that is needed up.

use crate::error::{Code, Error};

/// What a treasury can spend, and how fast it was spent, over some days.
///
/// ```
/// use divvy_core::{Runway, Steady};
///
/// let steady = Steady {
///     settled: 9_999_999,
///     reserve: 0,
///     due: 0,
///     credit_headroom: 0,
///     went_out: 1_000_000,
///     came_in: 0,
///     days: 1,
/// };
/// assert_eq!((steady.liquidity(), steady.burn_per_day()), (9_999_999, 1_000_000));
/// // Never rounded up.
/// assert_eq!(steady.runway(), Runway::Days(9));
/// // Without a day of history nobody knows.
/// assert_eq!(Steady { days: 0, ..steady }.runway(), Runway::NoHistory);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "figures, written down by whoever asks")]
pub struct Steady {
    /// What is there now, in minor units; below zero where it was overdrawn.
    pub settled: i64,
    /// What must stay there.
    pub reserve: i64,
    /// What is owed today: planned and not sent, or due.
    pub due: i64,
    /// What may still be borrowed.
    pub credit_headroom: i64,
    /// What went out in these days, in minor units.
    pub went_out: i64,
    /// What came in in these days.
    pub came_in: i64,
    /// How many whole days that were.
    pub days: u32,
}

/// How long the money lasts if things go on as they did.
///
/// ```
/// use divvy_core::Runway;
///
/// assert!(Runway::Exhausted < Runway::Days(1));
/// assert!(Runway::Days(7) < Runway::Unbounded);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Runway {
    /// There is nothing to spend, whatever comes in.
    Exhausted,
    /// So many whole days.
    Days(u64),
    /// As much comes in as goes out, or more.
    Unbounded,
    /// There is money, and not one whole day to judge by.
    NoHistory,
}

impl Steady {
    /// What can be spent: settled and credit, less the reserve and what is due.
    #[must_use]
    pub fn liquidity(&self) -> i128 {
        let has = i128::from(self.settled).saturating_add(self.credit_headroom.into());
        has.saturating_sub(self.reserve.into()).saturating_sub(self.due.into())
    }

    /// What goes out beyond what comes in, a day, rounded up; below zero when more comes in.
    #[must_use]
    pub fn burn_per_day(&self) -> i128 {
        let (burn, days) = (self.burn(), i128::from(self.days.max(1)));
        burn.saturating_neg().checked_div_euclid(days).unwrap_or(0).saturating_neg()
    }

    /// Whole days until nothing can be spent any more.
    #[must_use]
    pub fn runway(&self) -> Runway {
        let (liquidity, burn) = (self.liquidity(), self.burn());
        if liquidity <= 0 {
            return Runway::Exhausted;
        }
        if self.days == 0 {
            return Runway::NoHistory;
        }
        if burn <= 0 {
            return Runway::Unbounded;
        }
        let days = liquidity.saturating_mul(self.days.into()).checked_div(burn).unwrap_or(0);
        Runway::Days(u64::try_from(days).unwrap_or(u64::MAX))
    }

    fn burn(&self) -> i128 {
        i128::from(self.went_out).saturating_sub(self.came_in.into())
    }
}

/// A balance from day to day, with what is known to come and to go.
///
/// ```
/// use divvy_core::Projection;
///
/// // Short on day 3, although the end is positive; exactly zero is not short.
/// let days = [(0, 100), (0, 100), (0, 100), (500, 100)];
/// let projection = Projection::of(250, &days);
/// assert_eq!((projection.first_short_day, projection.closing), (Some(3), 350));
/// assert_eq!((projection.lowest, projection.lowest_day), (-50, 3));
/// assert_eq!((projection.shortfall(), projection.covered_days()), (50, Some(2)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Projection {
    /// The first day whose end is below zero, counted from 1; 0 when it begins below.
    pub first_short_day: Option<u32>,
    /// The lowest end of a day in minor units.
    pub lowest: i64,
    /// The first day that ends so low; 0 when that is the beginning.
    pub lowest_day: u32,
    /// The end of the last day.
    pub closing: i64,
}

impl Projection {
    /// Walks from an opening balance through days of (what settles, what goes out). Without a day
    /// it ends as it began.
    #[must_use]
    pub fn of(opening: i64, days: &[(i64, i64)]) -> Self {
        let mut walk = Self {
            first_short_day: (opening < 0).then_some(0),
            lowest: opening,
            lowest_day: 0,
            closing: opening,
        };
        // A healthy beginning is no day's end: the lowest of the days is what is asked for.
        let mut is_fresh = opening >= 0;
        for (day, (comes_in, goes_out)) in (1..).zip(days) {
            walk.closing = walk.closing.saturating_add(*comes_in).saturating_sub(*goes_out);
            if is_fresh || walk.closing < walk.lowest {
                (walk.lowest, walk.lowest_day, is_fresh) = (walk.closing, day, false);
            }
            if walk.closing < 0 && walk.first_short_day.is_none() {
                walk.first_short_day = Some(day);
            }
        }
        walk
    }

    /// How much more would have been needed, at the worst.
    #[must_use]
    pub const fn shortfall(&self) -> u64 {
        if self.lowest < 0 { self.lowest.unsigned_abs() } else { 0 }
    }

    /// Whole days before the first that is short; nothing when none is.
    #[must_use]
    pub const fn covered_days(&self) -> Option<u32> {
        match self.first_short_day {
            Some(day) => Some(day.saturating_sub(1)),
            None => None,
        }
    }
}

/// The float that pays out every day of a settlement gap before the first money arrives: the sum
/// of the daily payouts over the gap's calendar days, growing each day, rounded up.
///
/// ```
/// use divvy_core::required_float;
///
/// assert_eq!(required_float(1_000_000, 6, 0)?, 6_000_000);
/// assert_eq!(required_float(1_000_000, 7, 10_000)?, 7_213_536);
/// # Ok::<(), divvy_core::Error>(())
/// ```
///
/// # Errors
/// [`Code::AmountAboveCeiling`] when it, or the exact fraction on the way to it, is too large.
pub fn required_float(
    daily_payouts: u64,
    calendar_gap_days: u32,
    growth_ppm_per_day: u32,
) -> Result<u64, Error> {
    let exact = || -> Option<u64> {
        if growth_ppm_per_day == 0 {
            return daily_payouts.checked_mul(calendar_gap_days.into());
        }
        let common = common_divisor(u128::from(growth_ppm_per_day), PPM);
        let bottom = PPM.checked_div(common)?;
        let top = bottom.checked_add(u128::from(growth_ppm_per_day).checked_div(common)?)?;
        // sum / scale == 1 + g + g² + …, exactly.
        let (mut sum, mut scale) = (0_u128, 1_u128);
        for day in 0..calendar_gap_days {
            if day > 0 {
                scale = scale.checked_mul(bottom)?;
            }
            sum = sum.checked_mul(top)?.checked_add(scale)?;
        }
        let whole = sum.checked_mul(daily_payouts.into())?.div_ceil(scale);
        u64::try_from(whole).ok()
    };
    exact().filter(|float| i64::try_from(*float).is_ok()).ok_or_else(|| {
        let detail = format!(
            "a float for {daily_payouts} a day over {calendar_gap_days} days growing by \
             {growth_ppm_per_day} ppm cannot be told exactly: use a rounder growth or fewer days"
        );
        Error::new(Code::AmountAboveCeiling, detail)
    })
}

/// A float that only fees drain: each cycle brings back what was paid out, less fees and losses.
///
/// ```
/// use divvy_core::{FeeDrain, Runway};
///
/// let drain = FeeDrain {
///     float: 10_000_000,
///     daily_volume: 1_000_000,
///     fee_bp: 320,
///     loss_bp: 0,
///     daily_replenishment: 0,
/// };
/// assert_eq!((drain.daily_drain(), drain.runway()), (32_000, Runway::Days(312)));
/// assert_eq!(FeeDrain { daily_replenishment: 40_000, ..drain }.runway(), Runway::Unbounded);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "figures, written down by whoever asks")]
pub struct FeeDrain {
    /// What is there, in minor units.
    pub float: i64,
    /// What is paid out a day.
    pub daily_volume: i64,
    /// What the processor keeps of it, in hundredths of a percent.
    pub fee_bp: u32,
    /// What is lost of it to refunds and disputes, in hundredths of a percent.
    pub loss_bp: u32,
    /// What is put in a day to make up for that.
    pub daily_replenishment: i64,
}

impl FeeDrain {
    /// What is lost a day, rounded up; below zero when more is put in.
    #[must_use]
    pub fn daily_drain(&self) -> i128 {
        let drain = self.drain().saturating_neg().checked_div_euclid(WHOLE_BP).unwrap_or(0);
        drain.saturating_neg()
    }

    /// Whole days until the float is gone.
    #[must_use]
    pub fn runway(&self) -> Runway {
        if self.float <= 0 {
            return Runway::Exhausted;
        }
        if self.drain() <= 0 {
            return Runway::Unbounded;
        }
        let float = i128::from(self.float).saturating_mul(WHOLE_BP);
        let days = float.checked_div(self.drain()).unwrap_or(0);
        Runway::Days(u64::try_from(days).unwrap_or(u64::MAX))
    }

    /// In ten-thousandths of a minor unit.
    fn drain(&self) -> i128 {
        let share = i128::from(self.fee_bp).saturating_add(self.loss_bp.into());
        let lost = i128::from(self.daily_volume).saturating_mul(share);
        lost.saturating_sub(i128::from(self.daily_replenishment).saturating_mul(WHOLE_BP))
    }
}

const PPM: u128 = 1_000_000;
const WHOLE_BP: i128 = 10_000;

fn common_divisor(a: u128, b: u128) -> u128 {
    match a.checked_rem(b) {
        None | Some(0) => b,
        Some(rest) => common_divisor(b, rest),
    }
}
