//! A payee's part of one declaration, proven by a path, and checked by anyone.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::error::{Code, Error};
use crate::fact::{Body, Declared, Fact, Hash, Stream};
use crate::name::Name;
use crate::pool::{Index, Units};
use crate::proof::holders::{Holders, Holding};
use crate::proof::seal::sorted;
use crate::proof::tree::{Tree, merkle_root_by};
use crate::time::Time;

/// What a payee needs to check their part of one declaration, as JSON for any language.
///
/// Of the root nothing is taken on trust: whoever checks brings it along. It is the hash of the
/// declaration's fact, or the root of the seal that covers it.
///
/// ```
/// use divvy_core::{Error, Hash, Proof};
///
/// /// What a phone does with a proof and a root that it was given long before.
/// fn shown(json: &str, root: Hash) -> Result<String, Box<dyn std::error::Error>> {
///     let checked = serde_json::from_str::<Proof>(json)?.check(&root)?;
///     Ok(format!("{} of {} units", checked.units, checked.supply))
/// }
/// assert!(shown("{}", Hash::default()).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a new field is a new version")]
pub struct Proof {
    /// The form of this proof: 1.
    pub version: u32,
    /// The holder's units, and the way up to the root over all.
    pub holding: Holding,
    /// The declaration's fact, as it is stored.
    pub declared: StoredFact,
    /// The seal that covers it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedFact>,
}

/// A fact as it is stored, and the hash before it.
///
/// ```
/// use divvy_core::{Body, Fact, Head, Released, StoredFact, Stream, Time};
///
/// let head = Head::start(Stream::parse("payee/chapter-42/ann")?);
/// let body = Body::Released(Released { reason: "address proven".into() });
/// let fact = Fact::new(&head, Time::ZERO, &body);
/// assert_eq!(StoredFact::of(&fact, head.hash).fact()?.hash, fact.hash);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "plain data that stands in a proof")]
pub struct StoredFact {
    /// Its stream.
    pub stream: Stream,
    /// Its place in the stream.
    #[serde(with = "crate::fact::text::digits")]
    pub n: u64,
    /// Its time.
    pub at: Time,
    /// Its kind.
    pub kind: String,
    /// The hash of the fact before it.
    pub before: Hash,
    /// Its body.
    #[serde(with = "crate::fact::text::hex")]
    pub bytes: Vec<u8>,
}

/// The way from a fact up to the root of the seal that covers it.
///
/// ```
/// use divvy_core::SealedFact;
///
/// let alone = SealedFact { place: 0, count: 1, path: vec![] };
/// assert!(alone.path.is_empty(), "of a seal over one fact, the root is that fact's leaf");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "plain data that stands in a proof")]
pub struct SealedFact {
    /// The fact's place among those that the seal covers, sorted.
    #[serde(with = "crate::fact::text::digits")]
    pub place: u64,
    /// How many the seal covers.
    #[serde(with = "crate::fact::text::digits")]
    pub count: u64,
    /// The hashes beside the way up, lowest first.
    pub path: Vec<Hash>,
}

/// The facts that one seal covers, as the tree whose root it is.
///
/// ```
/// use divvy_core::{Covered, Hash};
///
/// let facts = [b"ann", b"bob"].map(|text| Hash::of(text));
/// let covered = Covered::new(&facts);
/// assert_eq!(covered.way_up(&facts[0]).map(|way| way.path.len()), Some(1));
/// assert_eq!(covered.way_up(&Hash::of(b"eve")), None);
/// ```
#[derive(Clone, Debug)]
pub struct Covered {
    sorted: Vec<[u8; 32]>,
    tree: Tree,
}

impl Covered {
    /// All facts that a seal covers, by their hashes in any order. It costs a sort; each way up
    /// then costs one step for each level.
    #[must_use]
    pub fn new(hashes: &[Hash]) -> Self {
        let sorted = sorted(hashes);
        let tree = Tree::new(&sorted);
        Self { sorted, tree }
    }

    /// The way from a fact up to the seal's root; nothing for a fact that is not among them.
    #[must_use]
    pub fn way_up(&self, fact: &Hash) -> Option<SealedFact> {
        let at = self.sorted.binary_search(fact.as_bytes()).ok()?;
        let wide = |n: usize| u64::try_from(n).ok();
        let (place, count) = (wide(at)?, wide(self.sorted.len())?);
        Some(SealedFact { place, count, path: self.tree.path(at)? })
    }
}

/// What a proof shows, once it was checked.
///
/// ```
/// use divvy_core::Checked;
///
/// fn whole(checked: &Checked) -> u64 {
///     checked.part.get()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checked {
    /// The pool's stream, which names the book and the pool.
    pub pool: Stream,
    /// The declaration's place in it.
    pub declaration: u64,
    /// When it was declared.
    pub at: Time,
    /// Whose part it is.
    pub holder: Name,
    /// How many units they held…
    pub units: Units,
    /// …of so many.
    pub supply: Units,
    /// What the declaration distributed.
    pub declared: Amount,
    /// Their part, in whole minor units.
    pub part: Amount,
    /// What of a minor unit is left over, times the scale: it is carried on, never lost.
    pub fraction: Index,
}

