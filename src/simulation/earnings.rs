//! What everyone has earned in the engine, against plain integers: after each write and at the end.

use divvy_core::{Body, Error, Fact, Name};

use crate::simulation::expected::Expected;
use crate::simulation::promise::{Broken, Promise};
use crate::simulation::scene::Scene;

impl Scene {
    /// What was just written earns everyone what plain integers say.
    pub(super) fn earns(&mut self, facts: &[Fact]) -> Result<Option<Broken>, Error> {
        for fact in facts {
            let body = fact.body()?;
            if matches!(&body, Body::Declared(declared) if declared.drawn.is_some()) {
                self.trace.count("drawn from pools");
            }
            for expected in &mut self.expected {
                if let Some(wrong) = expected.take(fact, &body)? {
                    return Ok(broken(format!("fact {} of {}: {wrong}", fact.n, fact.stream)));
                }
            }
        }
        for expected in &self.expected {
            if let Some(said) = self.earns_exactly(expected)? {
                return Ok(broken(said));
            }
        }
        Ok(None)
    }

    /// Everything that came in is somewhere, and everyone has earned what they must have.
    fn earns_exactly(&self, expected: &Expected) -> Result<Option<String>, Error> {
        let book = expected.book();
        let Ok(fold) = self.witness.books.book(book.as_str()) else { return Ok(None) };
        let recorded = u128::from(fold.totals().recorded);
        let (known, accounted) = (expected.recorded, expected.accounted());
        let brought = u128::from(fold.totals().opened);
        if brought != expected.brought {
            let known = expected.brought;
            return Ok(Some(format!("{brought} was brought to {book}, its facts say {known}")));
        }
        if recorded != known || recorded != accounted {
            return Ok(Some(format!(
                "{book} has recorded {recorded}, its facts say {known}, {accounted} is somewhere"
            )));
        }
        for payee in fold.payees() {
            let earned = u128::from(fold.balance(payee.as_str(), self.now)?.earned);
            let bounds = expected.bounds(payee);
            if earned < bounds.least || earned > bounds.most {
                return Ok(Some(format!("{payee} of {book} has earned {earned}, not {bounds:?}")));
            }
        }
        Ok(None)
    }

    /// What a payee was paid otherwise than by a batch of a book.
    pub(super) fn passed(&self, book: &Name, payee: &Name) -> u128 {
        let own = self.expected.iter().find(|expected| expected.book() == book);
        own.map_or(0, |expected| expected.passed(payee))
    }

    /// At the end: each receipt came in once, and what is for the holders of pools is theirs.
    pub(super) fn all_came_in(&self) -> Result<Option<Broken>, Error> {
        for expected in &self.expected {
            let book = expected.book();
            let offered = self.till.recorded_in(book, self.store.facts())?;
            if offered != expected.recorded {
                let recorded = expected.recorded;
                return Ok(broken(format!("{book} has recorded {recorded}, the till {offered}")));
            }
            let fold = self.witness.books.book(book.as_str())?;
            for (payee, kept) in expected.feeders() {
                let left =
                    fold.balance(payee.as_str(), self.now).map_or(0, |has| has.payable.get());
                if u128::from(left) > kept {
                    return Ok(broken(format!("{left} of {payee} of {book} is for holders")));
                }
            }
        }
        Ok(None)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is what those who look return")]
fn broken(said: String) -> Option<Broken> {
    Some(Broken { promise: Promise::EarnsExactly, said })
}
