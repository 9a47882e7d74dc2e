//! What people are told: every chapter of a batch's story, and texts that nobody else compares.

#![expect(
    clippy::unwrap_used,
    reason = "tests stop at the first thing that is not as it should be"
)]

use divvy_core::{
    Amount, Asset, Body, Cancelled, Charged, Code, Converted, Difference, Evidence, Explanation,
    Fact, Hash, Head, Line, Name, Planned, Refused, Reopened, Returned, Review, Sent, Settled,
    Signed, Stream, Subject, Swapped, Time, Voided, Window, check_clock,
};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn evidence(said: &str) -> Evidence {
    Evidence { source: "rail".into(), hash: Hash::default(), said: said.into() }
}

fn signed(reference: &str, window: Window) -> Body {
    Body::Signed(Signed {
        reference: reference.into(),
        bytes: vec![1],
        window,
        deadline: Time::ZERO,
        sender: None,
        lines: Hash::default(),
        claims: vec![],
    })
}

type Story = Vec<(Body, &'static str)>;

/// How a batch begins: planned, and signed in each of the four windows.
fn beginning() -> Story {
    let line = |payee: &str, minor| Line {
        payee: name(payee),
        amount: Amount::new(minor).unwrap(),
        to: payee.into(),
        to_n: None,
        fee: None,
    };
    let lines = vec![line("ann", 1_200), line("bob", 34)];
    vec![
        (
            Body::Planned(Planned { rail: name("sandbox"), wallet: name("till"), lines }),
            "2 lines of 12.34 USD together planned over sandbox from wallet till",
        ),
        (signed("r1", Window::Unlimited), "a try was signed as r1, to be sent again for ever"),
        (
            signed("r2", Window::Until(Time::from_millis(7_000))),
            "a try was signed as r2, to be sent again until 1970-01-01T00:00:07Z",
        ),
        (
            signed("r3", Window::UntilHeight(9)),
            "a try was signed as r3, to be sent again up to height 9",
        ),
        (signed("r4", Window::Once), "a try was signed as r4, to be sent once"),
    ]
}

/// Whatever may be learned of a try, or decided.
fn outcomes() -> Story {
    let reference = || "r1".to_owned();
    let reason = || "closed".to_owned();
    vec![
        (Body::Sent(Sent { reference: reference() }), "the rail took try r1"),
        (
            Body::Settled(Settled {
                reference: reference(),
                evidence: evidence("200 final"),
                moved: None,
            }),
            "try r1 is final: 200 final",
        ),
        (
            Body::Voided(Voided { reference: reference(), evidence: evidence("404") }),
            "try r1 can never move money: 404",
        ),
        (
            Body::Refused(Refused {
                reference: reference(),
                reason: reason(),
                line: None,
                evidence: evidence("422"),
            }),
            "the rail refused try r1: closed",
        ),
        (Body::Review(Review { reason: reason() }), "a person has to decide: closed"),
        (Body::Cancelled(Cancelled { reason: reason() }), "given up before anything moved: closed"),
        (
            Body::Returned(Returned {
                reference: reference(),
                lines: vec![],
                reason: reason(),
                evidence: evidence("200"),
            }),
            "money of try r1 came back: closed",
        ),
        (
            Body::Reopened(Reopened { reference: reference(), evidence: evidence("undone") }),
            "the rail undid try r1: undone",
        ),
    ]
}

/// What it cost, and what moved instead.
fn costs() -> Story {
    let reference = || "r1".to_owned();
    vec![
        (
            Body::Settled(Settled {
                reference: reference(),
                evidence: evidence("200"),
                moved: Some(Converted {
                    asset: Asset::parse("USDT@6").unwrap(),
                    amount: Amount::new(12_721_650).unwrap(),
                    rate_num: 97,
                    rate_den: 1_000_000,
                    source: "rail".into(),
                    quoted_at: Time::ZERO,
                }),
            }),
            "try r1 is final: 200; 12.721650 USDT moved, worth 12.34 USD at \
             0.97 (rail, 1970-01-01T00:00:00Z)",
        ),
        (
            Body::Charged(Charged {
                reference: reference(),
                asset: Asset::parse("SOL@9").unwrap(),
                amount: Amount::new(5_000).unwrap(),
                evidence: evidence("200"),
            }),
            "the rail has charged 0.000005000 SOL for try r1 so far",
        ),
        (
            Body::Swapped(Swapped {
                reference: reference(),
                moved: Converted {
                    asset: Asset::parse("USDT@6").unwrap(),
                    amount: Amount::new(12_721_650).unwrap(),
                    rate_num: 97,
                    rate_den: 1_000_000,
                    source: "rail".into(),
                    quoted_at: Time::ZERO,
                },
                evidence: evidence("200"),
            }),
            "the rail said later what try r1 has moved; 12.721650 USDT moved, worth 12.34 USD at \
             0.97 (rail, 1970-01-01T00:00:00Z)",
        ),
    ]
}

#[test]
fn every_chapter_of_a_batch_is_told_in_its_own_words() {
    let story = [beginning(), outcomes(), costs()].concat();
    let stream = Stream::batch(&name("b"), 0, 0);
    let usd = Asset::parse("USD").unwrap();
    let mut explanation = Explanation::new(Subject::Batch(stream.clone()), usd).unwrap();
    let bodies: Vec<Body> = story.iter().map(|(body, _)| body.clone()).collect();
    let facts = Fact::chain(&Head::start(stream), Time::ZERO, &bodies);
    explanation.feed(&facts).unwrap();
    // Another batch's facts are no part of it.
    let other = Head::start(Stream::batch(&name("b"), 0, 1));
    explanation.feed(&Fact::chain(&other, Time::ZERO, &bodies)).unwrap();

    let chapters = explanation.finish();
    let told: Vec<&str> = chapters.iter().map(|chapter| chapter.sentence.as_str()).collect();
    assert_eq!(told, story.iter().map(|(_, sentence)| *sentence).collect::<Vec<_>>());
    let changes: Vec<_> = chapters.iter().filter_map(|chapter| chapter.change.clone()).collect();
    assert_eq!(changes, ["reserved +12.34"]);
}

#[test]
fn only_a_batch_and_a_payment_have_a_story_by_their_stream() {
    let usd = Asset::parse("USD").unwrap();
    let stream = |text: &str| Stream::parse(text).unwrap();
    for (subject, told) in [
        (Subject::Batch(stream("batch/b/0/0")), true),
        (Subject::Payment(stream("payment/a/b/c")), true),
        (Subject::Batch(stream("payment/a/b/c")), false),
        (Subject::Payment(stream("batch/b/0/0")), false),
    ] {
        let code = Explanation::new(subject, usd.clone()).map(drop).map_err(|error| error.code());
        assert_eq!(code, if told { Ok(()) } else { Err(Code::InputMalformed) });
    }
}

#[test]
fn a_clock_is_believed_up_to_an_hour_past_the_rails_and_400_days_past_the_facts() {
    let secs = |secs: u64| Time::ZERO.plus_secs(secs);
    let days_400 = 400 * 86_400;
    #[rustfmt::skip]
    let table = [
        // now               newest      the rails      believed
        (secs(days_400 * 9), Time::ZERO, None,          true), // nothing was ever written
        (secs(days_400 + 1), secs(1),    None,          true),
        (secs(days_400 + 2), secs(1),    None,          false),
        (secs(86_400),       secs(1),    None,          true),
        (secs(3_601),        Time::ZERO, Some(secs(1)), true),
        (secs(3_602),        secs(9_999), Some(secs(1)), false),
        (secs(3_602),        Time::ZERO, Some(secs(1)), false),
    ];
    for (now, newest, said, believed) in table {
        let code = check_clock(now, newest, said).map_err(|error| error.code());
        assert_eq!(code, if believed { Ok(()) } else { Err(Code::ClockAhead) }, "{now} {newest}");
    }
}

#[test]
fn differences_assets_and_codes_say_what_they_are() {
    let difference = |minor| Difference::new(minor).unwrap().to_string();
    assert_eq!([difference(7), difference(0), difference(-7)], ["7", "0", "-7"]);
    for (text, decimals) in [("JPY", 0), ("USD", 2), ("USDC@6", 6)] {
        assert_eq!(Asset::parse(text).unwrap().decimals(), decimals);
    }
    assert_eq!(Code::AmountAboveCeiling.name(), "amount_above_ceiling");
}
