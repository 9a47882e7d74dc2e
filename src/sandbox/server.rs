//! The sandbox over HTTP/1.1, on loopback alone.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use divvy_core::{Code, Error, Reply, Request, Time};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::sandbox::faults::Faults;
use crate::sandbox::keeper::Keeper;
use crate::sandbox::world::{NOW_HEADER, Terms, reply_error};

/// What a sandbox is served with.
///
/// ```
/// use divvy::sandbox::{Faults, ServerSettings, Terms, WindowKind};
///
/// let settings = ServerSettings {
///     terms: Terms { window: WindowKind::Unlimited, ..Terms::default() },
///     faults: Faults::parse(7, "late=20,lost=10")?,
///     ..ServerSettings::default()
/// };
/// assert!(settings.ledger.is_none(), "in memory, unless it is to outlive the process");
/// # Ok::<(), divvy::core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct ServerSettings {
    /// What the world promises.
    pub terms: Terms,
    /// What goes wrong.
    pub faults: Faults,
    /// The file of the ledger; without it, it lives in memory.
    pub ledger: Option<PathBuf>,
    /// Whether the fault `killed` may end this process. Otherwise it loses the reply.
    pub may_exit: bool,
}

/// Serves a world until the shutdown resolves.
///
/// ```
/// use divvy::sandbox::{ServerSettings, serve};
/// use tokio::net::TcpListener;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let url = format!("http://{}/height", listener.local_addr()?);
/// let server = tokio::spawn(serve(ServerSettings::default(), listener, std::future::pending()));
/// assert_eq!(reqwest::get(url).await?.text().await?, r#"{"height":0,"now":0}"#);
/// # server.abort();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Code::InputMalformed`] when the listener is not on loopback, and the errors of
/// [`Keeper::open`].
pub async fn serve(
    settings: ServerSettings,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let bound = listener.local_addr().map_err(|error| unusable(&error.to_string()))?;
    if !bound.ip().is_loopback() {
        let detail = format!("{bound} is not on loopback: a sandbox pays anyone, so keep it there");
        return Err(Error::new(Code::InputMalformed, detail));
    }
    let keeper = Arc::new(Keeper::open(&settings)?);
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(connection(Arc::clone(&keeper), stream))),
                Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
            },
        }
    }
}

async fn connection(keeper: Arc<Keeper>, stream: TcpStream) {
    // Small replies must not wait for more of them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|asked| exchange(&keeper, asked));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}

/// One exchange. An error closes the connection without a reply, which is what a lost one is.
async fn exchange(
    keeper: &Keeper,
    asked: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Lost> {
    let method = match asked.method().as_str() {
        "POST" => "POST",
        "GET" => "GET",
        _ => return Ok(response(reply_error(405, "only GET and POST are served"))),
    };
    let now = asked.headers().get(NOW_HEADER).and_then(|value| value.to_str().ok());
    let headers = now.map(|now| (NOW_HEADER, now.to_owned())).into_iter().collect();
    let url = format!("http://sandbox{}", asked.uri());
    let Ok(body) = Limited::new(asked.into_body(), BODY_BYTES_MAX).collect().await else {
        return Ok(response(reply_error(413, "a body is at most 16 MiB")));
    };
    let body = body.to_bytes().into();
    let request = Request { method, url, headers, body, deadline: Time::MAX };
    keeper.serve(&request).map(response).ok_or(Lost)
}

fn response(reply: Reply) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::new(Bytes::from(reply.body)));
    if let Ok(status) = hyper::StatusCode::from_u16(reply.status) {
        *response.status_mut() = status;
    }
    response
}

fn unusable(why: &str) -> Error {
    Error::new(Code::InputMalformed, format!("the sandbox cannot listen: {why}"))
}

/// The reply is lost on purpose.
#[derive(Debug)]
struct Lost;

impl core::fmt::Display for Lost {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the reply is lost on purpose")
    }
}

impl core::error::Error for Lost {}

const BODY_BYTES_MAX: usize = 16 << 20;
