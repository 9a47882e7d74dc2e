//! Taking in: holders, payments, declarations.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use divvy::core::{Code, Error, Funds as Noted, Judge, Payment, Time};
use divvy::{
    BadLine, HolderRow, PaymentsFile, Recording, clock, read_file, read_funds, read_holders,
    read_payments,
};
use serde_json::json;

use crate::cli::Verdict;
use crate::cli::balances::Balances;
use crate::cli::halves::Halves;
use crate::cli::out::Out;
use crate::cli::payee::chosen;
use crate::cli::refund::Refunds;
use crate::cli::setup::{Desk, say_bad_lines};
use crate::cli::signer::Signer;
use crate::cli::words::counted;

/// Take in files.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// A cap table: holder,units and an optional destination.
    Holders(File),
    /// Payments: id,paid_at,amount and an optional payer.
    Payments(File),
    /// What no payment tells of the treasury: id,purpose,amount,at and an optional expected_on.
    Funds(Funds),
    /// Refunds and disputes: id,payment,refunded_at,amount and an optional cause.
    Refunds(Refunds),
    /// What payees bring along from before: payee,earned and an optional paid.
    Balances(Balances),
}

/// A file for a project.
#[derive(Debug, clap::Args)]
pub(crate) struct File {
    /// The file: CSV or JSON lines, plain or compressed with gzip.
    pub(crate) file: PathBuf,
    /// The folder with `divvy.toml`.
    #[arg(long, default_value = ".")]
    pub(crate) dir: PathBuf,
}

/// A file of funds.
#[derive(Debug, clap::Args)]
pub(crate) struct Funds {
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    signer: Signer,
}

/// What became of many payments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) new: u64,
    pub(crate) known: u64,
    pub(crate) conflicts: u64,
}

impl Import {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        match self {
            Self::Holders(file) => holders(file, out).await,
            Self::Payments(file) => payments(file, out).await,
            Self::Funds(Funds { file, signer }) => funds(file, signer, out).await,
            Self::Refunds(refunds) => refunds.run(out).await,
            Self::Balances(balances) => balances.run(out).await,
        }
    }
}

async fn holders(file: &File, out: &mut Out) -> Result<Verdict, Error> {
    let mut desk = Desk::open(&file.dir).await?;
    let now = clock::now();
    desk.project.pool = desk.project.pool.take().map(|mut pool| {
        pool.holders = Some(file.file.clone());
        pool
    });
    if desk.project.pool.is_none() {
        let detail = "divvy.toml has no [pool]: holders hold units of one";
        return Err(Error::new(Code::InputMalformed, detail));
    }
    let bad = desk.set_up(now, out).await?;
    let import = read_holders(&read_file(&file.file)?)?;
    let differ = differences(&mut desk, &import.rows, now)?;
    for one in differ.iter().take(NAMED_MAX) {
        out.say(&format!("look: {one}"));
    }
    let more = differ.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        out.say(&format!("… and {more} more; --json names them"));
    }
    let known = import.rows.len();
    if differ.is_empty() {
        out.say(&format!("the book has {} as the file says", counted(known, "holder")));
    }
    let verdict =
        finish(desk, &file.file, &bad, out, json!({"holders": known, "differ": differ})).await?;
    Ok(if differ.is_empty() { verdict } else { Verdict::Look })
}

/// Where a file of holders says something else than the book, which keeps what it knows: units come
/// and go one by one, and an address is changed by whoever it belongs to.
fn differences(desk: &mut Desk, rows: &[HolderRow], now: Time) -> Result<Vec<String>, Error> {
    let Some(pool) = desk.project.pool.as_ref().map(|pool| pool.name.clone()) else {
        return Ok(Vec::new());
    };
    let book = desk.book()?;
    let fold = book.fold()?;
    let mut differ = Vec::new();
    for HolderRow { holder, units, destination, .. } in rows {
        let held = fold.units(pool.as_str(), holder.as_str())?;
        if held != *units {
            differ.push(format!(
                "{holder} holds {held} of {pool} and not {units}: `divvy stake` and `unstake` \
                 change that"
            ));
        }
        let Some(told) = destination else { continue };
        let known = chosen(fold, holder.as_str(), now)?.map(|known| known.address);
        if known.as_ref() != Some(told) {
            let known = known.unwrap_or_else(|| "no address".to_owned());
            differ.push(format!(
                "{holder} is paid at {known} and not at {told}: `divvy payee` changes that"
            ));
        }
    }
    Ok(differ)
}

/// So many differences are named in sentences; `--json` names them all.
const NAMED_MAX: usize = 10;

async fn payments(file: &File, out: &mut Out) -> Result<Verdict, Error> {
    let mut desk = Desk::open(&file.dir).await?;
    let now = clock::now();
    desk.set_up(now, out).await?;
    let mut settings = payments_settings(&desk)?;
    settings.file.clone_from(&file.file);
    let asset = desk.project.opened.asset.clone();
    let mut import = read_payments(&read_file(&file.file)?, &settings, &asset)?;
    let (taken, bad) = record(&mut desk, &import.rows, now, out).await?;
    import.bad.extend(bad);
    import.bad.sort_by_key(|bad| bad.line);
    out.say(&format!("{} recorded, {} known before", counted(taken.new, "payment"), taken.known));
    let verdict = finish(desk, &file.file, &import.bad, out, taken.counts()).await?;
    Ok(if taken.conflicts > 0 { Verdict::Look } else { verdict })
}

