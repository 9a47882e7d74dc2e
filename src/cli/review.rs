//! `divvy review`: what waits for a person, and what they decide.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use divvy::core::{
    Batch, Body, Code, Error, Evidence, Explanation, Fact, Hash, Judge, Name, Resolution,
    SecretKey, State, Stream, Subject, Verdict as Said,
};
use divvy::{Clock, clock};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::signer::Signer;
use crate::cli::till::{Till, sender};
use crate::cli::words::counted;

/// Show what waits for a person, and since when; or say what became of it.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Review {
    #[command(subcommand)]
    act: Option<Act>,
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Say what became of a batch in review, or that one moved after all that was decided before.
    Resolve(Resolve),
    /// Hold a payee: accrual goes on, nothing is paid.
    Hold(Payee),
    /// Let a held payee be paid again.
    Release(Payee),
}

/// Who decides, and why.
#[derive(Args, Debug)]
struct Decision {
    /// Why.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    signer: Signer,
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

#[derive(Args, Debug)]
struct Resolve {
    /// The batch, as `divvy review` names it.
    batch: String,
    #[command(flatten)]
    said: Outcome,
    /// Which of its tries moved, where several may have.
    #[arg(long = "try", value_name = "REFERENCE", requires = "settled")]
    reference: Option<String>,
    /// What you know it from; its hash is kept, and not the file.
    #[arg(long)]
    evidence: Option<PathBuf>,
    #[command(flatten)]
    decision: Decision,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Outcome {
    /// Its money moved.
    #[arg(long)]
    settled: bool,
    /// It never moved and never will: sign it anew. The rail's own listing has to lack it.
    #[arg(long)]
    void: bool,
    /// It never moved and never will: its lines are payable again. The same listing is needed.
    #[arg(long)]
    refused: bool,
}

#[derive(Args, Debug)]
struct Payee {
    /// The payee.
    payee: String,
    #[command(flatten)]
    decision: Decision,
}

impl Review {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match &self.act {
            None => list(&self.dir, out).await,
            Some(Act::Resolve(resolve)) => resolve.run(out).await,
            Some(Act::Hold(payee)) => payee.hold(out).await,
            Some(Act::Release(payee)) => payee.release(out).await,
        }
    }
}

/// Every batch in review, with what is known of it.
async fn list(dir: &Path, out: &mut Out) -> Result<Verdict, Error> {
    let mut desk = Desk::look(dir).await?;
    let now = clock::now();
    let asset = desk.project.opened.asset.clone();
    let mut values: Vec<Value> = Vec::new();
    let book = desk.book()?;
    for stream in book.fold()?.open_batches() {
        let facts = book.read(&stream).await?;
        let batch = Batch::fold(&facts)?;
        if batch.state() != State::Review {
            continue;
        }
        let (since, why) = reviewed(&facts, &batch);
        let hours = now.millis_since(since).checked_div(3_600_000).unwrap_or(0);
        let total = asset.text(batch.total());
        out.say(&format!(
            "{stream}: {total} {} in {} over {}, since {since}, for {}: {why}",
            asset.code(),
            counted(batch.lines().len(), "line"),
            batch.rail(),
            counted(hours, "hour")
        ));
        for try_ in batch.tries() {
            let (signed, fate) = (&try_.signed, try_.fate);
            let (reference, deadline) = (&signed.reference, signed.deadline);
            out.say(&format!(
                "{:>18}  try {reference}, until {deadline}",
                format!("{fate:?}").to_lowercase()
            ));
        }
        // All that is known of it: what was signed when, what the rail said of it, who decided.
        let subject = Subject::Batch(stream.clone());
        let mut explanation = Explanation::new(subject, asset.clone())?;
        explanation.feed(&facts)?;
        let story = explanation.finish();
        story.iter().for_each(|chapter| out.say(&format!("{:>18}  {chapter}", "")));
        let tries: Vec<&String> = batch.tries().iter().map(|try_| &try_.signed.reference).collect();
        values.push(json!({
            "batch": stream, "total": total, "lines": batch.lines().len(), "rail": batch.rail(),
            "since": since, "age_hours": hours, "why": why, "tries": tries, "story": story,
        }));
    }
    if values.is_empty() {
        out.say("nothing is in review");
    }
    out.value(&json!({"asset": asset.to_string(), "review": values}));
    Ok(if values.is_empty() { Verdict::Done } else { Verdict::Look })
}

/// Since when a batch is in review, and why.
fn reviewed(facts: &[Fact], batch: &Batch) -> (divvy::core::Time, String) {
    let review = |fact: &Fact| match fact.body() {
        Ok(Body::Review(review)) => Some((fact.at, review.reason)),
        _ => None,
    };
    let at = facts.first().map_or(batch.settled_at(), |fact| fact.at);
    facts.iter().rev().find_map(review).unwrap_or((at, String::new()))
}

impl Resolve {
    async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.decision.dir).await?;
        let key = self.decision.key()?;
        let judge = self.decision.judge(&desk, key.as_ref())?;
        let stream = Stream::parse(&self.batch)?;
        let till = Till::open(&desk.project).await?;
        let verdict = self.said.verdict();
        let batch = desk.book()?.batch(&stream).await?;
        let listing = if verdict == Said::Settled {
            None
        } else {
            let clock = Clock::system();
            let sender = Arc::new(sender(&desk.project, clock.clone())?);
            let mut worker = till.worker(&desk, sender, desk.project.worker)?;
            Some(worker.listing(&mut desk.divvy, &batch, &clock).await?)
        };
        let evidence = self.evidence(&judge)?;
        let timing = till.rail.timing();
        let reference = self.reference.clone();
        let resolution = Resolution { verdict, reference, evidence, listing, timing };
        desk.book()?.resolve(&stream, &resolution, &judge, clock::now()).await?;
        let state = format!("{:?}", desk.book()?.batch(&stream).await?.state()).to_lowercase();
        out.say(&format!("{} decided: {stream} is {state}", judge.by));
        out.value(&json!({"batch": stream, "state": state, "by": judge.by}));
        desk.close().await.map(|()| Verdict::Done)
    }

    /// The file by its name and hash, or the person's word.
    fn evidence(&self, judge: &Judge<'_>) -> Result<Evidence, Error> {
        let said = judge.reason.clone();
        let Some(file) = &self.evidence else {
            let source = format!("{} said so", judge.by);
            return Ok(Evidence { source, hash: Hash::of(said.as_bytes()), said });
        };
        let bytes = std::fs::read(file).map_err(|error| {
            let detail = format!("cannot read {}: {error}", file.display());
            Error::new(Code::FileUnusable, detail)
        })?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Ok(Evidence { source: format!("{name}, from {}", judge.by), hash: Hash::of(&bytes), said })
    }
}

