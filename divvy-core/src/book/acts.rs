//! What people said on their own word, and how much of it nobody has signed.
//!
//! Facts of different streams come in any order, so no order tells whether an act came before the
//! book knew people. The guard says how many of them it lets stand, and the book counts.

use std::collections::BTreeMap;

use crate::book::{Book, body_hash};
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Hash, Stream};
use crate::time::Time;

/// What people did in one book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Acts {
    /// Decisions of which not all facts have followed, by their stream.
    pending: BTreeMap<Stream, Pending>,
    /// How many acts nobody has signed, and the newest of them.
    unsigned: u64,
    newest: Option<Unsigned>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pending {
    n: u64,
    left: u32,
    wanted: Hash,
    found: Hash,
}

/// Where an act stands that nobody has signed; the newest is the same in every order of reading.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Unsigned {
    at: Time,
    stream: Stream,
    n: u64,
}

stored!(Acts { pending, unsigned, newest });
stored!(Pending { n, left, wanted, found });
stored!(Unsigned { at, stream, n });

impl Acts {
    pub(super) const fn unsigned(&self) -> u64 {
        self.unsigned
    }

    /// Takes in the next fact of a stream: nobody's name stands above what they did not sign.
    pub(super) fn note(&mut self, fact: &Fact, body: &Body) -> Result<(), Error> {
        if let Some(mut pending) = self.pending.remove(&fact.stream) {
            pending.found = pending.found.then(&body_hash(body));
            pending.left = pending.left.saturating_sub(1);
            if pending.left > 0 {
                self.pending.insert(fact.stream.clone(), pending);
            } else if pending.found != pending.wanted {
                return Err(differs(&fact.stream, pending.n));
            }
            return Ok(());
        }
        let unsigned = if let Body::Decided(decided) = body {
            let (n, left, wanted) = (fact.n, decided.acts, decided.digest);
            let pending = Pending { n, left, wanted, found: Hash::default() };
            self.pending.insert(fact.stream.clone(), pending);
            decided.proof.is_none()
        } else {
            body.is_act(&fact.stream)
        };
        if unsigned {
            let newest = Unsigned { at: fact.at, stream: fact.stream.clone(), n: fact.n };
            self.unsigned = self.unsigned.saturating_add(1);
            self.newest = self.newest.take().max(Some(newest));
        }
        Ok(())
    }
}

impl Book {
    /// Whether one of those whom the book knows has signed each act of a person since it knows
    /// them. While it is not so, nothing is planned and nothing is signed: either the act is
    /// forged, or its writer had not read of these people yet. Those who approve let it stand by
    /// another [`Book::guard`].
    ///
    /// # Errors
    /// [`Code::ActUnsigned`], naming the newest act that nobody has signed.
    pub fn check_acts(&self) -> Result<(), Error> {
        let Some(guarded) = self.guarded() else { return Ok(()) };
        let allowed = guarded.unsigned.unwrap_or(0);
        let Some(Unsigned { at, stream, n }) = &self.acts.newest else { return Ok(()) };
        if self.acts.unsigned <= allowed {
            return Ok(());
        }
        let detail = format!(
            "book {} has {} acts that nobody signed, of which its people let {allowed} stand; the \
             newest is fact {n} of {stream}, of {at}: find out who wrote it, and let it stand or \
             restore a backup",
            self.name, self.acts.unsigned
        );
        Err(Error::new(Code::ActUnsigned, detail))
    }

    /// Whether all that was decided has followed, and all that people said is signed.
    pub(crate) fn check_decided_all(&self) -> Result<(), Error> {
        if let Some((stream, pending)) = self.acts.pending.first_key_value() {
            return Err(differs(stream, pending.n));
        }
        self.check_acts()
    }

    /// Whether a decision was signed while the people of its guard were the ones to sign, or as
    /// long after as somebody may not have read of others.
    pub(crate) fn check_key_of(&self, fact: &Fact, guard: u64) -> Result<(), Error> {
        let next = self.guards.iter().find(|other| other.n > guard);
        let Some(next) = next.filter(|next| next.at.plus_secs(UNREAD_SECS) < fact.at) else {
            return Ok(());
        };
        let detail = format!(
            "it is signed by the people of fact {guard} of the runs, but others decide since {}",
            next.at
        );
        Err(fact.named(&Error::new(Code::SignatureWrong, detail)))
    }
}

fn differs(stream: &Stream, n: u64) -> Error {
    let detail =
        format!("fact {n} of {stream} (decided.1): something else follows than was decided");
    Error::new(Code::FactTampered, detail)
}

/// Who decides may not have read a guard yet that was set so many seconds before.
const UNREAD_SECS: u64 = 86_400;
