//! How fast requests go to each rail: a rate that all workers share, and rest when a rail asks for
//! it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use divvy_core::{Name, Time};

use crate::worker::pace::Pace;

/// The gates that requests go through, one for each rail.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<BTreeMap<Name, Gate>>);

#[derive(Debug, Default)]
struct Gate {
    /// So many requests a second, of all workers together; without it, as they come.
    rate: Option<u64>,
    /// When the next request may go, in microseconds.
    next_micros: u64,
    /// The rail has said that it is asked too often, and until when it is left alone.
    rest: Option<Pace>,
}

impl Gates {
    pub(super) fn set_rate(&self, rail: &Name, rate: u64) {
        self.gates().entry(rail.clone()).or_default().rate = Some(rate.max(1));
    }

    /// Takes the next free moment for a request, and says how many milliseconds away it is. Each
    /// of the living workers takes its part of the rate, evenly spaced.
    pub(super) fn pass(&self, rail: &Name, now: Time, live: usize) -> u64 {
        let mut gates = self.gates();
        let Some(gate) = gates.get_mut(rail) else { return 0 };
        let resting = gate.rest.map_or(0, |rest| rest.not_before().millis_since(now));
        let Some(rate) = gate.rate else { return resting };
        let now_micros = now.millis().saturating_mul(1_000);
        let live = u64::try_from(live).unwrap_or(u64::MAX);
        let step = live.saturating_mul(1_000_000).checked_div(rate).unwrap_or(0).max(1);
        let at = gate.next_micros.max(now_micros);
        gate.next_micros = at.saturating_add(step);
        at.saturating_sub(now_micros).div_ceil(1_000).max(resting)
    }

    /// Takes note of a reply's status: a rail that is asked too often is left alone for a while.
    pub(super) fn note(&self, rail: &Name, status: u16, now: Time, first_secs: u64) {
        let mut gates = self.gates();
        if status != TOO_MANY_REQUESTS {
            if let Some(gate) = gates.get_mut(rail) {
                gate.rest = None;
            }
            return;
        }
        let rest = gates.entry(rail.clone()).or_default().rest.get_or_insert_default();
        // Of several requests that went out together, the first one says it for all.
        if rest.is_over(now) {
            rest.wait(rail.as_str(), now, first_secs);
            tracing::warn!(%rail, until = %rest.not_before(), "the rail is asked too often");
        }
    }

    /// Whether a rail may be asked now.
    pub(super) fn is_open(&self, rail: &Name, now: Time) -> bool {
        let gates = self.gates();
        gates.get(rail).and_then(|gate| gate.rest).is_none_or(|rest| rest.is_over(now))
    }

    pub(super) fn not_before(&self) -> Option<Time> {
        self.gates().values().filter_map(|gate| gate.rest.map(|rest| rest.not_before())).min()
    }

    fn gates(&self) -> MutexGuard<'_, BTreeMap<Name, Gate>> {
        // A panic elsewhere leaves no gate half open.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const TOO_MANY_REQUESTS: u16 = 429;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_shared_by_all_who_live_and_evenly_spaced() {
        let rail = Name::new("sandbox").unwrap();
        #[rustfmt::skip]
        let table: [(u64, usize, [u64; 4]); 4] = [
            // a second, live   milliseconds until each of four requests
            (10,         1,     [0, 100, 200, 300]),
            (10,         4,     [0, 400, 800, 1_200]),
            (1_000,      2,     [0, 2, 4, 6]),
            (3,          1,     [0, 334, 667, 1_000]),
        ];
        for (rate, live, waits) in table {
            let gates = Gates::default();
            gates.set_rate(&rail, rate);
            let now = Time::from_millis(5_000);
            assert_eq!(waits.map(|_| gates.pass(&rail, now, live)), waits, "{rate} {live}");
        }
        assert_eq!(Gates::default().pass(&rail, Time::ZERO, 9), 0, "without a rate, as they come");
    }

    #[test]
    fn a_rail_that_is_asked_too_often_is_left_alone_longer_each_time() {
        let (gates, rail) = (Gates::default(), Name::new("sandbox").unwrap());
        let at = |secs| Time::ZERO.plus_secs(secs);
        for _ in 0..8 {
            gates.note(&rail, 429, at(0), 60);
        }
        assert!(
            !gates.is_open(&rail, at(59)) && gates.is_open(&rail, at(76)),
            "once for all eight"
        );
        assert!(gates.pass(&rail, at(0), 1) >= 60_000);
        gates.note(&rail, 429, at(76), 60);
        assert!(!gates.is_open(&rail, at(76 + 119)));
        gates.note(&rail, 200, at(300), 60);
        assert!(gates.is_open(&rail, at(0)) && gates.not_before().is_none());
    }
}
