//! Endpoints: where webhooks go, and with which secrets.

use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use divvy_core::{Code, Error, Hash, Name, Stream, Time, TreasuryTerms};
use reqwest::Url;

use crate::host::Sender;
use crate::outbox::{Untaken, tell};
use crate::webhook::message::{EventKind, WebhookMessage, message_id};
use crate::webhook::{WebhookSecrets, secrets};

/// A webhook: an endpoint that is told what happens in a book.
///
/// ```
/// use divvy::core::{Code, Name};
/// use divvy::{EventKind, Webhook, WebhookSecrets, WebhookSettings};
///
/// let secrets = || WebhookSecrets::new(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
/// let (name, book) = (Name::new("app")?, Name::new("chapter-42")?);
/// let settings = WebhookSettings::new(name, book, "https://app.example/hooks?key=s3cret");
/// let settings = WebhookSettings { events: vec![EventKind::Paid], ..settings };
/// let webhook = Webhook::new(settings.clone(), secrets()?)?;
/// assert!(!format!("{webhook:?}").contains("s3cret"));
/// // In clear text everyone on the way could read it.
/// let open = WebhookSettings { url: "http://app.example/hooks".into(), ..settings };
/// assert_eq!(Webhook::new(open, secrets()?).unwrap_err().code(), Code::InputMalformed);
/// # Ok::<(), divvy::core::Error>(())
/// ```
#[derive(Debug)]
pub struct Webhook {
    settings: WebhookSettings,
    url: Endpoint,
    secrets: Source,
}

/// What a webhook is about, and where it goes.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct WebhookSettings {
    /// What it is called. Its progress is kept under this name.
    pub name: Name,
    /// The book that it is told of.
    pub book: Name,
    /// Where it goes: `https://…`. It may hold something secret, and is not shown.
    pub url: String,
    /// What it is told of; nothing named means everything.
    pub events: Vec<EventKind>,
    /// Which addresses it may lead to.
    pub reach: Reach,
    /// From when on it is told.
    pub from: WebhookStart,
    /// When its book's treasury warns; without it, nobody is told of alerts.
    pub treasury: Option<TreasuryTerms>,
}

/// Which addresses a webhook may lead to, whoever chose its host.
///
/// ```
/// assert_ne!(divvy::Reach::Public, divvy::Reach::Own);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// Addresses of the internet only: nobody outside may choose one of our own network.
    Public,
    /// Those of our own network too, and in clear text on this machine.
    Own,
}

/// From when on a webhook is told.
///
/// ```
/// assert_ne!(divvy::WebhookStart::Now, divvy::WebhookStart::Beginning);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookStart {
    /// Of what happens after a worker serves it for the first time.
    Now,
    /// Of everything that ever happened.
    Beginning,
}

/// Where the secrets of a webhook are kept.
///
/// ```
/// use divvy::SecretsAt;
///
/// let at = SecretsAt::Environment("SHOP_WEBHOOK_SECRETS".into());
/// assert_ne!(at, SecretsAt::File("app.secrets".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretsAt {
    /// A file that nobody else may read: one a line, newest first. It is read again whenever
    /// messages are sent, so that a secret is changed without stopping anything.
    File(PathBuf),
    /// A variable of the environment: separated by spaces, newest first.
    Environment(String),
}

/// An address, of which only the origin is shown.
pub(crate) struct Endpoint(Url);

#[derive(Debug)]
enum Source {
    Given(WebhookSecrets),
    File(PathBuf),
}

impl WebhookSettings {
    /// Everything that happens from now on, to a public address, but for alerts.
    #[must_use]
    pub fn new(name: Name, book: Name, url: &str) -> Self {
        Self {
            name,
            book,
            url: url.to_owned(),
            events: Vec::new(),
            reach: Reach::Public,
            from: WebhookStart::Now,
            treasury: None,
        }
    }

    fn checked(&self) -> Result<Endpoint, Error> {
        let malformed = |why: &str| {
            Error::new(Code::InputMalformed, format!("the webhook {} {why}", self.name))
        };
        let url = Url::parse(&self.url).map_err(|_| malformed("needs a url, as https://…"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(malformed("has a password in its url: it is signed, and needs none"));
        }
        let is_here = self.reach == Reach::Own && crate::http::is_here(&url);
        if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
            let why = "needs an https:// url; http:// is for this machine, with reach = \"own\"";
            return Err(malformed(why));
        }
        Ok(Endpoint(url))
    }
}

impl Webhook {
    /// A webhook with secrets that its host keeps.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for an address that is none, is not encrypted, or holds a password.
    pub fn new(settings: WebhookSettings, secrets: WebhookSecrets) -> Result<Self, Error> {
        let url = settings.checked()?;
        Ok(Self { settings, url, secrets: Source::Given(secrets) })
    }

