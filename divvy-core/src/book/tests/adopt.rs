//! Goal: what a rail shows and no fact knows becomes the facts that were lost, once, and whatever
//! cannot be taken in changes nothing.
//! Method: tries of a rail, told to a book that paid nobody; each fact, place and refusal by hand.

use super::*;
use crate::{Head, Run, Shown, Stranger, StrangerLine};

fn stranger(run: u64, lines: &[(&str, u64)], answer: Answer) -> Stranger {
    let line = |(who, minor): &(&str, u64)| StrangerLine { to: at_of(who), amount: amount(*minor) };
    Stranger {
        batch: Stream::batch(&name("b"), run, 0),
        reference: format!("lost of {run}"),
        lines: lines.iter().map(line).collect(),
        answer,
        evidence: evidence(),
    }
}

fn at_of(who: &str) -> String {
    format!("at {who}")
}

fn shown(strangers: Vec<Stranger>) -> Shown {
    Shown { rail: name("sandbox"), wallet: name("till"), timing: TIMING, strangers }
}

/// Three payees with 100 earned each, and an address.
fn till() -> Till {
    let mut till = Till::open(Policy::Instant, 1, None);
    till.rule(&[("ann", "1/3"), ("bob", "1/3"), ("eve", "rest")]);
    ["ann", "bob", "eve"].into_iter().for_each(|who| till.destination(who, &at_of(who)));
    till.record("1", 300);
    till
}

fn adopt(till: &Till, shown: &[Shown]) -> Result<Step, Error> {
    till.books.adopt("b", shown, till.now)
}

fn runs(step: &Step) -> Vec<(u64, Run)> {
    let of_run = |fact: &&Fact| matches!(fact.stream.place(), Place::Run { .. });
    let run = |fact: &Fact| {
        let Body::Run(run) = fact.body().unwrap() else { panic!("{fact:?}") };
        (fact.n, run)
    };
    step.facts().iter().filter(of_run).map(run).collect()
}

#[test]
fn runs_that_were_lost_are_written_up_to_the_newest_one_shown() {
    let mut till = till();
    let newest = stranger(3, &[("ann", 60), ("bob", 40)], Answer::Final);
    let older = stranger(1, &[("eve", 100)], Answer::Final);
    let step = adopt(&till, &[shown(vec![older]), shown(vec![newest])]).unwrap();
    let sizes: Vec<_> = runs(&step)
        .into_iter()
        .map(|(n, run)| (n, run.batches, run.lines, run.total.get()))
        .collect();
    // Nobody knows any more in which run each was; all of them are in the newest.
    assert_eq!(sizes, [(0, 0, 0, 0), (1, 0, 0, 0), (2, 0, 0, 0), (3, 2, 3, 200)]);
    assert!(!step.releases_call(), "nothing is sent");
    till.commit(&step);
    assert_eq!(till.book().runs(), 4);
    assert_eq!(till.places("ann"), [100, 40, 0, 60, 0]);
    assert_eq!(till.places("bob"), [100, 60, 0, 40, 0]);
    assert_eq!(till.places("eve"), [100, 0, 0, 100, 0]);
    assert_eq!(till.due(), [("ann".to_owned(), 40), ("bob".to_owned(), 60)]);

    let stream = Stream::batch(&name("b"), 3, 1);
    let batch = till.batch(&stream);
    let [tried] = batch.tries() else { panic!("{:?}", batch.tries()) };
    assert_eq!(tried.signed.reference, "lost of 3");
    assert_eq!(tried.signed.lines, Line::hash(batch.lines()));
    assert_eq!(batch.next(till.now, None, TIMING), crate::Next::Done, "never sent again");
    let mut verify = crate::Verify::new();
    assert_eq!(verify.feed(&till.facts), Ok(()));
    verify.finish().unwrap();
}

#[test]
fn a_run_without_a_gap_needs_no_empty_one() {
    let mut till = till();
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Final);
    till.record("2", 300);
    let step = adopt(&till, &[shown(vec![stranger(1, &[("ann", 130)], Answer::Final)])]).unwrap();
    assert_eq!(runs(&step).iter().map(|(n, run)| (*n, run.lines)).collect::<Vec<_>>(), [(1, 1)]);
    till.commit(&step);
    // Paid beyond what was earned: 30 come off the next.
    assert_eq!(till.places("ann"), [200, 0, 0, 230, 30]);
    let none = adopt(&till, &[shown(vec![])]).unwrap();
    assert_eq!(none.facts(), []);
}

/// A run holds so many lines and no more; a batch that has more than that stands alone.
#[test]
fn many_tries_are_parted_into_runs_as_large_as_a_run_may_be() {
    let till = till();
    let half = vec![("ann", 1_u64); RUN_LINES_MAX >> 1];
    let one = [("ann", 1)];
    let final_of = |run, lines: &[_]| stranger(run, lines, Answer::Final);
    #[rustfmt::skip]
    let table = [
        (vec![final_of(0, &half), final_of(0, &half)], vec![2]),
        (vec![final_of(0, &half), final_of(0, &half), final_of(0, &one)], vec![2, 1]),
        (vec![final_of(0, &one), final_of(0, &half), final_of(0, &half)], vec![2, 1]),
    ];
    for (strangers, batches) in table {
        let step = adopt(&till, &[shown(strangers)]).unwrap();
        let of_runs: Vec<_> = runs(&step).iter().map(|(_, run)| run.batches).collect();
        assert_eq!(of_runs, batches);
        till.clone().commit(&step);
    }
}

