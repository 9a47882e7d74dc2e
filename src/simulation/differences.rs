//! Our books against the rails' statements: in the midst of everything each difference has a cause,
//! and at the end there is none.

use divvy_core::{
    Amount, BreakCause, BreakState, Entry, Error, Evidence, Fate, Firmness, Found, Hash, Name,
    Place, Reconciliation, Terms, Time, Try, Window, reconcile,
};

use crate::Divvy;
use crate::simulation::promise::{Broken, Promise};
use crate::simulation::scene::{Scene, Shared};
use crate::simulation::statement::{Naming, tells_fees};
use crate::simulation::town::RAILS;
use crate::simulation::witness::Tried;

/// Somebody compares a book with the statements of its rails, and notes what differs.
pub(super) async fn compare(
    divvy: &mut Divvy,
    scene: &Shared,
    book: &Name,
    now: Time,
) -> Result<String, Error> {
    // Nobody knows what rails did after this, whatever their own clock says.
    let ours_until = scene.with(|scene| scene.now);
    let mut ours = divvy.book(book.as_str())?.entries(false, true).await?;
    let found = scene.with(|scene| -> Result<Reconciliation, Error> {
        ours.retain(|entry| !scene.is_fee_untold(&entry.reference));
        let theirs = scene.statement.entries(book, Naming::Try, &scene.town)?;
        let terms = Terms { ours_until, ..Terms::default() };
        let found = reconcile(&ours, &theirs, &terms);
        found.check()?;
        for one in &found.breaks {
            match scene.why(one, &ours) {
                Some(why) => scene.trace.count(why),
                None => scene.breaks(Promise::Reconciles, format!("{book}: {one:?}")),
            }
        }
        Ok(found)
    })?;
    let said = format!("{} differences", found.breaks.len());
    let (source, hash) = ("the rails' statements".to_owned(), Hash::of(b"statements"));
    let evidence = Evidence { source, hash, said: said.clone() };
    divvy.book(book.as_str())?.note_breaks(&found, &evidence, now).await?;
    Ok(said)
}

