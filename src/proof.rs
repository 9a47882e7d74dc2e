//! Seals over everything that was written, and what each holder can prove.

use std::collections::HashMap;

use divvy_core::{
    Body, Code, Covered, Cursor, Declared, Error, Fact, Hash, Holdings, Name, Place, Proof,
    SealedFact, Seals, Stream, Time, Units,
};

use crate::divvy::{Divvy, each_page};

/// Who loses a race for the next seal reads again, at most so often.
const TRIES_MAX: usize = 16;

impl Divvy {
    /// Seals everything that was written since the last seal: one hash, which shows a fact that is
    /// missing or altered, and may be kept or published anywhere. It costs what is new.
    ///
    /// Returns the hash to keep, and how many facts it stands for; nothing when nothing is new.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use divvy::core::{Asset, Name, Time};
    /// use divvy::{Divvy, Sqlite};
    ///
    /// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
    /// divvy.open_book(&Name::new("duet")?, Asset::parse("USD")?, Time::ZERO).await?;
    /// let (root, facts) = divvy.seal(Time::ZERO).await?.expect("one fact is new");
    /// assert_eq!(facts, 1);
    /// assert_eq!(divvy.verify().await?.sealed, 1);
    /// assert_eq!(divvy.seal(Time::ZERO).await?, None);
    /// # let _ = root;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Code::FactTampered`] when a fact since the last seal is missing, and the host's errors.
    pub async fn seal(&mut self, now: Time) -> Result<Option<(Hash, u64)>, Error> {
        for _ in 0..TRIES_MAX {
            self.catch_up().await?;
            let at = now.max(self.books().newest());
            let (seals, cursor) = self.unsealed().await?;
            let step = seals.seal(&cursor, at);
            let Some(fact) = step.facts().first() else { return Ok(None) };
            let Body::Sealed(sealed) = fact.body()? else { return Ok(None) };
            match self.commit(step).await {
                Err(error) if error.code() == Code::AddressTaken => {}
                done => {
                    done?;
                    return Ok(Some((sealed.root, sealed.until.saturating_sub(sealed.from))));
                }
            }
        }
        let detail = "others sealed every time: try again when less is going on";
        Err(Error::new(Code::AddressTaken, detail))
    }

    /// What no seal covers yet, and the cursor behind it.
    async fn unsealed(&self) -> Result<(Seals, Cursor), Error> {
        let mut cursor = self.host().since(None, 1).await?.cursor;
        let known = self.books().sealed().filter(|(_, sealed)| sealed.epoch == cursor.epoch);
        let (mut seals, from) = match known {
            Some((head, sealed)) => (Seals::after(head.clone(), sealed), Some(sealed.cursor())),
            // The cursors of another database are none of this one: begin again.
            None => (Seals::default(), None),
        };
        each_page(self.host(), from.as_ref(), |page| {
            cursor = page.cursor.clone();
            seals.feed(&page.facts)
        })
        .await?;
        Ok((seals, cursor))
    }

    /// What a holder can prove of every declaration in which they held units: oldest first, each
    /// with the way up to its seal where there is one.
    ///
    /// # Errors
    /// [`Code::BookUnknown`] when there is none of that name, [`Code::PayeeUnknown`] for who never
    /// held units, [`Code::ProofMissing`] when no declaration commits to its holders, and the
    /// host's errors.
    pub async fn prove(&mut self, book: &str, holder: &str) -> Result<Vec<Proof>, Error> {
        self.catch_up().await?;
        let name = self.books().book(book)?.name().clone();
        let pools: Vec<Name> = self.books().book(book)?.pools().cloned().collect();
        let mut sealed = self.sealed().await?;
        let (mut proofs, mut held) = (Vec::new(), false);
        for pool in pools {
            let facts = self.host().read(&Stream::pool(&name, &pool)).await?;
            held |= prove_in(&facts, holder, &mut sealed, &mut proofs)?;
            held |= self.books().book(book)?.units(pool.as_str(), holder)? > Units::ZERO;
        }
        match (held, proofs.is_empty()) {
            (_, false) => Ok(proofs),
            (true, true) => {
                let detail = format!("no declaration of {book} commits to its holders yet");
                Err(Error::new(Code::ProofMissing, detail))
            }
            (false, true) => {
                let detail = format!("{holder} never held units in {book}: check the spelling");
                Err(Error::new(Code::PayeeUnknown, detail))
            }
        }
    }

