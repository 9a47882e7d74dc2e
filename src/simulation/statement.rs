//! What rails themselves say of what moved: by the tries that they took, and nothing of ours.

use std::collections::BTreeMap;

use divvy_core::{Amount, Asset, Direction, Entry, Error, Name, Place, Stream, Time};
use serde_json::Value;

use crate::sandbox::{Effect, Entry as Entered, EntryKind, WindowKind};
use crate::simulation::planted::Planted;
use crate::simulation::scene::Scene;
use crate::simulation::swap::swapped;
use crate::simulation::town::{RAILS, Town};

/// The statements of all rails.
#[derive(Debug, Default)]
pub(super) struct Statement {
    /// Each try that a rail took as its number so and so.
    posted: BTreeMap<(usize, u64), Posted>,
    said: Vec<Said>,
}

/// A try as it came to a rail.
#[derive(Clone, Debug)]
struct Posted {
    reference: String,
    book: Name,
    amounts: Vec<u64>,
}

/// What a statement says of some lines of a try.
#[derive(Clone, Debug)]
struct Said {
    rail: usize,
    taken: u64,
    kind: EntryKind,
    at: Time,
    lines: Vec<usize>,
}

/// What entries are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// By their try.
    Try,
    /// By their line, as `try#line`, where each line moves alone.
    Line,
}

impl Naming {
    pub(super) fn of(self, reference: &str, line: usize) -> String {
        match self {
            Self::Try => reference.to_owned(),
            Self::Line => format!("{reference}#{line}"),
        }
    }
}

impl Statement {
    fn seen(&mut self, rail: usize, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Clock(_) => {}
                Effect::Taken(taken) => {
                    if let Some(posted) = posted(&taken.body) {
                        self.posted.insert((rail, taken.n), posted);
                    }
                }
                Effect::Entered(Entered { kind, at, taken, lines, .. }) => {
                    let count = self.posted.get(&(rail, *taken)).map_or(0, |one| one.amounts.len());
                    let named = lines.iter().filter_map(|line| usize::try_from(*line).ok());
                    let lines =
                        if lines.is_empty() { (0..count).collect() } else { named.collect() };
                    let (taken, kind, at) = (*taken, *kind, *at);
                    self.said.push(Said { rail, taken, kind, at, lines });
                }
            }
        }
    }

    /// Whether something of a try came back, or was undone.
    pub(super) fn came_back(&self, reference: &str) -> bool {
        self.said.iter().any(|said| {
            let posted = self.posted.get(&(said.rail, said.taken));
            matches!(said.kind, EntryKind::Returned | EntryKind::Undone)
                && posted.is_some_and(|posted| posted.reference == reference)
        })
    }

    /// Everything that the statements say of a book.
    pub(super) fn entries(
        &self,
        book: &Name,
        naming: Naming,
        town: &Town,
    ) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        for said in &self.said {
            let Some(posted) = self.posted.get(&(said.rail, said.taken)) else { continue };
            if posted.book == *book {
                said.enter(posted, naming, town, &mut entries)?;
            }
        }
        Ok(entries)
    }
}

impl Said {
    fn enter(
        &self,
        posted: &Posted,
        naming: Naming,
        town: &Town,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Error> {
        let Some(price) = town.prices.get(self.rail) else { return Ok(()) };
        let direction = match self.kind {
            EntryKind::Moved | EntryKind::Charged => Direction::Out,
            EntryKind::Returned | EntryKind::Undone => Direction::In,
        };
        let mut enter = |name: &str, amount: u128, asset: Asset| -> Result<(), Error> {
            let amount = Amount::from_wide(amount)?;
            entries.push(Entry { direction, ..Entry::paid(name, amount, asset, self.at) });
            Ok(())
        };
        let reference = &posted.reference;
        if self.kind == EntryKind::Charged {
            let Some(asset) = price.asset.clone().filter(|_| tells_fees(self.rail)) else {
                return Ok(());
            };
            let lines = u128::try_from(posted.amounts.len()).unwrap_or(u128::MAX);
            let fee = lines.saturating_mul(price.charged.into());
            return enter(&format!("{reference}#fee"), fee, asset);
        }
        let amounts = self
            .lines
            .iter()
            .filter_map(|line| Some((*line, u128::from(posted.amounts.get(*line).copied()?))));
        let Some(rate) = price.rate else {
            for (line, amount) in amounts {
                enter(&naming.of(reference, line), amount, Asset::parse("USD")?)?;
            }
            return Ok(());
        };
        let total: u128 = posted.amounts.iter().map(|amount| u128::from(*amount)).sum();
        let part: u128 = amounts.map(|(_, amount)| amount).sum();
        let moved = swapped(reference, total, rate).saturating_mul(part);
        enter(reference, moved.checked_div(total).unwrap_or(0), Asset::parse("EUR")?)
    }
}

/// Whether a rail can be asked later what it charged.
pub(super) fn tells_fees(rail: usize) -> bool {
    RAILS.get(rail).is_some_and(|(_, window)| *window != WindowKind::Once)
}

fn posted(body: &[u8]) -> Option<Posted> {
    let said: Value = serde_json::from_slice(body).ok()?;
    let text = |value: &Value, name: &str| Some(value.get(name)?.as_str()?.to_owned());
    let batch = Stream::parse(&text(&said, "batch")?).ok()?;
    let Place::Batch { book, .. } = batch.place() else { return None };
    let lines = said.get("lines")?.as_array()?.iter();
    let amounts = lines.map(|line| text(line, "amount")?.parse().ok()).collect::<Option<_>>()?;
    Some(Posted { reference: text(&said, "reference")?, book: Name::new(book).ok()?, amounts })
}

impl Scene {
    /// A rail did something: whoever watches sees it, and it stands in a statement.
    pub(super) fn seen(&mut self, rail: usize, effects: &[Effect]) {
        let before = self.statement.said.len();
        self.statement.seen(rail, effects);
        let loses = self.is_planted(Planted::LosesLine) && self.dice.permille(300);
        let doubles = self.is_planted(Planted::DoublesLine) && self.dice.permille(300);
        if (loses || doubles)
            && let Some(said) = self.statement.said.get_mut(before..).and_then(<[Said]>::first_mut)
            && said.kind == EntryKind::Moved
            && let Some(line) = said.lines.pop()
            && doubles
        {
            said.lines.extend([line; 2]);
        }
        let found = self.witness.seen(rail, effects, &mut self.trace);
        self.found(found);
    }
}
