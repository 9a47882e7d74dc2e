//! The only clock of the crate: everything else is told the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use divvy_core::Time;

/// What time it is: the system's, or what a simulation says.
///
/// The system's time never runs back. It is the later of two clocks, since each has a blind spot:
/// the wall clock may be set back, and the steady clock stands still while the machine sleeps. For
/// a deadline, later is the safe side: whoever errs sends nothing, instead of sending too late. So
/// a wall clock that was ahead when the process started, and is put right, counts for it until the
/// process starts anew.
///
/// ```
/// use divvy::Clock;
///
/// let clock = Clock::system();
/// let before = clock.now();
/// assert!(clock.clone().now() >= before);
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { wall: Time, steady: Instant },
    Told(Told),
}

/// A clock that shows what it is told: for simulations, whose time comes from a file.
///
/// ```
/// use divvy::Told;
/// use divvy::core::Time;
///
/// let told = Told::new(Time::ZERO);
/// let clock = told.clock();
/// told.tell(Time::from_millis(300_000));
/// assert_eq!(clock.now(), Time::from_millis(300_000));
/// ```
#[derive(Clone, Debug)]
pub struct Told(Arc<AtomicU64>);

impl Clock {
    /// The system's clock. Its clones agree with each other.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System { wall: wall(), steady: steady() })
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Time {
        match &self.0 {
            Source::System { wall: start, steady: since } => {
                let passed = steady().saturating_duration_since(*since).as_millis();
                let passed = u64::try_from(passed).unwrap_or(u64::MAX);
                wall().max(Time::from_millis(start.millis().saturating_add(passed)))
            }
            Source::Told(told) => Time::from_millis(told.0.load(Ordering::Acquire)),
        }
    }

    /// Whether time passes here while somebody waits.
    pub(crate) const fn runs(&self) -> bool {
        matches!(self.0, Source::System { .. })
    }
}

impl Told {
    /// A clock that shows this time until it is told another.
    #[must_use]
    pub fn new(now: Time) -> Self {
        Self(Arc::new(AtomicU64::new(now.millis())))
    }

    /// Shows this time from now on, to everyone who has a clock of it.
    pub fn tell(&self, now: Time) {
        self.0.store(now.millis(), Ordering::Release);
    }

    /// A clock that follows this one.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Source::Told(self.clone()))
    }
}

/// What the system's wall clock says.
///
/// ```
/// assert!(divvy::clock::now() > divvy::core::Time::ZERO);
/// ```
#[must_use]
pub fn now() -> Time {
    wall()
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
fn wall() -> Time {
    // Before 1970 no deadline is past, and the steady clock still runs.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
fn steady() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wall_clock_that_is_set_back_does_not_bring_a_deadline_back() {
        let ahead = wall().plus_secs(3_600);
        let clock = Clock(Source::System { wall: ahead, steady: steady() });
        assert!(clock.now() >= ahead);
    }

    #[test]
    fn a_sleep_that_the_steady_clock_missed_is_seen_by_the_wall_clock() {
        // As after an hour's sleep: the steady clock says that hardly any time has passed.
        let hour_ago = Time::from_millis(wall().millis() - 3_600_000);
        let clock = Clock(Source::System { wall: hour_ago, steady: steady() });
        assert!(clock.now().millis_since(hour_ago) >= 3_600_000);
        // And the other way round: the wall clock stood still.
        let Some(earlier) = steady().checked_sub(Duration::from_secs(60)) else { return };
        let clock = Clock(Source::System { wall: wall(), steady: earlier });
        assert!(clock.now().millis_since(wall()) >= 59_000);
    }
}
