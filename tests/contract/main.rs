//! The contract of rails: the sandbox keeps it under every window, and each planted mistake is
//! caught by the name of the promise that it breaks.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is a red test, which is what it is for"
)]

mod bent;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bent::{Bent, Mistake, SECRET};
use divvy::core::contract::Part::*;
use divvy::core::contract::{Contract, Ground, Mishap, Part, Report};
use divvy::core::{Amount, Asset, Fee, Name, Rail, Reply, Request, Time};
use divvy::sandbox::{Effect, EntryKind, Fault, RailSettings, Sandbox, Terms, WindowKind, World};

/// A sandbox that charges 3 for each line, and what it wrote into its statement.
#[derive(Debug)]
struct Yard {
    rail: Arc<dyn Rail>,
    world: World,
    now: Time,
    /// Who is paid by each try that was taken, by its number.
    tries: BTreeMap<u64, Vec<(String, u64)>>,
    arrived: BTreeMap<String, u64>,
}

fn usd() -> Asset {
    Asset::parse("USD").unwrap()
}

impl Yard {
    fn new(window: WindowKind, mistake: Mistake) -> Self {
        let settings = RailSettings::at("http://127.0.0.1:1", Name::new("till").unwrap()).unwrap();
        let fee_asset = Some(usd());
        let settings = RailSettings { window, fee_asset, lines_max: 8, ..settings };
        let rail: Arc<dyn Rail> = Arc::new(Sandbox::new(settings).unwrap());
        let terms = Terms { window, finality_secs: 10, fee: 3, ..Terms::default() };
        Self {
            rail: Arc::new(Bent { rail, mistake }),
            world: World::new(terms),
            now: Time::from_millis(1_790_000_000_000),
            tries: BTreeMap::new(),
            arrived: BTreeMap::new(),
        }
    }

    fn exchange(&mut self, request: &Request, fault: Fault) -> Option<Reply> {
        let outcome = self.world.serve(request, fault);
        for effect in outcome.effects {
            match effect {
                Effect::Taken(taken) => {
                    let posted: serde_json::Value = serde_json::from_slice(&taken.body).unwrap();
                    let line = |line: &serde_json::Value| {
                        let amount = line["amount"].as_str().unwrap().parse().unwrap();
                        (line["to"].as_str().unwrap().to_owned(), amount)
                    };
                    let lines = posted["lines"].as_array().unwrap().iter().map(line).collect();
                    self.tries.insert(taken.n, lines);
                }
                Effect::Entered(entry) if entry.kind == EntryKind::Moved => {
                    for (to, amount) in &self.tries[&entry.taken] {
                        *self.arrived.entry(to.clone()).or_default() += amount;
                    }
                }
                _ => {}
            }
        }
        outcome.reply
    }
}

impl Ground for Yard {
    fn rail(&self) -> Arc<dyn Rail> {
        Arc::clone(&self.rail)
    }

    fn now(&self) -> Time {
        self.now
    }

    fn pass(&mut self, secs: u64) {
        self.now = self.now.plus_secs(secs);
        let (method, url) = ("POST", "http://127.0.0.1:1/clock".to_owned());
        let headers = vec![("sandbox-now", self.now.millis().to_string())];
        let clock = Request { method, url, headers, body: vec![], deadline: Time::MAX };
        self.exchange(&clock, Fault::None);
    }

    fn serve(&mut self, request: &Request, mishap: Mishap) -> Option<Reply> {
        let fault = match mishap {
            Mishap::Deaf => return None,
            Mishap::Busy => return Some(Reply { status: 429, body: b"slow down".to_vec() }),
            Mishap::Broken => return Some(Reply { status: 502, body: b"<html>".to_vec() }),
            Mishap::LostReply => Fault::LostReply,
            Mishap::Late { secs } => Fault::Late { secs },
            Mishap::Forgotten => Fault::AcceptedAndDropped,
            _ => Fault::None,
        };
        self.exchange(request, fault)
    }

    fn address(&self, n: u32) -> String {
        format!("payee-{n}")
    }

    fn failing(&self) -> String {
        "refuse:it".to_owned()
    }

