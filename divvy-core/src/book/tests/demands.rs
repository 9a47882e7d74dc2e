//! Goal: who asks to be paid now is paid once, alone, and at no higher cost than they accepted,
//! whoever dies between asking and paying and in whichever order it is read.
//! Method: a book whose payees wait for a threshold, and every order of its streams.

use super::*;
use crate::{Cursor, TermsSet, Verify};

const DAY: u64 = 86_400;

/// Ann and bob wait for 20.00, and no line is below 1.00.
fn waiting() -> Till {
    let mut till = Till::open(threshold(2_000, None), 100, Some("sandbox"));
    till.rule(&[("ann", "50%"), ("bob", "50%")]);
    till.record("1", 1_000);
    till
}

impl Till {
    fn demand(&mut self, payee: &str, fee_max: u64) {
        let step = self.book().demand(&name(payee), amount(fee_max), self.now).unwrap();
        self.commit(&step);
    }

    fn demanded(&self) -> Vec<(String, u64)> {
        let dues = self.book().demanded(self.now, |rail| *rail == name("sandbox")).unwrap();
        let alone = |due: &Due| {
            let [line] = &*due.lines else { panic!("each alone: {due:?}") };
            (line.payee.to_string(), line.amount.get())
        };
        dues.iter().map(alone).collect()
    }

    fn pay_demanded(&mut self) -> Batch {
        let lines = self.book().demanded(self.now, |_| true).unwrap().remove(0).lines;
        let plan = self.plan_of(lines);
        let step = self.books.plan("b", &[plan], self.now).unwrap();
        self.commit(&step);
        self.batch(&step.facts()[1].stream)
    }

    fn refused(&self, payee: &str) -> Code {
        self.book().demand(&name(payee), amount(9), self.now).unwrap_err().code()
    }
}

#[test]
fn who_asks_is_paid_below_the_threshold_and_once() {
    let mut till = waiting();
    assert_eq!((till.due(), till.demanded()), (vec![], vec![]));
    till.demand("ann", 10);
    assert_eq!((till.due(), till.demanded()), (vec![], vec![("ann".to_owned(), 500)]));
    // Asked again it is the same wish; at another cost it is the newest one.
    let again = till.book().demand(&name("ann"), amount(10), till.now).unwrap();
    assert!(again.facts().is_empty());
    till.demand("ann", 12);
    assert_eq!(till.book().demand_of("ann", till.now).unwrap().fee_max, amount(12));
    assert_eq!(till.demanded().len(), 1);

    let batch = till.pay_demanded();
    assert_eq!(till.places("ann"), [500, 0, 500, 0, 0]);
    assert_eq!((till.demanded(), till.book().demand_of("ann", till.now)), (vec![], None));
    till.record("2", 1_000);
    assert_eq!(till.demanded(), [], "what comes later was not asked for");
    // Whatever becomes of the batch, it was asked for once.
    till.hear(batch.stream(), Answer::Declined { reason: "no funds".into() });
    assert_eq!((till.places("ann"), till.demanded()), ([1_000, 1_000, 0, 0, 0], vec![]));
}

#[test]
fn it_costs_what_was_accepted_at_most() {
    let mut till = waiting();
    till.demand("ann", 10);
    let lines = till.book().demanded(till.now, |_| true).unwrap().remove(0).lines;
    let book = till.book();
    book.check_demanded(&lines, amount(10), till.now).unwrap();
    let above = book.check_demanded(&lines, amount(11), till.now).unwrap_err();
    assert_eq!(above.code(), Code::FeeAboveCeiling);
    assert!(above.to_string().contains("0.10") && above.to_string().contains("0.11"), "{above}");
    // The ceiling holds for a second try too, and for no batch of others.
    let batch = till.pay_demanded();
    till.book().check_fee_anew(batch.stream(), amount(10)).unwrap();
    let above = till.book().check_fee_anew(batch.stream(), amount(11)).unwrap_err();
    assert_eq!(above.code(), Code::FeeAboveCeiling);
    till.record("2", 3_000);
    let other = till.pay();
    till.book().check_fee_anew(other.stream(), amount(11)).unwrap();
}

/// Who is due anyhow is paid with the others, whatever they had accepted.
#[test]
fn who_is_due_by_their_policy_is_not_bound_by_what_they_asked() {
    let mut till = waiting();
    till.demand("ann", 10);
    till.record("2", 3_000);
    assert_eq!((till.due().len(), till.demanded()), (2, vec![]));
    let lines = till.book().due(till.now).unwrap().remove(0).lines;
    till.book().check_demanded(&lines[..1], amount(11), till.now).unwrap();
    till.pay();
    assert_eq!(till.book().demand_of("ann", till.now), None, "it is served by that");
}

#[test]
fn it_lapses_after_three_days() {
    let mut till = waiting();
    till.demand("ann", 10);
    till.now = till.now.plus_secs(3 * DAY);
    assert_eq!(till.demanded().len(), 1);
    till.now = Time::from_millis(till.now.millis() + 1);
    assert_eq!((till.demanded(), till.book().demand_of("ann", till.now)), (vec![], None));
    till.demand("ann", 10);
    assert_eq!(till.demanded().len(), 1, "asked for anew");
}

