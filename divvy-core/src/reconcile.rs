//! Reconciliation: our books against a rail's statement, three ways.
//!
//! Entries meet by what both sides call them: one to one, many to one, one to many. What one side
//! cannot know yet (it lies past the other's end, or is not final) is in flight and no break. Every
//! unit of both sides ends in exactly one place, and the sums prove it:
//!
//! ```text
//! matched + in flight + held + broken == everything, of ours and of theirs
//! ```

mod group;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::{Code, Error};
use crate::fact::{BreakCause, Hash};
use crate::name::Name;
use crate::time::Time;
use group::Group;

/// One movement of money, as one side tells it.
///
/// ```
/// use divvy_core::{Amount, Asset, Direction, Entry, Firmness, Time};
///
/// let entry = Entry::paid("po_1", Amount::new(500)?, Asset::parse("USD")?, Time::ZERO);
/// assert_eq!((entry.direction, entry.firmness), (Direction::Out, Firmness::Final));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, made by whoever reads a statement")]
pub struct Entry {
    /// What both sides call it; empty where this side names nothing.
    pub reference: String,
    /// Whether it came in or went out.
    pub direction: Direction,
    /// How much, without sign.
    pub amount: Amount,
    /// In which asset.
    pub asset: Asset,
    /// What the rail kept for it, where this side knows.
    pub fee: Option<Amount>,
    /// From or to whom, where this side knows.
    pub party: Option<String>,
    /// When.
    pub at: Time,
    /// How sure this side is.
    pub firmness: Firmness,
}

impl Entry {
    /// What was paid out for good.
    #[must_use]
    pub fn paid(reference: &str, amount: Amount, asset: Asset, at: Time) -> Self {
        Self {
            reference: reference.to_owned(),
            direction: Direction::Out,
            amount,
            asset,
            fee: None,
            party: None,
            at,
            firmness: Firmness::Final,
        }
    }
}

/// Whether money came in or went out, as our side sees it.
///
/// ```
/// assert_ne!(divvy_core::Direction::In, divvy_core::Direction::Out);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Direction {
    /// It came in.
    In,
    /// It went out.
    Out,
}

/// How sure a side is of an entry.
///
/// ```
/// use divvy_core::Firmness;
///
/// assert!(Firmness::Final < Firmness::Open && Firmness::Open < Firmness::Held);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Firmness {
    /// It stands.
    Final,
    /// It is under way.
    Open,
    /// It waits for a person.
    Held,
}

/// What a comparison is held to.
///
/// ```
/// use divvy_core::{Amount, Terms, Time};
///
/// // Nothing is tolerated, and both sides are complete, unless said otherwise.
/// let terms = Terms::default();
/// assert_eq!((terms.tolerance, terms.statement_until), (Amount::ZERO, Time::MAX));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "settings, written down by whoever asks")]
pub struct Terms {
    /// The statement tells everything before this.
    pub statement_until: Time,
    /// Our books tell everything before this.
    pub ours_until: Time,
    /// Differences up to this are matched all the same, and told.
    pub tolerance: Amount,
}

impl Default for Terms {
    fn default() -> Self {
        Self { statement_until: Time::MAX, ours_until: Time::MAX, tolerance: Amount::ZERO }
    }
}

/// How many entries, and how much together.
///
/// ```
/// assert_eq!(divvy_core::Pile::default().entries, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pile {
    /// How many.
    pub entries: u64,
    /// How much, in and out together, in minor units.
    pub amount: u128,
}

/// Where the entries of one side, in one asset, ended.
///
/// ```
/// let places = divvy_core::Places::default();
/// assert_eq!(places.sum(), places.everything);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Places {
    /// The other side says the same.
    pub matched: Pile,
    /// The other side cannot know yet, or it is under way.
    pub in_flight: Pile,
    /// It waits for a person.
    pub held: Pile,
    /// The other side says something else, or nothing.
    pub broken: Pile,
    /// What there was to compare, counted before anything was compared.
    pub everything: Pile,
}

/// Where a group of entries ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Matched,
    InFlight,
    Held,
    Broken,
}

impl Pile {
    fn add(&mut self, amount: Amount) {
        self.entries = self.entries.saturating_add(1);
        self.amount = self.amount.saturating_add(amount.get().into());
    }

    const fn and(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            amount: self.amount.saturating_add(other.amount),
        }
    }
}

impl Places {
    /// The four places together.
    #[must_use]
    pub const fn sum(&self) -> Pile {
        self.matched.and(self.in_flight).and(self.held).and(self.broken)
    }

    const fn pile(&mut self, place: Place) -> &mut Pile {
        match place {
            Place::Matched => &mut self.matched,
            Place::InFlight => &mut self.in_flight,
            Place::Held => &mut self.held,
            Place::Broken => &mut self.broken,
        }
    }

    const fn and(&self, other: &Self) -> Self {
        Self {
            matched: self.matched.and(other.matched),
            in_flight: self.in_flight.and(other.in_flight),
            held: self.held.and(other.held),
            broken: self.broken.and(other.broken),
            everything: self.everything.and(other.everything),
        }
    }
}

