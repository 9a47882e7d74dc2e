//! Amount times weight over total, for many weights, without a division per weight.
//!
//! One division up front gives `scale`, the fraction amount over total in 64 binary places. Then
//! the high half of `scale * weight` is the quotient or one less, because the weight is below
//! 2⁶⁴ and `scale` is short by less than one. The exact remainder says which of the two.

use core::num::{NonZeroU64, NonZeroU128};

use super::rank::bucket_shift;

/// How to divide, picked by how wide the total of the weights is.
pub(super) enum Reciprocal {
    /// Totals below 2⁶³: remainders are 64 bits wide.
    Narrow(Narrow),
    /// Totals from 2⁶³ on, always above the amount: remainders are 128 bits wide.
    Wide(Wide),
}

/// For totals below 2⁶³, so that twice a remainder still fits 64 bits.
pub(super) struct Narrow {
    /// How often the total goes into the amount.
    times: u64,
    /// What is left of the amount then.
    rest: u64,
    /// `rest` over total, in 64 binary places.
    scale: u64,
    total: u64,
    /// By which remainders fall into buckets.
    shift: u32,
}

/// For totals from 2⁶³ on: the total never goes into the amount, all of it is `rest`.
pub(super) struct Wide {
    amount: u64,
    scale: u64,
    total: NonZeroU128,
    /// By which remainders fall into buckets.
    shift: u32,
}

impl Reciprocal {
    /// The amount is at most `i64::MAX`, and no weight is above the total.
    pub(super) fn new(amount: u64, total: NonZeroU128) -> Self {
        let shift = bucket_shift(total.get());
        match NonZeroU64::try_from(total) {
            Ok(total) if total.get() < NARROW => {
                let rest = amount % total;
                Self::Narrow(Narrow {
                    times: amount.checked_div(total.get()).unwrap_or(0),
                    rest,
                    scale: scale(rest, total.into()),
                    total: total.get(),
                    shift,
                })
            }
            Ok(_) | Err(_) => {
                Self::Wide(Wide { amount, scale: scale(amount, total), total, shift })
            }
        }
    }
}

impl Narrow {
    /// The floor of amount times weight over total, and the remainder.
    #[inline]
    pub(super) fn of(&self, weight: u64) -> (u64, u64) {
        let (_, guess) = self.scale.carrying_mul(weight, 0);
        // The true value lies in `0..2 * total`, so its low 64 bits are all of it.
        let rest = self.rest.wrapping_mul(weight).wrapping_sub(guess.wrapping_mul(self.total));
        // At most the amount: it is a floor of amount times weight over total.
        let floor = self.times.wrapping_mul(weight).wrapping_add(guess);
        match rest.checked_sub(self.total) {
            Some(rest) => (floor.wrapping_add(1), rest),
            None => (floor, rest),
        }
    }

    /// The bucket of a remainder, for ranking.
    #[inline]
    pub(super) fn bucket(&self, rest: u64) -> usize {
        usize::try_from(rest.wrapping_shr(self.shift)).unwrap_or(usize::MAX)
    }
}

impl Wide {
    /// The floor of amount times weight over total, and the remainder.
    #[inline]
    pub(super) fn of(&self, weight: u64) -> (u64, u128) {
        let (_, guess) = self.scale.carrying_mul(weight, 0);
        // Both products are at most amount times weight, which is below 2¹²⁷.
        let taken = u128::from(guess).wrapping_mul(self.total.get());
        let rest = u128::from(self.amount).wrapping_mul(weight.into()).wrapping_sub(taken);
        match rest.checked_sub(self.total.get()) {
            Some(rest) => (guess.wrapping_add(1), rest),
            None => (guess, rest),
        }
    }

    /// The bucket of a remainder, for ranking.
    #[inline]
    pub(super) fn bucket(&self, rest: u128) -> usize {
        usize::try_from(rest.wrapping_shr(self.shift)).unwrap_or(usize::MAX)
    }
}

/// `rest` over total in 64 binary places; `rest` is below 2⁶³ and below the total.
fn scale(rest: u64, total: NonZeroU128) -> u64 {
    let scaled = u128::from(rest).wrapping_shl(u64::BITS).checked_div(total.get());
    // Below 2⁶⁴ because `rest` is below the total, which is above zero.
    scaled.and_then(|scaled| u64::try_from(scaled).ok()).unwrap_or(u64::MAX)
}

/// Totals below this are narrow.
const NARROW: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares both ways with plain division, at and around every edge of the three inputs.
    #[expect(clippy::integer_division, reason = "plain division is what it is compared with")]
    #[test]
    fn it_divides_as_plain_division_does() {
        let edges = [0_u64, 1, 2, 3, 7, 10, 0xFFFF_FFFF, 1 << 32, (1 << 62) + 1, NARROW - 1];
        let beyond = [NARROW, NARROW + 1, u64::MAX - 1, u64::MAX];
        let totals = edges.iter().chain(&beyond).map(|total| u128::from(*total));
        let totals = totals.chain([1 << 64, (1 << 64) + 1, (1 << 90) - 1, (1 << 100) + 17]);
        let mut seen = 0;
        for total in totals.filter_map(NonZeroU128::new) {
            for amount in edges {
                let narrow_top = u64::try_from(total.get()).unwrap_or(u64::MAX);
                let near = [narrow_top, narrow_top / 2, narrow_top / 3 + 1, narrow_top - 1];
                for weight in edges.into_iter().chain(beyond).chain(near) {
                    if u128::from(weight) > total.get() {
                        continue;
                    }
                    let (floor, rest) = match Reciprocal::new(amount, total) {
                        Reciprocal::Narrow(narrow) => {
                            let (floor, rest) = narrow.of(weight);
                            (floor, u128::from(rest))
                        }
                        Reciprocal::Wide(wide) => wide.of(weight),
                    };
                    let product = u128::from(amount) * u128::from(weight);
                    assert_eq!(u128::from(floor), product / total, "{amount}*{weight}/{total}");
                    assert_eq!(rest, product % total, "{amount}*{weight}%{total}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 1000);
    }
}
