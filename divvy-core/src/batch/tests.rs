//! Goal: every arrow of a batch's life is allowed or refused as the picture says, an answer
//! teaches what it may and no more, and no order of facts lets a try run beside another payment.
//! Method: a batch is built from a word of letters, one letter a fact, so that a table can hold
//! the whole machine; short histories are then tried all, not sampled.

use super::*;
use crate::{
    Answer, Body, Cancelled, Code, Evidence, Planned, Refused, Reopened, Returned, Review, Seen,
    Sent, Settled, Timing, Voided, Window,
};

const TIMING: Timing = Timing { grace_secs: 60, deadline_secs_max: 300, watch_secs: 3_600 };
const DEADLINE: Time = Time::ZERO.plus_secs(300);
const BEFORE_GRACE: Time = Time::ZERO.plus_secs(360);
const AFTER_GRACE: Time = Time::ZERO.plus_secs(361);

/// The letters of a history. Capitals are about the first try, small letters about the second.
///
/// `P` planned, `S s` signed (the second shares a claim), `i` signed without the shared claim,
/// `N n` sent, `F f` settled, `V v` void, `R r` refused, `B b` all came back, `L` one line came
/// back, `O o` reopened, `Q` review, `C` cancelled.
fn body(letter: char) -> Body {
    let name = if letter.is_ascii_uppercase() { "first" } else { "second" };
    let (reference, evidence, reason) = (name.to_owned(), evidence(), "because".to_owned());
    match letter {
        'P' => Body::Planned(planned()),
        'S' | 's' => Body::Signed(signed(name, &["coin"], Window::Unlimited)),
        'i' => Body::Signed(signed(name, &["other"], Window::Unlimited)),
        'N' | 'n' => Body::Sent(Sent { reference }),
        'F' | 'f' => Body::Settled(Settled { reference, evidence, moved: None }),
        'V' | 'v' => Body::Voided(Voided { reference, evidence }),
        'R' | 'r' => Body::Refused(Refused { reference, reason, line: None, evidence }),
        'B' | 'b' => Body::Returned(Returned { reference, lines: vec![], reason, evidence }),
        'L' => Body::Returned(Returned { reference, lines: vec![1], reason, evidence }),
        'O' | 'o' => Body::Reopened(Reopened { reference, evidence }),
        'Q' => Body::Review(Review { reason }),
        'C' => Body::Cancelled(Cancelled { reason }),
        letter => panic!("{letter} is no fact"),
    }
}

const LETTERS: &str = "SNFVRBLOsinfvrboQC";

fn planned() -> Planned {
    let line = |payee: &str, amount| Line {
        payee: Name::new(payee).unwrap(),
        amount: Amount::new(amount).unwrap(),
        to: format!("{payee} at home"),
        to_n: Some(0),
        fee: None,
    };
    let lines = vec![line("ann", 70), line("bob", 20), line("cyd", 10)];
    Planned { rail: Name::new("sandbox").unwrap(), wallet: Name::new("till").unwrap(), lines }
}

fn signed(reference: &str, claims: &[&str], window: Window) -> Signed {
    Signed {
        reference: reference.to_owned(),
        bytes: b"pay".to_vec(),
        window,
        deadline: DEADLINE,
        sender: None,
        lines: Line::hash(&planned().lines),
        claims: claims.iter().map(|claim| (*claim).to_owned()).collect(),
    }
}

fn evidence() -> Evidence {
    Evidence { source: "GET /tries".into(), hash: Hash::of(b"final"), said: "final".into() }
}

fn stream() -> Stream {
    Stream::batch(&Name::new("chapter-42").unwrap(), 3, 1)
}

fn history(word: &str) -> Result<Batch, Error> {
    let bodies: Vec<Body> = word.chars().map(body).collect();
    Batch::fold(&Fact::chain(&Head::start(stream()), Time::ZERO, &bodies))
}

fn append(batch: &mut Batch, body: &Body) -> Result<(), Error> {
    let fact = Fact::new(batch.head(), Time::ZERO, body);
    batch.apply(&fact)
}