    /// Which facts each seal covers, and where each declaration stands among them.
    async fn sealed(&self) -> Result<SealedFacts, Error> {
        let (mut sealed, mut open) = (SealedFacts::default(), Vec::new());
        each_page(self.host(), None, |page| {
            for fact in &page.facts {
                if fact.stream.place() == Place::Seal
                    && let Body::Sealed(seal) = fact.body()?
                {
                    let count = seal.until.saturating_sub(seal.from);
                    let count = usize::try_from(count).unwrap_or(usize::MAX).min(open.len());
                    let rest = open.split_off(count);
                    sealed.take(std::mem::replace(&mut open, rest));
                }
                open.push((fact.hash, fact.kind == DECLARED));
            }
            Ok(())
        })
        .await?;
        Ok(sealed)
    }
}

/// What each seal covers. Trees are large and declarations come in order, so one tree is kept.
#[derive(Debug, Default)]
struct SealedFacts {
    /// The hashes that each seal covers, oldest first.
    hashes: Vec<Vec<Hash>>,
    /// Which seal covers a declaration.
    seals: HashMap<Hash, usize>,
    tree: Option<(usize, Covered)>,
}

impl SealedFacts {
    /// Takes what the next seal covers: each hash, and whether it is a declaration's.
    fn take(&mut self, facts: Vec<(Hash, bool)>) {
        let seal = self.hashes.len();
        let declared = facts.iter().filter(|(_, is_declared)| *is_declared);
        self.seals.extend(declared.map(|(hash, _)| (*hash, seal)));
        self.hashes.push(facts.into_iter().map(|(hash, _)| hash).collect());
    }

    /// The way up from a declaration to its seal, if it has one.
    fn way_up(&mut self, declared: &Fact) -> Option<SealedFact> {
        let seal = *self.seals.get(&declared.hash)?;
        if self.tree.as_ref().is_none_or(|(at, _)| *at != seal) {
            self.tree = Some((seal, Covered::new(self.hashes.get(seal)?)));
        }
        self.tree.as_ref()?.1.way_up(&declared.hash)
    }
}

/// The kind of fact that is proven.
const DECLARED: &str = "declared.1";

/// Adds the proofs of one pool; whether the holder ever held units of it.
fn prove_in(
    facts: &[Fact],
    holder: &str,
    sealed: &mut SealedFacts,
    proofs: &mut Vec<Proof>,
) -> Result<bool, Error> {
    let (mut holdings, mut held) = (Holdings::default(), false);
    let mut before = facts.first().map_or(Hash::default(), |fact| Hash::of_stream(&fact.stream));
    // The way up is the same until units move.
    let mut known: Option<(Hash, Proof)> = None;
    for fact in facts {
        held |= holdings.units(holder) > Units::ZERO;
        if let Body::Declared(Declared { holders: Some(holders), .. }) = fact.body()?
            && holdings.units(holder) > Units::ZERO
        {
            let way_up = sealed.way_up(fact);
            let proof = match known.take().filter(|(root, _)| *root == holders.root) {
                Some((_, proof)) => proof.of_another(fact, before, way_up),
                None => {
                    let sorted: Vec<(&Name, Units)> = holdings.entries().collect();
                    Proof::of(fact, before, &sorted, holder, way_up)?
                }
            };
            known = Some((holders.root, proof.clone()));
            proofs.push(proof);
        }
        holdings.follow(fact)?;
        before = fact.hash;
    }
    Ok(held)
}
