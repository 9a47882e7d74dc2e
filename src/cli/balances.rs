//! What payees bring along from before, from a host's own tables.

use clap::Args;
use divvy::core::{Amount, Asset, Brought, Error, Name};
use divvy::{BalanceRow, Import, clock, read_balances, read_file};
use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::cli::out::Out;
use crate::cli::setup::Desk;
use crate::cli::signer::Signer;
use crate::cli::take::{File, finish};
use crate::cli::words::{counted, one_or};

/// Balances are taken in by commits of so many.
const ROWS_MAX: usize = 1_000;

/// So many payees are named in sentences; `--json` names them all.
const NAMED_MAX: usize = 20;

/// What payees bring along from before.
#[derive(Args, Debug)]
pub(crate) struct Balances {
    #[command(flatten)]
    file: File,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    signer: Signer,
}

/// A file of balances against what the book has.
#[derive(Debug, Default)]
struct Differences {
    new: Vec<(Name, Brought)>,
    earned: Amount,
    paid: Amount,
    known: u64,
    /// Those who brought something else along before.
    conflicts: Vec<Value>,
    /// Those who bring something along, and have earned in this book already.
    adding: Vec<Value>,
}

impl Balances {
    pub(crate) async fn run(&self, out: &mut Out) -> Result<Verdict, Error> {
        let (path, now) = (&self.file.file, clock::now());
        let mut desk = Desk::open(&self.file.dir).await?;
        let asset = desk.project.opened.asset.clone();
        let import = read_balances(&read_file(path)?, path, &asset)?;
        if !self.dry_run {
            desk.set_up(now, out).await?;
        }
        let differences = Differences::find(&mut desk, &import, &asset).await?;
        differences.say(out, &asset, self.dry_run);
        if !self.dry_run {
            let (key, reason) = (self.signer.key()?, format!("as {} says", path.display()));
            for chunk in differences.new.chunks(ROWS_MAX) {
                let judge = self.signer.judge(&desk, key.as_ref(), &reason)?;
                desk.book_by(judge)?.bring(chunk, now).await?;
            }
        }
        let counts = differences.counts(&asset, self.dry_run);
        let verdict = finish(desk, path, &import.bad, out, counts).await?;
        Ok(if differences.conflicts.is_empty() { verdict } else { Verdict::Look })
    }
}

impl Differences {
    async fn find(
        desk: &mut Desk,
        import: &Import<BalanceRow>,
        asset: &Asset,
    ) -> Result<Self, Error> {
        let mut found = Self::default();
        let Ok(mut book) = desk.book() else {
            // Before anything was set up there is no book, and nothing to compare with.
            for row in &import.rows {
                found.bring(row)?;
            }
            return Ok(found);
        };
        let now = clock::now();
        for row in &import.rows {
            let file = [row.brought.earned, row.brought.paid];
            match book.brought(&row.payee).await? {
                Some(before) if [before.earned, before.paid] == file => {
                    found.known = found.known.saturating_add(1);
                }
                Some(before) => {
                    let book = [before.earned, before.paid];
                    found.conflicts.push(differs(row, file, book, asset));
                }
                None => {
                    found.bring(row)?;
                    let balance = book.balance(row.payee.as_str(), now).await;
                    if let Some(balance) = balance.ok().filter(|has| !has.earned.is_zero()) {
                        let book = [balance.earned, balance.paid];
                        found.adding.push(differs(row, file, book, asset));
                    }
                }
            }
        }
        Ok(found)
    }

    fn bring(&mut self, row: &BalanceRow) -> Result<(), Error> {
        self.earned = self.earned.plus(row.brought.earned)?;
        self.paid = self.paid.plus(row.brought.paid)?;
        self.new.push((row.payee.clone(), row.brought.clone()));
        Ok(())
    }

    fn say(&self, out: &mut Out, asset: &Asset, dry_run: bool) {
        let verb = one_or(self.new.len(), "brings", "bring");
        let verb = if dry_run { "would bring" } else { verb };
        out.say(&format!(
            "{} {verb} {} {} along, of which {} is paid; {} known before, {} contradicted",
            counted(self.new.len(), "payee"),
            asset.text(self.earned),
            asset.code(),
            asset.text(self.paid),
            self.known,
            self.conflicts.len()
        ));
        name(out, "contradicts what was brought before, which stays", &self.conflicts);
        name(out, "adds to what the book has", &self.adding);
    }

    fn counts(&self, asset: &Asset, dry_run: bool) -> Value {
        json!({
            "dry_run": dry_run, "new": self.new.len(), "known": self.known,
            "earned": asset.text(self.earned), "paid": asset.text(self.paid),
            "conflicts": self.conflicts, "adding": self.adding,
        })
    }
}

/// The file's figures of a payee beside the book's.
fn differs(row: &BalanceRow, file: [Amount; 2], book: [Amount; 2], asset: &Asset) -> Value {
    let text = |amount| asset.text(amount);
    let sums = |[earned, paid]: [Amount; 2]| json!({"earned": text(earned), "paid": text(paid)});
    json!({"line": row.line, "payee": row.payee, "file": sums(file), "book": sums(book)})
}

fn name(out: &mut Out, what: &str, all: &[Value]) {
    for one in all.iter().take(NAMED_MAX) {
        let text = |side: &str, sum: &str| {
            one.pointer(&format!("/{side}/{sum}")).and_then(Value::as_str).unwrap_or_default()
        };
        let payee = one.get("payee").and_then(Value::as_str).unwrap_or_default();
        out.say(&format!(
            "{payee} {what}: earned {} and paid {} in the file, {} and {} in the book",
            text("file", "earned"),
            text("file", "paid"),
            text("book", "earned"),
            text("book", "paid")
        ));
    }
    let left = all.len().saturating_sub(NAMED_MAX);
    if left > 0 {
        out.say(&format!("… and {left} more; --json names them"));
    }
}
