//! When a payee is going to be paid, as far as can be told from how they earned so far.

use crate::amount::Amount;
use crate::book::balance::Obstacle;
use crate::book::due::lacking;
use crate::book::pace::Pace;
use crate::book::{Book, PayeeId};
use crate::error::Error;
use crate::time::Time;

/// When a payee is going to be paid.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Leg, Legs, Name, Opened, Policy, Share, Target, Time};
/// use divvy_core::Expected;
/// # let opened = Opened {
/// #     asset: Asset::parse("USD")?,
/// #     policy: Policy::Threshold { min: Amount::new(5_000)?, max_wait_secs: None },
/// #     floor: Amount::ONE,
/// #     cooling_secs: 0,
/// #     named_on: Some(Name::new("sandbox")?),
/// # };
/// # let mut books = Books::default();
/// # books.feed(books.open(&Name::new("chapter-42")?, opened, Time::ZERO)?.facts())?;
/// # let all = Leg { to: Target::Payee("alice".into()), share: Share::Remaining };
/// # let rule = books.book("chapter-42")?.set_rule(Time::ZERO, Legs::new(vec![all])?, Time::ZERO)?;
/// # books.feed(rule.facts())?;
/// let book = books.book("chapter-42")?;
/// // Without a first payment there is no rate to reckon by.
/// assert_eq!(book.balance("alice", Time::ZERO)?.expected_on, Expected::Unknown);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// At the next tick.
    Now,
    /// At about this time, if they go on earning as they have so far.
    On(Time),
    /// Nobody can tell: they have earned nothing yet.
    Unknown,
    /// Not before what stands in the way is gone.
    Never,
}

impl Book {
    /// The time at which the payee reaches their threshold at the pace of the last weeks, or at
    /// which their money has waited long enough, whichever comes first.
    pub(super) fn expected_on(
        &self,
        id: PayeeId,
        now: Time,
        obstacle: Option<&Obstacle>,
    ) -> Result<Expected, Error> {
        let stands = matches!(
            obstacle,
            Some(Obstacle::Held(_) | Obstacle::NoDestination | Obstacle::PassedOn(_))
        );
        if stands {
            return Ok(Expected::Never);
        }
        if self.due.due.contains(&id) || self.due.lanes.is_due(id, now) {
            return Ok(Expected::Now);
        }
        let payee = self.payee(id)?;
        let (earned, spoken_for) = (self.earned(id)?, payee.spoken_for()?);
        let (terms, pace) = (self.terms(id)?, self.pace(id, earned, now)?);
        let reached = |goal: Amount| match lacking(goal, spoken_for, earned) {
            0 => Some(now),
            lacking => Self::crossing(pace, lacking, now),
        };
        if let Some(obstacle) = obstacle {
            let fee = if let Obstacle::FeeAbove { fee, .. } = obstacle { Some(*fee) } else { None };
            let fee = fee.and_then(|fee| terms.share.least_for(fee));
            let ends = terms.share.ends(payee.waiting_since);
            let first = fee.and_then(reached).into_iter().chain(ends).min();
            return Ok(first.map_or(Expected::Never, Expected::On));
        }
        let crossing = terms.at_once().and_then(reached);
        // Below the least amount nothing is paid, however long it waited.
        let waited = reached(terms.least()).and_then(|least| {
            let since = match payee.waiting_since {
                // A limit runs from the first unit on, which may never come.
                Time::ZERO if terms.at_once().is_some() => return None,
                Time::ZERO => reached(terms.runs_from())?,
                since => since,
            };
            Some(terms.expires(since)?.max(least))
        });
        Ok(match (crossing, waited) {
            (Some(a), Some(b)) => Expected::On(a.min(b)),
            (Some(time), None) | (None, Some(time)) => Expected::On(time),
            (None, None) => Expected::Unknown,
        })
    }

    fn crossing(pace: Option<Pace>, lacking: u128, now: Time) -> Option<Time> {
        let Pace { earned, from } = pace?;
        let scaled = lacking.checked_mul(u128::from(now.millis_since(from)))?;
        let wait = scaled.checked_add(u128::from(earned.get()))?.checked_sub(1);
        let wait = wait?.checked_div(u128::from(earned.get()))?;
        let wait = u64::try_from(wait).unwrap_or(u64::MAX);
        Some(Time::from_millis(now.millis().saturating_add(wait)))
    }
}
