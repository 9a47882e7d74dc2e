//! JSON-RPC as data: what is asked of whom, and what was heard of it.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use divvy_core::{Code, Error, Evidence, Hash, Heard, Request, Time, Turn};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::node::Provider;

/// A question, the same whoever is asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    method: &'static str,
    params: Value,
}

/// A conversation with providers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk<'a> {
    pub(crate) providers: &'a [Provider],
    pub(crate) heard: &'a [Heard],
    pub(crate) now: Time,
}

/// What one provider said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said<T> {
    /// Nobody has asked it yet.
    Unasked,
    /// It answered.
    This(T),
    /// It did not, and why.
    Nothing(Trouble),
}

/// Why an answer cannot be used. None of these says anything about money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No reply, or one that is none of JSON-RPC.
    Silent,
    /// It is asked too often.
    Busy,
    /// It is behind the chain.
    Behind,
    /// It does not keep what was asked for.
    Forgotten,
    /// It does not answer such questions.
    Refused,
    /// Its answer is of another form, or makes no sense.
    Odd,
}

impl<T> Said<T> {
    pub(crate) fn this(self) -> Option<T> {
        match self {
            Self::This(this) => Some(this),
            Self::Unasked | Self::Nothing(_) => None,
        }
    }
}

impl Question {
    pub(crate) const fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }

    pub(crate) const fn method(&self) -> &'static str {
        self.method
    }

    fn to(&self, provider: &Provider, deadline: Time) -> Request {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": self.method, "params": self.params,
        });
        request(provider, body.to_string().into_bytes(), deadline)
    }
}

impl<'a> Talk<'a> {
    /// What a provider said to a question.
    pub(crate) fn said<T: DeserializeOwned>(
        &self,
        provider: &Provider,
        question: &Question,
    ) -> Said<T> {
        let Some(heard) = self.heard_of(provider, question) else { return Said::Unasked };
        match read(heard) {
            Ok(this) => Said::This(this),
            Err(trouble) => Said::Nothing(trouble),
        }
    }

    /// The exchange itself, as evidence.
    pub(crate) fn heard_of(&self, provider: &Provider, question: &Question) -> Option<&'a Heard> {
        let asked = question.to(provider, Time::ZERO);
        let same =
            |heard: &&Heard| heard.request.url == asked.url && heard.request.body == asked.body;
        self.heard.iter().rev().find(same)
    }

    /// Goes on until these providers were asked all these questions, whether they answer or not.
    pub(crate) fn asked(
        &self,
        providers: &[&Provider],
        questions: &[Question],
    ) -> Result<Turn<()>, Error> {
        let pairs = providers
            .iter()
            .flat_map(|provider| questions.iter().map(move |question| (*provider, question)));
        let unasked =
            pairs.filter(|(provider, question)| self.heard_of(provider, question).is_none());
        let deadline = self.now.plus_secs(ASK_SECS);
        let unasked: Vec<Request> =
            unasked.map(|(provider, question)| question.to(provider, deadline)).collect();
        Ok(if unasked.is_empty() { Turn::Done(()) } else { Turn::Ask(unasked) })
    }

    /// What the first of these providers says who answers all questions in a way that can be used.
    ///
    /// # Errors
    /// [`Code::RailReply`] when nobody does.
    pub(crate) fn first<T: DeserializeOwned, U>(
        &self,
        providers: &[&Provider],
        questions: &[Question],
        read: impl Fn(Vec<T>) -> Option<U>,
    ) -> Result<Turn<U>, Error> {
        let mut troubles = Vec::with_capacity(providers.len());
        for provider in providers {
            if let Turn::Ask(asked) = self.asked(&[*provider], questions)? {
                return Ok(Turn::Ask(asked));
            }
            let said = questions.iter().map(|question| self.said(provider, question));
            let all = said.map(|said| match said {
                Said::This(this) => Ok(this),
                Said::Nothing(trouble) => Err(trouble),
                Said::Unasked => Err(Trouble::Silent),
            });
            let usable = all.collect::<Result<Vec<T>, Trouble>>();
            match usable.and_then(|all| read(all).ok_or(Trouble::Odd)) {
                Ok(usable) => return Ok(Turn::Done(usable)),
                Err(trouble) => troubles.push(format!("{} {trouble}", provider.name)),
            }
        }
        let method = questions.first().map_or("a question", Question::method);
        Err(unheard(method, &troubles.join(", ")))
    }

    /// Everything that was heard, as one: the hash covers every reply. Providers are called by
    /// their names, since some have a key in their address.
    pub(crate) fn evidence(&self) -> Evidence {
        let named = |heard: &Heard| {
            let of = |provider: &&Provider| provider.url == heard.request.url;
            let name = self.providers.iter().find(of).map_or("somebody", |found| &found.name);
            let method = method_of(&heard.request);
            let Evidence { hash, said, .. } = heard.evidence();
            (format!("{method} at {name}"), hash, said)
        };
        let mut heard = self.heard.iter().map(named);
        let (source, hash, said) = heard
            .next()
            .unwrap_or_else(|| ("nobody could be asked".into(), Hash::of(b""), String::new()));
        let first = Evidence { source, hash, said };
        heard.fold(first, |all, (source, hash, said)| Evidence {
            source: format!("{}; {source}", all.source),
            hash: all.hash.then(&hash),
            said: format!("{}; {said}", all.said),
        })
    }
}

