//! Pools that hold units of other pools: exact at every level, in every order, and never in a
//! circle.
#![expect(clippy::integer_division, reason = "the floor is what is tested")]

use super::*;
use crate::verify::Verify;
use crate::{Movement, PoolOpened};

impl Till {
    /// A pool to whose holders a payee's earnings go.
    fn nested(&mut self, pool: &str, payee: &str, holders: &[(&str, u64)]) {
        let supply = Units::new(holders.iter().map(|holder| holder.1).sum()).unwrap();
        let payee = Some(name(payee));
        let opened = PoolOpened { supply, flow_millis: None, proofs: Some(1), payee };
        let step = self.book().open_pool_with(&name(pool), opened, self.now).unwrap();
        self.commit(&step);
        let entries: Vec<_> =
            holders.iter().map(|(who, units)| (name(who), Units::new(*units).unwrap())).collect();
        let step = self.book().issue_units(pool, &entries, self.now).unwrap();
        self.commit(&step);
    }

    fn has(&self, payee: &str) -> [u64; 4] {
        let balance = self.book().balance(payee, self.now).unwrap();
        [balance.earned, balance.payable, balance.paid, balance.owed_back].map(Amount::get)
    }
}

/// All of each payment to a pool of ann (1 unit) and a fund (2), whose holders are bob (1) and an
/// inner fund (1), whose only holder is cyd.
fn three_levels() -> Till {
    let mut till = Till::instant();
    till.nested("inner", "inner fund", &[("cyd", 7)]);
    till.nested("outer", "fund", &[("bob", 1), ("inner fund", 1)]);
    till.pool("all", &[("ann", 1), ("fund", 2)]);
    let share = Share::Remaining;
    let legs = Legs::new(vec![Leg { to: Target::Pool("all".into()), share }]).unwrap();
    let step = till.book().set_rule(Time::ZERO, legs, till.now).unwrap();
    till.commit(&step);
    till
}

#[test]
fn money_goes_down_every_level_to_the_unit() {
    let mut till = three_levels();
    assert_eq!((till.book().pools_nested(), Till::instant().book().pools_nested()), (2, 0));
    for id in 1..=100_u64 {
        till.record(&id.to_string(), 1);
        till.declare();
        till.declare();
        till.declare();
        assert!(!till.book().has_undeclared().unwrap());
        let outer = id * 2 / 3;
        assert_eq!(till.has("ann"), [id / 3, id / 3, 0, 0]);
        assert_eq!(till.has("fund"), [outer, 0, outer, 0]);
        assert_eq!(till.has("bob"), [outer / 2, outer / 2, 0, 0]);
        assert_eq!(till.has("inner fund"), [outer / 2, 0, outer / 2, 0]);
        assert_eq!(till.has("cyd"), [outer / 2, outer / 2, 0, 0]);
    }
    let mut due = till.due();
    due.sort();
    let who: Vec<_> = due.iter().map(|(who, amount)| (who.as_str(), *amount)).collect();
    assert_eq!(who, [("ann", 33), ("bob", 33), ("cyd", 33)]);
    check_anew(&till);
}

fn check_anew(till: &Till) {
    let mut verify = Verify::new();
    verify.feed(&till.facts).unwrap();
    verify.finish().unwrap().compare(&till.books).unwrap();
    let cursor = crate::Cursor { epoch: "e".into(), position: 1, within: 0 };
    let bytes = till.books.checkpoint(&cursor);
    let (restored, _) = Books::from_checkpoint(&bytes).unwrap();
    assert_eq!(restored.checkpoint(&cursor), bytes);
}

/// A refund after everything was passed on, from a leg straight to a pool's payee and from a pool.
fn refunded() -> Till {
    let mut till = three_levels();
    let share = Share::Portion(Ratio::parse("50%").unwrap());
    let straight = Leg { to: Target::Payee("fund".into()), share };
    let rest = Leg { to: Target::Pool("all".into()), share: Share::Remaining };
    let legs = Legs::new(vec![straight, rest]).unwrap();
    let step = till.book().set_rule(secs(2_000), legs, till.now).unwrap();
    till.commit(&step);
    till.now = secs(3_000);
    till.record("1", 60);
    (0..3).for_each(|_| till.declare());
    assert_eq!(till.has("fund"), [50, 0, 50, 0]);
    let stream = payment("1", 1, till.now).stream;
    let own: Vec<Fact> = till.facts.iter().filter(|fact| fact.stream == stream).cloned().collect();
    let refund = crate::danger::vouched_reversal(crate::danger::VouchedReversal {
        payment: stream,
        id: "re".into(),
        cause: crate::Cause::Refund,
        amount: amount(30),
        event_at: till.now,
        evidence: evidence(),
    });
    let fact = Movement::fold(&own).unwrap().reverse(&refund, till.now).unwrap();
    till.commit(&Step::new(fact.into_iter().collect(), Vec::new()));
    // Half of the straight leg is owed back; the pool keeps its half back from what comes.
    assert_eq!(till.has("fund"), [35, 0, 50, 15]);
    till.record("2", 60);
    (0..3).for_each(|_| till.declare());
    // 30 straight, and 10 of the 15 that the pool still declares: 40, of which 15 were owed back.
    assert_eq!(till.has("fund"), [75, 0, 75, 0]);
    assert_eq!(till.has("bob")[0] + till.has("cyd")[0], 74);
    till
}

