//! Treasuries: what is noted there, weeks that are closed, and seals over everything;
//! by plain sums over the facts.

use std::collections::{BTreeMap, BTreeSet};

use divvy_core::{
    Body, Error, Evidence, Fact, Funds, Hash, Name, Place, Purpose, Sealed, Time, WeekClosed,
};

use crate::simulation::dice::Dice;
use crate::simulation::promise::{Broken, Promise};

/// What the facts say of every treasury, and what was sealed.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// What was noted of each book: once for each purpose and id.
    noted: BTreeMap<Name, i128>,
    known: BTreeSet<(Name, String, u8)>,
    /// Each payment of a book: where it stands among all facts, when it was written, how much.
    payments: Vec<(usize, Name, Time, u128)>,
    /// So many facts are sealed.
    sealed: u64,
    /// Until where each seal reaches, and what it says.
    seals: Vec<(u64, Hash)>,
    hashes: Vec<[u8; 32]>,
}

/// Something to note. Few ids, so that the same one comes twice and contradicts itself.
pub(super) fn draw_funds(dice: &mut Dice, now: Time) -> Result<Funds, Error> {
    let purposes = [
        Purpose::Replenished,
        Purpose::Withdrawn,
        Purpose::FeeEarned,
        Purpose::FeePaid,
        Purpose::Expected(now),
        Purpose::Arrived,
        Purpose::Missed,
        Purpose::Drawn,
        Purpose::Repaid,
        Purpose::CreditLimit,
        Purpose::Reserve,
    ];
    let purpose = dice.pick(&purposes).copied().unwrap_or(Purpose::Replenished);
    let (source, said) = ("a bank".to_owned(), "its statement".to_owned());
    Ok(Funds {
        id: format!("note-{}", dice.below(6)),
        purpose,
        amount: divvy_core::Amount::new(dice.within(1, 90_000))?,
        event_at: now,
        evidence: Evidence { source, hash: Hash::of(b"statement"), said },
    })
}

impl Notes {
    /// Takes in facts that were written from a place on, and holds seals against them.
    pub(super) fn written(&mut self, facts: &[Fact], from: usize) -> Result<Option<Broken>, Error> {
        for (at, fact) in (from..).zip(facts) {
            let found = match (fact.stream.place(), fact.body()?) {
                (Place::Treasury { book }, Body::Funds(funds)) => {
                    self.note(Name::new(book)?, &funds)
                }
                (Place::Payment { .. }, Body::Recorded(recorded)) => {
                    let amount = recorded.amount.into();
                    self.payments.push((at, recorded.book, fact.at, amount));
                    None
                }
                (Place::Seal, Body::Sealed(sealed)) => self.seal(&sealed),
                _ => None,
            };
            self.hashes.push(*fact.hash.as_bytes());
            if let Some(said) = found {
                return Ok(Some(Broken { promise: Promise::TreasuryAgrees, said }));
            }
        }
        Ok(None)
    }

    /// A week that is closed has what whoever closes it had read of it.
    pub(super) fn offered(&self, facts: &[Fact], read: usize) -> Result<Option<Broken>, Error> {
        for fact in facts.iter().filter(|fact| fact.kind == "week_closed.1") {
            let (Place::Treasury { book }, Body::WeekClosed(closed)) =
                (fact.stream.place(), fact.body()?)
            else {
                continue;
            };
            let WeekClosed { until, figures, .. } = closed;
            let own = self.payments.iter().filter(|(at, of, written_at, _)| {
                *at < read && of.as_str() == book && *written_at < until
            });
            let recorded: u128 = own.map(|(.., amount)| amount).sum();
            if recorded != u128::from(figures.recorded) {
                let said = figures.recorded;
                let said = format!("{recorded} came into {book} until {until}, and not {said}");
                return Ok(Some(Broken { promise: Promise::TreasuryAgrees, said }));
            }
        }
        Ok(None)
    }

    /// What the seal says that covers the fact at a place, if one does.
    pub(super) fn seal_over(&self, place: usize) -> Option<Hash> {
        let covers = |(until, _): &&(u64, Hash)| u64::try_from(place).is_ok_and(|at| at < *until);
        self.seals.iter().find(covers).map(|(_, root)| *root)
    }

    /// What notes left in a treasury.
    pub(super) fn noted(&self, book: &Name) -> i128 {
        self.noted.get(book).copied().unwrap_or(0)
    }

    fn note(&mut self, book: Name, funds: &Funds) -> Option<String> {
        let (number, sign) = match funds.purpose {
            Purpose::Replenished => (0, 1),
            Purpose::Withdrawn => (1, -1),
            Purpose::FeeEarned => (2, 1),
            Purpose::FeePaid => (3, -1),
            Purpose::Expected(_) => (4, 0),
            Purpose::Arrived => (5, 1),
            Purpose::Missed => (6, 0),
            Purpose::Drawn => (7, 1),
            Purpose::Repaid => (8, -1),
            Purpose::CreditLimit => (9, 0),
            Purpose::Reserve => (10, 0),
            _ => (11, 0),
        };
        let sum = self.noted.entry(book.clone()).or_default();
        *sum = sum.saturating_add(i128::from(funds.amount.get()).saturating_mul(sign));
        let is_new = self.known.insert((book, funds.id.clone(), number));
        (!is_new).then(|| format!("{} is noted as {:?} twice", funds.id, funds.purpose))
    }

    /// A seal follows the one before it, and is over what stands there.
    fn seal(&mut self, sealed: &Sealed) -> Option<String> {
        let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let covered = self.hashes.get(place(sealed.from)..place(sealed.until));
        let before = std::mem::replace(&mut self.sealed, sealed.until);
        self.seals.push((sealed.until, sealed.root));
        let Some(covered) = covered.filter(|_| sealed.from == before) else {
            return Some(format!("facts {} to {} are sealed", sealed.from, sealed.until));
        };
        let mut leaves: Vec<&[u8; 32]> = covered.iter().collect();
        leaves.sort_unstable();
        let leaves = leaves.into_iter().map(|leaf| Hash::of(&[&[0], leaf.as_slice()].concat()));
        let root = root(leaves.collect());
        (root != sealed.root).then(|| format!("a seal says {}, it is {root}", sealed.root))
    }
}

/// The root of a Merkle tree, level by level: what has nothing beside it goes up as it is.
fn root(mut level: Vec<Hash>) -> Hash {
    while level.len() > 1 {
        let up = |pair: &[Hash]| match pair {
            [left, right] => {
                Hash::of(&[&[1], left.as_bytes().as_slice(), right.as_bytes()].concat())
            }
            alone => alone.first().copied().unwrap_or_default(),
        };
        level = level.chunks(2).map(up).collect();
    }
    level.first().copied().unwrap_or_else(|| Hash::of(b""))
}
