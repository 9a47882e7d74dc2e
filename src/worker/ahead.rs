//! Before the first plan: does a rail show tries that our facts do not know?
//!
//! An older copy of a database that was put in place of a newer one has forgotten what was paid
//! since. Every fact in it holds, so nothing but the rails can tell.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use divvy_core::{Code, Error, Name, Rail, Stranger, Time};

use crate::divvy::Divvy;
use crate::worker::pace::Pace;
use crate::worker::{Tick, Worker};

/// What the rails have said so far of each book, since its fold was begun.
#[derive(Debug, Default)]
pub(super) struct Clearances {
    opening: Option<Arc<()>>,
    asked: BTreeMap<(Name, Name), Clearance>,
}

/// What a rail has said of a book.
#[derive(Debug)]
enum Clearance {
    /// It shows nothing that is not in the facts.
    Clear,
    /// Nobody has answered yet, and when to ask again.
    Unheard(Pace),
    /// It shows more than the facts do. It is asked again, since somebody may have mended that.
    Closed(Error, Pace),
}

impl Clearances {
    /// Forgets what was said when the fold was begun anew, or is another one.
    pub(super) fn follow(&mut self, divvy: &Divvy) {
        let same = |known: &Arc<()>| Arc::ptr_eq(known, divvy.opening());
        if !self.opening.as_ref().is_some_and(same) {
            self.opening = Some(Arc::clone(divvy.opening()));
            self.asked.clear();
        }
    }

    /// Asks again of a book, since its facts were mended.
    pub(super) fn forget(&mut self, book: &Name) {
        self.asked.retain(|(asked, _), _| asked != book);
    }

    /// Whether nothing stands in the way of paying a book over a rail.
    pub(super) fn is_clear(&self, divvy: &Divvy, book: &Name, rail: &Name) -> bool {
        let same = |known: &Arc<()>| Arc::ptr_eq(known, divvy.opening());
        let said = self.asked.get(&(book.clone(), rail.clone()));
        self.opening.as_ref().is_some_and(same) && matches!(said, Some(Clearance::Clear))
    }

    /// When somebody is to be asked again.
    pub(super) fn not_before(&self) -> Option<Time> {
        let unheard = self.asked.values().filter_map(|said| match said {
            Clearance::Unheard(pace) => Some(pace.not_before()),
            Clearance::Clear | Clearance::Closed(..) => None,
        });
        unheard.min()
    }

    pub(super) fn obstacles(&self) -> Vec<Error> {
        let closed = self.asked.values().filter_map(|said| match said {
            Clearance::Closed(error, _) => Some(error.clone()),
            Clearance::Clear | Clearance::Unheard(_) => None,
        });
        closed.collect()
    }

    /// How often it was asked so far, when it is time to ask; nothing when it is not.
    fn pace(&self, key: &(Name, Name), now: Time) -> Option<Pace> {
        match self.asked.get(key) {
            None | Some(Clearance::Clear) => Some(Pace::default()),
            Some(Clearance::Unheard(pace) | Clearance::Closed(_, pace)) => {
                pace.is_over(now).then_some(*pace)
            }
        }
    }
}

impl Worker {
    /// Whether a book may be paid over a rail, which is asked where that is not known.
    pub(super) async fn is_clear(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        rail: &dyn Rail,
        now: Time,
        tick: &mut Tick,
    ) -> Result<bool, Error> {
        if self.clearances.is_clear(divvy, book, rail.name()) {
            return Ok(true);
        }
        let key = (book.clone(), rail.name().clone());
        let Some(mut pace) = self.clearances.pace(&key, now) else { return Ok(false) };
        pace.wait(&format!("{book}/{}", rail.name()), now, self.settings.first_wait_secs);
        let run_from = divvy.books().book(book.as_str())?.run_from();
        let turn = |heard: &[_]| rail.beyond(book, run_from, heard, now);
        let said = match self.wire(rail.name()).talk_long(tick, TURNS_MAX, turn).await {
            Ok(Some(shown)) => match unknown(divvy, book, run_from, shown).await? {
                strangers if strangers.is_empty() => Clearance::Clear,
                strangers => {
                    let error = rail_ahead(divvy, book, rail.name(), &strangers)?;
                    tracing::error!(%book, rail = %rail.name(), %error, "nothing more is paid");
                    tick.closed = tick.closed.saturating_add(1);
                    Clearance::Closed(error, pace)
                }
            },
            Ok(None) => Clearance::Unheard(pace),
            Err(error) if matches!(error.code(), Code::RailReply | Code::RailRefused) => {
                tracing::warn!(%book, rail = %rail.name(), %error, "paying waits for an answer");
                Clearance::Unheard(pace)
            }
            Err(error) => return Err(error),
        };
        let is_clear = matches!(said, Clearance::Clear);
        self.clearances.asked.insert(key, said);
        Ok(is_clear)
    }
}

/// The tries that no fact knows. What others wrote while the rail was asked is read first.
pub(super) async fn unknown(
    divvy: &mut Divvy,
    book: &Name,
    run_from: u64,
    shown: Vec<Stranger>,
) -> Result<Vec<Stranger>, Error> {
    if shown.is_empty() {
        return Ok(shown);
    }
    divvy.catch_up().await?;
    let fold = divvy.books().book(book.as_str())?;
    let known: HashSet<&str> = fold.references(run_from).collect();
    let foreign = |stranger: &Stranger| !known.contains(stranger.reference.as_str());
    let mut strangers: Vec<Stranger> = shown.into_iter().filter(foreign).collect();
    let mut seen = HashSet::new();
    strangers.retain(|stranger| seen.insert(stranger.reference.clone()));
    let mut unknown = Vec::new();
    for stranger in strangers {
        // A fold may be behind its own database: what counts is what is written.
        let facts = divvy.host().read(&stranger.batch).await?;
        let signed = |fact: &divvy_core::Fact| match fact.body() {
            Ok(divvy_core::Body::Signed(signed)) => signed.reference == stranger.reference,
            Ok(_) | Err(_) => false,
        };
        if !facts.iter().any(signed) {
            unknown.push(stranger);
        }
    }
    Ok(unknown)
}

/// What a person needs to know of tries that no fact knows.
fn rail_ahead(
    divvy: &Divvy,
    book: &Name,
    rail: &Name,
    strangers: &[Stranger],
) -> Result<Error, Error> {
    let fold = divvy.books().book(book.as_str())?;
    let asset = &fold.settings().asset;
    let shown = strangers.iter().take(STRANGERS_NAMED).map(|stranger| {
        let total = stranger.total().unwrap_or(divvy_core::Amount::MAX);
        let (lines, total) = (stranger.lines.len(), asset.text(total));
        let Stranger { batch, reference, .. } = stranger;
        format!("{batch} as {reference} ({lines} lines, {total} {})", asset.code())
    });
    let shown: Vec<String> = shown.collect();
    let more = match strangers.len().saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let detail = format!(
        "rail {rail} shows {}{more} of book {book}, which no fact knows; our next run is {}. An \
         older copy of the database seems to be in place of a newer one: restore the newer one, \
         or take in what the rail shows with `divvy adopt`. Until then nobody is paid over {rail}",
        shown.join(", "),
        fold.runs()
    );
    Ok(Error::new(Code::RailAhead, detail))
}

/// A listing of a few million lines.
pub(super) const TURNS_MAX: usize = 1_000;
/// So many are named; the rest is counted.
const STRANGERS_NAMED: usize = 3;
