//! Goal: nothing above the limit of a day is signed before enough different people have signed
//! exactly what it pays, lately; and nobody changes who they are but they themselves.
//! Method: a till with two people of three, and histories that no honest planner writes.

use super::*;
use crate::{
    Approved, Consent, Decided, Guarded, Judge, KeyProof, Next, Person, SecretKey, Signature,
    Verify, Who,
};

const DAY_SECS: u64 = 86_400;
const EXPIRES_SECS: u64 = 3_600;

fn key(seed: u8) -> SecretKey {
    SecretKey::new(&[seed; 32])
}

fn people(names: &[(&str, u8)]) -> Vec<Person> {
    names.iter().map(|(who, seed)| Person { name: name(who), key: key(*seed).public() }).collect()
}

fn guarded(limit: u64, approvals: u32, names: &[(&str, u8)]) -> Guarded {
    let (limit, people, expires_secs) = (amount(limit), people(names), EXPIRES_SECS);
    Guarded { limit, approvals, people, expires_secs, consents: vec![], unsigned: None }
}

const THREE: [(&str, u8); 3] = [("ann", 1), ("bob", 2), ("cyd", 3)];

impl Till {
    /// Pays everything to eve; above 1.00 a day two of three people have to approve.
    fn guarded() -> Self {
        let mut till = Self::instant();
        till.rule(&[("eve", "rest")]);
        let step = till.book().guard(guarded(100, 2, &THREE), till.now).unwrap();
        till.commit(&step);
        till
    }

    fn plan_to_wait(&mut self) -> Batch {
        let lines = self.book().due(self.now).unwrap().remove(0).lines;
        let planned = Planned { rail: name("sandbox"), wallet: name("till"), lines };
        let step = self.book().plan_to_wait(&[(planned, amount(7))], self.now).unwrap();
        assert!(!step.releases_call());
        self.commit(&step);
        self.batch(&step.facts()[1].stream)
    }

    fn approved(&self, stream: &Stream, who: &str, seed: u8) -> Result<Step, Error> {
        let (batch, signed_at) = (self.batch(stream), self.now);
        let signature = key(seed).sign(&batch.approval(signed_at)?);
        self.books.approve(&batch, Approved { by: name(who), signed_at, signature }, self.now)
    }

    fn approve(&mut self, stream: &Stream, who: &str, seed: u8) {
        let step = self.approved(stream, who, seed).unwrap();
        self.commit(&step);
    }

    fn next(&self, stream: &Stream) -> Next {
        self.batch(stream).next(self.now, None, TIMING)
    }

    fn sign(&mut self, stream: &Stream) -> Result<Step, Error> {
        let batch = self.batch(stream);
        let signed = self.signed(batch.lines());
        self.books.sign(&batch, signed, self.now)
    }
}

#[test]
fn a_limit_counts_all_that_is_planned_of_one_day_and_not_each_batch() {
    let mut till = Till::guarded();
    till.record("1", 60);
    till.pay();
    assert_eq!(till.book().left_today(till.now), amount(40));
    till.record("2", 41);
    let lines = till.book().due(till.now).unwrap().remove(0).lines;
    let plan = till.plan_of(lines);
    let error = till.books.plan("b", std::slice::from_ref(&plan), till.now).unwrap_err();
    assert_eq!(error.code(), Code::ApprovalMissing);
    // The day after it is within the limit; exactly the limit is, too.
    till.now = secs(DAY_SECS);
    till.record("3", 59);
    let lines = till.book().due(till.now).unwrap().remove(0).lines;
    let plan = till.plan_of(lines);
    let step = till.books.plan("b", &[plan], till.now).unwrap();
    till.commit(&step);
    assert_eq!(till.book().left_today(till.now), Amount::ZERO);
    // A clock that goes back opens no day anew.
    assert_eq!(till.book().left_today(secs(1)), Amount::ZERO);
}

