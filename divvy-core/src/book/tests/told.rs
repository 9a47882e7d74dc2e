//! Goal: every unit can be explained: each sentence and each change of every story is as frozen in
//! `told.txt` beside this, and what happened in another book is no part of it.
//! Method: one till in which nearly everything happens; the same facts again under another name.

use std::collections::BTreeSet;

use super::*;
use crate::danger::{VouchedReversal, vouched_reversal};
use crate::{
    Alert, BreakCause, Brought, Cause, Day, Explanation, FeeShare, FeesSet, Funds, Guarded, Judge,
    Level, Movement, Period, Person, PoolOpened, Purpose, SecretKey, Subject, TermsSet, Tier,
    Upline, WebhookHeard, WebhookUnheard,
};

const STORIES: &str = include_str!("told.txt");

impl Till {
    fn took(&mut self, step: Result<Step, Error>) {
        self.commit(&step.unwrap());
    }

    /// Money of a payment that goes back, and comes again where that is asked for.
    fn go_back(&mut self, id: &str, (as_id, minor): (&str, u64), cause: Cause, again: bool) {
        let stream = paid_in(id);
        let own = |till: &Self| -> Vec<Fact> {
            till.facts.iter().filter(|fact| fact.stream == stream).cloned().collect()
        };
        let (payment, id, event_at) = (stream.clone(), as_id.to_owned(), self.now);
        let amount = amount(minor);
        let back = VouchedReversal { payment, id, cause, amount, event_at, evidence: evidence() };
        let movement = Movement::fold(&own(self)).unwrap();
        let fact = movement.reverse(&vouched_reversal(back), self.now).unwrap().unwrap();
        self.commit(&Step::new(vec![fact], vec![]));
        if again {
            let movement = Movement::fold(&own(self)).unwrap();
            let fact = movement.restore(as_id, self.now, &evidence(), self.now).unwrap().unwrap();
            self.commit(&Step::new(vec![fact], vec![]));
        }
    }

    fn funds(&mut self, id: &str, purpose: Purpose) {
        let (amount, event_at) = (amount(5), self.now);
        let funds = Funds { id: id.into(), purpose, amount, event_at, evidence: evidence() };
        self.took(self.book().note_funds(&[funds], self.now));
    }

    /// All stories of the till, each under a heading.
    fn stories(&self, facts: &[Fact]) -> String {
        let (book, mut told) = (name("b"), String::new());
        let payees = ["ann", "bob", "fee", "fund"].map(name);
        let payee = |payee: Name| Subject::Payee { book: book.clone(), payee };
        let mut subjects: Vec<_> = payees.into_iter().map(payee).collect();
        let streams: BTreeSet<_> = self.facts.iter().map(|fact| &fact.stream).collect();
        for stream in streams.into_iter().cloned() {
            subjects.push(match stream.as_str().split_once('/').unwrap().0 {
                "payment" => Subject::Payment(stream),
                "batch" => Subject::Batch(stream),
                "treasury" => Subject::Treasury(stream),
                "break" => Subject::Break(stream),
                "rule" => Subject::Rules(stream),
                "run" => Subject::Runs(stream),
                "webhook" => Subject::Webhook(stream),
                _ => continue,
            });
        }
        for subject in subjects {
            let heading = match &subject {
                Subject::Payee { payee, .. } => format!("payee {payee}"),
                Subject::Payment(stream)
                | Subject::Batch(stream)
                | Subject::Treasury(stream)
                | Subject::Break(stream)
                | Subject::Rules(stream)
                | Subject::Runs(stream)
                | Subject::Webhook(stream) => stream.to_string(),
            };
            told += &format!("## {heading}\n");
            let mut story = Explanation::new(subject, Asset::parse("USD").unwrap()).unwrap();
            story.feed(facts).unwrap();
            for chapter in story.finish() {
                let change = chapter.change.as_deref().unwrap_or("-");
                told += &format!("{change} | {}\n", chapter.sentence);
            }
            told += "\n";
        }
        told
    }
}

fn paid_in(id: &str) -> Stream {
    Stream::payment(&name("till"), &name("main"), &name(id))
}

/// The same happenings in a book of another name.
fn elsewhere(fact: &Fact) -> Option<Fact> {
    let (room, rest) = fact.stream.as_str().split_once('/')?;
    let (book, rest) = rest
        .split_once('/')
        .map_or((rest, String::new()), |(book, rest)| (book, format!("/{rest}")));
    (book == "b").then(|| {
        let stream = Stream::parse(&format!("{room}/c{rest}")).unwrap();
        let head = Head { stream, n: fact.n, hash: Hash::default() };
        Fact::new(&head, fact.at, &fact.body().unwrap())
    })
}