/// A difference between our books and a statement.
///
/// ```
/// use divvy_core::{BreakCause, Found, Terms, Amount, Asset, Entry, Time, reconcile};
///
/// let usd = Asset::parse("USD")?;
/// let ours = [Entry::paid("po_1", Amount::new(500)?, usd.clone(), Time::ZERO)];
/// let found: Found = reconcile(&ours, &[], &Terms::default()).breaks.remove(0);
/// assert_eq!((found.cause, found.theirs), (BreakCause::MissingTheirs, None));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Found {
    /// Its name for ever: the same difference has it at every run.
    pub id: Name,
    /// What both sides call it.
    pub reference: String,
    /// Why, as far as figures tell.
    pub cause: BreakCause,
    /// What our books say, net, without sign; nothing when they say nothing.
    pub ours: Option<Amount>,
    /// What the statement says; nothing when it says nothing.
    pub theirs: Option<Amount>,
    /// When it happened first.
    pub event_at: Time,
}

/// What a comparison found.
///
/// ```
/// let nothing = divvy_core::Reconciliation::default();
/// assert!(nothing.breaks.is_empty() && nothing.check().is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Where our entries ended, by asset.
    pub ours: BTreeMap<String, Places>,
    /// Where the statement's ended.
    pub theirs: BTreeMap<String, Places>,
    /// Every difference, by reference.
    pub breaks: Vec<Found>,
    /// The names that breaks of what matched now would have.
    #[serde(skip)]
    pub settled: Vec<Name>,
    /// Groups that matched only because a difference was tolerated.
    pub tolerated: u64,
}

/// Compares our books with a statement.
///
/// ```
/// use divvy_core::{Amount, Asset, Entry, Terms, Time, reconcile};
///
/// let (usd, amount) = (Asset::parse("USD")?, |minor| Amount::new(minor));
/// let entry = |reference: &str, minor| -> Result<Entry, divvy_core::Error> {
///     Ok(Entry::paid(reference, amount(minor)?, usd.clone(), Time::ZERO))
/// };
/// // Two of ours are one of theirs; of the other one they say less.
/// let ours = [entry("po_1", 300)?, entry("po_1", 200)?, entry("po_2", 70)?];
/// let theirs = [entry("po_1", 500)?, entry("po_2", 69)?];
/// let found = reconcile(&ours, &theirs, &Terms::default());
/// found.check()?;
/// assert_eq!(found.ours["USD"].matched.entries, 2);
/// assert_eq!((found.breaks.len(), found.breaks[0].theirs), (1, Some(amount(69)?)));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[must_use]
pub fn reconcile(ours: &[Entry], theirs: &[Entry], terms: &Terms) -> Reconciliation {
    let mut found = Reconciliation::default();
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for entry in ours {
        found.ours.entry(entry.asset.to_string()).or_default().everything.add(entry.amount);
        groups.entry(entry.reference.as_str()).or_default().ours.push(entry);
    }
    for entry in theirs {
        found.theirs.entry(entry.asset.to_string()).or_default().everything.add(entry.amount);
        groups.entry(entry.reference.as_str()).or_default().theirs.push(entry);
    }
    for (reference, group) in groups {
        group.settle(reference, terms, &mut found);
    }
    found
}

/// The name of the break of a reference: the same at every run, and fit for a stream.
///
/// ```
/// use divvy_core::break_id;
///
/// assert_eq!(break_id("po_1"), break_id("po_1"));
/// assert_ne!(break_id("po_1"), break_id("po_2"));
/// ```
///
/// # Panics
/// Never: hexadecimal digits are a name.
#[must_use]
#[expect(clippy::expect_used, reason = "hexadecimal digits are a name")]
pub fn break_id(reference: &str) -> Name {
    let hash = Hash::of(reference.as_bytes()).to_string();
    Name::new(hash.get(..16).unwrap_or(&hash)).expect("hexadecimal digits are a name")
}

impl Reconciliation {
    /// Holds both sides to completeness: no entry is lost, and none is in two places.
    ///
    /// # Errors
    /// [`Code::ReconcileIncomplete`] when the places of a side are not everything it had.
    pub fn check(&self) -> Result<(), Error> {
        for (side, places) in [("ours", &self.ours), ("theirs", &self.theirs)] {
            for (asset, places) in places {
                let (sum, everything) = (places.sum(), places.everything);
                if sum != everything {
                    let detail = format!(
                        "{side} in {asset}: {} entries of {} were placed, of {} entries of {}: \
                         trust none of it, and report it",
                        sum.entries, sum.amount, everything.entries, everything.amount
                    );
                    return Err(Error::new(Code::ReconcileIncomplete, detail));
                }
            }
        }
        Ok(())
    }

    /// Two comparisons of different entries, as one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (own, others) in [(&mut self.ours, other.ours), (&mut self.theirs, other.theirs)] {
            for (asset, places) in others {
                let sum = own.entry(asset).or_default();
                *sum = sum.and(&places);
            }
        }
        self.breaks.extend(other.breaks);
        self.settled.extend(other.settled);
        self.tolerated = self.tolerated.saturating_add(other.tolerated);
        self
    }

    fn put(&mut self, place: Place, ours: &[&Entry], theirs: &[&Entry]) {
        for (own, entries) in [(&mut self.ours, ours), (&mut self.theirs, theirs)] {
            for entry in entries {
                let places = own.entry(entry.asset.to_string()).or_default();
                places.pile(place).add(entry.amount);
            }
        }
    }
}

#[cfg(test)]
mod tests;
