//! Addresses that people take for each other: slips of a letter or two, and addresses that somebody
//! made so that both ends agree with one that is paid.

use crate::address::Address;

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