#[test]
fn above_the_limit_two_different_people_sign_exactly_what_is_paid() {
    let mut till = Till::guarded();
    till.record("1", 1_000);
    let stream = till.plan_to_wait().stream().clone();
    assert_eq!(till.places("eve"), [1_000, 0, 1_000, 0, 0]);
    assert_eq!((till.batch(&stream).state(), till.next(&stream)), (State::Planned, Next::Approve));
    assert_eq!(till.sign(&stream).unwrap_err().code(), Code::ApprovalMissing);
    // Somebody else's key, nobody's name, and a time that is still to come.
    assert_eq!(till.approved(&stream, "ann", 2).unwrap_err().code(), Code::SignatureWrong);
    assert_eq!(till.approved(&stream, "eve", 1).unwrap_err().code(), Code::SignatureWrong);
    let (batch, signed_at) = (till.batch(&stream), till.now.plus_secs(1));
    // They are asked for a fee, too: up to that, and not above it.
    batch.check_fee(amount(7)).unwrap();
    assert_eq!(batch.check_fee(amount(8)).unwrap_err().code(), Code::FeeAboveCeiling);
    let signature = key(1).sign(&batch.approval(signed_at).unwrap());
    let early = Approved { by: name("ann"), signed_at, signature };
    let error = till.books.approve(&batch, early, till.now).unwrap_err();
    assert_eq!(error.code(), Code::SignatureWrong);

    till.approve(&stream, "ann", 1);
    till.approve(&stream, "ann", 1);
    assert_eq!(till.next(&stream), Next::Approve, "the same person twice is one");
    till.approve(&stream, "cyd", 3);
    assert_eq!((till.batch(&stream).state(), till.next(&stream)), (State::Approved, Next::Sign));
    let step = till.sign(&stream).unwrap();
    assert!(step.releases_call());
    till.commit(&step);
    let late = till.approved(&stream, "bob", 2).unwrap_err();
    assert_eq!((late.code(), late.who()), (Code::BatchStale, Who::World), "nobody's fault");
    till.hear(&stream, Answer::Final);
    assert_eq!(till.places("eve"), [1_000, 0, 0, 1_000, 0]);
}

#[test]
fn an_approval_expires_and_the_same_person_may_approve_again() {
    let mut till = Till::guarded();
    till.record("1", 1_000);
    let stream = till.plan_to_wait().stream().clone();
    till.approve(&stream, "ann", 1);
    till.now = till.now.plus_secs(EXPIRES_SECS);
    till.approve(&stream, "bob", 2);
    assert_eq!(till.next(&stream), Next::Sign, "the last second counts");
    till.now = till.now.plus_secs(1);
    assert_eq!(till.next(&stream), Next::Approve);
    assert_eq!(till.sign(&stream).unwrap_err().code(), Code::ApprovalMissing);
    till.approve(&stream, "ann", 1);
    assert_eq!(till.next(&stream), Next::Sign);
    // A try that is proven void is signed anew only while the approvals count.
    let step = till.sign(&stream).unwrap();
    till.commit(&step);
    till.hear(&stream, Answer::Void);
    assert_eq!(till.next(&stream), Next::Sign);
    till.now = till.now.plus_secs(EXPIRES_SECS);
    assert_eq!(till.next(&stream), Next::Approve);
}

#[test]
fn what_is_planned_anew_needs_new_approvals() {
    let mut till = Till::guarded();
    till.record("1", 1_000);
    let first = till.plan_to_wait().stream().clone();
    till.approve(&first, "ann", 1);
    till.approve(&first, "bob", 2);
    let old = till.facts.iter().rev().find(|fact| fact.kind == "approved.1").unwrap().clone();
    let step = till.books.cancel(&till.batch(&first), "a line changed", till.now).unwrap();
    till.commit(&step);
    let second = till.plan_to_wait();
    assert_eq!(till.next(second.stream()), Next::Approve);
    let Ok(Body::Approved(old)) = old.body() else { panic!("an approval") };
    let error = till.books.approve(&second, old, till.now).unwrap_err();
    assert_eq!(error.code(), Code::SignatureWrong, "the same lines in another batch");
}

#[test]
fn a_changed_line_asset_ceiling_rail_or_wallet_is_another_statement() {
    let mut till = Till::guarded();
    till.record("1", 1_000);
    let batch = till.plan_to_wait();
    let own: Vec<Fact> =
        till.facts.iter().filter(|fact| fact.stream == *batch.stream()).cloned().collect();
    let digest = batch.approval(till.now).unwrap();
    let changes: [fn(&mut Planned, &mut crate::Asked); 7] = [
        |planned, _| planned.lines[0].amount = amount(999),
        |planned, _| planned.lines[0].payee = name("eva"),
        |planned, _| planned.lines[0].to = "eva".to_owned(),
        |planned, _| planned.rail = name("rail"),
        |planned, _| planned.wallet = name("purse"),
        |_, asked| asked.asset = Asset::parse("JPY").unwrap(),
        |_, asked| asked.fee_max = amount(8),
    ];
    for (i, change) in changes.iter().enumerate() {
        let (Ok(Body::Planned(mut planned)), Ok(Body::Asked(mut asked))) =
            (own[0].body(), own[1].body())
        else {
            panic!("planned and asked")
        };
        change(&mut planned, &mut asked);
        let bodies = [Body::Planned(planned), Body::Asked(asked)];
        let head = Head::start(batch.stream().clone());
        let other = Batch::fold(&Fact::chain(&head, till.now, &bodies)).unwrap();
        assert_ne!(other.approval(till.now).unwrap(), digest, "change {i}");
    }
}

