//! Our facts against the rail's own statement, line by line.

use std::collections::{HashMap, HashSet};

use divvy::core::{
    self, Amount, Asset, Batch, Break, BreakCause, BreakState, Code, Direction, Entry, Error, Fate,
    Firmness, Line, Name, Place, Places, Reconciliation, Standing, State, Stranger, StrangerLine,
    Stream, Terms, Time, Try,
};
use divvy::sandbox::Sandbox;
use divvy::{Clock, Divvy, Sender, Worker};
use serde::Deserialize;

use crate::cli::till::Till;

/// How two accounts of the same payouts compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Comparison {
    /// Lines that both have, with the same payee's address and amount.
    pub(crate) matched: u64,
    /// Lines that we say were paid, and the statement does not.
    pub(crate) ours_only: u64,
    /// Lines that the statement says were paid, and we do not.
    pub(crate) theirs_only: u64,
    /// Lines that both have, with another address or amount.
    pub(crate) different: u64,
    /// Lines that the statement says were paid, and of which we know nothing for sure yet: their
    /// batch is open, or waits for a person.
    pub(crate) undecided: u64,
}

impl Comparison {
    /// A comparison in figures.
    pub(crate) fn of(found: &Reconciliation) -> Self {
        let count = |causes: &[BreakCause]| {
            let own = found.breaks.iter().filter(|one| causes.contains(&one.cause)).count();
            u64::try_from(own).unwrap_or(u64::MAX)
        };
        let ours_only = count(&[BreakCause::MissingTheirs]);
        let theirs_only = count(&[BreakCause::MissingOurs, BreakCause::Duplicate]);
        let all = u64::try_from(found.breaks.len()).unwrap_or(u64::MAX);
        let undecided =
            |places: &Places| places.in_flight.entries.saturating_add(places.held.entries);
        Self {
            matched: found.ours.values().map(|places| places.matched.entries).sum(),
            ours_only,
            theirs_only,
            different: all.saturating_sub(ours_only).saturating_sub(theirs_only),
            undecided: found.theirs.values().map(undecided).sum(),
        }
    }

    pub(crate) const fn is_equal(&self) -> bool {
        self.ours_only == 0 && self.theirs_only == 0 && self.different == 0
    }
}

/// One line of the statement.
#[derive(Clone, Debug, Deserialize)]
struct Moved {
    sequence: u64,
    kind: String,
    reference: String,
    batch: String,
    line: usize,
    to: String,
    amount: String,
}

/// Lines are asked for in pages of so many.
const PAGE_LINES: u64 = 5_000;

/// What the statement says of one try: how often each line is paid, after everything.
#[derive(Debug)]
struct Theirs {
    paid: Vec<i64>,
    /// What no line of ours is.
    odd: Vec<Moved>,
    /// What it was charged for it.
    charged: u64,
    /// The book that the try was tagged with, if it is a batch of ours.
    book: Option<String>,
    /// The batch that it was tagged with.
    batch: String,
}

/// Compares every try of a book with the statement of its rail.
pub(crate) async fn reconcile(
    divvy: &mut Divvy,
    book: &Name,
    till: &Till,
    worker: &mut Worker,
    (sender, clock): (&dyn Sender, &Clock),
) -> Result<Reconciliation, Error> {
    let theirs = match till.sandbox() {
        Some(rail) => Statement::of_sandbox(divvy, sender, rail, clock.now()).await?,
        None => {
            let shown = worker.listed(divvy, book, clock).await?;
            Statement::of_shown(divvy, shown).await?
        }
    };
    compare_all(divvy, book.as_str(), theirs, till.sandbox().and_then(Sandbox::fee_asset)).await
}

async fn compare_all(
    divvy: &Divvy,
    book: &str,
    mut theirs: Statement,
    fee_asset: Option<&Asset>,
) -> Result<Reconciliation, Error> {
    let fold = divvy.books().book(book)?;
    let asset = &fold.settings().asset;
    let is_open = |known: &Break| known.state != BreakState::Closed;
    let open: HashSet<&Name> =
        fold.breaks().filter(|(_, known)| is_open(known)).map(|(id, _)| id).collect();
    let mut found = Reconciliation::default();
    for standing in fold.batches() {
        let mut one = compare(divvy, &standing, &mut theirs.tries, (asset, fee_asset)).await?;
        // Only an open break can be closed by what matches now.
        one.settled.retain(|id| open.contains(id));
        found = found.and(one);
    }
    // A sandbox may serve several books; what is of another one is not ours to compare.
    for (reference, unknown) in theirs.tries {
        if unknown.book.as_deref().is_none_or(|other| other == book) {
            let batch = read_batch(divvy, &unknown.batch).await?;
            let lines = batch.as_ref().map_or(&[][..], Batch::lines);
            let mut entries = unknown.fee(&reference, fee_asset, Firmness::Final);
            entries.extend(unknown.entries(&reference, lines, asset));
            found = found.and(core::reconcile(&[], &entries, &Terms::default()));
        }
    }
    found.check()?;
    Ok(found)
}

