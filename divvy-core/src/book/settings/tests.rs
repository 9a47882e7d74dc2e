//! Destinations that change while somebody plans.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::books::Books;
use crate::danger::{Vouched, vouched};
use crate::fact::{
    Destination, Evidence, Hash, Line, Opened, PayeeSet, Planned, Signed, Stream, Window,
};
use crate::name::Name;
use crate::policy::Policy;
use crate::split::{Leg, Legs, Share, Target};
use crate::time::Time;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A book with 100 cents due to alice; she may be paid at her own name.
fn due(named_on: Option<Name>) -> Books {
    let mut books = Books::default();
    let opened = Opened {
        asset: Asset::parse("USD").unwrap(),
        policy: Policy::Instant,
        floor: Amount::ONE,
        cooling_secs: 600,
        named_on,
    };
    let step = books.open(&name("b"), opened.clone(), Time::ZERO).unwrap();
    books.feed(step.facts()).unwrap();
    let legs = vec![Leg { to: Target::Payee("alice".into()), share: Share::Remaining }];
    let rule = books.book("b").unwrap();
    let step = rule.set_rule(Time::ZERO, Legs::new(legs).unwrap(), Time::ZERO).unwrap();
    books.feed(step.facts()).unwrap();
    let evidence = Evidence { source: "till".into(), hash: Hash::default(), said: String::new() };
    let said = Vouched {
        source: name("till"),
        account: name("main"),
        id: name("1"),
        amount: Amount::new(100).unwrap(),
        asset: opened.asset.clone(),
        payer: None,
        event_at: Time::ZERO,
        evidence,
    };
    let payment = vouched(said, &opened.asset).unwrap();
    let facts = books.book("b").unwrap().record(&[payment], Time::ZERO).unwrap();
    books.feed(&facts).unwrap();
    books
}

fn chosen(address: &str) -> PayeeSet {
    let destination = Destination { rail: name("sandbox"), address: address.to_owned() };
    PayeeSet { destination: Some(destination), policy: None }
}

fn address(books: &Books, now: Time) -> Option<String> {
    let balance = books.book("b").unwrap().balance("alice", now).unwrap();
    balance.destination.map(|destination| destination.address)
}

/// A worker folds, somebody else chooses a destination, the worker plans a second later: both
/// commits take free addresses, so the fold must take both.
#[test]
fn a_destination_that_comes_while_another_worker_plans_does_not_break_the_fold() {
    let mut books = due(Some(name("sandbox")));
    let before = books.clone();
    let book = books.book("b").unwrap();
    let set = book.set_payee(&name("alice"), chosen("a1"), Time::from_millis(1)).unwrap();
    let now = Time::from_millis(2);
    let lines: Vec<Line> = before.book("b").unwrap().due(now).unwrap().remove(0).lines;
    let signed = Signed {
        reference: "r".into(),
        bytes: Vec::new(),
        window: Window::Unlimited,
        deadline: Time::MAX,
        sender: None,
        lines: Line::hash(&lines),
        claims: Vec::new(),
    };
    let planned = Planned { rail: name("sandbox"), wallet: name("till"), lines };
    let plan = crate::book::Plan { planned, signed };
    let planned = before.plan("b", &[plan], now).unwrap();
    books.feed(set.facts()).unwrap();
    books.feed(planned.facts()).unwrap();
    let batch = Stream::batch(&name("b"), 0, 0);
    assert!(books.book("b").unwrap().batch_state(&batch).is_some());
}

#[test]
fn a_first_destination_is_in_force_at_once_unless_it_changes_where_one_is_paid() {
    for (named_on, at_once) in [(None, "a1"), (Some(name("sandbox")), "alice")] {
        let mut books = due(named_on);
        let book = books.book("b").unwrap();
        let set = book.set_payee(&name("alice"), chosen("a1"), Time::ZERO).unwrap();
        books.feed(set.facts()).unwrap();
        assert_eq!(address(&books, Time::ZERO).as_deref(), Some(at_once));
        assert_eq!(address(&books, Time::ZERO.plus_secs(600)).as_deref(), Some("a1"));
        let book = books.book("b").unwrap();
        let set = book.set_payee(&name("alice"), chosen("a2"), Time::ZERO.plus_secs(700)).unwrap();
        books.feed(set.facts()).unwrap();
        assert_eq!(address(&books, Time::ZERO.plus_secs(1_299)).as_deref(), Some("a1"));
        assert_eq!(address(&books, Time::ZERO.plus_secs(1_300)).as_deref(), Some("a2"));
    }
}

