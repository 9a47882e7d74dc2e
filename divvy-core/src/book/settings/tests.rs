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