/// Goal: two lines of one payee that came back hold the payee once, and each other payee too.
#[test]
fn what_came_back_is_payable_and_its_payees_are_held_once() {
    let mut till = till();
    let back = |run, who, lines| {
        let answer = Answer::Returned { reason: "closed".into(), lines };
        stranger(run, &[(who, 50), ("bob", 10)], answer)
    };
    let shown = shown(vec![back(0, "ann", vec![0]), back(1, "ann", vec![0])]);
    let step = adopt(&till, &[shown]).unwrap();
    let holds = step.facts().iter().filter(|fact| fact.kind == "hold.1" || fact.kind == "held.1");
    assert_eq!(holds.count(), 1);
    till.commit(&step);
    assert_eq!(till.places("ann"), [100, 100, 0, 0, 0]);
    assert_eq!(till.places("bob"), [100, 80, 0, 20, 0]);
    assert!(matches!(till.obstacle("ann"), Some(Obstacle::Held { .. })));
    assert_eq!(till.obstacle("bob"), None);
}

#[test]
fn what_cannot_be_taken_in_is_named() {
    let mut till = till();
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Final);
    till.destination("mal", &at_of("ann"));
    let good = stranger(1, &[("bob", 10)], Answer::Final);
    let of = |batch: &str| Stranger { batch: Stream::parse(batch).unwrap(), ..good.clone() };
    let answered = |answer| Stranger { answer, ..good.clone() };
    let refused = Answer::Refused { reason: "no".into(), line: None };
    #[rustfmt::skip]
    let table = [
        (of("batch/b/0/0"),                       Code::RailAhead, "the facts know"),
        (of("batch/c/1/0"),                       Code::RailAhead, "of another book"),
        (of("payee/b/ann"),                       Code::RailAhead, "is of no batch"),
        (of("batch/b/100002/0"),                  Code::RailAhead, "a run 100002 where ours are 1"),
        (answered(Answer::Unknown),               Code::RailAhead, "not final yet"),
        (answered(Answer::Accepted),              Code::RailAhead, "not final yet"),
        (answered(Answer::Void),                  Code::RailAhead, "not final yet"),
        (answered(refused),                       Code::RailAhead, "not final yet"),
        (stranger(1, &[("ann", 1)], Answer::Final), Code::PayeeUnknown, "the address of 2 payees"),
        (stranger(1, &[("out", 1)], Answer::Final), Code::PayeeUnknown, "the address of 0 payees"),
    ];
    for (one, code, said) in table {
        // One that cannot be taken in keeps the others out.
        let error = adopt(&till, &[shown(vec![good.clone(), one])]).unwrap_err();
        assert_eq!(error.code(), code, "{said}");
        assert!(error.to_string().contains(said), "{error}");
    }
    let far = adopt(&till, &[shown(vec![of("batch/b/100001/0")])]).unwrap();
    assert_eq!(runs(&far).len(), 100_001);
}

/// Adopting the same twice finds the addresses taken, whoever was first.
#[test]
fn whoever_adopts_second_writes_nothing() {
    let mut till = till();
    let shown = [shown(vec![stranger(0, &[("ann", 10)], Answer::Final)])];
    let (first, second) = (adopt(&till, &shown).unwrap(), adopt(&till, &shown).unwrap());
    assert_eq!(first.facts(), second.facts(), "the same addresses, so one of them wins");
    till.commit(&first);
    let refused = adopt(&till, &shown).unwrap_err();
    assert_eq!(refused.code(), Code::RailAhead);
}

/// Goal: the rails are asked from the oldest run on that may still get a new try, and no further
/// back. Method: two runs, ended in either order, and one that a person has to look at.
#[test]
fn rails_are_asked_from_the_oldest_run_that_is_open() {
    let mut till = till();
    assert_eq!(till.book().run_from(), 0);
    let first = till.pay();
    till.record("2", 300);
    let second = till.pay();
    assert_eq!((till.book().run_from(), till.book().runs()), (0, 2));
    let mut other = till.clone();
    other.hear(second.stream(), Answer::Final);
    assert_eq!(other.book().run_from(), 0);
    other.hear(first.stream(), Answer::Final);
    assert_eq!(other.book().run_from(), 2);
    till.hear(first.stream(), Answer::Final);
    assert_eq!(till.book().run_from(), 1);
    let review = Body::Review(crate::Review { reason: "nobody knows".into() });
    let newest = till.facts.iter().rfind(|fact| fact.stream == *second.stream()).unwrap();
    let step = Step::new(vec![Fact::new(&Head::after(newest), till.now, &review)], vec![]);
    till.commit(&step);
    assert_eq!(till.book().run_from(), 2, "what a person decides gets no new try by itself");
}
