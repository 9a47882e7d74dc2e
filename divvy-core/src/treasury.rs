//! The treasury: what is there, what was fronted, what is on its way, and how long it lasts.
//!
//! What payments bring and batches pay is known from their own facts; a treasury adds only what
//! no other fact tells: settlements, fees, what the owner puts in. All of it is kept as sums by
//! day, so that whatever order facts are folded in, the figures are the same.

mod day;
mod figures;
mod health;
mod runway;

pub use day::Day;
pub(crate) use health::Payouts;
pub use health::{Alert, Health, TreasuryStatus, TreasuryTerms};
pub use runway::{FeeDrain, Projection, Runway, Steady, required_float};

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::asset::Asset;
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{Fact, Figures, Funds, Head, Purpose, Stream, WeekClosed};
use crate::name::Name;
use crate::time::Time;

/// The treasury of one book: a fold of its own stream, and of what payments and batches moved.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Day, Evidence, Funds, Hash, Name, Opened, Policy};
/// use divvy_core::{Purpose, Time};
///
/// let now = Time::parse("2026-11-18T12:00:00Z")?;
/// let (usd, mut books) = (Asset::parse("USD")?, Books::default());
/// let opened = Opened {
///     asset: usd.clone(),
///     policy: Policy::Instant,
///     floor: Amount::ONE,
///     cooling_secs: 0,
///     named_on: None,
/// };
/// books.feed(books.open(&Name::new("b")?, opened, now)?.facts())?;
/// let funds = Funds {
///     id: "seed".into(),
///     purpose: Purpose::Replenished,
///     amount: usd.amount("5000.00")?,
///     event_at: now,
///     evidence: Evidence { source: "bank".into(), hash: Hash::of(b"7"), said: String::new() },
/// };
/// let step = books.book("b")?.note_funds(&[funds.clone()], now)?;
/// books.feed(step.facts())?;
/// assert_eq!(books.book("b")?.treasury().balance()?.get(), 500_000);
/// // The same again is one.
/// assert!(books.book("b")?.note_funds(&[funds], now)?.facts().is_empty());
///
/// // A week is closed once; closing it again gives the same figures.
/// let (week, later) = (Day::of(now), Time::parse("2026-11-23T00:00:00Z")?);
/// let step = books.book("b")?.close_week(week, None, later)?;
/// books.feed(step.facts())?;
/// assert!(books.book("b")?.close_week(week, None, later)?.facts().is_empty());
/// let figures = books.book("b")?.treasury().closed(week).unwrap().figures;
/// assert_eq!(figures.replenished, usd.amount("5000.00")?);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Treasury {
    pub(crate) head: Head,
    /// What was noted by each id, for what.
    noted: BTreeMap<String, Vec<(Purpose, Amount)>>,
    /// What moved on each day, by the time of its fact.
    days: BTreeMap<u32, Figures>,
    /// What legs earned on each day, and what of it went back, by payee.
    legs: BTreeMap<(u32, u32), (Amount, Amount)>,
    credit_limit: Amount,
    reserve: Amount,
    closings: Vec<WeekClosed>,
    /// What a person was last told to look at, and when.
    alerted: Option<(Time, Vec<Alert>)>,
}

stored!(Treasury { head, noted, days, legs, credit_limit, reserve, closings, alerted });
stored!(Alert as cbor);
stored!(Purpose as cbor);
stored!(Figures as cbor);
stored!(WeekClosed as cbor);

impl Treasury {
    pub(crate) fn new(book: &Name) -> Self {
        Self {
            head: Head::start(Stream::treasury(book)),
            noted: BTreeMap::new(),
            days: BTreeMap::new(),
            legs: BTreeMap::new(),
            credit_limit: Amount::ZERO,
            reserve: Amount::ZERO,
            closings: Vec::new(),
            alerted: None,
        }
    }

    /// What is there now: everything that came in, less everything that went out. Below zero
    /// where facts are missing, or it was overdrawn.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] when a sum is too large.
    pub fn balance(&self) -> Result<crate::amount::Difference, Error> {
        let all = self.up_to(None)?;
        crate::amount::Difference::new(all.balance())
    }

    /// The closing of the week that a day lies in, if there is one.
    #[must_use]
    pub fn closed(&self, day: Day) -> Option<&WeekClosed> {
        let from = day.week().0.start();
        self.closings.iter().find(|closing| closing.from == from)
    }

    /// Every closing, oldest first.
    #[must_use]
    pub fn closings(&self) -> &[WeekClosed] {
        &self.closings
    }

    /// Settlements that are expected and did not come yet: id, amount, and when.
    pub fn in_transit(&self) -> impl Iterator<Item = (&str, Amount, Time)> {
        self.noted.iter().filter_map(|(id, noted)| {
            let ended = |(purpose, _): &(Purpose, Amount)| {
                matches!(purpose, Purpose::Arrived | Purpose::Missed)
            };
            if noted.iter().any(ended) {
                return None;
            }
            noted.iter().find_map(|(purpose, amount)| {
                let Purpose::Expected(on) = purpose else { return None };
                Some((id.as_str(), *amount, *on))
            })
        })
    }

    /// Fees that were noted by hand or from a file.
    pub(crate) fn fees_noted(&self) -> Result<Amount, Error> {
        let noted = self.noted.values().flatten();
        let fees = noted.filter(|(purpose, _)| *purpose == Purpose::FeePaid);
        Amount::total(fees.map(|(_, amount)| *amount))
    }

    /// What must stay there.
    #[must_use]
    pub const fn reserve(&self) -> Amount {
        self.reserve
    }