/// What the statement says, as far as it was read.
#[derive(Debug, Default)]
struct Statement {
    tries: HashMap<String, Theirs>,
    /// Our own account of the batch that was read last.
    batch: Option<Batch>,
}

impl Statement {
    /// All that a sandbox has written down.
    async fn of_sandbox(
        divvy: &Divvy,
        sender: &dyn Sender,
        rail: &Sandbox,
        now: Time,
    ) -> Result<Self, Error> {
        let mut theirs = Self::default();
        let mut entries = page(sender, rail, 0, now).await?;
        while let Some(last) = entries.last() {
            let after = last.sequence;
            let (next, taken) =
                tokio::join!(page(sender, rail, after, now), theirs.take(divvy, &entries));
            taken?;
            entries = next?;
        }
        Ok(theirs)
    }

    /// All that a wallet shows of a book, which says nothing of fees.
    async fn of_shown(divvy: &Divvy, shown: Vec<Stranger>) -> Result<Self, Error> {
        let mut theirs = Self::default();
        for Stranger { batch, reference, lines, .. } in shown {
            let moved = |(line, moved): (usize, StrangerLine)| Moved {
                sequence: 0,
                kind: "moved".to_owned(),
                reference: reference.clone(),
                batch: batch.to_string(),
                line,
                to: moved.to,
                amount: moved.amount.to_string(),
            };
            let entries: Vec<Moved> = lines.into_iter().enumerate().map(moved).collect();
            theirs.take(divvy, &entries).await?;
        }
        Ok(theirs)
    }

    async fn take(&mut self, divvy: &Divvy, entries: &[Moved]) -> Result<(), Error> {
        for entry in entries {
            if batch_is_other(self.batch.as_ref(), entry) {
                self.batch = read_batch(divvy, &entry.batch).await?;
            }
            let lines = self.batch.as_ref().map_or(&[][..], Batch::lines);
            if !self.tries.contains_key(&entry.reference) {
                let book = book_of(&entry.batch);
                let fresh = Theirs {
                    paid: vec![0; lines.len()],
                    odd: Vec::new(),
                    charged: 0,
                    book,
                    batch: entry.batch.clone(),
                };
                self.tries.insert(entry.reference.clone(), fresh);
            }
            if let Some(theirs) = self.tries.get_mut(&entry.reference) {
                theirs.take(entry, lines)?;
            }
        }
        Ok(())
    }
}

fn book_of(batch: &str) -> Option<String> {
    let stream = Stream::parse(batch).ok()?;
    let Place::Batch { book, .. } = stream.place() else { return None };
    Some(book.to_owned())
}

fn batch_is_other(batch: Option<&Batch>, entry: &Moved) -> bool {
    batch.is_none_or(|batch| batch.stream().as_str() != entry.batch)
}

async fn read_batch(divvy: &Divvy, stream: &str) -> Result<Option<Batch>, Error> {
    let Ok(stream) = Stream::parse(stream) else { return Ok(None) };
    let facts = divvy.host().read(&stream).await?;
    if facts.is_empty() { Ok(None) } else { Batch::fold(&facts).map(Some) }
}

impl Theirs {
    fn take(&mut self, entry: &Moved, lines: &[Line]) -> Result<(), Error> {
        if entry.kind == "charged" {
            self.charged = self.charged.saturating_add(entry.amount.parse().unwrap_or(u64::MAX));
            return Ok(());
        }
        let same = |line: &Line| line.to == entry.to && line.amount.to_string() == entry.amount;
        if !lines.get(entry.line).is_some_and(same) {
            self.odd.push(entry.clone());
            return Ok(());
        }
        let change = if entry.kind == "moved" { 1 } else { -1 };
        if self.paid.len() <= entry.line {
            self.paid.resize(entry.line.saturating_add(1), 0);
        }
        if let Some(paid) = self.paid.get_mut(entry.line) {
            *paid = paid.saturating_add(change);
        }
        Ok(())
    }

