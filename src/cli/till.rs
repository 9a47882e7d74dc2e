//! The rail of a project, and the sandbox process behind it where it has none of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum as _;
use divvy::core::{Amount, Asset, Code, Error, Name, Rail, Timing};
use divvy::sandbox::{self, Sandbox, WindowKind};
use divvy::{Clock, Database, Http, Limits, Project, RailSettings, Sender, Worker, WorkerSettings};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::cli::setup::Desk;

/// The till: a rail to pay over, and the process that serves it, if it is ours.
#[derive(Debug)]
pub(crate) struct Till {
    pub(crate) rail: Arc<dyn Rail>,
    /// The same rail, where it is a sandbox.
    sandbox: Option<Arc<Sandbox>>,
    pub(crate) url: String,
    settings: RailSettings,
    fee: Amount,
    ledger: PathBuf,
    child: Option<Child>,
    pub(crate) restarts: u64,
}

impl Till {
    /// Reaches the rail of a project; starts a sandbox where no address is given.
    pub(crate) async fn open(project: &Project) -> Result<Self, Error> {
        let (settings, asset) = (project.rail.clone(), &project.opened.asset);
        if let Some(rail) = solana(project)? {
            let (url, ledger) = (String::new(), PathBuf::new());
            let (sandbox, child, fee, restarts) = (None, None, Amount::ZERO, 0);
            return Ok(Self { rail, sandbox, url, settings, fee, ledger, child, restarts });
        }
        let fee = charge(&settings, asset)?.1;
        let ledger = match &project.database {
            Database::File(path) => path.with_extension("sandbox.db"),
            Database::Server(_) | _ => project.dir.join("divvy.sandbox.db"),
        };
        let (child, url) = match &settings.url {
            Some(url) => (None, url.clone()),
            None => start(&settings, fee, &ledger, "127.0.0.1:0").await?,
        };
        let rail = Arc::new(sandbox(&settings, &url, asset)?);
        let (sandbox, restarts) = (Some(rail.clone()), 0);
        Ok(Self { rail, sandbox, url, settings, fee, ledger, child, restarts })
    }

    /// A rail that only packs and quotes, without a sandbox to talk to.
    pub(crate) fn quoting(project: &Project) -> Result<Arc<dyn Rail>, Error> {
        match solana(project)? {
            Some(rail) => Ok(rail),
            None => {
                let asset = &project.opened.asset;
                Ok(Arc::new(sandbox(&project.rail, "http://127.0.0.1:9", asset)?))
            }
        }
    }

    /// The sandbox, where it is one: it keeps a statement, and a time that it is told.
    pub(crate) fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_deref()
    }

    /// A worker for this rail alone.
    pub(crate) fn worker(
        &self,
        desk: &Desk,
        sender: Arc<dyn Sender>,
        settings: WorkerSettings,
    ) -> Result<Worker, Error> {
        let mut worker = Worker::with(self.rails(), sender, settings)?;
        if let Some(rate) = desk.project.rail.requests_per_sec {
            worker.set_rate(self.rail.name(), rate);
        }
        if let Some(quotes) = desk.quotes() {
            worker.set_quotes(quotes);
        }
        Ok(worker)
    }

    pub(crate) fn rails(&self) -> Vec<Arc<dyn Rail>> {
        vec![self.rail.clone()]
    }

    /// Starts the sandbox again at the same address when it was killed.
    pub(crate) async fn revive(&mut self) -> Result<(), Error> {
        let Some(child) = &mut self.child else { return Ok(()) };
        if matches!(child.try_wait(), Ok(None)) {
            return Ok(());
        }
        let address = self.url.trim_start_matches("http://").to_owned();
        let (child, _) = start(&self.settings, self.fee, &self.ledger, &address).await?;
        self.child = child;
        self.restarts = self.restarts.saturating_add(1);
        Ok(())
    }
}

/// What sends the requests of a project's rail, with the keys that its providers want.
pub(crate) fn sender(project: &Project, clock: Clock) -> Result<Http, Error> {
    let credentials = match &project.rail.solana {
        Some(wallet) => wallet.credentials(&project.dir)?,
        None => Vec::new(),
    };
    Http::with(clock, Limits::default(), credentials)
}