#[test]
fn every_arrow_of_the_picture_is_there_and_no_other() {
    use State::{Cancelled, Planned, Refused, Returned, Review, Sent, Settled, Signed, Void};
    #[rustfmt::skip]
    let table = [
        // history  state      facts that may follow
        ("P",       Planned,   "SsiC"),
        ("PS",      Signed,    "NFVRsQ"),
        ("PSN",     Sent,      "NFVRsQ"),
        ("PSV",     Void,      "NFVRsiC"),
        ("PSF",     Settled,   "NFBLO"),
        ("PSR",     Refused,   "NFR"),
        ("PSQ",     Review,    "NFVRsQ"),
        ("PC",      Cancelled, ""),
        ("PSVC",    Cancelled, "NFVR"),
        ("PSFB",    Returned,  "NFO"),
        ("PSFL",    Returned,  "NFO"),
        ("PSFO",    Sent,      "NFVRsQ"),
        // Released once, never signed again: another batch may have paid the lines by then.
        ("PSFBO",   Sent,      "NFVRQ"),
        ("PSFBOV",  Cancelled, "NFVR"),
        ("PSRFOV",  Cancelled, "NFVR"),
        ("PSVCFO",  Sent,      "NFVRQ"),
        ("PSVCFOV", Cancelled, "NFVR"),
        ("PSFBOQV", Cancelled, "NFVR"),
    ];
    for (word, state, allowed) in table {
        let batch = history(word).unwrap();
        assert_eq!(batch.state(), state, "{word}");
        for letter in LETTERS.chars().filter(|letter| !"nfvrbo".contains(*letter)) {
            let mut after = batch.clone();
            let taken = append(&mut after, &body(letter));
            assert_eq!(taken.is_ok(), allowed.contains(letter), "{word} then {letter}: {taken:?}");
            if let Err(error) = taken {
                assert_eq!(error.code(), Code::BatchState, "{word} then {letter}");
                assert_eq!(after, batch, "{word} then {letter} was refused and changed something");
            }
        }
    }
}

#[test]
fn two_tries_stand_where_the_better_known_one_stands() {
    use State::{Cancelled, Refused, Returned, Review, Sent, Settled, Signed, Void};
    #[rustfmt::skip]
    let table = [
        // history    state      settled  reserved
        ("PSs",       Signed,    0,       true),
        ("PSNs",      Sent,      0,       true),
        ("PSsn",      Sent,      0,       true),
        ("PSsVv",     Void,      0,       true),
        ("PSVi",      Signed,    0,       true),
        ("PSViv",     Void,      0,       true),
        ("PSVivC",    Cancelled, 0,       false),
        ("PSsR",      Signed,    0,       true),
        ("PSsRv",     Refused,   0,       false),
        ("PSsVr",     Refused,   0,       false),
        ("PSsQ",      Review,    0,       true),
        ("PSQs",      Signed,    0,       true),
        ("PSsf",      Settled,   1,       false),
        ("PSsfV",     Settled,   1,       false),
        ("PSsFf",     Settled,   2,       false),
        ("PSVif",     Settled,   1,       false),
        ("PSVifF",    Settled,   2,       false),
        ("PSVifFb",   Returned,  2,       false),
        ("PSsFfo",    Settled,   1,       false),
        ("PSsFfoO",   Sent,      0,       true),
        ("PSVCF",     Settled,   1,       false),
        ("PSRF",      Settled,   1,       false),
    ];
    for (word, state, times, reserved) in table {
        let batch = history(word).unwrap();
        let found = (batch.state(), batch.times_settled(), batch.is_reserved());
        assert_eq!(found, (state, times, reserved), "{word}");
        assert_eq!(batch.is_in_flight(), matches!(state, Signed | Sent | Review), "{word}");
        assert_eq!(batch.total(), Amount::new(100).unwrap(), "{word}");
    }
}

/// Whatever happened before: lines that were released once are never under a try that could still
/// be signed, and two open tries always exclude each other.
#[test]
fn no_short_history_signs_a_try_beside_another_payment() {
    let mut histories = 0_u32;
    let mut layer = vec![(history("P").unwrap(), "P".to_owned(), false)];
    for _ in 0..6 {
        let mut next = Vec::new();
        for (batch, word, released) in &layer {
            for letter in LETTERS.chars() {
                let mut after = batch.clone();
                if append(&mut after, &body(letter)).is_err() {
                    continue;
                }
                histories += 1;
                let word = format!("{word}{letter}");
                let is_try = "Ssi".contains(letter);
                assert!(!(is_try && *released), "{word}: a try after its lines were payable again");
                let open: Vec<&Try> = after.tries().iter().filter(|try_| try_.is_open()).collect();
                for (a, b) in open.iter().zip(open.iter().skip(1)) {
                    let undone = word.contains(['O', 'o', 'F', 'f']);
                    assert!(a.excludes(&b.signed) || undone, "{word}: two tries can both move");
                }
                let gave_back =
                    matches!(after.state(), State::Refused | State::Cancelled | State::Returned);
                next.push((after, word, *released || gave_back));
            }
        }
        layer = next;
    }
    assert!(histories > 20_000, "only {histories}");
}

