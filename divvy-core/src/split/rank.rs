//! Who gets the units that rounding left over.

/// Adds one to each share of the `count` largest keys; ties go to the lower index.
pub(super) fn raise_largest<K: Copy + Ord>(shares: &mut [u64], keys: &[K], count: u64) {
    let Some(mut cut) = Cut::among(keys.to_vec(), count) else { return };
    for (share, key) in shares.iter_mut().zip(keys) {
        *share = share.saturating_add(cut.unit(*key));
    }
}

/// Where the largest keys begin. Shown all keys in order, it says which are among them.
pub(super) struct Cut<K> {
    /// The least key that is among the largest.
    least: K,
    /// How many more keys equal to it are.
    ties: usize,
}

impl<K: Copy + Ord> Cut<K> {
    /// The cut above which `count` of the keys lie; none without a key or a count.
    ///
    /// The callers' arithmetic keeps `count` at most the number of keys.
    pub(super) fn among(mut keys: Vec<K>, count: u64) -> Option<Self> {
        let count = usize::try_from(count).ok()?;
        let place = keys.len().checked_sub(count).filter(|place| *place < keys.len())?;
        let (_, least, above) = keys.select_nth_unstable(place);
        let above = above.iter().filter(|key| **key > *least).count();
        Some(Self { least: *least, ties: count.saturating_sub(above) })
    }

    /// One for a key among the largest, else zero.
    #[inline]
    pub(super) fn unit(&mut self, key: K) -> u64 {
        // Without a branch: who is raised looks random, and a wrong guess costs more than a sum.
        let tied = (key == self.least) & (self.ties > 0);
        self.ties = self.ties.saturating_sub(tied.into());
        (tied | (key > self.least)).into()
    }
}

/// How many keys fall into each bucket; a larger key never has a lower bucket.
///
/// It finds the bucket in which the cut lies, so that only that one is searched.
pub(super) struct Buckets([usize; BUCKETS]);

impl Buckets {
    pub(super) const fn new() -> Self {
        Self([0; BUCKETS])
    }

    #[inline]
    pub(super) fn count(&mut self, bucket: usize) {
        if let Some(size) = self.0.get_mut(bucket.min(BUCKETS.saturating_sub(1))) {
            *size = size.saturating_add(1);
        }
    }

    /// As [`Cut::among`], for keys that were all counted.
    pub(super) fn cut<K: Copy + Ord>(
        &self,
        keys: impl ExactSizeIterator<Item = K>,
        count: u64,
        bucket: impl Fn(K) -> usize,
    ) -> Option<Cut<K>> {
        // A short list is sooner searched whole.
        if keys.len() < MANY {
            return Cut::among(keys.collect(), count);
        }
        let (mut within, mut edge) = (usize::try_from(count).ok()?, 0);
        for (place, size) in self.0.iter().enumerate().rev() {
            edge = place;
            if *size >= within {
                break;
            }
            within = within.saturating_sub(*size);
        }
        let near = |key: &K| bucket(*key).min(BUCKETS.saturating_sub(1)) == edge;
        Cut::among(keys.filter(near).collect(), u64::try_from(within).ok()?)
    }
}

/// How far to shift numbers up to `most` so that their leading bits number the buckets.
pub(super) const fn bucket_shift(most: u128) -> u32 {
    let bits = u128::BITS.saturating_sub(most.leading_zeros());
    bits.saturating_sub(BUCKETS.ilog2())
}

/// Enough that one holds few of a million keys, and few enough to stay in the nearest cache.
const BUCKETS: usize = 256;
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
            raise_largest(&mut shares, keys, count);
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
                let bucket = |key: u64| usize::try_from(key >> shift).unwrap();
                let mut buckets = Buckets::new();
                keys.iter().for_each(|key| buckets.count(bucket(*key)));
                let cut = buckets.cut(keys.iter().copied(), count.try_into().unwrap(), bucket);
                let unit = |cut: &mut Cut<u64>| keys.iter().map(|key| cut.unit(*key)).collect();
                let counted: Vec<u64> = cut.map_or(vec![0; keys.len()], |mut cut| unit(&mut cut));
                assert_eq!(counted, sorted, "{count} of {}", keys.len());
            }
        }
    }
}
