//! Servers that ask to be left alone for a while, with `Retry-After`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use divvy_core::Time;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};

/// Until when each origin is left alone.
#[derive(Debug, Default)]
pub(super) struct Rests(Mutex<HashMap<String, Time>>);

impl Rests {
    /// Takes note of a reply that asks for rest, in seconds. A date is passed over: it is of
    /// another clock.
    pub(super) fn note(&self, url: &Url, status: StatusCode, headers: &HeaderMap, now: Time) {
        let asks = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        let said = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let secs = said.and_then(|text| text.trim().parse::<u64>().ok());
        let Some(secs) = secs.filter(|_| asks.contains(&status)) else { return };
        let until = now.plus_secs(secs.min(REST_SECS_MAX));
        let origin = url.origin().ascii_serialization();
        tracing::warn!(origin, secs, "the server asks to be left alone");
        self.rests().insert(origin, until);
    }

    /// How many milliseconds an address is left alone yet.
    pub(super) fn left_millis(&self, url: &Url, now: Time) -> u64 {
        let until = self.rests().get(&url.origin().ascii_serialization()).copied();
        until.map_or(0, |until| until.millis_since(now))
    }

    fn rests(&self) -> MutexGuard<'_, HashMap<String, Time>> {
        // A panic elsewhere leaves nothing half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody is left alone for longer: a server may err, too.
const REST_SECS_MAX: u64 = 3_600;