#[test]
fn a_first_fact_that_plans_nothing_is_refused() {
    let empty = Body::Planned(Planned { lines: vec![], ..planned() });
    let mut top = planned();
    top.lines[0].amount = Amount::MAX;
    let table = [
        (vec![], Code::BatchState),
        (vec![body('S')], Code::BatchState),
        (vec![empty], Code::BatchState),
        (vec![body('P'), body('P')], Code::BatchState),
        (vec![Body::Planned(top)], Code::AmountAboveCeiling),
        (
            vec![body('P'), Body::Held(crate::Held { reason: String::new(), cause: None })],
            Code::BatchState,
        ),
    ];
    for (bodies, code) in table {
        let facts = Fact::chain(&Head::start(stream()), Time::ZERO, &bodies);
        assert_eq!(Batch::fold(&facts).unwrap_err().code(), code, "{bodies:?}");
    }
    let facts = Fact::chain(&Head::start(stream()), Time::ZERO, &[body('P'), body('S'), body('N')]);
    let gap = [facts[0].clone(), facts[2].clone()];
    assert_eq!(Batch::fold(&gap).unwrap_err().code(), Code::FactOrphan);
}

#[test]
fn a_try_pays_the_lines_as_planned_under_a_name_of_its_own() {
    let mut batch = history("PS").unwrap();
    let other = Signed { lines: Hash::of(b"other"), ..signed("second", &["coin"], Window::Once) };
    let again = signed("first", &["coin"], Window::Unlimited);
    for signed in [other, again] {
        assert_eq!(append(&mut batch, &Body::Signed(signed)).unwrap_err().code(), Code::BatchState);
    }
    for letter in ['n', 'f', 'v', 'r', 'b', 'o'] {
        assert_eq!(append(&mut batch, &body(letter)).unwrap_err().code(), Code::BatchState);
    }
    assert_eq!(batch.tries().len(), 1);
    let returned = |lines: &[u32]| {
        let (reference, reason) = ("first".to_owned(), "closed".to_owned());
        Body::Returned(Returned { reference, lines: lines.to_vec(), reason, evidence: evidence() })
    };
    let settled = history("PSF").unwrap();
    for lines in [&[3][..], &[0, 0], &[0, 7]] {
        let mut after = settled.clone();
        assert!(append(&mut after, &returned(lines)).is_err(), "{lines:?}");
        assert_eq!(after, settled, "{lines:?} was refused and changed something");
    }
}

/// Signs one try with this window and gives it this fate.
fn with_fate(window: Window, fate: Fate) -> Batch {
    let mut batch = history("P").unwrap();
    append(&mut batch, &Body::Signed(signed("first", &["coin"], window))).unwrap();
    let letters = match fate {
        Fate::Open => "",
        Fate::Sent => "N",
        Fate::Settled => "F",
        Fate::Void => "V",
        Fate::Refused => "R",
    };
    letters.chars().for_each(|letter| append(&mut batch, &body(letter)).unwrap());
    batch
}

fn kinds(bodies: &[Body]) -> String {
    bodies.iter().map(Body::kind).collect::<Vec<_>>().join(" ")
}

const FATES: [Fate; 5] = [Fate::Open, Fate::Sent, Fate::Settled, Fate::Void, Fate::Refused];

#[test]
fn an_answer_teaches_what_it_may_whatever_was_believed() {
    let refused = Answer::Refused { reason: "closed".into(), line: Some(1) };
    let returned = Answer::Returned { reason: "closed".into(), lines: vec![] };
    let (paid, both) = ("settled.1", "settled.1 returned.1");
    #[rustfmt::skip]
    let table = [
        // answer            open         sent         settled       void  refused
        (Answer::Unknown,  ["",          "",          "",           "",   ""]),
        (Answer::Accepted, ["sent.1",    "",          "",           "",   ""]),
        (Answer::Final,    [paid,        paid,        "",           paid, paid]),
        (Answer::Void,     ["voided.1",  "voided.1",  "",           "",   ""]),
        (refused,          ["refused.1", "refused.1", "",           "",   ""]),
        (Answer::Undone,   ["",          "",          "reopened.1", "",   ""]),
        (returned,         [both,        both,        "returned.1", both, both]),
    ];
    let windows =
        [Window::Unlimited, Window::Until(DEADLINE), Window::UntilHeight(9), Window::Once];
    for (answer, wanted) in table {
        for (fate, wanted) in FATES.into_iter().zip(wanted) {
            for window in windows {
                let batch = with_fate(window, fate);
                let seen = Seen {
                    answers: vec![answer.clone()],
                    tip: Some(10),
                    evidence: evidence(),
                    bills: Vec::new(),
                };
                let bodies = batch.learn(&seen, AFTER_GRACE, TIMING).unwrap();
                let open = matches!(fate, Fate::Open | Fate::Sent);
                // What is sent once is never void by itself: after the grace a person looks.
                let once = window == Window::Once && open;
                // Undone for good, where nobody may send the same bytes any more.
                let over = matches!(window, Window::Until(_) | Window::UntilHeight(_));
                let undone = answer == Answer::Undone && open && over;
                let wanted = if undone { "voided.1" } else { wanted };
                let taught = !wanted.is_empty() && answer != Answer::Void;
                // What the rail undid can be sent no more, unless its bytes are good for ever.
                let gone = answer == Answer::Undone && open && window != Window::Unlimited;
                let wanted = match (once && !taught, gone) {
                    (true, _) => "review.1",
                    (false, true) => "voided.1",
                    (false, false) => wanted,
                };
                assert_eq!(kinds(&bodies), wanted, "{answer:?} of a {fate:?} try, {window:?}");
                let mut after = batch.clone();
                bodies.iter().for_each(|body| append(&mut after, body).unwrap());
                let again = kinds(&after.learn(&seen, AFTER_GRACE, TIMING).unwrap());
                let late = again.is_empty() || again == "review.1" && window == Window::Once;
                assert!(late || answer == Answer::Undone, "{answer:?} taught twice: {again}");
            }
        }
    }
}

