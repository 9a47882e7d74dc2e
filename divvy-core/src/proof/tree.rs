//! Merkle trees as [RFC 9162](https://www.rfc-editor.org/rfc/rfc9162#section-2.1) has them:
//! leaves and nodes hash apart, and a proof has one hash for each level.

use sha2::{Digest, Sha256};

use crate::fact::Hash;

/// The root over some entries, in their order. Over none it is the hash of nothing.
///
/// ```
/// use divvy_core::{Hash, merkle_root};
///
/// let entries = [b"ann".as_slice(), b"bob"];
/// assert_ne!(merkle_root(&entries), merkle_root(&[b"bob".as_slice(), b"ann"]));
/// let nobody: [&[u8]; 0] = [];
/// assert_eq!(merkle_root(&nobody), Hash::of(b""));
/// ```
#[must_use]
pub fn merkle_root(entries: &[impl AsRef<[u8]>]) -> Hash {
    root_of(&leaves(entries))
}

/// The hashes beside the way from one entry up to the root; nothing for a place that is not there.
///
/// ```
/// use divvy_core::{merkle_path, merkle_root, merkle_root_by};
///
/// let entries = [b"ann", b"bob", b"cyd", b"dee", b"eve"];
/// let path = merkle_path(&entries, 4).unwrap();
/// assert_eq!(merkle_root_by(b"eve", 4, 5, &path), Some(merkle_root(&entries)));
/// assert_ne!(merkle_root_by(b"eva", 4, 5, &path), Some(merkle_root(&entries)));
/// assert_eq!(merkle_path(&entries, 5), None);
/// ```
#[must_use]
pub fn merkle_path(entries: &[impl AsRef<[u8]>], at: usize) -> Option<Vec<Hash>> {
    Tree::new(entries).path(at)
}

/// A whole tree, for whoever asks for many ways up.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// From the leaves up to the root. What has nothing beside it goes up as it is.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    pub(super) fn new(entries: &[impl AsRef<[u8]>]) -> Self {
        let mut levels = vec![leaves(entries)];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let up = |pair: &[Hash]| match pair {
                [left, right] => join(left, right),
                alone => alone.first().copied().unwrap_or_default(),
            };
            let above = below.chunks(2).map(up).collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// The hashes beside the way from one entry up to the root, lowest first.
    pub(super) fn path(&self, at: usize) -> Option<Vec<Hash>> {
        self.levels.first()?.get(at)?;
        let beside =
            |(height, level): (u32, &Vec<Hash>)| level.get(at.checked_shr(height)? ^ 1).copied();
        Some((0..).zip(&self.levels).filter_map(beside).collect())
    }
}

/// The root that an entry at a place has by a path, in a tree of so many entries; nothing when the
/// path is not as long as such a place needs.
#[must_use]
pub fn merkle_root_by(entry: &[u8], at: u64, count: u64, path: &[Hash]) -> Option<Hash> {
    if at >= count {
        return None;
    }
    // RFC 9162, section 2.1.3.2.
    let (mut node, mut last) = (at, count.checked_sub(1)?);
    let mut hash = leaf(entry);
    for beside in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = join(beside, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = join(&hash, beside);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

fn leaves(entries: &[impl AsRef<[u8]>]) -> Vec<Hash> {
    entries.iter().map(|entry| leaf(entry.as_ref())).collect()
}

fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(b""),
        [only] => *only,
        many => {
            let (left, right) = halves(many);
            join(&root_of(left), &root_of(right))
        }
    }
}

/// The left half is the largest power of two below the whole.
fn halves(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
    let middle = leaves.len().next_power_of_two() >> 1;
    leaves.split_at_checked(middle).unwrap_or((leaves, &[]))
}

fn leaf(entry: &[u8]) -> Hash {
    Hash::new(Sha256::new_with_prefix([0]).chain_update(entry).finalize().into())
}

fn join(left: &Hash, right: &Hash) -> Hash {
    let node = Sha256::new_with_prefix([1]).chain_update(left.as_bytes());
    Hash::new(node.chain_update(right.as_bytes()).finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        // The entries and roots of the reference test of the logs that RFC 6962 began.
        let entries: Vec<Vec<u8>> = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        .map(unhex)
        .to_vec();
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (count, root) in (1..).zip(roots) {
            assert_eq!(merkle_root(&entries[..count]).to_string(), root);
        }
    }

    #[test]
    fn every_place_of_every_size_has_one_path_and_no_other_place_fits_it() {
        let entries: Vec<Vec<u8>> = (0..40_u8).map(|n| vec![n]).collect();
        for count in 1..=entries.len() {
            let some = &entries[..count];
            let (root, wide) = (merkle_root(some), u64::try_from(count).unwrap());
            for (at, entry) in (0..).zip(some) {
                let path = merkle_path(some, usize::try_from(at).unwrap()).unwrap();
                assert_eq!(merkle_root_by(entry, at, wide, &path), Some(root));
                for other in (0..wide).filter(|other| *other != at) {
                    assert_ne!(merkle_root_by(entry, other, wide, &path), Some(root));
                }
                let longer = [path.clone(), vec![root]].concat();
                assert_eq!(merkle_root_by(entry, at, wide, &longer), None);
                if let Some((_, shorter)) = path.split_last() {
                    assert_ne!(merkle_root_by(entry, at, wide, shorter), Some(root));
                }
            }
            assert_eq!(merkle_root_by(&[0], wide, wide, &[]), None);
        }
    }

    fn unhex(text: &str) -> Vec<u8> {
        let (pairs, _) = text.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        pairs.iter().map(byte).collect()
    }
}
