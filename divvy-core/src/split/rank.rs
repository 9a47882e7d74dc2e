//! Who gets the units that rounding left over.

/// Adds one to each share of the `count` largest keys; ties go to the lower index.
///
/// `bucket` sorts keys coarsely: a larger key never has a lower bucket. A count per bucket finds
/// the one in which the least raised key lies, and only that bucket is searched, so the cost is
/// that of a few passes over the keys. These come anew for each pass: to compute a remainder again
/// is cheaper than to fetch it from memory. The callers' arithmetic keeps `count` at most the
/// number of keys.
pub(super) fn raise_largest<K: Copy + Ord>(
    shares: &mut [u64],
    keys: impl Iterator<Item = K> + Clone,
    count: u64,
    bucket: impl Fn(K) -> usize,
) {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count == 0 || count > shares.len() {
        return;
    }
    // A short list is searched whole: counting would cost more than it saves.
    let (within, near) = match shares.len() < MANY {
        true => (count, keys.clone().collect()),
        false => near_least(keys.clone(), count, bucket),
    };
    let Some((least, mut ties)) = least_raised(within, near) else { return };
    for (share, key) in shares.iter_mut().zip(keys) {
        // Without a branch: who is raised looks random, and a wrong guess costs more than a sum.
        let tied = (key == least) & (ties > 0);
        ties = ties.saturating_sub(tied.into());
        *share = share.saturating_add((tied | (key > least)).into());
    }
}

/// The bucket of the least raised key, and how many of its keys are raised.
fn near_least<K: Copy>(
    keys: impl Iterator<Item = K> + Clone,
    count: usize,
    bucket: impl Fn(K) -> usize,
) -> (usize, Vec<K>) {
    let bucket = |key: K| bucket(key).min(BUCKETS.saturating_sub(1));
    let mut sizes = [0_usize; BUCKETS];
    for key in keys.clone() {
        if let Some(size) = sizes.get_mut(bucket(key)) {
            *size = size.saturating_add(1);
        }
    }
    let (mut within, mut edge) = (count, 0);
    for (place, size) in sizes.iter().enumerate().rev() {
        edge = place;
        if *size >= within {
            break;
        }
        within = within.saturating_sub(*size);
    }
    (within, keys.filter(|key| bucket(*key) == edge).collect())
}

/// The least of the `within` largest keys, and how many keys equal to it are among them.
fn least_raised<K: Copy + Ord>(within: usize, mut near: Vec<K>) -> Option<(K, usize)> {
    let place = near.len().checked_sub(within).filter(|place| *place < near.len())?;
    let (_, least, above) = near.select_nth_unstable(place);
    let above = above.iter().filter(|key| **key > *least).count();
    Some((*least, within.saturating_sub(above)))
}

/// How far to shift numbers up to `most` so that their leading bits number the buckets.
pub(super) const fn bucket_shift(most: u128) -> u32 {
    let bits = u128::BITS.saturating_sub(most.leading_zeros());
    bits.saturating_sub(BUCKETS.ilog2())
}

/// Enough that one holds few of a million keys, and few enough to stay in the nearest cache.
const BUCKETS: usize = 512;
const MANY: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_keys_are_raised_and_ties_go_to_the_lower_index() {
        #[rustfmt::skip]
        let table: [(&[u8], u64, &[u64]); 8] = [
            // keys          count  raised
            (&[1, 2, 3],    0, &[0, 0, 0]),
            (&[1, 2, 3],    1, &[0, 0, 1]),
            (&[1, 2, 3],    2, &[0, 1, 1]),
            (&[1, 2, 3],    3, &[1, 1, 1]),
            (&[5, 5, 5],    1, &[1, 0, 0]),
            (&[5, 5, 5],    2, &[1, 1, 0]),
            (&[5, 9, 5, 5], 2, &[1, 1, 0, 0]),
            (&[],           0, &[]),
        ];
        for (keys, count, raised) in table {
            let mut shares = vec![0; keys.len()];
            raise_largest(&mut shares, keys.iter(), count, |_| 0);
            assert_eq!(shares, raised, "{keys:?} {count}");
        }
    }

    /// Goal: the coarse counting changes nothing, whatever the keys look like.
    /// Method: long lists of spread, tied and equal keys against a full, stable sort.
    #[test]
    fn counting_agrees_with_sorting() {
        let spread: Vec<u64> = (0..1_000).map(|place| place * 7_919 % 1_009).collect();
        let tied: Vec<u64> = spread.iter().map(|key| key % 5 * 200).collect();
        for keys in [spread, tied, vec![3; 500], vec![0; 128]] {
            let shift = bucket_shift(1_009);
            for count in [0, 1, 2, 99, keys.len() - 1, keys.len()] {
                let mut order: Vec<usize> = (0..keys.len()).collect();
                order.sort_by_key(|place| core::cmp::Reverse(keys[*place]));
                let mut sorted = vec![0; keys.len()];
                order.iter().take(count).for_each(|place| sorted[*place] = 1);
                let mut counted = vec![0; keys.len()];
                let bucket = |key: u64| usize::try_from(key >> shift).unwrap();
                let units = count.try_into().unwrap();
                raise_largest(&mut counted, keys.iter().copied(), units, bucket);
                assert_eq!(counted, sorted, "{count} of {}", keys.len());
            }
        }
    }
}
