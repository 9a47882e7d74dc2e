//! Chance from a seed: the same seed throws the same dice for ever.

use divvy_core::Hash;

/// A stream of numbers that follows from its seed (the finaliser of SplitMix64 over a counter).
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(STEP).rotate_left(17))
    }

    pub(super) const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut drawn = self.0;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        drawn ^ (drawn >> 31)
    }

    /// A number below a limit; 0 when there is none.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.draw()).saturating_mul(u128::from(limit));
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from the first to the last, both included.
    pub(super) fn within(&mut self, first: u64, last: u64) -> u64 {
        first.saturating_add(self.below(last.saturating_sub(first).saturating_add(1)))
    }

    /// Whether something happens that happens so often in a thousand.
    pub(super) fn permille(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// A place in a list.
    pub(super) fn place(&mut self, len: usize) -> usize {
        let drawn = self.below(u64::try_from(len).unwrap_or(u64::MAX));
        usize::try_from(drawn).unwrap_or(0)
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.place(from.len()))
    }

    pub(super) fn hash(&mut self) -> Hash {
        Hash::of(&self.draw().to_be_bytes())
    }
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
