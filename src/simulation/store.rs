//! A store in memory that keeps every promise of a host, and may forget to say that it did.

use std::collections::BTreeMap;

use divvy_core::{Code, Cursor, Error, Fact, Manner, Page, Stream, Time, Written, address_taken};

/// The process and the life of it that commits, and what.
pub(super) type Commit = ((usize, u64), Vec<Fact>, Manner);

/// Facts in the order in which they were written, and where each stream's are.
#[derive(Debug, Default)]
pub(super) struct Store {
    facts: Vec<Fact>,
    streams: BTreeMap<Stream, Vec<usize>>,
    /// Commits of unknown outcome that may still be written, and the step at which they are.
    on_their_way: Vec<(u64, Commit)>,
    /// The workers that say they live, and until when.
    roster: BTreeMap<String, Time>,
}

impl Store {
    /// Enters a worker into the roster, and says who lives.
    pub(super) fn enter(&mut self, process: &str, now: Time, until: Time) -> Vec<String> {
        self.roster.insert(process.to_owned(), until);
        self.roster.retain(|_, until| *until > now);
        self.roster.keys().cloned().collect()
    }

    /// Writes facts as their manner says; the facts that were written are the newest ones then.
    pub(super) fn write(&mut self, facts: &[Fact], manner: Manner) -> Result<Vec<Written>, Error> {
        let mut next: BTreeMap<&Stream, u64> = BTreeMap::new();
        let mut outcome = Vec::with_capacity(facts.len());
        for fact in facts {
            let n = next
                .entry(&fact.stream)
                .or_insert_with(|| self.streams.get(&fact.stream).map_or(0, |own| wide(own.len())));
            if fact.n > *n {
                let detail = format!("fact {} of {} has no predecessor", fact.n, fact.stream);
                return Err(Error::new(Code::FactOrphan, detail));
            }
            if fact.n < *n {
                if manner == Manner::Together {
                    return Err(address_taken(&fact.stream, fact.n));
                }
                outcome.push(Written::Taken);
                continue;
            }
            *n = n.saturating_add(1);
            outcome.push(Written::New);
        }
        for (fact, written) in facts.iter().zip(&outcome) {
            if *written == Written::New {
                self.push(fact.clone());
            }
        }
        Ok(outcome)
    }

    /// Keeps a commit that is written some steps later, if its addresses are still free then.
    pub(super) fn delay(&mut self, until: u64, commit: Commit) {
        self.on_their_way.push((until, commit));
    }

    /// The commits whose step has come.
    pub(super) fn arrived(&mut self, step: u64) -> Vec<Commit> {
        if self.on_their_way.iter().all(|(until, _)| *until > step) {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.on_their_way);
        let (arrived, waiting): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(until, _)| *until <= step);
        self.on_their_way = waiting;
        arrived.into_iter().map(|(_, commit)| commit).collect()
    }

    pub(super) fn read(&self, stream: &Stream) -> Vec<Fact> {
        let own = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        own.iter().filter_map(|place| self.facts.get(*place)).cloned().collect()
    }

    pub(super) fn since(&self, cursor: Option<&Cursor>, facts_max: usize) -> Result<Page, Error> {
        if cursor.is_some_and(|cursor| cursor.epoch != EPOCH) {
            return Err(Error::new(Code::EpochChanged, "a cursor of another database"));
        }
        let from = cursor.map_or(0, |cursor| usize::try_from(cursor.position).unwrap_or(0));
        let after = self.facts.get(from..).unwrap_or_default();
        let facts = after.get(..facts_max.min(after.len())).unwrap_or_default().to_vec();
        let to = from.saturating_add(facts.len());
        let cursor = Cursor { epoch: EPOCH.to_owned(), position: wide(to), within: 0 };
        Ok(Page { facts, cursor, is_last: to == self.facts.len() })
    }

    /// What stands at an address, and its place among all facts.
    pub(super) fn at(&self, stream: &Stream, n: u64) -> Option<(usize, &Fact)> {
        let place = *self.streams.get(stream)?.get(usize::try_from(n).ok()?)?;
        Some((place, self.facts.get(place)?))
    }

    /// Every fact, in the order in which they were written.
    pub(super) fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The newest facts, as many as were just written.
    pub(super) fn newest(&self, before: usize) -> &[Fact] {
        self.facts.get(before..).unwrap_or_default()
    }

    /// A planted mistake: takes the newest facts out again.
    pub(super) fn forget(&mut self, from: usize) {
        for fact in self.facts.split_off(from.min(self.facts.len())) {
            if let Some(own) = self.streams.get_mut(&fact.stream) {
                own.pop();
            }
        }
    }

    /// A planted mistake: writes over what stands at an address.
    pub(super) fn overwrite(&mut self, fact: &Fact) -> bool {
        let place = usize::try_from(fact.n).ok();
        let own = self.streams.get(&fact.stream);
        let place = place.and_then(|n| own.and_then(|own| own.get(n)).copied());
        let Some(stored) = place.and_then(|place| self.facts.get_mut(place)) else { return false };
        stored.clone_from(fact);
        true
    }

    fn push(&mut self, fact: Fact) {
        self.streams.entry(fact.stream.clone()).or_default().push(self.facts.len());
        self.facts.push(fact);
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

const EPOCH: &str = "simulation";
