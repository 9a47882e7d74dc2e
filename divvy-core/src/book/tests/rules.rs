//! Rules that follow each other: which one divides a payment, whatever is read first.

use super::*;
use crate::verify::Verify;

/// A rule for ann from the start, one for bob from second 2,000, and a payment of second 2,500 that
/// was recorded by somebody who had not read the second one, and then refunded.
fn raced() -> Till {
    let mut till = Till::instant();
    till.rule(&[("ann", "rest")]);
    till.now = secs(2_500);
    let raced = till.book().record(&[payment("1", 100, till.now)], till.now).unwrap();
    let step = till.book().set_rule(secs(2_000), standing(&[("bob", "rest")]), till.now).unwrap();
    till.commit(&step);
    till.facts.extend(raced.iter().cloned());
    till.books.feed(&raced).unwrap();
    let refund = crate::danger::vouched_reversal(crate::danger::VouchedReversal {
        payment: raced[0].stream.clone(),
        id: "re".into(),
        cause: crate::Cause::Refund,
        amount: amount(40),
        event_at: till.now,
        evidence: evidence(),
    });
    let back = crate::Movement::fold(&raced).unwrap().reverse(&refund, till.now).unwrap().unwrap();
    till.commit(&Step::new(vec![back], Vec::new()));
    till
}

#[test]
fn a_payment_is_divided_by_the_rule_that_it_names_whatever_is_read_first() {
    let till = raced();
    let stream = |start: &str| -> Vec<Fact> {
        till.facts.iter().filter(|fact| fact.stream.as_str().starts_with(start)).cloned().collect()
    };
    let (rules, payments) = (stream("rule/"), stream("payment/"));
    assert_eq!((rules.len(), payments.len()), (3, 2));
    // Each way of putting two payment facts among three of the rules.
    for first in 0..=rules.len() {
        for second in first..=rules.len() {
            for together in [false, true] {
                let mut facts = rules.clone();
                facts.insert(second, payments[1].clone());
                facts.insert(first, payments[0].clone());
                let mut books = Books::default();
                if together {
                    books.feed(&facts).unwrap();
                } else {
                    facts.iter().for_each(|fact| books.feed(std::slice::from_ref(fact)).unwrap());
                }
                let book = books.book("b").unwrap();
                book.check().unwrap();
                assert_eq!(books.early(), [], "{first} {second}");
                let ann = book.balance("ann", till.now).unwrap();
                assert_eq!(ann.earned, amount(60), "{first} {second} {together}");
                assert_eq!(book.balance("bob", till.now).unwrap().earned, Amount::ZERO);
            }
        }
    }
    let mut verify = Verify::new();
    verify.feed(&till.facts).unwrap();
    verify.finish().unwrap().compare(&till.books).unwrap();
}

#[test]
fn what_is_recorded_after_a_rule_was_read_names_it() {
    let mut till = raced();
    till.record("2", 1_000);
    assert_eq!(till.places("bob")[0], 1_000);
    let before = payment("3", 10, secs(1_999));
    let facts = till.book().record(&[before], till.now).unwrap();
    let Body::Recorded(recorded) = facts[0].body().unwrap() else { panic!("recorded") };
    assert_eq!(recorded.rule, Some(1));
}

#[test]
fn the_rule_in_force_is_the_last_one_that_has_begun() {
    let till = raced();
    let begins = |at| till.book().rule_at(secs(at)).map(|rule| rule.from);
    assert_eq!((begins(1_999), begins(2_000)), (Some(Time::ZERO), Some(secs(2_000))));
}

#[test]
fn a_payment_that_names_no_rule_is_the_first_ones_and_verify_says_when_that_was_wrong() {
    let till = raced();
    let day = 86_400;
    for (at, is_sound) in [(till.now, true), (till.now.plus_secs(day + 1), false)] {
        let unnamed = payment("9", 7, secs(2_500)).fact(&name("b"), at).unwrap();
        let mut books = till.books.clone();
        books.feed(std::slice::from_ref(&unnamed)).unwrap();
        let ann = books.book("b").unwrap().balance("ann", at).unwrap();
        assert_eq!(ann.earned, amount(67));
        for position in [1, till.facts.len()] {
            let mut facts = till.facts.clone();
            facts.insert(position, unnamed.clone());
            let mut verify = Verify::new();
            let verified = verify.feed(&facts).and_then(|()| verify.finish());
            assert_eq!(verified.is_ok(), is_sound, "{verified:?}");
            if let Err(error) = verified {
                assert_eq!(error.code(), Code::RuleMissing);
            }
        }
    }
}

#[test]
fn a_payment_that_names_what_is_no_rule_or_not_in_force_stops_the_fold() {
    let till = raced();
    let facts = till.book().record(&[payment("2", 100, secs(1_500))], till.now).unwrap();
    let Body::Recorded(recorded) = facts[0].body().unwrap() else { panic!("recorded") };
    let head = Head::start(facts[0].stream.clone());
    // place in the rule stream: the opening, a rule that starts later, one that is not there yet
    let table =
        [(0, Some(Code::FactMalformed)), (2, Some(Code::RuleMissing)), (1, None), (3, None)];
    for (n, refused) in table {
        let body = Body::Recorded(crate::Recorded { rule: Some(n), ..recorded.clone() });
        let mut books = till.books.clone();
        let fed = books.feed(&[Fact::new(&head, till.now, &body)]);
        assert_eq!(fed.err().map(|error| error.code()), refused, "{n}");
        assert_eq!(books.early().len(), usize::from(n == 3));
    }
}

