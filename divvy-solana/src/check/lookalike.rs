//! Addresses that people take for each other: slips of a letter or two, and addresses that somebody
//! made so that both ends agree with one that is paid.

use std::collections::HashMap;

use crate::address::Address;

/// Addresses that are known, by what people compare of them: to look one up costs the same for ten
/// of them and for a million.
///
/// ```
/// use divvy_solana::{Address, Lookalikes};
///
/// let usdc = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")?;
/// let slip = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1")?;
/// let mut known = Lookalikes::default();
/// known.add(usdc);
/// assert_eq!(known.find(&slip), Some(usdc));
/// assert_eq!(known.find(&usdc), None);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Lookalikes {
    addresses: Vec<Address>,
    pieces: HashMap<(usize, Vec<u8>), Vec<usize>>,
}

impl Lookalikes {
    /// Adds one that is known.
    pub fn add(&mut self, address: Address) {
        let (text, place) = (address.to_string(), self.addresses.len());
        let text = text.as_bytes();
        // Two slips leave one of three pieces whole.
        for (piece, (from, to)) in PIECES.into_iter().enumerate() {
            let to = to.unwrap_or(text.len());
            self.note(piece, text.get(from..to), place);
        }
        self.note(PIECES.len(), ends(text).as_deref(), place);
        self.addresses.push(address);
    }

    /// One that people could take for this.
    #[must_use]
    pub fn find(&self, address: &Address) -> Option<Address> {
        let text = address.to_string();
        let text = text.as_bytes();
        let mut found = ends(text).and_then(|ends| self.alike(PIECES.len(), &ends, address));
        for (piece, (from, to)) in PIECES.into_iter().enumerate() {
            // A letter that was lost or added before it has moved a piece.
            let low = from.saturating_sub(SLIPS_MAX);
            for start in low..=from.saturating_add(SLIPS_MAX) {
                let end = to.map(|to| to.saturating_sub(from).saturating_add(start));
                let part = text.get(start..end.unwrap_or(text.len()));
                let alike = part.and_then(|part| self.alike(piece, part, address));
                found = found.or(alike);
            }
        }
        found
    }

    fn note(&mut self, piece: usize, part: Option<&[u8]>, place: usize) {
        if let Some(part) = part {
            self.pieces.entry((piece, part.to_vec())).or_default().push(place);
        }
    }

    fn alike(&self, piece: usize, part: &[u8], address: &Address) -> Option<Address> {
        let places = self.pieces.get(&(piece, part.to_vec()))?;
        let mut known = places.iter().filter_map(|place| self.addresses.get(*place));
        known.find(|known| look_alike(known, address)).copied()
    }
}

fn ends(text: &[u8]) -> Option<Vec<u8>> {
    Some([text.first_chunk::<ENDS>()?.as_slice(), text.last_chunk::<ENDS>()?].concat())
}

/// Where the pieces of an address begin and end.
const PIECES: [(usize, Option<usize>); 3] = [(0, Some(14)), (14, Some(28)), (28, None)];

/// Whether people could take one address for the other. No address looks like itself.
///
/// ```
/// use divvy_solana::{Address, look_alike};
///
/// let usdc = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")?;
/// let slip = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1")?;
/// assert!(look_alike(&usdc, &slip) && !look_alike(&usdc, &usdc));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[must_use]
pub fn look_alike(one: &Address, other: &Address) -> bool {
    if one == other {
        return false;
    }
    let (one, other) = (one.to_string(), other.to_string());
    let (one, other) = (one.as_bytes(), other.as_bytes());
    same_ends(one, other) || slips(one, other) <= SLIPS_MAX
}

fn same_ends(one: &[u8], other: &[u8]) -> bool {
    let begins = one.first_chunk::<ENDS>() == other.first_chunk::<ENDS>();
    begins && one.last_chunk::<ENDS>() == other.last_chunk::<ENDS>()
}

/// How many letters were lost, added or changed; two neighbours that were swapped are two.
fn slips(one: &[u8], other: &[u8]) -> usize {
    if one.len().abs_diff(other.len()) > SLIPS_MAX {
        return usize::MAX;
    }
    // The rows of the usual table: the last, and this one.
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut left = row.saturating_add(1);
        let mut this = vec![left];
        for (own, both) in other.iter().zip(last.array_windows::<2>()) {
            let [before, above] = both;
            let changed = before.saturating_add(usize::from(letter != own));
            left = changed.min(above.saturating_add(1)).min(left.saturating_add(1));
            this.push(left);
        }
        last = this;
    }
    last.last().copied().unwrap_or_default()
}

/// Two different wallets are ten letters apart or more, as good as always.
const SLIPS_MAX: usize = 2;

/// How many letters of each end people compare; those who imitate know it.
const ENDS: usize = 3;

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn address(n: u32) -> Address {
        Address::new(Sha256::digest(n.to_le_bytes()).into())
    }

    /// Goal: the index finds whatever comparing with each would find. Method: every slip of one
    /// letter, and pairs of them, wherever the letters still make an address.
    #[test]
    fn whatever_looks_alike_is_found_among_many() {
        let mut known = Lookalikes::default();
        (0..500).for_each(|n| known.add(address(n)));
        let mut slips = 0;
        for n in 0..12 {
            let text = address(n).to_string();
            for at in 0..text.len() {
                let cut = format!("{}{}", &text[..at], &text[at + 1..]);
                let added = format!("{}z{}", &text[..at], &text[at..]);
                let changed = format!("{}z{}", &text[..at], &text[at + 1..]);
                let twice = format!("2{}", &changed[1..]);
                for slip in [cut, added, changed, twice] {
                    let Ok(slip) = Address::parse(&slip) else { continue };
                    let expected = slip != address(n);
                    assert_eq!(known.find(&slip) == Some(address(n)), expected, "{text} {slip}");
                    slips += u32::from(expected);
                }
            }
        }
        assert!(slips > 500, "{slips}");
        assert!((600..1_600).all(|n| known.find(&address(n)).is_none()));
    }
}