/// What an old or a bad planner might write: the fold refuses it, in whatever order it comes.
#[test]
fn a_history_that_passes_a_limit_by_is_refused() {
    let mut till = Till::guarded();
    till.record("1", 1_000);
    let lines = till.book().due(till.now).unwrap().remove(0).lines;
    let signed = till.signed(&lines);
    let batch = till.plan_to_wait();
    let known = till.facts.len() - 3;
    let own: Vec<Body> = till.facts[known..].iter().map(|fact| fact.body().unwrap()).collect();
    let [run, planned, asked] = <[Body; 3]>::try_from(own).unwrap();
    let Body::Asked(asked) = asked else { panic!("asked") };
    let few = Body::Asked(crate::Asked { approvals: 1, ..asked.clone() });
    let others = Body::Asked(crate::Asked { people: people(&[("eve", 9)]), ..asked.clone() });
    let asked = Body::Asked(asked);
    let signed = Body::Signed(signed);
    let run_fact = till.facts[known].clone();
    for (what, bodies, code) in [
        ("asks nobody", vec![planned.clone(), signed.clone()], Code::ApprovalMissing),
        ("asks fewer", vec![planned.clone(), few], Code::ApprovalMissing),
        ("asks others", vec![planned.clone(), others], Code::ApprovalMissing),
        ("waits for nobody", vec![planned, asked, signed], Code::ApprovalMissing),
    ] {
        let Body::Run(run) = &run else { panic!("a run") };
        let chain = Fact::chain(&Head::start(batch.stream().clone()), till.now, &bodies);
        let digest = Hash::default().then(&chain[0].hash);
        let head =
            Head { stream: run_fact.stream.clone(), ..Head::after(&till.facts[guard(&till)]) };
        let run = Body::Run(crate::Run { digest, ..run.clone() });
        let run = Fact::new(&head, till.now, &run);
        for last in [false, true] {
            let mut facts = till.facts[..known].to_vec();
            facts.extend(chain.iter().cloned());
            facts.insert(if last { facts.len() } else { known }, run.clone());
            let mut books = Books::default();
            assert_eq!(books.feed(&facts).unwrap_err().code(), code, "{what}, run last: {last}");
            let verified = Verify::new().feed(&facts).unwrap_err();
            assert_eq!(verified.code(), code, "{what}, run last: {last}");
        }
    }
}

fn guard(till: &Till) -> usize {
    till.facts.iter().rposition(|fact| fact.kind == "guarded.1").unwrap()
}

#[test]
fn only_those_in_force_say_who_follows_them() {
    let mut till = Till::guarded();
    let consent = |till: &Till, guarded: &Guarded, who: &str, seed: u8| {
        let signature = key(seed).sign(&till.book().guard_digest(guarded));
        Consent { by: name(who), signature }
    };
    let next = guarded(500, 1, &[("dot", 4)]);
    let by = |consents: Vec<Consent>| Guarded { consents, ..next.clone() };
    let ann = consent(&till, &next, "ann", 1);
    let bob = consent(&till, &next, "bob", 2);
    let mut forged = bob.clone();
    forged.signature = ann.signature;
    let elsewhere = Consent { signature: key(2).sign(&Hash::of(b"another place")), ..bob.clone() };
    for (what, consents, code) in [
        ("nobody", vec![], Code::ApprovalMissing),
        ("one", vec![ann.clone()], Code::ApprovalMissing),
        ("one, twice", vec![ann.clone(), ann.clone()], Code::ApprovalMissing),
        ("forged", vec![ann.clone(), forged], Code::SignatureWrong),
        ("elsewhere", vec![ann.clone(), elsewhere], Code::SignatureWrong),
        ("the new one", vec![ann.clone(), consent(&till, &next, "dot", 4)], Code::SignatureWrong),
    ] {
        let error = till.book().guard(by(consents), till.now).unwrap_err();
        assert_eq!(error.code(), code, "{what}");
    }
    let step = till.book().guard(by(vec![ann, bob]), till.now).unwrap();
    till.commit(&step);
    assert_eq!(till.book().left_today(till.now), amount(500));
    // What is asked from now on is asked of the new one.
    till.record("1", 1_000);
    let stream = till.plan_to_wait().stream().clone();
    assert_eq!(till.approved(&stream, "ann", 1).unwrap_err().code(), Code::SignatureWrong);
    till.approve(&stream, "dot", 4);
    assert_eq!(till.next(&stream), Next::Sign);
}