impl Proof {
    /// A proof of one holder's part of a declaration, from the pool's stream up to it.
    ///
    /// `sealed` is the way up from its fact, where a seal covers it: see [`Covered::way_up`].
    ///
    /// # Errors
    /// [`Code::PayeeUnknown`] for who held no units then, [`Code::ProofMissing`] for a declaration
    /// of a pool without proofs.
    pub fn of(
        declared: &Fact,
        before: Hash,
        sorted: &[(&Name, Units)],
        holder: &str,
        sealed: Option<SealedFact>,
    ) -> Result<Self, Error> {
        held_by(declared)?;
        let holding = Holding::of(sorted, holder).ok_or_else(|| {
            let (n, stream) = (declared.n, &declared.stream);
            let detail = format!("{holder} held no units at declaration {n} of {stream}");
            Error::new(Code::PayeeUnknown, detail)
        })?;
        Ok(Self { version: 1, holding, declared: StoredFact::of(declared, before), sealed })
    }

    /// The same holder's proof of another declaration, between which and this one no units moved.
    #[must_use]
    pub fn of_another(self, declared: &Fact, before: Hash, sealed: Option<SealedFact>) -> Self {
        Self { declared: StoredFact::of(declared, before), sealed, ..self }
    }

    /// Checks every step of the way up to a root that the caller brings along, and tells the part.
    ///
    /// # Errors
    /// [`Code::ProofWrong`] with the step that does not hold.
    pub fn check(&self, root: &Hash) -> Result<Checked, Error> {
        if self.version != 1 {
            return Err(wrong(&format!("its version is {}: this build reads 1", self.version)));
        }
        let fact = self.declared.fact()?;
        let (declared, holders) = held_by(&fact)?;
        let reached = match &self.sealed {
            None => Some(fact.hash),
            Some(SealedFact { place, count, path }) => {
                merkle_root_by(fact.hash.as_bytes(), *place, *count, path)
            }
        };
        if reached != Some(*root) {
            return Err(wrong(&format!("it does not lead to {root}")));
        }
        if !holders.has(&self.holding) {
            let Holding { holder, units, .. } = &self.holding;
            return Err(wrong(&format!("{holder} with {units} units is not among the holders")));
        }
        let none = || wrong("its index goes backwards");
        let steps = declared.index.get().checked_sub(holders.index.get()).ok_or_else(none)?;
        let scaled = u128::from(self.holding.units.get()).checked_mul(steps).ok_or_else(none)?;
        let part = scaled.checked_div(holders.scale.get()).ok_or_else(none)?;
        let fraction = scaled.checked_rem(holders.scale.get()).ok_or_else(none)?;
        Ok(Checked {
            pool: fact.stream.clone(),
            declaration: fact.n,
            at: fact.at,
            holder: self.holding.holder.clone(),
            units: self.holding.units,
            supply: holders.supply,
            declared: declared.effective()?,
            part: Amount::from_wide(part)?,
            fraction: Index::new(fraction),
        })
    }
}

impl StoredFact {
    /// A fact with the hash of the one before it.
    #[must_use]
    pub fn of(fact: &Fact, before: Hash) -> Self {
        Self {
            stream: fact.stream.clone(),
            n: fact.n,
            at: fact.at,
            kind: fact.kind.to_string(),
            before,
            bytes: fact.bytes.clone(),
        }
    }

    /// The fact, with the hash that its bytes give.
    ///
    /// # Errors
    /// [`Code::FactUnknown`] and [`Code::FactMalformed`] for a body that cannot be read.
    pub fn fact(&self) -> Result<Fact, Error> {
        let Self { stream, n, at, kind, before, bytes } = self;
        let hash = Hash::of_fact(before, stream, *n, *at, kind, bytes);
        let (stream, kind, bytes) = (stream.clone(), kind.clone().into(), bytes.clone());
        let fact = Fact { stream, n: *n, at: *at, kind, bytes, hash };
        fact.body_strict().map(|_| fact)
    }
}

/// A declaration, and what it says of its holders.
fn held_by(fact: &Fact) -> Result<(Declared, Holders), Error> {
    let Body::Declared(declared) = fact.body()? else { return Err(missing(fact)) };
    let holders = declared.holders.clone().ok_or_else(|| missing(fact))?;
    Ok((declared, holders))
}

fn missing(fact: &Fact) -> Error {
    let detail = format!(
        "fact {} of {} commits to no holders: open its pool with proofs",
        fact.n, fact.stream
    );
    Error::new(Code::ProofMissing, detail)
}

fn wrong(what: &str) -> Error {
    Error::new(Code::ProofWrong, format!("the proof does not hold: {what}"))
}
