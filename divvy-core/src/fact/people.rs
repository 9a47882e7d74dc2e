//! What the facts say in which people answer for something: limits, approvals and decisions.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::asset::Asset;
use crate::fact::bodies::bodies;
use crate::fact::{Body, Hash, Place, Purpose, Stream};
use crate::name::Name;
use crate::signature::{PublicKey, Signature};
use crate::time::Time;

bodies! {
    /// From now on payouts above a limit need approvals, and people are known by their keys.
    Guarded {
        /// What is planned of one day, counted in UTC, without approvals; what is above waits.
        #[n(0)] limit: Amount,
        /// How many different people have to approve.
        #[n(1)] approvals: u32,
        /// Who may approve and decide.
        #[n(2)] people: Vec<Person>,
        /// An approval counts for so many seconds after it was signed.
        #[n(3)] expires_secs: u64,
        /// What those in force before have signed; none for the first.
        #[n(4)] #[serde(default, skip_serializing_if = "Vec::is_empty")]
        consents: Vec<Consent>,
        /// How many acts of people stand in the book that nobody has signed; none means 0. Each
        /// one beyond them has to be signed.
        #[n(5)] #[serde(default, skip_serializing_if = "Option::is_none")]
        unsigned: Option<u64>,
    }
    /// A person who answers for what they sign.
    Person {
        /// Who.
        #[n(0)] name: Name,
        /// The key that signs for them.
        #[n(1)] key: PublicKey,
    }
    /// One person's signature.
    Consent {
        /// Who.
        #[n(0)] by: Name,
        /// Their signature.
        #[n(1)] signature: Signature,
    }
    /// A batch waits for approvals before it is signed.
    Asked {
        /// How many different people have to approve.
        #[n(0)] approvals: u32,
        /// Who may.
        #[n(1)] people: Vec<Person>,
        /// An approval counts for so many seconds after it was signed.
        #[n(2)] expires_secs: u64,
        /// What the lines are amounts of.
        #[n(3)] asset: Asset,
        /// What the rail may charge for it, in the same asset.
        #[n(4)] fee_max: Amount,
    }
    /// A person approved a batch as it was planned.
    Approved {
        /// Who.
        #[n(0)] by: Name,
        /// When they signed; the approval expires by this time.
        #[n(1)] signed_at: Time,
        /// Their signature over [`crate::Batch::approval`].
        #[n(2)] signature: Signature,
    }
    /// A person decided, and the facts that follow in the same stream are what they decided.
    Decided {
        /// Who.
        #[n(0)] by: Name,
        /// Why.
        #[n(1)] reason: String,
        /// How many facts of this stream follow from it.
        #[n(2)] acts: u32,
        /// The digest of their bodies.
        #[n(3)] digest: Hash,
        /// The fact of the stream of runs that says which key is theirs, and their signature by
        /// it; none where a book knows no keys.
        #[n(4)] #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<KeyProof>,
    }
    /// Which key somebody has signed with.
    KeyProof {
        /// The place of the fact that names it, in the book's stream of runs.
        #[n(0)] guard: u64,
        /// Their signature.
        #[n(1)] signature: Signature,
    }
}

impl Guarded {
    /// What those in force before have to sign: all of it but the signatures, and the place of the
    /// guard that it follows.
    ///
    /// ```
    /// use divvy_core::{Amount, Guarded, Name, Person, SecretKey, Stream};
    ///
    /// let key = SecretKey::new(&[7; 32]).public();
    /// let people = vec![Person { name: Name::new("ann")?, key }];
    /// let (limit, approvals, expires_secs) = (Amount::new(50_000)?, 1, 3_600);
    /// let (consents, unsigned) = (vec![], None);
    /// let guarded = Guarded { limit, approvals, people, expires_secs, consents, unsigned };
    /// let runs = Stream::run(&Name::new("chapter-42")?);
    /// // The same words behind another guard are another statement: nobody can repeat them.
    /// assert_ne!(guarded.digest(&runs, 0), guarded.digest(&runs, 8));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn digest(&self, runs: &Stream, before: u64) -> Hash {
        let bare = Self { consents: Vec::new(), ..self.clone() };
        let body = Body::Guarded(bare).encode();
        Hash::of_said("divvy.guard.1", &[runs.as_str()], &[&before.to_be_bytes(), &body])
    }
}

