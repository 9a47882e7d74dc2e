//! The sandbox as a process: arguments in, one line out, and then it serves.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use divvy_core::{Code, Error};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::sandbox::faults::Faults;
use crate::sandbox::server::{ServerSettings, serve};
use crate::sandbox::world::{Terms, WindowKind};

/// The arguments of `divvy sandbox`.
///
/// ```
/// use clap::Parser;
/// use divvy::sandbox::Options;
///
/// #[derive(Parser)]
/// struct Command {
///     #[command(flatten)]
///     options: Options,
/// }
///
/// let command = Command::parse_from(["sandbox", "--window", "once", "--faults", "lost=10"]);
/// assert!(command.options.settings().is_ok());
/// ```
#[derive(Args, Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain arguments")]
pub struct Options {
    /// Where to listen, on loopback alone; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// The ledger's file; without it nothing outlives the process.
    #[arg(long)]
    pub ledger: Option<PathBuf>,
    /// Draws the faults.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// What goes wrong, as name=permille with commas between: late, lost, dropped, duplicated,
    /// `out_of_order`, refused, `server_error`, returned, reorganised, slow, killed.
    #[arg(long, default_value = "")]
    pub faults: String,
    /// How long a try is remembered.
    #[arg(long, default_value = "until")]
    pub window: WindowKind,
    /// An accepted try is final so many seconds later.
    #[arg(long, default_value_t = 0)]
    pub finality_secs: u64,
    /// Nothing lands later than so many seconds after it was started.
    #[arg(long, default_value_t = 60)]
    pub lag_secs: u64,
    /// What the wallet holds, in minor units; without it, enough for everything.
    #[arg(long)]
    pub funds: Option<u64>,
    /// What each line of a try costs, in minor units of whatever it charges in.
    #[arg(long, default_value_t = 0)]
    pub fee: u64,
    /// End when standard input does: so a sandbox never outlives a parent that was killed.
    #[arg(long)]
    pub with_parent: bool,
}

impl Options {
    /// The settings that these arguments ask for.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for faults that cannot be read.
    pub fn settings(&self) -> Result<ServerSettings, Error> {
        let Self { window, finality_secs, lag_secs, funds, fee, .. } = *self;
        let terms = Terms { window, finality_secs, lag_secs, funds, fee };
        let faults = Faults::parse(self.seed, &self.faults)?;
        Ok(ServerSettings { terms, faults, ledger: self.ledger.clone(), may_exit: true })
    }
}

/// Serves until interrupted or terminated. Prints `listening on 127.0.0.1:PORT` first, as one
/// line, so that a parent knows where.
///
/// # Errors
/// [`Code::InputMalformed`] for an address that is not on loopback or cannot be bound, and the
/// errors of [`serve`].
pub fn run_process(options: &Options) -> Result<(), Error> {
    let settings = options.settings()?;
    if !options.listen.ip().is_loopback() {
        return Err(refused(&format!("{} is not on loopback", options.listen)));
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| refused(&error.to_string()))?;
    runtime.block_on(async {
        let bound = TcpListener::bind(options.listen).await;
        let listener = bound.map_err(|error| refused(&error.to_string()))?;
        let address = listener.local_addr().map_err(|error| refused(&error.to_string()))?;
        let mut out = std::io::stdout();
        // A parent that has gone away needs no line.
        let _ = writeln!(out, "listening on {address}").and_then(|()| out.flush());
        let with_parent = options.with_parent;
        serve(settings, listener, async move {
            tokio::select! {
                () = stopped() => {}
                () = parent_gone(), if with_parent => {}
            }
        })
        .await
    })
}

/// Waits until nobody holds the other end of standard input.
async fn parent_gone() {
    let (sender, gone) = oneshot::channel();
    std::thread::spawn(move || {
        // Whatever ends reading, the parent is not there to be served.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = sender.send(());
    });
    let _ = gone.await;
}

#[cfg(unix)]
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn stopped() {
    let _ = tokio::signal::ctrl_c().await;
}

fn refused(why: &str) -> Error {
    let detail = format!("the sandbox cannot listen: {why}; try --listen 127.0.0.1:0");
    Error::new(Code::InputMalformed, detail)
}
