//! Who answers for what: the limit of a day, the people who approve above it, and their decisions.
//!
//! All of it stands in the stream of runs. So a planner that has not folded a limit cannot write
//! the next run, and which run is above which limit is the same in every order of reading.

use std::collections::BTreeSet;

use crate::amount::Amount;
use crate::batch::{Batch, Step, unapproved};
use crate::book::Book;
use crate::book::apply::Folded;
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{
    Asked, Body, Consent, Decided, Fact, Guarded, Hash, Head, KeyProof, Person, Signed, Stream,
};
use crate::name::Name;
use crate::signature::SecretKey;
use crate::time::Time;

/// A guard, and its place in the stream of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) n: u64,
    pub(super) at: Time,
    pub(super) guarded: Guarded,
}

/// What was planned on one day of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Day {
    number: u64,
    planned: u64,
}

/// A person who decides something, and the key that they sign with.
///
/// ```
/// use divvy_core::{Judge, Name, SecretKey};
///
/// let key = SecretKey::new(&[7; 32]);
/// let judge = Judge { by: Name::new("ann")?, reason: "I called them".into(), key: Some(&key) };
/// assert!(judge.key.is_some(), "a book that knows keys takes no unsigned decision");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Judge<'a> {
    /// Who.
    pub by: Name,
    /// Why.
    pub reason: String,
    /// Their key; none where the book knows no keys.
    pub key: Option<&'a SecretKey>,
}

stored!(Guard { n, at, guarded });
stored!(Day { number, planned });
stored!(Guarded as cbor);

impl Book {
    /// The limit and the people in force, if there are any.
    #[must_use]
    pub fn guarded(&self) -> Option<&Guarded> {
        self.guards.last().map(|guard| &guard.guarded)
    }

    /// What may still be planned today, by UTC, without approvals.
    #[must_use]
    pub fn left_today(&self, now: Time) -> Amount {
        let Some(guarded) = self.guarded() else { return Amount::MAX };
        let today = self.today(self.stamp(now));
        Amount::new(guarded.limit.get().saturating_sub(today.planned)).unwrap_or(Amount::ZERO)
    }

    /// What a batch is asked for, with what its rail may charge: the approvals in force.
    #[must_use]
    pub fn asks(&self, fee_max: Amount) -> Option<Asked> {
        let Guarded { approvals, people, expires_secs, .. } = self.guarded()?.clone();
        let asset = self.settings.asset.clone();
        Some(Asked { approvals, people, expires_secs, asset, fee_max })
    }

    /// Sets from when on which payouts need approvals, and by whom. All that is planned of one
    /// day counts, whether or not it is paid in the end. The first guard needs nobody's consent;
    /// each later one is signed by as many of those in force as a payout needs. Acts of people
    /// that stand in the book are let stand; each later one is signed by one of these people.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for nobody, the same person or key twice, or more approvals than
    /// people; [`Code::SignatureWrong`] and [`Code::ApprovalMissing`] for consents that do not
    /// count.
    pub fn guard(&self, guarded: Guarded, now: Time) -> Result<Step, Error> {
        let guarded = self.letting_stand(guarded);
        self.check_guarded(&guarded)?;
        let fact = Fact::new(&self.run_head, self.stamp(now), &Body::Guarded(guarded));
        Ok(Step::new(vec![fact], Vec::new()))
    }

    /// What those in force sign so that a guard may follow theirs. It stays the same until
    /// another guard is set, whatever is paid meanwhile.
    #[must_use]
    pub fn guard_digest(&self, guarded: &Guarded) -> Hash {
        let before = self.guards.last().map_or(0, |guard| guard.n);
        self.letting_stand(guarded.clone()).digest(&self.run_head.stream, before)
    }

    /// The guard that lets every act stand that is there now.
    fn letting_stand(&self, guarded: Guarded) -> Guarded {
        let unsigned = self.acts.unsigned();
        Guarded { unsigned: (unsigned > 0).then_some(unsigned), ..guarded }
    }

    /// The fact that says who decided what follows at this head, before it.
    pub(crate) fn decided(
        &self,
        head: &Head,
        bodies: &[Body],
        judge: &Judge<'_>,
    ) -> Result<Body, Error> {
        let reason = judge.reason.clone();
        if reason.trim().is_empty() {
            return Err(Error::new(Code::InputMalformed, "a decision needs a reason: give one"));
        }
        let acts = u32::try_from(bodies.len()).unwrap_or(u32::MAX);
        let digest = bodies.iter().fold(Hash::default(), |all, body| all.then(&body_hash(body)));
        let mut decided = Decided { by: judge.by.clone(), reason, acts, digest, proof: None };
        if let Some(guard) = self.guards.last() {
            let Some(key) = judge.key else {
                let detail = format!("book {} knows who may decide: sign with a key", self.name);
                return Err(Error::new(Code::SignatureWrong, detail));
            };
            let signature = key.sign(&decided.digest_at(&head.stream, head.n));
            decided.proof = Some(KeyProof { guard: guard.n, signature });
        }
        self.check_decided(&decided, &head.stream, head.n)?;
        Ok(Body::Decided(decided))
    }

    /// Whether a run of so much, planned now, has to wait for approvals.
    #[must_use]
    pub fn is_guarded(&self, total: Amount, now: Time) -> bool {
        total > self.left_today(now) && self.guarded().is_some()
    }

    /// Counts a run among those of its day.
    pub(super) fn note_run(&mut self, total: Amount, fact: &Fact) {
        let mut day = self.today(fact.at);
        day.planned = day.planned.saturating_add(total.get());
        self.day = day;
        if self.guarded().is_some_and(|guarded| day.planned > guarded.limit.get()) {
            self.guarded_runs.insert(fact.n);
        }
    }

