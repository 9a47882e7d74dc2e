//! Who held how many units when something was declared: one hash over all, and one path for each.

use minicbor::{Decode, Encode, Encoder};
use serde::{Deserialize, Serialize};

use crate::fact::Hash;
use crate::name::Name;
use crate::pool::{Index, Pool, Units};
use crate::proof::tree::{merkle_path, merkle_root, merkle_root_by};

/// What a declaration commits to beside its amount: everyone's units, and the index before it.
///
/// ```
/// use divvy_core::{Amount, Holders, Name, Pool, Units};
///
/// let (mut pool, ann) = (Pool::open(Units::new(10)?)?, Name::new("ann")?);
/// pool.issue(&mut Default::default(), Units::new(10)?)?;
/// let holders = Holders::of(&[(&ann, Units::new(10)?)], &pool);
/// assert_eq!((holders.count, holders.supply), (1, Units::new(10)?));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[expect(clippy::exhaustive_structs, reason = "a new field is a new version of its kind")]
pub struct Holders {
    /// The Merkle root over all holders, sorted by the bytes of their names.
    #[n(0)]
    pub root: Hash,
    /// How many they are.
    #[n(1)]
    #[serde(with = "crate::fact::text::digits")]
    pub count: u64,
    /// Their units together.
    #[n(2)]
    pub supply: Units,
    /// The pool's scale, by which the index is divided.
    #[n(3)]
    pub scale: Index,
    /// The index before the declaration.
    #[n(4)]
    pub index: Index,
}

/// The way from one holder to the root.
///
/// ```
/// use divvy_core::{Holders, Holding, Name, Units};
///
/// fn units(holding: &Holding) -> (&Name, Units) {
///     (&holding.holder, holding.units)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that stands in a proof")]
pub struct Holding {
    /// Who.
    pub holder: Name,
    /// How many units.
    pub units: Units,
    /// The place among all holders.
    #[serde(with = "crate::fact::text::digits")]
    pub place: u64,
    /// The hashes beside the way up, lowest first.
    pub path: Vec<Hash>,
}

impl Holders {
    /// Everyone who holds units of a pool now, sorted by the bytes of their names.
    #[must_use]
    pub fn of(sorted: &[(&Name, Units)], pool: &Pool) -> Self {
        let count = u64::try_from(sorted.len()).unwrap_or(u64::MAX);
        let (supply, scale, index) = (pool.supply(), pool.scale(), pool.index());
        Self { root: merkle_root(&entries(sorted)), count, supply, scale, index }
    }

    /// Whether a holding is one of these.
    #[must_use]
    pub fn has(&self, holding: &Holding) -> bool {
        let Holding { holder, units, place, path } = holding;
        merkle_root_by(&entry(holder, *units), *place, self.count, path) == Some(self.root)
    }
}

impl Holding {
    /// The way from one holder to the root over all; nothing for who holds no units.
    #[must_use]
    pub fn of(sorted: &[(&Name, Units)], holder: &str) -> Option<Self> {
        let place = sorted.iter().position(|(name, _)| name.as_str() == holder)?;
        let (name, units) = *sorted.get(place)?;
        let path = merkle_path(&entries(sorted), place)?;
        let place = u64::try_from(place).ok()?;
        Some(Self { holder: name.clone(), units, place, path })
    }
}

fn entries(sorted: &[(&Name, Units)]) -> Vec<Vec<u8>> {
    sorted.iter().map(|(holder, units)| entry(holder, *units)).collect()
}

/// A holder as an entry of the tree: `"divvy.holding.1" 00`, and the CBOR of `[name, units]`.
#[expect(clippy::expect_used, reason = "writing to a vector cannot fail")]
fn entry(holder: &Name, units: Units) -> Vec<u8> {
    let mut bytes = b"divvy.holding.1\0".to_vec();
    let mut to = Encoder::new(&mut bytes);
    let written = to.array(2).and_then(|to| to.str(holder.as_str())?.u64(units.get()));
    written.expect("writing to a vector cannot fail");
    bytes
}
