//! How many accounts are made in each batch, so that there are as few batches as possible.
//!
//! Making accounts uses steps up, and the others use locks and bytes up; so both are best mixed,
//! and how evenly depends on the format. Few different batches suffice: some that make none, two
//! kinds more, and one that takes the rest.

use divvy_core::Error;

use crate::message::{TRACE_MAX, unfit};

/// The number of accounts that each batch makes. `room[n]` is how many others fit where `n` are
/// made, so that a batch takes its number and fills up with others.
pub(super) fn fewest(room: &[usize], made: usize, others: usize) -> Result<Vec<usize>, Error> {
    if made == 0 && others == 0 {
        return Ok(Vec::new());
    }
    let most_made = room.len().saturating_sub(1);
    let most_others = room.first().copied().unwrap_or_default();
    if (made > 0 && most_made == 0) || (others > 0 && most_others == 0) {
        return Err(unfit("not one payout fits beside what comes before and after it"));
    }
    // As many as if they were never mixed suffice; each of them takes something.
    let apart = made.div_ceil(most_made.max(1)).saturating_add(others.div_ceil(most_others.max(1)));
    let found = (least(room, made, others)..=apart).find_map(|count| {
        best(room, made, count).filter(|(fits, _)| *fits >= others).map(|(_, sizes)| sizes)
    });
    found.ok_or_else(|| unfit("not one payout fits beside what comes before and after it"))
}

/// A number of batches that no division goes below: whatever one that is made counts, a batch holds
/// no more than the fullest.
fn least(room: &[usize], made: usize, others: usize) -> usize {
    let bound = |weight: usize| {
        let weighed = |(n, fits): (usize, &usize)| fits.saturating_add(n.saturating_mul(weight));
        let fullest = room.iter().enumerate().map(weighed).max().unwrap_or_default();
        made.saturating_mul(weight).saturating_add(others).div_ceil(fullest.max(1))
    };
    let most_made = room.len().saturating_sub(1);
    (0..=TRACE_MAX).map(bound).fold(made.div_ceil(most_made.max(1)).max(1), usize::max)
}

/// The most others that fit into so many batches which make so many accounts, and how.
fn best(room: &[usize], made: usize, count: usize) -> Option<(usize, Vec<usize>)> {
    let of = |kind: usize| room.get(kind).copied().unwrap_or_default();
    let mut best: Option<(usize, Mix)> = None;
    // Making the first account costs more than the next, so some may better make none at all.
    for idle in 0..count {
        let busy = count.checked_sub(idle)?.checked_sub(1)?;
        for (low, high) in pairs(room.len()) {
            for rest in 0..room.len() {
                let Some((lows, highs)) = numbers(made, busy, [low, high, rest]) else { continue };
                let fits = [(idle, 0), (lows, low), (highs, high), (1, rest)]
                    .map(|(batches, kind)| batches.saturating_mul(of(kind)));
                let fits = fits.into_iter().fold(0, usize::saturating_add);
                if best.is_none_or(|(most, _)| fits > most) {
                    best = Some((fits, Mix { highs, high, lows, low, rest, idle }));
                }
            }
        }
    }
    best.map(|(fits, mix)| (fits, mix.sizes()))
}

/// Batches of two kinds, one that takes the rest, and some that make nothing.
#[derive(Clone, Copy)]
struct Mix {
    highs: usize,
    high: usize,
    lows: usize,
    low: usize,
    rest: usize,
    idle: usize,
}

impl Mix {
    fn sizes(self) -> Vec<usize> {
        let (highs, lows) = (vec![self.high; self.highs], vec![self.low; self.lows]);
        [highs, lows, vec![self.rest], vec![0; self.idle]].concat()
    }
}

fn pairs(kinds: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..kinds).flat_map(move |low| (low..kinds).map(move |high| (low, high)))
}

/// How many batches of the low and of the high kind there are beside one of the rest, so that all
/// accounts are made.
fn numbers(made: usize, count: usize, [low, high, rest]: [usize; 3]) -> Option<(usize, usize)> {
    let over = made.checked_sub(rest)?.checked_sub(low.checked_mul(count)?)?;
    let highs = match high.checked_sub(low)? {
        0 => (over == 0).then_some(0)?,
        step => over.is_multiple_of(step).then(|| over.checked_div(step))??,
    };
    Some((count.checked_sub(highs)?, highs))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "overflow panics here, which fails the test")]
mod tests {
    use super::*;

    /// The fewest batches by trying every number in each of them.
    fn by_trial(room: &[usize], made: usize, others: usize) -> usize {
        // The most others beside so many made, in so many batches.
        let mut most: Vec<Option<usize>> = vec![None; made + 1];
        most[0] = Some(0);
        for count in 0.. {
            if most[made].is_some_and(|fits| fits >= others) {
                return count;
            }
            let add = |total: usize| {
                let with =
                    |(own, fits): (usize, &usize)| Some(most[total.checked_sub(own)?]? + fits);
                room.iter().enumerate().filter_map(with).max()
            };
            most = (0..=made).map(add).collect();
        }
        unreachable!("each batch takes something")
    }

    #[test]
    fn nobody_finds_fewer_batches() {
        // The rooms of real formats, and some that no format has.
        let rooms: [&[usize]; 8] = [
            &[60, 56, 52, 46, 40, 34, 28, 22, 16, 10, 4],
            &[60, 56, 48, 40, 32, 24, 16, 8, 0],
            &[19, 16, 14, 12, 10, 8, 6, 4, 2, 0],
            &[17, 13, 11, 10, 8, 6, 4, 2, 0],
            &[57, 50, 49, 48, 20, 19, 18, 17],
            &[1, 0],
            &[5, 5, 5, 1],
            &[9, 1, 1, 1, 1, 0],
        ];
        for room in rooms {
            for made in 0..=27 {
                for others in [0, 1, 8, 19, 20, 57, 61, 97, 177, 301] {
                    let sizes = fewest(room, made, others).unwrap();
                    let fits: usize = sizes.iter().map(|size| room[*size]).sum();
                    assert_eq!(sizes.iter().sum::<usize>(), made, "{room:?}");
                    assert!(fits >= others, "{room:?} {made} {others}");
                    let fewest = by_trial(room, made, others);
                    assert_eq!(sizes.len(), fewest, "{room:?}: {made} made, {others} others");
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_at_all_is_refused() {
        assert!(fewest(&[0], 0, 1).is_err());
        assert!(fewest(&[5], 1, 0).is_err());
        assert!(fewest(&[], 0, 1).is_err());
        assert_eq!(fewest(&[], 0, 0).unwrap(), [0; 0]);
    }
}
