//! The rail against the world, with nothing between them but requests and replies.

use divvy_core::{Answer, Hash, Reply, Sender, Stream};

use super::*;
use crate::sandbox::world::{Terms, World};
use crate::sandbox::{Fault, WindowKind};

const KINDS: [WindowKind; 4] =
    [WindowKind::Unlimited, WindowKind::Until, WindowKind::UntilHeight, WindowKind::Once];

/// One rail, one world, and what goes wrong between them.
struct Bench {
    rail: Sandbox,
    world: World,
    job: Job,
}

impl Bench {
    fn new(window: WindowKind) -> Self {
        Self::paying(window, "ann")
    }

    fn paying(window: WindowKind, to: &str) -> Self {
        let name = |text: &str| Name::new(text).unwrap();
        let settings = RailSettings::at("http://127.0.0.1:4010", name("till")).unwrap();
        let rail = Sandbox::new(RailSettings { window, ..settings }).unwrap();
        let amount = Amount::new(90).unwrap();
        let line = Line { payee: name("ann"), amount, to: to.to_owned(), to_n: None, fee: None };
        let batch = Stream::batch(&name("a & b"), 0, 0);
        let sender = Sender { process: "p".to_owned(), try_id: Hash::of(b"p") };
        let job = Job { batch, lines: vec![line; 2], tries: vec![], claimed: vec![], sender };
        Self { rail, world: World::new(Terms { window, ..Terms::default() }), job }
    }

    fn send(&mut self, request: Request, fault: Fault) -> Heard {
        let reply = self.world.serve(&request, fault).reply;
        Heard { request, reply }
    }

    fn sign(&mut self, now: Time) -> Signed {
        let mut heard = Vec::new();
        loop {
            match self.rail.sign(&self.job, &heard, now).unwrap() {
                Turn::Done(signed) => {
                    self.job.tries.push(signed.clone());
                    return signed;
                }
                Turn::Ask(asked) => {
                    heard.extend(asked.into_iter().map(|asked| self.send(asked, Fault::None)));
                }
            }
        }
    }

    fn submit(&mut self, signed: &Signed, now: Time, fault: Fault) -> Heard {
        let request = self.rail.submit(signed, now);
        self.send(request, fault)
    }

    /// Looks; every lookup meets the same fault.
    fn look(&mut self, opened: &[Heard], now: Time, fault: Fault) -> Seen {
        let mut heard = opened.to_vec();
        loop {
            match self.rail.look(&self.job.tries, &heard, now).unwrap() {
                Turn::Done(seen) => return seen,
                Turn::Ask(asked) => {
                    heard.extend(asked.into_iter().map(|asked| self.send(asked, fault)));
                }
            }
        }
    }

    fn pass(&mut self, now: Time) {
        let request = self.rail.ask(&["height"], &[], now);
        self.send(request, Fault::None);
    }
}

fn secs(secs: u64) -> Time {
    Time::ZERO.plus_secs(secs)
}

#[test]
fn what_the_reply_to_a_submission_says_needs_no_question() {
    for window in KINDS {
        let mut bench = Bench::new(window);
        let signed = bench.sign(secs(0));
        let heard = bench.submit(&signed, secs(1), Fault::None);
        let turn = bench.rail.look(&[signed], &[heard], secs(1)).unwrap();
        let Turn::Done(seen) = turn else { panic!("{window:?} asked {turn:?}") };
        assert_eq!(seen.answers, [Answer::Final]);
        assert!(seen.evidence.said.starts_with("200 {"), "{:?}", seen.evidence);
        assert_eq!(bench.world.moved(), 180);
    }
}

#[test]
fn a_lost_reply_is_found_again_unless_nobody_remembers() {
    for window in KINDS {
        let mut bench = Bench::new(window);
        let signed = bench.sign(secs(0));
        let heard = bench.submit(&signed, secs(1), Fault::LostReply);
        let seen = bench.look(&[heard], secs(2), Fault::None);
        let known = if window == WindowKind::Once { Answer::Unknown } else { Answer::Final };
        assert_eq!(seen.answers, [known]);
    }
}

#[test]
fn silence_and_trouble_teach_nothing_even_long_after_the_deadline() {
    for window in KINDS {
        for fault in [Fault::LostReply, Fault::Refused, Fault::ServerError] {
            let mut bench = Bench::new(window);
            bench.sign(secs(0));
            let seen = bench.look(&[], secs(1_000_000), fault);
            assert_eq!(seen.answers, [Answer::Unknown], "{window:?} {fault:?}");
        }
    }
}

