//! Who watches: the facts on one side, the statement of the worlds on the other, after each step.

use std::collections::{BTreeMap, BTreeSet};

use divvy_core::{Batch, Books, Error, Fact, Fate, Line, Name, Place, State, Stream, Window};

use crate::sandbox::{Effect, Entry, EntryKind};
use crate::simulation::promise::{Broken, Promise};
use crate::simulation::said::Said;
use crate::simulation::trace::Trace;

/// Everything that was committed and everything that moved, held against each other.
#[derive(Debug, Default)]
pub(super) struct Witness {
    pub(super) books: Books,
    pub(super) batches: BTreeMap<Stream, Batch>,
    /// Every try that was signed, in order.
    pub(super) tries: Vec<Tried>,
    by_bytes: BTreeMap<Vec<u8>, usize>,
    by_batch: BTreeMap<Stream, Vec<usize>>,
    /// The try that a world took as its number so and so.
    taken: BTreeMap<(usize, u64), usize>,
    accounts: BTreeMap<(Name, Name), Account>,
    /// What people said.
    pub(super) said: Said,
}

/// One try and what the worlds did with it.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) batch: Stream,
    pub(super) reference: String,
    /// The process that committed it, and the life it was in.
    author: (usize, u64),
    is_once: bool,
    sends: u64,
    /// How often each line is paid, after everything so far.
    pub(super) paid: Vec<i64>,
    /// For so many lines the world charged.
    pub(super) charged: u64,
}

/// What a payee got, and what the facts say at most.
#[derive(Debug, Default)]
struct Account {
    moved: i128,
    spoken_for: i128,
}

impl Witness {
    /// Facts were written by a process.
    pub(super) fn written(&mut self, author: (usize, u64), facts: &[Fact]) -> Option<Broken> {
        if let Err(error) = self.books.feed(facts) {
            return broken(
                Promise::Balances,
                format!("what was committed does not fold: {error:?}"),
            );
        }
        if let Some(early) = self.books.early().first() {
            let said = format!("fact {} of {} waits for ever", early.n, early.stream);
            return broken(Promise::Durable, said);
        }
        let mut touched: BTreeSet<Stream> = BTreeSet::new();
        for fact in facts {
            if !matches!(fact.stream.place(), Place::Batch { .. }) {
                continue;
            }
            match self.follow(author, fact) {
                Ok(None) => {}
                Ok(found) => return found,
                Err(error) => return broken(Promise::Balances, format!("{error:?}")),
            }
            touched.insert(fact.stream.clone());
        }
        touched.iter().find_map(|batch| self.within_facts(batch))
    }

    /// One more fact of a batch.
    fn follow(&mut self, author: (usize, u64), fact: &Fact) -> Result<Option<Broken>, Error> {
        let before = self.batches.remove(&fact.stream);
        let mut after = match &before {
            None => Batch::begin(fact)?,
            Some(batch) => batch.clone(),
        };
        if before.is_some() {
            after.apply(fact)?;
        }
        let mut found = None;
        if fact.kind == "signed.1"
            && let Some(try_) = after.tries().last()
        {
            let coexists = |other: &&divvy_core::Try| {
                other.is_open() && !other.excludes(&try_.signed) && other.signed != try_.signed
            };
            if let Some(other) = after.tries().iter().find(coexists) {
                let said = format!(
                    "{}: {} may move beside {}",
                    fact.stream, try_.signed.reference, other.signed.reference
                );
                found = broken(Promise::OneLiveTry, said);
            }
            let tried = Tried {
                batch: fact.stream.clone(),
                reference: try_.signed.reference.clone(),
                author,
                is_once: try_.signed.window == Window::Once,
                sends: 0,
                paid: vec![0; after.lines().len()],
                charged: 0,
            };
            let at = self.tries.len();
            self.by_bytes.insert(try_.signed.bytes.clone(), at);
            self.by_batch.entry(fact.stream.clone()).or_default().push(at);
            self.tries.push(tried);
        }
        let Place::Batch { book, .. } = fact.stream.place() else { return Ok(found) };
        let book = Name::new(book)?;
        for (at, line) in (0_u32..).zip(after.lines()) {
            let account = self.accounts.entry((book.clone(), line.payee.clone())).or_default();
            let was = before.as_ref().map_or(0, |before| spoken_for(before, at, line));
            let is = spoken_for(&after, at, line);
            account.spoken_for = account.spoken_for.saturating_sub(was).saturating_add(is);
        }
        self.batches.insert(fact.stream.clone(), after);
        Ok(found)
    }

    /// What waits for people, and who is asked.
    pub(super) fn waiting(&self) -> Vec<(Stream, Vec<Name>)> {
        let waits = |batch: &&Batch| {
            batch.asked().is_some()
                && matches!(batch.state(), State::Planned | State::Approved | State::Void)
        };
        let people = |batch: &Batch| {
            let people = batch.asked().map(|asked| &asked.people).into_iter().flatten();
            people.map(|person| person.name.clone()).collect()
        };
        let waiting = self.batches.values().filter(waits);
        waiting.map(|batch| (batch.stream().clone(), people(batch))).collect()
    }

