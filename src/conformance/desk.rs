//! What every part works with: handles, facts with names of this run, and comparisons that name
//! the address where two histories part.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::task::Poll;

use divvy_core::{Code, Cursor, Error, Fact, Hash, Manner, Name, Page, Stream, Time, Written};

use crate::conformance::{Conformance, Options, Part};
use crate::{Clock, Host};

/// What was found instead of what was promised.
#[derive(Debug)]
pub(super) struct Broken(pub(super) String);

pub(super) type Verdict<T = ()> = Result<T, Broken>;

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self(format!("an error where none is due: {error}"))
    }
}

/// A finding, as a verdict.
pub(super) fn broken<T>(found: impl Into<String>) -> Verdict<T> {
    Err(Broken(found.into()))
}

/// The place of one part in one run.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    suite: &'a Conformance,
    pub(super) options: &'a Options,
    part: Part,
    /// Where the database ended before this run.
    pub(super) start: Option<Cursor>,
}

impl<'a> Desk<'a> {
    pub(super) const fn new(
        suite: &'a Conformance,
        part: Part,
        options: &'a Options,
        start: Option<Cursor>,
    ) -> Self {
        Self { suite, options, part, start }
    }

    pub(super) const fn part(&self) -> Part {
        self.part
    }

    /// One more handle on the database.
    pub(super) async fn open(&self) -> Verdict<Arc<dyn Host>> {
        Ok((self.suite.same)().await?)
    }

    /// A handle on another database.
    pub(super) async fn open_other(&self) -> Verdict<Arc<dyn Host>> {
        Ok((self.suite.other)().await?)
    }

    /// The name that all streams of this part in this run begin with.
    pub(super) fn book(&self) -> String {
        format!("conformance-{}-{}", self.options.seed, self.part.name())
    }

    /// Marks this part as tried with this seed; who finds the mark would blame the host for what
    /// an earlier run left.
    pub(super) async fn is_first(&self) -> Verdict {
        let (host, mark) = (self.open().await?, self.chain("mark", 1)?);
        match host.commit(mark, Manner::Together).await {
            Err(error) if error.code() == Code::AddressTaken => {
                let seed = self.options.seed;
                broken(format!("seed {seed} was used on this database: run with another seed"))
            }
            marked => Ok(marked.map(drop)?),
        }
    }

    pub(super) fn stream(&self, name: &str) -> Verdict<Stream> {
        Ok(Stream::payee(&Name::new(&self.book())?, &Name::new(name)?))
    }

    /// The first facts of a stream.
    pub(super) fn chain(&self, name: &str, len: usize) -> Verdict<Vec<Fact>> {
        self.chain_of(name, len, SAID)
    }

    pub(super) fn chain_of(&self, name: &str, len: usize, said: &str) -> Verdict<Vec<Fact>> {
        Ok(chain(&self.stream(name)?, len, said))
    }

    pub(super) fn is_ours(&self, stream: &Stream) -> bool {
        let (name, book) = (stream.as_str(), self.book());
        let is_book = name.split('/').nth(1).is_some_and(|named| named.starts_with(&book));
        is_book && !name.ends_with("/mark")
    }

    /// A reading that goes on from a cursor.
    pub(super) const fn reading<'d>(
        &'d self,
        host: &'d dyn Host,
        cursor: Option<Cursor>,
    ) -> Reading<'d> {
        Reading { desk: self, host, cursor, mark: None, pages: 0 }
    }

    /// Reads on until so many facts of this part were seen, or the patience is at its end. It
    /// reads one page more than enough, to see what comes too much.
    pub(super) async fn follow(
        &self,
        host: &dyn Host,
        cursor: Option<&Cursor>,
        facts_max: usize,
        wanted: usize,
    ) -> Verdict<(Vec<Fact>, Option<Cursor>)> {
        let (mut found, mut reading) = (Vec::new(), self.reading(host, cursor.cloned()));
        let mut patience = Patience::new(self.options);
        loop {
            let (had, next) = (found.len(), reading.next(facts_max).await?);
            found.extend(next.facts);
            let is_end = next.is_last && had >= wanted;
            if is_end || !(next.moved || patience.is_left().await) {
                return Ok((found, reading.cursor));
            }
        }
    }

    /// One page, held to its size, and to telling facts and cursor of one thing.
    pub(super) async fn page(
        &self,
        host: &dyn Host,
        cursor: Option<&Cursor>,
        facts_max: usize,
    ) -> Verdict<Page> {
        let page = host.since(cursor, facts_max).await?;
        if page.facts.len() > facts_max {
            let found = format!("a page of {} facts where {facts_max} fit", page.facts.len());
            return broken(found);
        }
        if !page.facts.is_empty() && cursor == Some(&page.cursor) {
            let first = page.facts.first().map(address).unwrap_or_default();
            return broken(format!("a page with {first} whose cursor did not move"));
        }
        Ok(page)
    }
}

