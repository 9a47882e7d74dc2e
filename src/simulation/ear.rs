//! Who is told what happened: an endpoint for each book, which may fail in every way, and which
//! must hear of everything, in order.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use divvy_core::{Error, Fact, Name, Reply, Request, Stream, Time};
use serde_json::Value;

use crate::Sender;
use crate::simulation::planted::Planted;
use crate::simulation::process::pause;
use crate::simulation::promise::{Broken, Promise};
use crate::simulation::scene::{Scene, Shared};
use crate::simulation::town::Town;
use crate::webhook::{Reach, Webhook, WebhookSecrets, WebhookSettings, WebhookStart, book_of};

/// What the endpoints heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What every endpoint is to hear, in the order in which it was written.
    due: Vec<(Name, Stream, u64)>,
    /// What was taken, by its place among what is due.
    taken: BTreeSet<usize>,
    /// What each id said.
    said: BTreeMap<String, Vec<u8>>,
}

/// A process's way to the endpoints.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) scene: Shared,
    pub(super) process: usize,
}

#[async_trait]
impl Sender for Ear {
    async fn send(&self, request: &Request) -> Option<Reply> {
        pause().await;
        self.scene.with(|scene| scene.hear(self.process, request))
    }
}

/// The endpoints of a town: one for each book, which is told from the beginning.
pub(super) fn webhooks(town: &Town) -> Result<Vec<Webhook>, Error> {
    if !town.features.tells {
        return Ok(Vec::new());
    }
    let endpoint = |book: &Name| -> Result<Webhook, Error> {
        let url = format!("https://{book}.example/hook");
        let settings = WebhookSettings::new(Name::new(ENDPOINT)?, book.clone(), &url);
        let (reach, from) = (Reach::Public, WebhookStart::Beginning);
        let settings = WebhookSettings { reach, from, ..settings };
        Webhook::new(settings, WebhookSecrets::new(&[SECRET])?)
    };
    town.books.iter().map(|(book, _)| endpoint(book)).collect()
}

impl Heard {
    /// What was written is to be told, as far as anybody is told of it.
    pub(super) fn written(&mut self, facts: &[Fact]) -> Result<(), Error> {
        for fact in facts.iter().filter(|fact| told_as(&fact.kind).is_some()) {
            self.due.push((Name::new(book_of(fact)?.as_str())?, fact.stream.clone(), fact.n));
        }
        Ok(())
    }

    /// An endpoint takes a message: everything before it was taken, and it says what it must.
    fn take(&mut self, request: &Request, facts: &[Fact]) -> Result<(), String> {
        let header = |name: &str| {
            let own = request.headers.iter().find(|(own, _)| *own == name);
            own.map_or("", |(_, value)| value.as_str())
        };
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let secs: u64 = header("webhook-timestamp").parse().unwrap_or(0);
        let (secrets, at) = (WebhookSecrets::new(&[SECRET]), Time::ZERO.plus_secs(secs));
        let id = secrets
            .and_then(|secrets| secrets.verify(&headers, &request.body, at).map(ToOwned::to_owned));
        let id = id.map_err(|error| error.to_string())?;
        let body = self.said.entry(id.clone()).or_insert_with(|| request.body.clone());
        if *body != request.body {
            return Err(format!("{id} says something else than before"));
        }
        let said: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(ToOwned::to_owned);
        let data = said.get("data").ok_or("a message without data")?;
        let address = data.get("fact").ok_or("a message of no fact")?;
        let stream = text(address.get("stream")).unwrap_or_default();
        let n = address.get("n").and_then(Value::as_u64);
        let named = |fact: &&Fact| fact.stream.as_str() == stream && Some(fact.n) == n;
        let fact = facts.iter().find(named).ok_or("a message of what was never written")?;
        if told_as(&fact.kind).map(ToOwned::to_owned) != text(said.get("type")) {
            return Err(format!("{} is told as {:?}", fact.kind, said.get("type")));
        }
        let book = text(data.get("book")).unwrap_or_default();
        if request.url != format!("https://{book}.example/hook") {
            return Err(format!("{} is told what happened in {book}", request.url));
        }
        let own = |(of, stream, at): &(Name, Stream, u64)| {
            (of.as_str(), stream, *at) == (book.as_str(), &fact.stream, fact.n)
        };
        let place = self.due.iter().position(own).ok_or("a message of another book")?;
        let mut before = self.due.iter().take(place).enumerate();
        let early = before.find(|(at, (of, ..))| of.as_str() == book && !self.taken.contains(at));
        if let Some((_, (_, stream, n))) = early {
            return Err(format!("{id} is told before fact {n} of {stream}"));
        }
        self.taken.insert(place);
        Ok(())
    }
}

impl Scene {
    /// One message to an endpoint, which may fail before or behind it.
    fn hear(&mut self, process: usize, request: &Request) -> Option<Reply> {
        let answer = |status| Some(Reply { status, body: Vec::new() });
        if self.clock(process) > request.deadline {
            return None;
        }
        if self.is_planted(Planted::SwallowsMessages) && self.dice.permille(100) {
            return answer(200);
        }
        if self.goes_wrong(1_500) {
            self.trace.count("messages unheard");
            return match self.dice.below(20) {
                0 => answer(410),
                1..=8 => answer(503),
                9..=12 => answer(302),
                _ => None,
            };
        }
        self.tell(|| format!("{process}: tells {}", String::from_utf8_lossy(&request.body)));
        self.trace.mark(&request.body);
        self.trace.count("messages heard");
        if let Err(said) = self.heard.take(request, self.store.facts()) {
            self.breaks(Promise::AllTold, said);
        }
        if self.goes_wrong(500) {
            self.trace.count("messages heard, reply lost");
            return None;
        }
        answer(204)
    }

    /// At the end: everything was told.
    pub(super) fn all_told(&self) -> Option<Broken> {
        if !self.town.features.tells {
            return None;
        }
        let mut due = self.heard.due.iter().enumerate();
        let (_, (book, stream, n)) = due.find(|(at, _)| !self.heard.taken.contains(at))?;
        let said = format!("nobody told {book} of fact {n} of {stream}");
        Some(Broken { promise: Promise::AllTold, said })
    }
}

/// What a fact is told as, if it is told at all.
fn told_as(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "declared.1" | "flowing.1" => "declared",
        "settled.1" => "paid",
        "returned.1" => "returned",
        "reopened.1" => "reopened",
        "held.1" => "held",
        "released.1" => "released",
        "reversed.1" => "refunded",
        "restored.1" => "restored",
        _ => return None,
    })
}

/// The name of each book's endpoint.
pub(super) const ENDPOINT: &str = "app";
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
