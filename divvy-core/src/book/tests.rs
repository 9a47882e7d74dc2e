//! Goal: every unit is in its place after each step of a book's life, what cannot be is refused,
//! and the order in which streams are read changes nothing.
//! Method: a till that commits each step's facts and feeds them back, as a host does.
#![expect(clippy::arithmetic_side_effects, reason = "overflow panics here, which fails the test")]

use std::collections::BTreeMap;

use super::*;
use crate::danger::{Vouched, vouched};
use crate::{
    Answer, Asset, Batch, Body, Books, Code, Destination, Evidence, Fact, Hash, Leg, Legs, Line,
    Obstacle, PayeeSet, Plan, Planned, Policy, Ratio, Seen, Share, Signed, State, Step, Stream,
    Target, Timing, Units, Window,
};

mod acts;
mod adopt;
mod costs;
mod demands;
mod desk;
mod divisions;
mod fees;
mod flows;
mod forged;
mod guard;
mod nested;
mod policies;
mod reversals;
mod review;
mod room;
mod rules;
mod till;
mod told;
mod waits;
mod webhooks;

use till::Till;

const TIMING: Timing = Timing { grace_secs: 60, deadline_secs_max: 300, watch_secs: 0 };
const COOLING_SECS: u64 = 86_400;

fn secs(secs: u64) -> Time {
    Time::ZERO.plus_secs(secs)
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

fn to(address: &str) -> Destination {
    Destination { rail: name("sandbox"), address: address.to_owned() }
}

fn evidence() -> Evidence {
    Evidence { source: "test".into(), hash: Hash::of(b"it"), said: String::new() }
}

fn payment(id: &str, minor: u64, event_at: Time) -> Payment {
    let usd = Asset::parse("USD").unwrap();
    let (source, account, id, payer) = (name("till"), name("main"), name(id), None);
    let (amount, asset, evidence) = (amount(minor), usd.clone(), evidence());
    vouched(Vouched { source, account, id, amount, asset, payer, event_at, evidence }, &usd)
        .unwrap()
}

/// Legs as text: `*fund` is a pool, `30%` a portion, `rest` what remains.
fn standing(legs: &[(&str, &str)]) -> Legs {
    let leg = |(who, part): &(&str, &str)| Leg {
        to: match who.strip_prefix('*') {
            Some(pool) => Target::Pool(pool.to_owned()),
            None => Target::Payee((*who).to_owned()),
        },
        share: match *part {
            "rest" => Share::Remaining,
            part => Share::Portion(Ratio::parse(part).unwrap()),
        },
    };
    Legs::new(legs.iter().map(leg).collect()).unwrap()
}

fn threshold(min: u64, max_wait_secs: Option<u64>) -> Policy {
    Policy::Threshold { min: amount(min), max_wait_secs }
}

#[test]
fn a_payment_becomes_paid_to_the_unit() {
    let mut till = Till::instant();
    till.pool("fund", &[("ann", 2), ("bob", 1)]);
    till.rule(&[("fee", "10%"), ("*fund", "rest")]);
    till.record("1", 1_000);
    assert_eq!(till.places("fee"), [100, 100, 0, 0, 0]);
    assert_eq!(till.places("ann"), [0; 5]);
    assert_eq!(till.book().undeclared("fund").unwrap().1, amount(900));
    till.declare();
    assert_eq!(till.places("ann"), [600, 600, 0, 0, 0]);
    assert_eq!(till.places("bob"), [300, 300, 0, 0, 0]);

    let batch = till.pay();
    assert_eq!(till.places("ann"), [600, 0, 600, 0, 0]);
    assert_eq!(till.due(), []);
    till.hear(batch.stream(), Answer::Accepted);
    assert_eq!(till.book().open_batches(), [batch.stream().clone()]);
    till.hear(batch.stream(), Answer::Final);
    assert_eq!(till.places("ann"), [600, 0, 0, 600, 0]);
    assert_eq!(till.book().open_batches(), []);
    let totals = till.book().totals();
    assert_eq!(
        (totals.recorded, totals.paid, totals.moved),
        (amount(1_000), amount(1_000), amount(1_000))
    );
    assert_eq!(totals.lines_settled, 3);
}

#[test]
fn each_outcome_puts_the_money_in_its_place() {
    let refused = Answer::Refused { reason: "closed".into(), line: Some(0) };
    let returned = Answer::Returned { reason: "closed".into(), lines: vec![0] };
    #[rustfmt::skip]
    let table = [
        // answers                              earned payable reserved paid owed   held
        (vec![Answer::Unknown],                 [100,  0,      100,     0,   0],    false),
        (vec![Answer::Accepted],                [100,  0,      100,     0,   0],    false),
        (vec![Answer::Final],                   [100,  0,      0,       100, 0],    false),
        (vec![Answer::Void],                    [100,  0,      100,     0,   0],    false),
        (vec![refused.clone()],                 [100,  100,    0,       0,   0],    true),
        (vec![returned.clone()],                [100,  100,    0,       0,   0],    true),
        (vec![Answer::Final, returned],         [100,  100,    0,       0,   0],    true),
        (vec![Answer::Final, Answer::Undone],   [100,  0,      100,     0,   0],    false),
        (vec![refused, Answer::Final],          [100,  0,      0,       100, 0],    true),
    ];
    for (answers, places, held) in table {
        let mut till = Till::instant();
        till.rule(&[("ann", "rest")]);
        till.record("1", 100);
        let batch = till.pay();
        answers.iter().for_each(|answer| till.hear(batch.stream(), answer.clone()));
        assert_eq!(till.places("ann"), places, "{answers:?}");
        assert_eq!(till.obstacle("ann").is_some(), held, "{answers:?}");
        let free = places[1] > 0 && !held;
        assert_eq!(till.due().is_empty(), !free, "{answers:?}");
    }
}

#[test]
fn what_was_paid_twice_is_owed_back_and_comes_off_the_next() {
    let mut till = Till::instant();
    till.rule(&[("ann", "rest")]);
    till.record("1", 100);
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Refused { reason: "closed".into(), line: None });
    // Of a single line nobody need be named: the payee is held until somebody has looked.
    let step = till.book().release(&name("ann"), "asked them", till.now).unwrap();
    till.commit(&step);
    let again = till.pay();
    till.hear(again.stream(), Answer::Final);
    // The first one moved after all. Evidence beats judgement.
    till.hear(batch.stream(), Answer::Final);
    assert_eq!(till.places("ann"), [100, 0, 0, 200, 100]);
    till.record("2", 130);
    assert_eq!(till.places("ann"), [230, 30, 0, 200, 0]);
    assert_eq!(till.due(), [("ann".to_owned(), 30)]);
}