/// A plan's commit may be long on its way; meanwhile the payee changes twice.
#[test]
fn a_destination_is_known_by_the_time_for_which_it_is_asked() {
    let mut books = due(None);
    for (address, secs) in [("a1", 0), ("a2", 100), ("a3", 1_000)] {
        let now = Time::ZERO.plus_secs(secs);
        let set = books.book("b").unwrap().set_payee(&name("alice"), chosen(address), now);
        books.feed(set.unwrap().facts()).unwrap();
    }
    for (secs, in_force) in
        [(0, "a1"), (699, "a1"), (700, "a2"), (1_000, "a2"), (1_599, "a2"), (1_600, "a3")]
    {
        let now = Time::ZERO.plus_secs(secs);
        assert_eq!(address(&books, now).as_deref(), Some(in_force), "{secs}");
    }
}

#[test]
fn a_payee_is_held_once_however_much_is_learned_of_them() {
    use crate::rail::{Answer, Seen, Timing};

    let mut books = due(Some(name("sandbox")));
    let now = Time::ZERO;
    let lines = books.book("b").unwrap().due(now).unwrap().remove(0).lines;
    let signed = |reference: &str| Signed {
        reference: reference.to_owned(),
        bytes: Vec::new(),
        window: Window::Unlimited,
        deadline: Time::MAX,
        sender: None,
        lines: Line::hash(&lines),
        claims: vec!["coin".into()],
    };
    let (rail, wallet) = (name("sandbox"), name("till"));
    let planned = Planned { rail, wallet, lines: lines.clone() };
    let plan = crate::book::Plan { planned, signed: signed("r1") };
    let planned = books.plan("b", &[plan], now).unwrap();
    books.feed(planned.facts()).unwrap();
    let stream = Stream::batch(&name("b"), 0, 0);
    let own = planned.facts().iter().filter(|fact| fact.stream == stream);
    let mut batch = crate::batch::Batch::fold(&own.cloned().collect::<Vec<_>>()).unwrap();
    let again = books.sign(&batch, signed("r2"), now).unwrap();
    books.feed(again.facts()).unwrap();
    batch.apply(&again.facts()[0]).unwrap();

    let refused = Answer::Refused { reason: "no such account".into(), line: Some(0) };
    let returned = Answer::Returned { reason: "closed".into(), lines: Vec::new() };
    let evidence = Evidence { source: "rail".into(), hash: Hash::default(), said: String::new() };
    let seen = Seen { answers: vec![refused, returned], tip: None, evidence, bills: Vec::new() };
    let timing = Timing { grace_secs: 60, deadline_secs_max: 100, watch_secs: 0 };
    let learned = books.learn(&batch, &seen, now, timing).unwrap();
    let holds = learned.facts().iter().filter(|fact| fact.kind == "held.1").count();
    assert_eq!(holds, 1, "two would be written at the same place, and refuse the whole commit");
    books.feed(learned.facts()).unwrap();
}

/// Whoever was paid once and then asks for a threshold beyond reach waits; nothing overflows.
#[test]
fn a_threshold_that_nobody_can_reach_stops_nobody_else() {
    let mut books = due(Some(name("sandbox")));
    let now = Time::ZERO;
    let lines = books.book("b").unwrap().due(now).unwrap().remove(0).lines;
    let signed = Signed {
        reference: "r".into(),
        bytes: Vec::new(),
        window: Window::Unlimited,
        deadline: Time::MAX,
        sender: None,
        lines: Line::hash(&lines),
        claims: Vec::new(),
    };
    let planned = Planned { rail: name("sandbox"), wallet: name("till"), lines };
    let step = books.plan("b", &[crate::book::Plan { planned, signed }], now).unwrap();
    books.feed(step.facts()).unwrap();

    for max_wait_secs in [None, Some(0)] {
        let policy = Some(Policy::Threshold { min: Amount::MAX, max_wait_secs });
        let set = PayeeSet { destination: None, policy };
        let step = books.book("b").unwrap().set_payee(&name("alice"), set, now).unwrap();
        books.feed(step.facts()).unwrap();
        let balance = books.book("b").unwrap().balance("alice", now).unwrap();
        assert_eq!((balance.reserved, balance.payable), (Amount::new(100).unwrap(), Amount::ZERO));
    }
}
