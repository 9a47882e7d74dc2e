//! Goal: what rails charge, what payees bear of it, and what rates make of a payout are in their
//! places, whatever becomes of the try; no payee bears what was not shown before.
//! Method: a till whose rail sends bills, and histories that no honest planner writes.

use super::*;
use crate::{Bill, Charged, Converted, Fee, FeesSet, Settled, Verify};

impl Till {
    /// Pays everything to ann and bob by halves; each bears up to 0.30 of a line.
    fn bearing() -> Self {
        let mut till = Self::instant();
        till.rule(&[("ann", "50%"), ("bob", "rest")]);
        till.fees(Some(100), Some(30));
        till
    }

    fn fees(&mut self, ceiling: Option<u64>, borne_max: Option<u64>) {
        let (ceiling, borne_max) = (ceiling.map(amount), borne_max.map(amount));
        let step = self.book().set_fees(FeesSet { ceiling, borne_max }, self.now).unwrap();
        self.commit(&step);
    }

    /// Plans everyone who is due, with what the rail quotes.
    fn pay_at(&mut self, quoted: u64) -> Batch {
        let lines = self.book().due(self.now).unwrap().remove(0).lines;
        let lines = self.book().bear(lines, amount(quoted));
        let plan = self.plan_of(lines);
        let step = self.books.plan("b", &[plan], self.now).unwrap();
        self.commit(&step);
        self.batch(&step.facts()[1].stream)
    }

    /// Learns what a look says, with a bill for the last try.
    fn bill(&mut self, stream: &Stream, answer: Answer, fees: &[Fee], moved: Option<Converted>) {
        let batch = self.batch(stream);
        let mut answers = vec![Answer::Unknown; batch.tries().len()];
        *answers.last_mut().unwrap() = answer;
        let reference = batch.tries().last().unwrap().signed.reference.clone();
        let bills = vec![Bill { reference, fees: fees.to_vec(), moved }];
        let seen = Seen { answers, tip: None, evidence: evidence(), bills };
        let step = self.books.learn(&batch, &seen, self.now, TIMING).unwrap();
        self.commit(&step);
    }

    /// Moved, borne by payees, charged in the book's asset, what rates made of it.
    fn costs(&self) -> [i64; 4] {
        let totals = self.book().totals();
        let [moved, borne, charged] = [totals.moved, totals.fees_borne, totals.fees_charged]
            .map(|amount| i64::try_from(amount.get()).unwrap());
        [moved, borne, charged, totals.rate_difference().get()]
    }

    /// Every fact again, and in another order of the streams.
    fn verify_in_any_order(&self) {
        let mut verify = Verify::default();
        verify.feed(&self.facts).unwrap();
        let zero = verify.finish().unwrap();
        zero.books.book("b").unwrap().compare(self.book()).unwrap();
        let mut turned = self.facts.clone();
        turned.sort_by(|a, b| b.stream.as_str().cmp(a.stream.as_str()));
        let mut books = Books::default();
        books.feed(&turned).unwrap();
        assert_eq!((books.early(), books.check()), (&[][..], Ok(())));
        assert_eq!(books.book("b").unwrap().totals(), self.book().totals());
        let restored = Books::from_checkpoint(&self.books.checkpoint(&crate::Cursor {
            epoch: "a".into(),
            position: 1,
            within: 0,
        }));
        restored.unwrap().0.book("b").unwrap().compare(self.book()).unwrap();
    }
}

fn usd(minor: u64) -> Fee {
    Fee { asset: Asset::parse("USD").unwrap(), amount: amount(minor) }
}

fn sol(minor: u64) -> Fee {
    Fee { asset: Asset::parse("SOL@9").unwrap(), amount: amount(minor) }
}

/// What moved in a token of six decimals, of which so many cents pay for a hundred.
fn usdt(micro: u64, cents: u64) -> Converted {
    Converted {
        asset: Asset::parse("USDT@6").unwrap(),
        amount: amount(micro),
        rate_num: cents,
        rate_den: 1_000_000,
        source: "rail".into(),
        quoted_at: secs(1_000),
    }
}

fn returned(lines: &[u32]) -> Answer {
    Answer::Returned { reason: "closed".into(), lines: lines.to_vec() }
}

