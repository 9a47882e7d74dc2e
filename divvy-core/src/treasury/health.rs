//! How a treasury is: what it can spend, how long that lasts, and what a person should look at.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::{Amount, Difference};
use crate::error::Error;
use crate::fact::Figures;
use crate::name::Name;
use crate::time::Time;
use crate::treasury::figures::signed;
use crate::treasury::{Day, Projection, Runway, Steady, Treasury};

/// When to warn, and whose legs are the platform's own.
///
/// ```
/// use divvy_core::{Amount, TreasuryTerms};
///
/// let terms = TreasuryTerms::new(Amount::new(200_000)?);
/// assert_eq!((terms.low_days, terms.success_bp_min), (7, 9_500));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "settings, written down by whoever asks")]
pub struct TreasuryTerms {
    /// The payee whose legs are the platform's own.
    pub owner: Option<Name>,
    /// Warn below this; exactly this is enough.
    pub low_balance: Amount,
    /// Warn below so many days of runway; exactly so many are enough.
    pub low_days: u64,
    /// Averages are over so many whole days before today, or as many as there are.
    pub window_days: u32,
    /// The projection goes so many days ahead.
    pub horizon_days: u32,
    /// Warn when less of the payout lines succeed, in hundredths of a percent.
    pub success_bp_min: u64,
}

impl TreasuryTerms {
    /// What is usual: seven days of runway, averages over four weeks, two weeks ahead, 95 %.
    #[must_use]
    pub const fn new(low_balance: Amount) -> Self {
        Self {
            owner: None,
            low_balance,
            low_days: 7,
            window_days: 28,
            horizon_days: 14,
            success_bp_min: 9_500,
        }
    }
}

/// What a person should look at.
///
/// ```
/// use divvy_core::{Alert, Day, Health, Time};
///
/// let short = Alert::ShortOn(Day::of(Time::parse("2026-11-23T08:00:00Z")?));
/// assert_eq!(short.to_string(), "short_on 2026-11-23");
/// assert_eq!(Alert::Exhausted.to_string(), "exhausted");
///
/// assert_eq!(Health::of(&[]), Health::Healthy);
/// assert_eq!(Health::of(&[Alert::BalanceLow]), Health::Low);
/// assert_eq!(Health::of(&[Alert::BalanceLow, Alert::Exhausted]), Health::Critical);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Alert {
    /// Nothing can be spent.
    #[n(0)]
    Exhausted,
    /// The balance is below the level.
    #[n(1)]
    BalanceLow,
    /// The runway is below the level.
    #[n(2)]
    RunwayShort,
    /// The projection is short on this day.
    #[n(3)]
    ShortOn(#[n(0)] Day),
    /// A settlement should have arrived.
    #[n(4)]
    SettlementOverdue,
    /// Too many payouts fail.
    #[n(5)]
    SuccessLow,
}

impl Alert {
    /// The name that every language shares, in snake case.
    ///
    /// ```
    /// assert_eq!(divvy_core::Alert::BalanceLow.name(), "balance_low");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::BalanceLow => "balance_low",
            Self::RunwayShort => "runway_short",
            Self::ShortOn(_) => "short_on",
            Self::SettlementOverdue => "settlement_overdue",
            Self::SuccessLow => "success_low",
        }
    }
}

impl core::fmt::Display for Alert {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())?;
        if let Self::ShortOn(day) = self { write!(f, " {day}") } else { Ok(()) }
    }
}

/// How a treasury is, in a word.
///
/// ```
/// use divvy_core::Health;
///
/// assert!(Health::Healthy < Health::Critical);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Health {
    /// Nothing to look at.
    Healthy,
    /// A person should look.
    Low,
    /// Nothing can be paid.
    Critical,
}

impl Health {
    /// The word for these alerts.
    #[must_use]
    pub fn of(alerts: &[Alert]) -> Self {
        if alerts.contains(&Alert::Exhausted) {
            Self::Critical
        } else if alerts.is_empty() {
            Self::Healthy
        } else {
            Self::Low
        }
    }
}

/// How a treasury is, in figures. All of one asset, in minor units.
///
/// ```
/// use divvy_core::{Health, TreasuryStatus};
///
/// fn pays_today(status: &TreasuryStatus) -> bool {
///     status.health < Health::Critical && !status.liquidity.is_negative()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreasuryStatus {
    /// What is there.
    pub balance: Difference,
    /// Paid out before the income arrived.
    pub fronted: Amount,
    /// What the platform earned, ever.
    pub earned: Amount,
    /// Settlements on their way, those that should have arrived included.
    pub in_transit: Amount,
    /// What of them should have arrived.
    pub overdue: Amount,
    /// What the owner has to put in, so that all is whole once everything on its way and in time
    /// has arrived.
    pub to_replenish: Amount,
    /// What must stay.
    pub reserve: Amount,
    /// What may still be borrowed.
    pub credit_headroom: Amount,
    /// What is owed today.
    pub due: Amount,
    /// What can be spent: balance and credit, less reserve and due.
    pub liquidity: Difference,
    /// What goes out beyond what comes in, a day, rounded up.
    pub burn_per_day: Difference,
    /// How long it lasts if things go on as they did.
    pub runway: Runway,
    /// Day by day, with what is known to come.
    pub projection: Projection,
    /// Payout lines that settled and stayed settled.
    pub lines_settled: u64,
    /// Those, and the ones that were refused or came back.
    pub lines_tried: u64,
    /// What a person should look at.
    pub alerts: Vec<Alert>,
    /// All of it in a word.
    pub health: Health,
}

