//! The sender in the box: HTTP by reqwest, one exchange at a time, nothing of its own accord.

mod credential;
mod reach;
mod rest;

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use divvy_core::{Code, Error, Reply, Request};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Method, Url};

use crate::clock::Clock;
use crate::host::Sender;
use crate::webhook::Webhook;

pub use credential::Credential;
pub(crate) use credential::is_here;
use reach::Outward;
use rest::Rests;

/// Sends requests over HTTP and HTTPS, each once.
///
/// It follows no redirect, takes no proxy from the environment, and repeats nothing: whatever is
/// not one whole reply is no answer. A request is not begun after its deadline, and waiting for
/// its reply ends there too. A server that asks to be left alone with `Retry-After` is: requests
/// wait for as long, and are not begun when their deadline is nearer. It needs a tokio runtime with
/// time and network.
///
/// ```
/// use divvy::{Clock, Http, Sender};
/// use divvy::core::{Request, Time};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), divvy::core::Error> {
/// let http = Http::new(Clock::system())?;
/// let request = Request {
///     method: "POST",
///     url: "http://127.0.0.1:9/tries".into(),
///     headers: vec![],
///     body: b"pay".to_vec(),
///     deadline: Time::ZERO,
/// };
/// // Its deadline is long past: it is never begun, and that teaches nothing.
/// assert_eq!(http.send(&request).await, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Http {
    client: Client,
    clock: Clock,
    limits: Limits,
    credentials: Vec<Credential>,
    rests: Rests,
    outward: Option<Outward>,
}

/// How long a sender waits and how much it takes.
///
/// ```
/// use divvy::Limits;
///
/// let limits = Limits { wait_millis: 5_000, ..Limits::default() };
/// assert_eq!(limits.reply_bytes, 16 * 1_024 * 1_024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Limits {
    /// The longest wait for a whole reply, where the deadline is not nearer.
    pub wait_millis: u64,
    /// The longest body of a reply; a longer one is no answer.
    pub reply_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { wait_millis: 30_000, reply_bytes: 16 * 1_024 * 1_024 }
    }
}

impl Http {
    /// The header by which a request names its [`Credential`]. It is replaced when it is sent.
    pub const CREDENTIAL: &'static str = "divvy-credential";

    /// A sender with the usual limits and no credentials.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] when the system gives no usable TLS.
    pub fn new(clock: Clock) -> Result<Self, Error> {
        Self::with(clock, Limits::default(), Vec::new())
    }

    /// A sender with its own limits and credentials.
    ///
    /// ```
    /// use divvy::{Clock, Credential, Http, Limits};
    ///
    /// let key = Credential::new("bank", "https://bank.example", "authorization", "Bearer k")?;
    /// let http = Http::with(Clock::system(), Limits::default(), vec![key])?;
    /// assert!(!format!("{http:?}").contains("Bearer"));
    /// # Ok::<(), divvy::core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::InputMalformed`] when the system gives no usable TLS.
    pub fn with(clock: Clock, limits: Limits, credentials: Vec<Credential>) -> Result<Self, Error> {
        let client = built(builder())?;
        Ok(Self { client, clock, limits, credentials, rests: Rests::default(), outward: None })
    }

    /// A sender for webhooks: whatever they lead to, it reaches addresses of the internet only, but
    /// for the hosts of those with [`crate::Reach::Own`]. It waits for a reply for 15 seconds, and
    /// one of more than 64 KiB is no answer.
    ///
    /// ```
    /// use divvy::core::{Request, Time};
    /// use divvy::{Clock, Http, Sender};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// let http = Http::to_webhooks(Clock::system(), &[])?;
    /// let url = "https://169.254.169.254/latest/meta-data".to_owned();
    /// let (headers, body, deadline) = (vec![], vec![], Time::MAX);
    /// let request = Request { method: "POST", url, headers, body, deadline };
    /// assert_eq!(http.send(&request).await, None, "nobody asks our own network for anything");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Code::InputMalformed`] when the system gives no usable TLS.
    pub fn to_webhooks(clock: Clock, webhooks: &[Webhook]) -> Result<Self, Error> {
        let own = webhooks.iter().filter_map(Webhook::own_host).map(str::to_owned).collect();
        let outward = Outward::new(own);
        let client = built(builder().dns_resolver(outward.clone()))?;
        let limits = Limits { wait_millis: 15_000, reply_bytes: 64 * 1_024 };
        let (credentials, rests) = (Vec::new(), Rests::default());
        Ok(Self { client, clock, limits, credentials, rests, outward: Some(outward) })
    }