async fn funds(file: &File, signer: &Signer, out: &mut Out) -> Result<Verdict, Error> {
    let mut desk = Desk::open(&file.dir).await?;
    let now = clock::now();
    desk.set_up(now, out).await?;
    let name = file.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let asset = desk.project.opened.asset.clone();
    let mut import = read_funds(&read_file(&file.file)?, &name.unwrap_or_default(), &asset)?;
    let (key, reason) = (signer.key()?, format!("as {} says", file.file.display()));
    let judge = signer.judge(&desk, key.as_ref(), &reason)?;
    let (new, bad) = note(&mut desk, judge.as_ref(), &import.rows, now).await?;
    let known = import.rows.len().saturating_sub(new).saturating_sub(bad.len());
    import.bad.extend(bad);
    import.bad.sort_by_key(|bad| bad.line);
    out.say(&format!("{} noted, {known} known before", counted(new, "movement")));
    finish(desk, &file.file, &import.bad, out, json!({"new": new, "known": known})).await
}

/// Notes funds. Those that contradict what was noted before are bad lines, and the rest goes on.
async fn note(
    desk: &mut Desk,
    judge: Option<&Judge<'_>>,
    funds: &[Noted],
    now: Time,
) -> Result<(usize, Vec<BadLine>), Error> {
    let (mut new, mut halves) = (0_usize, Halves::of(funds));
    while let Some(some) = halves.pop() {
        match desk.book_by(judge.cloned())?.note_funds(some, now).await {
            Ok(count) => new = new.saturating_add(count),
            Err(error) if error.code() == Code::TreasuryConflict => {
                halves.refuse(some, &error, |one| &one.evidence);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((new, halves.bad))
}

/// Where payments come from when the settings do not say.
pub(crate) fn payments_settings(desk: &Desk) -> Result<PaymentsFile, Error> {
    match &desk.project.payments {
        Some(settings) => Ok(settings.clone()),
        None => PaymentsFile::plain(desk.project.opened.asset.clone()),
    }
}

/// Records payments, and says which of them contradict what was recorded before. One that cannot
/// be recorded is a bad line, and the rest goes on.
pub(crate) async fn record(
    desk: &mut Desk,
    payments: &[Payment],
    now: Time,
    out: &mut Out,
) -> Result<(Taken, Vec<BadLine>), Error> {
    let (mut taken, mut halves) = (Taken::default(), Halves::of(payments));
    while let Some(some) = halves.pop() {
        match desk.book()?.record(some, now).await {
            Ok(recordings) => recordings.iter().for_each(|one| taken.count(one, out)),
            Err(error) if is_of_a_line(&error) => halves.refuse(some, &error, Payment::evidence),
            Err(error) => return Err(error),
        }
    }
    Ok((taken, halves.bad))
}

/// Whether one payment is to blame, and not the book or the world.
const fn is_of_a_line(error: &Error) -> bool {
    use Code::{AmountAboveCeiling, ClockAhead, PaymentMalformed, RuleMissing};
    matches!(error.code(), AmountAboveCeiling | ClockAhead | PaymentMalformed | RuleMissing)
}

pub(crate) async fn finish(
    desk: Desk,
    file: &Path,
    bad: &[BadLine],
    out: &mut Out,
    counts: serde_json::Value,
) -> Result<Verdict, Error> {
    desk.close().await?;
    say_bad_lines(out, file, bad);
    out.value(&json!({"counts": counts, "bad_lines": bad}));
    Ok(if bad.is_empty() { Verdict::Done } else { Verdict::Look })
}

/// `divvy declare`.
pub(crate) async fn declare(dir: &Path, out: &mut Out) -> Result<Verdict, Error> {
    let mut desk = Desk::open(dir).await?;
    let asset = desk.project.opened.asset.clone();
    let before = desk.book()?.fold()?.totals().deficit;
    let declared = desk.book()?.declare(clock::now()).await?;
    let netted = before.less(desk.book()?.fold()?.totals().deficit);
    let (text, code) = (asset.text(declared), asset.code());
    out.say(&format!("{text} {code} declared"));
    if !netted.is_zero() {
        let netted = asset.text(netted);
        out.say(&format!("{netted} {code} more made up for what had gone back before"));
    }
    out.value(&json!({
        "declared": text, "netted": asset.text(netted), "asset": asset.to_string(),
    }));
    desk.close().await.map(|()| Verdict::Done)
}

impl Taken {
    /// Counts one outcome, and says which one contradicts what was recorded before.
    pub(crate) fn count(&mut self, recording: &Recording, out: &mut Out) {
        match recording {
            Recording::New => self.new = self.new.saturating_add(1),
            Recording::Known => self.known = self.known.saturating_add(1),
            Recording::Conflict(error) => {
                self.conflicts = self.conflicts.saturating_add(1);
                out.say(&format!("conflict: {error}"));
            }
            _ => (),
        }
    }

    pub(crate) fn counts(&self) -> serde_json::Value {
        json!({"new": self.new, "known": self.known, "conflicts": self.conflicts})
    }

    /// Both together.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            new: self.new.saturating_add(other.new),
            known: self.known.saturating_add(other.known),
            conflicts: self.conflicts.saturating_add(other.conflicts),
        }
    }
}
