//! Decisions against what follows from them: nobody's name stands above what they did not sign.

use std::collections::HashMap;

use crate::book::body_hash;
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Hash, Stream};

/// Decisions of which not all facts have followed, by their stream.
#[derive(Debug, Default)]
pub(super) struct Acts {
    pending: HashMap<Stream, Pending>,
}

#[derive(Debug)]
struct Pending {
    n: u64,
    left: u32,
    wanted: Hash,
    found: Hash,
}

impl Acts {
    /// Takes in the next fact of a stream.
    pub(super) fn note(&mut self, fact: &Fact, body: &Body) -> Result<(), Error> {
        if let Some(mut pending) = self.pending.remove(&fact.stream) {
            pending.found = pending.found.then(&body_hash(body));
            pending.left = pending.left.saturating_sub(1);
            if pending.left > 0 {
                self.pending.insert(fact.stream.clone(), pending);
            } else if pending.found != pending.wanted {
                return Err(differs(&fact.stream, pending.n));
            }
        } else if let Body::Decided(decided) = body
            && decided.acts > 0
        {
            let (n, left, wanted) = (fact.n, decided.acts, decided.digest);
            let pending = Pending { n, left, wanted, found: Hash::default() };
            self.pending.insert(fact.stream.clone(), pending);
        }
        Ok(())
    }

    /// Whether all that was decided has followed.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.pending
            .iter()
            .next()
            .map_or(Ok(()), |(stream, pending)| Err(differs(stream, pending.n)))
    }
}

fn differs(stream: &Stream, n: u64) -> Error {
    let detail =
        format!("fact {n} of {stream} (decided.1): something else follows than was decided");
    Error::new(Code::FactTampered, detail)
}
