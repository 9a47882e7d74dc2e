//! What looks teach at the edges: drops, reversals, returns by and by.

use crate::amount::Amount;
use crate::batch::{Batch, Next, State};
use crate::fact::{Body, Evidence, Fact, Hash, Head, Line, Planned, Signed, Stream, Window};
use crate::name::Name;
use crate::rail::{Answer, Seen, Timing};
use crate::time::Time;

const TIMING: Timing = Timing { grace_secs: 60, deadline_secs_max: 100, watch_secs: 3_600 };

fn at(secs: u64) -> Time {
    Time::ZERO.plus_secs(secs)
}

/// A batch of two lines with one signed try, whose deadline is 100 seconds after 1970.
fn signed(window: Window) -> Batch {
    let line = |payee: &str| Line {
        payee: Name::new(payee).unwrap(),
        amount: Amount::ONE,
        to: payee.to_owned(),
        to_n: None,
        fee: None,
    };
    let lines = vec![line("alice"), line("bob")];
    let signed = Signed {
        reference: "r1".into(),
        bytes: vec![1],
        window,
        deadline: at(100),
        sender: None,
        lines: Line::hash(&lines),
        claims: Vec::new(),
    };
    let (rail, wallet) = (Name::new("sandbox").unwrap(), Name::new("till").unwrap());
    let planned = Body::Planned(Planned { rail, wallet, lines });
    let head = Head::start(Stream::parse("batch/b/0/0").unwrap());
    Batch::fold(&Fact::chain(&head, Time::ZERO, &[planned, Body::Signed(signed)])).unwrap()
}

fn seen(answer: Answer) -> Seen {
    let evidence = Evidence { source: "rail".into(), hash: Hash::default(), said: String::new() };
    Seen { answers: vec![answer], tip: None, evidence, bills: Vec::new() }
}

/// The kinds of the facts that an answer teaches, which are folded.
fn teach(batch: &mut Batch, answer: Answer, now: Time) -> Vec<&'static str> {
    let bodies = batch.learn(&seen(answer), now, TIMING).unwrap();
    for fact in Fact::chain(batch.head(), now, &bodies) {
        batch.apply(&fact).unwrap();
    }
    bodies.iter().map(Body::kind).collect()
}

fn returned(lines: &[u32]) -> Answer {
    Answer::Returned { reason: "closed".into(), lines: lines.to_vec() }
}

#[test]
fn what_was_accepted_and_dropped_is_sent_again_while_its_window_is_open() {
    let until = Window::Until(at(100));
    for (window, secs, again) in [
        (Window::Unlimited, 9_999, Some(0)),
        (until, 100, Some(0)),
        (until, 101, None),
        (Window::UntilHeight(7), 100, Some(0)),
        (Window::Once, 1, None),
    ] {
        let mut batch = signed(window);
        assert_eq!(teach(&mut batch, Answer::Accepted, at(1)), ["sent.1"]);
        assert_eq!(batch.next(at(secs), None, TIMING), Next::Look, "{window:?}");
        assert_eq!(batch.lost(&seen(Answer::Unknown), at(secs)), again, "{window:?} {secs}");
        assert_eq!(batch.lost(&seen(Answer::Accepted), at(secs)), None, "{window:?} {secs}");
    }
    let untold = signed(Window::Unlimited);
    assert_eq!(untold.lost(&seen(Answer::Unknown), at(1)), None, "it was never taken");
}

#[test]
fn what_the_rail_undid_is_void_once_nobody_may_send_it_again() {
    for (window, secs, kinds) in [
        (Window::Until(at(100)), 160, &[][..]),
        (Window::Until(at(100)), 161, &["voided.1"][..]),
        // Somebody may send these again, or must look at them.
        (Window::Unlimited, 161, &[][..]),
        (Window::Once, 161, &["review.1"][..]),
    ] {
        let mut batch = signed(window);
        teach(&mut batch, Answer::Accepted, at(1));
        assert_eq!(teach(&mut batch, Answer::Undone, at(secs)), kinds, "{window:?} {secs}");
    }
    let mut settled = signed(Window::Until(at(100)));
    teach(&mut settled, Answer::Final, at(1));
    assert_eq!(teach(&mut settled, Answer::Undone, at(500)), ["reopened.1"]);
    assert_eq!(teach(&mut settled, Answer::Undone, at(500)), ["voided.1"]);
    assert_eq!(settled.next(at(500), None, TIMING), Next::Sign);
}

#[test]
fn returns_are_learned_line_by_line_and_then_all_at_once() {
    let mut batch = signed(Window::Unlimited);
    assert_eq!(teach(&mut batch, returned(&[1, 1]), at(1)), ["settled.1", "returned.1"]);
    assert_eq!(batch.state(), State::Returned);
    assert_eq!(batch.next(at(1), None, TIMING), Next::Watch { from: at(3_601) });
    assert_eq!(teach(&mut batch, returned(&[1]), at(2)), [""; 0]);
    // None named means all of them: the other one has come back too.
    assert_eq!(teach(&mut batch, returned(&[]), at(3)), ["returned.1"]);
    assert_eq!(batch.tries()[0].returned, [1, 0]);
    assert_eq!(teach(&mut batch, returned(&[]), at(4)), [""; 0]);
    assert_eq!(batch.next(at(4), None, TIMING), Next::Done);

    // All at once is written as the format has it: no line named.
    let whole = signed(Window::Unlimited);
    let bodies = whole.learn(&seen(returned(&[])), at(1), TIMING).unwrap();
    assert!(matches!(&bodies[1], Body::Returned(returned) if returned.lines.is_empty()));
}
