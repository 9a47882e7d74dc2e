//! Who gets the units that rounding left over.

/// Adds one to each share of the `count` largest keys; ties go to the lower index.
///
/// A partial selection finds the least key that still gets a unit, so the cost stays linear. The
/// callers' arithmetic keeps `count` below the number of keys above zero.
pub(super) fn raise_largest<K: Copy + Ord>(shares: &mut [u64], keys: &[K], count: u64) {
    let mut ties = usize::try_from(count).unwrap_or(usize::MAX);
    let Some(least) = nth_largest(keys, ties) else { return };
    ties = ties.saturating_sub(keys.iter().filter(|key| **key > least).count());
    for (share, key) in shares.iter_mut().zip(keys) {
        let tied = *key == least && ties > 0;
        ties = ties.saturating_sub(tied.into());
        *share = share.saturating_add((tied || *key > least).into());
    }
}

/// The `count`-th largest key, or nothing when there is no such key.
fn nth_largest<K: Copy + Ord>(keys: &[K], count: usize) -> Option<K> {
    let place = keys.len().checked_sub(count)?;
    if place == keys.len() {
        return None;
    }
    // The selection moves what it looks at, and the shares need the keys in their order.
    let mut moved = keys.to_vec();
    Some(*moved.select_nth_unstable(place).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_keys_are_raised_and_ties_go_to_the_lower_index() {
        let table: [(&[u8], u64, &[u64]); 8] = [
            // keys          count  raised
            (&[1, 2, 3], 0, &[0, 0, 0]),
            (&[1, 2, 3], 1, &[0, 0, 1]),
            (&[1, 2, 3], 2, &[0, 1, 1]),
            (&[1, 2, 3], 3, &[1, 1, 1]),
            (&[5, 5, 5], 1, &[1, 0, 0]),
            (&[5, 5, 5], 2, &[1, 1, 0]),
            (&[5, 9, 5, 5], 2, &[1, 1, 0, 0]),
            (&[], 0, &[]),
        ];
        for (keys, count, raised) in table {
            let mut shares = vec![0; keys.len()];
            raise_largest(&mut shares, keys, count);
            assert_eq!(shares, raised, "{keys:?} {count}");
        }
    }
}
