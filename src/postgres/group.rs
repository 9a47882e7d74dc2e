//! Commits that share a transaction, as columns to write and as questions to ask first.

use std::collections::HashSet;

use divvy_core::{Code, Error, Fact, Manner, Place, Written, address_taken};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::postgres::rows::{column, wide};
use crate::postgres::writer::{Job, Told};

/// The facts of commits that have nothing to do with each other.
pub(super) struct Group<'a> {
    jobs: &'a [Job],
    /// What became of each job's facts as far as the commit alone tells.
    plans: Vec<Plan>,
    /// The facts to write, in the order in which they are written: job, and place in it.
    order: Vec<(usize, usize)>,
    /// Facts whose predecessor must be in the database: job, and place in it.
    needed: Vec<(usize, usize)>,
}

#[derive(Clone, Default)]
struct Plan {
    /// Facts whose address stood earlier in the same commit.
    repeated: HashSet<usize>,
}

/// What is written, column by column.
pub(super) struct Columns<'a> {
    streams: Vec<&'a str>,
    ns: Vec<i64>,
    kinds: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
    ats: Vec<i64>,
    hashes: Vec<&'a [u8]>,
}

impl<'a> Group<'a> {
    pub(super) fn new(jobs: &'a [Job]) -> Self {
        let mut group = Self { jobs, plans: Vec::new(), order: Vec::new(), needed: Vec::new() };
        for (at, job) in jobs.iter().enumerate() {
            let plan = group.plan(at, job);
            group.plans.push(plan);
        }
        // Everyone takes addresses in the same order, so that two transactions that want the same
        // ones wait for each other in one direction only. Kinds of streams stand in the order in
        // which facts rest on each other.
        group.order.sort_by_key(|&(job, fact)| {
            let fact = group.jobs.get(job).and_then(|job| job.facts.get(fact));
            fact.map(|fact| (rank(fact), fact.stream.as_str(), fact.n))
        });
        group
    }

    fn plan(&mut self, at: usize, job: &'a Job) -> Plan {
        let mut plan = Plan::default();
        let mut seen: HashSet<(&str, u64)> = HashSet::with_capacity(job.facts.len());
        for (i, fact) in job.facts.iter().enumerate() {
            let stream = fact.stream.as_str();
            let before = fact.n.checked_sub(1);
            if before.is_some_and(|before| !seen.contains(&(stream, before))) {
                self.needed.push((at, i));
            }
            if seen.insert((stream, fact.n)) {
                self.order.push((at, i));
            } else {
                plan.repeated.insert(i);
            }
        }
        plan
    }

    fn fact(&self, (job, fact): (usize, usize)) -> Option<&'a Fact> {
        self.jobs.get(job)?.facts.get(fact)
    }

    /// Addresses that must be there before anything is written.
    pub(super) fn needed(&self) -> (Vec<&'a str>, Vec<i64>) {
        let facts = self.needed.iter().filter_map(|&at| self.fact(at));
        facts.map(|fact| (fact.stream.as_str(), wide(fact.n.saturating_sub(1)))).unzip()
    }

    pub(super) fn columns(&self) -> Columns<'a> {
        let facts = || self.order.iter().filter_map(|&at| self.fact(at));
        Columns {
            streams: facts().map(|fact| fact.stream.as_str()).collect(),
            ns: facts().map(|fact| wide(fact.n)).collect(),
            kinds: facts().map(|fact| &*fact.kind).collect(),
            bodies: facts().map(|fact| fact.bytes.as_slice()).collect(),
            ats: facts().map(|fact| wide(fact.at.millis())).collect(),
            hashes: facts().map(|fact| fact.hash.as_bytes().as_slice()).collect(),
        }
    }

    /// What each job is told, given the needed addresses that were missing and the written ones
    /// that were taken, each by its number from 1.
    pub(super) fn outcomes(&self, missing: &[i64], taken: &[i64]) -> Vec<Told> {
        let named = |numbers: &[i64], list: &[(usize, usize)]| -> HashSet<(usize, usize)> {
            let index = |number: &i64| usize::try_from(number.saturating_sub(1)).ok();
            numbers.iter().filter_map(|number| list.get(index(number)?).copied()).collect()
        };
        let (missing, taken) = (named(missing, &self.needed), named(taken, &self.order));
        let told = |(at, (job, plan)): (usize, (&Job, &Plan))| {
            let facts = job.facts.iter().enumerate();
            facts
                .map(|(i, fact)| {
                    if missing.contains(&(at, i)) {
                        return Err(orphan(fact));
                    }
                    if !taken.contains(&(at, i)) && !plan.repeated.contains(&i) {
                        return Ok(Written::New);
                    }
                    match job.manner {
                        Manner::EachIfFree => Ok(Written::Taken),
                        Manner::Together => Err(address_taken(&fact.stream, fact.n)),
                    }
                })
                .collect()
        };
        self.jobs.iter().zip(&self.plans).enumerate().map(told).collect()
    }
}