/// The request that sends a transaction: without a try-out beforehand, which says nothing of what
/// was sent earlier, and without anybody who repeats it behind our back.
pub(crate) fn sending(provider: Option<&Provider>, bytes: &[u8], deadline: Time) -> Request {
    let options = json!({"encoding": "base64", "skipPreflight": true, "maxRetries": 0});
    let question = Question::new(SEND, json!([STANDARD.encode(bytes), options]));
    match provider {
        Some(provider) => question.to(provider, deadline),
        // Settings without a provider are refused: nobody sends this.
        None => Request {
            method: "POST",
            url: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
            deadline: Time::ZERO,
        },
    }
}

/// Whether somebody took these bytes, whoever it was: then the name it was taken by.
pub(crate) fn taken(heard: &Heard, bytes: &[u8]) -> Option<String> {
    if method_of(&heard.request) != SEND {
        return None;
    }
    let asked: Value = serde_json::from_slice(&heard.request.body).ok()?;
    let same = asked.pointer("/params/0")?.as_str()? == STANDARD.encode(bytes);
    if same { read(heard).ok() } else { None }
}

/// Whether this is a submission.
pub(crate) fn is_sending(heard: &Heard) -> bool {
    method_of(&heard.request) == SEND
}

fn request(provider: &Provider, body: Vec<u8>, deadline: Time) -> Request {
    let mut headers = vec![("content-type", "application/json".to_owned())];
    let credential = provider.credential.iter().cloned();
    headers.extend(credential.map(|name| (CREDENTIAL, name)));
    Request { method: "POST", url: provider.url.clone(), headers, body, deadline }
}

fn method_of(request: &Request) -> String {
    #[derive(Deserialize)]
    struct Asked {
        method: String,
    }
    let asked = serde_json::from_slice(&request.body);
    asked.map_or_else(|_| "a request".to_owned(), |asked: Asked| asked.method)
}

/// A reply's result. A result of nothing is one, which is not the same as no result.
fn read<T: DeserializeOwned>(heard: &Heard) -> Result<T, Trouble> {
    let reply = heard.reply.as_ref().ok_or(Trouble::Silent)?;
    if reply.status == 429 {
        return Err(Trouble::Busy);
    }
    let text = core::str::from_utf8(&reply.body).map_err(|_| Trouble::Silent)?;
    let mut said: serde_json::Map<String, Value> =
        serde_json::from_str(text).map_err(|_| Trouble::Silent)?;
    if let Some(error) = said.get("error") {
        return Err(trouble(error.get("code").and_then(Value::as_i64)));
    }
    let result = said.remove("result").filter(|_| reply.status == 200).ok_or(Trouble::Silent)?;
    serde_json::from_value(result).map_err(|_| Trouble::Odd)
}

/// What an error code of a node means for whoever asked.
const fn trouble(code: Option<i64>) -> Trouble {
    match code {
        Some(-32_005 | -32_016 | -32_004 | -32_014) => Trouble::Behind,
        Some(-32_007 | -32_009 | -32_011) => Trouble::Forgotten,
        Some(429 | -32_429) => Trouble::Busy,
        Some(-32_010 | -32_601 | -32_602 | -32_015) => Trouble::Refused,
        Some(_) | None => Trouble::Odd,
    }
}

/// An answer that nobody gave.
pub(crate) fn unheard(method: &str, troubles: &str) -> Error {
    Error::new(Code::RailReply, format!("no usable answer to {method} ({troubles}): ask again"))
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "gave no answer",
            Self::Busy => "is asked too often",
            Self::Behind => "is behind the chain",
            Self::Forgotten => "does not keep that long",
            Self::Refused => "does not answer that",
            Self::Odd => "made no sense",
        })
    }
}

/// A value and the slot at which it was read.
#[derive(Deserialize)]
pub(crate) struct AtSlot<T> {
    pub(crate) context: Context,
    pub(crate) value: T,
}

/// Where a node stood when it answered.
#[derive(Deserialize)]
pub(crate) struct Context {
    pub(crate) slot: u64,
}

/// Text that holds bytes.
pub(crate) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Bytes as the text that nodes take.
pub(crate) fn text_of(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

const SEND: &str = "sendTransaction";

/// A question may be started so long after it was asked.
const ASK_SECS: u64 = 60;

/// The header by which a sender learns which credential to add.
const CREDENTIAL: &str = "divvy-credential";
