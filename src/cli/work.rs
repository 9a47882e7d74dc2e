//! `divvy work`: a worker that goes on until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use divvy::core::Error;
use divvy::{Clock, End, Http, Shift, Stop, Tick, Webhook, Worker};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::till::{Till, sender};
use crate::cli::words::counted;

/// Work until told to stop: declare, pay and follow up, beside any number of others.
#[derive(Args, Debug)]
pub(crate) struct Work {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// End when nothing is open or due.
    #[arg(long)]
    until_idle: bool,
}

impl Work {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir).await?;
        let clock = Clock::system();
        desk.divvy
            .open_book_with(&desk.project.book, desk.project.opened.clone(), clock.now())
            .await?;
        let till = Till::open(&desk.project).await?;
        let sender = Arc::new(sender(&desk.project, clock.clone())?);
        let mut worker = till.worker(&desk, sender, desk.project.worker)?;
        let open = |(settings, at): &(_, _)| Webhook::open(Clone::clone(settings), at);
        let webhooks: Vec<Webhook> =
            desk.project.webhooks.iter().map(open).collect::<Result<_, Error>>()?;
        if !webhooks.is_empty() {
            let sender = Arc::new(Http::to_webhooks(clock.clone(), &webhooks)?);
            worker.set_webhooks(webhooks, sender);
        }
        let end = if self.until_idle { End::WhenIdle } else { End::Never };
        out.say(&format!("working on {}; stop with Ctrl-C or SIGTERM", desk.project.book));
        let worked = work(&mut worker, &mut desk, end, &clock).await;
        let obstacles = worker.obstacles();
        // What was folded is kept whatever happened: it is a cache.
        let kept = desk.close().await;
        let did = worked?;
        kept?;
        say(out, did, &obstacles);
        Ok(if obstacles.is_empty() { Verdict::Done } else { Verdict::Look })
    }
}

/// Works until the end, or until a signal tells it to stop.
pub(crate) async fn work(
    worker: &mut Worker,
    desk: &mut Desk,
    end: End,
    clock: &Clock,
) -> Result<Tick, Error> {
    let (stop, tick_secs) = (Stop::new(), desk.project.tick_secs);
    let told = tokio::spawn(stop_when_told(stop.clone()));
    let worked = worker.run(&mut desk.divvy, clock, Shift { tick_secs, end }, &stop).await;
    told.abort();
    worked
}

fn say(out: &mut Out, did: Tick, obstacles: &[Error]) {
    for obstacle in obstacles {
        out.say(&format!("look: {obstacle}"));
    }
    out.say(&format!(
        "{} planned in {}; {} learned of, {} taken over; {}, {} unanswered; {} lost; {} told, {} \
         not taken",
        counted(did.lines, "line"),
        counted(did.runs, "run"),
        counted(did.learned, "batch"),
        did.taken_over,
        counted(did.requests, "request"),
        did.unanswered,
        counted(did.races_lost, "race"),
        counted(did.told, "message"),
        did.untold
    ));
    let shown: Vec<String> = obstacles.iter().map(ToString::to_string).collect();
    out.value(&json!({
        "lines": did.lines, "runs": did.runs, "learned": did.learned,
        "taken_over": did.taken_over, "requests": did.requests, "unanswered": did.unanswered,
        "races_lost": did.races_lost, "declined": did.declined,
        "told": did.told, "untold": did.untold, "obstacles": shown,
    }));
}

/// Passes a signal on.
async fn stop_when_told(stop: Stop) {
    signalled().await;
    stop.stop();
}

#[cfg(unix)]
async fn signalled() {
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
async fn signalled() {
    let _ = tokio::signal::ctrl_c().await;
}
