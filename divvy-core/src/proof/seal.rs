//! Seals: one hash over the facts that were written since the last one.

use crate::batch::Step;
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Hash, Head, Place, Sealed, Stream};
use crate::host::Cursor;
use crate::proof::tree::merkle_root;
use crate::time::Time;

/// Seals as they come by, and the facts that none of them covers yet.
///
/// Feed it every fact, in the host's order; it keeps the hashes since the last seal alone.
///
/// ```
/// use divvy_core::{Amount, Asset, Books, Cursor, Name, Opened, Policy, Seals, Time};
///
/// let opened = Opened {
///     asset: Asset::parse("USD")?,
///     policy: Policy::Instant,
///     floor: Amount::ONE,
///     cooling_secs: 0,
///     named_on: None,
/// };
/// let step = Books::default().open(&Name::new("chapter-42")?, opened, Time::ZERO)?;
/// let mut facts = step.facts().to_vec();
/// let mut seals = Seals::default();
/// seals.feed(&facts)?;
/// let cursor = Cursor::start("a1".to_owned());
/// facts.extend(seals.seal(&cursor, Time::ZERO).facts().iter().cloned());
///
/// // A fact that was taken away shows at the seal that covered it.
/// assert!(Seals::default().feed(&facts[1..]).is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Seals {
    head: Head,
    covered: u64,
    open: Vec<Hash>,
}

impl Default for Seals {
    fn default() -> Self {
        Self { head: Head::start(Stream::seal()), covered: 0, open: Vec::new() }
    }
}

impl Seals {
    /// Behind the facts that a seal covers, to be fed from its cursor on.
    #[must_use]
    pub const fn after(head: Head, sealed: &Sealed) -> Self {
        Self { head, covered: sealed.until, open: Vec::new() }
    }

    /// Takes the next facts, in the order in which the host returns them, and checks each seal
    /// among them against the facts that it covers.
    ///
    /// # Errors
    /// [`Code::FactTampered`] for a seal that differs from the facts before it: one of them was
    /// altered, taken away or put in.
    pub fn feed(&mut self, facts: &[Fact]) -> Result<(), Error> {
        for fact in facts {
            // A seal that is known already comes by again behind the cursor that it names.
            if fact.stream.place() == Place::Seal && fact.n >= self.head.n {
                let Body::Sealed(sealed) = fact.body()? else {
                    let error = Error::new(Code::FactMalformed, "it is no seal");
                    return Err(fact.named(&error));
                };
                self.follow(fact, &sealed)?;
                self.head = Head::after(fact);
            }
            self.open.push(fact.hash);
        }
        Ok(())
    }

    /// Seals what no seal covers yet, up to a cursor; nothing when that is the last seal alone.
    pub fn seal(&self, cursor: &Cursor, at: Time) -> Step {
        if self.open.is_empty() || (self.open.len() == 1 && self.head.n > 0) {
            return Step::default();
        }
        let count = u64::try_from(self.open.len()).unwrap_or(u64::MAX);
        let sealed = Sealed {
            from: self.covered,
            until: self.covered.saturating_add(count),
            root: root(&self.open),
            epoch: cursor.epoch.clone(),
            position: cursor.position,
            within: cursor.within,
        };
        Step::new(vec![Fact::new(&self.head, at, &Body::Sealed(sealed))], Vec::new())
    }

    /// How many facts are covered by seals.
    #[must_use]
    pub const fn covered(&self) -> u64 {
        self.covered
    }

    /// Forgets the hashes that the newest seal covers and checks what it says of them.
    fn follow(&mut self, fact: &Fact, sealed: &Sealed) -> Result<(), Error> {
        fact.check(&self.head)?;
        let wrong = |what: String| Err(fact.named(&Error::new(Code::FactTampered, what)));
        let Sealed { from, until, root: said, .. } = sealed;
        let count = until.checked_sub(*from).and_then(|count| usize::try_from(count).ok());
        let covered = count.and_then(|count| self.open.get(..count));
        let Some(covered) = covered.filter(|_| *from == self.covered) else {
            return wrong(format!(
                "it covers facts {from} to {until}, but {} were covered before it and {} are open: \
                 facts are missing",
                self.covered,
                self.open.len()
            ));
        };
        let own = root(covered);
        if own != *said {
            return wrong(format!(
                "it says {said} of facts {from} to {until}, they give {own}: one was altered, \
                 taken away or put in"
            ));
        }
        self.open.drain(..covered.len());
        self.covered = *until;
        Ok(())
    }
}

impl Sealed {
    /// The host's cursor behind the last fact that it covers.
    ///
    /// ```
    /// use divvy_core::{Hash, Sealed};
    ///
    /// let (root, epoch) = (Hash::of(b""), "a1".to_owned());
    /// let sealed = Sealed { from: 0, until: 7, root, epoch, position: 7, within: 0 };
    /// assert_eq!(sealed.cursor().position, 7);
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch.clone(), position: self.position, within: self.within }
    }
}

/// The root over some facts' hashes, whatever their order.
fn root(hashes: &[Hash]) -> Hash {
    merkle_root(&sorted(hashes))
}

pub(super) fn sorted(hashes: &[Hash]) -> Vec<[u8; 32]> {
    let mut sorted: Vec<[u8; 32]> = hashes.iter().map(|hash| *hash.as_bytes()).collect();
    sorted.sort_unstable();
    sorted
}