/// A reading under way.
#[derive(Debug)]
pub(super) struct Reading<'d> {
    desk: &'d Desk<'d>,
    host: &'d dyn Host,
    pub(super) cursor: Option<Cursor>,
    /// Where it was when the count of pages was a power of two.
    mark: Option<Cursor>,
    pages: u64,
}

/// What the next page had for this part.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) facts: Vec<Fact>,
    pub(super) is_last: bool,
    /// Whether the cursor went on.
    pub(super) moved: bool,
}

impl Reading<'_> {
    /// Reads a page, and passes over what is not of this part.
    pub(super) async fn next(&mut self, facts_max: usize) -> Verdict<Next> {
        let page = self.desk.page(self.host, self.cursor.as_ref(), facts_max).await?;
        let mut facts = page.facts;
        facts.retain(|fact| self.desk.is_ours(&fact.stream));
        let moved = self.cursor.as_ref() != Some(&page.cursor);
        if moved && self.mark.as_ref() == Some(&page.cursor) {
            let found = format!("a cursor came back to {:?}, where it was before", page.cursor);
            return broken(found);
        }
        if moved {
            self.pages = self.pages.saturating_add(1);
        }
        if moved && self.pages.is_power_of_two() {
            self.mark = Some(page.cursor.clone());
        }
        self.cursor = Some(page.cursor);
        Ok(Next { facts, is_last: page.is_last, moved })
    }
}

/// The first facts of any stream. They are plain text: odd bytes have a part of their own.
pub(super) fn chain(stream: &Stream, len: usize, said: &str) -> Vec<Fact> {
    (0..).take(len).map(|n| fact(stream, n, said)).collect()
}

/// One fact, from nothing but its address and what it says.
pub(super) fn fact(stream: &Stream, n: u64, said: &str) -> Fact {
    let bytes = format!("{said} {n}").into_bytes();
    let hash = Hash::of(format!("{stream} {n} {said}").as_bytes());
    let at = Time::from_millis(n.saturating_add(7));
    Fact { stream: stream.clone(), n, at, kind: "conformance.1".into(), bytes, hash }
}

/// A fact's address, short enough for a sentence.
pub(super) fn address(fact: &Fact) -> String {
    place(&fact.stream, fact.n)
}

pub(super) fn place(stream: &Stream, n: u64) -> String {
    let shown: String = stream.as_str().chars().take(SHOWN_LETTERS).collect();
    let dots = if shown.len() < stream.as_str().len() { "…" } else { "" };
    format!("{shown:?}{dots}/{n}")
}

/// Commits what is free and follows its predecessors; all of it must be new.
pub(super) async fn write(host: &dyn Host, facts: &[Fact]) -> Verdict {
    let first = facts.first().map(address).unwrap_or_default();
    match host.commit(facts.to_vec(), Manner::Together).await {
        Ok(written) if written == vec![Written::New; facts.len()] => Ok(()),
        Ok(written) => broken(format!("a commit of free addresses at {first} said {written:?}")),
        Err(error) => broken(format!("a commit of free addresses at {first} was refused: {error}")),
    }
}

/// Commits what must be refused, with one of these codes.
pub(super) async fn refused(
    host: &dyn Host,
    facts: &[Fact],
    manner: Manner,
    codes: &[Code],
    what: &str,
) -> Verdict {
    let last = facts.last().map(address).unwrap_or_default();
    match host.commit(facts.to_vec(), manner).await {
        Ok(written) => broken(format!("{what} up to {last} ({manner:?}) said {written:?}")),
        Err(error) if codes.contains(&error.code()) => Ok(()),
        Err(error) => {
            let codes: Vec<String> = codes.iter().map(|code| code.name()).collect();
            let codes = codes.join(" or ");
            broken(format!("{what} up to {last} ({manner:?}) is {codes}, and not: {error}"))
        }
    }
}

