//! Runs the vectors of messages: what a webhook says of a fact, under which id, and how it is
//! signed by two secrets at once.

use divvy::{WebhookMessage, WebhookSecrets};
use divvy_core::{Asset, Body, Error, Fact, Hash, Head, Planned, Stream, Time};
use serde_json::Value;

use crate::areas::Tally;
use crate::fields::Fields;

pub(crate) fn run(file: &Value) -> Tally {
    let mut tally = Tally::default();
    if let Err(text) = run_file(file, &mut tally) {
        tally.failures.push(format!("file: {text}"));
    }
    tally
}

fn run_file(file: &Value, tally: &mut Tally) -> Result<(), String> {
    let mut fields = Fields::of(file)?;
    fields.text("about")?;
    let secrets = fields.texts("secrets")?;
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let secrets = said(WebhookSecrets::new(&secrets))?;
    let sent = fields.value("sent")?.as_u64().ok_or("sent is no number")?;
    let sent = Time::ZERO.plus_secs(sent);
    for case in fields.list("facts")? {
        tally.cases += 1;
        let held = Fields::of(&case).and_then(|case| hold(case, &secrets, sent, tally));
        if let Err(text) = held {
            tally.failures.push(format!("{}: {text}", case.get("id").unwrap_or(&case)));
        }
    }
    fields.done()
}

fn hold(
    mut case: Fields,
    secrets: &WebhookSecrets,
    sent: Time,
    tally: &mut Tally,
) -> Result<(), String> {
    case.text("id")?;
    let stream = said(Stream::parse(&case.text("stream")?))?;
    let n = case.value("n")?.as_u64().ok_or("n is no number")?;
    let at = said(Time::parse(&case.text("at")?))?;
    let hash = Hash::parse(&case.text("before")?).ok_or("before is no hash")?;
    let body: Body = read(case.value("body")?)?;
    let fact = Fact::new(&Head { stream, n, hash }, at, &body);
    if fact.kind.as_ref() != case.text("kind")? {
        return Err(format!("a {}", fact.kind));
    }
    let asset = said(Asset::parse(&case.text("asset")?))?;
    let planned = case.optional("planned").map(read::<Planned>).transpose()?;
    let messages = said(WebhookMessage::of(&fact, &asset, planned.as_ref()))?;
    let wanted = case.list("messages")?;
    if messages.len() != wanted.len() {
        return Err(format!("{} messages, and not {}", messages.len(), wanted.len()));
    }
    for (own, wanted) in messages.iter().zip(&wanted) {
        tally.checks += 1;
        let mut wanted = Fields::of(wanted)?;
        let signed = said(secrets.sign(&own.id, sent, own.body.as_bytes()))?;
        let own = [&own.id, &own.body, &signed[2].1];
        for (name, own) in ["id", "body", "webhook-signature"].into_iter().zip(own) {
            let wanted = wanted.text(name)?;
            if *own != wanted {
                return Err(format!("{name} is {own}, and not {wanted}"));
            }
        }
        wanted.done()?;
    }
    case.done()
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn said<T>(outcome: Result<T, Error>) -> Result<T, String> {
    outcome.map_err(|error| error.to_string())
}
