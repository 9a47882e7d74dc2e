//! Facts: what happened, as canonical bytes at an address that is written once.
//!
//! State is a fold of facts. An address is `(stream, n)`; whoever finds it taken was too late,
//! and that one rule is payment idempotency, the planning lock and the fence against stale
//! workers. Every stream is a hash chain: fact 0 chains from the stream's name.

mod bodies;
mod breaks;
mod fees;
mod flows;
mod hash;
mod kinds;
mod people;
mod reversals;
mod rules;
mod seals;
mod stream;
mod terms;
pub(crate) mod text;
mod treasury;
mod webhooks;

pub use bodies::{
    Cancelled, Claimed, Converted, Declared, Declined, Destination, Evidence, Held, Issued, Line,
    Moved, Opened, PayeeSet, Planned, PoolOpened, Recorded, Redeemed, Refused, Released, Reopened,
    Returned, Review, Run, Sender, Sent, Settled, Signed, Voided, Window,
};
pub use breaks::{BreakCause, BreakClosed, BreakExplained, BreakFound};
pub use fees::{Charged, FeesSet, Swapped};
pub use flows::{Accrued, Compounded, Flowing};
pub use hash::Hash;
pub use kinds::Body;
pub use people::{Approved, Asked, Consent, Decided, Guarded, KeyProof, Person};
pub use reversals::{Brought, Cause, Extent, Lost, Mirrored, Restored, Reversed};
pub use rules::{Divided, IssuerSet, Part, Parts, Referred, RuleSet};
pub use seals::Sealed;
pub use stream::{Place, Stream};
pub use terms::{Demanded, Stated, TermsSet};
pub use treasury::{Alerted, Figures, Funds, Purpose, WeekClosed};
pub use webhooks::{Silence, WebhookHeard, WebhookResumed, WebhookSilenced, WebhookUnheard};

use crate::error::{Code, Error};
use crate::time::Time;

/// One fact: canonical bytes with a kind, at its address, chained to the fact before it.
///
/// ```
/// use divvy_core::{Body, Fact, Head, Held, Name, Stream, Time};
///
/// let stream = Stream::payee(&Name::new("chapter-42")?, &Name::new("alice")?);
/// let held = Body::Held(Held { reason: "burn address".into(), cause: None });
/// let fact = Fact::new(&Head::start(stream), Time::ZERO, &held);
/// assert_eq!((fact.n, fact.kind.as_ref()), (0, "held.1"));
/// assert_eq!(fact.body()?, held);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a fact is these six columns, in every language")]
pub struct Fact {
    /// The stream that it belongs to.
    pub stream: Stream,
    /// Its place in the stream, from 0.
    pub n: u64,
    /// The later of `now` and the newest fact seen when it was made.
    pub at: Time,
    /// Kind and version, as `settled.1`.
    pub kind: std::borrow::Cow<'static, str>,
    /// The body in deterministic CBOR (ADR 0001).
    pub bytes: Vec<u8>,
    /// SHA-256 over the predecessor's hash and everything above.
    pub hash: Hash,
}

/// Where a stream goes on: the next free place, and the hash that the next fact chains from.
///
/// ```
/// use divvy_core::{Head, Stream};
///
/// assert_eq!(Head::start(Stream::parse("coins/till")?).n, 0);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data that hosts store and hand back")]
pub struct Head {
    /// The stream.
    pub stream: Stream,
    /// The next free place.
    pub n: u64,
    /// The hash of the newest fact, or of the stream's name when there is none.
    pub hash: Hash,
}

impl Head {
    /// The head of a stream without facts.
    #[must_use]
    pub fn start(stream: Stream) -> Self {
        let hash = Hash::of_stream(&stream);
        Self { stream, n: 0, hash }
    }

    /// The head after a fact of this stream.
    ///
    /// ```
    /// use divvy_core::{Body, Fact, Head, Released, Stream, Time};
    ///
    /// let head = Head::start(Stream::parse("payee/chapter-42/alice")?);
    /// let body = Body::Released(Released { reason: "address proven".into() });
    /// let fact = Fact::new(&head, Time::ZERO, &body);
    /// assert_eq!(Head::after(&fact).n, 1);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn after(fact: &Fact) -> Self {
        Self { stream: fact.stream.clone(), n: fact.n.saturating_add(1), hash: fact.hash }
    }
}

