//! Money that goes back: one refund or dispute by hand, many from a file, and how disputes end.

use std::path::{Path, PathBuf};

use clap::Args;
use divvy::core::danger::{VouchedReversal, vouched_reversal};
use divvy::core::{Asset, Cause, Code, Error, Evidence, Hash, Reversal, Stream, Time};
use divvy::{BadLine, Ended, Makeup, Recording, clock, named_payment, read_file, read_refunds};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::take::{File, Taken, finish, payments_settings};
use crate::cli::words::counted;

/// Take back what went back of a payment.
#[derive(Args, Debug)]
pub(crate) struct Refund {
    #[command(flatten)]
    subject: Subject,
    /// How much goes back, in the asset that was paid.
    #[arg(long)]
    amount: String,
    /// When the provider says that it happened; now, where it is left out.
    #[arg(long)]
    at: Option<String>,
    /// The payer had it taken back, and it may still be won.
    #[arg(long, conflicts_with = "failed")]
    dispute: bool,
    /// The payment failed after it had been reported.
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    makeup: Mirror,
}

/// Which reversal of which payment, and who says so.
#[derive(Args, Debug)]
struct Subject {
    /// The payment: payment/<source>/<account>/<id>, or its id where payments come from a file.
    payment: String,
    /// What the provider calls this refund or dispute. The same twice is one.
    #[arg(long)]
    id: String,
    /// How you know, in a few words; it is kept.
    #[arg(long, default_value = "")]
    because: String,
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// How pools make up for it.
#[derive(Args, Clone, Copy, Debug)]
struct Mirror {
    /// Take a pool's part from those who held units when it was declared, instead of keeping it
    /// back from the next declarations.
    #[arg(long)]
    mirror: bool,
}

/// How a refund or dispute ended.
#[derive(Args, Debug)]
pub(crate) struct Ending {
    #[command(flatten)]
    subject: Subject,
}

/// Refunds and disputes from a file.
#[derive(Args, Debug)]
pub(crate) struct Refunds {
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    makeup: Mirror,
}

impl Mirror {
    const fn makeup(self) -> Makeup {
        if self.mirror { Makeup::Mirror } else { Makeup::Net }
    }
}

impl Subject {
    async fn open(&self) -> Result<(Desk, Stream), Error> {
        let desk = Desk::open(&self.dir).await?;
        let payment = named_payment(&self.payment, &payments_settings(&desk)?)?;
        Ok((desk, payment))
    }

    /// The operator's own word.
    fn evidence(&self) -> Evidence {
        let said = self.because.clone();
        Evidence { source: "operator".into(), hash: Hash::of(said.as_bytes()), said }
    }
}

impl Refund {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let (mut desk, payment) = self.subject.open().await?;
        let now = clock::now();
        let asset = paid_in(&mut desk, &payment).await?;
        let reversal = vouched_reversal(VouchedReversal {
            payment: payment.clone(),
            id: self.subject.id.clone(),
            cause: self.cause(),
            amount: asset.amount(&self.amount)?,
            event_at: self.at.as_deref().map_or(Ok(now), Time::parse)?,
            evidence: self.subject.evidence(),
        });
        let makeup = self.makeup.makeup();
        let done = desk.book()?.reverse(&[reversal], makeup, now).await?;
        let done = done.into_iter().next().unwrap_or(Recording::Known);
        tell(desk, &payment, &done, "went back", out).await
    }

    const fn cause(&self) -> Cause {
        match (self.dispute, self.failed) {
            (true, _) => Cause::Dispute,
            (false, true) => Cause::Failure,
            (false, false) => Cause::Refund,
        }
    }
}

impl Ending {
    pub(crate) async fn restore(&self, out: &mut Out) -> Result<Verdict, Error> {
        let (mut desk, payment) = self.subject.open().await?;
        let (id, evidence) = (&self.subject.id, self.subject.evidence());
        let done = desk.book()?.restore(&payment, id, &evidence, clock::now()).await?;
        tell(desk, &payment, &done, "came again", out).await
    }

    pub(crate) async fn lose(&self, out: &mut Out) -> Result<Verdict, Error> {
        let (mut desk, payment) = self.subject.open().await?;
        let (id, evidence) = (&self.subject.id, self.subject.evidence());
        let done = desk.book()?.lose(&payment, id, &evidence, clock::now()).await?;
        tell(desk, &payment, &done, "stays away", out).await
    }
}

