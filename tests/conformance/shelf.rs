//! A host in a vector, with a place for one planted mistake.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use async_trait::async_trait;
use divvy::Host;
use divvy::core::{Code, Cursor, Error, Fact, Manner, Page, Stream, Time, Written, address_taken};

/// What is done wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// None at all.
    None,
    /// A cursor shows what is new at each fifth look: late, as a host is that waits for others'
    /// transactions, and no mistake.
    ShowsLate,
    OverwritesATakenAddress,
    SaysNewOfATakenAddress,
    TakesTheSameFactAgain,
    LooksForTakenAddressesOnlyInWhatIsStored,
    LetsTwoWin,
    GivesUpWhenItMeetsAnother,
    KeepsWhatCameBeforeABadFact,
    RefusesWholeCommitsForOneTakenAddress,
    KnowsOneStreamACommit,
    TakesOrphans,
    TakesOrphansBehindOthers,
    ForgetsPredecessorsOfItsOwnCommit,
    ReadsByPrefix,
    ReadsByPattern,
    SortsNumbersAsText,
    SortsByTime,
    FoldsCase,
    FoldsAccents,
    DropsInvisibleLetters,
    CutsLongNames,
    CutsBytesAtNul,
    TrimsBytes,
    MendsText,
    CutsBigBytes,
    RefusesBigBytes,
    CountsIn32Bits,
    CountsIn16Bits,
    WrapsNegative,
    SkipsTheEndOfAPage,
    RepeatsTheEndOfAPage,
    StandsStill,
    GivesLargerPages,
    SaysLastTooEarlyAndMovesOn,
    DrawsNumbersBeforeItWrites,
    ShowsHalfACommit,
    IgnoresTheEpoch,
    IgnoresWhatIsAhead,
    LosesTheLastCommitWhenOpenedAgain,
    ShowsOldHandlesNothingNew,
    ForgetsBeyondAThousand,
}

/// A handle on a database.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) mistake: Mistake,
    stored: Arc<Mutex<Stored>>,
    /// How many rows this handle knows of.
    sees_max: AtomicUsize,
    looks: AtomicU64,
    /// The largest number that a late cursor shows.
    horizon: AtomicU64,
}

/// A fact with its number.
type Row = (u64, Fact);

#[derive(Debug, Default)]
struct Stored {
    epoch: String,
    rows: Vec<Row>,
    /// Where in the rows an address is, by the key of its stream.
    places: HashMap<(String, u64), usize>,
    drawn: u64,
    /// Where the rows of the newest commit begin.
    last_commit: usize,
    is_busy: bool,
    /// Numbers that cursors do not show yet.
    hidden: Vec<RangeInclusive<u64>>,
}

/// A database, of which handles are opened.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Mutex<Stored>>);

impl Room {
    pub(crate) fn new(epoch: &str) -> Self {
        Self(Arc::new(Mutex::new(Stored { epoch: epoch.to_owned(), ..Stored::default() })))
    }

    pub(crate) fn open(&self, mistake: Mistake) -> Shelf {
        let mut stored = self.0.lock().expect("nobody panicked");
        let shelf = |sees_max| {
            let (stored, sees_max) = (Arc::clone(&self.0), AtomicUsize::new(sees_max));
            let (looks, horizon) = (AtomicU64::new(0), AtomicU64::new(0));
            Shelf { mistake, stored, sees_max, looks, horizon }
        };
        let count = stored.rows.len();
        match mistake {
            // Only the room itself knows of it: whoever wrote the commit is gone.
            Mistake::LosesTheLastCommitWhenOpenedAgain if Arc::strong_count(&self.0) == 1 => {
                let last = stored.last_commit.min(count);
                shelf(usize::MAX).cut(&mut stored, last);
                shelf(usize::MAX)
            }
            Mistake::ShowsOldHandlesNothingNew => shelf(count),
            _ => shelf(usize::MAX),
        }
    }
}

