//! Runs the webhook vectors: which messages are believed, and whether what we sign is the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy::WebhookSecrets;
use divvy_core::{Code, Time};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    tally.hold_each(file, "cases", hold);
    tally
}

fn hold(mut case: Fields, tally: &mut Tally) -> Result<(), String> {
    for told in ["id", "description", "why"] {
        case.text(told)?;
    }
    case.entries("observed")?;
    let secret = case.text("secret")?;
    let secrets = WebhookSecrets::new(&[&secret]).map_err(|error| error.to_string())?;
    let entries = case.entries("headers")?;
    let headers: Vec<(&str, &str)> = entries
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
        .collect();
    let body = STANDARD.decode(case.text("payload_b64")?).map_err(|error| error.to_string())?;
    let now = case.value("now")?.as_u64().ok_or("now is no number")?;
    let verified = secrets.verify(&headers, &body, Time::ZERO.plus_secs(now));
    tally.checks += 1;
    match (case.text("expect")?.as_str(), verified) {
        ("accept" | "policy_accept", Ok(id)) => signed(&secrets, id, &headers, &body, tally)?,
        ("reject", Err(error)) if error.code() == Code::WebhookForged => {}
        (expected, verified) => return Err(format!("{verified:?}, and not {expected}")),
    }
    case.done()
}

/// What we sign is among the signatures that we believe.
fn signed(
    secrets: &WebhookSecrets,
    id: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    tally: &mut Tally,
) -> Result<(), String> {
    let header = |name| headers.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value);
    let secs: u64 = header("webhook-timestamp").parse().map_err(|_| "no time")?;
    let own = secrets.sign(id, Time::ZERO.plus_secs(secs), body);
    let own = own.map_err(|error| error.to_string())?;
    tally.checks += 1;
    let signature = &own[2].1;
    let said = header("webhook-signature");
    if said.split(' ').any(|one| one == signature) {
        return Ok(());
    }
    Err(format!("signed {signature}, and not {said}"))
}
