//! `divvy webhook`: where webhooks stand, trying the way, resuming, stopping, changing secrets.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use divvy::core::{Book, Code, Endpoint, Error, Name};
use divvy::{Clock, Http, SecretsAt, Webhook, WebhookSettings, clock, rotate_secret};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::words::{counted, one_or};

#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// Show how far each has heard, which one fails, and which one is told nothing more.
    List(List),
    /// Send a message that tells of nothing, and say what came back.
    Test(Named),
    /// Tell one again from where it stopped: one that is told nothing more, or that waits.
    Resume(Reasoned),
    /// Tell one nothing more until it is resumed.
    Stop(Reasoned),
    /// Put a new secret in front of those in its file; messages are signed with all of them.
    Rotate(Rotate),
}

#[derive(Args, Debug)]
pub(crate) struct List {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Named {
    /// The webhook, as `divvy.toml` names it.
    name: String,
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Reasoned {
    #[command(flatten)]
    named: Named,
    /// Why; it is written down.
    #[arg(long)]
    reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct Rotate {
    #[command(flatten)]
    named: Named,
    /// How many of the older secrets go on signing. With 0, receivers must know the new one now.
    #[arg(long, default_value_t = 1)]
    keep: usize,
}

impl Webhooks {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match self {
            Self::List(list) => list.run(out).await,
            Self::Test(named) => named.test(out).await,
            Self::Resume(told) => told.resume(out).await,
            Self::Stop(told) => told.stop(out).await,
            Self::Rotate(rotate) => rotate.run(out),
        }
    }
}

impl List {
    async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let webhooks = desk.project.webhooks.clone();
        let facts = desk.divvy.books().count();
        let mut values = Vec::new();
        let mut verdict = Verdict::Done;
        for (settings, _) in &webhooks {
            let book = desk.book()?;
            let fold = book.fold()?;
            let (sentence, value) = state(fold, settings, facts);
            if value.get("state").is_some_and(|state| state == "silenced") {
                verdict = Verdict::Look;
            }
            out.say(&sentence);
            values.push(value);
        }
        if webhooks.is_empty() {
            out.say("divvy.toml has no [[webhook]]");
        }
        out.value(&json!({"webhooks": values}));
        Ok(verdict)
    }
}

impl Named {
    async fn test(&self, out: &mut Out) -> Result<Verdict, Error> {
        let project = divvy::Project::read(&self.dir)?;
        let (settings, at) = self.of(&project.webhooks)?;
        let webhook = Webhook::open(settings, &at)?;
        let http = Http::to_webhooks(Clock::system(), std::slice::from_ref(&webhook))?;
        let id = webhook.try_out(Arc::new(http), clock::now()).await?;
        out.say(&format!("{} took the message {id}", self.name));
        out.value(&json!({"webhook": self.name, "id": id}));
        Ok(Verdict::Done)
    }

    fn of(
        &self,
        webhooks: &[(WebhookSettings, SecretsAt)],
    ) -> Result<(WebhookSettings, SecretsAt), Error> {
        let known = webhooks.iter().find(|(settings, _)| settings.name.as_str() == self.name);
        known.cloned().ok_or_else(|| {
            let names: Vec<&str> =
                webhooks.iter().map(|(settings, _)| settings.name.as_str()).collect();
            let detail = format!(
                "divvy.toml names no webhook {:?}; known are: {}",
                self.name,
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            );
            Error::new(Code::WebhookUnknown, detail)
        })
    }
}

impl Reasoned {
    async fn resume(&self, out: &mut Out) -> Result<Verdict, Error> {
        let (mut desk, name) = self.open().await?;
        desk.book()?.resume_webhook(&name, &self.reason, clock::now()).await?;
        out.say(&format!("{name} is told again from where it stopped, by `divvy work`"));
        out.value(&json!({"webhook": name, "state": "resumed"}));
        desk.close().await.map(|()| Verdict::Done)
    }

    async fn stop(&self, out: &mut Out) -> Result<Verdict, Error> {
        let (mut desk, name) = self.open().await?;
        desk.book()?.stop_webhook(&name, &self.reason, clock::now()).await?;
        out.say(&format!("{name} is told nothing more until it is resumed; nothing is lost"));
        out.value(&json!({"webhook": name, "state": "silenced"}));
        desk.close().await.map(|()| Verdict::Done)
    }

    async fn open(&self) -> Result<(Desk, Name), Error> {
        Ok((Desk::open(&self.named.dir).await?, Name::new(&self.named.name)?))
    }
}

impl Rotate {
    fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let project = divvy::Project::read(&self.named.dir)?;
        let (_, at) = self.named.of(&project.webhooks)?;
        let file = at.file().ok_or_else(|| {
            let detail = "its secrets are in the environment: change them there";
            Error::new(Code::InputMalformed, detail)
        })?;
        rotate_secret(file, self.keep)?;
        out.say(&format!(
            "the first line of {} is the new secret: give it to the receiver; of those before it, \
             {} {} on signing",
            file.display(),
            self.keep,
            one_or(self.keep, "goes", "go")
        ));
        out.value(&json!({"webhook": self.named.name, "file": file, "older_kept": self.keep}));
        Ok(Verdict::Done)
    }
}

/// How a webhook stands, for people and for programs.
pub(crate) fn state(fold: &Book, settings: &WebhookSettings, facts: u64) -> (String, Value) {
    let name = &settings.name;
    let Ok(endpoint) = fold.endpoint(name.as_str()) else {
        let sentence = format!("webhook {name}: not told anything yet; `divvy work` tells it");
        return (sentence, json!({"webhook": name, "state": "new"}));
    };
    let Endpoint { heard, heard_at, failing, failing_since, silenced, .. } = endpoint;
    let heard = heard.count.saturating_add(heard.facts.into());
    let so_far = format!("noted fact {heard} of {facts} on {heard_at}");
    let (word, more, beside) = match (silenced, failing) {
        (Some(silenced), _) => (
            "silenced",
            format!("told nothing more: {}", silenced.reason),
            json!({"cause": silenced.cause.name(), "reason": silenced.reason}),
        ),
        (None, Some(failing)) => (
            "failing",
            format!(
                "does not take {} since {}: {}; {}, the next not before {}",
                failing.id,
                failing_since.map(|at| at.to_string()).unwrap_or_default(),
                failing.reason,
                counted(failing.attempts, "attempt"),
                failing.not_before
            ),
            json!({
                "id": failing.id, "attempts": failing.attempts, "reason": failing.reason,
                "since": failing_since, "not_before": failing.not_before,
            }),
        ),
        (None, None) => ("open", "it is told what happens".to_owned(), Value::Null),
    };
    let value = json!({
        "webhook": name, "state": word, "heard": heard, "facts": facts, "heard_at": heard_at,
        "about": beside,
    });
    (format!("webhook {name}: {more}; {so_far}"), value)
}