    /// A try is on its way to a rail.
    pub(super) fn sent(&mut self, by: (usize, u64), body: &[u8]) -> Option<Broken> {
        let tried = self.by_bytes.get(body).and_then(|at| self.tries.get_mut(*at));
        let Some(tried) = tried else {
            let said = format!("process {} sends what nobody signed: {}", by.0, text(body));
            return broken(Promise::DurableFirst, said);
        };
        tried.sends = tried.sends.saturating_add(1);
        if tried.is_once && (tried.sends > 1 || tried.author != by) {
            let said = format!(
                "{} of {} was committed by process {:?} and is sent by {by:?}, for the {}. time",
                tried.reference, tried.batch, tried.author, tried.sends
            );
            return broken(Promise::OnceOnly, said);
        }
        None
    }

    /// A world did something.
    pub(super) fn seen(
        &mut self,
        rail: usize,
        effects: &[Effect],
        trace: &mut Trace,
    ) -> Option<Broken> {
        for effect in effects {
            let found = match effect {
                Effect::Clock(_) => None,
                Effect::Taken(taken) => match self.by_bytes.get(&taken.body) {
                    Some(at) => {
                        self.taken.insert((rail, taken.n), *at);
                        None
                    }
                    None => {
                        let said = format!("a rail took {}", text(&taken.body));
                        broken(Promise::DurableFirst, said)
                    }
                },
                Effect::Entered(entry) => self.entered(rail, entry, trace),
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The statement of a world grew.
    fn entered(&mut self, rail: usize, entry: &Entry, trace: &mut Trace) -> Option<Broken> {
        let (change, counted) = match entry.kind {
            EntryKind::Moved => (1, "statement: moved"),
            EntryKind::Returned => (-1, "statement: returned"),
            EntryKind::Undone => (-1, "statement: undone"),
            EntryKind::Charged => {
                let at = *self.taken.get(&(rail, entry.taken))?;
                let tried = self.tries.get_mut(at)?;
                let lines = self.batches.get(&tried.batch)?.lines().len();
                tried.charged =
                    tried.charged.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
                trace.count("statement: charged");
                return None;
            }
        };
        trace.count(counted);
        trace.mark(&(rail, entry));
        let at = *self.taken.get(&(rail, entry.taken))?;
        let tried = self.tries.get_mut(at)?;
        let stream = tried.batch.clone();
        let batch = self.batches.get(&stream)?;
        let Place::Batch { book, .. } = stream.place() else { return None };
        let book = Name::new(book).ok()?;
        for (place, (n, line)) in (0_u32..).zip(batch.lines()).enumerate() {
            if !entry.lines.is_empty() && !entry.lines.contains(&n) {
                continue;
            }
            if let Some(paid) = tried.paid.get_mut(place) {
                *paid = paid.saturating_add(change);
            }
            let account = self.accounts.entry((book.clone(), line.payee.clone())).or_default();
            let amount = i128::from(line.amount.get()).saturating_mul(change.into());
            account.moved = account.moved.saturating_add(amount);
        }
        self.paid_once(&stream).or_else(|| self.within_facts(&stream))
    }

    /// No line of a batch has moved twice, whatever the tries.
    fn paid_once(&self, batch: &Stream) -> Option<Broken> {
        let lines = self.batches.get(batch)?.lines();
        for (place, line) in lines.iter().enumerate() {
            let own = self.by_batch.get(batch)?.iter().filter_map(|at| self.tries.get(*at));
            let paid: i64 = own.filter_map(|tried| tried.paid.get(place)).sum();
            if paid > 1 {
                let said =
                    format!("{} of {batch} was paid {} {paid} times", line.payee, line.amount);
                return broken(Promise::PaidOnce, said);
            }
        }
        None
    }

    /// Nobody of a batch got more than the facts reserve for them and say was paid.
    fn within_facts(&self, batch: &Stream) -> Option<Broken> {
        let Place::Batch { book, .. } = batch.place() else { return None };
        let book = Name::new(book).ok()?;
        for line in self.batches.get(batch)?.lines() {
            let account = self.accounts.get(&(book.clone(), line.payee.clone()))?;
            if account.moved > account.spoken_for {
                let said = format!(
                    "{} of {book} got {}, the facts speak of {} at most",
                    line.payee, account.moved, account.spoken_for
                );
                return broken(Promise::WithinFacts, said);
            }
        }
        None
    }
}

/// What a batch reserves or has paid of one line.
fn spoken_for(batch: &Batch, at: u32, line: &Line) -> i128 {
    let amount = i128::from(line.amount.get());
    let paid = batch
        .tries()
        .iter()
        .filter(|try_| try_.fate == Fate::Settled && !try_.returned.contains(&at));
    let times = i128::try_from(paid.count()).unwrap_or(i128::MAX);
    amount.saturating_mul(times.saturating_add(i128::from(batch.is_reserved())))
}

fn broken(promise: Promise, said: String) -> Option<Broken> {
    Some(Broken { promise, said })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(400).collect()
}