    /// The request as the client wants it, with its credential; nothing when it cannot be sent.
    fn shape(&self, request: &Request) -> Result<reqwest::Request, &'static str> {
        let method = Method::from_bytes(request.method.as_bytes());
        let mut url = Url::parse(&request.url).map_err(|_| "its address is none")?;
        if self.outward.as_ref().is_some_and(|outward| !outward.allows(&url)) {
            return Err("its address is not of the internet");
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            if name.eq_ignore_ascii_case(Self::CREDENTIAL) {
                let named = self.credentials.iter().find(|credential| credential.is_named(value));
                named.ok_or("its credential is not known here")?.add(&mut url, &mut headers)?;
                continue;
            }
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(value);
            let name = name.map_err(|_| "a header's name is none")?;
            headers.append(name, value.map_err(|_| "a header is none")?);
        }
        let mut shaped = reqwest::Request::new(method.map_err(|_| "its method is none")?, url);
        *shaped.headers_mut() = headers;
        *shaped.body_mut() = Some(request.body.clone().into());
        Ok(shaped)
    }

    /// One exchange, to the end of the reply.
    async fn exchange(&self, shaped: reqwest::Request) -> Option<Reply> {
        let said = |error: reqwest::Error| {
            let error = error.without_url();
            tracing::debug!(%error, "no answer");
        };
        let url = shaped.url().clone();
        let mut response = self.client.execute(shaped).await.map_err(said).ok()?;
        self.rests.note(&url, response.status(), response.headers(), self.clock.now());
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(said).ok()? {
            if body.len().saturating_add(part.len()) > self.limits.reply_bytes {
                tracing::warn!(status, "the reply is longer than the limit");
                return None;
            }
            body.extend_from_slice(&part);
        }
        Some(Reply { status, body })
    }

    /// How long to wait. Where time is told, a deadline says nothing of how long a wait is.
    fn wait(&self, request: &Request) -> Duration {
        let left = request.deadline.millis_since(self.clock.now());
        let wait_max = self.limits.wait_millis;
        Duration::from_millis(if self.clock.runs() { left.min(wait_max) } else { wait_max })
    }
}

#[async_trait]
impl Sender for Http {
    async fn send(&self, request: &Request) -> Option<Reply> {
        let url = origin(&request.url);
        let shaped = self
            .shape(request)
            .map_err(|why| tracing::error!(%url, why, "a request that cannot be sent"))
            .ok()?;
        let rest = self.rests.left_millis(shaped.url(), self.clock.now());
        if rest > 0 {
            if !self.clock.runs() || rest > request.deadline.millis_since(self.clock.now()) {
                tracing::debug!(%url, rest, "the server wants to be left alone");
                return None;
            }
            tokio::time::sleep(Duration::from_millis(rest)).await;
        }
        let mut exchange = pin!(self.exchange(shaped));
        // Asked before every step and not only at the start: the machine may sleep while a
        // connection is made, where the runtime's own timer stands still, and the request would
        // leave when it wakes.
        let in_time = poll_fn(|context| {
            if self.clock.now() > request.deadline {
                tracing::debug!(%url, "the deadline is past");
                return Poll::Ready(None);
            }
            exchange.as_mut().poll(context)
        });
        tokio::time::timeout(self.wait(request), in_time).await.ok()?
    }

    fn rest_millis(&self, url: &str) -> u64 {
        Url::parse(url).map_or(0, |url| self.rests.left_millis(&url, self.clock.now()))
    }
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("divvy/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_idle_timeout(IDLE_MAX)
}

fn built(builder: ClientBuilder) -> Result<Client, Error> {
    builder.build().map_err(|error| {
        Error::new(Code::InputMalformed, format!("no HTTP client can be made: {error}"))
    })
}

/// What may be told of an address: the rest of one may be secret.
fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "no address".into(), |url| url.origin().ascii_serialization())
}

/// Servers close idle connections after a minute or so; one that is closed first is no loss.
const IDLE_MAX: Duration = Duration::from_secs(30);
