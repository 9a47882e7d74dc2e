//! Goal: what a person decides is theirs by name and signature, nothing but what they decided
//! follows, and money that moved is never taken for unmoved where a rail could tell.
//! Method: a till whose try was sent once and forgotten, and each way of deciding about it.

use super::*;
use crate::{
    Entry, Guarded, Judge, Person, Resolution, SecretKey, Stranger, Terms, Time, Verdict, Verify,
    Window, reconcile,
};

fn ann() -> SecretKey {
    SecretKey::new(&[1; 32])
}

fn listed(stream: &Stream, reference: &str, answer: Answer) -> Stranger {
    let (batch, reference) = (stream.clone(), reference.to_owned());
    Stranger { batch, reference, lines: vec![], answer, evidence: evidence() }
}

fn resolution(verdict: Verdict, listing: Option<Vec<Stranger>>) -> Resolution {
    Resolution { verdict, reference: None, evidence: evidence(), listing, timing: TIMING }
}

fn judge(key: Option<&SecretKey>) -> Judge<'_> {
    Judge { by: name("ann"), reason: "I rang the bank".into(), key }
}

impl Till {
    /// Pays ann's book once; nobody knows what became of it, and the time for it is over.
    fn in_review(guarded: bool) -> (Self, Stream) {
        let mut till = Self::instant();
        till.rule(&[("eve", "rest")]);
        if guarded {
            let people = vec![Person { name: name("ann"), key: ann().public() }];
            let (limit, consents) = (Amount::MAX, vec![]);
            let (approvals, expires_secs, unsigned) = (1, 60, None);
            let guarded = Guarded { limit, approvals, people, expires_secs, consents, unsigned };
            let step = till.book().guard(guarded, till.now).unwrap();
            till.commit(&step);
        }
        till.record("1", 100);
        let lines = till.book().due(till.now).unwrap().remove(0).lines;
        let mut plan = till.plan_of(lines);
        plan.signed.window = Window::Once;
        let step = till.books.plan("b", &[plan], till.now).unwrap();
        till.commit(&step);
        let stream = step.facts()[1].stream.clone();
        till.now = till.now.plus_secs(361);
        till.hear(&stream, Answer::Unknown);
        assert_eq!(till.book().batch_state(&stream), Some(State::Review));
        (till, stream)
    }

    fn resolve(&self, stream: &Stream, how: &Resolution, judge: &Judge<'_>) -> Result<Step, Error> {
        self.books.resolve(&self.batch(stream), how, judge, self.now)
    }

    fn verify(&self) -> Result<(), Error> {
        let mut verify = Verify::new();
        verify.feed(&self.facts)?;
        verify.finish().map(drop)
    }
}

#[test]
fn each_verdict_puts_the_money_where_it_says() {
    #[rustfmt::skip]
    let table = [
        // verdict          state           earned payable reserved paid owed
        (Verdict::Settled,  State::Settled, [100,  0,      0,       100, 0]),
        (Verdict::Void,     State::Void,    [100,  0,      100,     0,   0]),
        (Verdict::Refused,  State::Refused, [100,  100,    0,       0,   0]),
    ];
    for (verdict, state, places) in table {
        let (mut till, stream) = Till::in_review(true);
        let key = ann();
        let step = till.resolve(&stream, &resolution(verdict, Some(vec![])), &judge(Some(&key)));
        till.commit(&step.unwrap());
        assert_eq!(till.book().batch_state(&stream), Some(state), "{verdict:?}");
        assert_eq!(till.places("eve"), places, "{verdict:?}");
        till.verify().unwrap();
        let error = till.resolve(&stream, &resolution(verdict, None), &judge(Some(&key)));
        assert_eq!(error.unwrap_err().code(), Code::ReviewOver, "{verdict:?} twice");
    }
}

#[test]
fn unmoved_needs_the_rails_own_listing_from_after_the_grace() {
    for verdict in [Verdict::Void, Verdict::Refused] {
        let (mut till, stream) = Till::in_review(false);
        let table = [
            ("no listing", None, false),
            ("final", Some(vec![listed(&stream, "try 1", Answer::Final)]), false),
            ("accepted", Some(vec![listed(&stream, "try 1", Answer::Accepted)]), false),
            ("unknown", Some(vec![listed(&stream, "try 1", Answer::Unknown)]), false),
            ("another try", Some(vec![listed(&stream, "try 9", Answer::Final)]), true),
            ("none", Some(vec![]), true),
        ];
        for (what, listing, counts) in table {
            let found = till.resolve(&stream, &resolution(verdict, listing), &judge(None));
            let code = found.err().map(|error| error.code());
            assert_eq!(code.is_none(), counts, "{verdict:?}, {what}");
            assert!(code.is_none_or(|code| code == Code::ReviewUnproven), "{verdict:?}, {what}");
        }
        till.now = Time::ZERO;
        let batch = till.batch(&stream);
        let books = Books { newest: Time::ZERO, ..till.books.clone() };
        let early = books.resolve(
            &batch,
            &resolution(verdict, Some(vec![])),
            &judge(None),
            batch.tries()[0].signed.deadline,
        );
        assert_eq!(early.unwrap_err().code(), Code::ReviewUnproven, "{verdict:?}, too early");
    }
}