/// Ann, bob and the fund hold units; the fund is a pool's payee; money comes, goes and comes back.
fn busy() -> Till {
    let mut till = Till::instant();
    let (supply, units) = (|n| Units::new(n).unwrap(), |n| Units::new(n).unwrap());
    let inner = PoolOpened {
        supply: supply(2),
        flow_millis: None,
        proofs: None,
        payee: Some(name("fund")),
    };
    till.took(till.book().open_pool_with(&name("inner"), inner, till.now));
    till.took(till.book().issue_units("inner", &[(name("bob"), units(2))], till.now));
    let flowing =
        PoolOpened { supply: supply(10), flow_millis: Some(10_000), proofs: None, payee: None };
    till.took(till.book().open_pool_with(&name("slow"), flowing, till.now));
    till.took(till.book().issue_units("slow", &[(name("ann"), units(3))], till.now));
    till.pool("all", &[("ann", 2), ("bob", 1), ("fund", 1)]);
    till.rule(&[("fee", "10%"), ("*slow", "10%"), ("*all", "rest")]);
    till.record("1", 1_000);
    till.record("2", 400);
    (0..3).for_each(|_| till.declare());
    till.now = till.now.plus_secs(5);
    till.declare();
    till.took(till.book().move_holding("all", &name("ann"), &name("bob"), units(1), till.now));
    till.took(till.book().redeem_units("slow", &name("ann"), units(1), till.now));
    till.go_back("1", ("re", 500), Cause::Refund, true);
    till.go_back("2", ("dp", 100), Cause::Dispute, false);
    till.go_back("2", ("fa", 100), Cause::Failure, false);
    till.declare();
    till
}

fn choices(till: &mut Till) {
    let brought = Brought { earned: amount(7), paid: amount(2), evidence: evidence() };
    till.took(till.book().bring(&[(name("bob"), brought)], till.now));
    till.destination("ann", "a1");
    till.policy("ann", threshold(30, None));
    till.policy("ann", Policy::Periodic { every: Period::Monthly, min: Some(amount(3)) });
    till.policy("ann", Policy::Periodic { every: Period::WEEKLY, min: None });
    till.policy("ann", Policy::Instant);
    for (bps, waits_secs) in [(205, None), (50, Some(60))] {
        let fee_share = Some(FeeShare::AtMost { bps, waits_secs });
        let set = TermsSet { fee_share, ..TermsSet::NONE };
        till.took(till.book().set_payee_terms(&name("bob"), set, till.now));
    }
    let fee_share = Some(FeeShare::Any);
    let everyone = TermsSet { floor: Some(amount(1)), fee_share, ..TermsSet::NONE };
    till.took(till.book().set_terms(everyone, till.now));
    let set = TermsSet { fee_share, ..TermsSet::NONE };
    till.took(till.book().set_payee_terms(&name("bob"), set, till.now));
    till.took(Ok(till.book().hold(&name("bob"), "he moves", None, till.now)));
    let release = till.book().release(&name("bob"), "he has moved", till.now).unwrap();
    let judge = Judge { by: name("cyd"), reason: "he rang".into(), key: None };
    till.took(till.books.decide(release, &judge));
    let fees = FeesSet { ceiling: Some(amount(90)), borne_max: Some(amount(3)) };
    till.took(till.book().set_fees(fees, till.now));
    let fees = FeesSet { ceiling: None, borne_max: None };
    till.took(till.book().set_fees(fees, till.now));
}

/// A batch of everyone through every state, its last words in no order that a rail would say them.
fn payouts(till: &mut Till) {
    till.now = till.now.plus_secs(COOLING_SECS);
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Accepted);
    till.hear(batch.stream(), Answer::Final);
    till.hear(batch.stream(), Answer::Undone);
    till.hear(batch.stream(), Answer::Final);
    let lines = vec![1];
    till.hear(batch.stream(), Answer::Returned { reason: "closed".into(), lines });
    till.record("3", 1_000);
    (0..3).for_each(|_| till.declare());
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Declined { reason: "empty".into() });
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Void);
    till.took(till.books.cancel(&till.batch(batch.stream()), "late", till.now));
    let batch = till.pay();
    till.hear(batch.stream(), Answer::Refused { reason: "unknown".into(), line: Some(0) });
}

