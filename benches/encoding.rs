//! The encoding of facts beside two others, in size and in time, over bodies as books have them.
//!
//! Canonical JSON is RFC 8785 for what our bodies hold: sorted keys, no spaces, text for what may
//! pass 2⁵³. Borsh is the compact extreme: no keys, fixed widths. Its mirror types check nothing
//! when read; ours check every name, amount, time and stream.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints what it measured")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a bench that goes wrong should stop"
)]

mod support;

use borsh::{BorshDeserialize, BorshSerialize};
use divvy_core::{
    Amount, Asset, Body, Converted, Declared, Destination, Evidence, Hash, Index, Line, Name,
    PayeeSet, Planned, Policy, Recorded, Stream, Time,
};
use support::{median, print_table, quiet_or_exit, ratio, text};

fn main() {
    let cases = cases();
    for (body, mirror) in &cases {
        let (bytes, borsh) = (body.encode(), mirror.encode());
        assert_eq!(Body::decode(body.kind(), &bytes).as_ref(), Ok(body), "ours reads back");
        assert_eq!(&mirror.decode(&borsh), mirror, "borsh reads back");
        assert_eq!(&from_json(&canonical(body)), body, "JSON reads back");
    }
    quiet_or_exit();
    let head = ["body", "what", "CBOR", "canonical JSON", "borsh", "JSON / CBOR", "borsh / CBOR"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (body, mirror) in &cases {
        rows.extend(measured(body, mirror));
    }
    print_table(&rows);
}

fn measured(body: &Body, mirror: &Mirror) -> [Vec<String>; 4] {
    let (cbor, json, borsh) = (body.encode(), canonical(body), mirror.encode());
    let sizes = [cbor.len(), json.len(), borsh.len()];
    let size = |of: usize| {
        let hundredths = of * 100 / sizes[0];
        format!("{}.{:02}x", hundredths / 100, hundredths % 100)
    };
    let name = body.kind().trim_end_matches(".1").to_owned();
    let mut bytes = vec![name, "bytes".to_owned()];
    bytes.extend(sizes.map(|size| size.to_string()));
    bytes.extend([size(sizes[1]), size(sizes[2])]);
    let row = |what: &str, times: [std::time::Duration; 3]| {
        let mut row = vec![String::new(), what.to_owned()];
        row.extend(times.map(text));
        row.extend([ratio(times[0], times[1]), ratio(times[0], times[2])]);
        row
    };
    let encode = [median(|| body.encode()), median(|| canonical(body)), median(|| mirror.encode())];
    let decode = [
        median(|| Body::decode(body.kind(), &cbor)),
        median(|| from_json(&json)),
        median(|| mirror.decode(&borsh)),
    ];
    let hash =
        [median(|| Hash::of(&cbor)), median(|| Hash::of(&json)), median(|| Hash::of(&borsh))];
    [bytes, row("encode", encode), row("decode", decode), row("hash", hash)]
}

/// `serde_json` sorts the keys of its tree, which is all that our bodies need for RFC 8785.
fn canonical(body: &Body) -> Vec<u8> {
    let tree = serde_json::to_value(body).expect("a body is JSON");
    serde_json::to_vec(&tree).expect("a tree is JSON")
}

fn from_json(bytes: &[u8]) -> Body {
    serde_json::from_slice(bytes).expect("a body")
}

/// The same bodies as borsh derives them.
#[derive(Clone, Debug, PartialEq, BorshSerialize, BorshDeserialize)]
enum Mirror {
    Recorded {
        book: String,
        amount: u64,
        payer: Option<String>,
        event_at: u64,
        rate: Option<Rate>,
        seen: Seen,
    },
    Declared {
        payments: Vec<String>,
        gross: u64,
        index: u128,
    },
    Planned {
        rail: String,
        wallet: String,
        lines: Vec<(String, u64, String, Option<u64>)>,
    },
    PayeeSet {
        to: Option<(String, String)>,
        policy: Option<Option<(u64, Option<u64>)>>,
    },
}

#[derive(Clone, Debug, PartialEq, BorshSerialize, BorshDeserialize)]
struct Seen {
    source: String,
    hash: [u8; 32],
    said: String,
}

#[derive(Clone, Debug, PartialEq, BorshSerialize, BorshDeserialize)]
struct Rate {
    asset: (String, u8),
    amount: u64,
    rate: (u64, u64),
    source: String,
    quoted_at: u64,
}

impl Mirror {
    fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to a vector")
    }

    fn decode(&self, bytes: &[u8]) -> Self {
        borsh::from_slice(bytes).expect("a mirror")
    }

    fn of(body: &Body) -> Self {
        let text = |name: &Name| name.to_string();
        match body {
            Body::Recorded(of) => Self::Recorded {
                book: text(&of.book),
                amount: of.amount.get(),
                payer: of.payer.clone(),
                event_at: of.event_at.millis(),
                rate: of.converted.as_ref().map(|of| Rate {
                    asset: (of.asset.code().to_owned(), of.asset.decimals()),
                    amount: of.amount.get(),
                    rate: (of.rate_num, of.rate_den),
                    source: of.source.clone(),
                    quoted_at: of.quoted_at.millis(),
                }),
                seen: Seen {
                    source: of.evidence.source.clone(),
                    hash: *of.evidence.hash.as_bytes(),
                    said: of.evidence.said.clone(),
                },
            },
            Body::Declared(of) => Self::Declared {
                payments: of.payments.iter().map(ToString::to_string).collect(),
                gross: of.gross.get(),
                index: of.index.get(),
            },
            Body::Planned(of) => Self::Planned {
                rail: text(&of.rail),
                wallet: text(&of.wallet),
                lines: of
                    .lines
                    .iter()
                    .map(|line| (text(&line.payee), line.amount.get(), line.to.clone(), line.to_n))
                    .collect(),
            },
            Body::PayeeSet(of) => Self::PayeeSet {
                to: of.destination.as_ref().map(|to| (text(&to.rail), to.address.clone())),
                policy: of.policy.map(|policy| match policy {
                    Policy::Instant => None,
                    policy => Some((policy.min().get(), policy.max_wait_secs())),
                }),
            },
            other => panic!("no mirror of {}", other.kind()),
        }
    }
}

