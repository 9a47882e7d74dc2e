//! Who waits for what, until when.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use divvy_core::{Amount, Balance, Book, Error, Expected, Name, Obstacle, Policy, Time};

use crate::report::is_held;
use crate::report::places::{Places, Together};

/// Everyone with something payable: in groups by what they wait for, and the largest by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    pub(super) groups: BTreeMap<Why, (u64, Amount)>,
    pub(super) largest: Vec<Wait>,
    pub(super) count: usize,
    pub(super) held: u64,
    pub(super) owing: u64,
}

/// One payee who waits.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    /// Their place in the book.
    pub(super) place: usize,
    pub(super) payee: Name,
    pub(super) payable: Amount,
    pub(super) why: Why,
    pub(super) until: Until,
}

/// What payable money waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    Due,
    Day,
    Amount,
    Fee,
    Destination,
    Release,
}

/// Until when, as far as can be told.
#[derive(Clone, Debug)]
pub(super) enum Until {
    Now,
    On(Time),
    /// More has to be earned: so much together.
    Reaches(Amount),
    /// The fee has to fall: so much at most.
    Fee(Amount),
    Told(String),
}

/// So many of those who wait are named.
const NAMED_MAX: usize = 12;

pub(super) fn gather(book: &Book, staked: Amount, now: Time) -> Result<(Waiting, Places), Error> {
    let (mut waiting, mut together) = (Waiting::default(), Together::default());
    for (place, payee) in book.payees().enumerate() {
        let balance = book.balance(payee.as_str(), now)?;
        together.earned = together.earned.plus(balance.earned)?;
        together.payable = together.payable.plus(balance.payable)?;
        together.owed_back = together.owed_back.plus(balance.owed_back)?;
        waiting.take(place, payee, &balance)?;
    }
    waiting.largest.sort_by_key(|wait| (Reverse(wait.payable), wait.place));
    waiting.largest.truncate(NAMED_MAX);
    Ok((waiting, Places::of(book.totals(), together, staked)?))
}

impl Waiting {
    fn take(&mut self, place: usize, payee: &Name, balance: &Balance) -> Result<(), Error> {
        self.held = self.held.saturating_add(is_held(balance.obstacle.as_ref()).into());
        self.owing = self.owing.saturating_add((!balance.owed_back.is_zero()).into());
        if balance.payable.is_zero() {
            return Ok(());
        }
        let (why, until) = reason(balance);
        let (count, sum) = self.groups.entry(why).or_default();
        *count = count.saturating_add(1);
        *sum = sum.plus(balance.payable)?;
        self.count = self.count.saturating_add(1);
        let (payee, payable) = (payee.clone(), balance.payable);
        self.largest.push(Wait { place, payee, payable, why, until });
        Ok(())
    }
}

fn reason(balance: &Balance) -> (Why, Until) {
    match (&balance.obstacle, balance.expected_on) {
        (Some(Obstacle::Held(reason)), _) => (Why::Release, Until::Told(reason.clone())),
        (Some(Obstacle::PassedOn(pool)), _) => {
            (Why::Due, Until::Told(format!("goes to the holders of pool {pool}")))
        }
        (Some(Obstacle::NoQuote(_) | Obstacle::QuoteOld { .. }), _) => {
            (Why::Fee, Until::Told("nobody quotes the fee now".into()))
        }
        (Some(Obstacle::FeeAbove { most, .. }), _) => (Why::Fee, Until::Fee(*most)),
        (Some(_), _) => (Why::Destination, Until::Told("tell where to be paid".into())),
        (None, Expected::Now) => (Why::Due, Until::Now),
        (None, Expected::On(time)) => (below(balance), Until::On(time)),
        (None, _) => match balance.policy {
            Policy::Threshold { min, .. } | Policy::Periodic { min: Some(min), .. } => {
                (Why::Amount, Until::Reaches(min))
            }
            Policy::Instant | _ => (Why::Due, Until::Now),
        },
    }
}

/// Whether it waits for its amount, or only for its day.
const fn below(balance: &Balance) -> Why {
    match balance.policy {
        Policy::Periodic { min: Some(min), .. } if balance.payable.get() < min.get() => Why::Amount,
        Policy::Periodic { .. } => Why::Day,
        Policy::Instant | Policy::Threshold { .. } | _ => Why::Amount,
    }
}

impl Why {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Due => "due, with the next payout",
            Self::Day => "until the day that they chose",
            Self::Amount => "below the amount that they chose",
            Self::Fee => "until the fee is a smaller share",
            Self::Destination => "told no destination yet",
            Self::Release => "held",
        }
    }
}
