//! Verification from zero.

use std::collections::HashMap;

use crate::books::Books;
use crate::error::Error;
use crate::fact::{Fact, Hash, Head, Stream};

/// tmp
#[derive(Debug, Default)]
pub struct Verify {
    heads: HashMap<Stream, Head>,
    books: Books,
}

/// tmp
#[derive(Debug)]
pub struct Verified {
    /// tmp
    pub facts: u64,
    /// tmp
    pub digest: Hash,
}

impl Verify {
    /// tmp
    pub fn feed(&mut self, facts: &[Fact]) -> Result<(), Error> {
        for fact in facts {
            let head = self
                .heads
                .get(&fact.stream)
                .cloned()
                .unwrap_or_else(|| Head::start(fact.stream.clone()));
            fact.check(&head)?;
            fact.body_strict()?;
            self.heads.insert(fact.stream.clone(), Head::after(fact));
        }
        self.books.feed(facts)
    }
    /// tmp
    pub fn finish(self, _live: &Books) -> Result<Verified, Error> {
        for b in self.books.all() {
            b.check()?;
        }
        Ok(Verified { facts: self.books.count(), digest: self.books.digest() })
    }
}
impl Books {
    /// tmp
    pub fn checkpoint(&self, _: &crate::host::Cursor) -> Vec<u8> {
        Vec::new()
    }
    /// tmp
    pub fn from_checkpoint(_: &[u8]) -> Option<(Self, crate::host::Cursor)> {
        None
    }
}
