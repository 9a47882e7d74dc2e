//! Who waits, since when and for how long still: unclaimed, held, and at the pace of late.

use super::*;
use crate::{Expected, Wait};

const DAY: u64 = 86_400;

fn since(till: &Till) -> Vec<(String, u64, u64)> {
    let waits = till.book().waits(till.now).unwrap();
    let row = |wait: &Wait| (wait.payee.to_string(), wait.payable.get(), wait.age_secs(till.now));
    waits.iter().map(row).collect()
}

#[test]
fn unclaimed_and_held_money_has_an_age_and_the_longest_waiting_comes_first() {
    let mut till = Till::open(threshold(500, None), 1, None);
    till.pool("fund", &[("ann", 3), ("bob", 1)]);
    till.rule(&[("cyd", "10%"), ("*fund", "rest")]);
    till.destination("cyd", "c");
    till.record("1", 1);
    till.declare();
    assert_eq!(since(&till), [], "ann has 0.75 of a unit");
    till.now = till.now.plus_secs(DAY);
    till.record("2", 100);
    till.declare();
    till.now = till.now.plus_secs(DAY);
    let held = till.book().hold(&name("cyd"), "wrong name", None, till.now);
    till.commit(&held);
    let both = [("cyd", 10, DAY), ("ann", 68, DAY), ("bob", 22, DAY)];
    let mut rows = since(&till);
    rows.sort_by_key(|row| row.0 != "cyd");
    assert_eq!(rows, both.map(|(who, payable, age)| (who.to_owned(), payable, age)));
    // Whoever is paid waits anew; whoever is not goes on waiting.
    till.destination("ann", "a");
    assert_eq!(since(&till).len(), 2);
    till.now = till.now.plus_secs(5 * DAY);
    till.record("3", 1_000);
    till.declare();
    assert_eq!(till.due(), [("ann".to_owned(), 743)]);
    let rows = since(&till);
    assert!(rows.iter().all(|row| row.2 == 6 * DAY), "{rows:?}");
}

/// 100 a day for 60 days, then 10 a day: what they earn now is what counts.
#[test]
fn the_pace_is_that_of_the_last_weeks() {
    let mut till = Till::open(threshold(100_000, None), 1, Some("sandbox"));
    till.pool("fund", &[("ann", 1)]);
    till.rule(&[("bob", "50%"), ("*fund", "rest")]);
    for day in 0..120_u64 {
        till.now = secs(1_000).plus_secs(day * DAY);
        till.record(&format!("{day}"), if day < 60 { 200 } else { 20 });
        till.declare();
    }
    for payee in ["ann", "bob"] {
        let balance = till.book().balance(payee, till.now).unwrap();
        assert_eq!(balance.earned, amount(6_600));
        // 29 payments of 10 in 28 days and 1,000 s, and 93,400 to go.
        let millis = (u128::from(28 * DAY + 1_000) * 1_000 * 93_400).div_ceil(290);
        let on = Time::from_millis(till.now.millis() + u64::try_from(millis).unwrap());
        assert_eq!(balance.expected_on, Expected::On(on), "{payee}");
    }
    // Nothing for a month, and nobody can tell.
    till.now = till.now.plus_secs(30 * DAY);
    let late = till.book().balance("ann", till.now).unwrap();
    assert_eq!(late.expected_on, Expected::Unknown);
}