fn cases() -> Vec<(Body, Mirror)> {
    let name = |text: &str| Name::new(text).expect("a name");
    let amount = |minor: u64| Amount::new(minor).expect("an amount");
    let at = Time::parse("2026-03-01T12:00:00Z").expect("a time");
    let payment = |i: u64| Stream::parse(&format!("payment/import/main/ch_{i:024}")).expect("one");
    let holder = |i: u64| format!("0x{:040x}", u128::from(i) * 0x9e37_79b9_7f4a_7c15_f39c);
    let recorded = Body::Recorded(Recorded {
        book: name("chapter-42"),
        amount: amount(12_340_000),
        payer: Some("cus_9f3ab17c22".to_owned()),
        event_at: at,
        converted: Some(Converted {
            asset: Asset::parse("USD").expect("dollars"),
            amount: amount(1_234),
            rate_num: 10_000,
            rate_den: 1,
            source: "at par".to_owned(),
            quoted_at: at,
        }),
        evidence: Evidence {
            source: "payments.csv line 4711".to_owned(),
            hash: Hash::of(b"the whole file"),
            said: "ch_000000000000000000004711,12.34,USD,2026-03-01T12:00:00Z".to_owned(),
        },
        withheld: None,
        rule: Some(1),
    });
    let declared = Body::Declared(Declared {
        payments: (0..50).map(payment).collect(),
        gross: amount(555_300_000),
        index: Index::new(0x1234_5678_9abc_def0_1234_5678),
        netted: None,
        regained: None,
        holders: None,
        drawn: None,
    });
    let line = |i: u64| {
        let address = holder(i);
        Line {
            payee: name(&address),
            amount: amount(1_000_000 + i * 7_919),
            to: address,
            to_n: None,
            fee: None,
        }
    };
    let (rail, wallet) = (name("sandbox"), name("till"));
    let planned =
        Body::Planned(Planned { rail: rail.clone(), wallet, lines: (0..500).map(line).collect() });
    let payee_set = Body::PayeeSet(PayeeSet {
        destination: Some(Destination { rail, address: holder(7) }),
        policy: Some(Policy::Threshold { min: amount(5_000_000), max_wait_secs: Some(2_592_000) }),
    });
    let bodies = [recorded, declared, planned, payee_set];
    bodies.into_iter().map(|body| (body.clone(), Mirror::of(&body))).collect()
}