#[test]
fn void_is_signed_anew_and_what_is_given_up_is_payable_again() {
    let mut till = Till::instant();
    till.rule(&[("ann", "rest")]);
    till.record("1", 100);
    let stream = till.pay().stream().clone();
    till.hear(&stream, Answer::Void);
    let batch = till.batch(&stream);
    let signed = till.signed(batch.lines());
    let step = till.books.sign(&batch, signed, till.now).unwrap();
    assert!(step.releases_call());
    till.commit(&step);
    assert_eq!(till.books.claimed("till", None), ["coin 1", "coin 2"]);
    assert_eq!(till.books.claimed("till", Some(&stream)), [""; 0]);
    let batch = till.batch(&stream);
    assert_eq!(till.books.cancel(&batch, "late", till.now).unwrap_err().code(), Code::BatchState);
    till.hear(&stream, Answer::Void);
    let step = till.books.cancel(&till.batch(&stream), "late", till.now).unwrap();
    till.commit(&step);
    assert_eq!(till.places("ann"), [100, 100, 0, 0, 0]);
    assert_eq!(till.books.claimed("till", None), [""; 0]);
    assert_eq!(till.book().batch_state(&stream), Some(State::Cancelled));
}

#[test]
fn money_is_expected_by_the_rate_so_far_and_never_past_an_obstacle() {
    let mut till = Till::open(threshold(1_000, None), 1, None);
    till.rule(&[("ann", "100%")]);
    till.record("1", 250);
    till.now = secs(2_000);
    let expected = |till: &Till| till.book().balance("ann", till.now).unwrap().expected_on;
    assert_eq!(expected(&till), Expected::Never);
    assert_eq!(till.obstacle("ann"), Some(Obstacle::NoDestination));
    till.destination("ann", "a1");
    // 250 in 1,000 seconds; 750 lack.
    assert_eq!(expected(&till), Expected::On(secs(5_000)));
    till.record("2", 750);
    assert_eq!(expected(&till), Expected::Now);
    let step = till.book().hold(&name("ann"), "asked to wait", None, till.now);
    till.commit(&step);
    assert_eq!(expected(&till), Expected::Never);
    assert_eq!(till.due(), []);
    let step = till.book().release(&name("ann"), "asked to go on", till.now).unwrap();
    till.commit(&step);
    assert_eq!(till.due(), [("ann".to_owned(), 1_000)]);
    let error = till.book().release(&name("ann"), "again", till.now).unwrap_err();
    assert_eq!(error.code(), Code::PayeeUnknown);
}