/// Lets the others go on, so many times.
async fn step_aside(mut times: u32) {
    std::future::poll_fn(|context| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Shelf {
    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().expect("nobody panicked")
    }

    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == mistake
    }

    /// The name under which a stream is kept.
    fn key(&self, stream: &Stream) -> String {
        let text = stream.as_str();
        match self.mistake {
            Mistake::FoldsCase => text.to_lowercase(),
            Mistake::FoldsAccents => text.replace("a\u{301}", "á"),
            Mistake::DropsInvisibleLetters => text.replace(['\u{200b}', '\u{200d}', '\u{ad}'], ""),
            Mistake::CutsLongNames => text.chars().take(255).collect(),
            _ => text.to_owned(),
        }
    }

    /// What is kept of a fact.
    fn kept(&self, mut fact: Fact) -> Fact {
        let bytes = &mut fact.bytes;
        match self.mistake {
            Mistake::CutsBytesAtNul => {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                bytes.truncate(end);
            }
            Mistake::TrimsBytes => {
                let end = bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1);
                bytes.truncate(end);
            }
            Mistake::MendsText => *bytes = String::from_utf8_lossy(bytes).into_owned().into_bytes(),
            Mistake::CutsBigBytes => bytes.truncate(1 << 20),
            Mistake::CountsIn32Bits => fact.n &= 0xffff_ffff,
            Mistake::CountsIn16Bits => fact.n &= 0xffff,
            Mistake::WrapsNegative => fact.at = fact.at.min(Time::from_millis(1 << 40)),
            _ => {}
        }
        fact
    }

    fn place(&self, fact: &Fact) -> (String, u64) {
        (self.key(&fact.stream), fact.n)
    }

    fn push(&self, stored: &mut Stored, fact: Fact) {
        stored.drawn += 1;
        stored.places.insert(self.place(&fact), stored.rows.len());
        stored.rows.push((stored.drawn, fact));
    }

    /// Takes the rows from here on out.
    fn cut(&self, stored: &mut Stored, from: usize) -> Vec<Row> {
        let rows = stored.rows.split_off(from);
        rows.iter().for_each(|(_, fact)| {
            stored.places.remove(&self.place(fact));
        });
        rows
    }

    fn write(&self, stored: &mut Stored, facts: Vec<Fact>, manner: Manner) -> Told {
        let len = stored.rows.len();
        let first = facts.first().map(|fact| fact.stream.clone());
        let mut written = Vec::new();
        for (position, fact) in facts.into_iter().enumerate() {
            let is_first_stream = first.as_ref() == Some(&fact.stream);
            let fact = self.kept(fact);
            let told = self
                .accept(stored, len, &fact, position, is_first_stream)
                .and_then(|()| self.write_one(stored, len, fact, manner));
            match told {
                Ok(told) => written.push(told),
                Err(error) => {
                    if !self.is(Mistake::KeepsWhatCameBeforeABadFact) {
                        self.cut(stored, len);
                    }
                    return Err(error);
                }
            }
        }
        if stored.rows.len() > len {
            stored.last_commit = len;
            self.sees_max.fetch_max(stored.rows.len(), Ordering::SeqCst);
        }
        Ok(written)
    }

    /// Whether a fact may stand where it wants to, should the place be free.
    fn accept(
        &self,
        stored: &Stored,
        len: usize,
        fact: &Fact,
        position: usize,
        is_first_stream: bool,
    ) -> Result<(), Error> {
        let unusable = |detail: &str| Err(Error::new(Code::StoreUnusable, detail));
        if self.is(Mistake::RefusesBigBytes) && fact.bytes.len() > 1 << 20 {
            return unusable("a packet is too large");
        }
        if self.is(Mistake::KnowsOneStreamACommit) && !is_first_stream {
            return unusable("one partition a transaction");
        }
        let lets = self.is(Mistake::TakesOrphans)
            || self.is(Mistake::TakesOrphansBehindOthers) && position > 0;
        let Some(before) = fact.n.checked_sub(1).filter(|_| !lets) else { return Ok(()) };
        let at = stored.places.get(&(self.key(&fact.stream), before));
        match at {
            Some(at) if *at < len || !self.is(Mistake::ForgetsPredecessorsOfItsOwnCommit) => Ok(()),
            _ => Err(Error::new(Code::FactOrphan, "no predecessor")),
        }
    }

    fn write_one(
        &self,
        stored: &mut Stored,
        len: usize,
        fact: Fact,
        manner: Manner,
    ) -> Result<Written, Error> {
        let blind = self.is(Mistake::LooksForTakenAddressesOnlyInWhatIsStored);
        let at = stored.places.get(&self.place(&fact)).filter(|at| !blind || **at < len).copied();
        let Some(at) = at else {
            self.push(stored, fact);
            return Ok(Written::New);
        };
        let each = manner == Manner::EachIfFree;
        match self.mistake {
            Mistake::OverwritesATakenAddress => {
                stored.rows[at].1 = fact;
                Ok(Written::New)
            }
            Mistake::TakesTheSameFactAgain if stored.rows[at].1 == fact => Ok(Written::New),
            Mistake::SaysNewOfATakenAddress if each => Ok(Written::New),
            _ if each && !self.is(Mistake::RefusesWholeCommitsForOneTakenAddress) => {
                Ok(Written::Taken)
            }
            _ => Err(address_taken(&fact.stream, fact.n)),
        }
    }

    /// What a commit would write, and writes nothing.
    fn rehearse(&self, facts: Vec<Fact>, manner: Manner) -> (Told, Vec<Row>) {
        let mut stored = self.stored();
        let len = stored.rows.len();
        let told = self.write(&mut stored, facts, manner);
        (told, self.cut(&mut stored, len))
    }

    fn page(&self, stored: &Stored, position: u64, facts_max: usize) -> Page {
        let hides = |seq: u64| match self.mistake {
            Mistake::ShowsLate => seq > self.horizon.load(Ordering::SeqCst),
            Mistake::ShowsHalfACommit => stored.hidden.iter().any(|hidden| seq >= *hidden.start()),
            _ => stored.hidden.iter().any(|hidden| hidden.contains(&seq)),
        };
        let facts_max = match self.mistake {
            Mistake::GivesLargerPages if facts_max > 1 => facts_max.saturating_add(1),
            _ => facts_max,
        };
        let from = stored.rows.partition_point(|(seq, _)| *seq <= position);
        let rows = stored.rows.iter().take(self.sees_max.load(Ordering::SeqCst)).skip(from);
        let rows = rows.filter(|(seq, _)| !hides(*seq)).take(facts_max.saturating_add(1));
        let mut rows: Vec<&Row> = rows.collect();
        let is_last = rows.len() <= facts_max;
        rows.truncate(facts_max);
        let mut end = rows.last().map_or(position, |(seq, _)| *seq);
        let full = !is_last && rows.len() > 1;
        match self.mistake {
            Mistake::SkipsTheEndOfAPage if full => drop(rows.pop()),
            Mistake::RepeatsTheEndOfAPage if full => end = rows[rows.len() - 2].0,
            Mistake::StandsStill if full => end = position,
            Mistake::SaysLastTooEarlyAndMovesOn if full => end = stored.drawn,
            _ => {}
        }
        let is_last = is_last || self.is(Mistake::SaysLastTooEarlyAndMovesOn);
        let facts = rows.into_iter().map(|(_, fact)| fact.clone()).collect();
        Page { facts, cursor: cursor(&stored.epoch, end), is_last }
    }
}

