//! Goal: in a book that knows people, nothing that only a person can say counts without the
//! signature of one of them, whoever writes it and in whichever order it is read.
//! Method: each act, signed and not; histories that no honest writer leaves behind.

use super::*;
use crate::{
    BreakCause, BreakFound, Brought, Consent, Day, FeesSet, Funds, Guarded, IssuerSet, Judge,
    Person, Purpose, SecretKey, Shown, Stranger, StrangerLine, TermsSet, Verify,
};

fn key(seed: u8) -> SecretKey {
    SecretKey::new(&[seed; 32])
}

fn guarded(who: &[(&str, u8)]) -> Guarded {
    let person = |(who, seed): &(&str, u8)| Person { name: name(who), key: key(*seed).public() };
    let (limit, people) = (Amount::MAX, who.iter().map(person).collect());
    let (consents, unsigned) = (vec![], None);
    Guarded { limit, approvals: 1, people, expires_secs: 60, consents, unsigned }
}

fn judge(key: Option<&SecretKey>) -> Judge<'_> {
    Judge { by: name("ann"), reason: "she rang".into(), key }
}

fn funds(purpose: Purpose) -> Funds {
    let (id, amount, event_at) = ("f1".into(), amount(5), Time::ZERO);
    Funds { id, purpose, amount, event_at, evidence: evidence() }
}

/// Each act of a person, as a step of a book in which eve is held and a break is open.
fn acts(till: &Till) -> Vec<(&'static str, Step)> {
    let (book, now) = (till.book(), till.now);
    let id = book.breaks().next().unwrap().0.as_str().to_owned();
    let brought = Brought { earned: amount(7), paid: amount(2), evidence: evidence() };
    let stranger = Stranger {
        batch: book.next_batch(0),
        reference: "lost".into(),
        lines: vec![StrangerLine { to: "ann".into(), amount: amount(3) }],
        answer: Answer::Final,
        evidence: evidence(),
    };
    let fees = FeesSet { ceiling: None, borne_max: Some(amount(1)) };
    let terms = TermsSet { floor: Some(amount(2)), ..TermsSet::NONE };
    let (rail, wallet) = (name("sandbox"), name("till"));
    let shown = Shown { rail, wallet, timing: TIMING, strangers: vec![stranger] };
    vec![
        ("a rule", book.set_rule(now, standing(&[("mal", "rest")]), now).unwrap()),
        ("a first issuer", book.set_issuer(key(8).public(), None, now).unwrap()),
        ("a hold", book.hold(&name("ann"), "asked to wait", None, now)),
        ("a release", book.release(&name("eve"), "asked to go on", now).unwrap()),
        ("what was brought", book.bring(&[(name("mal"), brought)], now).unwrap()),
        ("what was put in", book.note_funds(&[funds(Purpose::Replenished)], now).unwrap()),
        ("a week", book.close_week(Day::of(Time::ZERO), None, now).unwrap()),
        ("an explanation", book.explain_break(&id, BreakCause::Fee, "a fee", now).unwrap()),
        ("a closing", book.close_break(&id, "written off", now).unwrap()),
        ("what fees may cost", book.set_fees(fees, now).unwrap()),
        ("terms of everyone", book.set_terms(terms, now).unwrap()),
        ("what is adopted", till.books.adopt("b", &[shown], now).unwrap()),
    ]
}

impl Till {
    /// Two payees, of whom one is held, and an open break.
    fn stocked() -> Self {
        let mut till = Self::instant();
        till.rule(&[("ann", "50%"), ("eve", "50%")]);
        let step = till.book().hold(&name("eve"), "asked to wait", None, till.now);
        till.commit(&step);
        let (cause, ours, theirs) = (BreakCause::Amount, None, Some(amount(3)));
        let (reference, event_at) = ("r".into(), Time::ZERO);
        let found = BreakFound { reference, cause, ours, theirs, event_at, evidence: evidence() };
        let head = Head::start(Stream::of_break(&name("b"), &name("x")));
        till.commit(&Step::new(vec![Fact::new(&head, till.now, &Body::BreakFound(found))], vec![]));
        till
    }

    /// The same, with ann as the one person.
    fn known() -> Self {
        let mut till = Self::stocked();
        let step = till.book().guard(guarded(&[("ann", 1)]), till.now).unwrap();
        till.commit(&step);
        till.now = till.now.plus_secs(30 * 86_400);
        till
    }