#[test]
fn what_a_payee_of_a_pool_owes_back_comes_off_the_next_drawing() {
    check_anew(&refunded());
}

#[test]
fn whatever_stream_is_read_first_every_level_is_the_same() {
    let till = refunded();
    let shape = |books: &Books| {
        let book = books.book("b").unwrap();
        book.check().unwrap();
        let earned = |who| book.balance(who, till.now).unwrap().earned;
        let people = ["ann", "bob", "cyd", "fund", "inner fund"].map(earned);
        (people, book.totals().clone(), book.due(till.now).unwrap().len())
    };
    let expected = shape(&till.books);
    let mut random = 1_u64;
    for _ in 0..1_500 {
        let books = divisions::in_some_order(&till.facts, &mut random);
        assert_eq!(books.early(), []);
        assert_eq!(shape(&books), expected);
    }
}

#[test]
fn units_that_would_lead_money_round_in_a_circle_are_refused() {
    let till = three_levels();
    let one = Units::new(1).unwrap();
    let circles =
        [("inner", "inner fund"), ("inner", "fund"), ("outer", "fund"), ("inner", "inner fund")];
    for (pool, holder) in circles {
        let entries = [(name(holder), one)];
        let error = till.book().issue_units(pool, &entries, till.now).unwrap_err();
        assert_eq!(error.code(), Code::PoolCircle, "{pool} {holder}");
    }
    let moved = till.book().move_holding("outer", &name("bob"), &name("fund"), one, till.now);
    assert_eq!(moved.unwrap_err().code(), Code::PoolCircle);
    // Further down is no circle.
    let down = till.book().issue_units("all", &[(name("inner fund"), one)], till.now);
    assert!(down.is_ok());
    // Past the step, as a hostile writer would: the book does not hold any more.
    let head = till.book().pool_account("inner").unwrap().head.clone();
    let body = Body::Issued(crate::Issued { entries: vec![(name("fund"), one)] });
    let mut verify = Verify::new();
    verify.feed(&till.facts).unwrap();
    verify.feed(&[Fact::new(&head, till.now, &body)]).unwrap();
    assert_eq!(verify.finish().unwrap_err().code(), Code::PoolCircle);
    let opened = |payee: &str, flow_millis| {
        let payee = Some(name(payee));
        let opened = PoolOpened { supply: one, flow_millis, proofs: None, payee };
        till.book().open_pool_with(&name("more"), opened, till.now).map_err(|error| error.code())
    };
    assert_eq!(opened("fund", None).unwrap_err(), Code::BookConflict);
    assert_eq!(opened("new", Some(1)).unwrap_err(), Code::InputMalformed);
}

#[test]
fn nobody_pays_out_or_draws_what_is_not_theirs() {
    let mut till = three_levels();
    till.record("1", 30);
    till.declare();
    assert_eq!(till.has("fund"), [20, 20, 0, 0]);
    let fund = till.book().balance("fund", till.now).unwrap();
    assert_eq!(fund.obstacle, Some(Obstacle::PassedOn(name("outer"))));
    let line =
        Line { payee: name("fund"), amount: amount(20), to: "fund".into(), to_n: None, fee: None };
    let plan = till.plan_of(vec![line]);
    assert_eq!(till.books.plan("b", &[plan], till.now).unwrap_err().code(), Code::BatchStale);
    let compounded = till.book().compound("all", &name("fund"), amount(1), till.now);
    assert_eq!(compounded.unwrap_err().code(), Code::BatchStale);
    // A drawing of more than was ever earned waits for ever, and verify names it.
    let step = till.book().declare(till.now).unwrap();
    let Body::Declared(drawn) = step.facts()[0].body().unwrap() else { panic!("declared") };
    assert_eq!(drawn.drawn, Some(amount(20)));
    let mut pool = till.book().pool("outer").unwrap().clone();
    pool.declare(amount(21)).unwrap();
    let (index, more) = (pool.index(), Some(amount(21)));
    let more = Body::Declared(crate::Declared { drawn: more, index, ..drawn });
    let head = till.book().pool_account("outer").unwrap().head.clone();
    let fact = Fact::new(&head, till.now, &more);
    let mut verify = Verify::new();
    verify.feed(&till.facts).unwrap();
    verify.feed(std::slice::from_ref(&fact)).unwrap();
    assert_eq!(verify.finish().unwrap_err().code(), Code::FactOrphan);
}
