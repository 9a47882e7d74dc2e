//! What rails quote: a batch that would cost more than its book pays is not signed, and says so.

use std::collections::BTreeMap;

use divvy_core::{Amount, Book, Error, Line, Name, Pack, Rail, Time};

use crate::worker::{Tick, Worker};

/// The books that a rail is too dear for just now, and why.
#[derive(Debug, Default)]
pub(super) struct Costs(BTreeMap<(Name, Name), Error>);

impl Costs {
    /// Whether a batch may be signed at this price; if not, that stands in the way until it may.
    pub(super) fn allow(&mut self, book: &Book, rail: &Name, quoted: Amount) -> bool {
        let key = (book.name().clone(), rail.clone());
        let Err(error) = book.check_fee(quoted) else {
            self.0.remove(&key);
            return true;
        };
        tracing::warn!(book = %book.name(), %rail, %error, "not signed at this price");
        self.0.insert(key, error);
        false
    }

    pub(super) fn obstacles(&self) -> impl Iterator<Item = Error> {
        self.0.values().cloned()
    }
}

impl Worker {
    /// What a rail quotes for lines that go together: as it packed them, or asked anew where they
    /// were parted since. Nothing when it cannot say just now.
    pub(super) async fn cost_of(
        &self,
        rail: &dyn Rail,
        lines: &[Line],
        packed: (&[Line], &[Pack]),
        now: Time,
        tick: &mut Tick,
    ) -> Option<Amount> {
        let (all, packs) = packed;
        // No line is in two packs, so the first one tells which pack it is.
        let first = |pack: &Pack| pack.lines.first().and_then(|at| all.get(*at));
        let whole = |pack: &&Pack| pack.lines.len() == lines.len() && first(pack) == lines.first();
        if let Some(pack) = packs.iter().find(whole) {
            return Some(pack.fee);
        }
        let packs = self.packs(rail, lines, now, tick).await?;
        Amount::total(packs.iter().map(|pack| pack.fee)).ok()
    }
}