#[test]
fn waiting_below_the_floor_is_expected_when_the_floor_is_reached() {
    let mut till = Till::open(threshold(1_000, Some(60)), 500, Some("sandbox"));
    till.rule(&[("ann", "100%")]);
    till.record("1", 100);
    till.now = secs(1_100);
    // 100 in 100 seconds: the floor lacks 400, the threshold 900; the wait alone pays nothing.
    let expected = till.book().balance("ann", till.now).unwrap().expected_on;
    assert_eq!(expected, Expected::On(secs(1_500)));
}

#[test]
fn a_changed_destination_cools_and_an_old_one_is_refused() {
    let mut till = Till::open(Policy::Instant, 1, None);
    till.rule(&[("ann", "rest")]);
    till.record("1", 100);
    assert_eq!(till.due(), []);
    till.destination("ann", "a1");
    let paid_to = |till: &Till| till.book().due(till.now).unwrap()[0].lines[0].to.clone();
    assert_eq!(paid_to(&till), "a1", "a first destination is in force at once");
    till.now = till.now.plus_secs(10);
    till.destination("ann", "stolen");
    till.now = till.now.plus_secs(COOLING_SECS - 1);
    assert_eq!(paid_to(&till), "a1");
    // The payee noticed in time: what still cools is replaced.
    till.destination("ann", "a2");
    till.now = till.now.plus_secs(2);
    assert_eq!(paid_to(&till), "a1");
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Void);
    till.now = till.now.plus_secs(COOLING_SECS);
    let batch = till.batch(batch.stream());
    let signed = till.signed(batch.lines());
    let stale = till.books.sign(&batch, signed, till.now).unwrap_err();
    assert_eq!(stale.code(), Code::BatchStale);
    let step = till.books.cancel(&batch, "its destination is outdated", till.now).unwrap();
    till.commit(&step);
    assert_eq!(paid_to(&till), "a2");
}

#[test]
fn a_plan_that_pays_too_much_elsewhere_or_whom_it_may_not_is_refused() {
    let mut till = Till::instant();
    till.rule(&[("ann", "50%"), ("bob", "50%")]);
    till.record("1", 200);
    till.destination("bob", "b1");
    till.now = till.now.plus_secs(COOLING_SECS);
    let line = |payee: &str, minor, to: &str, to_n| {
        let (payee, amount, to) = (name(payee), amount(minor), to.to_owned());
        Line { payee, amount, to, to_n, fee: None }
    };
    let table = [
        // lines                                                             refused
        (vec![line("ann", 100, "ann", None), line("bob", 100, "b1", Some(0))], None),
        (vec![line("ann", 101, "ann", None)], Some(Code::BatchStale)),
        (vec![line("ann", 60, "ann", None), line("ann", 60, "ann", None)], Some(Code::BatchStale)),
        (vec![line("ann", 0, "ann", None)], Some(Code::BatchStale)),
        (vec![line("ann", 100, "eve", None)], Some(Code::BatchStale)),
        (vec![line("ann", 100, "ann", Some(0))], Some(Code::BatchStale)),
        (vec![line("bob", 100, "bob", None)], Some(Code::BatchStale)),
        (vec![line("bob", 100, "b1", None)], Some(Code::BatchStale)),
        (vec![line("bob", 100, "b1", Some(1))], Some(Code::BatchStale)),
        (vec![line("cyd", 1, "cyd", None)], Some(Code::PayeeUnknown)),
        (vec![], Some(Code::BatchState)),
        (vec![line("ann", 1, "ann", None); RUN_LINES_MAX + 1], Some(Code::BatchState)),
    ];
    for (lines, refused) in table {
        let plan = till.plan_of(lines.clone());
        let step = till.books.plan("b", &[plan], till.now);
        assert_eq!(step.as_ref().err().map(Error::code), refused, "{:?}", lines.first());
    }
    let lines = vec![line("ann", 100, "ann", None)];
    let mut other_rail = till.plan_of(lines.clone());
    other_rail.planned.rail = name("elsewhere");
    let error = till.books.plan("b", &[other_rail], till.now).unwrap_err();
    assert_eq!(error.code(), Code::BatchStale);

    let first = till.plan_of(lines.clone());
    let mut second = till.plan_of(vec![line("bob", 100, "b1", Some(0))]);
    second.signed.claims.clone_from(&first.signed.claims);
    let error = till.books.plan("b", &[first, second], till.now).unwrap_err();
    assert_eq!(error.code(), Code::RailRefused, "one coin under two tries of a run");

    let plan = till.plan_of(lines);
    let step = till.book().hold(&name("ann"), "asked to wait", None, till.now);
    till.commit(&step);
    let error = till.books.plan("b", &[plan], till.now).unwrap_err();
    assert_eq!(error.code(), Code::BatchStale, "held");
}