impl Columns<'_> {
    pub(super) fn len(&self) -> usize {
        self.streams.len()
    }

    pub(super) fn parameters(&self) -> [&(dyn ToSql + Sync); 6] {
        let Self { streams, ns, kinds, bodies, ats, hashes } = self;
        [streams, ns, kinds, bodies, ats, hashes]
    }

    /// The cells of a single row.
    pub(super) fn only(&self) -> Option<[&(dyn ToSql + Sync); 6]> {
        let Self { streams, ns, kinds, bodies, ats, hashes } = self;
        match (&**streams, &**ns, &**kinds, &**bodies, &**ats, &**hashes) {
            ([stream], [n], [kind], [body], [at], [hash]) => {
                Some([stream, n, kind, body, at, hash])
            }
            _ => None,
        }
    }

    /// Which of them are not among the addresses that were written, each by its number from 1.
    pub(super) fn taken(&self, written: &[Row]) -> Result<Vec<i64>, tokio_postgres::Error> {
        if written.len() == self.len() {
            return Ok(Vec::new());
        }
        let address =
            |row| -> Result<(&str, i64), _> { Ok((Row::try_get(row, 0)?, row.try_get(1)?)) };
        let written = written.iter().map(address).collect::<Result<HashSet<_>, _>>()?;
        let given = self.streams.iter().copied().zip(self.ns.iter().copied());
        let taken = given.zip(1..).filter(|(address, _)| !written.contains(address));
        Ok(taken.map(|(_, number)| number).collect())
    }

    pub(super) const fn addresses(&self) -> (&Vec<&str>, &Vec<i64>) {
        (&self.streams, &self.ns)
    }
}

/// Refuses numbers that the database does not count to.
pub(super) fn check(facts: &[Fact]) -> Result<(), Error> {
    let beyond =
        |fact: &Fact| [fact.n, fact.at.millis()].into_iter().find(|n| column(*n).is_none());
    match facts.iter().find_map(|fact| Some((fact, beyond(fact)?))) {
        None => Ok(()),
        Some((fact, number)) => {
            let (stream, n) = (&fact.stream, fact.n);
            let detail = format!("{stream}/{n}: {number} is beyond what a database counts");
            Err(Error::new(Code::FactMalformed, detail))
        }
    }
}

fn rank(fact: &Fact) -> u8 {
    match fact.stream.place() {
        Place::Pool { .. } => 0,
        Place::Rule { .. } => 1,
        Place::Payment { .. } => 2,
        Place::Run { .. } => 3,
        Place::Batch { .. } => 4,
        Place::Coins { .. } => 5,
        Place::Payee { .. } | _ => 6,
    }
}

fn orphan(fact: &Fact) -> Error {
    let (stream, n) = (&fact.stream, fact.n);
    let detail = format!("{stream}/{n} has no fact before it: read the stream and decide anew");
    Error::new(Code::FactOrphan, detail)
}