/// What of a book is needed beside its treasury.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payouts {
    pub(crate) due: Amount,
    pub(crate) owner: Option<u32>,
    pub(crate) settled: u64,
    pub(crate) tried: u64,
}

impl Treasury {
    pub(crate) fn status(
        &self,
        terms: &TreasuryTerms,
        payouts: Payouts,
        now: Time,
    ) -> Result<TreasuryStatus, Error> {
        let today = Day::of(now);
        let figures = self.figures(payouts.owner, None)?;
        let balance = Difference::new(figures.balance())?;
        let credit_headroom = self.credit_limit.less(figures.drawn.less(figures.repaid));
        let steady = self.steady(balance, credit_headroom, payouts.due, terms, today)?;
        let on_its_way = |late: bool| {
            let late = move |(_, _, on): &(&str, Amount, Time)| (Day::of(*on) < today) == late;
            Amount::total(self.in_transit().filter(late).map(|(_, amount, _)| amount))
        };
        let (overdue, in_time) = (on_its_way(true)?, on_its_way(false)?);
        let to_replenish = figures.net_to_replenish().saturating_sub(in_time.get().into()).max(0);
        let mut status = TreasuryStatus {
            balance,
            fronted: figures.fronted(),
            earned: figures.earned()?,
            in_transit: in_time.plus(overdue)?,
            overdue,
            to_replenish: Amount::from_wide(to_replenish.unsigned_abs())?,
            reserve: self.reserve,
            credit_headroom,
            due: payouts.due,
            liquidity: Difference::new(steady.liquidity())?,
            burn_per_day: Difference::new(steady.burn_per_day())?,
            runway: steady.runway(),
            projection: self.project(&steady, terms, today)?,
            lines_settled: payouts.settled,
            lines_tried: payouts.tried,
            alerts: Vec::new(),
            health: Health::Healthy,
        };
        status.alerts = status.alerts_for(terms, today);
        status.health = Health::of(&status.alerts);
        Ok(status)
    }

    fn steady(
        &self,
        balance: Difference,
        credit_headroom: Amount,
        due: Amount,
        terms: &TreasuryTerms,
        today: Day,
    ) -> Result<Steady, Error> {
        let first = self.first_day().unwrap_or(today);
        let from = today.less(terms.window_days).max(first).min(today);
        let past = self.between(from, today)?;
        Ok(Steady {
            settled: balance.get(),
            reserve: narrow(signed(self.reserve.get().into())),
            due: narrow(signed(due.get().into())),
            credit_headroom: narrow(signed(credit_headroom.get().into())),
            went_out: narrow(past.burnt()),
            came_in: narrow(past.regained()),
            days: today.since(from),
        })
    }

    /// Each day pays what was paid on average; the first also what is due.
    fn project(
        &self,
        steady: &Steady,
        terms: &TreasuryTerms,
        today: Day,
    ) -> Result<Projection, Error> {
        let average = Steady { came_in: 0, ..*steady }.burn_per_day().max(0);
        let opening = steady.liquidity().saturating_add(steady.due.into());
        let mut days = Vec::new();
        for ahead in 0..terms.horizon_days {
            let day = today.plus(ahead);
            let comes = self.in_transit().filter(|(_, _, on)| Day::of(*on) == day);
            let comes = Amount::total(comes.map(|(_, amount, _)| amount))?;
            let due = if ahead == 0 { i128::from(steady.due) } else { 0 };
            days.push((
                narrow(signed(comes.get().into())),
                narrow(if ahead == 0 { due.max(average) } else { average }),
            ));
        }
        Ok(Projection::of(narrow(opening), &days))
    }
}

impl Figures {
    /// What payouts and fees took, less what came back of payouts.
    fn burnt(&self) -> i128 {
        let out: u128 = [self.paid, self.fees_paid].into_iter().sum();
        signed(out).saturating_sub(signed(self.returned.get().into()))
    }

    /// What settlements and fees brought.
    fn regained(&self) -> i128 {
        signed([self.arrived, self.fees_earned].into_iter().sum())
    }
}

impl TreasuryStatus {
    fn alerts_for(&self, terms: &TreasuryTerms, today: Day) -> Vec<Alert> {
        let short = self.projection.first_short_day.map(|day| today.plus(day.saturating_sub(1)));
        let succeeds = self.lines_settled.saturating_mul(WHOLE_BP)
            >= self.lines_tried.saturating_mul(terms.success_bp_min);
        let runway = match self.runway {
            Runway::Exhausted => 0,
            Runway::Days(days) => days,
            Runway::Unbounded | Runway::NoHistory => u64::MAX,
        };
        let level = Difference::between(terms.low_balance, Amount::ZERO);
        [
            (self.runway == Runway::Exhausted).then_some(Alert::Exhausted),
            (self.balance < level).then_some(Alert::BalanceLow),
            (runway < terms.low_days).then_some(Alert::RunwayShort),
            short.map(Alert::ShortOn),
            (!self.overdue.is_zero()).then_some(Alert::SettlementOverdue),
            (!succeeds).then_some(Alert::SuccessLow),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

const WHOLE_BP: u64 = 10_000;

fn narrow(wide: i128) -> i64 {
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}
