//! Our facts against the sandbox's own statement, line by line.

use std::collections::HashMap;

use divvy::core::{Batch, Code, Error, Fate, Line, Place, Stream, Time};
use divvy::sandbox::Sandbox;
use divvy::{Divvy, Sender};
use serde::Deserialize;

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
    pub(crate) const fn is_equal(&self) -> bool {
        self.ours_only == 0 && self.theirs_only == 0 && self.different == 0
    }
}

/// One line of the statement.
#[derive(Debug, Deserialize)]
struct Entry {
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
    different: u64,
    /// The book that the try was tagged with, if it is a batch of ours.
    book: Option<String>,
}

/// Compares every try of a book with the statement of its sandbox.
pub(crate) async fn reconcile(
    divvy: &Divvy,
    book: &str,
    sender: &dyn Sender,
    rail: &Sandbox,
    now: Time,
) -> Result<Comparison, Error> {
    let mut theirs = Statement::default();
    let mut entries = page(sender, rail, 0, now).await?;
    while let Some(last) = entries.last() {
        let after = last.sequence;
        let (next, taken) =
            tokio::join!(page(sender, rail, after, now), theirs.take(divvy, &entries));
        taken?;
        entries = next?;
    }
    let mut comparison = Comparison::default();
    for standing in divvy.books().book(book)?.batches() {
        for try_ in &standing.tries {
            let theirs = theirs.tries.remove(&try_.signed.reference);
            comparison.compare(standing.lines, try_, theirs.as_ref());
        }
    }
    // A sandbox may serve several books; what is of another one is not ours to compare.
    let own = |theirs: &&Theirs| theirs.book.as_deref().is_none_or(|other| other == book);
    theirs.tries.values().filter(own).for_each(|unknown| comparison.add_theirs(unknown));
    Ok(comparison)
}

/// What the statement says, as far as it was read.
#[derive(Debug, Default)]
struct Statement {
    tries: HashMap<String, Theirs>,
    /// Our own account of the batch that was read last.
    batch: Option<Batch>,
}

impl Statement {
    async fn take(&mut self, divvy: &Divvy, entries: &[Entry]) -> Result<(), Error> {
        for entry in entries {
            if batch_is_other(self.batch.as_ref(), entry) {
                self.batch = read_batch(divvy, &entry.batch).await?;
            }
            let lines = self.batch.as_ref().map_or(&[][..], Batch::lines);
            if !self.tries.contains_key(&entry.reference) {
                let book = book_of(&entry.batch);
                let fresh = Theirs { paid: vec![0; lines.len()], different: 0, book };
                self.tries.insert(entry.reference.clone(), fresh);
            }
            if let Some(theirs) = self.tries.get_mut(&entry.reference) {
                theirs.take(entry, lines);
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

fn batch_is_other(batch: Option<&Batch>, entry: &Entry) -> bool {
    batch.is_none_or(|batch| batch.stream().as_str() != entry.batch)
}

async fn read_batch(divvy: &Divvy, stream: &str) -> Result<Option<Batch>, Error> {
    let Ok(stream) = Stream::parse(stream) else { return Ok(None) };
    let facts = divvy.host().read(&stream).await?;
    if facts.is_empty() { Ok(None) } else { Batch::fold(&facts).map(Some) }
}

impl Theirs {
    fn take(&mut self, entry: &Entry, lines: &[Line]) {
        let same = |line: &Line| line.to == entry.to && line.amount.to_string() == entry.amount;
        if !lines.get(entry.line).is_some_and(same) {
            self.different = self.different.saturating_add(1);
        }
        let change = if entry.kind == "moved" { 1 } else { -1 };
        if self.paid.len() <= entry.line {
            self.paid.resize(entry.line.saturating_add(1), 0);
        }
        if let Some(paid) = self.paid.get_mut(entry.line) {
            *paid = paid.saturating_add(change);
        }
    }
}

impl Comparison {
    fn compare(&mut self, lines: usize, try_: &divvy::core::Try, theirs: Option<&Theirs>) {
        for line in 0..lines {
            let came_back = u32::try_from(line).is_ok_and(|line| try_.returned.contains(&line));
            let ours = i64::from(try_.fate == Fate::Settled && !came_back);
            let paid = theirs.and_then(|theirs| theirs.paid.get(line)).copied().unwrap_or(0);
            let field = match (ours, paid) {
                (1, 1) => &mut self.matched,
                (0, 0) => continue,
                (1, _) if paid < 1 => &mut self.ours_only,
                (0, 1) if try_.is_open() => &mut self.undecided,
                _ => &mut self.theirs_only,
            };
            *field = field.saturating_add(1);
        }
        let different = theirs.map_or(0, |theirs| theirs.different);
        self.different = self.different.saturating_add(different);
    }

    fn add_theirs(&mut self, theirs: &Theirs) {
        let paid = theirs.paid.iter().filter(|paid| **paid != 0).count();
        self.theirs_only = self.theirs_only.saturating_add(u64::try_from(paid).unwrap_or(u64::MAX));
        self.different = self.different.saturating_add(theirs.different);
    }
}

async fn page(
    sender: &dyn Sender,
    rail: &Sandbox,
    after: u64,
    now: Time,
) -> Result<Vec<Entry>, Error> {
    let request = rail.statement(after, PAGE_LINES, now);
    for _ in 0..TRIES_MAX {
        let Some(reply) = sender.send(&request).await else { continue };
        if reply.status != 200 {
            continue;
        }
        let lines = reply.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let entries: Result<Vec<Entry>, _> = lines.map(serde_json::from_slice).collect();
        return entries.map_err(|error| {
            Error::new(Code::RailReply, format!("the statement cannot be read: {error}"))
        });
    }
    Err(Error::new(Code::RailReply, "the sandbox gives no statement: try again"))
}

/// A page of the statement is asked for at most so often: faults strike these requests too.
const TRIES_MAX: usize = 20;