#[test]
fn a_payee_bears_an_equal_part_up_to_what_was_shown_and_the_platform_the_rest() {
    #[rustfmt::skip]
    let table = [
        // quoted, arrives, borne each
        (0,        500,     None),
        (1,        500,     None),
        (2,        499,     Some(1)),
        (51,       475,     Some(25)),
        (60,       470,     Some(30)),
        (99,       470,     Some(30)),
    ];
    for (quoted, arrives, borne) in table {
        let mut till = Till::bearing();
        till.record("1", 1_000);
        let batch = till.pay_at(quoted);
        let line = &batch.lines()[0];
        assert_eq!((line.amount, line.fee), (amount(arrives), borne.map(amount)), "{quoted}");
        assert_eq!(till.places("ann"), [500, 0, 500, 0, 0], "all of it is reserved");
        till.bill(batch.stream(), Answer::Final, &[usd(70)], None);
        assert_eq!(till.places("ann"), [500, 0, 0, 500, 0], "and debited");
        let borne = i64::try_from(2 * borne.unwrap_or(0)).unwrap();
        assert_eq!(till.costs(), [1_000 - borne, borne, 70, 0], "{quoted}");
        till.verify_in_any_order();
    }
}

#[test]
fn a_line_that_would_pay_nothing_bears_nothing() {
    let mut till = Till::bearing();
    till.record("1", 61);
    let batch = till.pay_at(60);
    let lines: Vec<_> = batch.lines().iter().map(|line| (line.amount.get(), line.fee)).collect();
    assert_eq!(lines, [(1, Some(amount(30))), (30, None)]);
}

#[test]
fn what_comes_back_was_not_borne_and_what_is_undone_is_not_moved() {
    let mut till = Till::bearing();
    till.record("1", 1_000);
    let batch = till.pay_at(60);
    till.bill(batch.stream(), Answer::Final, &[usd(70)], None);
    till.bill(batch.stream(), returned(&[1]), &[usd(70)], None);
    assert_eq!(till.places("bob"), [500, 500, 0, 0, 0], "all of it is payable again");
    assert_eq!(till.costs(), [470, 30, 70, 0], "and what was charged stays charged");
    till.bill(batch.stream(), Answer::Undone, &[], None);
    assert_eq!(till.costs(), [0, 0, 70, 0]);
    till.verify_in_any_order();
}

#[test]
fn a_try_that_failed_costs_too_and_a_second_one_costs_again() {
    let refused = Answer::Refused { reason: "closed".into(), line: None };
    let declined = Answer::Declined { reason: "empty".into() };
    for answer in [refused, declined, Answer::Void] {
        let mut till = Till::bearing();
        till.record("1", 1_000);
        let batch = till.pay_at(60);
        till.bill(batch.stream(), answer, &[usd(15), sol(5_000)], None);
        assert_eq!(till.costs(), [0, 0, 15, 0]);
        let treasury = till.book().treasury().balance().unwrap();
        assert_eq!(treasury.get(), -15, "the fee left the treasury, and the lamports did not");
        let charged = till.book().charged().unwrap();
        assert_eq!(charged, [(name("till"), sol(5_000)), (name("till"), usd(15))]);
        // Said again it is the same; said higher it is the difference; said lower it is nothing.
        till.bill(batch.stream(), Answer::Unknown, &[usd(15)], None);
        till.bill(batch.stream(), Answer::Unknown, &[usd(20)], None);
        till.bill(batch.stream(), Answer::Unknown, &[usd(3)], None);
        assert_eq!(till.costs(), [0, 0, 20, 0]);
        assert_eq!(till.book().treasury().balance().unwrap().get(), -20);
        let charges = till.facts.iter().filter(|fact| fact.kind == "charged.1").count();
        assert_eq!(charges, 3, "nothing new is nothing written");
        till.verify_in_any_order();
    }
}