    fn verified(&self) -> Result<(), Error> {
        let mut verify = Verify::new();
        verify.feed(&self.facts)?;
        verify.finish().map(drop)
    }
}

#[test]
fn each_act_is_signed_by_one_whom_the_book_knows_or_does_not_count() {
    let (own, stranger) = (key(1), key(9));
    for (at, (what, _)) in acts(&Till::known()).into_iter().enumerate() {
        let mut till = Till::known();
        till.record("1", 100);
        let step = acts(&till).remove(at).1;
        let refused = till.books.check_step(&step).unwrap_err();
        assert_eq!(refused.code(), Code::ActUnsigned, "{what}");
        for key in [None, Some(&stranger)] {
            let refused = till.books.decide(step.clone(), &judge(key)).unwrap_err();
            assert_eq!(refused.code(), Code::SignatureWrong, "{what}");
        }
        let signed = till.books.decide(step.clone(), &judge(Some(&own))).unwrap();
        till.books.check_step(&signed).unwrap();
        let mut forged = till.clone();
        till.commit(&signed);
        till.book().check_acts().unwrap_or_else(|error| panic!("{what}: {error}"));
        till.verified().unwrap_or_else(|error| panic!("{what}: {error}"));

        // Whoever writes past all of this: nothing is paid, and the fact is named.
        forged.commit(&step);
        let named = forged.verified().unwrap_err();
        assert_eq!(named.code(), Code::ActUnsigned, "{what}");
        let fact =
            step.facts().iter().find(|fact| fact.body().unwrap().is_act(&fact.stream)).unwrap();
        assert!(named.to_string().contains(&format!("fact {} of {}", fact.n, fact.stream)));
        let lines = forged.book().due(forged.now).unwrap();
        let Some(due) = lines.into_iter().next() else { continue };
        let plan = forged.plan_of(due.lines);
        let stopped = forged.books.plan("b", &[plan], forged.now).unwrap_err();
        assert_eq!(stopped.code(), Code::ActUnsigned, "{what}");
    }
}

#[test]
fn a_first_guard_tells_how_many_acts_it_lets_stand() {
    for (mut till, standing) in [(Till::instant(), None), (Till::stocked(), Some(2))] {
        let step = till.book().guard(guarded(&[("ann", 1)]), till.now).unwrap();
        till.commit(&step);
        assert_eq!(till.book().guarded().unwrap().unsigned, standing);
    }
}

#[test]
fn in_a_book_that_knows_nobody_nobody_need_sign() {
    let mut till = Till::stocked();
    till.now = till.now.plus_secs(30 * 86_400);
    for (what, step) in acts(&till) {
        assert_eq!(till.books.check_step(&step), Ok(()), "{what}");
        till.clone().commit(&step);
    }
}

#[test]
fn what_a_rail_or_a_statement_says_is_no_act() {
    let mut till = Till::known();
    let expected = funds(Purpose::Expected(Time::ZERO));
    let steps = [
        till.book().note_funds(&[expected], till.now).unwrap(),
        till.book().hold(&name("ann"), "closed", Some(&till.book().next_batch(0)), till.now),
        till.book().set_payee_terms(&name("bob"), TermsSet::NONE, till.now).unwrap(),
    ];
    for step in steps {
        till.books.check_step(&step).unwrap();
        assert_eq!(till.books.decide(step.clone(), &judge(Some(&key(1)))).unwrap(), step);
        till.commit(&step);
    }
    till.verified().unwrap();
}

/// Somebody who had not read of the people yet: nothing is paid until they have let it stand.
#[test]
fn an_act_beside_the_first_guard_waits_for_those_who_approve() {
    let mut till = Till::known();
    till.record("1", 100);
    let late = till.book().hold(&name("bob"), "asked to wait", None, till.now);
    till.commit(&late);
    let lines = till.book().due(till.now).unwrap().remove(0).lines;
    let plan = till.plan_of(lines);
    let stopped = till.books.plan("b", std::slice::from_ref(&plan), till.now).unwrap_err();
    assert_eq!(stopped.code(), Code::ActUnsigned);

    let mut next = guarded(&[("ann", 1)]);
    let unread = Guarded { unsigned: Some(2), ..next.clone() };
    let runs = till.book().run_head().stream.clone();
    let signature = key(1).sign(&unread.digest(&runs, 0));
    next.consents = vec![Consent { by: name("ann"), signature }];
    let error = till.book().guard(next.clone(), till.now).unwrap_err();
    assert_eq!(error.code(), Code::SignatureWrong, "they sign how many they let stand");
    let signature = key(1).sign(&till.book().guard_digest(&next));
    next.consents = vec![Consent { by: name("ann"), signature }];
    let step = till.book().guard(next, till.now).unwrap();
    till.commit(&step);
    assert_eq!(till.book().guarded().unwrap().unsigned, Some(3));
    let plan = till.plan_of(plan.planned.lines);
    let step = till.books.plan("b", &[plan], till.now).unwrap();
    till.commit(&step);
    till.verified().unwrap();
}