impl Outcome {
    const fn verdict(&self) -> Said {
        if self.settled {
            Said::Settled
        } else if self.void {
            Said::Void
        } else {
            Said::Refused
        }
    }
}

impl Payee {
    async fn hold(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.decision.dir).await?;
        let key = self.decision.key()?;
        let judge = self.decision.judge(&desk, key.as_ref())?;
        let (payee, by) = (Name::new(&self.payee)?, judge.by.clone());
        desk.book()?.by(judge).hold(&payee, &self.decision.reason, clock::now()).await?;
        Self::say(&payee, &by, "is held", out);
        desk.close().await.map(|()| Verdict::Done)
    }

    async fn release(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.decision.dir).await?;
        let key = self.decision.key()?;
        let judge = self.decision.judge(&desk, key.as_ref())?;
        let (payee, by) = (Name::new(&self.payee)?, judge.by.clone());
        desk.book()?.by(judge).release(&payee, &self.decision.reason, clock::now()).await?;
        Self::say(&payee, &by, "is paid again", out);
        desk.close().await.map(|()| Verdict::Done)
    }

    fn say(payee: &Name, by: &Name, what: &str, out: &mut Out) {
        out.say(&format!("{by} decided: {payee} {what}"));
        out.value(&json!({"payee": payee, "by": by}));
    }
}

impl Decision {
    fn key(&self) -> Result<Option<SecretKey>, Error> {
        self.signer.key()
    }

    fn judge<'a>(&self, desk: &Desk, key: Option<&'a SecretKey>) -> Result<Judge<'a>, Error> {
        self.signer.judge(desk, key, &self.reason)?.ok_or_else(|| {
            let detail = "a decision needs a name: use --key, or --by where the book knows nobody";
            Error::new(Code::InputMalformed, detail)
        })
    }
}
