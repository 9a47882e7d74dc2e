//! Runs against their batches: a batch that was taken out whole leaves no gap in its own stream.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, Hash, Place, Planned, Run, Stream};

/// Every run so far, by its stream and number.
#[derive(Debug, Default)]
pub(super) struct Runs {
    runs: BTreeMap<(Stream, u64), Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    said: Option<Run>,
    batches: BTreeMap<u32, Planning>,
}

/// What a run says of each of its batches, summed up.
#[derive(Debug)]
struct Planning {
    hash: Hash,
    lines: usize,
    total: Amount,
}

impl Runs {
    pub(super) fn note(&mut self, fact: &Fact, body: &Body) {
        match (fact.stream.place(), body) {
            (Place::Run { .. }, Body::Run(run)) => {
                self.seen(fact.stream.clone(), fact.n).said = Some(run.clone());
            }
            (Place::Batch { book, run, i }, Body::Planned(planned)) => {
                let Ok(stream) = Stream::parse(&format!("run/{book}")) else { return };
                self.seen(stream, run).batches.insert(i, Planning::of(fact, planned));
            }
            _ => (),
        }
    }

    /// Checks that each run has the batches that it says, and no others.
    pub(super) fn check(&self) -> Result<(), Error> {
        for ((stream, n), seen) in &self.runs {
            let Some(said) = &seen.said else {
                return Err(missing(&format!("fact {n} of {stream} (run.1)")));
            };
            let book = stream.as_str().trim_start_matches("run/");
            for i in 0..said.batches {
                if !seen.batches.contains_key(&i) {
                    return Err(missing(&format!("fact 0 of batch/{book}/{n}/{i} (planned.1)")));
                }
            }
            if seen.sum().as_ref() != Some(said) {
                let detail = format!("fact {n} of {stream} (run.1): it differs from its batches");
                return Err(Error::new(Code::FactTampered, detail));
            }
        }
        Ok(())
    }

    fn seen(&mut self, stream: Stream, n: u64) -> &mut Seen {
        self.runs.entry((stream, n)).or_default()
    }
}

impl Seen {
    /// What the run should say of the batches that are there.
    fn sum(&self) -> Option<Run> {
        let batches = self.batches.values();
        let lines: usize = batches.clone().map(|batch| batch.lines).sum();
        Some(Run {
            batches: u32::try_from(self.batches.len()).ok()?,
            lines: u32::try_from(lines).ok()?,
            total: Amount::total(batches.clone().map(|batch| batch.total)).ok()?,
            digest: batches.fold(Hash::default(), |digest, batch| digest.then(&batch.hash)),
        })
    }
}

impl Planning {
    fn of(fact: &Fact, planned: &Planned) -> Self {
        let amounts = planned.lines.iter().map(|line| line.amount);
        let total = Amount::total(amounts).unwrap_or(Amount::MAX);
        Self { hash: fact.hash, lines: planned.lines.len(), total }
    }
}

fn missing(what: &str) -> Error {
    Error::new(Code::FactOrphan, format!("{what} is missing: restore it from a backup"))
}
