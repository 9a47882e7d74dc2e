//! What is told: everything, in order, signed, and no more about people than is needed.

use std::collections::BTreeSet;

use divvy::core::{Amount, TreasuryTerms};
use divvy::{EventKind, WebhookSettings, WebhookStart, rotate_secret};

use crate::desk::{APP, BOOK, Desk, Folder, LONELY, at, name, settings};
use crate::receiver::{Receiver, Reply};

/// Opens a shop, begins with the webhook, and lets something of each kind happen.
async fn shop(folder: &Folder, url: &str, holders: usize) -> Desk {
    let mut desk = Desk::alone(folder, url).await;
    desk.open(holders).await;
    assert_eq!(desk.tick(1).await.told, 0, "what was before is not told");
    desk
}

on_each_host!(what_happens_is_told_in_order_once_and_signed);

async fn what_happens_is_told_in_order_once_and_signed(folder: Folder) {
    let receiver = Receiver::willing();
    let mut desk = shop(&folder, &receiver.url, 3).await;
    desk.take("one", 300, 10).await;
    desk.hold("fan-001", 11).await;
    let tick = desk.tick(20).await;
    let got = receiver.got();
    let kinds: Vec<String> = got.iter().map(|got| got.kind()).collect();
    assert_eq!(kinds, ["declared", "held", "released", "paid"], "{tick:?}");
    assert_eq!((tick.told, tick.untold), (4, 0));
    let ids: BTreeSet<String> = receiver.ids().into_iter().collect();
    assert_eq!(ids.len(), 4, "each has an id of its own");
    for got in &got {
        assert!(got.is_signed_by(&folder.secrets()[0], at(20)), "{got:?}");
        assert_eq!(got.header("content-type"), "application/json");
        assert_eq!(got.path, "/hooks");
        for personal in ["wedding", "mail.example", "whsec"] {
            assert!(!got.body.contains(personal), "{}", got.body);
        }
    }
    let paid = got[3].json();
    assert_eq!(paid["timestamp"], "2026-03-01T12:00:20Z");
    assert_eq!(paid["data"]["total"], "3.00");
    assert_eq!(paid["data"]["lines"][2]["payee"], "fan-002");
    assert_eq!(paid["data"]["lines"][2]["amount"], "1.00");
    assert_eq!(paid["data"]["fact"]["stream"], "batch/shop/0/0");
    assert_eq!(got[0].json()["data"]["gross"], "3.00");

    // Nothing is told again: not by this worker, and not by one that knows nothing but facts.
    assert_eq!(desk.tick(30).await.told, 0);
    let before = desk.divvy.books().count();
    let mut other = Desk::alone(&folder, &receiver.url).await;
    assert_eq!(other.tick(40).await.told, 0);
    assert_eq!(other.divvy.books().count(), before, "and idle ticks write nothing");
    assert_eq!(receiver.got().len(), 4);
    desk.divvy.verify().await.unwrap();
}

on_each_host!(what_flows_is_told_once_when_it_begins);

/// Goal: a receiver that keeps accounts hears of all money that becomes the holders', once. Method:
/// it flows for a while, accrues at several ticks, and each of them pays some of it.
async fn what_flows_is_told_once_when_it_begins(folder: Folder) {
    let receiver = Receiver::willing();
    let mut desk = shop(&folder, &receiver.url, 1).await;
    desk.flow("stakers", 100, 2).await;
    desk.take("one", 300, 10).await;
    desk.take("two", 700, 10).await;
    for secs in [30, 60, 200] {
        desk.declare(secs).await;
        desk.tick(secs).await;
    }
    let got = receiver.got();
    let declared: Vec<_> = got.iter().filter(|got| got.kind() == "declared").collect();
    let said = |at: usize| declared[at].json()["data"].clone();
    assert_eq!(declared.len(), 2, "one for each time that something begins to flow");
    assert_eq!((&said(0)["gross"], &said(1)["gross"]), (&"3.00".into(), &"7.00".into()));
    assert_eq!((&said(0)["pool"], &said(0)["payments"]), (&"stakers".into(), &1.into()));
    assert_eq!(said(0)["over_millis"], 100_000);
    let paid = got.iter().filter(|got| got.kind() == "paid");
    let totals: Vec<String> = paid.map(|got| got.json()["data"]["total"].to_string()).collect();
    assert_eq!(totals, ["\"2.00\"", "\"3.00\"", "\"5.00\""], "as it accrues");
    assert_eq!(got.len(), 5, "what accrues is not told");
}

on_each_host!(whoever_wants_to_hear_from_the_beginning_does_and_only_of_what_it_wants);

async fn whoever_wants_to_hear_from_the_beginning_does_and_only_of_what_it_wants(folder: Folder) {
    let receiver = Receiver::willing();
    let mut desk = shop(&folder, "http://127.0.0.1:9/", 3).await;
    desk.take("one", 300, 10).await;
    desk.hold("fan-001", 11).await;
    drop(desk);
    let late = WebhookSettings {
        name: name("late"),
        from: WebhookStart::Beginning,
        events: vec![EventKind::Declared, EventKind::Released],
        ..settings(&receiver.url)
    };
    let mut desk = Desk::with(&folder, "db", late, LONELY).await;
    assert_eq!(desk.tick(20).await.told, 2);
    let kinds: Vec<String> = receiver.got().iter().map(|got| got.kind()).collect();
    assert_eq!(kinds, ["declared", "released"]);
}

on_each_host!(many_lines_are_told_in_parts_and_a_failure_in_the_middle_goes_on_there);

