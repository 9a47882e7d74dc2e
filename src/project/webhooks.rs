//! The webhooks of the settings file.

use std::path::Path;

use divvy_core::{Code, Error, Name, TreasuryTerms};
use serde::Deserialize;

use crate::webhook::{EventKind, Reach, SecretsAt, WebhookSettings, WebhookStart};

/// `[[webhook]]`, literally.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWebhook {
    name: String,
    url: String,
    secrets_file: Option<String>,
    secrets_env: Option<String>,
    #[serde(default)]
    events: Vec<String>,
    reach: Option<String>,
    from: Option<String>,
}

impl std::fmt::Debug for RawWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may hold something secret.
        f.debug_struct("RawWebhook").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The webhooks of a book, each under a name of its own.
pub(super) fn checked(
    raws: &[RawWebhook],
    book: &Name,
    treasury: &TreasuryTerms,
    dir: &Path,
) -> Result<Vec<(WebhookSettings, SecretsAt)>, Error> {
    let mut webhooks: Vec<(WebhookSettings, SecretsAt)> = Vec::with_capacity(raws.len());
    for raw in raws {
        let webhook = raw.checked(book, treasury, dir)?;
        if webhooks.iter().any(|(known, _)| known.name == webhook.0.name) {
            return Err(raw.malformed("is there twice: give each a name of its own"));
        }
        webhooks.push(webhook);
    }
    Ok(webhooks)
}

impl RawWebhook {
    fn checked(
        &self,
        book: &Name,
        treasury: &TreasuryTerms,
        dir: &Path,
    ) -> Result<(WebhookSettings, SecretsAt), Error> {
        let event = |name: &String| {
            EventKind::parse(name).ok_or_else(|| {
                let known: Vec<&str> = EventKind::ALL.iter().map(|event| event.name()).collect();
                self.malformed(&format!("knows no event {name:?}: use {}", known.join(", ")))
            })
        };
        let reach = match self.reach.as_deref() {
            None | Some("public") => Reach::Public,
            Some("own") => Reach::Own,
            Some(_) => return Err(self.malformed("has a reach that is not public or own")),
        };
        let from = match self.from.as_deref() {
            None | Some("now") => WebhookStart::Now,
            Some("beginning") => WebhookStart::Beginning,
            Some(_) => return Err(self.malformed("has a from that is not now or beginning")),
        };
        let at = match (&self.secrets_file, &self.secrets_env) {
            (Some(file), None) => SecretsAt::File(dir.join(file)),
            (None, Some(name)) => SecretsAt::Environment(name.clone()),
            _ => return Err(self.malformed("needs secrets_file or secrets_env, one of them")),
        };
        let settings = WebhookSettings {
            events: self.events.iter().map(event).collect::<Result<_, Error>>()?,
            reach,
            from,
            treasury: Some(treasury.clone()),
            ..WebhookSettings::new(Name::new(&self.name)?, book.clone(), &self.url)
        };
        Ok((settings, at))
    }

    fn malformed(&self, why: &str) -> Error {
        Error::new(Code::InputMalformed, format!("[[webhook]] {} {why}", self.name))
    }
}