    fn strike(&mut self) {}

    fn arrived(&self, to: &str) -> u64 {
        self.arrived.get(to).copied().unwrap_or(0)
    }

    fn charged(&self) -> Option<Fee> {
        let amount = Amount::new(self.world.charged()).unwrap();
        // What remembers nothing tells of a charge in its reply alone.
        (self.world.terms().window != WindowKind::Once).then(|| Fee { asset: usd(), amount })
    }

    fn misaddressed(&self) -> Vec<String> {
        ["", " ", "a b", "tab\there"].map(str::to_owned).to_vec()
    }

    fn secrets(&self) -> Vec<String> {
        vec![SECRET.to_owned()]
    }
}

fn report(window: WindowKind, mistake: Mistake) -> Report {
    let open = || -> Box<dyn Ground> { Box::new(Yard::new(window, mistake)) };
    Contract::new(&open).run()
}

#[test]
fn the_sandbox_keeps_every_promise_of_a_rail_under_every_window() {
    for window in
        [WindowKind::Unlimited, WindowKind::Until, WindowKind::UntilHeight, WindowKind::Once]
    {
        let report = report(window, Mistake::None);
        assert!(report.is_kept(), "{window:?}:\n{report}");
    }
}

/// Every mistake, the window under which it shows, and all that it breaks and nothing else.
const BREAKS: [(Mistake, WindowKind, &[Part]); 17] = [
    (Mistake::None, WindowKind::Until, &[]),
    (Mistake::SaltsBytes, WindowKind::Until, &[SameBytes]),
    (Mistake::SendsWhileItSigns, WindowKind::Until, &[FactsFirst, VoidWithProof]),
    (Mistake::LeavesOneOut, WindowKind::Until, &[PaidOnce, LostReplies, Strangers]),
    (Mistake::SilenceIsVoid, WindowKind::Until, &[VoidWithProof, LostReplies]),
    (Mistake::NeverVoid, WindowKind::Until, &[VoidWithProof]),
    (Mistake::TakenIsFinal, WindowKind::Until, &[PaidOnce, FinalForGood, Strangers]),
    (Mistake::BlamesNobody, WindowKind::Until, &[NamesTheLine]),
    (Mistake::ForgetsCharges, WindowKind::Until, &[CountsCharges]),
    (Mistake::AsksNobody, WindowKind::Until, &[PaidOnce, CountsCharges, Strangers]),
    (Mistake::ListsNothing, WindowKind::Until, &[Strangers]),
    (Mistake::TakesAnyAddress, WindowKind::Until, &[BadAddresses]),
    (Mistake::ShowsItsKey, WindowKind::Until, &[KeepsSecrets]),
    (Mistake::PacksTwice, WindowKind::Until, &[PacksAll]),
    (Mistake::ClaimsApart, WindowKind::Unlimited, &[SecondTry]),
    (Mistake::Nameless, WindowKind::Until, NAMELESS),
    // What is sent only once may have no name of its own; two of them look alike.
    (Mistake::Nameless, WindowKind::Once, &[PaidOnce, NamesTheLine, CountsCharges, Strangers]),
];

/// Without a name, hardly anything that is asked later can be answered.
const NAMELESS: &[Part] = &[
    SameBytes,
    PaidOnce,
    VoidWithProof,
    NamesTheLine,
    CountsCharges,
    LostReplies,
    Strangers,
    KeepsSecrets,
];

#[test]
fn each_mistake_breaks_what_it_should_by_name_and_nothing_else() {
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for (mistake, window, breaks) in BREAKS {
        let report = report(window, mistake);
        if report.broken() != breaks {
            wrong.push(format!("{mistake:?}:\n{report}"));
        }
        for outcome in report.outcomes().iter().filter(|outcome| outcome.found().is_some()) {
            let said = outcome.to_string();
            for word in [outcome.part().name(), outcome.part().promise(), outcome.part().cost()] {
                assert!(said.contains(word), "{said}");
            }
            seen.insert(outcome.part());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen.len(), Part::ALL.len(), "a part that nothing breaks shows nothing");
}