    /// A webhook whose secrets are kept elsewhere. A file is read again whenever it is needed.
    ///
    /// ```
    /// use divvy::core::{Code, Name};
    /// use divvy::{SecretsAt, Webhook, WebhookSettings};
    ///
    /// let (name, book) = (Name::new("app")?, Name::new("chapter-42")?);
    /// let settings = WebhookSettings::new(name, book, "https://app.example/hooks");
    /// let nowhere = SecretsAt::File("no-such-file".into());
    /// let error = Webhook::open(settings, &nowhere).unwrap_err();
    /// assert_eq!(error.code(), Code::FileUnusable);
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Webhook::new`]; [`Code::FileUnusable`] for a file that is not there or that others may
    /// read, [`Code::InputMalformed`] for a variable that is not set and for what is no secret.
    pub fn open(settings: WebhookSettings, at: &SecretsAt) -> Result<Self, Error> {
        match at {
            SecretsAt::File(file) => {
                secrets::read(file)?;
                let url = settings.checked()?;
                Ok(Self { settings, url, secrets: Source::File(file.clone()) })
            }
            SecretsAt::Environment(name) => {
                let secrets = secrets::read_variable(name)?;
                Self::new(settings, secrets)
            }
        }
    }

    /// Sends a message that tells of nothing, once, and returns its id.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use std::sync::Arc;
    ///
    /// use divvy::core::{Code, Name};
    /// use divvy::{Clock, Http, Reach, Webhook, WebhookSecrets, WebhookSettings};
    ///
    /// let secrets = WebhookSecrets::new(&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])?;
    /// let (name, book) = (Name::new("app")?, Name::new("chapter-42")?);
    /// let settings = WebhookSettings::new(name, book, "http://127.0.0.1:9/");
    /// let webhooks = [Webhook::new(WebhookSettings { reach: Reach::Own, ..settings }, secrets)?];
    /// let http = Arc::new(Http::to_webhooks(Clock::system(), &webhooks)?);
    /// let error = webhooks[0].try_out(http, divvy::clock::now()).await.unwrap_err();
    /// assert_eq!(error.code(), Code::WebhookUnheard, "nobody listens there");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Code::WebhookUnheard`] with what came back instead of a yes, and the errors of secrets
    /// that cannot be read.
    pub async fn try_out(&self, sender: Arc<dyn Sender>, now: Time) -> Result<String, Error> {
        let mut drawn = [0_u8; 16];
        getrandom::fill(&mut drawn).map_err(|error| {
            Error::new(Code::StoreUnusable, format!("the system gives no randomness: {error}"))
        })?;
        let id = message_id(&Hash::of(&drawn));
        let WebhookSettings { book, name, .. } = &self.settings;
        let message = WebhookMessage::test(book, name, id, now)?;
        let why = match tell(self, &*sender, &message, now).await? {
            None => return Ok(message.id),
            Some(Untaken::Gone) => "status 410".to_owned(),
            Some(Untaken::Unheard { reason, .. }) => reason,
        };
        let detail = format!("{name} did not take the message {}: {why}", message.id);
        Err(Error::new(Code::WebhookUnheard, detail))
    }

    /// What it is about.
    #[must_use]
    pub const fn settings(&self) -> &WebhookSettings {
        &self.settings
    }

    pub(crate) const fn name(&self) -> &Name {
        &self.settings.name
    }

    pub(crate) fn book(&self) -> &str {
        self.settings.book.as_str()
    }

    /// The stream that its progress is kept in.
    pub(crate) fn stream(&self) -> Stream {
        Stream::webhook(&self.settings.book, &self.settings.name)
    }

    pub(crate) fn wants(&self, event: EventKind) -> bool {
        let Self { settings: WebhookSettings { events, treasury, .. }, .. } = self;
        let is_judged = event != EventKind::Alert || treasury.is_some();
        is_judged && (events.is_empty() || events.contains(&event))
    }

    pub(crate) fn url(&self) -> &str {
        self.url.0.as_str()
    }

    /// Signs a message with every secret that is there now.
    pub(crate) fn sign(
        &self,
        id: &str,
        now: Time,
        body: &[u8],
    ) -> Result<[(&'static str, String); 3], Error> {
        match &self.secrets {
            Source::Given(secrets) => secrets.sign(id, now, body),
            Source::File(file) => secrets::read(file)?.sign(id, now, body),
        }
    }

    /// The host that may be of our own network, if one may.
    pub(crate) fn own_host(&self) -> Option<&str> {
        (self.settings.reach == Reach::Own).then(|| self.url.0.host_str()).flatten()
    }
}

impl SecretsAt {
    /// The file, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Environment(_) => None,
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, book, url: _, events, reach, from, treasury } = self;
        let mut shown = f.debug_struct("WebhookSettings");
        shown.field("name", name).field("book", book).field("events", events);
        shown.field("reach", reach).field("from", from).field("treasury", treasury);
        shown.finish_non_exhaustive()
    }
}
