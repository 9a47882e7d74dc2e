//! Webhooks by the Standard Webhooks specification (<https://www.standardwebhooks.com>), symmetric:
//! HMAC-SHA256 over id, time and body.

mod endpoint;
mod message;
mod secrets;

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy_core::{Code, Error, Time};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

pub use endpoint::{Reach, SecretsAt, Webhook, WebhookSettings, WebhookStart};
pub(crate) use message::book_of;
pub use message::{EventKind, WebhookMessage};
pub use secrets::rotate_secret;

/// The secrets that two sides share, newest first: the newest signs, and all of them are accepted,
/// so that a secret is changed without losing a message.
///
/// They are wiped from memory when they are dropped, and no error or log holds them.
///
/// ```
/// use divvy::WebhookSecrets;
/// use divvy::core::{Code, Time};
///
/// let old = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// let new = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// let (now, body) = (Time::parse("2026-03-01T12:00:00Z")?, br#"{"type":"paid"}"#);
/// // While a secret is changed, both sign, and whoever knows one of them believes the message.
/// let headers = WebhookSecrets::new(&[new, old])?.sign("msg_1", now, body)?;
/// let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
/// let known = WebhookSecrets::new(&[old])?;
/// assert_eq!(known.verify(&headers, body, now)?, "msg_1");
/// let forged = known.verify(&headers, b"{}", now);
/// assert_eq!(forged.unwrap_err().code(), Code::WebhookForged);
/// assert!(!format!("{known:?}").contains("AAEC"));
/// # Ok::<(), divvy::core::Error>(())
/// ```
pub struct WebhookSecrets(Vec<Zeroizing<Vec<u8>>>);

impl WebhookSecrets {
    /// Secrets as they are shown to people: base64 of 24 to 64 bytes, with `whsec_` in front or
    /// without it; newest first.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for none, and for one that is no such secret. The error says which
    /// one it is and never what it is.
    pub fn new(secrets: &[&str]) -> Result<Self, Error> {
        if secrets.is_empty() {
            return Err(malformed("webhooks need a secret: name one"));
        }
        let key = |(place, text): (usize, &&str)| {
            let plain = text.strip_prefix(PREFIX).unwrap_or(text);
            let key = Zeroizing::new(STANDARD.decode(plain).unwrap_or_default());
            if (BYTES_MIN..=BYTES_MAX).contains(&key.len()) {
                return Ok(key);
            }
            Err(malformed(&format!(
                "webhook secret {} is not the base64 of {BYTES_MIN} to {BYTES_MAX} bytes: make one \
                 with `openssl rand -base64 32`",
                place.saturating_add(1)
            )))
        };
        secrets.iter().enumerate().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// The headers of a message: its id, its time, and a signature by each secret.
    ///
    /// The same message sent again keeps its id, by which a receiver tells that it has it already;
    /// its time is that of the sending.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for an id that is empty or holds a point, a space or what no header
    /// may hold: another message could be signed alike.
    pub fn sign(
        &self,
        id: &str,
        at: Time,
        body: &[u8],
    ) -> Result<[(&'static str, String); 3], Error> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.') {
            return Err(malformed(&format!(
                "{id:?} is no id of a message: use letters and digits"
            )));
        }
        let time = secs(at).to_string();
        let signature = |key: &Zeroizing<Vec<u8>>| {
            let sum = keyed(key, id, &time, body)?.finalize().into_bytes();
            Ok(format!("{VERSION}{}", STANDARD.encode(sum)))
        };
        let signatures = self.0.iter().map(signature).collect::<Result<Vec<_>, Error>>()?;
        Ok([(ID, id.to_owned()), (TIMESTAMP, time), (SIGNATURE, signatures.join(" "))])
    }

    /// The id of a message that one of the secrets has signed, at most five minutes ago or ahead;
    /// header names may be in any case. What was received before is known by its id: keep it.
    ///
    /// Signatures are compared in constant time; those of other versions are passed over.
    ///
    /// # Errors
    /// [`Code::WebhookForged`] for everything else, without a word of what was expected.
    pub fn verify<'a>(
        &self,
        headers: &[(&str, &'a str)],
        body: &[u8],
        now: Time,
    ) -> Result<&'a str, Error> {
        let header = |name: &str| {
            let mut named = headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
            // Two of a kind leave open which one was signed.
            match (named.next(), named.next()) {
                (Some((_, value)), None) if !value.is_empty() => Ok(*value),
                _ => Err(forged(&format!("the header {name} is not there, once"))),
            }
        };
        let (id, time, signatures) = (header(ID)?, header(TIMESTAMP)?, header(SIGNATURE)?);
        let digits = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
        let sent = time.parse::<u64>().ok().filter(|_| digits);
        let sent = sent.ok_or_else(|| forged("its time is no number of seconds"))?;
        if sent.abs_diff(secs(now)) > TOLERANCE_SECS {
            return Err(forged("its time is more than five minutes away"));
        }
        for text in signatures.split(' ').filter_map(|entry| entry.strip_prefix(VERSION)) {
            let Ok(signature) = STANDARD.decode(text) else { continue };
            for key in &self.0 {
                if keyed(key, id, time, body)?.verify_slice(&signature).is_ok() {
                    return Ok(id);
                }
            }
        }
        Err(forged("no secret of ours has signed it"))
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookSecrets({} of them)", self.0.len())
    }
}

/// The sum over id, time and body, in that order.
fn keyed(key: &[u8], id: &str, time: &str, body: &[u8]) -> Result<Hmac<Sha256>, Error> {
    let keyed = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = keyed.map_err(|_| malformed("a webhook secret has no length of a key"))?;
    for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
        mac.update(part);
    }
    Ok(mac)
}

fn secs(at: Time) -> u64 {
    at.millis().checked_div(1_000).unwrap_or(0)
}

fn malformed(detail: &str) -> Error {
    Error::new(Code::InputMalformed, detail.to_owned())
}

fn forged(why: &str) -> Error {
    Error::new(Code::WebhookForged, format!("the webhook is not believed: {why}"))
}

/// How a secret begins where people see it.
const PREFIX: &str = "whsec_";

/// How a symmetric signature begins.
const VERSION: &str = "v1,";

/// A secret has so many bytes.
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;

/// A message is so old or early at most.
const TOLERANCE_SECS: u64 = 300;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn an_id_or_a_header_that_could_mean_two_things_is_refused() {
        let secrets = WebhookSecrets::new(&[SECRET]).unwrap();
        for id in ["", "a.1", "a b", "é", "a\n"] {
            assert_eq!(secrets.sign(id, Time::ZERO, b"").unwrap_err().code(), Code::InputMalformed);
        }
        let headers = secrets.sign("msg", Time::ZERO, b"x").unwrap();
        let plain = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(secrets.verify(&plain, b"x", Time::ZERO), Ok("msg"));
        let twice = [&plain[..], &[("Webhook-Id", "msg")]].concat();
        assert_eq!(
            secrets.verify(&twice, b"x", Time::ZERO).unwrap_err().code(),
            Code::WebhookForged
        );
    }

    #[test]
    fn no_error_tells_a_secret() {
        for bad in ["whsec_short", "", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9="] {
            let error = WebhookSecrets::new(&[SECRET, bad]).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains("secret 2") && !told.contains("AAEC"), "{told}");
            assert!(!told.contains("short"), "{told}");
        }
        assert!(WebhookSecrets::new(&[]).is_err());
    }
}