impl Fact {
    /// Makes the next fact of a stream.
    #[must_use]
    pub fn new(head: &Head, at: Time, body: &Body) -> Self {
        let (kind, bytes) = (body.kind(), body.encode());
        let hash = Hash::of_fact(&head.hash, &head.stream, head.n, at, kind, &bytes);
        Self { stream: head.stream.clone(), n: head.n, at, kind: kind.into(), bytes, hash }
    }

    /// Makes the next facts of one stream, in order.
    ///
    /// ```
    /// use divvy_core::{Body, Fact, Head, Held, Released, Stream, Time};
    ///
    /// let head = Head::start(Stream::parse("payee/chapter-42/alice")?);
    /// let held = Body::Held(Held { reason: "asked to wait".into(), cause: None });
    /// let released = Body::Released(Released { reason: "asked to go on".into() });
    /// let facts = Fact::chain(&head, Time::ZERO, &[held, released]);
    /// assert_eq!(facts.iter().map(|fact| fact.n).collect::<Vec<_>>(), [0, 1]);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn chain(head: &Head, at: Time, bodies: &[Body]) -> Vec<Self> {
        let mut head = head.clone();
        bodies
            .iter()
            .map(|body| {
                let fact = Self::new(&head, at, body);
                head = Head::after(&fact);
                fact
            })
            .collect()
    }

    /// Reads the body. Fields that this build does not know are passed over.
    ///
    /// # Errors
    /// [`Code::FactUnknown`] for a kind or version of a newer build, [`Code::FactMalformed`] for
    /// bytes that are no body of their kind.
    pub fn body(&self) -> Result<Body, Error> {
        Body::decode(&self.kind, &self.bytes).map_err(|error| self.named(&error))
    }

    /// Reads the body and holds it to the one encoding that it may have.
    ///
    /// # Errors
    /// As [`Fact::body`], and [`Code::FactMalformed`] when encoding it again gives other bytes.
    pub fn body_strict(&self) -> Result<Body, Error> {
        let body = self.body()?;
        if body.encode() == self.bytes {
            return Ok(body);
        }
        let detail = "its bytes are not the one encoding of what they say";
        Err(self.named(&Error::new(Code::FactMalformed, detail)))
    }

    /// Recomputes the hash from the head before this fact.
    ///
    /// # Errors
    /// [`Code::FactOrphan`] when the head is another stream's or another place's,
    /// [`Code::FactTampered`] when the stored hash differs.
    pub fn check(&self, head: &Head) -> Result<(), Error> {
        if head.stream != self.stream {
            let detail = format!("it does not follow {}", head.stream);
            return Err(self.named(&Error::new(Code::FactOrphan, detail)));
        }
        self.check_after(head.n, &head.hash)
    }

    /// Recomputes the hash from the stream's next place and the hash of what is before it.
    pub(crate) fn check_after(&self, n: u64, before: &Hash) -> Result<(), Error> {
        if n != self.n {
            let detail = if n < self.n {
                format!("fact {n} of its stream is missing: restore it from a backup")
            } else {
                format!("its stream goes on at {n}: this place was written twice")
            };
            return Err(self.named(&Error::new(Code::FactOrphan, detail)));
        }
        let own = Hash::of_fact(before, &self.stream, self.n, self.at, &self.kind, &self.bytes);
        if own == self.hash {
            return Ok(());
        }
        let detail = format!("its stored hash {} should be {own}: it was altered", self.hash);
        Err(self.named(&Error::new(Code::FactTampered, detail)))
    }

    pub(crate) fn named(&self, error: &Error) -> Error {
        let detail = format!("fact {} of {} ({}): {error}", self.n, self.stream, self.kind);
        Error::new(error.code(), detail)
    }
}

crate::checkpoint::stored!(Fact { stream, n, at, kind, bytes, hash });

#[cfg(test)]
mod tests;