/// The asset in which a payment was paid: what goes back is told in it.
async fn paid_in(desk: &mut Desk, payment: &Stream) -> Result<Asset, Error> {
    let asset = desk.project.opened.asset.clone();
    let movement = desk.book()?.movement(payment).await?;
    let converted = movement.recorded().converted.as_ref();
    Ok(converted.map_or(asset, |converted| converted.asset.clone()))
}

async fn tell(
    mut desk: Desk,
    payment: &Stream,
    done: &Recording,
    what: &str,
    out: &mut Out,
) -> Result<Verdict, Error> {
    let asset = desk.project.opened.asset.clone();
    let reversed = desk.book()?.movement(payment).await?.reversed();
    desk.close().await?;
    let (said, verdict) = match done {
        Recording::Conflict(error) => (format!("conflict: {error}"), Verdict::Look),
        Recording::Known => ("known before: nothing changed".to_owned(), Verdict::Done),
        Recording::New | _ => (format!("recorded: it {what}"), Verdict::Done),
    };
    let (text, code) = (asset.text(reversed), asset.code());
    out.say(&format!("{said}; of {payment}, {text} {code} is away now"));
    let new = matches!(done, Recording::New);
    out.value(&json!({"payment": payment, "new": new, "said": said, "reversed": text}));
    Ok(verdict)
}

impl Refunds {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let mut desk = Desk::open(&self.file.dir).await?;
        let (path, settings) = (&self.file.file, payments_settings(&desk)?);
        let mut import = read_refunds(&read_file(path)?, path, &settings)?;
        let (mut taken, now) = (Taken::default(), clock::now());
        for row in import.rows {
            let mut done = take_back(&mut desk, &row.reversal, self.makeup.makeup(), now).await?;
            if let (Ok(recording), Some(ended)) = (&done, &row.ended) {
                taken.count(recording, out);
                done = end_one(&mut desk, &row.reversal, ended, now).await?;
            } else if let Ok(recording) = &done {
                taken.count(recording, out);
            }
            let bad = done.err().map(|problem| BadLine { line: row.line, problem });
            import.bad.extend(bad);
        }
        import.bad.sort_by_key(|bad| bad.line);
        end(desk, path, &import.bad, taken, out).await
    }
}

/// What came of a line, or why its payment refuses it: that is told like any other bad line, and
/// the rest goes on.
type Done = Result<Recording, String>;

/// Takes back what went back of one payment.
pub(crate) async fn take_back(
    desk: &mut Desk,
    reversal: &Reversal,
    makeup: Makeup,
    now: Time,
) -> Result<Done, Error> {
    let done = desk.book()?.reverse(std::slice::from_ref(reversal), makeup, now).await;
    or_refused(done.map(|done| done.into_iter().next().unwrap_or(Recording::Known)))
}

/// Takes in how a refund or dispute ended.
pub(crate) async fn end_one(
    desk: &mut Desk,
    reversal: &Reversal,
    ended: &Ended,
    now: Time,
) -> Result<Done, Error> {
    let (payment, id, evidence) = (reversal.payment(), reversal.id(), reversal.evidence());
    let mut book = desk.book()?;
    or_refused(if ended.stays_away {
        book.lose(payment, id, evidence, now).await
    } else {
        book.restore(payment, id, evidence, now).await
    })
}

fn or_refused(done: Result<Recording, Error>) -> Result<Done, Error> {
    use Code::{PaymentConflict, PaymentMalformed, PaymentUnknown};
    match done {
        Err(error)
            if matches!(error.code(), PaymentUnknown | PaymentMalformed | PaymentConflict) =>
        {
            Ok(Err(error.to_string()))
        }
        done => done.map(Ok),
    }
}

async fn end(
    desk: Desk,
    path: &Path,
    bad: &[BadLine],
    taken: Taken,
    out: &mut Out,
) -> Result<Verdict, Error> {
    out.say(&format!("{} recorded, {} known before", counted(taken.new, "refund"), taken.known));
    let counts: Value = taken.counts();
    let verdict = finish(desk, path, bad, out, counts).await?;
    Ok(if taken.conflicts > 0 { Verdict::Look } else { verdict })
}