#[test]
fn void_counts_only_when_the_window_is_over_and_had_time_to_land() {
    let until = Window::Until(DEADLINE);
    let height = Window::UntilHeight(9);
    #[rustfmt::skip]
    let table = [
        // window            now           tip       learned
        (Window::Unlimited,  Time::ZERO,   None,     "voided.1"),
        (until,              DEADLINE,     None,     ""),
        (until,              BEFORE_GRACE, None,     ""),
        (until,              AFTER_GRACE,  None,     "voided.1"),
        (height,             AFTER_GRACE,  None,     ""),
        (height,             AFTER_GRACE,  Some(9),  ""),
        (height,             Time::ZERO,   Some(10), "voided.1"),
        (Window::Once,       BEFORE_GRACE, None,     ""),
        (Window::Once,       AFTER_GRACE,  None,     "review.1"),
    ];
    for (window, now, tip, learned) in table {
        let seen =
            Seen { answers: vec![Answer::Void], tip, evidence: evidence(), bills: Vec::new() };
        for fate in [Fate::Open, Fate::Sent] {
            let bodies = with_fate(window, fate).learn(&seen, now, TIMING).unwrap();
            assert_eq!(kinds(&bodies), learned, "{window:?} at {now}, tip {tip:?}, {fate:?}");
        }
    }
}

#[test]
fn what_came_back_is_written_once_line_by_line() {
    let answer = |lines: &[u32]| {
        let answers = vec![Answer::Returned { reason: "closed".into(), lines: lines.to_vec() }];
        Seen { answers, tip: None, evidence: evidence(), bills: Vec::new() }
    };
    let lines = |bodies: &[Body]| match bodies {
        [] => None,
        [Body::Returned(returned)] => Some(returned.lines.clone()),
        other => panic!("{other:?}"),
    };
    let mut batch = history("PSF").unwrap();
    let looks: [(&[u32], Option<Vec<u32>>); 5] = [
        // the rail names   written
        (&[1, 1], Some(vec![1])),
        (&[1], None),
        (&[0, 1], Some(vec![0])),
        (&[], Some(vec![2])),
        (&[], None),
    ];
    for (named, written) in looks {
        let bodies = batch.learn(&answer(named), Time::ZERO, TIMING).unwrap();
        assert_eq!(lines(&bodies), written, "{named:?}");
        bodies.iter().for_each(|body| append(&mut batch, body).unwrap());
    }
    assert_eq!(batch.tries()[0].returned, [1, 0, 2]);
    let error = batch.learn(&answer(&[3]), Time::ZERO, TIMING).unwrap_err();
    assert_eq!(error.code(), Code::RailReply);
    let none = Seen { answers: vec![], ..answer(&[]) };
    assert_eq!(batch.learn(&none, Time::ZERO, TIMING).unwrap_err().code(), Code::RailReply);
}

