//! What people decided, against those whom the book knew at the time.

use crate::books::Books;
use crate::error::Error;
use crate::fact::{Body, Fact};

/// Every decision that says with whose key it was signed.
#[derive(Debug, Default)]
pub(super) struct Acts {
    signed: Vec<(Fact, u64)>,
}

impl Acts {
    pub(super) fn note(&mut self, fact: &Fact, body: &Body) {
        if let Body::Decided(decided) = body
            && let Some(proof) = &decided.proof
        {
            self.signed.push((fact.clone(), proof.guard));
        }
    }

    /// Whether all that was decided has followed, all that people said is signed, and nobody
    /// signed who was one of them no more.
    pub(super) fn check(&self, books: &Books) -> Result<(), Error> {
        books.all().try_for_each(crate::book::Book::check_decided_all)?;
        for (fact, guard) in &self.signed {
            books.check_key_of(fact, *guard)?;
        }
        Ok(())
    }
}