/// Whoever was wrong, the rail's own word later settles it, and what is paid twice is owed back.
#[test]
fn evidence_beats_a_judgement_and_a_second_payment_is_owed_back() {
    let (mut till, stream) = Till::in_review(true);
    let key = ann();
    let how = resolution(Verdict::Refused, Some(vec![]));
    let step = till.resolve(&stream, &how, &judge(Some(&key))).unwrap();
    till.commit(&step);
    let release = till.book().release(&name("eve"), "proven", till.now).unwrap();
    let step = till.books.decide(release, &judge(Some(&key))).unwrap();
    till.commit(&step);
    let again = till.pay();
    till.hear(again.stream(), Answer::Final);
    till.hear(&stream, Answer::Final);
    assert_eq!(till.places("eve"), [100, 0, 0, 200, 100]);
    till.verify().unwrap();
}

/// A rail that remembers nothing says nothing later either: a statement shows what somebody was
/// wrong about, and a person says so.
#[test]
fn a_wrong_void_ends_in_owed_back_and_a_break_and_is_never_lost() {
    let (mut till, stream) = Till::in_review(true);
    let key = ann();
    let step = till.resolve(&stream, &resolution(Verdict::Void, Some(vec![])), &judge(Some(&key)));
    till.commit(&step.unwrap());
    let batch = till.batch(&stream);
    let signed = till.signed(batch.lines());
    let step = till.books.sign(&batch, signed, till.now).unwrap();
    till.commit(&step);
    let again = till.batch(&stream).tries()[1].signed.reference.clone();
    till.hear(&stream, Answer::Final);
    assert_eq!(till.places("eve"), [100, 0, 0, 100, 0]);

    // The statement has both tries, and our books one of them.
    let usd = Asset::parse("USD").unwrap();
    let theirs = [batch.tries()[0].signed.reference.as_str(), again.as_str()]
        .map(|reference| Entry::paid(reference, amount(100), usd.clone(), till.now));
    let ours = [Entry::paid(&again, amount(100), usd, till.now)];
    let until = till.now.plus_secs(1);
    let terms = Terms { statement_until: until, ours_until: until, tolerance: Amount::ZERO };
    let found = reconcile(&ours, &theirs, &terms);
    let step = till.book().note_breaks(&found, &evidence(), till.now).unwrap();
    till.commit(&step);
    assert_eq!(till.book().breaks().count(), 1);

    let settled = resolution(Verdict::Settled, None);
    let other = Resolution { reference: Some(again), ..settled.clone() };
    let error = till.resolve(&stream, &other, &judge(Some(&key))).unwrap_err();
    assert_eq!(error.code(), Code::ReviewOver, "that one is settled");
    let step = till.resolve(&stream, &settled, &judge(Some(&key))).unwrap();
    till.commit(&step);
    assert_eq!(till.places("eve"), [100, 0, 0, 200, 100]);
    till.record("2", 150);
    assert_eq!(till.places("eve"), [250, 50, 0, 200, 0], "it comes off the next");
    till.verify().unwrap();
}

#[test]
fn nothing_but_what_was_decided_follows_from_a_decision() {
    let (mut till, stream) = Till::in_review(true);
    let key = ann();
    let step = till.resolve(&stream, &resolution(Verdict::Settled, None), &judge(Some(&key)));
    let step = step.unwrap();
    let [decided, settled] = <[Fact; 2]>::try_from(step.facts().to_vec()).unwrap();
    let Ok(Body::Settled(mut other)) = settled.body() else { panic!("settled") };
    other.evidence.said = "another letter".into();
    let forged = Fact::new(&Head::after(&decided), till.now, &Body::Settled(other));
    for (what, follows) in [("another", vec![forged]), ("nothing", vec![])] {
        let mut facts = till.facts.clone();
        facts.push(decided.clone());
        facts.extend(follows);
        let mut verify = Verify::new();
        let found = verify.feed(&facts).and_then(|()| verify.finish().map(drop));
        assert_eq!(found.unwrap_err().code(), Code::FactTampered, "{what}");
    }
    till.commit(&step);
    till.verify().unwrap();
}

#[test]
fn a_book_that_knows_keys_takes_no_unsigned_decision() {
    let (till, stream) = Till::in_review(true);
    let how = resolution(Verdict::Settled, None);
    let stranger = SecretKey::new(&[9; 32]);
    for key in [None, Some(&stranger)] {
        let error = till.resolve(&stream, &how, &judge(key)).unwrap_err();
        assert_eq!(error.code(), Code::SignatureWrong);
    }
    let (mut open, stream) = Till::in_review(false);
    let step = open.resolve(&stream, &how, &judge(None)).unwrap();
    let sentence = step.facts()[0].body().unwrap();
    assert!(matches!(sentence, Body::Decided(crate::Decided { proof: None, .. })));
    open.commit(&step);
    open.verify().unwrap();
}