    pub(super) fn apply_guarded(
        &mut self,
        guarded: &Guarded,
        fact: &Fact,
    ) -> Result<Folded, Error> {
        self.check_guarded(guarded)?;
        self.guards.push(Guard { n: fact.n, at: fact.at, guarded: guarded.clone() });
        self.pass_run(fact);
        Ok(Folded::Yes)
    }

    /// Something else than a run takes a place in the stream of runs.
    pub(super) fn pass_run(&mut self, fact: &Fact) {
        self.run_batches.push(0);
        self.run_head = Head::after(fact);
    }

    /// A decision is signed by the key that the fact it names says; that one may be still to come.
    pub(super) fn apply_decided(&self, decided: &Decided, fact: &Fact) -> Result<Folded, Error> {
        if decided.proof.as_ref().is_some_and(|proof| proof.guard >= self.run_head.n) {
            return Ok(Folded::Early);
        }
        self.check_decided(decided, &fact.stream, fact.n)?;
        Ok(Folded::Yes)
    }

    /// Whether a fact may follow in a batch whose run is above the limit of its day.
    pub(super) fn check_guard(
        &self,
        run: u64,
        batch: &Batch,
        body: &Body,
        at: Time,
    ) -> Result<(), Error> {
        if let Body::Asked(asked) = body {
            let guard = self.guards.iter().rfind(|guard| guard.n < run);
            let own = guard.is_some_and(|guard| {
                let Guarded { approvals, people, expires_secs, .. } = &guard.guarded;
                (*approvals, *expires_secs) == (asked.approvals, asked.expires_secs)
                    && *people == asked.people
            });
            if own && asked.asset == self.settings.asset {
                return Ok(());
            }
            let detail = format!("{} asks others than who is to approve", batch.stream());
            return Err(Error::new(Code::ApprovalMissing, detail));
        }
        let Body::Signed(Signed { deadline, .. }) = body else { return Ok(()) };
        if self.guarded_runs.contains(&run) && batch.asked().is_none() && *deadline >= at {
            return Err(unapproved(batch.stream()));
        }
        Ok(())
    }

    fn today(&self, now: Time) -> Day {
        let number = now.millis().checked_div(DAY_MILLIS).unwrap_or(0);
        // A clock that goes back opens no day anew.
        if number > self.day.number { Day { number, planned: 0 } } else { self.day }
    }

    fn check_guarded(&self, guarded: &Guarded) -> Result<(), Error> {
        let people = &guarded.people;
        let names: BTreeSet<&Name> = people.iter().map(|person| &person.name).collect();
        let keys: BTreeSet<_> = people.iter().map(|person| person.key).collect();
        let enough = (1..=PEOPLE_MAX).contains(&people.len())
            && guarded.approvals >= 1
            && usize::try_from(guarded.approvals).is_ok_and(|count| count <= people.len());
        let different = names.len() == people.len() && keys.len() == people.len();
        if !enough || !different || !keys.iter().all(crate::signature::PublicKey::is_strong) {
            let detail = format!(
                "{} approvals of {} people cannot be had: name 1 to {PEOPLE_MAX} different people \
                 with a key each, and ask for as many of them at most",
                guarded.approvals,
                people.len()
            );
            return Err(Error::new(Code::InputMalformed, detail));
        }
        let Some(Guard { n, guarded: before, .. }) = self.guards.last() else { return Ok(()) };
        let digest = guarded.digest(&self.run_head.stream, *n);
        let mut said: BTreeSet<&Name> = BTreeSet::new();
        for Consent { by, signature } in &guarded.consents {
            let known = person(&before.people, by);
            if !known.is_some_and(|person| person.key.has_signed(&digest, signature)) {
                let detail = format!("{by} has not signed the new guard of {}", self.name);
                return Err(Error::new(Code::SignatureWrong, detail));
            }
            said.insert(by);
        }
        if u32::try_from(said.len()).is_ok_and(|count| count >= before.approvals) {
            return Ok(());
        }
        let detail = format!(
            "{} of {} who are needed have signed the new guard of {}",
            said.len(),
            before.approvals,
            self.name
        );
        Err(Error::new(Code::ApprovalMissing, detail))
    }

    fn check_decided(&self, decided: &Decided, stream: &Stream, n: u64) -> Result<(), Error> {
        let Some(proof) = &decided.proof else { return Ok(()) };
        let guard = self.guards.iter().find(|guard| guard.n == proof.guard);
        let known = guard.and_then(|guard| person(&guard.guarded.people, &decided.by));
        let digest = decided.digest_at(stream, n);
        if known.is_some_and(|person| person.key.has_signed(&digest, &proof.signature)) {
            return Ok(());
        }
        let detail = format!(
            "{} has not signed this: use the key of one whom book {} knows",
            decided.by, self.name
        );
        Err(Error::new(Code::SignatureWrong, detail))
    }
}

fn person<'a>(people: &'a [Person], name: &Name) -> Option<&'a Person> {
    people.iter().find(|person| person.name == *name)
}

/// What a decision covers of a fact that follows from it.
pub(crate) fn body_hash(body: &Body) -> Hash {
    Hash::of_said("divvy.act.body.1", &[body.kind()], &[&body.encode()])
}

const DAY_MILLIS: u64 = 86_400_000;

/// A guard is checked whenever it is folded, so it stays small.
const PEOPLE_MAX: usize = 32;