#[test]
fn two_planners_write_one_address_and_claim_no_coin_twice() {
    let mut till = Till::instant();
    till.rule(&[("ann", "50%"), ("bob", "50%")]);
    till.record("1", 200);
    let due = till.book().due(till.now).unwrap().remove(0).lines;
    let (one, other) = (till.plan_of(due.clone()), till.plan_of(due));
    let first = till.books.plan("b", &[one], till.now).unwrap();
    let second = till.books.plan("b", &[other], till.now).unwrap();
    let address = |step: &Step| (step.facts()[0].stream.clone(), step.facts()[0].n);
    assert_eq!(address(&first), address(&second), "the loser finds it taken");
    till.commit(&first);
    till.record("2", 200);
    let lines = till.book().due(till.now).unwrap().remove(0).lines;
    let mut plan = till.plan_of(lines);
    plan.signed.claims = vec!["coin 1".to_owned()];
    let error = till.books.plan("b", &[plan], till.now).unwrap_err();
    assert_eq!(error.code(), Code::RailRefused);
}

#[test]
fn a_payee_of_two_lines_that_came_back_is_held_once() {
    let mut till = Till::instant();
    till.rule(&[("ann", "rest")]);
    till.record("1", 100);
    let line = |minor| Line {
        payee: name("ann"),
        amount: amount(minor),
        to: "ann".into(),
        to_n: None,
        fee: None,
    };
    let plan = till.plan_of(vec![line(60), line(40)]);
    let step = till.books.plan("b", &[plan], till.now).unwrap();
    till.commit(&step);
    let stream = step.facts()[1].stream.clone();
    till.hear(&stream, Answer::Returned { reason: "closed".into(), lines: vec![] });
    assert_eq!(till.places("ann"), [100, 100, 0, 0, 0]);
    assert_eq!(till.book().payee_head(&name("ann")).n, 1);
}

#[test]
fn a_payment_before_its_rule_waits_for_it() {
    let mut till = Till::instant();
    let early = payment("1", 100, secs(500)).fact(&name("b"), till.now).unwrap();
    till.books.feed(std::slice::from_ref(&early)).unwrap();
    till.facts.push(early);
    till.book().check().unwrap();
    assert_eq!(till.book().totals().undeclared, amount(100));
    let late = till.book().set_rule(secs(501), standing(&[("ann", "rest")]), till.now);
    assert_eq!(late.unwrap_err().code(), Code::RuleMissing, "it would leave a payment to nobody");
    till.rule(&[("ann", "rest")]);
    assert_eq!(till.places("ann"), [100, 100, 0, 0, 0]);
    assert_eq!(till.book().totals().undeclared, Amount::ZERO);
}

