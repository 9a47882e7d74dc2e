//! When to ask again: exponential, jittered, with a ceiling.

use divvy_core::{Hash, Time};

/// How often something was asked about since it last went well, and when to ask again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    asked: u32,
    not_before: Time,
}

/// No wait is longer.
const CEILING_SECS: u64 = 3_600;

impl Pace {
    pub(super) const fn not_before(&self) -> Time {
        self.not_before
    }

    pub(super) fn is_over(&self, now: Time) -> bool {
        self.not_before <= now
    }

    /// Waits longer than before, and by up to a quarter more, which the name of what is asked about
    /// decides.
    pub(super) fn wait(&mut self, name: &str, now: Time, first_secs: u64) {
        let secs = first_secs
            .saturating_mul(1_u64.checked_shl(self.asked).unwrap_or(u64::MAX))
            .min(CEILING_SECS);
        self.asked = self.asked.saturating_add(1);
        let dice = Hash::of(format!("{name}/{}", self.asked).as_bytes());
        let byte = u64::from(dice.as_bytes().first().copied().unwrap_or(0));
        let jitter = secs.saturating_mul(byte) >> 10;
        self.not_before = now.plus_secs(secs.saturating_add(jitter));
    }
}