#[test]
fn a_payout_that_moved_another_asset_keeps_what_it_was_worth_and_what_the_rate_made() {
    #[rustfmt::skip]
    let table = [
        // micro USDT, cents a USDT   worth, difference   after one of two equal lines came back
        (10_000_000,   100,           1_000, 0,           [500, 0]),
        (10_250_000,   97,            994,   6,           [497, 3]),
        (10_500_000,   97,            1_018, -18,         [509, -9]),
        (10_309_278,   97,            999,   1,           [500, 0]),
        (1,            97,            0,     1_000,       [0, 500]),
    ];
    for (micro, cents, worth, difference, rest) in table {
        let mut till = Till::instant();
        till.rule(&[("ann", "50%"), ("bob", "rest")]);
        till.record("1", 1_000);
        let batch = till.pay();
        till.bill(batch.stream(), Answer::Final, &[], Some(usdt(micro, cents)));
        assert_eq!(till.places("ann"), [500, 0, 0, 500, 0], "what was reserved is debited");
        assert_eq!(till.costs(), [worth, 0, 0, difference], "{micro} at {cents}");
        assert_eq!(till.book().treasury().balance().unwrap().get(), -worth);
        // The market moves: what is settled stays as it is.
        till.bill(batch.stream(), Answer::Final, &[], Some(usdt(micro, 2 * cents)));
        assert_eq!(till.costs(), [worth, 0, 0, difference]);
        till.verify_in_any_order();
        till.hear(batch.stream(), returned(&[0]));
        assert_eq!(till.costs(), [rest[0], 0, 0, rest[1]], "{micro} at {cents}");
        till.hear(batch.stream(), returned(&[1]));
        assert_eq!(till.costs(), [0; 4]);
        till.verify_in_any_order();
    }
}

/// Goal: a rail may tell what it moved instead when its try is final already. Method: the bill
/// comes with a look that follows, once, twice, after a return, and with what undoes the try.
#[test]
fn what_moved_instead_counts_when_a_rail_tells_it_late() {
    let till = |answers: &[Answer]| {
        let mut till = Till::instant();
        till.rule(&[("ann", "50%"), ("bob", "rest")]);
        till.record("1", 1_000);
        let stream = till.pay().stream().clone();
        answers.iter().for_each(|answer| till.bill(&stream, answer.clone(), &[], None));
        (till, stream)
    };
    #[rustfmt::skip]
    let table = [
        // answers before, with the bill                       worth, difference
        (vec![Answer::Final], Answer::Final,                    994, 6),
        (vec![Answer::Final], Answer::Unknown,                  994, 6),
        (vec![Answer::Final, returned(&[0])], returned(&[0]),   497, 3),
        (vec![Answer::Final], returned(&[0]),                   497, 3),
        (vec![Answer::Final, returned(&[])], Answer::Unknown,   0,   0),
        // What is undone did not move, and what is not final may not.
        (vec![Answer::Final], Answer::Undone,                   0,   0),
        (vec![Answer::Accepted], Answer::Unknown,               0,   0),
    ];
    for (before, answer, worth, difference) in table {
        let (mut till, stream) = till(&before);
        till.bill(&stream, answer.clone(), &[], Some(usdt(10_250_000, 97)));
        assert_eq!(till.costs(), [worth, 0, 0, difference], "{before:?}, {answer:?}");
        assert_eq!(till.book().treasury().balance().unwrap().get(), -worth);
        let count = till.facts.len();
        // Another rate later is no news.
        till.bill(&stream, Answer::Unknown, &[], Some(usdt(10_250_000, 98)));
        assert_eq!(till.costs(), [worth, 0, 0, difference]);
        assert_eq!(till.facts.len(), count, "{before:?}, {answer:?}");
        till.verify_in_any_order();
    }
    // Nobody writes it down of a try that is not final, twice, or without a rate.
    let (mut till, stream) = till(&[Answer::Accepted]);
    let batch = till.batch(&stream);
    let reference = batch.tries()[0].signed.reference.clone();
    let swapped = |moved| {
        let (reference, evidence) = (reference.clone(), evidence());
        Body::Swapped(crate::Swapped { reference, moved, evidence })
    };
    let good = swapped(usdt(1, 97));
    assert!(till.books.follow(&batch, std::slice::from_ref(&good), till.now).is_err());
    till.hear(&stream, Answer::Final);
    let batch = till.batch(&stream);
    let odd = swapped(Converted { rate_den: 0, ..usdt(1, 97) });
    assert!(till.books.follow(&batch, &[odd], till.now).is_err());
    assert!(till.books.follow(&batch, &[good.clone(), good.clone()], till.now).is_err());
    assert!(till.books.follow(&batch, &[good], till.now).is_ok());
}