    /// What it says that the try has cost, where that is kept.
    fn fee(&self, reference: &str, asset: Option<&Asset>, firmness: Firmness) -> Vec<Entry> {
        let charged = Amount::new(self.charged).unwrap_or(Amount::MAX);
        let asset = asset.filter(|_| !charged.is_zero());
        let named = |asset: &Asset| Entry {
            firmness,
            ..Entry::paid(&format!("{reference}#fee"), charged, asset.clone(), Time::ZERO)
        };
        asset.into_iter().map(named).collect()
    }

    /// What the statement says, line by line: as often as it was paid, and what is odd.
    fn entries(self, reference: &str, lines: &[Line], asset: &Asset) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (i, (paid, line)) in self.paid.iter().zip(lines).enumerate() {
            let direction = if *paid < 0 { Direction::In } else { Direction::Out };
            for _ in 0..paid.unsigned_abs() {
                entries.push(Entry { direction, ..entry(reference, i, line, asset) });
            }
        }
        for odd in self.odd {
            let direction = if odd.kind == "moved" { Direction::Out } else { Direction::In };
            let minor = odd.amount.parse().unwrap_or(u64::MAX);
            let amount = Amount::new(minor).unwrap_or(Amount::MAX);
            let name = format!("{reference}#{}", odd.line);
            let plain = Entry::paid(&name, amount, asset.clone(), Time::ZERO);
            entries.push(Entry { direction, party: Some(odd.to), ..plain });
        }
        entries
    }
}

/// What our side says of a try, line by line, and what the statement says of it.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not final may be open")]
async fn compare(
    divvy: &Divvy,
    standing: &Standing,
    theirs: &mut HashMap<String, Theirs>,
    (asset, fee_asset): (&Asset, Option<&Asset>),
) -> Result<Reconciliation, Error> {
    let batch = read_batch(divvy, standing.batch.as_str()).await?;
    let lines = batch.as_ref().map_or(&[][..], Batch::lines);
    let mut found = Reconciliation::default();
    for try_ in &standing.tries {
        let reference = &try_.signed.reference;
        let firmness = match try_.fate {
            Fate::Settled => Some(Firmness::Final),
            _ if !try_.is_open() => None,
            _ if standing.state == State::Review => Some(Firmness::Held),
            _ => Some(Firmness::Open),
        };
        let came_back = |i: usize| u32::try_from(i).is_ok_and(|i| try_.returned.contains(&i));
        let own = lines.iter().enumerate().filter(|(i, _)| !came_back(*i));
        let mut ours: Vec<Entry> = match firmness {
            None => Vec::new(),
            Some(firmness) => own
                .map(|(i, line)| Entry { firmness, ..entry(reference, i, line, asset) })
                .collect(),
        };
        ours.extend(fee(reference, try_, fee_asset));
        let theirs = theirs.remove(reference).map(|theirs| {
            // What was charged for a try that is still open may be told to us later.
            let firmness = firmness.unwrap_or(Firmness::Final);
            let fee = theirs.fee(reference, fee_asset, firmness);
            fee.into_iter().chain(theirs.entries(reference, lines, asset)).collect::<Vec<_>>()
        });
        let one = core::reconcile(&ours, &theirs.unwrap_or_default(), &Terms::default());
        found = found.and(one);
    }
    Ok(found)
}

/// What a try has cost, as we know it.
fn fee(reference: &str, try_: &Try, asset: Option<&Asset>) -> Option<Entry> {
    let fee = try_.charged.iter().find(|fee| Some(&fee.asset) == asset)?;
    Some(Entry::paid(&format!("{reference}#fee"), fee.amount, fee.asset.clone(), Time::ZERO))
}

/// One line of a try, named by both, so that each line is compared by itself.
fn entry(reference: &str, i: usize, line: &Line, asset: &Asset) -> Entry {
    Entry {
        party: Some(line.to.clone()),
        ..Entry::paid(&format!("{reference}#{i}"), line.amount, asset.clone(), Time::ZERO)
    }
}

async fn page(
    sender: &dyn Sender,
    rail: &Sandbox,
    after: u64,
    now: Time,
) -> Result<Vec<Moved>, Error> {
    let request = rail.statement(after, PAGE_LINES, now);
    for _ in 0..TRIES_MAX {
        let Some(reply) = sender.send(&request).await else { continue };
        if reply.status != 200 {
            continue;
        }
        let lines = reply.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let entries: Result<Vec<Moved>, _> = lines.map(serde_json::from_slice).collect();
        return entries.map_err(|error| {
            Error::new(Code::RailReply, format!("the statement cannot be read: {error}"))
        });
    }
    Err(Error::new(Code::RailReply, "the sandbox gives no statement: try again"))
}

/// A page of the statement is asked for at most so often: faults strike these requests too.
const TRIES_MAX: usize = 20;