type Told = Result<Vec<Written>, Error>;

fn cursor(epoch: &str, position: u64) -> Cursor {
    Cursor { position, ..Cursor::start(epoch.to_owned()) }
}

#[async_trait]
impl Host for Shelf {
    async fn commit(&self, facts: Vec<Fact>, manner: Manner) -> Told {
        match self.mistake {
            // Looks first and writes later, as a store without a unique key.
            Mistake::LetsTwoWin => {
                let (told, new) = self.rehearse(facts, manner);
                step_aside(1).await;
                let mut stored = self.stored();
                new.into_iter().for_each(|(_, fact)| self.push(&mut stored, fact));
                told
            }
            Mistake::GivesUpWhenItMeetsAnother => {
                if std::mem::replace(&mut self.stored().is_busy, true) {
                    return Err(Error::new(Code::StoreUnusable, "a deadlock was found"));
                }
                step_aside(1).await;
                let mut stored = self.stored();
                stored.is_busy = false;
                self.write(&mut stored, facts, manner)
            }
            // Written, and shown in part: all of it is hidden while others with larger numbers are
            // seen, or one half of it is there for a moment before the other.
            Mistake::DrawsNumbersBeforeItWrites | Mistake::ShowsHalfACommit => {
                let (told, new) = {
                    let mut stored = self.stored();
                    let from = stored.drawn + 1;
                    let told = self.write(&mut stored, facts, manner);
                    let middle = from.midpoint(stored.drawn + 1);
                    let is_half = self.is(Mistake::ShowsHalfACommit);
                    let new = if is_half { middle } else { from }..=stored.drawn;
                    stored.hidden.push(new.clone());
                    (told, new)
                };
                step_aside(u32::try_from(new.clone().count() % 7).expect("below 7")).await;
                self.stored().hidden.retain(|hidden| *hidden != new);
                told
            }
            _ => self.write(&mut self.stored(), facts, manner),
        }
    }