/// Goal: a run of many lines is told in messages that a receiver can take, and a failure in the
/// middle goes on there, in another process too.
async fn many_lines_are_told_in_parts_and_a_failure_in_the_middle_goes_on_there(folder: Folder) {
    let fails = |place: usize, _: &_| Reply::Status(if place == 2 { 500 } else { 200 }, "");
    let receiver = Receiver::start(fails);
    let mut desk = shop(&folder, &receiver.url, 250).await;
    desk.take("one", 25_000, 10).await;
    let tick = desk.tick(20).await;
    assert_eq!((tick.told, tick.untold), (2, 1), "declared, and a first part");
    drop(desk);
    let mut desk = Desk::alone(&folder, &receiver.url).await;
    assert_eq!(desk.tick(22).await.told, 0, "it waits");
    assert_eq!(desk.tick(40).await.told, 2);
    let got = receiver.got();
    let parts: Vec<(u64, usize)> = got[1..]
        .iter()
        .map(|got| got.json()["data"].clone())
        .map(|data| (data["part"].as_u64().unwrap(), data["lines"].as_array().unwrap().len()))
        .collect();
    assert_eq!(parts, [(1, 100), (2, 100), (2, 100), (3, 50)]);
    let ids = receiver.ids();
    assert_eq!(ids[2], ids[3], "the same message has the same id");
    assert_eq!(got[2].body, got[3].body, "and says the same");
    assert!(ids[1].ends_with("_1") && ids[4].ends_with("_3"));
}

on_each_host!(a_secret_is_changed_without_stopping_anything);

/// Goal: a secret is changed while both sides go on. Method: the file is rotated between messages,
/// and the worker is told nothing of it.
async fn a_secret_is_changed_without_stopping_anything(folder: Folder) {
    let receiver = Receiver::willing();
    let mut desk = shop(&folder, &receiver.url, 3).await;
    let first = folder.secrets()[0].clone();
    let mut signed = Vec::new();
    for (turn, kept) in [(0, None), (1, Some(1)), (2, Some(0))] {
        if let Some(kept) = kept {
            rotate_secret(&folder.file("secrets"), kept).unwrap();
        }
        desk.hold("fan-001", 10 + turn).await;
        desk.tick(10 + turn).await;
        let last = receiver.got().pop().unwrap();
        assert!(last.is_signed_by(&folder.secrets()[0], at(10 + turn)), "by the newest");
        signed.push(last.is_signed_by(&first, at(10 + turn)));
    }
    assert_eq!(signed, [true, true, false], "and by the old one for as long as it is kept");

    // Secrets that are gone stop nobody but the webhook, and a person is told.
    std::fs::remove_file(folder.file("secrets")).unwrap();
    desk.take("one", 300, 20).await;
    let tick = desk.tick(21).await;
    assert_eq!((tick.lines, tick.told), (3, 0), "paying goes on");
    assert!(desk.worker.obstacles()[0].to_string().contains("secrets"));
    rotate_secret(&folder.file("secrets"), 0).unwrap();
    assert_eq!(desk.tick(22).await.told, 2, "declared, paid");
}

on_each_host!(alerts_of_the_treasury_are_told_when_they_change);

async fn alerts_of_the_treasury_are_told_when_they_change(folder: Folder) {
    let receiver = Receiver::willing();
    let alerts = |low: u64| WebhookSettings {
        events: vec![EventKind::Alert],
        treasury: Some(TreasuryTerms::new(Amount::new(low).unwrap())),
        ..settings(&receiver.url)
    };
    let mut desk = Desk::with(&folder, "db", alerts(200), LONELY).await;
    desk.open(3).await;
    desk.tick(1).await;
    desk.tick(100).await;
    let got = receiver.got();
    let said: Vec<_> = got.iter().map(|got| got.json()["data"]["alerts"].clone()).collect();
    assert_eq!(said.len(), 1, "once: {said:?}");
    let names: Vec<_> = said[0].as_array().unwrap().iter().map(|one| &one["alert"]).collect();
    assert!(names.contains(&&"balance_low".into()), "{names:?}");
    // Without a level, nobody is told.
    let mut calm = Desk::with(&folder, "db", alerts(0), LONELY).await;
    calm.tick(10_000).await;
    let last = receiver.got().pop().unwrap().json();
    let names = last["data"]["alerts"].to_string();
    assert!(!names.contains("balance_low"), "{names}");
    assert_eq!(last["data"]["book"], BOOK);
    assert!(desk.divvy.books().book(BOOK).unwrap().endpoint(APP).is_ok());
}

on_each_host!(of_two_workers_one_tells_and_the_other_goes_on_when_it_is_gone);

/// Goal: of two workers, one tells. Method: both live and take turns, and then one leaves.
async fn of_two_workers_one_tells_and_the_other_goes_on_when_it_is_gone(folder: Folder) {
    let receiver = Receiver::willing();
    let mut first = Desk::new(&folder, &receiver.url).await;
    first.open(3).await;
    let mut second = Desk::new(&folder, &receiver.url).await;
    // Twice, so that each has heard of the other.
    for secs in [40, 80] {
        first.tick(secs).await;
        second.tick(secs).await;
    }
    let mut told = [0, 0];
    for turn in 81..91 {
        first.hold("fan-001", turn).await;
        // In turns, so that either has the chance to be first.
        if turn % 2 == 0 {
            told[0] += first.tick(turn).await.told;
        }
        told[1] += second.tick(turn).await.told;
        told[0] += first.tick(turn).await.told;
    }
    told.sort_unstable();
    assert_eq!(told, [0, 20], "the webhook falls to one of them");
    let ids = receiver.ids();
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), unique.len()), (20, 20), "each once");
    // Whoever told is gone; the other takes over once it is taken for dead.
    drop(first);
    second.hold("fan-001", 400).await;
    second.tick(500).await;
    second.tick(501).await;
    assert_eq!(receiver.ids().len(), 22);
}
