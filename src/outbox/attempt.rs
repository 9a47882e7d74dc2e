//! One attempt to tell an endpoint a message, and when the next one is.

use divvy_core::{Error, Hash, Request, Time};

use crate::host::Sender;
use crate::webhook::{Webhook, WebhookMessage};

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Untaken {
    /// The endpoint wants no more.
    Gone,
    /// It may have it or not: why, and how long it wants to be left alone.
    Unheard { reason: String, rest_millis: u64 },
}

/// Sends a message once; nothing comes back when it was taken.
pub(crate) async fn tell(
    webhook: &Webhook,
    sender: &dyn Sender,
    message: &WebhookMessage,
    now: Time,
) -> Result<Option<Untaken>, Error> {
    let body = message.body.as_bytes().to_vec();
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(webhook.sign(&message.id, now, &body)?);
    let url = webhook.url().to_owned();
    let deadline = now.plus_secs(DEADLINE_SECS);
    let request = Request { method: "POST", url, headers, body, deadline };
    let reply = sender.send(&request).await;
    let reason = match reply.map(|reply| reply.status) {
        Some(200..=299) => return Ok(None),
        Some(410) => return Ok(Some(Untaken::Gone)),
        Some(status) => format!("status {status}"),
        None => "no answer".to_owned(),
    };
    let rest_millis = sender.rest_millis(webhook.url());
    Ok(Some(Untaken::Unheard { reason, rest_millis }))
}

/// When a message is sent again that was sent so often; nothing, when it was sent often enough.
///
/// Up to an eighth later than the table says, which the message's name decides: endpoints that
/// failed together do not all hear again at once.
pub(crate) fn not_before(id: &str, attempts: u32, now: Time) -> Option<Time> {
    let at = usize::try_from(attempts.saturating_sub(1)).ok()?;
    let millis = WAITS_SECS.get(at)?.saturating_mul(1_000);
    let dice = Hash::of(format!("{id}/{attempts}").as_bytes());
    let byte = u64::from(dice.as_bytes().first().copied().unwrap_or(0));
    let jitter = millis.saturating_mul(byte) >> 11;
    Some(later(now, millis.saturating_add(jitter)))
}

/// So many milliseconds later.
pub(crate) fn later(now: Time, millis: u64) -> Time {
    Time::from_millis(now.millis().saturating_add(millis))
}

/// 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours: ten attempts within three days and
/// a bit, as the specification recommends.
const WAITS_SECS: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// No reply is waited for longer.
const DEADLINE_SECS: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_sent_ten_times_within_four_days_and_never_sooner_than_the_table() {
        let (mut now, mut waits) = (Time::ZERO, Vec::new());
        for attempts in 1.. {
            let Some(next) = not_before("evt_1", attempts, now) else { break };
            waits.push(next.millis_since(now));
            now = next;
        }
        assert_eq!(waits.len(), 9);
        for (wait, secs) in waits.iter().zip(WAITS_SECS) {
            assert!((secs * 1_000..=secs * 1_125).contains(wait), "{wait} for {secs}");
        }
        assert!(now > Time::ZERO.plus_secs(3 * 86_400) && now < Time::ZERO.plus_secs(4 * 86_400));
        let other = not_before("evt_2", 9, Time::ZERO);
        assert_ne!(other, not_before("evt_1", 9, Time::ZERO), "not all at once");
    }
}
