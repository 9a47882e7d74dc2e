//! The contract of rails, kept over a cluster of its own, and broken by each planted mistake.

use std::sync::Arc;

use divvy_core::contract::Part::*;
use divvy_core::contract::{Contract, Ground, Mishap, Part, Report};
use divvy_core::{Amount, Asset, Fee, Rail, Reply, Request, Time};
use divvy_solana::{Address, Keypair, SolanaSettings, token};

use crate::bank::TILL;
use crate::bent::{Bent, Mistake, SECRET};
use crate::cluster::{Cluster, Fault};
use crate::drive::{cluster, mint, rail, settings, wallet};

/// A cluster, and a till on it.
#[derive(Debug)]
struct Yard {
    rail: Arc<dyn Rail>,
    cluster: Cluster,
    now: Time,
    began: u64,
}

const FAILING: u8 = 28;

impl Yard {
    fn new(settings: SolanaSettings, mistake: Mistake) -> Self {
        let mut cluster = cluster(1);
        (100..120).step_by(2).for_each(|n| cluster.bank.give(&wallet(n), 0));
        settings.nonces.iter().for_each(|nonce| cluster.advance(*nonce));
        cluster.pass(40);
        let rail: Arc<dyn Rail> = Arc::new(rail(settings));
        let began = cluster.bank.lamports[&wallet(TILL)];
        let now = Time::from_millis(1_790_000_000_000);
        Self { rail: Arc::new(Bent { rail, mistake }), cluster, now, began }
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
        self.cluster.pass(secs * 5);
    }

    fn serve(&mut self, request: &Request, mishap: Mishap) -> Option<Reply> {
        let fault = match mishap {
            Mishap::Deaf => Fault::Deaf,
            Mishap::LostReply => Fault::LostReply,
            Mishap::Busy => Fault::Busy,
            Mishap::Broken => Fault::Broken,
            Mishap::Late { secs } => Fault::Late(secs * 5),
            // Most of the chain votes for it, and then it is gone.
            Mishap::Forgotten => Fault::Forked,
            _ => Fault::None,
        };
        self.cluster.serve(request, fault)
    }

    fn address(&self, n: u32) -> String {
        wallet(100 + u8::try_from(n).unwrap()).to_string()
    }

    fn failing(&self) -> String {
        wallet(FAILING).to_string()
    }

    fn strike(&mut self) {
        let account = self.cluster.bank.account(&wallet(FAILING));
        self.cluster.bank.frozen.insert(account);
    }

    fn arrived(&self, to: &str) -> u64 {
        Address::parse(to).map_or(0, |wallet| self.cluster.bank.held(&wallet))
    }

    fn charged(&self) -> Option<Fee> {
        let spent = self.began - self.cluster.bank.lamports[&wallet(TILL)];
        let asset = Asset::parse("SOL@9").unwrap();
        Some(Fee { asset, amount: Amount::new(spent).unwrap() })
    }

    fn misaddressed(&self) -> Vec<String> {
        let account = self.cluster.bank.account(&wallet(100));
        let own = [wallet(TILL), mint(), token::PROGRAM, account].map(|one| one.to_string());
        let broken = ["", "ann", "0x52908400098527886E0F7030069857D2E4169EE7"].map(str::to_owned);
        own.into_iter().chain(broken).collect()
    }

    fn secrets(&self) -> Vec<String> {
        let seed = format!("{:?}", [TILL; 32]);
        let exported = Keypair::from_seed(&[TILL; 32]).sign(b"").to_string();
        vec![SECRET.to_owned(), seed, exported, "node-key".to_owned()]
    }
}

pub(crate) fn report(settings: &SolanaSettings, mistake: Mistake) -> Report {
    let open = || -> Box<dyn Ground> { Box::new(Yard::new(settings.clone(), mistake)) };
    Contract::new(&open).run()
}

#[test]
fn the_rail_keeps_every_promise_with_one_provider_and_with_two_in_both_formats() {
    for providers in [1, 2] {
        let mut settings = settings(providers);
        for uses_v1 in [false, true] {
            settings.uses_v1 = uses_v1;
            let report = report(&settings, Mistake::None);
            assert!(report.is_kept(), "{providers} {uses_v1}:\n{report}");
        }
    }
}

/// Each mistake breaks this promise, and by the same mistake perhaps others.
const BREAKS: [(Mistake, Part); 13] = [
    (Mistake::SaltsBytes, SameBytes),
    (Mistake::SendsWhileItSigns, FactsFirst),
    (Mistake::LeavesOneOut, PaidOnce),
    (Mistake::SilenceIsVoid, VoidWithProof),
    (Mistake::NeverVoid, VoidWithProof),
    (Mistake::TakenIsFinal, FinalForGood),
    (Mistake::BlamesNobody, NamesTheLine),
    (Mistake::ForgetsCharges, CountsCharges),
    (Mistake::AsksNobody, LostReplies),
    (Mistake::ListsNothing, Strangers),
    (Mistake::TakesAnyAddress, BadAddresses),
    (Mistake::PacksTwice, PacksAll),
    (Mistake::ShowsItsKey, KeepsSecrets),
];

#[test]
fn each_mistake_of_the_rail_is_caught_by_the_name_of_its_promise() {
    for (mistake, part) in BREAKS {
        let settings = settings(2);
        let open = || -> Box<dyn Ground> { Box::new(Yard::new(settings.clone(), mistake)) };
        let outcome = Contract::new(&open).run_part(part);
        assert!(outcome.found().is_some(), "{mistake:?} goes unseen by {}", part.name());
    }
}
