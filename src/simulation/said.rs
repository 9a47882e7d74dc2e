//! What people really said, and what may be done without them: plain sums over what is planned.

use std::collections::{BTreeMap, BTreeSet};

use divvy_core::{Amount, Body, Error, Fact, Guarded, Name, Place, Planned, Purpose, Stream, Time};

use crate::simulation::promise::{Broken, Promise};

/// What people said, whatever any fact says of it.
#[derive(Debug, Default)]
pub(super) struct Said {
    approvals: BTreeSet<(Stream, Name, Time)>,
    decisions: BTreeSet<(Stream, Name)>,
    /// Who wanted which guard.
    guards: Vec<(Name, Guarded, Vec<Name>)>,
    books: BTreeMap<Name, Limits>,
}

/// What a book may do by itself.
#[derive(Debug, Default)]
struct Limits {
    guard: Option<Guarded>,
    day: u64,
    planned: u128,
    /// The guard that each run waits for.
    runs: BTreeMap<u64, Guarded>,
}

impl Said {
    pub(super) fn approve(&mut self, batch: &Stream, by: &Name, at: Time) {
        self.approvals.insert((batch.clone(), by.clone(), at));
    }

    pub(super) fn decide(&mut self, stream: &Stream, by: &Name) {
        self.decisions.insert((stream.clone(), by.clone()));
    }

    pub(super) fn hand_over(&mut self, book: &Name, guarded: &Guarded, by: Vec<Name>) {
        self.guards.push((book.clone(), guarded.clone(), by));
    }

    /// Holds what was written against what people said.
    pub(super) fn written(&mut self, facts: &[Fact]) -> Result<Option<Broken>, Error> {
        let mut decided: Option<(&Stream, u32)> = None;
        for fact in facts {
            let body = fact.body()?;
            let covered = match &mut decided {
                Some((stream, left)) if **stream == fact.stream && *left > 0 => {
                    *left = left.saturating_sub(1);
                    true
                }
                _ => false,
            };
            if let Body::Decided(said) = &body {
                decided = Some((&fact.stream, said.acts));
            }
            let found = match Self::book_of(&fact.stream)? {
                Some(book) => self.of_book(&book, fact, &body, (facts, covered))?,
                None => None,
            };
            if let Some(said) = found {
                return Ok(Some(Broken { promise: Promise::PeopleDecide, said }));
            }
        }
        Ok(None)
    }

    fn book_of(stream: &Stream) -> Result<Option<Name>, Error> {
        let (Place::Batch { book, .. }
        | Place::Run { book }
        | Place::Payee { book, .. }
        | Place::Treasury { book }
        | Place::Rule { book }) = stream.place()
        else {
            return Ok(None);
        };
        Name::new(book).map(Some)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else needs people")]
    fn of_book(
        &mut self,
        book: &Name,
        fact: &Fact,
        body: &Body,
        (facts, covered): (&[Fact], bool),
    ) -> Result<Option<String>, Error> {
        let stream = &fact.stream;
        let limits = self.books.entry(book.clone()).or_default();
        Ok(match body {
            Body::Guarded(guarded) => self.guard(book, guarded),
            Body::Run(_) => {
                let total = total_of(facts, fact.n)?;
                limits.plan(fact.n, total, fact.at);
                None
            }
            Body::Approved(said) => {
                let key = (stream.clone(), said.by.clone(), said.signed_at);
                let unsaid = !self.approvals.contains(&key);
                unsaid.then(|| format!("{} has not approved {stream}", said.by))
            }
            Body::Signed(_) => self.signs(book, stream, fact.at),
            Body::Decided(said) if limits.guard.is_some() => {
                let unsaid = !self.decisions.contains(&(stream.clone(), said.by.clone()));
                unsaid.then(|| format!("{} has decided nothing about {stream}", said.by))
            }
            Body::Held(held) if held.cause.is_some() => None,
            // What an issuer signs needs nobody else.
            Body::RuleSet(rule) if rule.signature.is_some() => None,
            Body::IssuerSet(set) if set.signature.is_some() => None,
            Body::Funds(funds) if !is_owners(funds.purpose) => None,
            Body::Held(_)
            | Body::Released(_)
            | Body::RuleSet(_)
            | Body::IssuerSet(_)
            | Body::FeesSet(_)
            | Body::Brought(_)
            | Body::Funds(_)
            | Body::WeekClosed(_)
                if limits.guard.is_some() && !covered =>
            {
                Some(format!("nobody answers for {} of {stream}", fact.kind))
            }
            _ => None,
        })
    }

    /// A guard follows another one when enough of those before want it.
    fn guard(&mut self, book: &Name, guarded: &Guarded) -> Option<String> {
        let bare = Guarded { consents: Vec::new(), unsigned: None, ..guarded.clone() };
        let wanted: BTreeSet<&Name> = self
            .guards
            .iter()
            .filter(|(of, said, _)| of == book && *said == bare)
            .flat_map(|(_, _, by)| by)
            .collect();
        let limits = self.books.entry(book.clone()).or_default();
        let before = limits.guard.replace(bare)?;
        let known = before.people.iter().filter(|person| wanted.contains(&person.name)).count();
        let enough = u32::try_from(known).is_ok_and(|known| known >= before.approvals);
        (!enough).then(|| format!("{known} of those before want the new guard of {book}"))
    }

    /// What is above the limit is signed when enough have approved, not too long ago.
    fn signs(&self, book: &Name, batch: &Stream, at: Time) -> Option<String> {
        let Place::Batch { run, .. } = batch.place() else { return None };
        let guard = self.books.get(book)?.runs.get(&run)?;
        let counts = |(of, by, signed_at): &&(Stream, Name, Time)| {
            of == batch
                && guard.people.iter().any(|person| person.name == *by)
                && signed_at.plus_secs(guard.expires_secs) >= at
        };
        let by: BTreeSet<&Name> =
            self.approvals.iter().filter(counts).map(|(_, by, _)| by).collect();
        let enough = u32::try_from(by.len()).is_ok_and(|count| count >= guard.approvals);
        (!enough).then(|| {
            format!("{batch} is signed at {at}, approved by {by:?}, of {} needed", guard.approvals)
        })
    }
}

impl Limits {
    /// Whether a run waits: all that is planned of one day counts.
    fn plan(&mut self, run: u64, total: u128, at: Time) {
        let day = at.millis().div_euclid(DAY_MILLIS);
        if day > self.day {
            (self.day, self.planned) = (day, 0);
        }
        self.planned = self.planned.saturating_add(total);
        if let Some(guard) = &self.guard
            && self.planned > guard.limit.get().into()
        {
            self.runs.insert(run, guard.clone());
        }
    }
}

/// What is planned with a run: what its lines pay, and what they bear of fees.
fn total_of(facts: &[Fact], n: u64) -> Result<u128, Error> {
    let mut total = 0_u128;
    for fact in facts {
        if matches!(fact.stream.place(), Place::Batch { run, .. } if run == n)
            && let Body::Planned(Planned { lines, .. }) = fact.body()?
        {
            for line in lines {
                let fee = line.fee.map_or(0, Amount::get);
                total = total.saturating_add(line.amount.into()).saturating_add(fee.into());
            }
        }
    }
    Ok(total)
}

/// Whether only the owner can know: no statement tells it.
const fn is_owners(purpose: Purpose) -> bool {
    let told = matches!(purpose, Purpose::FeeEarned | Purpose::FeePaid | Purpose::Arrived);
    !told && !matches!(purpose, Purpose::Expected(_) | Purpose::Missed)
}

const DAY_MILLIS: u64 = 86_400_000;
