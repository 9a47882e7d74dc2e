//! The sandbox in this process. For every request it writes down how long our log was just then:
//! whatever a rail was told must be in what is left when the power fails after that.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use async_trait::async_trait;
use divvy::Sender;
use divvy::core::{Reply, Request, Time};
use divvy::sandbox::{Effect, EntryKind, Fault, Faults, Terms, World};

/// A sandbox, with what it was asked.
#[derive(Debug)]
pub(crate) struct Till {
    log: PathBuf,
    faults: Faults,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    rail: Rail,
    served: u64,
    sent: Vec<Sent>,
}

/// The world, and whom it paid what.
#[derive(Clone, Debug)]
pub(crate) struct Rail {
    world: World,
    lines: BTreeMap<u64, Vec<(String, u64)>>,
    pub(crate) paid: BTreeMap<String, u64>,
}

/// A try that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) reference: String,
    /// How many bytes our log had.
    pub(crate) log_len: usize,
    /// The rail afterwards.
    pub(crate) rail: Rail,
}

impl Rail {
    pub(crate) fn new(terms: Terms) -> Self {
        Self { world: World::new(terms), lines: BTreeMap::new(), paid: BTreeMap::new() }
    }

    fn serve(&mut self, request: &Request, fault: Fault) -> Option<Reply> {
        let outcome = self.world.serve(request, fault);
        for effect in outcome.effects {
            match effect {
                Effect::Taken(taken) => drop(self.lines.insert(taken.n, lines_of(&taken.body))),
                Effect::Entered(entry) => {
                    for (i, (to, amount)) in self.lines[&entry.taken].iter().enumerate() {
                        let named = u32::try_from(i).is_ok_and(|i| entry.lines.contains(&i));
                        if !entry.lines.is_empty() && !named {
                            continue;
                        }
                        let paid = self.paid.entry(to.clone()).or_default();
                        match entry.kind {
                            EntryKind::Moved => *paid += amount,
                            EntryKind::Returned | EntryKind::Undone => *paid -= amount,
                            EntryKind::Charged => (),
                        }
                    }
                }
                Effect::Clock(_) => {}
            }
        }
        outcome.reply
    }

    /// Whatever is on its way lands.
    pub(crate) fn settle(&mut self, now: Time) {
        let request = Request {
            method: "POST",
            url: "http://127.0.0.1:1/clock".to_owned(),
            headers: vec![("sandbox-now", now.millis().to_string())],
            body: vec![],
            deadline: Time::MAX,
        };
        self.serve(&request, Fault::None);
    }
}

impl Till {
    pub(crate) fn new(log: PathBuf, rail: Rail, faults: Faults) -> Self {
        Self { log, faults, kept: Mutex::new(Kept { rail, served: 0, sent: Vec::new() }) }
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.kept.lock().expect("nobody panicked").sent.clone()
    }

    pub(crate) fn rail(&self) -> Rail {
        self.kept.lock().expect("nobody panicked").rail.clone()
    }
}

#[async_trait]
impl Sender for Till {
    async fn send(&self, request: &Request) -> Option<Reply> {
        let log_len = fs::metadata(&self.log).map_or(0, |found| found.len());
        let mut kept = self.kept.lock().expect("nobody panicked");
        kept.served += 1;
        let fault = self.faults.pick(0, kept.served, kept.rail.world.terms().lag_secs);
        let reply = kept.rail.serve(request, fault);
        if request.method == "POST" {
            let body: serde_json::Value = serde_json::from_slice(&request.body).expect("a try");
            let reference = body["reference"].as_str().expect("a reference").to_owned();
            let log_len = log_len.try_into().expect("a small log");
            let rail = kept.rail.clone();
            kept.sent.push(Sent { reference, log_len, rail });
        }
        reply
    }
}

fn lines_of(body: &[u8]) -> Vec<(String, u64)> {
    let body: serde_json::Value = serde_json::from_slice(body).expect("a try");
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let lines = body["lines"].as_array().expect("lines").iter();
    lines.map(|line| (text(&line["to"]), text(&line["amount"]).parse().expect("minor"))).collect()
}