    /// Whether the same was noted before.
    ///
    /// # Errors
    /// [`Code::TreasuryConflict`] when something else was, under the same id and purpose.
    pub(crate) fn is_known(&self, funds: &Funds, asset: &Asset) -> Result<bool, Error> {
        is_noted(self.noted.get(&funds.id).map_or(&[], Vec::as_slice), funds, asset)
    }

    /// Folds a fact about funds.
    pub(crate) fn note(&mut self, funds: &Funds, asset: &Asset, fact: &Fact) -> Result<(), Error> {
        if self.is_known(funds, asset)? {
            let detail = format!("{:?} is noted twice: run verify", funds.id);
            return Err(Error::new(Code::TreasuryConflict, detail));
        }
        if funds.purpose == Purpose::CreditLimit {
            self.credit_limit = funds.amount;
        }
        if funds.purpose == Purpose::Reserve {
            self.reserve = funds.amount;
        }
        if let Some(sum) = self.on(fact.at).sum_of(funds.purpose) {
            *sum = sum.plus(funds.amount)?;
        }
        self.noted.entry(funds.id.clone()).or_default().push((funds.purpose, funds.amount));
        self.head = Head::after(fact);
        Ok(())
    }

    /// Folds a closing: weeks are whole, and closed in order.
    pub(crate) fn close(&mut self, closing: &WeekClosed, fact: &Fact) -> Result<(), Error> {
        let (from, until) = Day::of(closing.from).week();
        let last = self.closings.last().map_or(Time::ZERO, |last| last.until);
        let whole = (from.start(), until.start()) == (closing.from, closing.until);
        if !whole || closing.from < last || fact.at < closing.until {
            let why = if !whole {
                "is not whole"
            } else if fact.at < closing.until {
                "is not over"
            } else {
                "is not after the one that was closed last"
            };
            let (from, until) = (Day::of(closing.from), Day::of(closing.until));
            let detail = format!("the week from {from} until before {until} {why}");
            return Err(Error::new(Code::TreasuryConflict, detail));
        }
        self.closings.push(closing.clone());
        self.head = Head::after(fact);
        Ok(())
    }

    /// Folds what a person is told to look at from now on.
    pub(crate) fn alert(&mut self, alerts: &[Alert], fact: &Fact) {
        self.alerted = Some((fact.at, alerts.to_vec()));
        self.head = Head::after(fact);
    }

    /// Whether a person is to be told of these: at once of what is new, and of what is over not
    /// sooner than an hour later, so that a balance around its level is no flood.
    pub(crate) fn is_news(&self, alerts: &[Alert], now: Time) -> bool {
        let (told_at, told) = match &self.alerted {
            Some((at, told)) => (*at, told.as_slice()),
            None => (Time::ZERO, &[][..]),
        };
        let lacks =
            |these: &[Alert], one: &Alert| !these.iter().any(|other| other.name() == one.name());
        let begun = alerts.iter().any(|alert| lacks(told, alert));
        let over = told.iter().any(|alert| lacks(alerts, alert));
        begun || (over && now >= told_at.plus_secs(CALM_SECS))
    }

    /// The sums of the day that a moment lies in.
    pub(crate) fn on(&mut self, at: Time) -> &mut Figures {
        self.days.entry(Day::of(at).number()).or_default()
    }

    /// What legs brought a payee since the beginning of a day, less what went back of it.
    pub(crate) fn leg_since(&self, payee: u32, from: Day) -> Result<Amount, Error> {
        let newest = self.legs.keys().next_back().map_or(0, |(day, _)| *day);
        let days = from.number()..=newest;
        let legs = days.filter_map(|day| self.legs.get(&(day, payee)));
        let sums = legs.fold((0_u128, 0_u128), |sums, (earned, back)| {
            let [earned, back] = [earned, back].map(|amount| u128::from(amount.get()));
            (sums.0.saturating_add(earned), sums.1.saturating_add(back))
        });
        Amount::from_wide(sums.0.saturating_sub(sums.1))
    }

    /// A leg of a payee earned, or gave back.
    pub(crate) fn leg(
        &mut self,
        at: Time,
        payee: u32,
        earned: Amount,
        given_back: Amount,
    ) -> Result<(), Error> {
        let leg = self.legs.entry((Day::of(at).number(), payee)).or_default();
        *leg = (leg.0.plus(earned)?, leg.1.plus(given_back)?);
        Ok(())
    }
}

/// Whether the same is among what was noted under its id.
///
/// # Errors
/// [`Code::TreasuryConflict`] when something else is, for the same purpose.
pub(crate) fn is_noted(
    noted: &[(Purpose, Amount)],
    funds: &Funds,
    asset: &Asset,
) -> Result<bool, Error> {
    let number = core::mem::discriminant(&funds.purpose);
    let same = noted.iter().find(|(other, _)| core::mem::discriminant(other) == number);
    let Some((purpose, amount)) = same else { return Ok(false) };
    if (*purpose, *amount) == (funds.purpose, funds.amount) {
        return Ok(true);
    }
    let said = |purpose: Purpose, amount: Amount| {
        let text = format!("{} {}", asset.text(amount), asset.code());
        if let Purpose::Expected(on) = purpose { format!("{text}, expected on {on}") } else { text }
    };
    let detail = format!(
        "{:?} was noted before with {}, and now with {}: give what is new an id of its own",
        funds.id,
        said(*purpose, *amount),
        said(funds.purpose, funds.amount)
    );
    Err(Error::new(Code::TreasuryConflict, detail))
}

/// What is over is told so many seconds after the last word at the earliest.
const CALM_SECS: u64 = 3_600;