#[test]
fn whichever_stream_is_read_first_the_same_acts_count() {
    let mut till = Till::known();
    let step = till.book().hold(&name("bob"), "forged", None, till.now);
    till.commit(&step);
    let step = till.book().release(&name("eve"), "asked to go on", till.now).unwrap();
    let step = till.books.decide(step, &judge(Some(&key(1)))).unwrap();
    till.commit(&step);
    let wanted = till.book().check_acts().unwrap_err().to_string();
    let mut streams: BTreeMap<&Stream, Vec<Fact>> = BTreeMap::new();
    till.facts.iter().for_each(|fact| streams.entry(&fact.stream).or_default().push(fact.clone()));
    let mut orders: Vec<Vec<&Stream>> = vec![streams.keys().copied().collect()];
    orders.push(streams.keys().rev().copied().collect());
    for turn in 1..streams.len() {
        let mut order = orders[0].clone();
        order.rotate_left(turn);
        orders.push(order);
    }
    for order in orders {
        let mut books = Books::default();
        order.iter().for_each(|stream| books.feed(&streams[stream]).unwrap());
        assert_eq!(books.early(), []);
        let found = books.book("b").unwrap().check_acts().unwrap_err().to_string();
        assert_eq!(found, wanted);
    }
}

#[test]
fn who_was_replaced_a_day_ago_decides_nothing() {
    let mut till = Till::known();
    let old = till.books.clone();
    let mut next = guarded(&[("bob", 2)]);
    let signature = key(1).sign(&till.book().guard_digest(&next));
    next.consents = vec![Consent { by: name("ann"), signature }];
    let step = till.book().guard(next, till.now).unwrap();
    till.commit(&step);
    // Whoever has not read it yet may still decide; a day later nobody can say that.
    for (secs, verified) in [(86_400, true), (86_401, false)] {
        let mut late = till.clone();
        late.now = late.now.plus_secs(secs);
        let step = old.book("b").unwrap().release(&name("eve"), "as before", late.now).unwrap();
        let step = old.decide(step, &judge(Some(&key(1)))).unwrap();
        late.commit(&step);
        let found = late.verified().map_err(|error| error.code());
        assert_eq!(found, if verified { Ok(()) } else { Err(Code::SignatureWrong) });
    }
    let hold = till.book().hold(&name("bob"), "as before", None, till.now);
    let error = till.books.decide(hold, &judge(Some(&key(1)))).unwrap_err();
    assert_eq!(error.code(), Code::SignatureWrong);
}

/// A rule that the issuer has signed needs nobody else.
#[test]
fn an_issuer_needs_no_other_signature() {
    let mut till = Till::instant();
    let step = till.book().set_issuer(key(8).public(), None, till.now).unwrap();
    till.commit(&step);
    till.rule(&[("ann", "rest")]);
    let step = till.book().guard(guarded(&[("ann", 1)]), till.now).unwrap();
    till.commit(&step);
    let legs = standing(&[("bob", "rest")]);
    let signature = key(8).sign(&till.book().rule_to_sign(till.now, &legs));
    let step = till.book().set_rule_signed(till.now, legs, signature, till.now).unwrap();
    till.books.check_step(&step).unwrap();
    assert_eq!(till.books.decide(step.clone(), &judge(Some(&key(1)))).unwrap(), step);
    till.commit(&step);
    let set = IssuerSet { key: key(7).public(), signature: None };
    let rules = Stream::rule(&name("b"));
    assert!(Body::IssuerSet(set).is_act(&rules));
    till.verified().unwrap();
}