    async fn read(&self, stream: &Stream) -> Result<Vec<Fact>, Error> {
        let key = self.key(stream);
        let is_own = |own: &Stream| match self.mistake {
            Mistake::ReadsByPrefix => own.as_str().starts_with(&key),
            Mistake::ReadsByPattern => like(key.as_bytes(), own.as_str().as_bytes()),
            _ => self.key(own) == key,
        };
        let stored = self.stored();
        let rows =
            stored.rows.iter().take(self.sees_max.load(Ordering::SeqCst)).map(|(_, fact)| fact);
        let mut facts: Vec<Fact> = rows.filter(|fact| is_own(&fact.stream)).cloned().collect();
        match self.mistake {
            Mistake::SortsNumbersAsText => facts.sort_by_key(|fact| fact.n.to_string()),
            Mistake::SortsByTime => facts.sort_by_key(|fact| fact.at),
            Mistake::ForgetsBeyondAThousand => facts.truncate(100),
            _ => facts.sort_by_key(|fact| fact.n),
        }
        Ok(facts)
    }

    async fn since(&self, from: Option<&Cursor>, facts_max: usize) -> Result<Page, Error> {
        let stored = self.stored();
        let from = from.cloned().unwrap_or_else(|| cursor(&stored.epoch, 0));
        let epoch = |detail: &str| Error::new(Code::EpochChanged, detail);
        if from.epoch != stored.epoch && !self.is(Mistake::IgnoresTheEpoch) {
            return Err(epoch("another database"));
        }
        if from.position > stored.drawn && !self.is(Mistake::IgnoresWhatIsAhead) {
            return Err(epoch("ahead of its database"));
        }
        if self.looks.fetch_add(1, Ordering::SeqCst) % 5 == 4 {
            self.horizon.store(stored.drawn, Ordering::SeqCst);
        }
        Ok(self.page(&stored, from.position, facts_max))
    }
}

/// SQL's LIKE, for names.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'%', rest @ ..], _) => (0..=text.len()).any(|at| like(rest, &text[at..])),
        ([b'_', rest @ ..], [_, text @ ..]) => like(rest, text),
        ([wanted, rest @ ..], [found, text @ ..]) => wanted == found && like(rest, text),
        _ => false,
    }
}
