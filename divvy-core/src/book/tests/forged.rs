//! Goal: what no honest planner or rail writes is refused by the fold itself, whoever wrote it.
//! Method: honest facts with one thing changed, hashed and chained anew.

use super::*;
use crate::{BreakCause, BreakState, Head, PoolOpened};

/// A plan of one line, written past everything that checks plans.
fn forged(till: &Till, line: Line, rail: &str) -> Result<(), Error> {
    let (lines, wallet) = (vec![line], name("till"));
    let planned = Planned { rail: name(rail), wallet, lines };
    let total = planned.total();
    let head = Head::start(till.book().next_batch(0));
    let batch = Fact::new(&head, till.now, &Body::Planned(planned));
    let digest = Hash::default().then(&batch.hash);
    let run = Body::Run(crate::Run { batches: 1, lines: 1, total, digest });
    let run = Fact::new(till.book().run_head(), till.now, &run);
    till.books.clone().feed(&[run, batch])
}

#[test]
fn a_line_goes_where_its_own_fact_says_and_nowhere_else() {
    let mut till = Till::instant();
    till.rule(&[("ann", "50%"), ("bob", "50%")]);
    till.record("1", 200);
    till.destination("bob", "b1");
    till.now = till.now.plus_secs(COOLING_SECS);
    #[rustfmt::skip]
    let table = [
        // payee  to     by       rail         holds
        ("ann",   "ann", None,    "sandbox",   true),
        ("ann",   "ann", None,    "elsewhere", false),
        ("ann",   "eve", None,    "sandbox",   false),
        ("bob",   "b1",  Some(0), "sandbox",   true),
        ("bob",   "b1",  Some(0), "elsewhere", false),
        ("bob",   "b2",  Some(0), "sandbox",   false),
    ];
    for (payee, to, to_n, rail, holds) in table {
        let line = Line { payee: name(payee), amount: amount(100), to: to.into(), to_n, fee: None };
        let fed = forged(&till, line, rail);
        let code = fed.as_ref().err().map(Error::code);
        assert_eq!(code, (!holds).then_some(Code::BatchStale), "{payee} {to} {rail} {fed:?}");
    }
}

#[test]
fn a_refusal_that_blames_a_line_which_is_not_there_blames_nobody() {
    for (line, blamed) in [(0, true), (1, true), (2, false)] {
        let mut till = Till::instant();
        till.rule(&[("ann", "50%"), ("bob", "50%")]);
        till.record("1", 200);
        let batch = till.pay();
        let (reason, line) = ("closed".to_owned(), Some(line));
        till.hear(batch.stream(), Answer::Refused { reason, line });
        let held = ["ann", "bob"].map(|who| till.obstacle(who).is_some());
        assert_eq!(held.contains(&true), blamed, "{line:?}");
    }
}

/// While no units move, each declaration commits to the same holders as the one before.
#[test]
fn a_declaration_commits_to_the_holders_that_the_pool_has() {
    let mut till = Till::instant();
    let supply = Units::new(2).unwrap();
    for (pool, proofs) in [("shown", Some(1)), ("plain", None)] {
        let opened = PoolOpened { supply, flow_millis: None, proofs, payee: None };
        let step = till.book().open_pool_with(&name(pool), opened, till.now).unwrap();
        till.commit(&step);
        let step = till.book().issue_units(pool, &[(name("ann"), supply)], till.now).unwrap();
        till.commit(&step);
    }
    till.rule(&[("*shown", "50%"), ("*plain", "rest")]);
    till.record("1", 200);
    till.declare();
    till.record("2", 200);
    let honest = till.book().declare(till.now).unwrap();
    let of = |pool: &str| {
        let mut facts = honest.facts().iter().filter(|fact| fact.stream.as_str().ends_with(pool));
        let fact = facts.next().unwrap();
        let Body::Declared(declared) = fact.body().unwrap() else { panic!("{fact:?}") };
        let before = till.facts.iter().rfind(|before| before.stream == fact.stream).unwrap();
        (Head::after(before), declared)
    };
    let (shown, plain) = (of("shown"), of("plain"));
    let own = shown.1.holders.clone().unwrap();
    let other = crate::Holders { root: Hash::of(b"other"), ..own.clone() };
    let fewer = crate::Holders { count: 0, ..own.clone() };
    #[rustfmt::skip]
    let table = [
        (&shown, Some(own.clone()), true),
        (&shown, Some(other),       false),
        (&shown, Some(fewer),       false),
        (&shown, None,              false),
        (&plain, None,              true),
        (&plain, Some(own),         false),
    ];
    for ((head, declared), holders, holds) in table {
        let declared = crate::Declared { holders, ..declared.clone() };
        let fact = Fact::new(head, till.now, &Body::Declared(declared.clone()));
        let fed = till.books.clone().feed(&[fact]).map_err(|error| error.code());
        assert_eq!(fed, if holds { Ok(()) } else { Err(Code::PoolBroken) }, "{declared:?}");
    }
}

/// What the rail sends again after lines were payable once is only asked about.
#[test]
fn a_batch_that_was_given_back_and_undone_is_never_sent_again() {
    let mut till = Till::instant();
    till.rule(&[("ann", "rest")]);
    till.record("1", 100);
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Refused { reason: "closed".into(), line: Some(0) });
    till.hear(batch.stream(), Answer::Final);
    till.hear(batch.stream(), Answer::Undone);
    let batch = till.batch(batch.stream());
    let next = batch.next(till.now, None, TIMING);
    assert!(!matches!(next, crate::Next::Submit { .. } | crate::Next::Sign), "{next:?}");
}

#[test]
fn what_a_person_says_of_a_break_is_kept_with_its_cause() {
    let mut till = Till::instant();
    let ours = crate::Entry::paid("po", amount(5), Asset::parse("USD").unwrap(), secs(900));
    let found = crate::reconcile(&[ours], &[], &crate::Terms::default());
    let step = till.book().note_breaks(&found, &evidence(), till.now).unwrap();
    till.commit(&step);
    let id = crate::break_id("po");
    let id = id.as_str();
    let said = |till: &Till| {
        let one = till.book().breaks().next().unwrap().1;
        (one.state, one.cause, one.reason.clone(), one.ours)
    };
    let five = Some(amount(5));
    let missing = (BreakState::Found, BreakCause::MissingTheirs, String::new(), five);
    assert_eq!(said(&till), missing);
    let step = till.book().explain_break(id, BreakCause::Timing, "on Monday", till.now).unwrap();
    till.commit(&step);
    let explained = (BreakState::Explained, BreakCause::Timing, "on Monday".to_owned(), five);
    assert_eq!(said(&till), explained);
    let step = till.book().close_break(id, "written off", till.now).unwrap();
    till.commit(&step);
    let closed = (BreakState::Closed, BreakCause::Timing, "written off".to_owned(), five);
    assert_eq!(said(&till), closed);
    // It is found again behind what was said, and not over it.
    let again = crate::Entry::paid("po", amount(6), Asset::parse("USD").unwrap(), secs(900));
    let found = crate::reconcile(&[again], &[], &crate::Terms::default());
    let step = till.book().note_breaks(&found, &evidence(), till.now).unwrap();
    till.commit(&step);
    assert_eq!(said(&till).0, BreakState::Found);
}

#[test]
fn a_hash_is_sixty_four_digits() {
    let text = "0".repeat(64);
    assert!(Hash::parse(&text).is_some());
    for other in [&text[1..], &text[2..], &format!("{text}0"), &format!("{text}00")] {
        assert_eq!(Hash::parse(other), None, "{} digits", other.len());
    }
}
