//! Endpoints: what they have heard only grows, and who is silenced stays so until resumed.

use super::*;
use crate::{Alert, Books, Cursor, Day, Endpoint, Silence, Verify, WebhookHeard, WebhookUnheard};

const APP: &str = "app";

fn heard(count: u64, facts: u32, messages: u32) -> WebhookHeard {
    let (epoch, digest) = ("a1".to_owned(), Hash::of(b"facts"));
    WebhookHeard { count, digest, epoch, position: count, within: 0, facts, messages }
}

fn unheard(attempts: u32, not_before: Time) -> WebhookUnheard {
    let (id, reason) = ("evt_1".to_owned(), "no answer".to_owned());
    WebhookUnheard { id, attempts, not_before, reason }
}

impl Till {
    fn hears(&mut self, heard: &WebhookHeard) -> bool {
        let step = self.book().note_heard(&name(APP), heard, self.now);
        self.commit(&step);
        !step.facts().is_empty()
    }

    fn app(&self) -> &Endpoint {
        self.book().endpoint(APP).unwrap()
    }
}

#[test]
fn what_an_endpoint_has_heard_only_grows_but_for_another_timeline() {
    let mut till = Till::instant();
    assert_eq!(till.book().endpoint(APP).unwrap_err().code(), Code::WebhookUnknown);
    #[rustfmt::skip]
    let table = [
        // count  facts  messages  news
        (7,       0,     0,        true),
        (7,       0,     0,        false),
        (7,       2,     0,        true),
        (7,       2,     3,        true),
        (7,       2,     1,        false),
        (8,       1,     3,        false),
        (9,       0,     4,        true),
        (7,       3,     0,        true),
        (7,       0,     9,        false),
    ];
    for (count, facts, messages, news) in table {
        let heard = heard(count, facts, messages);
        assert_eq!(till.hears(&heard), news, "{count} {facts} {messages}");
    }
    let copy = WebhookHeard { epoch: "b2".into(), ..heard(1, 0, 0) };
    assert!(till.hears(&copy), "a copy may begin anew");
    assert_eq!(till.app().heard, copy);
}

#[test]
fn a_fact_that_goes_back_or_does_not_follow_is_refused() {
    let mut till = Till::instant();
    let stream = Stream::webhook(till.book().name(), &name(APP));
    let resumed = Body::WebhookResumed(crate::WebhookResumed { reason: "back".into() });
    let first = Fact::new(&Head::start(stream), till.now, &resumed);
    assert_eq!(till.books.clone().feed(&[first]).unwrap_err().code(), Code::FactMalformed);
    till.hears(&heard(7, 2, 0));
    let head = till.app().head.clone();
    let bodies = [
        Body::WebhookHeard(heard(7, 1, 9)),
        Body::WebhookHeard(heard(7, 2, 0)),
        resumed,
        Body::Released(crate::Released { reason: "it is another's".into() }),
    ];
    for body in bodies {
        let fact = Fact::new(&head, till.now, &body);
        let refused = till.books.clone().feed(&[fact]).unwrap_err();
        assert_eq!(refused.code(), Code::FactMalformed, "{body:?}");
    }
}

#[test]
fn an_endpoint_waits_after_a_failure_and_is_silent_until_it_is_resumed() {
    let mut till = Till::instant();
    till.hears(&heard(1, 0, 0));
    assert!(till.app().is_open(till.now));
    let (first, later) = (till.now, till.now.plus_secs(300));
    let step = till.book().note_unheard(&name(APP), &unheard(1, later), first).unwrap();
    till.commit(&step);
    assert!(!till.app().is_open(till.now) && till.app().is_open(later));
    till.now = later;
    let again = unheard(2, later.plus_secs(1_800));
    let step = till.book().note_unheard(&name(APP), &again, later).unwrap();
    till.commit(&step);
    assert_eq!(till.app().failing_since, Some(first), "as old as its first failure");

    let silence = |till: &Till| {
        till.book().silence_webhook(&name(APP), Silence::Gone, "410", till.now).unwrap()
    };
    let step = silence(&till);
    till.commit(&step);
    assert!(silence(&till).facts().is_empty(), "once");
    let step = till.book().note_unheard(&name(APP), &again, till.now).unwrap();
    assert!(step.facts().is_empty(), "who is silenced fails no more");
    assert!(!till.app().is_open(Time::MAX));
    // What was under way may have been heard all the same, and it stays silent.
    assert!(till.hears(&heard(2, 0, 0)) && !till.app().is_open(Time::MAX));

    let resume =
        |till: &Till| till.book().resume_webhook(&name(APP), "it is back", till.now).unwrap();
    let step = resume(&till);
    till.commit(&step);
    assert!(till.app().is_open(till.now));
    assert!(resume(&till).facts().is_empty(), "nothing keeps it");
}

#[test]
fn a_checkpoint_and_a_verification_know_the_same_endpoints() {
    let mut till = Till::instant();
    till.hears(&heard(1, 0, 0));
    let step = till.book().note_unheard(&name(APP), &unheard(1, Time::MAX), till.now).unwrap();
    till.commit(&step);
    let step = till.book().note_alerts(&[Alert::BalanceLow], till.now);
    till.commit(&step);
    let bytes = till.books.checkpoint(&Cursor::start("a1".into()));
    let (restored, _) = Books::from_checkpoint(&bytes).unwrap();
    let mut verify = Verify::new();
    verify.feed(&till.facts).unwrap();
    verify.finish().unwrap().compare(&restored).unwrap();
    // Planted: a live fold that has forgotten a failure.
    let mut verify = Verify::new();
    verify.feed(&till.facts).unwrap();
    let mut forgetful = restored;
    let book = forgetful.books.get_mut(till.book().name()).unwrap();
    book.endpoints.get_mut(APP).unwrap().failing = None;
    assert!(verify.finish().unwrap().compare(&forgetful).is_err());
}

/// Goal: whoever is told of alerts is told at once, and not in a flood.
#[test]
fn alerts_are_told_when_they_begin_and_calmly_when_they_end() {
    let mut till = Till::instant();
    let (low, short) = (Alert::BalanceLow, Alert::ShortOn(Day::of(till.now)));
    let next = Alert::ShortOn(Day::of(till.now).plus(1));
    #[rustfmt::skip]
    let table = [
        // secs  alerts             news
        (0,      vec![],            false),
        (0,      vec![low],         true),
        (1,      vec![low],         false),
        (1,      vec![],            false),
        (1,      vec![low, short],  true),
        (1,      vec![low, next],   false),
        (3_598,  vec![next],        false),
        (1,      vec![next],        true),
        (3_600,  vec![],            true),
        (1,      vec![low],         true),
    ];
    for (at, (secs, alerts, news)) in table.into_iter().enumerate() {
        till.now = till.now.plus_secs(secs);
        let step = till.book().note_alerts(&alerts, till.now);
        assert_eq!(!step.facts().is_empty(), news, "row {at}");
        till.commit(&step);
    }
}
