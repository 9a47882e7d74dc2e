//! `divvy reconcile` against a statement, and `divvy break`: what a person says of a difference.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use divvy::clock;
use divvy::core::{
    Amount, Break, BreakCause, BreakState, Code, Error, Evidence, Hash, Reconciliation, Terms,
    Time, reconcile,
};
use divvy::{BadLine, read_file, read_statement};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::{Desk, say_bad_lines};
use crate::cli::signer::Signer;
use crate::cli::till::{Till, sender};
use crate::cli::words::counted;

/// Compare our books with a rail's statement, and note what differs.
#[derive(Args, Debug)]
pub(crate) struct Reconcile {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The statement as CSV: reference,amount,at and optional direction, asset, fee, party, state.
    /// Without it, the sandbox is asked for its own.
    #[arg(long)]
    statement: Option<PathBuf>,
    /// The statement tells everything before this; its newest entry, unless said otherwise.
    #[arg(long)]
    until: Option<String>,
    /// The statement tells payments too, by their ids.
    #[arg(long)]
    payments: bool,
    /// Differences up to this are matched all the same, and told.
    #[arg(long)]
    tolerance: Option<String>,
}

impl Reconcile {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir).await?;
        let (found, evidence, bad) = match &self.statement {
            Some(file) => self.compare(&mut desk, file).await?,
            None => self.ask(&mut desk).await?,
        };
        found.check()?;
        // What could not be read may be what is missing: nothing is noted of half a statement.
        if bad.is_empty() {
            desk.book()?.note_breaks(&found, &evidence, clock::now()).await?;
        }
        if let Some(file) = &self.statement {
            say_bad_lines(out, file, &bad);
        }
        let open = say(&mut desk, &found, &bad, out)?;
        desk.close().await?;
        Ok(if open || !bad.is_empty() { Verdict::Look } else { Verdict::Done })
    }

    async fn compare(&self, desk: &mut Desk, file: &Path) -> Result<Compared, Error> {
        let (bytes, asset) = (read_file(file)?, desk.project.opened.asset.clone());
        let import = read_statement(&bytes, &asset)?;
        let newest = import.rows.iter().map(|entry| entry.at).max().unwrap_or(Time::ZERO);
        let after = |time: Time| Time::from_millis(time.millis().saturating_add(1));
        let until = self.until.as_deref().map(Time::parse).transpose()?;
        let terms = Terms {
            statement_until: until.unwrap_or_else(|| after(newest)),
            ours_until: after(desk.divvy.books().newest().max(clock::now())),
            tolerance: match &self.tolerance {
                Some(text) => asset.amount(text)?,
                None => Amount::ZERO,
            },
        };
        let fees_apart = import.rows.iter().any(|entry| entry.reference.ends_with("#fee"));
        let ours = desk.book()?.entries(self.payments, fees_apart).await?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        let source = name.unwrap_or_else(|| "statement".to_owned());
        let said = counted(import.rows.len(), "entry");
        let evidence = Evidence { source, hash: Hash::of(&bytes), said };
        Ok((reconcile(&ours, &import.rows, &terms), evidence, import.bad))
    }

    async fn ask(&self, desk: &mut Desk) -> Result<Compared, Error> {
        let (till, clock) = (Till::open(&desk.project).await?, divvy::Clock::system());
        let sender = Arc::new(sender(&desk.project, clock.clone())?);
        let mut worker = till.worker(desk, sender.clone(), desk.project.worker)?;
        let book = desk.project.book.clone();
        let by: (&dyn divvy::Sender, &divvy::Clock) = (&*sender, &clock);
        let found =
            crate::cli::reconcile::reconcile(&mut desk.divvy, &book, &till, &mut worker, by)
                .await?;
        let source = match till.sandbox() {
            Some(_) => "the sandbox's statement".to_owned(),
            None => format!("what rail {} shows of the wallet", till.rail.name()),
        };
        let evidence = Evidence { source, hash: Hash::default(), said: String::new() };
        Ok((found, evidence, Vec::new()))
    }
}

/// What was found, in which statement, and what of that could not be read.
type Compared = (Reconciliation, Evidence, Vec<BadLine>);

