//! Money that something keeps back: whose, how much, since when and why.

use crate::amount::Amount;
use crate::book::{Book, Expected, Obstacle};
use crate::error::Error;
use crate::name::Name;
use crate::time::Time;

/// Payable money that something else than its amount keeps back.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Name, Opened, Policy, Time, Wait};
/// # let opened = Opened {
/// #     asset: Asset::parse("USD")?,
/// #     policy: Policy::Instant,
/// #     floor: Amount::ONE,
/// #     cooling_secs: 0,
/// #     named_on: None,
/// # };
/// # let mut books = Books::default();
/// # books.feed(books.open(&Name::new("chapter-42")?, opened, Time::ZERO)?.facts())?;
/// // Who waits longest, and how long?
/// let waits: Vec<Wait> = books.book("chapter-42")?.waits(Time::ZERO)?;
/// assert!(waits.first().map(|wait| wait.age_secs(Time::ZERO)).is_none(), "nobody waits");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// Whose.
    pub payee: Name,
    /// How much.
    pub payable: Amount,
    /// Since when.
    pub since: Time,
    /// Why.
    pub obstacle: Obstacle,
    /// When it is paid all the same, as far as can be told.
    pub expected_on: Expected,
}

impl Wait {
    /// For how many whole seconds it has waited.
    #[must_use]
    pub const fn age_secs(&self, now: Time) -> u64 {
        now.millis_since(self.since).div_euclid(1_000)
    }
}

impl Book {
    /// Payable money that is unclaimed, held, or kept back by a fee: whoever waits longest comes
    /// first. What goes on to a pool's holders waits for nothing but its declaration, and is none
    /// of these. It costs the number of payees.
    ///
    /// # Errors
    /// [`crate::Code::BookUnbalanced`] when the book contradicts itself.
    pub fn waits(&self, now: Time) -> Result<Vec<Wait>, Error> {
        let mut waits = Vec::new();
        for id in self.ids() {
            let payable = self.payable(id)?;
            if payable.is_zero() {
                continue;
            }
            let Some(obstacle) = self.obstacle_of(id, now)? else { continue };
            if matches!(obstacle, Obstacle::PassedOn(_)) {
                continue;
            }
            let expected_on = self.expected_on(id, now, Some(&obstacle))?;
            let payee = self.payee(id)?;
            // What waits below a least amount has no time of its own yet: it waits since now.
            let since = match payee.waiting_since {
                Time::ZERO => now,
                since => since,
            };
            let payee = payee.name.clone();
            waits.push(Wait { payee, payable, since, obstacle, expected_on });
        }
        waits.sort_by_key(|wait| wait.since);
        Ok(waits)
    }

    /// Since when a payee's money has been payable; nothing while none is known to wait.
    ///
    /// # Errors
    /// [`crate::Code::PayeeUnknown`] for a name that was never part of this book.
    pub fn waiting_since(&self, payee: &str) -> Result<Option<Time>, Error> {
        let since = self.payee(self.payee_id(payee)?)?.waiting_since;
        Ok((since != Time::ZERO).then_some(since))
    }
}