/// A rule that counts: the fee comes first, and above fifty ann and bob share.
fn tiers(till: &mut Till) {
    till.took(till.book().refer(&[(name("ann"), name("bob"))], till.now));
    till.now = till.now.plus_secs(1);
    let legs = standing(&[("ann", "50%"), ("bob", "rest")]);
    let then = Tier { from: None, over: Some(amount(50)), legs };
    let rule = RuleSet {
        tiers: Some(vec![then]),
        ..RuleSet::plain(till.now, standing(&[("fee", "rest")]))
    };
    till.took(till.book().set_rule_whole(&rule, till.now));
    till.record("4", 100);
    till.record("5", 8);
    till.go_back("5", ("r5", 4), Cause::Refund, false);
    till.took(till.book().divide(till.now));
    till.go_back("4", ("r4", 10), Cause::Refund, false);
    let level = |text, most: Option<u64>| Level {
        portion: Ratio::parse(text).unwrap(),
        most: most.map(amount),
    };
    let upline = Upline {
        levels: vec![level("10%", None), level("5%", Some(500))],
        rest: Target::Payee("fee".into()),
        each_most: Some(amount(1_000)),
        most: Some(amount(2_000)),
    };
    till.now = till.now.plus_secs(1);
    let legs = standing(&[("fee", "rest")]);
    let rule = RuleSet { upline: Some(upline), ..RuleSet::plain(till.now, legs) };
    till.took(till.book().set_rule_whole(&rule, till.now));
}

/// What people of the desk did.
fn desk(till: &mut Till) {
    let on = Time::parse("2026-11-20T00:00:00Z").unwrap();
    for (id, purpose) in [
        ("f0", Purpose::Replenished),
        ("f1", Purpose::Withdrawn),
        ("f2", Purpose::FeeEarned),
        ("f3", Purpose::FeePaid),
        ("f4", Purpose::Expected(on)),
        ("f4", Purpose::Arrived),
        ("f5", Purpose::Expected(on)),
        ("f5", Purpose::Missed),
        ("f6", Purpose::CreditLimit),
        ("f7", Purpose::Drawn),
        ("f8", Purpose::Repaid),
        ("f9", Purpose::Reserve),
    ] {
        till.funds(id, purpose);
    }
    let week = Day::of(till.now);
    till.now = week.week().1.start();
    till.took(till.book().close_week(week, None, till.now));
    let alerts = [Alert::BalanceLow, Alert::ShortOn(week)];
    till.took(Ok(till.book().note_alerts(&alerts, till.now)));
    till.now = till.now.plus_secs(3_600);
    till.took(Ok(till.book().note_alerts(&[], till.now)));
    let usd = Asset::parse("USD").unwrap();
    let ours = crate::Entry::paid("po", amount(500), usd, till.now);
    let found = crate::reconcile(&[ours], &[], &crate::Terms::default());
    till.took(till.book().note_breaks(&found, &evidence(), till.now));
    let id = crate::break_id("po");
    let (id, cause) = (id.as_str(), BreakCause::Timing);
    till.took(till.book().explain_break(id, cause, "on Monday", till.now));
    till.took(till.book().close_break(id, "written off", till.now));
    let key = SecretKey::new(&[1; 32]);
    let people = vec![Person { name: name("cyd"), key: key.public() }];
    let (limit, consents, unsigned) = (amount(9), vec![], None);
    let guarded = Guarded { limit, approvals: 1, people, expires_secs: 60, consents, unsigned };
    till.took(till.book().guard(guarded, till.now));
    let heard = WebhookHeard {
        count: 3,
        digest: Hash::of(b"facts"),
        epoch: "a".into(),
        position: 3,
        within: 0,
        facts: 2,
        messages: 0,
    };
    till.took(Ok(till.book().note_heard(&name("app"), &heard, till.now)));
    let (id, reason, not_before) = ("evt".to_owned(), "no answer".to_owned(), secs(9));
    let unheard = WebhookUnheard { id, attempts: 2, not_before, reason };
    let step = till.book().note_unheard(&name("app"), &unheard, till.now);
    till.took(step);
}

#[test]
fn every_story_is_told_as_it_was_frozen() {
    let mut till = busy();
    choices(&mut till);
    payouts(&mut till);
    tiers(&mut till);
    desk(&mut till);
    let told = till.stories(&till.facts);
    let all: Vec<Fact> = till
        .facts
        .iter()
        .flat_map(|fact| [Some(fact.clone()), elsewhere(fact)])
        .flatten()
        .collect();
    assert!(all.len() > till.facts.len() + 20, "another book has a life as well");
    let both = till.stories(&all);
    // No payment is of two books, so nothing else declares it.
    let before = |told: &str| told.split_once("## payment").map(|(before, _)| before.to_owned());
    assert_eq!(before(&both), before(&told), "it is no part of this one");
    for (n, (told, frozen)) in told.lines().zip(STORIES.lines()).enumerate() {
        assert_eq!(told, frozen, "line {}", n + 1);
    }
    assert_eq!(told.lines().count(), STORIES.lines().count(), "{told}");
}