#[test]
fn what_would_stop_the_fold_later_is_refused_at_once() {
    let mut till = Till::instant();
    let all = vec![Leg { to: Target::Payee("ann".into()), share: Share::Remaining }];
    let exact = Legs::exactly(amount(100), all).unwrap();
    let error = till.book().set_rule(Time::ZERO, exact, till.now).unwrap_err();
    assert_eq!(error.code(), Code::SplitLeaky);
    let error = till.book().set_rule(Time::ZERO, standing(&[("*fund", "rest")]), till.now);
    assert_eq!(error.unwrap_err().code(), Code::PoolUnknown);
    till.rule(&[("ann", "rest")]);
    till.record("1", Amount::MAX.get());
    let one_more = till.book().record(&[payment("2", 1, till.now)], till.now).unwrap_err();
    assert_eq!(one_more.code(), Code::AmountAboveCeiling);
    let nothing = payment("3", 0, till.now).fact(&name("b"), till.now).unwrap_err();
    assert_eq!(nothing.code(), Code::PaymentMalformed);
    let rewrite =
        till.book().set_rule(till.now.min(secs(1)), standing(&[("bob", "rest")]), till.now);
    assert_eq!(rewrite.unwrap_err().code(), Code::RuleMissing);
}

/// Facts that no step of ours makes, as a broken or foreign writer would.
#[test]
fn a_fact_in_a_place_where_it_cannot_be_stops_the_fold() {
    let mut till = Till::instant();
    till.rule(&[("ann", "rest")]);
    till.record("1", 100);
    let batch = till.pay();
    let opened = Body::Opened(till.book().settings().clone());
    let planned = Body::Planned(Planned {
        rail: name("sandbox"),
        wallet: name("till"),
        lines: vec![Line {
            payee: name("ann"),
            amount: amount(1),
            to: "ann".into(),
            to_n: None,
            fee: None,
        }],
    });
    let held = Body::Held(crate::Held { reason: String::new(), cause: None });
    let at = |stream: &str| Head::start(Stream::parse(stream).unwrap());
    let table = [
        // place                        body
        (at("payee/new/ann"), opened.clone()),
        (Head { n: 1, ..at("rule/new") }, opened.clone()),
        (at("batch/b/0/1"), planned.clone()),
        (at("payment/till/main/2"), held.clone()),
        (at("coins/other"), held.clone()),
        (till.book().payee_head(&name("ann")), opened),
        (batch.head().clone(), held),
    ];
    for (head, body) in table {
        let mut books = till.books.clone();
        let fact = Fact::new(&head, till.now, &body);
        let error = books.feed(&[fact]).unwrap_err();
        let stops = [Code::FactMalformed, Code::BatchState].contains(&error.code());
        assert!(stops, "{head:?} {error:?}");
    }
}

#[test]
fn the_same_payment_again_is_a_quiet_yes_and_another_a_loud_no() {
    let recorded = |minor, payer: Option<&str>, source: &str| {
        let fact = payment("1", minor, secs(5)).fact(&name("b"), secs(9)).unwrap();
        let Body::Recorded(mut recorded) = fact.body().unwrap() else { panic!("recorded") };
        recorded.payer = payer.map(str::to_owned);
        recorded.evidence.source = source.to_owned();
        recorded
    };
    let usd = Asset::parse("USD").unwrap();
    let stream = Stream::parse("payment/till/main/1").unwrap();
    let first = recorded(100, None, "line 1");
    assert!(first.accept_again(&recorded(100, None, "line 9"), &stream, &usd).is_ok());
    for other in [recorded(101, None, "line 1"), recorded(100, Some("eve"), "line 1")] {
        let error = first.accept_again(&other, &stream, &usd).unwrap_err();
        assert_eq!(error.code(), Code::PaymentConflict);
        assert!(error.to_string().contains("1.00 USD for book b"), "{error}");
    }
}

/// A busy life of a book, for the tests of order.
fn busy() -> Till {
    let mut till = Till::open(threshold(40, None), 1, Some("sandbox"));
    till.pool("fund", &[("ann", 5), ("bob", 3), ("cyd", 2)]);
    till.pool("club", &[("bob", 1)]);
    till.rule(&[("fee", "10%"), ("*club", "20%"), ("*fund", "rest")]);
    for round in 0..6 {
        till.now = till.now.plus_secs(COOLING_SECS);
        till.record(&format!("{round}-a"), 333 + round);
        till.record(&format!("{round}-b"), 77 * (round + 1));
        till.declare();
        if round == 1 {
            till.destination("ann", "a1");
            till.policy("cyd", Policy::Instant);
        }
        if round == 3 {
            till.destination("ann", "a2");
            let units = Units::new(2).unwrap();
            let step =
                till.book().move_holding("fund", &name("ann"), &name("dan"), units, till.now);
            till.commit(&step.unwrap());
            let units = Units::new(1).unwrap();
            let step = till.book().redeem_units("fund", &name("bob"), units, till.now);
            till.commit(&step.unwrap());
        }
        let batch = till.pay();
        let returned = Answer::Returned { reason: "closed".into(), lines: vec![0] };
        let answers = [Answer::Final, Answer::Accepted, returned, Answer::Void];
        let at = usize::try_from(round % 4).unwrap();
        till.hear(batch.stream(), answers[at].clone());
    }
    till
}