#[test]
fn nothing_is_signed_above_the_ceiling_and_equal_to_it_is_fine() {
    let mut till = Till::bearing();
    let book = till.book();
    assert_eq!(book.check_fee(amount(100)), Ok(()));
    let error = book.check_fee(amount(101)).unwrap_err();
    assert_eq!(error.code(), Code::FeeAboveCeiling);
    assert!(error.to_string().contains("1.00 USD") && error.to_string().contains("1.01"));
    till.fees(None, None);
    assert_eq!(till.book().check_fee(Amount::MAX), Ok(()));
}

#[test]
fn no_line_bears_what_was_not_shown_before_its_run() {
    let mut till = Till::bearing();
    till.record("1", 1_000);
    let mut lines = till.book().due(till.now).unwrap().remove(0).lines;
    for (amount_, fee, said) in [(469, 31, "31"), (500, 0, "0"), (500, 1, "payable")] {
        (lines[0].amount, lines[0].fee) = (amount(amount_), Some(amount(fee)));
        let plan = till.plan_of(lines.clone());
        let error = till.books.plan("b", &[plan], till.now).unwrap_err();
        assert_eq!(error.code(), Code::BatchStale, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    // Whoever planned by older terms finds their run's address taken; a forged run is refused.
    let before = till.book().clone();
    till.fees(None, None);
    (lines[0].amount, lines[0].fee) = (amount(470), Some(amount(30)));
    let plan = till.plan_of(lines);
    let step = before.plan(std::slice::from_ref(&plan), till.now).unwrap();
    assert_eq!(step.facts()[0].n, till.facts.last().unwrap().n, "the same place");
    let head = Head::start(till.book().next_batch(0));
    let planned = Fact::new(&head, till.now, &Body::Planned(plan.planned));
    let (batches, digest) = (1, Hash::default().then(&planned.hash));
    let run = crate::Run { batches, lines: 2, total: amount(970), digest };
    let run = Fact::new(&till.book().run_head.clone(), till.now, &Body::Run(run));
    let error = till.books.clone().feed(&[run, planned]).unwrap_err();
    assert_eq!(error.code(), Code::BatchStale, "{error}");
}

#[test]
fn terms_of_no_part_and_bills_that_contradict_themselves_are_refused() {
    let mut till = Till::bearing();
    let none = FeesSet { ceiling: None, borne_max: Some(Amount::ZERO) };
    assert_eq!(till.book().set_fees(none, till.now).unwrap_err().code(), Code::PolicyMalformed);
    till.record("1", 1_000);
    let batch = till.pay_at(0);
    let reference = batch.tries()[0].signed.reference.clone();
    let bill =
        |fees: &[Fee], moved| Bill { reference: reference.clone(), fees: fees.to_vec(), moved };
    let odd = Converted { rate_den: 0, ..usdt(1, 1) };
    for bills in [
        vec![bill(&[], None), bill(&[usd(1)], None)],
        vec![bill(&[usd(1), usd(2)], None)],
        vec![bill(&[], Some(odd))],
    ] {
        let seen = Seen { answers: vec![Answer::Final], tip: None, evidence: evidence(), bills };
        let error = till.books.learn(&batch, &seen, till.now, TIMING).unwrap_err();
        assert_eq!(error.code(), Code::RailReply, "{error}");
    }
    let other = Bill { reference: "another".into(), fees: vec![usd(1)], moved: None };
    let (answers, evidence) = (vec![Answer::Unknown], evidence());
    let seen = Seen { answers, tip: None, evidence: evidence.clone(), bills: vec![other] };
    let step = till.books.learn(&batch, &seen, till.now, TIMING).unwrap();
    assert_eq!(step.facts(), [], "a bill of a try that is not ours teaches nothing");

    // Nobody can write down what is no charge, nor a settlement without a rate.
    let (amount, asset) = (Amount::ZERO, usd(0).asset);
    let charged =
        Charged { reference: reference.clone(), asset, amount, evidence: evidence.clone() };
    assert!(till.books.follow(&batch, &[Body::Charged(charged)], till.now).is_err());
    let moved = Some(Converted { rate_num: 0, ..usdt(1, 1) });
    let settled = Body::Settled(Settled { reference, evidence, moved });
    let step = till.books.follow(&batch, &[settled], till.now).unwrap();
    assert!(till.books.clone().feed(step.facts()).is_err());
}
