//! Policies: a threshold that is reached, time that has passed, and a period at whose boundary
//! everything goes.

use super::*;
use crate::Period;

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// A book that pays weekly, on a Tuesday.
fn weekly(min: Option<u64>) -> Till {
    let policy = Policy::Periodic { every: Period::WEEKLY, min: min.map(amount) };
    let mut till = Till::open(policy, 5, Some("sandbox"));
    till.rule(&[("ann", "50%"), ("bob", "50%")]);
    till.now = at("2026-03-03T09:00:00Z");
    till
}

impl Till {
    fn tick(&mut self, now: &str) -> Vec<(String, u64)> {
        self.now = at(now);
        self.books.book_mut("b").unwrap().wake_waited(self.now).unwrap();
        self.due()
    }

    fn expected(&self, payee: &str) -> Expected {
        self.book().balance(payee, self.now).unwrap().expected_on
    }
}

#[test]
fn everything_payable_goes_at_the_first_tick_at_or_after_a_boundary() {
    let mut till = weekly(None);
    till.record("1", 100);
    assert_eq!(till.due(), []);
    assert_eq!(till.expected("ann"), Expected::On(at("2026-03-09T00:00:00Z")));
    till.now = at("2026-03-05T09:00:00Z");
    till.record("2", 20);
    assert_eq!(till.tick("2026-03-08T23:59:59.999Z"), []);
    let both = [("ann".to_owned(), 60), ("bob".to_owned(), 60)];
    assert_eq!(till.tick("2026-03-09T00:00:00Z"), both);
    assert_eq!(till.tick("2026-03-10T12:00:00Z"), both, "a late tick finds the same");
    till.pay();
    // What comes after waits for the next Monday, also beside a batch under way.
    till.record("3", 10);
    assert_eq!(till.due(), []);
    assert_eq!(till.tick("2026-03-15T23:00:00Z"), []);
    assert_eq!(till.tick("2026-03-16T00:00:00Z").len(), 2);
}

#[test]
fn what_reaches_the_least_between_two_boundaries_waits_for_the_second() {
    // min, first payment, half of it and of the second
    for (min, first, half) in [(None, 8, 19), (Some(40), 60, 45)] {
        let mut till = weekly(min);
        till.record("1", first);
        assert_eq!(till.tick("2026-03-09T00:00:00Z"), [], "{min:?}: below the least amount");
        till.now = at("2026-03-10T00:00:00Z");
        till.record("2", 30);
        assert_eq!(till.tick("2026-03-10T00:00:01Z"), [], "{min:?}: reached on a Tuesday");
        let both = [("ann".to_owned(), half), ("bob".to_owned(), half)];
        assert_eq!(till.tick("2026-03-16T00:00:00Z"), both);
    }
}

#[test]
fn holders_of_a_pool_are_found_at_the_boundary_too() {
    let policy = Policy::Periodic { every: Period::Monthly, min: Some(amount(50)) };
    let mut till = Till::open(policy, 1, Some("sandbox"));
    till.pool("fund", &[("ann", 3), ("bob", 1)]);
    till.rule(&[("*fund", "rest")]);
    till.now = at("2026-02-28T23:00:00Z");
    till.record("1", 80);
    till.declare();
    let cursor = crate::Cursor { epoch: "e".into(), position: 1, within: 0 };
    let (restored, _) = Books::from_checkpoint(&till.books.checkpoint(&cursor)).unwrap();
    till.books = restored;
    assert_eq!(till.due(), []);
    assert_eq!(till.tick("2026-03-01T00:00:00Z"), [("ann".to_owned(), 60)]);
    till.now = at("2026-03-20T00:00:00Z");
    till.record("2", 120);
    till.declare();
    assert_eq!(till.tick("2026-03-31T23:59:59Z"), [("ann".to_owned(), 150)], "was due before");
    assert_eq!(
        till.tick("2026-04-01T00:00:00Z"),
        [("ann".to_owned(), 150), ("bob".to_owned(), 50)]
    );
}

#[test]
fn a_payee_may_choose_another_period_and_none_of_no_time() {
    let mut till = weekly(None);
    till.policy("ann", Policy::Periodic { every: Period::DAILY, min: None });
    till.record("1", 100);
    assert_eq!(till.tick("2026-03-04T00:00:00Z"), [("ann".to_owned(), 50)]);
    till.policy("ann", Policy::Instant);
    assert_eq!(till.due(), [("ann".to_owned(), 50)]);
    let never = Policy::Periodic { every: Period::Every { secs: 0, from: Time::ZERO }, min: None };
    let low = Policy::Periodic { every: Period::DAILY, min: Some(amount(4)) };
    for policy in [never, low] {
        let set = PayeeSet { destination: None, policy: Some(policy) };
        let error = till.book().set_payee(&name("bob"), set, till.now).unwrap_err();
        assert_eq!(error.code(), Code::PolicyMalformed);
    }
    let settings = Opened { policy: never, ..till.book().settings().clone() };
    let error = till.books.open(&name("c"), settings, till.now).unwrap_err();
    assert_eq!(error.code(), Code::PolicyMalformed);
}

#[test]
fn a_tick_between_boundaries_costs_nothing_however_many_wait() {
    let mut till = weekly(None);
    let holders: Vec<(String, u64)> = (0..500).map(|i| (format!("h{i}"), 1 + i % 7)).collect();
    let holders: Vec<(&str, u64)> = holders.iter().map(|(who, n)| (who.as_str(), *n)).collect();
    till.pool("fund", &holders);
    let rule = till.book().set_rule(till.now, standing(&[("*fund", "rest")]), till.now).unwrap();
    till.commit(&rule);
    till.record("1", 100_000);
    till.declare();
    for hour in 0..24 {
        let before = till.book().heap_operations();
        assert_eq!(till.tick(&format!("2026-03-04T{hour:02}:00:00Z")), []);
        assert!(till.book().heap_operations() - before <= 10, "hour {hour}");
    }
    assert_eq!(till.tick("2026-03-09T00:00:00Z").len(), 500);
}

#[test]
fn a_threshold_counts_when_reached_and_time_counts_from_the_floor() {
    let mut till = Till::open(threshold(500, None), 100, Some("sandbox"));
    till.rule(&[("ann", "50%"), ("bob", "50%")]);
    till.policy("bob", threshold(500, Some(60)));
    till.record("1", 198);
    till.now = secs(2_000);
    till.books.book_mut("b").unwrap().wake_waited(till.now).unwrap();
    assert_eq!(till.due(), [], "99 is below the floor however long it waits");
    till.record("2", 2);
    let bob = till.book().balance("bob", till.now).unwrap();
    assert_eq!(bob.expected_on, Expected::Now, "the money has waited long enough");
    assert_eq!(till.due(), [("bob".to_owned(), 100)]);
    till.record("3", 798);
    assert_eq!(till.due(), [("bob".to_owned(), 499)]);
    till.record("4", 2);
    assert_eq!(till.due(), [("ann".to_owned(), 500), ("bob".to_owned(), 500)]);

    let below = PayeeSet { destination: None, policy: Some(threshold(99, None)) };
    let error = till.book().set_payee(&name("ann"), below, till.now).unwrap_err();
    assert_eq!(error.code(), Code::PolicyMalformed);
}
