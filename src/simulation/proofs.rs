//! Holders who prove their part: to somebody who was shown the roots before, and believes nothing
//! else.

use std::collections::BTreeMap;

use divvy_core::{Body, Checked, Code, Error, Hash, Name, Proof, SealedFact, Stream, Time, Units};

use crate::Divvy;
use crate::simulation::expected::Share;
use crate::simulation::planted::Planted;
use crate::simulation::promise::{Broken, Promise};
use crate::simulation::scene::{Scene, Shared};

/// What holders have shown so far: of each declaration, the root over all holders and their part.
#[derive(Debug, Default)]
pub(super) struct Shown(BTreeMap<(Stream, u64, Name), (Hash, Checked)>);

/// A holder asks for their proofs, and shows them to others, and one of them bent.
pub(super) async fn prove(
    divvy: &mut Divvy,
    scene: &Shared,
    (book, holder): (&Name, &Name),
    bend: u64,
) -> Result<String, Error> {
    let (least, asked) = scene.with(|scene| {
        let least = scene.shares(book, holder).len();
        let another = scene.town.payees.iter().find(|payee| *payee != holder);
        let another = another.filter(|_| scene.is_planted(Planted::ProvesAnother));
        (least, another.unwrap_or(holder).clone())
    });
    let proofs = match divvy.prove(book.as_str(), asked.as_str()).await {
        Err(error) if matches!(error.code(), Code::PayeeUnknown | Code::ProofMissing) => Vec::new(),
        proofs => proofs?,
    };
    scene.with(|scene| {
        let found = scene.looks_at((book, holder), &proofs, least);
        let found = found.and_then(|found| match found {
            None => scene.refuses_bent(&proofs, holder, bend),
            found => Ok(found),
        });
        let said = |said| Some(Broken { promise: Promise::ProofsHold, said });
        scene.found(
            found.map_or_else(|error| said(format!("{error:?}")), |found| found.and_then(said)),
        );
    });
    Ok(format!("{} proofs", proofs.len()))
}

impl Scene {
    /// What a holder can prove by now, declaration by declaration.
    fn shares(&self, book: &Name, holder: &Name) -> BTreeMap<(Stream, u64), Share> {
        let own = self.expected.iter().find(|expected| expected.book() == book);
        let shares = own.into_iter().flat_map(|expected| expected.provable(holder));
        let named = shares.filter_map(|(pool, n, share)| {
            Some(((Stream::pool(book, &Name::new(pool).ok()?), n), share))
        });
        named.collect()
    }

    /// Every proof leads to a root that was known before, says what plain integers say, and says it
    /// whenever it is asked for.
    fn looks_at(
        &mut self,
        (book, holder): (&Name, &Name),
        proofs: &[Proof],
        least: usize,
    ) -> Result<Option<String>, Error> {
        let mut shares = self.shares(book, holder);
        if proofs.len() < least {
            let shown = proofs.len();
            return Ok(Some(format!("{holder} of {book} proves {shown} parts of {least}")));
        }
        for proof in proofs {
            let (stream, n) = (proof.declared.stream.clone(), proof.declared.n);
            let Some(root) = self.root_of(proof) else {
                return Ok(Some(format!("declaration {n} of {stream} is not what is proven")));
            };
            let checked = read_again(proof)?.check(&root)?;
            let share = shares.remove(&(stream.clone(), n));
            if share.is_none_or(|share| !share.is(&checked)) || checked.holder != *holder {
                return Ok(Some(format!("{checked:?} is proven, and it is {share:?}")));
            }
            let Body::Declared(declared) = proof.declared.fact()?.body()? else { continue };
            let holders = declared.holders.map(|holders| holders.root).unwrap_or_default();
            let shown = (holders, checked);
            let before = self.shown.0.insert((stream, n, holder.clone()), shown.clone());
            if let Some(before) = before {
                self.trace.count("parts proven again");
                if before != shown {
                    return Ok(Some(format!("{before:?} was proven before, and now {shown:?}")));
                }
            }
            let sealed = proof.sealed.is_some();
            self.trace.count(if sealed { "parts proven by a seal" } else { "parts proven" });
        }
        Ok(None)
    }

    /// What everybody was shown before: the hash of a declaration, or of the seal over it.
    fn root_of(&self, proof: &Proof) -> Option<Hash> {
        let (place, fact) = self.store.at(&proof.declared.stream, proof.declared.n)?;
        match &proof.sealed {
            None => Some(fact.hash),
            Some(_) => self.notes.seal_over(place),
        }
    }

    /// A proof that was bent is believed by nobody who was shown the root.
    fn refuses_bent(
        &mut self,
        proofs: &[Proof],
        holder: &Name,
        bend: u64,
    ) -> Result<Option<String>, Error> {
        let Some(proof) = self.dice.pick(proofs) else { return Ok(None) };
        let (bent, root) = (bent(proof, bend)?, self.root_of(proof).unwrap_or_default());
        let told = if self.is_planted(Planted::BelievesProofs) {
            let own = bent.declared.fact()?.hash;
            Proof { sealed: None, ..bent.clone() }.check(&own)
        } else {
            bent.check(&root)
        };
        self.trace.count("proofs bent, refused");
        Ok(told.ok().map(|told| format!("a bent proof of {holder} is believed: {told:?}")))
    }
}

impl Share {
    /// Whether a proof shows this, to the unit that a division may be off.
    fn is(&self, checked: &Checked) -> bool {
        let ideal = self.amount.saturating_mul(self.units).checked_div(self.supply).unwrap_or(0);
        let part = u128::from(checked.part);
        (checked.units.get().into(), checked.supply.get().into()) == (self.units, self.supply)
            && u128::from(checked.declared) == self.amount
            && part.abs_diff(ideal) <= 1
    }
}

/// As it comes to a phone.
fn read_again(proof: &Proof) -> Result<Proof, Error> {
    let malformed = |error: serde_json::Error| Error::new(Code::InputMalformed, error.to_string());
    let json = serde_json::to_string(proof).map_err(malformed)?;
    serde_json::from_str(&json).map_err(malformed)
}

/// Something else than was proven, in one of many ways.
fn bent(proof: &Proof, bend: u64) -> Result<Proof, Error> {
    let mut bent = proof.clone();
    let other = Hash::of(b"something else");
    match bend {
        0 => bent.holding.units = Units::new(bent.holding.units.get().saturating_add(1))?,
        1 => bent.holding.holder = Name::new("somebody-else")?,
        2 => match bent.holding.path.first_mut() {
            Some(first) => *first = other,
            None => bent.holding.path.push(other),
        },
        3 => bent.holding.place = bent.holding.place.saturating_add(1),
        4 => bent.declared.before = other,
        5 => {
            let later = bent.declared.at.millis().saturating_add(1);
            bent.declared.at = Time::from_millis(later);
        }
        6 => {
            if let Body::Declared(mut declared) = bent.declared.fact()?.body()? {
                declared.gross = declared.gross.plus(divvy_core::Amount::ONE)?;
                bent.declared.bytes = Body::Declared(declared).encode();
            }
        }
        _ => {
            let alone = SealedFact { place: 0, count: 1, path: Vec::new() };
            bent.sealed = match bent.sealed {
                Some(_) => None,
                None => Some(alone),
            };
        }
    }
    Ok(bent)
}

/// In so many ways a proof is bent.
pub(super) const BENDS: u64 = 8;
