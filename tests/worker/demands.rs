//! Goal: who asks to be paid now is paid alone, once, and not above what they accepted, whoever
//! dies in between.
//! Method: a shop whose fans wait for a threshold, a rail whose price moves, a sender whose orders
//! get lost.

use std::sync::Arc;

use divvy::core::{Amount, Asset, Code, Guarded, Person, Policy, SecretKey, State, TermsSet};
use divvy::sandbox::{Terms, WindowKind};
use divvy::{Divvy, Worker};

use crate::shop::{BOOK, Folder, Losing, RAIL, Till, at, name, open, paid, take};

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

/// A till that quotes so much for each line.
fn quoting(quoted: u64) -> Till {
    let terms = Terms { window: WindowKind::Until, fee: 3, ..Terms::default() };
    let mut till = Till::new(terms, 10);
    till.settings.fee_asset = Some(Asset::parse("USD").unwrap());
    till.settings.fee_quoted = amount(quoted);
    till
}

/// A shop in which everybody has 1.00 and waits for 10.00.
async fn waiting(folder: &Folder) -> Divvy {
    let mut divvy = open(&folder.file("shop.db"), 5).await;
    let policy = Some(Policy::Threshold { min: amount(1_000), max_wait_secs: None });
    let terms = TermsSet { policy, ..TermsSet::NONE };
    divvy.book(BOOK).unwrap().set_terms(&terms, at(0)).await.unwrap();
    take(&mut divvy, "p1", 5, at(0)).await;
    divvy
}

async fn ask(divvy: &mut Divvy, fee_max: u64, secs: u64) {
    let mut book = divvy.book(BOOK).unwrap();
    book.demand(&name("fan-3"), amount(fee_max), at(secs)).await.unwrap();
}

#[tokio::test]
async fn who_asks_is_paid_once_however_many_ask_and_work() {
    let (folder, till) = (Folder::new(), quoting(3));
    let mut divvy = waiting(&folder).await;
    let mut other = open(&folder.file("shop.db"), 5).await;
    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    assert_eq!(worker.tick(&mut divvy, at(1)).await.unwrap().lines, 0);
    let mut book = divvy.book(BOOK).unwrap();
    let cost = book.cost_of_paying("fan-3", till.rails(), till.sender(), at(2)).await.unwrap();
    assert_eq!((cost.rail, cost.line.amount, cost.fee), (name(RAIL), amount(100), amount(3)));
    ask(&mut divvy, 3, 2).await;
    ask(&mut other, 3, 2).await;
    // Whoever asked is gone; others pay.
    drop(divvy);
    let mut second = Worker::new(till.rails(), till.sender()).unwrap();
    let mut divvy = open(&folder.file("shop.db"), 5).await;
    let ticks = [
        worker.tick(&mut other, at(3)).await.unwrap(),
        second.tick(&mut divvy, at(3)).await.unwrap(),
        worker.tick(&mut other, at(4)).await.unwrap(),
    ];
    assert_eq!(ticks.map(|tick| tick.lines).iter().sum::<u64>(), 1);
    assert_eq!(till.moved(), 100);
    worker.tick(&mut other, at(400)).await.unwrap();
    assert_eq!(paid(&other), 100);
    other.verify().await.unwrap();
}

#[tokio::test]
async fn above_what_was_accepted_nothing_is_paid_and_the_reason_is_said() {
    let (folder, mut till) = (Folder::new(), quoting(4));
    let mut divvy = waiting(&folder).await;
    ask(&mut divvy, 3, 1).await;
    let mut dear = Worker::new(till.rails(), till.sender()).unwrap();
    assert_eq!(dear.tick(&mut divvy, at(2)).await.unwrap().lines, 0);
    let obstacle = dear.obstacles().pop().unwrap();
    assert_eq!(obstacle.code(), Code::FeeAboveCeiling, "{obstacle}");
    assert!(obstacle.to_string().contains("fan-3 asked"), "{obstacle}");
    // What is due by itself goes on beside it, and once the price falls it is paid.
    till.settings.fee_quoted = amount(3);
    let mut cheap = Worker::new(till.rails(), till.sender()).unwrap();
    assert_eq!(cheap.tick(&mut divvy, at(3)).await.unwrap().lines, 1);
    assert_eq!((till.moved(), cheap.obstacles().len()), (100, 0));
    dear.tick(&mut divvy, at(4)).await.unwrap();
    assert!(dear.obstacles().is_empty(), "nothing is asked for any more");
    divvy.verify().await.unwrap();
}

#[tokio::test]
async fn a_second_try_is_held_to_what_was_accepted_too() {
    let (folder, mut till) = (Folder::new(), quoting(3));
    let mut divvy = waiting(&folder).await;
    ask(&mut divvy, 3, 1).await;
    // The first try is lost on its way, and void after its deadline and grace.
    let mut losing = Worker::new(till.rails(), Arc::new(Losing(till.keeper.clone()))).unwrap();
    assert_eq!(losing.tick(&mut divvy, at(2)).await.unwrap().lines, 1);
    till.settings.fee_quoted = amount(4);
    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    for secs in [5_000, 10_000] {
        worker.tick(&mut divvy, at(secs)).await.unwrap();
    }
    let batch = divvy.books().book(BOOK).unwrap().batches().next().unwrap();
    assert_eq!((till.moved(), batch.state), (0, State::Cancelled));
    ask(&mut divvy, 4, 10_001).await;
    worker.tick(&mut divvy, at(10_002)).await.unwrap();
    assert_eq!(till.moved(), 100);
    divvy.verify().await.unwrap();
}

#[tokio::test]
async fn above_the_limit_of_a_day_it_waits_for_approvals() {
    let (folder, till) = (Folder::new(), quoting(3));
    let mut divvy = waiting(&folder).await;
    let key = SecretKey::new(&[7; 32]).public();
    let guarded = Guarded {
        limit: amount(99),
        approvals: 1,
        people: vec![Person { name: name("ann"), key }],
        expires_secs: 3_600,
        consents: vec![],
        unsigned: None,
    };
    divvy.book(BOOK).unwrap().guard(&guarded, at(0)).await.unwrap();
    ask(&mut divvy, 3, 1).await;
    let mut worker = Worker::new(till.rails(), till.sender()).unwrap();
    assert_eq!(worker.tick(&mut divvy, at(2)).await.unwrap().lines, 1);
    let batch = divvy.books().book(BOOK).unwrap().batches().next().unwrap();
    assert_eq!((till.moved(), batch.state), (0, State::Planned));
}
