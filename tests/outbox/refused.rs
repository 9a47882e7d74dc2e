//! Receivers that fail: they are told again by a schedule, in order, and silenced at the end.

use divvy::WebhookSettings;
use divvy::core::{Code, Silence};

use crate::desk::{APP, BOOK, Desk, Folder, LONELY, at, name, settings};
use crate::receiver::{Receiver, Reply};

async fn shop(folder: &Folder, url: &str) -> Desk {
    let mut desk = Desk::alone(folder, url).await;
    desk.open(3).await;
    desk.tick(1).await;
    desk
}

on_each_host!(whatever_is_not_a_yes_is_told_again_and_the_rest_waits_behind_it);

/// Goal: whatever is not a yes is told again, not sooner than it should be, and everything else
/// waits behind it. Method: the first message gets each kind of no.
async fn whatever_is_not_a_yes_is_told_again_and_the_rest_waits_behind_it(folder: Folder) {
    #[rustfmt::skip]
    let table = [
        // no                                                              not before, later
        (Reply::Status(500, ""),                                           5),
        (Reply::Status(400, ""),                                           5),
        (Reply::Status(302, "location: http://127.0.0.1:9/\r\n"),          5),
        (Reply::Status(429, "retry-after: 900\r\n"),                       900),
        (Reply::Status(503, "retry-after: 7\r\n"),                         7),
        (Reply::Status(503, "retry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n"), 5),
        (Reply::HangUp,                                                    5),
        // It is waited for, for a quarter of a minute.
        (Reply::Silence,                                                   5),
    ];
    for (no, secs) in table {
        let first = no.clone();
        let script = move |place, _: &_| {
            if place == 0 { first.clone() } else { Reply::Status(200, "") }
        };
        let (folder, receiver) = (folder.another(), Receiver::start(script));
        let mut desk = shop(&folder, &receiver.url).await;
        desk.hold("fan-001", 10).await;
        let tick = desk.tick(10).await;
        assert_eq!((tick.told, tick.untold), (0, 1), "{no:?}");
        let waits = desk.endpoint().failing.clone().unwrap().not_before;
        assert!(waits >= at(10 + secs) && waits <= at(10 + secs + 1), "{no:?}: {waits}");
        assert_eq!(desk.worker.not_before().map(|wanted| wanted <= waits), Some(true));
        desk.tick(10 + secs - 1).await;
        assert_eq!(receiver.got().len(), 1, "{no:?}: it waits");
        assert_eq!(desk.tick(10 + secs + 1).await.told, 2, "{no:?}");
        let kinds: Vec<String> = receiver.got().iter().map(|got| got.kind()).collect();
        assert_eq!(kinds, ["held", "held", "released"], "{no:?}: in order");
        let ids = receiver.ids();
        assert_eq!(ids[0], ids[1], "{no:?}");
        assert_eq!(desk.endpoint().failing, None);
        desk.divvy.verify().await.unwrap();
    }
}

on_each_host!(a_redirection_leads_nowhere);

async fn a_redirection_leads_nowhere(folder: Folder) {
    let elsewhere = Receiver::willing();
    let url: &'static str = Box::leak(format!("location: {}\r\n", elsewhere.url).into());
    let receiver = Receiver::start(move |_, _| Reply::Status(307, url));
    let mut desk = shop(&folder, &receiver.url).await;
    desk.hold("fan-001", 10).await;
    assert_eq!(desk.tick(10).await.untold, 1);
    assert_eq!((receiver.got().len(), elsewhere.got().len()), (1, 0));
}

on_each_host!(whoever_says_that_it_is_gone_is_told_nothing_more_until_a_person_resumes_it);

async fn whoever_says_that_it_is_gone_is_told_nothing_more_until_a_person_resumes_it(
    folder: Folder,
) {
    let script = |place, _: &_| Reply::Status(if place == 0 { 410 } else { 200 }, "");
    let receiver = Receiver::start(script);
    let mut desk = shop(&folder, &receiver.url).await;
    desk.hold("fan-001", 10).await;
    desk.tick(10).await;
    let silenced = desk.endpoint().silenced.clone().unwrap();
    assert_eq!(silenced.cause, Silence::Gone);
    assert_eq!(desk.worker.obstacles()[0].code(), Code::WebhookUnheard);
    desk.hold("fan-002", 11).await;
    desk.tick(1_000_000).await;
    assert_eq!(receiver.got().len(), 1);
    let mut book = desk.divvy.book(BOOK).unwrap();
    book.resume_webhook(&name(APP), "it is back", at(1_000_001)).await.unwrap();
    assert_eq!(desk.tick(1_000_002).await.told, 4, "nothing is lost");
    assert_eq!(desk.worker.obstacles(), []);
    assert_eq!(receiver.ids()[0], receiver.ids()[1]);
}

on_each_host!(whoever_never_answers_is_tried_ten_times_and_then_told_nothing_more);

/// Goal: nobody is asked for ever. Method: days pass as fast as the schedule wants.
async fn whoever_never_answers_is_tried_ten_times_and_then_told_nothing_more(folder: Folder) {
    let receiver = Receiver::start(|_, _| Reply::Status(500, ""));
    let mut desk = shop(&folder, &receiver.url).await;
    desk.hold("fan-001", 10).await;
    let mut secs = 10;
    while desk.endpoint().silenced.is_none() {
        desk.tick(secs).await;
        let next = desk.endpoint().failing.as_ref().map_or(at(0), |failing| failing.not_before);
        secs = next.millis_since(at(0)).div_ceil(1_000).max(secs + 1);
        assert!(receiver.got().len() <= 10, "more than ten");
    }
    assert_eq!(receiver.got().len(), 10);
    assert!((3 * 86_400..4 * 86_400).contains(&secs), "{secs}");
    assert_eq!(desk.endpoint().silenced.clone().unwrap().cause, Silence::Exhausted);
    assert_eq!(desk.endpoint().failing_since, Some(at(10)));
    // Each attempt is signed at its own time: a receiver does not take what is days old.
    let got = receiver.got();
    assert!(got[9].is_signed_by(&folder.secrets()[0], at(secs)));
    assert!(!got[9].is_signed_by(&folder.secrets()[0], at(10)));
    // The count begins anew when it is resumed.
    let mut book = desk.divvy.book(BOOK).unwrap();
    book.resume_webhook(&name(APP), "they mended it", at(secs)).await.unwrap();
    desk.tick(secs + 1).await;
    assert_eq!(desk.endpoint().failing.clone().unwrap().attempts, 1);
}

on_each_host!(an_address_of_our_own_network_is_not_asked_unless_the_settings_say_so);

/// Goal: nobody who chooses an address makes us ask our own network.
async fn an_address_of_our_own_network_is_not_asked_unless_the_settings_say_so(folder: Folder) {
    let receiver = Receiver::willing();
    let port = receiver.url.rsplit(':').next().unwrap().split('/').next().unwrap();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001"] {
        let url = format!("https://{host}:{port}/hooks");
        let public = WebhookSettings { reach: divvy::Reach::Public, ..settings(&url) };
        let folder = folder.another();
        let mut desk = Desk::with(&folder, "db", public, LONELY).await;
        desk.open(3).await;
        desk.tick(1).await;
        desk.hold("fan-001", 10).await;
        assert_eq!(desk.tick(10).await.untold, 1, "{host}");
        assert_eq!(desk.endpoint().failing.clone().unwrap().reason, "no answer");
    }
    assert_eq!(receiver.got().len(), 0);
}
