//! One writer over a world and its ledger: nobody hears a reply that is not written down.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use divvy_core::{Error, Reply, Request};
use reqwest::Url;

use crate::host::Sender;
use crate::sandbox::faults::{Fault, Faults};
use crate::sandbox::ledger::Ledger;
use crate::sandbox::server::ServerSettings;
use crate::sandbox::world::World;
use crate::sandbox::world::reply_error;

/// A world that is kept in a ledger and served under faults, in this process.
///
/// It is a [`Sender`] too, for a test that wants no sockets: what it does not reply to is `None`.
///
/// ```
/// use divvy::core::{Request, Time};
/// use divvy::sandbox::{Keeper, ServerSettings};
///
/// let keeper = Keeper::open(&ServerSettings::default())?;
/// let request = Request {
///     method: "GET",
///     url: "http://127.0.0.1:1/height".into(),
///     headers: vec![("sandbox-now", "20000".into())],
///     body: vec![],
///     deadline: Time::MAX,
/// };
/// let reply = keeper.serve(&request).ok_or("no faults, so there is a reply")?;
/// assert_eq!(reply.body, br#"{"height":2,"now":20000}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Keeper {
    faults: Faults,
    may_exit: bool,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    world: World,
    ledger: Ledger,
    served: u64,
}

impl Keeper {
    /// Opens the ledger and rebuilds the world from it.
    ///
    /// # Errors
    /// [`divvy_core::Code::StoreForeign`] for a file that is no ledger or was begun on other terms,
    /// [`divvy_core::Code::StoreUnusable`].
    pub fn open(settings: &ServerSettings) -> Result<Self, Error> {
        let ledger = Ledger::open(settings.ledger.as_deref(), settings.terms)?;
        let world = ledger.world()?;
        let kept = Mutex::new(Kept { world, ledger, served: 0 });
        Ok(Self { faults: settings.faults.clone(), may_exit: settings.may_exit, kept })
    }

    /// Serves one request: what it did is written before this returns. Nothing means that the
    /// line drops.
    pub fn serve(&self, request: &Request) -> Option<Reply> {
        let mut kept = self.kept();
        if let Some((after, limit)) = statement(request) {
            let page = kept.ledger.statement(after, limit);
            return Some(page.unwrap_or_else(|error| reply_error(500, &error.to_string())));
        }
        kept.served = kept.served.saturating_add(1);
        let lag_secs = kept.world.terms().lag_secs;
        let fault = self.faults.pick(kept.ledger.boot(), kept.served, lag_secs);
        let reply = kept.serve(request, fault);
        if fault == Fault::Killed && self.may_exit {
            std::process::exit(KILLED_STATUS);
        }
        reply
    }

    /// A copy of the world as it is now.
    #[must_use]
    pub fn world(&self) -> World {
        self.kept().world.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A panic elsewhere leaves nothing half done that the ledger would not tell.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Sender for Keeper {
    async fn send(&self, request: &Request) -> Option<Reply> {
        self.serve(request)
    }
}

impl Kept {
    fn serve(&mut self, request: &Request, fault: Fault) -> Option<Reply> {
        let outcome = self.world.serve(request, fault);
        if outcome.effects.is_empty() {
            return outcome.reply;
        }
        let Err(error) = self.ledger.write(&outcome.effects) else { return outcome.reply };
        tracing::error!(%error, "a request was undone because it could not be written");
        // What is not written did not happen.
        match self.ledger.world() {
            Ok(world) => self.world = world,
            Err(error) => tracing::error!(%error, "the ledger cannot be read back"),
        }
        Some(reply_error(503, "the ledger cannot be written"))
    }
}

/// The page that is asked for, when it is one of the statement.
fn statement(request: &Request) -> Option<(u64, u64)> {
    if request.method != "GET" || !request.url.contains("/statement") {
        return None;
    }
    let url = Url::parse(&request.url).ok().filter(|url| url.path() == "/statement")?;
    let asked = |name: &str| {
        let pair = url.query_pairs().find(|(key, _)| key == name)?;
        pair.1.parse::<u64>().ok()
    };
    let limit = asked("limit").unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    Some((asked("after").unwrap_or(0), limit))
}

const LIMIT_DEFAULT: u64 = 1_000;

/// A larger page is several: nobody holds the whole statement in memory.
const LIMIT_MAX: u64 = 50_000;

/// What a shell says of a process that was killed with -9.
const KILLED_STATUS: i32 = 137;
