//! What each fact does to the books, in whatever order streams are read.

use std::collections::BTreeSet;

use crate::book::Book;
use crate::books::Books;
use crate::error::Error;
use crate::fact::{Body, Fact, Hash, Head, Place, Stream};
use crate::name::Name;

impl Books {
    /// Folds facts as they were read.
    ///
    /// # Errors
    /// The errors of [`Fact::body`] and of the rules that a fact breaks. A broken history stops
    /// everything: run `verify`.
    pub fn feed(&mut self, facts: &[Fact]) -> Result<(), Error> {
        for fact in facts {
            self.feed_known(fact, &fact.body()?)?;
        }
        self.fold_early()
    }

    /// Folds one fact whose body is known.
    pub(crate) fn feed_known(&mut self, fact: &Fact, body: &Body) -> Result<(), Error> {
        self.count = self.count.saturating_add(1);
        self.digest = self.digest.then(&fact.hash);
        self.newest = self.newest.max(fact.at);
        // What went back of a payment that still waits for its rule waits behind it.
        let is_behind = fact.n > 0 && matches!(fact.stream.place(), Place::Payment { .. });
        let is_behind = is_behind && self.early.iter().any(|early| early.stream == fact.stream);
        if is_behind || !self.fold(fact, body).map_err(|error| fact.named(&error))? {
            self.early.push(fact.clone());
        }
        Ok(())
    }

    /// Where a stream goes on, as far as it is folded; payments have no place of their own.
    pub(crate) fn head_of(&self, stream: &Stream) -> Option<(u64, Hash)> {
        let place = stream.place();
        let head = match (place.book(), place) {
            (Some(book), _) => return self.books.get(book)?.head_of(place),
            (None, Place::Coins { wallet }) => &self.wallets.get(wallet)?.head,
            (None, Place::Seal) => &self.sealed.as_ref()?.0,
            (None, _) => return None,
        };
        Some((head.n, head.hash))
    }

    fn fold(&mut self, fact: &Fact, body: &Body) -> Result<bool, Error> {
        let place = fact.stream.place();
        let name = match (place.book(), place) {
            (Some(book), _) => book,
            (None, Place::Coins { wallet }) => return self.fold_claim(wallet, fact, body),
            (None, Place::Seal) => return self.fold_seal(fact, body),
            (None, _) => body.payment_book().ok_or_else(|| crate::book::misplaced(fact))?.as_str(),
        };
        if let Some(book) = self.books.get_mut(name) {
            return book.apply(fact, place, body).map(|folded| folded.is_done());
        }
        let Body::Opened(opened) = body else { return Ok(false) };
        if !matches!(place, Place::Rule { .. }) || fact.n != 0 {
            return Err(crate::book::misplaced(fact));
        }
        let name = Name::new(name)?;
        let mut book = Book::open(name.clone(), opened.clone(), Head::after(fact), fact.at);
        book.strict = self.strict;
        self.books.insert(name, book);
        Ok(true)
    }

    fn fold_seal(&mut self, fact: &Fact, body: &Body) -> Result<bool, Error> {
        let Body::Sealed(sealed) = body else { return Err(crate::book::misplaced(fact)) };
        let next = self.sealed.as_ref().map_or(0, |(head, _)| head.n);
        if next == fact.n {
            self.sealed = Some((Head::after(fact), sealed.clone()));
        }
        Ok(next == fact.n)
    }

    /// Tries what came early again, as long as that gets anywhere.
    pub(crate) fn fold_early(&mut self) -> Result<(), Error> {
        while !self.early.is_empty() {
            let early = std::mem::take(&mut self.early);
            let before = early.len();
            let mut held = BTreeSet::new();
            for fact in early {
                // What a payment waits for may come in this very round, before what follows it.
                let is_behind = held.contains(&fact.stream);
                if is_behind
                    || !self.fold(&fact, &fact.body()?).map_err(|error| fact.named(&error))?
                {
                    held.insert(fact.stream.clone());
                    self.early.push(fact);
                }
            }
            if self.early.len() == before {
                break;
            }
        }
        Ok(())
    }
}