impl Scene {
    /// Why somebody may see a difference while all is well.
    fn why(&self, found: &Found, ours: &[Entry]) -> Option<&'static str> {
        if !matches!(found.cause, BreakCause::Amount | BreakCause::MissingOurs) {
            return None;
        }
        let own = || ours.iter().filter(|entry| entry.reference == found.reference);
        if found.reference.ends_with("#fee") {
            return (found.ours < found.theirs).then_some("differences: a fee not heard of yet");
        }
        if self.statement.came_back(&found.reference) {
            return Some("differences: something came back");
        }
        let rate = self.witness.tries.iter().find(|tried| tried.reference == found.reference);
        let rate = rate.and_then(|tried| self.witness.batches.get(&tried.batch));
        let rate = rate.and_then(|batch| self.town.price(batch.rail().as_str())?.rate);
        let unsure = own().any(|entry| entry.firmness != Firmness::Final);
        (rate.is_some() && unsure).then_some("differences: moved, nobody knows how much")
    }

    /// Whether an entry is the fee of a try over a rail that nobody can ask about it.
    fn is_fee_untold(&self, reference: &str) -> bool {
        let Some(reference) = reference.strip_suffix("#fee") else { return false };
        let tried = self.witness.tries.iter().find(|tried| tried.reference == reference);
        let batch = tried.and_then(|tried| self.witness.batches.get(&tried.batch));
        let rail = batch.map(|batch| batch.rail().as_str());
        let rail = RAILS.iter().position(|(name, _)| Some(*name) == rail);
        !rail.is_some_and(tells_fees)
    }

    /// At the end our books and the statements say the same, line by line, and no difference is
    /// open. What a rail that remembers nothing moved in another asset, nobody knows.
    pub(super) fn reconciles(&self) -> Result<Option<Broken>, Error> {
        let broken = |said: String| Ok(Some(Broken { promise: Promise::Reconciles, said }));
        for (book, _) in &self.town.books {
            let (mut ours, mut unknown) = (Vec::new(), Vec::new());
            for tried in &self.witness.tries {
                if matches!(tried.batch.place(), Place::Batch { book: of, .. } if of == book.as_str())
                {
                    self.enter(tried, &mut ours, &mut unknown)?;
                }
            }
            let mut theirs = self.statement.entries(book, Naming::Line, &self.town)?;
            theirs.retain(|entry| !unknown.contains(&&entry.reference));
            let found = reconcile(&ours, &theirs, &Terms::default());
            found.check()?;
            if let Some(one) = found.breaks.first() {
                return broken(format!("{book} at the end: {one:?}"));
            }
            for (side, places) in [(&ours, &found.ours), (&theirs, &found.theirs)] {
                let placed =
                    places.values().map(|at| at.matched.entries.saturating_add(at.held.entries));
                let (placed, all): (u64, _) = (placed.sum(), side.len());
                if u64::try_from(all) != Ok(placed) {
                    return broken(format!("{placed} entries of {all} match in {book}"));
                }
            }
            let fold = self.witness.books.book(book.as_str())?;
            let mut open = fold.breaks().filter(|(_, one)| one.state != BreakState::Closed);
            if let Some((_, one)) = open.find(|(_, one)| !unknown.contains(&&one.reference)) {
                return broken(format!("still open in {book}: {one:?}"));
            }
        }
        Ok(None)
    }

    /// What our books say of a try: line by line, and what it cost.
    fn enter<'a>(
        &self,
        tried: &'a Tried,
        ours: &mut Vec<Entry>,
        unknown: &mut Vec<&'a String>,
    ) -> Result<(), Error> {
        let Some(batch) = self.witness.batches.get(&tried.batch) else { return Ok(()) };
        let is_own = |try_: &&Try| try_.signed.reference == tried.reference;
        let Some(try_) = batch.tries().iter().find(is_own) else { return Ok(()) };
        let reference = &tried.reference;
        if try_.signed.window != Window::Once {
            let name = format!("{reference}#fee");
            let fees = try_.charged.iter();
            ours.extend(
                fees.map(|fee| Entry::paid(&name, fee.amount, fee.asset.clone(), Time::ZERO)),
            );
        }
        let firmness = if try_.fate == Fate::Settled {
            Firmness::Final
        } else if try_.is_open() {
            Firmness::Held
        } else {
            return Ok(());
        };
        let paid = |name: &str, amount, asset| Entry {
            firmness,
            ..Entry::paid(name, amount, asset, Time::ZERO)
        };
        let returned = |n: u32| try_.returned.contains(&n);
        if self.town.price(batch.rail().as_str()).is_some_and(|price| price.rate.is_some()) {
            let Some(moved) = &try_.moved else {
                unknown.push(reference);
                return Ok(());
            };
            let amounts = || (0_u32..).zip(batch.lines()).map(|(n, line)| (n, line.amount));
            let back = amounts().filter(|(n, _)| returned(*n)).map(|(_, amount)| amount).sum();
            let total: u128 = amounts().map(|(_, amount)| amount).sum();
            let away = u128::from(moved.amount).saturating_mul(back);
            let away = Amount::from_wide(away.checked_div(total).unwrap_or(0))?;
            ours.push(paid(reference, moved.amount.less(away), moved.asset.clone()));
            return Ok(());
        }
        let Place::Batch { book, .. } = tried.batch.place() else { return Ok(()) };
        let asset = &self.witness.books.book(book)?.settings().asset;
        for ((n, line), place) in (0_u32..).zip(batch.lines()).zip(0_usize..) {
            if !returned(n) {
                let name = Naming::Line.of(reference, place);
                ours.push(paid(&name, line.amount, asset.clone()));
            }
        }
        Ok(())
    }
}