fn say(
    desk: &mut Desk,
    found: &Reconciliation,
    bad: &[BadLine],
    out: &mut Out,
) -> Result<bool, Error> {
    for (side, places) in [("ours", &found.ours), ("theirs", &found.theirs)] {
        for (asset, places) in places {
            out.say(&format!(
                "{side} in {asset}, of {}: {} matched, {} in flight, {} held, {} broken",
                counted(places.everything.entries, "entry"),
                places.matched.entries,
                places.in_flight.entries,
                places.held.entries,
                places.broken.entries
            ));
        }
    }
    let values = say_open(desk, out)?;
    let any = !values.is_empty();
    out.value(&json!({
        "ours": found.ours, "theirs": found.theirs, "tolerated": found.tolerated,
        "breaks": values, "bad_lines": bad,
    }));
    Ok(any)
}

/// Says which differences are open, and returns them as values.
fn say_open(desk: &mut Desk, out: &mut Out) -> Result<Vec<Value>, Error> {
    let asset = desk.project.opened.asset.clone();
    let now = clock::now();
    let text = |amount: Option<Amount>| amount.map(|amount| asset.text(amount));
    let mut values: Vec<Value> = Vec::new();
    let book = desk.book()?;
    let open = |(_, known): &(&divvy::core::Name, &Break)| known.state != BreakState::Closed;
    for (id, known) in book.fold()?.breaks().filter(open) {
        let (ours, theirs) = (text(known.ours), text(known.theirs));
        let shown = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        let explained = match known.state {
            BreakState::Explained => format!("; explained: {}", known.reason),
            BreakState::Found | BreakState::Closed | _ => String::new(),
        };
        out.say(&format!(
            "break {id}: {} of {}, ours {}, theirs {}, {} old{explained}",
            known.cause.name(),
            known.reference,
            shown(&ours),
            shown(&theirs),
            counted(known.age_days(now), "day")
        ));
        values.push(json!({
            "id": id, "reference": known.reference, "cause": known.cause, "ours": ours,
            "theirs": theirs, "state": known.state, "reason": known.reason,
            "event_at": known.event_at, "since": known.since, "age_days": known.age_days(now),
        }));
    }
    if values.is_empty() {
        out.say("no break is open");
    }
    Ok(values)
}

/// Say something of a break.
#[derive(Debug, Subcommand)]
pub(crate) enum Breaks {
    /// Show which differences are open, how old they are, and what was said of them.
    List {
        /// The folder with `divvy.toml`.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Say why it is there; it stays open.
    Explain {
        /// Which one.
        id: String,
        /// unknown, timing, amount, fee, asset, party, direction, duplicate, unsourced,
        /// missing_ours or missing_theirs.
        #[arg(long)]
        cause: String,
        /// In your words.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        signer: Signer,
        /// The folder with `divvy.toml`.
        #[arg(long, default_value = ".")]
        dir: PathBuf,
    },
    /// Say that it is over.
    Close {
        /// Which one.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        signer: Signer,
        /// The folder with `divvy.toml`.
        #[arg(long, default_value = ".")]
        dir: PathBuf,
    },
}

impl Breaks {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match self {
            Self::List { dir } => {
                let values = say_open(&mut Desk::look(dir).await?, out)?;
                out.value(&json!({"breaks": values}));
                Ok(if values.is_empty() { Verdict::Done } else { Verdict::Look })
            }
            Self::Explain { id, cause, reason, dir, signer } => {
                Act { id, cause: Some(cause), reason, dir, signer }.run(out).await
            }
            Self::Close { id, reason, dir, signer } => {
                Act { id, cause: None, reason, dir, signer }.run(out).await
            }
        }
    }
}

/// What a person says of a break: its cause, or that it is done with.
struct Act<'a> {
    id: &'a str,
    cause: Option<&'a str>,
    reason: &'a str,
    dir: &'a Path,
    signer: &'a Signer,
}

impl Act<'_> {
    async fn run(self, out: &mut Out) -> Result<Verdict, Error> {
        let (Self { id, cause, reason, dir, signer }, now) = (self, clock::now());
        let mut desk = Desk::open(dir).await?;
        let key = signer.key()?;
        let judge = signer.judge(&desk, key.as_ref(), reason)?;
        let mut book = desk.book_by(judge)?;
        match cause {
            Some(cause) => {
                let cause = BreakCause::parse(cause).ok_or_else(|| {
                    let detail = format!("{cause:?} is no cause: use unknown when it is not known");
                    Error::new(Code::InputMalformed, detail)
                })?;
                book.explain_break(id, cause, reason, now).await?;
                out.say(&format!("break {id} is explained"));
            }
            None => {
                book.close_break(id, reason, now).await?;
                out.say(&format!("break {id} is closed"));
            }
        }
        out.value(&json!({"id": id}));
        desk.close().await.map(|()| Verdict::Done)
    }
}