/// Commits each if it is free, and holds what is said of each against what must be.
pub(super) async fn each(host: &dyn Host, facts: &[Fact], wanted: &[Written]) -> Verdict {
    let first = facts.first().map(address).unwrap_or_default();
    let written = host.commit(facts.to_vec(), Manner::EachIfFree).await?;
    if written == wanted {
        return Ok(());
    }
    broken(format!("each if free, from {first}: said {written:?} where {wanted:?} is true"))
}

/// Reads a stream and compares.
pub(super) async fn reads(host: &dyn Host, stream: &Stream, wanted: &[Fact]) -> Verdict {
    let found = host.read(stream).await?;
    same(&found, wanted, &format!("reading {}", shown(stream)))
}

fn shown(stream: &Stream) -> String {
    let place = place(stream, 0);
    place.strip_suffix("/0").map_or(place.clone(), str::to_owned)
}

/// Compares two runs of facts, order included.
pub(super) fn same(found: &[Fact], wanted: &[Fact], what: &str) -> Verdict {
    let parts = found.iter().zip(wanted).position(|(found, wanted)| found != wanted);
    let at = parts.unwrap_or(found.len().min(wanted.len()));
    match (found.get(at), wanted.get(at)) {
        (None, None) => Ok(()),
        (None, Some(wanted)) => broken(format!("{what}: {} is missing", address(wanted))),
        (Some(found), None) => broken(format!("{what}: {} came too much", address(found))),
        (Some(found), Some(wanted)) => {
            let (there, due) = (address(found), address(wanted));
            if there != due {
                return broken(format!("{what}: {there} stands where {due} is due"));
            }
            broken(format!("{what}: {there} came back as another: {}", differs(found, wanted)))
        }
    }
}

/// Compares what a cursor gave with what it should: each once, each stream in its own order,
/// streams among each other in any.
pub(super) fn complete(found: &[Fact], wanted: &[Fact], what: &str) -> Verdict {
    let mut seen = HashSet::new();
    let mut next = HashMap::new();
    for fact in found {
        if !seen.insert((&fact.stream, fact.n)) {
            return broken(format!("{what}: {} came twice", address(fact)));
        }
        let due = next.entry(&fact.stream).or_insert(fact.n);
        if *due != fact.n {
            let due = place(&fact.stream, *due);
            return broken(format!("{what}: {} came where {due} was due", address(fact)));
        }
        *due = due.saturating_add(1);
    }
    if let Some(missing) = wanted.iter().find(|fact| !seen.contains(&(&fact.stream, fact.n))) {
        let (count, of) = (wanted.len().saturating_sub(found.len()), wanted.len());
        return broken(format!("{what}: {} never came ({count} of {of})", address(missing)));
    }
    let sorted = |facts: &[Fact]| {
        let mut facts = facts.to_vec();
        facts.sort_by(|a, b| (&a.stream, a.n).cmp(&(&b.stream, b.n)));
        facts
    };
    same(&sorted(found), &sorted(wanted), what)
}

/// Which column differs.
fn differs(found: &Fact, wanted: &Fact) -> String {
    if found.bytes != wanted.bytes {
        return format!("{} bytes of {}, or others", found.bytes.len(), wanted.bytes.len());
    }
    if found.at != wanted.at {
        return format!("at {} instead of {}", found.at.millis(), wanted.at.millis());
    }
    if found.kind != wanted.kind {
        return format!("kind {:?} instead of {:?}", found.kind, wanted.kind);
    }
    format!("hash {} instead of {}", found.hash, wanted.hash)
}

/// How long somebody still waits.
#[derive(Debug)]
pub(super) struct Patience {
    clock: Clock,
    until: Time,
}

impl Patience {
    pub(super) fn new(options: &Options) -> Self {
        let clock = Clock::system();
        let until = clock.now().millis().saturating_add(options.patience_ms);
        Self { clock, until: Time::from_millis(until) }
    }

    /// Lets others go on, and says whether there is time for one more look.
    pub(super) async fn is_left(&mut self) -> bool {
        step_aside().await;
        self.clock.now() < self.until
    }
}

/// Lets whoever else is polled beside us go on.
pub(super) async fn step_aside() {
    let mut stepped = false;
    core::future::poll_fn(|context| {
        if stepped {
            return Poll::Ready(());
        }
        stepped = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

const SHOWN_LETTERS: usize = 80;

/// A page for everything that a part writes, but for the parts about pages.
pub(super) const WHOLE: usize = 100_000;

/// What facts say where it does not matter.
pub(super) const SAID: &str = "conformance";