/// Everything that must not depend on the order, by name.
fn shape(books: &Books) -> (Totals, BTreeMap<String, String>) {
    let book = books.book("b").unwrap();
    let mut shape = BTreeMap::new();
    for payee in book.payees() {
        let mut balance = book.balance(payee.as_str(), secs(9_999_999)).unwrap();
        // How long money waits depends on when it was noticed; where it is does not.
        balance.expected_on = Expected::Unknown;
        let units = ["fund", "club"].map(|pool| book.units(pool, payee.as_str()).unwrap());
        shape.insert(payee.to_string(), format!("{balance:?} {units:?}"));
    }
    let mut due: Vec<String> = book
        .due(secs(9_999_999))
        .unwrap()
        .into_iter()
        .flat_map(|due| due.lines)
        .map(|line| format!("{line:?}"))
        .collect();
    due.sort();
    shape.insert("due".into(), format!("{due:?}"));
    for pool in book.pools() {
        shape.insert(format!("pool {pool}"), format!("{:?}", book.pool(pool.as_str()).unwrap()));
    }
    let batches: Vec<_> = book.batches().collect();
    shape.insert("batches".into(), format!("{batches:?} {:?}", book.open_batches()));
    shape.insert("claims".into(), format!("{:?}", books.claimed("till", None)));
    (book.totals().clone(), shape)
}

/// A reader is promised each stream in its own order and nothing more.
#[test]
fn the_order_in_which_streams_are_read_changes_nothing() {
    let till = busy();
    let wanted = shape(&till.books);
    let mut seed = 1_u64;
    let mut below = |limit: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % limit
    };
    for round in 0..200 {
        let mut streams: BTreeMap<&Stream, Vec<&Fact>> = BTreeMap::new();
        till.facts
            .iter()
            .rev()
            .for_each(|fact| streams.entry(&fact.stream).or_default().push(fact));
        let mut books = Books::default();
        let mut page = Vec::new();
        while !streams.is_empty() {
            let stream = *streams.keys().nth(below(streams.len())).unwrap();
            let left = streams.get_mut(stream).unwrap();
            page.extend(left.pop().cloned());
            if left.is_empty() {
                streams.remove(stream);
            }
            if below(8) == 0 {
                books.feed(&std::mem::take(&mut page)).unwrap();
            }
        }
        books.feed(&page).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(books.early(), [], "round {round}");
        books.book("b").unwrap().check().unwrap();
        assert_eq!(shape(&books), wanted, "round {round}");
    }
}

#[test]
fn an_idle_tick_costs_nothing_however_many_wait() {
    let mut till = Till::open(threshold(1_000_000, Some(86_400)), 1, Some("sandbox"));
    let holders: Vec<(String, u64)> = (0..2_000).map(|i| (format!("h{i}"), 1 + i % 7)).collect();
    let holders: Vec<(&str, u64)> =
        holders.iter().map(|(who, units)| (who.as_str(), *units)).collect();
    till.pool("fund", &holders);
    till.rule(&[("*fund", "rest")]);
    till.record("1", 100_000);
    till.declare();
    for tick in 0..100 {
        let before = till.book().heap_operations();
        till.now = till.now.plus_secs(300);
        till.books.book_mut("b").unwrap().wake_waited(till.now).unwrap();
        assert_eq!(till.due(), []);
        assert!(till.book().heap_operations() - before <= 10, "tick {tick}");
    }
}

#[test]
fn who_waits_for_another_rail_is_not_in_the_way() {
    let mut till = Till::instant();
    till.rule(&[("ann", "50%"), ("bob", "50%")]);
    till.record("1", 200);
    let due_on = |rail: &str| till.book().due_on(till.now, |served| served.as_str() == rail);
    assert_eq!(["sandbox", "elsewhere"].map(|rail| due_on(rail).unwrap().len()), [1, 0]);
}
