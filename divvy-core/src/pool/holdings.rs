//! Who holds how many units of a pool, at any place of its stream.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::fact::{Body, Fact};
use crate::name::Name;
use crate::pool::Units;

/// The units of every holder after some facts of a pool's stream: a record date.
///
/// ```
/// use divvy_core::{Body, Fact, Head, Holdings, Issued, Moved, Name, PoolOpened, Stream};
/// use divvy_core::{Time, Units};
///
/// let (ann, bob) = (Name::new("ann")?, Name::new("bob")?);
/// let bodies = [
///     Body::PoolOpened(PoolOpened {
///         supply: Units::new(10)?,
///         flow_millis: None,
///         proofs: None,
///         payee: None,
///     }),
///     Body::Issued(Issued { entries: vec![(ann.clone(), Units::new(10)?)] }),
///     Body::Moved(Moved { from: ann, to: bob.clone(), units: Units::new(4)? }),
/// ];
/// let head = Head::start(Stream::parse("pool/chapter-42/tokens")?);
/// let facts = Fact::chain(&head, Time::ZERO, &bodies);
/// assert_eq!(Holdings::fold(&facts)?.units("bob"), Units::new(4)?);
/// // Before the move, bob held nothing.
/// assert_eq!(Holdings::fold(&facts[..2])?.units("bob"), Units::ZERO);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    units: BTreeMap<Name, Units>,
    supply: Units,
}

impl Holdings {
    /// Folds the facts of a pool's stream, from its first one up to the record date.
    ///
    /// # Errors
    /// [`crate::Code::PoolUnits`] for a holder who gives more than they have, and the errors of
    /// [`Fact::body`].
    pub fn fold(facts: &[Fact]) -> Result<Self, Error> {
        let mut holdings = Self::default();
        facts.iter().try_for_each(|fact| holdings.follow(fact))?;
        Ok(holdings)
    }

    /// Folds the next fact of the stream.
    ///
    /// # Errors
    /// As [`Holdings::fold`].
    pub fn follow(&mut self, fact: &Fact) -> Result<(), Error> {
        self.apply(&fact.body()?)
    }

    /// Everyone who holds units, by name.
    pub fn entries(&self) -> impl Iterator<Item = (&Name, Units)> {
        self.units.iter().map(|(holder, units)| (holder, *units))
    }

    /// The units of one holder.
    #[must_use]
    pub fn units(&self, holder: &str) -> Units {
        self.units.get(holder).copied().unwrap_or(Units::ZERO)
    }

    /// The units of everyone together.
    #[must_use]
    pub const fn supply(&self) -> Units {
        self.supply
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other kinds move no units")]
    fn apply(&mut self, body: &Body) -> Result<(), Error> {
        match body {
            Body::Issued(issued) => {
                for (holder, units) in &issued.entries {
                    self.change(holder, |held| held.plus(*units))?;
                    self.supply = self.supply.plus(*units)?;
                }
            }
            Body::Moved(moved) => {
                self.change(&moved.from, |held| held.minus(moved.units))?;
                self.change(&moved.to, |held| held.plus(moved.units))?;
            }
            Body::Redeemed(redeemed) => {
                self.change(&redeemed.holder, |held| held.minus(redeemed.units))?;
                self.supply = self.supply.minus(redeemed.units)?;
            }
            _ => (),
        }
        Ok(())
    }

    fn change(
        &mut self,
        holder: &Name,
        change: impl FnOnce(Units) -> Result<Units, Error>,
    ) -> Result<(), Error> {
        let after = change(self.units(holder.as_str()))?;
        if after == Units::ZERO {
            self.units.remove(holder);
        } else {
            self.units.insert(holder.clone(), after);
        }
        Ok(())
    }
}