/// A book of issuer 1 with a first rule.
fn issued() -> (Till, crate::SecretKey) {
    let (mut till, key) = (Till::instant(), crate::SecretKey::new(&[1; 32]));
    let step = till.book().set_issuer(key.public(), None, till.now).unwrap();
    till.commit(&step);
    till.rule(&[("ann", "rest")]);
    (till, key)
}

fn refused(books: &Books, head: &Head, body: &Body) -> Option<Code> {
    let fact = Fact::new(head, secs(9_000), body);
    books.clone().feed(&[fact]).err().map(|error| error.code())
}

#[test]
fn only_the_issuer_sets_a_rule_once_and_for_this_book() {
    let (mut till, key) = issued();
    let (from, legs) = (secs(2_000), standing(&[("bob", "rest")]));
    let unsigned = till.book().set_rule(from, legs.clone(), till.now).unwrap_err();
    assert_eq!(unsigned.code(), Code::SignatureWrong);
    let good = key.sign(&till.book().rule_to_sign(from, &legs));
    let other = crate::SecretKey::new(&[2; 32]);
    let head = till.book().rule_head.clone();
    let rule = |signature| RuleSet { signature, ..RuleSet::plain(from, legs.clone()) };
    let late = RuleSet { from: secs(2_001), ..rule(Some(good)) };
    let for_cyd = RuleSet { legs: standing(&[("cyd", "rest")]), ..rule(Some(good)) };
    let at = |head: &Head, rule: &RuleSet, book: &str| {
        key.sign(&rule.statement(&name(book), &head.hash, head.n))
    };
    let elsewhere = at(&head, &rule(None), "c");
    let another_n = at(&Head { n: head.n + 1, ..head.clone() }, &rule(None), "b");
    let another_past = at(&Head { hash: Hash::default(), ..head.clone() }, &rule(None), "b");
    // Past every step of ours, as a hostile writer would: the fold itself refuses.
    for (what, body) in [
        ("nobody's", rule(None)),
        ("another's", rule(Some(other.sign(&till.book().rule_to_sign(from, &legs))))),
        ("for another moment", late),
        ("for other legs", for_cyd),
        ("for another book", rule(Some(elsewhere))),
        ("for another place", rule(Some(another_n))),
        ("for another past", rule(Some(another_past))),
    ] {
        let code = refused(&till.books, &head, &Body::RuleSet(body));
        assert_eq!(code, Some(Code::SignatureWrong), "{what}");
    }
    let step = till.book().set_rule_signed(from, legs.clone(), good, till.now).unwrap();
    till.commit(&step);
    let again = till.book().set_rule_signed(from, legs, good, till.now).unwrap_err();
    assert_eq!(again.code(), Code::SignatureWrong, "the same signature twice");
    till.now = secs(2_000);
    till.record("1", 100);
    assert_eq!(till.places("bob")[0], 100);
    let mut verify = Verify::new();
    verify.feed(&till.facts).unwrap();
    verify.finish().unwrap().compare(&till.books).unwrap();
}

#[test]
fn a_key_is_handed_over_by_the_key_before() {
    let (mut till, old) = issued();
    let new = crate::SecretKey::new(&[2; 32]);
    let head = till.book().rule_head.clone();
    let to_sign = till.book().issuer_to_sign(new.public());
    for signature in [None, Some(new.sign(&to_sign))] {
        let set = crate::IssuerSet { key: new.public(), signature };
        let code = refused(&till.books, &head, &Body::IssuerSet(set));
        assert_eq!(code, Some(Code::SignatureWrong));
    }
    let step = till.book().set_issuer(new.public(), Some(old.sign(&to_sign)), till.now).unwrap();
    till.commit(&step);
    let (from, legs) = (secs(2_000), standing(&[("bob", "rest")]));
    let to_sign = till.book().rule_to_sign(from, &legs);
    let by = |key: &crate::SecretKey| {
        till.book().set_rule_signed(from, legs.clone(), key.sign(&to_sign), till.now)
    };
    assert_eq!(by(&old).unwrap_err().code(), Code::SignatureWrong);
    let step = by(&new).unwrap();
    till.commit(&step);
    // The number of a rule is its place: keys stand between.
    let facts = till.book().record(&[payment("1", 1, from)], till.now).unwrap();
    let Body::Recorded(recorded) = facts[0].body().unwrap() else { panic!("recorded") };
    assert_eq!(recorded.rule, Some(4));
    let cursor = crate::Cursor { epoch: "e".into(), position: 1, within: 0 };
    let (restored, _) = Books::from_checkpoint(&till.books.checkpoint(&cursor)).unwrap();
    assert_eq!(restored.book("b").unwrap().issuer(), Some(&new.public()));
}

#[test]
fn a_book_without_an_issuer_takes_no_signature_and_no_weak_key() {
    let mut till = Till::instant();
    till.rule(&[("ann", "rest")]);
    let key = crate::SecretKey::new(&[1; 32]);
    let (from, legs) = (secs(2_000), standing(&[("bob", "rest")]));
    let signature = key.sign(&till.book().rule_to_sign(from, &legs));
    let signed = till.book().set_rule_signed(from, legs, signature, till.now).unwrap_err();
    assert_eq!(signed.code(), Code::SignatureWrong);
    // The identity: anyone can sign for it.
    let weak: PublicKey = serde_json::from_str(&format!("\"01{}\"", "0".repeat(62))).unwrap();
    let weak = till.book().set_issuer(weak, None, till.now).unwrap_err();
    assert_eq!(weak.code(), Code::SignatureWrong);
}
