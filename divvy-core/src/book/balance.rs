//! One payee's money: its five places, and what stands in the way.

use crate::amount::Amount;
use crate::book::expected::Expected;
use crate::book::{Book, PayeeId, place};
use crate::error::Error;
use crate::fact::Destination;
use crate::name::Name;
use crate::policy::{FeeShare, Policy};
use crate::time::Time;

/// Where a payee's money is.
///
/// `earned + owed_back == payable + reserved + paid`, at every moment.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Leg, Legs, Name, Opened, Policy, Share, Target, Time};
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
/// let alice = book.balance("alice", Time::ZERO)?;
/// let places = [alice.payable, alice.reserved, alice.paid];
/// assert_eq!(alice.earned.plus(alice.owed_back)?, Amount::total(places)?);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Balance {
    /// Everything that was ever earned.
    pub earned: Amount,
    /// Earned, and neither reserved nor paid.
    pub payable: Amount,
    /// In a batch whose outcome is not final.
    pub reserved: Amount,
    /// Moved, as the rail proved.
    pub paid: Amount,
    /// Reserved or paid beyond what was earned; the next payouts take it off.
    pub owed_back: Amount,
    /// When the payable money is due.
    pub policy: Policy,
    /// How much of a line its fee may be.
    pub fee_share: FeeShare,
    /// When it is going to be paid, as far as can be told.
    pub expected_on: Expected,
    /// Where it goes.
    pub destination: Option<Destination>,
    /// What stands in the way, if anything does.
    pub obstacle: Option<Obstacle>,
}

/// Why payable money is not paid, whatever the amount.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Leg, Legs, Name, Opened, Policy, Share, Target, Time};
/// use divvy_core::Obstacle;
/// # let opened = Opened {
/// #     asset: Asset::parse("USD")?,
/// #     policy: Policy::Threshold { min: Amount::new(5_000)?, max_wait_secs: None },
/// #     floor: Amount::ONE,
/// #     cooling_secs: 0,
/// #     named_on: None,
/// # };
/// # let mut books = Books::default();
/// # books.feed(books.open(&Name::new("chapter-42")?, opened, Time::ZERO)?.facts())?;
/// # let all = Leg { to: Target::Payee("alice".into()), share: Share::Remaining };
/// # let rule = books.book("chapter-42")?.set_rule(Time::ZERO, Legs::new(vec![all])?, Time::ZERO)?;
/// # books.feed(rule.facts())?;
/// let book = books.book("chapter-42")?;
/// // Nobody has said where alice is paid, and this book does not pay at a payee's own name.
/// let alice = book.balance("alice", Time::ZERO)?;
/// assert_eq!(alice.obstacle, Some(Obstacle::NoDestination));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// The payee is held, for this reason.
    Held(String),
    /// The payee has told no destination.
    NoDestination,
    /// What the payee earns is not paid but declared to the holders of this pool.
    PassedOn(Name),
    /// Nobody has quoted what this rail charges, and the terms weigh it.
    NoQuote(Name),
    /// What this rail charges was quoted too long ago.
    QuoteOld {
        /// The rail.
        rail: Name,
        /// When it was quoted last.
        at: Time,
    },
    /// The fee is a larger share of the line than the terms allow.
    FeeAbove {
        /// The rail.
        rail: Name,
        /// What it charges for a line, in the book's asset.
        fee: Amount,
        /// The most at which the line is paid.
        most: Amount,
    },
}

impl Book {
    /// Where a payee's money is.
    ///
    /// # Errors
    /// [`crate::Code::PayeeUnknown`] for a name that was never part of this book.
    pub fn balance(&self, payee: &str, now: Time) -> Result<Balance, Error> {
        self.balance_of(self.payee_id(payee)?, now)
    }

    /// The destination that a payee has chosen and that still cools, and from when on it counts.
    ///
    /// ```
    /// use divvy_core::{Asset, Books, Destination, Name, Opened, PayeeSet, Policy, Time};
    /// # use divvy_core::Amount;
    /// # let opened = Opened {
    /// #     asset: Asset::parse("USD")?,
    /// #     policy: Policy::Instant,
    /// #     floor: Amount::ONE,
    /// #     cooling_secs: 86_400,
    /// #     named_on: None,
    /// # };
    /// # let mut books = Books::default();
    /// # books.feed(books.open(&Name::new("chapter-42")?, opened, Time::ZERO)?.facts())?;
    /// let (rail, alice) = (Name::new("sandbox")?, Name::new("alice")?);
    /// for address in ["old", "new"] {
    ///     let destination = Some(Destination { rail: rail.clone(), address: address.into() });
    ///     let set = PayeeSet { destination, policy: None };
    ///     let step = books.book("chapter-42")?.set_payee(&alice, set, Time::ZERO)?;
    ///     books.feed(step.facts())?;
    /// }
    /// // The first counts at once; whoever changes it later has to wait, a thief too.
    /// let cooling = books.book("chapter-42")?.cooling("alice", Time::ZERO)?;
    /// assert_eq!(cooling.map(|(to, _)| to.address), Some("new".to_owned()));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Code::PayeeUnknown`] for a name that was never part of this book.
    pub fn cooling(&self, payee: &str, now: Time) -> Result<Option<(Destination, Time)>, Error> {
        let chosen = self.payee(self.payee_id(payee)?)?.cooling(now);
        Ok(chosen.map(|chosen| (chosen.destination.clone(), chosen.from)))
    }

