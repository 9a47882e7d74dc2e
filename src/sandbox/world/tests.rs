//! The world alone: what it remembers, what it forgets, and what it does to a careless client.

use super::*;

const DAY: u64 = 86_400_000;

fn world(window: WindowKind) -> World {
    World::new(Terms { window, ..Terms::default() })
}

fn ask(method: &'static str, path: &str, now: u64, body: &str) -> Request {
    Request {
        method,
        url: format!("http://127.0.0.1:1{path}"),
        headers: vec![(NOW_HEADER, now.to_string())],
        body: body.as_bytes().to_vec(),
        deadline: Time::MAX,
    }
}

fn body(reference: &str, to: &str, rest: &str) -> String {
    let line = format!(r#"{{"to":"ann","amount":"90"}},{{"to":"{to}","amount":"10"}}"#);
    format!(r#"{{"reference":"{reference}","batch":"batch/b/0/0","lines":[{line}],{rest}}}"#)
}

/// Posts a try; the status, or 0 without a reply.
fn post(world: &mut World, now: u64, body: &str, fault: Fault) -> u16 {
    let outcome = world.serve(&ask("POST", "/tries", now, body), fault);
    outcome.reply.map_or(0, |reply| reply.status)
}

fn look(world: &mut World, now: u64, path: &str) -> (u16, String) {
    let reply = world.serve(&ask("GET", path, now, ""), Fault::None).reply.unwrap();
    (reply.status, String::from_utf8(reply.body).unwrap())
}

const UNTIL: &str = r#""window":{"until":300000}"#;

#[test]
fn a_key_that_was_forgotten_pays_a_careless_client_twice_and_a_careful_one_once() {
    let mut world = world(WindowKind::Until);
    let bytes = body("r", "bob", UNTIL);
    assert_eq!(post(&mut world, 0, &bytes, Fault::None), 200);
    assert_eq!(post(&mut world, 300_000, &bytes, Fault::None), 200);
    assert_eq!(world.moved(), 100, "inside its window it is the same try");
    assert_eq!(post(&mut world, 300_001, &bytes, Fault::None), 200);
    assert_eq!(world.moved(), 200, "later it is another one");
}

#[test]
fn a_key_with_another_body_moves_nothing() {
    let mut world = world(WindowKind::Until);
    assert_eq!(post(&mut world, 0, &body("r", "bob", UNTIL), Fault::None), 200);
    assert_eq!(post(&mut world, 0, &body("r", "eve", UNTIL), Fault::None), 409);
    assert_eq!(world.moved(), 100);
}

#[test]
fn a_world_that_remembers_nothing_pays_for_every_request() {
    let mut world = world(WindowKind::Once);
    let bytes = body("r", "bob", r#""window":"once""#);
    for paid in [100, 200, 300] {
        assert_eq!(post(&mut world, 0, &bytes, Fault::Duplicated), 200);
        assert_eq!(world.moved(), paid);
    }
    world.serve(&ask("POST", "/clock", DAY, ""), Fault::None);
    assert_eq!(world.moved(), 300, "the network itself duplicates nothing there");
    assert_eq!(look(&mut world, DAY, "/tries/r").0, 404);
    assert_eq!(look(&mut world, DAY, "/tries?batch=batch/b/0/0").0, 404);
}

#[test]
fn a_coin_is_spent_once_and_another_coin_pays_a_careless_client_twice() {
    let mut world = world(WindowKind::Unlimited);
    let first = body("r1", "bob", r#""window":"unlimited","coins":["coin-0"]"#);
    let second = body("r2", "bob", r#""window":"unlimited","coins":["coin-0"]"#);
    let careless = body("r2", "bob", r#""window":"unlimited","coins":["coin-1"]"#);
    assert_eq!(post(&mut world, 0, &first, Fault::None), 200);
    assert_eq!(post(&mut world, 400 * DAY, &first, Fault::None), 200);
    assert_eq!(post(&mut world, 400 * DAY, &second, Fault::None), 409);
    assert_eq!(world.moved(), 100);
    let (_, coin) = look(&mut world, 0, "/coins/coin-0");
    assert_eq!(coin, r#"{"coin":"coin-0","spent_by":"r1","final":true}"#);
    let (_, coins) = look(&mut world, 0, "/coins?limit=2");
    assert_eq!(coins, r#"{"coins":["coin-1","coin-2"]}"#);
    assert_eq!(post(&mut world, 400 * DAY, &careless, Fault::None), 200);
    assert_eq!(world.moved(), 200);
}

#[test]
fn above_its_height_a_try_is_expired_whether_it_is_known_or_not() {
    let mut world = world(WindowKind::UntilHeight);
    let window = r#""window":{"until_height":3}"#;
    assert_eq!(post(&mut world, 39_999, &body("r1", "bob", window), Fault::None), 200);
    assert_eq!(post(&mut world, 39_999, &body("r1", "bob", window), Fault::None), 200);
    for reference in ["r1", "r2"] {
        assert_eq!(post(&mut world, 40_000, &body(reference, "bob", window), Fault::None), 410);
    }
    assert_eq!(world.moved(), 100);
    assert!(look(&mut world, 0, "/tries/r2").1.contains(r#""height":4"#));
}

#[test]
fn a_late_request_is_unknown_until_it_lands_within_the_lag() {
    let mut world = world(WindowKind::Until);
    assert_eq!(post(&mut world, 0, &body("r", "bob", UNTIL), Fault::Late { secs: 9_999 }), 0);
    assert_eq!(look(&mut world, 59_999, "/tries/r").0, 404, "which proves nothing");
    assert_eq!(look(&mut world, 60_000, "/tries/r").0, 200);
    assert_eq!(world.moved(), 100);
}

#[test]
fn nothing_is_longer_on_its_way_than_the_lag() {
    let mut world = world(WindowKind::Until);
    world.serve(&ask("POST", "/clock", 60_001, ""), Fault::None);
    assert_eq!(post(&mut world, 0, &body("r", "bob", UNTIL), Fault::None), 408);
    assert_eq!(post(&mut world, 1, &body("r", "bob", UNTIL), Fault::Late { secs: 60 }), 0);
    world.serve(&ask("POST", "/clock", 60_002, ""), Fault::None);
    assert_eq!(world.moved(), 100, "it lands at once, as it has been on its way for so long");
}

#[test]
fn each_fault_does_what_it_says() {
    #[rustfmt::skip]
    let table = [
        // fault                          reply  known  moved  moved a day later
        (Fault::None,                       200,   200,   100, 90),
        (Fault::LostReply,                    0,   200,   100, 90),
        (Fault::Slow,                         0,   200,   100, 90),
        (Fault::Killed,                       0,   200,   100, 90),
        (Fault::ServerError,                500,   200,   100, 90),
        (Fault::Duplicated,                 200,   200,   100, 90),
        (Fault::Refused,                    503,   404,     0,  0),
        (Fault::AcceptedAndDropped,         202,   404,     0,  0),
        (Fault::Late { secs: 30 },            0,   404,     0, 90),
        (Fault::OutOfOrder,                   0,   404,     0, 90),
        (Fault::Returned,                   200,   200,   100,  0),
        (Fault::Reorganised,                200,   200,   100, 90),
    ];
    for (fault, replied, known, moved, moved_later) in table {
        let mut world = world(WindowKind::Until);
        let bytes = body("r", "return:bob", UNTIL);
        assert_eq!(post(&mut world, 0, &bytes, fault), replied, "{fault:?}");
        assert_eq!(look(&mut world, 0, "/tries/r").0, known, "{fault:?}");
        assert_eq!(world.moved(), moved, "{fault:?}");
        look(&mut world, DAY + 120_000, "/height");
        assert_eq!(world.moved(), moved_later, "{fault:?} a day later");
    }
}

#[test]
fn what_is_final_may_be_undone_and_final_again() {
    let mut world = World::new(Terms { finality_secs: 60, ..Terms::default() });
    assert_eq!(post(&mut world, 0, &body("r", "bob", UNTIL), Fault::Reorganised), 202);
    for (now, state, moved) in [
        (59_999, "accepted", 0),
        (60_000, "final", 100),
        (660_000, "undone", 0),
        (1_260_000, "final", 100),
    ] {
        let (_, said) = look(&mut world, now, "/tries/r");
        assert!(said.contains(&format!(r#""state":"{state}""#)), "{now}: {said}");
        assert_eq!(world.moved(), moved, "{now}");
    }
}

#[test]
fn a_refusal_is_remembered_and_nothing_moves() {
    let mut world = world(WindowKind::Until);
    for (to, line) in [("refuse:bob", true), ("closed:bob", false)] {
        let bytes = body(to, to, UNTIL);
        assert_eq!(post(&mut world, 0, &bytes, Fault::None), 422);
        assert_eq!(post(&mut world, 1, &bytes, Fault::None), 422);
        let (_, said) = look(&mut world, 2, &format!("/tries/{to}"));
        assert!(said.contains("refused") && said.contains(r#""line":1"#) == line, "{said}");
    }
    assert_eq!((world.moved(), world.sequence()), (0, 0));
}

#[test]
fn a_wallet_pays_no_more_than_it_holds() {
    let terms = Terms { funds: Some(150), finality_secs: 60, ..Terms::default() };
    let mut world = World::new(terms);
    assert_eq!(post(&mut world, 0, &body("r1", "bob", UNTIL), Fault::None), 202);
    assert_eq!(post(&mut world, 0, &body("r2", "bob", UNTIL), Fault::None), 422);
    assert_eq!(post(&mut world, 60_000, &body("r3", "bob", UNTIL), Fault::None), 422);
    assert_eq!(world.moved(), 100);
}

#[test]
fn what_does_not_fit_the_window_is_malformed() {
    let cases = [
        (WindowKind::Until, r#""window":"once""#),
        (WindowKind::Until, r#""window":{"until":1},"coins":["coin-0"]"#),
        (WindowKind::Unlimited, r#""window":"unlimited""#),
        (WindowKind::Unlimited, r#""window":"unlimited","coins":["coin-00"]"#),
        (WindowKind::Once, r#""window":"once","more":1"#),
    ];
    for (window, rest) in cases {
        let mut world = world(window);
        assert_eq!(post(&mut world, 0, &body("r", "bob", rest), Fault::None), 400, "{rest}");
        assert_eq!(world.moved(), 0);
    }
    let mut world = world(WindowKind::Until);
    for (method, path) in [("GET", "/"), ("GET", "/tries"), ("POST", "/tries/r"), ("GET", "/clock")]
    {
        let reply = world.serve(&ask(method, path, 0, ""), Fault::None).reply.unwrap();
        assert_eq!(reply.status, 404, "{method} {path}");
    }
}

/// Goal: what is written before a reply is all that is needed. Method: the same requests under
/// every fault and window, the world rebuilt after each one.
#[test]
fn a_world_is_rebuilt_from_what_was_written_before_each_reply() {
    let faults = [
        Fault::None,
        Fault::Late { secs: 45 },
        Fault::OutOfOrder,
        Fault::Duplicated,
        Fault::AcceptedAndDropped,
        Fault::Returned,
        Fault::Reorganised,
        Fault::Refused,
        Fault::ServerError,
    ];
    for (window, rest) in [
        (WindowKind::Until, UNTIL),
        (WindowKind::UntilHeight, r#""window":{"until_height":30}"#),
        (WindowKind::Once, r#""window":"once""#),
        (WindowKind::Unlimited, r#""window":"unlimited","coins":["coin-0"]"#),
    ] {
        let terms = Terms { window, finality_secs: 20, ..Terms::default() };
        let (mut world, mut written, mut lines) = (World::new(terms), Vec::new(), 0);
        for (step, now) in (0..120_usize).zip((0..).step_by(7_919)) {
            let rest = rest.replace("coin-0", &format!("coin-{}", step & !3));
            let to = ["bob", "refuse:bob", "return:bob"][step % 3];
            let bytes = body(&format!("r{}", step & !1), to, &rest);
            let fault = faults[step % faults.len()];
            written.extend(world.serve(&ask("POST", "/tries", now, &bytes), fault).effects);
            let last = written.iter().filter_map(|effect| match effect {
                Effect::Entered(entry) => Some((entry.first, entry.last)),
                Effect::Clock(_) | Effect::Taken(_) => None,
            });
            lines = last.fold(0, |before, (first, last)| {
                assert_eq!(first, before + 1, "the statement has no gap");
                last
            });
            assert_eq!(World::replay(terms, written.clone()), world, "{window:?} step {step}");
        }
        assert_eq!(lines, world.sequence());
        assert!(lines > 20, "{window:?} moved too little to tell: {lines}");
    }
}

#[test]
fn many_small_steps_of_time_and_one_large_one_come_to_the_same() {
    let terms = Terms { finality_secs: 30, ..Terms::default() };
    let mut stepped = World::new(terms);
    let bytes = body("r", "return:bob", UNTIL);
    assert_eq!(post(&mut stepped, 0, &bytes, Fault::Reorganised), 202);
    assert_eq!(post(&mut stepped, 0, &body("s", "bob", UNTIL), Fault::Late { secs: 3 }), 0);
    let mut leapt = stepped.clone();
    for now in (0..=2 * DAY).step_by(1_000_000).chain([2 * DAY]) {
        stepped.serve(&ask("POST", "/clock", now, ""), Fault::None);
    }
    leapt.serve(&ask("POST", "/clock", 2 * DAY, ""), Fault::None);
    assert_eq!(stepped, leapt);
    leapt.serve(&ask("POST", "/clock", 0, ""), Fault::None);
    assert_eq!(leapt.now(), Time::from_millis(2 * DAY), "time goes forward alone");
}