#[test]
fn a_try_that_never_arrived_is_void_only_with_proof() {
    #[rustfmt::skip]
    let table = [
        // window                   at once          past deadline and grace
        (WindowKind::Until,       Answer::Unknown, Answer::Void),
        (WindowKind::UntilHeight, Answer::Unknown, Answer::Void),
        (WindowKind::Once,        Answer::Unknown, Answer::Unknown),
    ];
    for (window, early, late) in table {
        let mut bench = Bench::new(window);
        bench.sign(secs(0));
        assert_eq!(bench.look(&[], secs(299), Fault::None).answers, [early], "{window:?}");
        assert_eq!(bench.look(&[], secs(421), Fault::None).answers, [late], "{window:?}");
        assert_eq!(bench.world.moved(), 0);
    }
    let mut bench = Bench::new(WindowKind::Until);
    bench.sign(secs(0));
    assert_eq!(bench.look(&[], secs(420), Fault::None).answers, [Answer::Unknown], "in its grace");
}

/// Goal: a late request never lands behind a proof. Method: sent as late as may be, on its way as
/// long as may be, asked at every second.
#[test]
fn nothing_that_was_proven_void_moves_afterwards() {
    for window in [WindowKind::Until, WindowKind::UntilHeight] {
        for lag_secs in [1, 30, 60] {
            let mut bench = Bench::new(window);
            let signed = bench.sign(secs(0));
            bench.submit(&signed, signed.deadline, Fault::Late { secs: lag_secs });
            let mut void = false;
            for now in 300..500 {
                let answers = bench.look(&[], secs(now), Fault::None).answers;
                void |= answers == [Answer::Void];
                assert!(!(void && bench.world.moved() > 0), "{window:?} {lag_secs} {now}");
            }
            assert_eq!(void, bench.world.moved() == 0, "either moved or void at last");
        }
    }
}

#[test]
fn a_second_try_shares_the_coin_of_the_first_and_is_void_once_that_is_final() {
    let mut bench = Bench::new(WindowKind::Unlimited);
    bench.job.claimed = vec!["coin-0".to_owned(), "coin-1".to_owned()];
    let first = bench.sign(secs(0));
    bench.job.claimed.push("coin-2".to_owned());
    let second = bench.sign(secs(1));
    assert_eq!(first.claims, ["coin-2"], "the first that nobody has claimed");
    assert_eq!(first.claims, second.claims);
    assert_ne!(first.reference, second.reference);
    bench.submit(&second, secs(2), Fault::LostReply);
    let heard = bench.submit(&first, secs(2), Fault::None);
    assert_eq!(heard.reply.as_ref().map(|reply| reply.status), Some(409));
    let seen = bench.look(&[heard], secs(3), Fault::None);
    assert_eq!(seen.answers, [Answer::Void, Answer::Final]);
    assert_eq!(bench.world.moved(), 180);
}

#[test]
fn a_coin_that_is_spent_but_not_for_good_proves_nothing() {
    let mut bench = Bench::new(WindowKind::Unlimited);
    let terms = Terms { window: WindowKind::Unlimited, finality_secs: 60, ..Terms::default() };
    bench.world = World::new(terms);
    bench.sign(secs(0));
    let second = bench.sign(secs(0));
    bench.submit(&second, secs(0), Fault::Reorganised);
    for (now, first, second) in [
        (59, Answer::Unknown, Answer::Accepted),
        (60, Answer::Void, Answer::Final),
        (660, Answer::Unknown, Answer::Undone),
        (1_260, Answer::Void, Answer::Final),
    ] {
        let answers = bench.look(&[], secs(now), Fault::None).answers;
        assert_eq!(answers, [first, second], "{now}");
    }
}

#[test]
fn a_coin_that_a_stranger_spent_proves_void_and_the_next_try_takes_another() {
    let mut bench = Bench::new(WindowKind::Unlimited);
    let first = bench.sign(secs(0));
    let stranger = String::from_utf8(first.bytes.clone()).unwrap();
    let stranger = stranger.replace(&first.reference, "stranger").into_bytes();
    bench.submit(&Signed { bytes: stranger, ..first.clone() }, secs(0), Fault::None);
    assert_eq!(bench.look(&[], secs(1), Fault::None).answers, [Answer::Void]);
    bench.job.claimed = first.claims;
    assert_eq!(bench.sign(secs(2)).claims, ["coin-1"]);
}

#[test]
fn more_coins_are_asked_for_while_all_that_were_shown_are_claimed() {
    let mut bench = Bench::new(WindowKind::Unlimited);
    bench.job.claimed = (0..450).map(|coin| format!("coin-{coin}")).collect();
    assert_eq!(bench.sign(secs(0)).claims, ["coin-450"]);
}

#[test]
fn what_the_network_took_and_forgot_is_unknown_and_may_be_sent_again() {
    let mut bench = Bench::new(WindowKind::Unlimited);
    let signed = bench.sign(secs(0));
    let heard = bench.submit(&signed, secs(1), Fault::AcceptedAndDropped);
    assert_eq!(bench.look(&[heard], secs(1), Fault::None).answers, [Answer::Accepted]);
    assert_eq!(bench.look(&[], secs(2), Fault::None).answers, [Answer::Unknown]);
    bench.submit(&signed, secs(9_999_999), Fault::None);
    assert_eq!(bench.look(&[], secs(9_999_999), Fault::None).answers, [Answer::Final]);
    assert_eq!(bench.world.moved(), 180);
}