impl Decided {
    /// What the person has to sign: who decides what, why, and at which place.
    ///
    /// ```
    /// use divvy_core::{Decided, Hash, Name, Stream};
    ///
    /// let (by, reason, digest) = (Name::new("ann")?, "I called them".to_owned(), Hash::of(b""));
    /// let decided = Decided { by, reason, acts: 1, digest, proof: None };
    /// let batch = Stream::parse("batch/chapter-42/0/0")?;
    /// assert_ne!(decided.digest_at(&batch, 3), decided.digest_at(&batch, 4));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn digest_at(&self, stream: &Stream, n: u64) -> Hash {
        let bare = Self { proof: None, ..self.clone() };
        let body = Body::Decided(bare).encode();
        Hash::of_said("divvy.act.1", &[stream.as_str()], &[&n.to_be_bytes(), &body])
    }
}

impl Body {
    /// Whether a person said so, on their own word: where a book knows people, such a fact follows
    /// from a decision that one of them has signed.
    ///
    /// What a rail, a statement or an issuer's key bears out is no act, and neither is what a
    /// program does for payees, buyers and sellers. Terms are an act where they are everyone's, in
    /// the stream of runs, and a payee's own choice in theirs.
    ///
    /// ```
    /// use divvy_core::{Body, Held, Stream};
    ///
    /// let eve = Stream::parse("payee/chapter-42/eve")?;
    /// let held = |cause| Body::Held(Held { reason: "asked to wait".into(), cause });
    /// assert!(held(None).is_act(&eve));
    /// assert!(!held(Some(Stream::parse("batch/chapter-42/0/0")?)).is_act(&eve));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else is no word of a person")]
    pub fn is_act(&self, stream: &Stream) -> bool {
        match self {
            Self::TermsSet(_) => matches!(stream.place(), Place::Run { .. }),
            Self::RuleSet(rule) => rule.signature.is_none(),
            Self::IssuerSet(set) => set.signature.is_none(),
            Self::Held(held) => held.cause.is_none(),
            Self::BreakClosed(closed) => closed.evidence.is_none(),
            Self::Funds(funds) => funds.purpose.is_owners(),
            Self::Released(_) | Self::Brought(_) | Self::FeesSet(_) => true,
            Self::BreakExplained(_) | Self::WeekClosed(_) => true,
            // A try that is adopted was never signed by us, and its bytes are lost.
            Self::Signed(signed) => signed.bytes.is_empty() && signed.deadline == Time::ZERO,
            _ => false,
        }
    }

    /// Whether facts of a kind may be acts, without reading them.
    pub(crate) fn may_be_act(kind: &str) -> bool {
        ACTS.contains(&kind)
    }
}

impl Purpose {
    /// Whether only the owner knows: no provider and no statement tells it.
    const fn is_owners(self) -> bool {
        match self {
            Self::Replenished | Self::Withdrawn | Self::Drawn | Self::Repaid => true,
            Self::CreditLimit | Self::Reserve => true,
            Self::FeeEarned | Self::FeePaid => false,
            Self::Expected(_) | Self::Arrived | Self::Missed => false,
        }
    }
}

const ACTS: [&str; 12] = [
    "rule_set.1",
    "issuer_set.1",
    "held.1",
    "break_closed.1",
    "funds.1",
    "released.1",
    "brought.1",
    "break_explained.1",
    "week_closed.1",
    "signed.1",
    "fees_set.1",
    "terms_set.1",
];