#[test]
fn what_stands_in_the_way_of_a_payout_does_so_here_too() {
    let mut till = waiting();
    till.demand("ann", 10);
    let step = till.book().hold(&name("ann"), "asked to wait", None, till.now);
    till.commit(&step);
    assert_eq!((till.demanded(), till.refused("bob-2")), (vec![], Code::PayeeUnknown));
    let other = till.book().demand(&name("ann"), amount(9), till.now).unwrap_err();
    assert_eq!(other.code(), Code::DemandRefused);
    let step = till.book().release(&name("ann"), "asked to go on", till.now).unwrap();
    till.commit(&step);
    assert_eq!(till.demanded().len(), 1, "it stood meanwhile");
    // A changed destination cools: until then the one in force is paid.
    till.destination("ann", "elsewhere");
    let to = |till: &Till| {
        let dues = till.book().demanded(till.now, |_| true).unwrap();
        dues[0].lines[0].to.clone()
    };
    assert_eq!(to(&till), "ann");
    till.now = till.now.plus_secs(COOLING_SECS);
    assert_eq!(to(&till), "elsewhere");
    // A floor that was raised meanwhile.
    let terms = TermsSet { floor: Some(amount(501)), ..TermsSet::NONE };
    let step = till.book().set_terms(terms, till.now).unwrap();
    till.commit(&step);
    assert_eq!((till.demanded(), till.refused("bob")), (vec![], Code::DemandRefused));

    let mut nowhere = Till::open(threshold(2_000, None), 1, None);
    nowhere.rule(&[("ann", "rest")]);
    nowhere.record("1", 500);
    assert_eq!(nowhere.refused("ann"), Code::DemandRefused);
}

/// A crash between asking and paying, a checkpoint, and a planner who had not read of it.
#[test]
fn it_survives_whoever_dies_and_stops_who_has_not_read_it() {
    let mut till = waiting();
    let unread = till.clone();
    till.demand("ann", 10);
    let mut anew = till.clone();
    anew.books = Books::default();
    anew.books.feed(&till.facts).unwrap();
    assert_eq!(anew.demanded(), till.demanded());
    let cursor = Cursor { epoch: "a".into(), position: 1, within: 0 };
    anew.books = Books::from_checkpoint(&till.books.checkpoint(&cursor)).unwrap().0;
    assert_eq!(anew.demanded(), till.demanded());
    anew.pay_demanded();
    assert_eq!(anew.demanded(), []);
    anew.books = Books::from_checkpoint(&anew.books.checkpoint(&cursor)).unwrap().0;
    assert_eq!(anew.demanded(), []);

    let own = till.facts.last().unwrap();
    let run = unread.book().run_head().clone();
    assert_eq!((own.stream.clone(), own.n), (run.stream, run.n), "they write at one address");
}

#[test]
fn whichever_stream_is_read_first_the_same_run_has_served_it() {
    let mut till = waiting();
    till.demand("ann", 10);
    till.pay_demanded();
    till.record("2", 1_000);
    till.demand("ann", 11);
    till.demand("bob", 12);
    till.demand("ann", 13);
    till.pay_demanded();
    let mut verify = Verify::new();
    verify.feed(&till.facts).unwrap();
    verify.finish().unwrap().compare(&till.books).unwrap();
    let said = |books: &Books| {
        let book = books.book("b").unwrap();
        let of = |payee| book.demand_of(payee, till.now).map(|demand| demand.fee_max);
        let runs = [1, 5].map(|run| Stream::batch(&name("b"), run, 0));
        let above = runs.map(|batch| book.check_fee_anew(&batch, amount(11)).is_err());
        (of("ann"), of("bob"), above)
    };
    let wanted = said(&till.books);
    assert_eq!(wanted, (None, Some(amount(12)), [true, false]));
    let mut streams: BTreeMap<&Stream, Vec<Fact>> = BTreeMap::new();
    till.facts.iter().for_each(|fact| streams.entry(&fact.stream).or_default().push(fact.clone()));
    let mut orders: Vec<Vec<&Stream>> = vec![streams.keys().copied().collect()];
    orders.push(streams.keys().rev().copied().collect());
    for turn in 1..streams.len() {
        let mut order = orders[0].clone();
        order.rotate_left(turn);
        orders.push(order);
        order = orders[1].clone();
        order.rotate_left(turn);
        orders.push(order);
    }
    for order in orders {
        let mut books = Books::default();
        order.iter().for_each(|stream| books.feed(&streams[stream]).unwrap());
        assert_eq!(books.early(), []);
        books.book("b").unwrap().check().unwrap();
        assert_eq!(said(&books), wanted);
    }
}

#[test]
fn the_least_line_may_be_asked_for_and_nothing_below() {
    for (minor, asked) in [(198, Err(Code::DemandRefused)), (200, Ok(100))] {
        let mut till = Till::open(threshold(2_000, None), 100, Some("sandbox"));
        till.rule(&[("ann", "50%"), ("bob", "50%")]);
        till.record("1", minor);
        let due = till.book().demandable("ann", till.now);
        let found = due.map(|due| due.lines[0].amount.get()).map_err(|error| error.code());
        assert_eq!(found, asked, "half of {minor}");
    }
}