#[test]
fn a_guard_that_nobody_could_satisfy_is_refused() {
    let till = Till::guarded();
    let weak = serde_json::from_value(serde_json::json!("00".repeat(32))).unwrap();
    let mut helpless = guarded(1, 1, &[("ann", 1)]);
    helpless.people[0].key = weak;
    let crowd: Vec<(String, u8)> = (0..33).map(|n| (format!("p{n}"), n)).collect();
    let crowd: Vec<(&str, u8)> = crowd.iter().map(|(who, n)| (who.as_str(), *n)).collect();
    for (what, guarded) in [
        ("nobody", guarded(1, 1, &[])),
        ("no approval", guarded(1, 0, &[("ann", 1)])),
        ("more than there are", guarded(1, 2, &[("ann", 1)])),
        ("one name twice", guarded(1, 1, &[("ann", 1), ("ann", 2)])),
        ("one key twice", guarded(1, 2, &[("ann", 1), ("bob", 1)])),
        ("a key that signs everything", helpless),
        ("a crowd", guarded(1, 1, &crowd)),
    ] {
        let error = till.book().guard(guarded, till.now).unwrap_err();
        assert_eq!(error.code(), Code::InputMalformed, "{what}");
    }
    let open = Till::instant();
    let planned = Planned { rail: name("sandbox"), wallet: name("till"), lines: vec![] };
    let error = open.book().plan_to_wait(&[(planned, Amount::ZERO)], open.now).unwrap_err();
    assert_eq!(error.code(), Code::ApprovalMissing);
}

/// Streams may be read in any order among themselves: a decision waits for the key that signed it.
#[test]
fn every_order_of_streams_gives_the_same_guards() {
    let mut till = Till::guarded();
    till.record("1", 1_000);
    let stream = till.plan_to_wait().stream().clone();
    till.approve(&stream, "ann", 1);
    till.approve(&stream, "bob", 2);
    let step = till.sign(&stream).unwrap();
    till.commit(&step);
    let mut streams: BTreeMap<Stream, Vec<Fact>> = BTreeMap::new();
    for fact in &till.facts {
        streams.entry(fact.stream.clone()).or_default().push(fact.clone());
    }
    let orders: Vec<Vec<Fact>> = vec![
        streams.values().flatten().cloned().collect(),
        streams.values().rev().flatten().cloned().collect(),
    ];
    for facts in orders {
        let mut books = Books::default();
        books.feed(&facts).unwrap();
        assert_eq!(books.early(), []);
        let (fold, live) = (books.book("b").unwrap(), till.book());
        assert_eq!((&fold.guards, &fold.guarded_runs), (&live.guards, &live.guarded_runs));
        assert_eq!((fold.day, fold.batch_state(&stream)), (live.day, live.batch_state(&stream)));
        fold.check().unwrap();
        let bytes =
            books.checkpoint(&crate::Cursor { epoch: String::new(), position: 1, within: 0 });
        let (restored, _) = Books::from_checkpoint(&bytes).unwrap();
        fold.compare(restored.book("b").unwrap()).unwrap();
    }
}

#[test]
fn a_decision_is_signed_by_one_whom_the_book_knows() {
    let till = Till::guarded();
    let bodies = [Body::Released(crate::Released { reason: "asked".into() })];
    let head = till.book().payee_head(&name("eve"));
    let judge = |who: &str, key| Judge { by: name(who), reason: "they rang".into(), key };
    let (ann, eve) = (key(1), key(9));
    let decide = |judge: &Judge<'_>| till.book().decided(&head, &bodies, judge);
    for (what, judge) in [
        ("nobody's key", judge("ann", None)),
        ("another's key", judge("ann", Some(&eve))),
        ("a stranger", judge("eve", Some(&eve))),
    ] {
        assert_eq!(decide(&judge).unwrap_err().code(), Code::SignatureWrong, "{what}");
    }
    let silent = Judge { by: name("ann"), reason: " ".into(), key: Some(&ann) };
    assert_eq!(decide(&silent).unwrap_err().code(), Code::InputMalformed);
    let Body::Decided(decided) = decide(&judge("ann", Some(&ann))).unwrap() else {
        panic!("a decision")
    };
    let Some(KeyProof { guard, signature }) = decided.proof.clone() else { panic!("a signature") };
    assert_eq!(guard, 0);
    let other = |proof| Body::Decided(Decided { proof, ..decided.clone() });
    let wrong: Signature = key(2).sign(&decided.digest_at(&head.stream, head.n));
    for (what, body, code) in [
        ("signed", other(Some(KeyProof { guard, signature })), None),
        (
            "by another",
            other(Some(KeyProof { guard, signature: wrong })),
            Some(Code::SignatureWrong),
        ),
    ] {
        let mut books = till.books.clone();
        let fed = books.feed(&[Fact::new(&head, till.now, &body)]);
        assert_eq!(fed.err().map(|error| error.code()), code, "{what}");
    }
    // Where nobody is known, a name without a signature is all that there is.
    let mut open = Till::instant();
    open.rule(&[("eve", "rest")]);
    let decided = open.book().decided(&head, &bodies, &judge("ann", None)).unwrap();
    assert!(matches!(decided, Body::Decided(Decided { proof: None, .. })));
}
