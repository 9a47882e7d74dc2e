//! What no fold could take is refused before it is written: it would close the book for ever.

use super::*;
use crate::fact::{Brought, Funds, Purpose};
use crate::{Error, PoolOpened};

fn funds(id: &str, minor: u64, at: Time) -> Funds {
    let (amount, purpose) = (amount(minor), Purpose::Replenished);
    Funds { id: id.into(), purpose, amount, event_at: at, evidence: evidence() }
}

fn brought(who: &str, earned: u64, paid: u64) -> (Name, Brought) {
    let (earned, paid) = (amount(earned), amount(paid));
    (name(who), Brought { earned, paid, evidence: evidence() })
}

fn refused(step: Result<Step, Error>, code: Code) {
    assert_eq!(step.unwrap_err().code(), code);
}

const MOST: u64 = Amount::MAX.get();

#[test]
fn funds_that_contradict_each_other_in_one_file_are_refused_before_they_are_written() {
    let mut till = Till::instant();
    let (now, later) = (till.now, secs(9));
    let both = |second: Funds| till.book().note_funds(&[funds("f1", 5, now), second], now);
    refused(both(funds("f1", 6, now)), Code::TreasuryConflict);
    refused(both(funds("f2", MOST, now)), Code::AmountAboveCeiling);
    let twice = both(funds("f1", 5, later)).unwrap();
    assert_eq!(twice.facts().len(), 1, "told twice, at whatever time, it is one");
    till.commit(&twice);
    refused(till.book().note_funds(&[funds("f3", MOST, now)], now), Code::AmountAboveCeiling);
    let told = till.book().note_funds(&[funds("f1", 7, now)], now).unwrap_err().to_string();
    assert!(told.contains("0.05 USD") && told.contains("0.07 USD"), "{told}");
}

#[test]
fn payments_and_what_was_brought_along_are_one_sum_that_a_book_can_count() {
    let mut till = Till::instant();
    till.rule(&[("a", "rest")]);
    till.record("p1", MOST - 10);
    refused(till.book().bring(&[brought("x", 11, 0)], till.now), Code::AmountAboveCeiling);
    refused(till.book().bring(&[brought("x", 0, 11)], till.now), Code::AmountAboveCeiling);
    let named_twice = [brought("x", 1, 0), brought("x", 2, 0)];
    refused(till.book().bring(&named_twice, till.now), Code::BookConflict);
    let step = till.book().bring(&[brought("x", 10, 3)], till.now).unwrap();
    till.commit(&step);
    let more = till.book().record(&[payment("p2", 1, till.now)], till.now);
    assert_eq!(more.unwrap_err().code(), Code::AmountAboveCeiling);
}

#[test]
fn what_a_pool_would_pass_on_beyond_the_ceiling_is_not_declared() {
    let mut till = Till::instant();
    till.rule(&[("fund", "rest")]);
    let (supply, payee) = (Units::new(2).unwrap(), Some(name("fund")));
    let opened = PoolOpened { supply, flow_millis: None, proofs: None, payee };
    let step = till.book().open_pool_with(&name("crew"), opened, till.now).unwrap();
    till.commit(&step);
    let step = till.book().issue_units("crew", &[(name("bob"), supply)], till.now).unwrap();
    till.commit(&step);
    till.record("p1", MOST >> 1);
    till.declare();
    till.record("p2", 1);
    refused(till.book().declare(till.now), Code::AmountAboveCeiling);
}