#[test]
fn a_lost_once_is_for_a_person_once_and_never_when_another_try_paid() {
    let mut batch = with_fate(Window::Once, Fate::Open);
    let unknown = |count| Seen {
        answers: vec![Answer::Unknown; count],
        tip: None,
        evidence: evidence(),
        bills: Vec::new(),
    };
    let bodies = batch.learn(&unknown(1), AFTER_GRACE, TIMING).unwrap();
    assert_eq!(kinds(&bodies), "review.1");
    append(&mut batch, &bodies[0]).unwrap();
    assert_eq!(batch.learn(&unknown(1), AFTER_GRACE, TIMING).unwrap(), []);
    append(&mut batch, &body('s')).unwrap();
    append(&mut batch, &body('f')).unwrap();
    assert_eq!(batch.state(), State::Settled);
    assert_eq!(batch.learn(&unknown(2), AFTER_GRACE, TIMING).unwrap(), []);
}

/// Goal: nothing is sent once more while another try has moved, or may be somebody else's by now.
#[test]
fn only_what_the_rail_forgot_of_a_batch_that_never_moved_is_sent_once_more() {
    use Answer::{Accepted, Final, Undone, Unknown};
    let came_back = Answer::Returned { reason: "closed".into(), lines: vec![0] };
    #[rustfmt::skip]
    let table = [
        // history    answers                       sent again
        ("PSN",       vec![Unknown],                Some(0)),
        ("PSN",       vec![Undone],                 Some(0)),
        ("PSN",       vec![Accepted],               None),
        ("PS",        vec![Unknown],                None),
        ("PSNsn",     vec![Unknown, Unknown],       Some(1)),
        ("PSNsn",     vec![Unknown, Accepted],      Some(0)),
        ("PSNsn",     vec![Final, Unknown],         None),
        ("PSNsn",     vec![Unknown, came_back],     None),
        ("PSNsnF",    vec![Unknown, Unknown],       None),
        ("PSNsnf",    vec![Unknown, Unknown],       None),
        ("PSFBO",     vec![Unknown],                None),
    ];
    for (word, answers, again) in table {
        let seen = Seen { answers, tip: None, evidence: evidence(), bills: Vec::new() };
        let batch = history(word).unwrap();
        assert_eq!(batch.lost(&seen, Time::ZERO), again, "{word} {:?}", seen.answers);
    }
}

#[test]
fn what_comes_next_follows_from_state_window_and_time() {
    let (until, height) = (Window::Until(DEADLINE), Window::UntilHeight(9));
    let submit = Next::Submit { try_n: 0 };
    let (late, watched) =
        (DEADLINE.plus_secs(1), Next::Watch { from: Time::ZERO.plus_secs(3_600) });
    #[rustfmt::skip]
    let table = [
        // window           fate           now         tip       next
        (Window::Unlimited, Fate::Open,    Time::ZERO, None,     submit),
        (Window::Unlimited, Fate::Open,    late,       None,     submit),
        (Window::Unlimited, Fate::Sent,    Time::ZERO, None,     Next::Look),
        (until,             Fate::Open,    DEADLINE,   None,     submit),
        (until,             Fate::Open,    late,       None,     Next::Look),
        (height,            Fate::Open,    Time::ZERO, None,     submit),
        (height,            Fate::Open,    Time::ZERO, Some(9),  submit),
        (height,            Fate::Open,    Time::ZERO, Some(10), Next::Look),
        (height,            Fate::Open,    late,       Some(9),  Next::Look),
        (Window::Once,      Fate::Open,    Time::ZERO, None,     Next::Look),
        (Window::Once,      Fate::Sent,    late,       None,     Next::Look),
        (Window::Unlimited, Fate::Void,    Time::ZERO, None,     Next::Sign),
        (Window::Unlimited, Fate::Refused, Time::ZERO, None,     Next::Done),
        (Window::Unlimited, Fate::Settled, Time::ZERO, None,     watched),
    ];
    for (window, fate, now, tip, next) in table {
        let batch = with_fate(window, fate);
        assert_eq!(batch.next(now, tip, TIMING), next, "{window:?} {fate:?} at {now}, {tip:?}");
    }
    let unwatched = Timing { watch_secs: 0, ..TIMING };
    let settled = with_fate(Window::Unlimited, Fate::Settled);
    assert_eq!(settled.next(Time::ZERO, None, unwatched), Next::Done);
    let table = [
        ("P", Next::Sign),
        ("PSQ", Next::Review),
        ("PC", Next::Done),
        ("PSFB", Next::Done),
        ("PSs", Next::Submit { try_n: 1 }),
        ("PSsv", Next::Submit { try_n: 0 }),
        ("PSFBOV", Next::Done),
        ("PSsV", Next::Submit { try_n: 1 }),
        // The lines were payable again in between, and may be under another batch by now.
        ("PSsFBOV", Next::Look),
    ];
    for (word, next) in table {
        assert_eq!(history(word).unwrap().next(Time::ZERO, None, TIMING), next, "{word}");
    }
}