    pub(super) fn balance_of(&self, id: PayeeId, now: Time) -> Result<Balance, Error> {
        let (payee, terms) = (self.payee(id)?, self.terms(id)?);
        let (earned, spoken_for) = (self.earned(id)?, payee.spoken_for()?);
        let obstacle = self.obstacle_of(id, now)?;
        Ok(Balance {
            earned,
            payable: earned.less(spoken_for),
            reserved: payee.reserved,
            paid: payee.paid,
            owed_back: spoken_for.less(earned),
            policy: terms.policy,
            fee_share: terms.share,
            expected_on: self.expected_on(id, now, obstacle.as_ref())?,
            destination: self.destination_of(id, now)?.map(|(destination, _)| destination),
            obstacle,
        })
    }

    /// What keeps a payee's money back, whatever its amount.
    pub(super) fn obstacle_of(&self, id: PayeeId, now: Time) -> Result<Option<Obstacle>, Error> {
        if let Some(account) = self.pool_fed_by(id) {
            return Ok(Some(Obstacle::PassedOn(account.name.clone())));
        }
        Ok(match (self.payee(id)?.held(), self.destination_of(id, now)?) {
            (Some(reason), _) => Some(Obstacle::Held(reason.to_owned())),
            (None, None) => Some(Obstacle::NoDestination),
            (None, Some(_)) => self.weighed(id, now)?,
        })
    }

    /// What the fee keeps back of what the policy would pay now.
    fn weighed(&self, id: PayeeId, now: Time) -> Result<Option<Obstacle>, Error> {
        let (payable, terms) = (self.payable(id)?, self.terms(id)?);
        let since = self.payee(id)?.waiting_since;
        let over = terms.share.ends(since).is_some_and(|ends| ends <= now);
        match terms.share.fee_max(payable) {
            Some(most) if !over && terms.is_met(payable, since, now) => {
                self.fee_obstacle(id, most, now)
            }
            Some(_) | None => Ok(None),
        }
    }

    /// What a payee has earned that is neither reserved nor paid.
    pub(super) fn payable(&self, id: PayeeId) -> Result<Amount, Error> {
        Ok(self.earned(id)?.less(self.payee(id)?.spoken_for()?))
    }

    /// Everything that a payee has earned up to now, by legs and in all pools.
    pub(super) fn earned(&self, id: PayeeId) -> Result<Amount, Error> {
        let payee = self.payee(id)?;
        let pooled = payee.holdings.iter().map(|holding| {
            let account = self.pools.get(place(holding.pool));
            account.map_or(Amount::ZERO, |account| account.earned(holding.slot))
        });
        payee.one_shot.plus(Amount::total(pooled)?)?.minus(self.taken(id))
    }

    /// The destination in force, and the fact that chose it; a book may pay at the payee's name.
    pub(super) fn destination_of(
        &self,
        id: PayeeId,
        now: Time,
    ) -> Result<Option<(Destination, Option<u64>)>, Error> {
        let payee = self.payee(id)?;
        if let Some(chosen) = payee.chosen(now) {
            return Ok(Some((chosen.destination.clone(), Some(chosen.n))));
        }
        let named = self.settings.named_on.as_ref().map(|rail| {
            let address = payee.name.as_str().to_owned();
            (Destination { rail: rail.clone(), address }, None)
        });
        Ok(named)
    }

    /// Whether nothing but the amount stands in the way of a payee.
    pub(super) fn is_payable(&self, id: PayeeId, now: Time) -> Result<bool, Error> {
        let payee = self.payee(id)?;
        let now = self.stamp(now);
        let somewhere = payee.chosen(now).is_some() || self.settings.named_on.is_some();
        Ok(payee.held().is_none() && somewhere && self.pool_fed_by(id).is_none())
    }
}