/// Undone says that it never moves again where nobody may send it again, and this world does it
/// again by itself: so only what may be sent for ever is told to be undone.
#[test]
fn what_settled_is_seen_to_come_back_and_where_it_stays_undone_to_be_undone() {
    for (window, undone) in [
        (WindowKind::Unlimited, Answer::Undone),
        (WindowKind::Until, Answer::Accepted),
        (WindowKind::UntilHeight, Answer::Accepted),
    ] {
        let mut bench = Bench::paying(window, "return:ann");
        let signed = bench.sign(secs(0));
        bench.submit(&signed, secs(0), Fault::Reorganised);
        let reason = "sent back by the payee's side".to_owned();
        for (now, said) in [
            (599, Answer::Final),
            (600, undone),
            (1_200, Answer::Final),
            (86_400, Answer::Returned { reason, lines: vec![0, 1] }),
        ] {
            bench.pass(secs(now));
            let answers = bench.look(&[], secs(now), Fault::None).answers;
            assert_eq!(answers, [said], "{window:?} {now}");
        }
    }
}

#[test]
fn a_refusal_names_the_line_where_the_world_does() {
    for (to, blamed) in [("refuse:ann", Some(0)), ("closed:ann", None)] {
        for window in KINDS {
            let mut bench = Bench::paying(window, to);
            let signed = bench.sign(secs(0));
            let heard = bench.submit(&signed, secs(0), Fault::None);
            let seen = bench.look(&[heard], secs(0), Fault::None);
            let refused =
                matches!(&seen.answers[..], [Answer::Refused { line, .. }] if *line == blamed);
            assert!(refused, "{window:?} {to}: {:?}", seen.answers);
        }
    }
}

#[test]
fn a_reply_that_cannot_be_read_teaches_nothing() {
    let mut bench = Bench::new(WindowKind::Until);
    let signed = bench.sign(secs(0));
    let good = bench.submit(&signed, secs(0), Fault::None).reply.unwrap();
    let other = String::from_utf8(good.body).unwrap().replace(&signed.reference, "other");
    for (status, body) in [
        (200, "{"),
        (200, "[]"),
        (200, r#"{"reference":"r","state":"final"}"#),
        (200, other.as_str()),
        (404, "<html>no such host</html>"),
        (404, ""),
        (410, r#"{"error":"expired"}"#),
        (301, ""),
    ] {
        let mut heard: Vec<Heard> = Vec::new();
        while let Turn::Ask(asked) = bench.rail.look(&bench.job.tries, &heard, secs(9_999)).unwrap()
        {
            let reply = Some(Reply { status, body: body.as_bytes().to_vec() });
            let replies = asked.into_iter().map(|request| Heard { request, reply: reply.clone() });
            heard.extend(replies);
        }
        let seen = bench.look(&heard, secs(9_999), Fault::None);
        assert_eq!(seen.answers, [Answer::Unknown], "{status} {body}");
    }
}

#[test]
fn signing_without_a_readable_answer_is_an_error_and_not_a_guess() {
    for window in [WindowKind::Unlimited, WindowKind::UntilHeight] {
        let bench = Bench::new(window);
        let Turn::Ask(asked) = bench.rail.sign(&bench.job, &[], secs(0)).unwrap() else {
            panic!("{window:?} signed without asking");
        };
        for reply in [None, Some(Reply { status: 200, body: b"{}".to_vec() })] {
            let heard: Vec<Heard> = asked
                .iter()
                .map(|asked| Heard { request: asked.clone(), reply: reply.clone() })
                .collect();
            let error = bench.rail.sign(&bench.job, &heard, secs(0)).unwrap_err();
            assert_eq!(error.code(), Code::RailReply);
        }
    }
}

#[test]
fn a_try_is_named_by_its_batch_its_place_and_its_lines() {
    let mut bench = Bench::new(WindowKind::Once);
    let first = bench.sign(secs(0));
    let second = bench.sign(secs(0));
    assert_eq!(first.reference.len(), 32);
    assert_ne!(first.reference, second.reference);
    assert_eq!(first.sender.as_ref().map(|sender| sender.process.as_str()), Some("p"));
    assert_eq!(bench.rail.submit(&first, secs(1)).body, bench.rail.submit(&first, secs(9)).body);
    let mut again = Bench::new(WindowKind::Once);
    assert_eq!(again.sign(secs(7)).reference, first.reference, "whoever signs it, whenever");
    again.job.tries.clear();
    again.job.lines.pop();
    assert_ne!(again.sign(secs(0)).reference, first.reference);
}

#[test]
fn an_address_is_neither_empty_nor_spaced() {
    let rail = Bench::new(WindowKind::Until).rail;
    for (address, fine) in
        [("ann", true), ("ann@pay.example", true), ("", false), (" ", false), ("a b", false)]
    {
        assert_eq!(rail.check_address(address).is_ok(), fine, "{address:?}");
    }
}
