//! `divvy approvals` and `divvy approve`: who has to say yes, and who does.

use std::path::PathBuf;

use clap::Args;
use divvy::clock;
use divvy::core::{
    Approved, Batch, Code, Error, Name, Next, SecretKey, State, Stream, Time, Timing,
};
use divvy::read_key;
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::pay::borne;
use crate::cli::setup::Desk;
use crate::cli::words::counted;

/// Show what waits for approvals, and since when.
#[derive(Args, Debug)]
pub(crate) struct Approvals {
    /// The folder with `divvy.toml`.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// Approve batches as they are planned.
#[derive(Args, Debug)]
pub(crate) struct Approve {
    /// The folder with `divvy.toml`.
    dir: PathBuf,
    /// The batches, as `divvy approvals` names them.
    #[arg(required = true)]
    batches: Vec<String>,
    /// The file with your key.
    #[arg(long, env = "DIVVY_KEY")]
    key: PathBuf,
}

impl Approvals {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::look(&self.dir).await?;
        let (asset, now) = (desk.project.opened.asset.clone(), clock::now());
        let mut values: Vec<Value> = Vec::new();
        for (batch, since) in waiting(&mut desk, now).await? {
            let Some(asked) = batch.asked() else { continue };
            let counts = |(_, until): &(&Name, Time)| *until >= now;
            let said: Vec<&Name> = batch.approvals().filter(counts).map(|(by, _)| by).collect();
            let (total, code) = (asset.text(batch.total()), asset.code());
            let fee = asset.text(asked.fee_max);
            out.say(&format!(
                "{}: {total} {code} in {} over {}, at a cost of {fee} at most, since \
                 {since}; {} of {} approved",
                batch.stream(),
                counted(batch.lines().len(), "line"),
                batch.rail(),
                said.len(),
                asked.approvals,
            ));
            for line in batch.lines() {
                let amount = asset.text(line.amount);
                let borne = borne(line, &asset);
                out.say(&format!("{amount:>18}  {} to {}{borne}", line.payee, line.to));
            }
            let people: Vec<&Name> = asked.people.iter().map(|person| &person.name).collect();
            values.push(json!({
                "batch": batch.stream(), "total": total, "lines": batch.lines().len(),
                "rail": batch.rail(), "fee_max": fee, "since": since, "approved": said,
                "approvals": asked.approvals, "people": people,
            }));
        }
        if values.is_empty() {
            out.say("nothing waits for approvals");
        }
        out.value(&json!({"asset": asset.to_string(), "waiting": values}));
        Ok(if values.is_empty() { Verdict::Done } else { Verdict::Look })
    }
}

impl Approve {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.dir).await?;
        let key = read_key(&self.key)?;
        let mut values: Vec<Value> = Vec::new();
        for stream in &self.batches {
            let stream = Stream::parse(stream)?;
            let batch = desk.book()?.batch(&stream).await?;
            let signed_at = clock::now().max(desk.divvy.books().newest());
            let by = name_of(&batch, &key)?;
            let signature = key.sign(&batch.approval(signed_at)?);
            let approved = Approved { by: by.clone(), signed_at, signature };
            desk.book()?.approve(&stream, &approved, signed_at).await?;
            let batch = desk.book()?.batch(&stream).await?;
            let needed = batch.asked().map_or(0, |asked| asked.approvals);
            let count = batch.approvals().filter(|(_, until)| *until >= signed_at).count();
            out.say(&format!("{by} approved {stream}; {count} of {needed}"));
            values.push(json!({
                "batch": stream, "by": by, "approved": count, "approvals": needed,
            }));
        }
        out.value(&json!({"approved": values}));
        desk.close().await.map(|()| Verdict::Done)
    }
}

/// What waits for people, oldest first, with the time at which it was planned.
pub(crate) async fn waiting(desk: &mut Desk, now: Time) -> Result<Vec<(Batch, Time)>, Error> {
    let mut waiting = Vec::new();
    let book = desk.book()?;
    let fold = book.fold()?;
    let unsigned = |stream: &Stream| fold.batch_state(stream) == Some(State::Planned);
    let open: Vec<Stream> = fold.open_batches().into_iter().filter(unsigned).collect();
    for stream in open {
        let facts = desk.book()?.read(&stream).await?;
        let batch = Batch::fold(&facts)?;
        if batch.next(now, None, NO_TIMING) == Next::Approve {
            waiting.push((batch, facts.first().map_or(now, |fact| fact.at)));
        }
    }
    Ok(waiting)
}

/// Who among those who are asked has this key.
fn name_of(batch: &Batch, key: &SecretKey) -> Result<Name, Error> {
    let public = key.public();
    let people = batch.asked().map_or(&[][..], |asked| &asked.people);
    let person = people.iter().find(|person| person.key == public);
    person.map(|person| person.name.clone()).ok_or_else(|| {
        let detail = format!("nobody with this key is asked to approve {}", batch.stream());
        Error::new(Code::SignatureWrong, detail)
    })
}

/// What waits for people waits for no rail.
const NO_TIMING: Timing = Timing { grace_secs: 0, deadline_secs_max: 0, watch_secs: 0 };