/// The rail over Solana, where that is what a project pays over.
fn solana(project: &Project) -> Result<Option<Arc<dyn Rail>>, Error> {
    let RailSettings { solana, deadline_secs, .. } = &project.rail;
    let rail = |wallet: &divvy::SolanaWallet| {
        wallet.rail(&project.dir, &project.opened.asset, *deadline_secs)
    };
    solana.as_ref().map(rail).transpose()
}

/// How a sandbox at an address is asked.
fn sandbox(settings: &RailSettings, url: &str, asset: &Asset) -> Result<Sandbox, Error> {
    let (fee_asset, fee) = charge(settings, asset)?;
    let own = if fee_asset == *asset { fee } else { Amount::ZERO };
    let fee_quoted = match &settings.fee_quoted {
        Some(text) => asset.amount(text)?,
        None => own,
    };
    let fee_asset = settings.fee.is_some().then_some(fee_asset);
    let plain = sandbox::RailSettings::at(url, Name::new(&settings.wallet)?)?;
    let deadline_secs = settings.deadline_secs;
    let (grace_secs, watch_secs) = (settings.grace_secs, settings.watch_secs);
    Sandbox::new(sandbox::RailSettings {
        name: Name::new(&settings.kind)?,
        window: window(&settings.window)?,
        lines_max: settings.lines_max,
        deadline_secs,
        timing: Timing { grace_secs, watch_secs, deadline_secs_max: deadline_secs },
        fee_asset,
        fee_quoted,
        ..plain
    })
}

/// In which asset a sandbox charges, and how much for each line.
fn charge(settings: &RailSettings, asset: &Asset) -> Result<(Asset, Amount), Error> {
    let fee_asset = settings.fee_asset.as_deref().map_or(Ok(asset.clone()), Asset::parse)?;
    let fee = settings.fee.as_deref().map_or(Ok(Amount::ZERO), |text| fee_asset.amount(text))?;
    Ok((fee_asset, fee))
}

fn window(text: &str) -> Result<WindowKind, Error> {
    WindowKind::from_str(text, true).map_err(|_| {
        let detail = format!("{text:?} is no window: use unlimited, until, until_height or once");
        Error::new(Code::InputMalformed, detail)
    })
}

/// Starts a sandbox process, and waits until it says where it listens.
///
/// The sandbox of a run that was killed ends at once, but not in no time: its ledger may be in use
/// for a moment.
async fn start(
    settings: &RailSettings,
    fee: Amount,
    ledger: &Path,
    listen: &str,
) -> Result<(Option<Child>, String), Error> {
    for _ in 0..START_TRIES {
        if let Ok(started) = start_once(settings, fee, ledger, listen).await {
            return Ok(started);
        }
        tokio::time::sleep(START_STEP).await;
    }
    start_once(settings, fee, ledger, listen).await
}

async fn start_once(
    settings: &RailSettings,
    fee: Amount,
    ledger: &Path,
    listen: &str,
) -> Result<(Option<Child>, String), Error> {
    let failed = |why: &str| {
        let detail = format!("the sandbox does not start: {why}");
        Error::new(Code::StoreUnusable, detail)
    };
    let program = std::env::current_exe().map_err(|error| failed(&error.to_string()))?;
    let mut child = Command::new(program)
        .arg("sandbox")
        .arg("--with-parent")
        .args(["--listen", listen, "--window", &settings.window, "--faults", &settings.faults])
        .args(["--seed", &settings.seed.to_string()])
        .args(["--finality-secs", &settings.finality_secs.to_string()])
        .args(["--lag-secs", &settings.lag_secs.to_string()])
        .args(["--fee", &fee.to_string()])
        .arg("--ledger")
        .arg(ledger)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error.to_string()))?;
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(failed("it is mute"));
    };
    let mut line = String::new();
    let read = BufReader::new(stdout).read_line(&mut line).await;
    read.map_err(|error| failed(&error.to_string()))?;
    if let Some(address) = line.trim().strip_prefix("listening on ") {
        return Ok((Some(child), format!("http://{address}")));
    }
    let mut said = String::new();
    let _ = stderr.read_to_string(&mut said).await;
    Err(failed(said.trim()))
}

/// A sandbox that does not start is tried again, for two seconds in all.
const START_TRIES: u32 = 40;
const START_STEP: Duration = Duration::from_millis(50);
