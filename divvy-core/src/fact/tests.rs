//! Goal: a body has one encoding, it is deterministic CBOR, and everything else is refused.
//! Method: bodies of every kind from random parts, walked by a reader of CBOR that shares nothing
//! with the crate that wrote them; and tables of bytes that must not pass.
#![expect(clippy::arithmetic_side_effects, reason = "overflow panics here, which fails the test")]

mod people;
mod rules;
mod webhooks;

use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::{
    Amount, Asset, FeeShare, Holders, Index, Leg, Legs, Name, Policy, Rate, Ratio, Rounding,
    SecretKey, Share, Swapped, Target, Units,
};

/// What a body is made of: numbers, texts, how many of whatever it lists, which options it has.
#[derive(Clone, Debug)]
struct Parts {
    numbers: [u64; 4],
    texts: [String; 3],
    count: usize,
    options: u8,
}

/// A key, and something that it signed.
static SIGNED: LazyLock<(crate::PublicKey, crate::Signature)> = LazyLock::new(|| {
    let key = SecretKey::new(&[7; 32]);
    (key.public(), key.sign(&Hash::of(b"it")))
});

impl Parts {
    fn name(&self, i: usize) -> Name {
        let kept = |letter: &char| *letter != '/' && !letter.is_control();
        let text: String = self.texts[i].chars().filter(kept).take(40).collect();
        Name::new(text.trim()).unwrap_or_else(|_| Name::new("x").unwrap())
    }

    fn amount(&self, i: usize) -> Amount {
        Amount::new(self.numbers[i].min(Amount::MAX.get())).unwrap()
    }

    fn time(&self, i: usize) -> Time {
        Time::from_millis(self.numbers[i])
    }

    fn option<T>(&self, bit: u8, value: T) -> Option<T> {
        (self.options >> bit & 1 == 1).then_some(value)
    }

    fn many<T: Clone>(&self, of: T) -> Vec<T> {
        vec![of; self.count]
    }

    fn hash(&self) -> Hash {
        Hash::of(self.texts[0].as_bytes())
    }

    fn evidence(&self) -> Evidence {
        let said = self.option(7, self.texts[1].clone()).unwrap_or_default();
        Evidence { source: self.texts[0].clone(), hash: self.hash(), said }
    }

    fn policy(&self) -> Policy {
        let max_wait_secs = self.option(4, self.numbers[2]);
        let threshold = Policy::Threshold { min: self.amount(1), max_wait_secs };
        self.option(5, threshold).unwrap_or(Policy::Instant)
    }

    fn window(&self) -> Window {
        let height = Window::UntilHeight(self.numbers[1]);
        [Window::Unlimited, Window::Until(self.time(1)), height, Window::Once][self.count % 4]
    }

    fn legs(&self) -> Legs {
        let leg = |to, share| Leg { to, share };
        let payee = |i: usize| Target::Payee(format!("{i} {}", self.name(i)));
        let half = Share::Portion(Ratio::new(1, 2).unwrap());
        let first = self.option(0, leg(payee(0), Share::UpTo(self.amount(2))));
        let last = leg(Target::Pool(self.name(2).to_string()), Share::Remaining);
        Legs::new(first.into_iter().chain([leg(payee(1), half), last]).collect()).unwrap()
    }

    fn converted(&self) -> Converted {
        let [num, den, ..] = self.numbers;
        let (asset, amount) = (Asset::parse("eip155:1/erc20:0xa0b8@18").unwrap(), self.amount(2));
        let (source, quoted_at) = (self.texts[2].clone(), self.time(3));
        Converted { asset, amount, rate_num: num, rate_den: den, source, quoted_at }
    }

    fn signature(&self) -> Option<crate::Signature> {
        self.option(0, SIGNED.1)
    }

    fn stream(&self) -> Stream {
        Stream::batch(&self.name(0), self.numbers[3], 7)
    }

    fn extent(&self) -> Extent {
        let [amount, withheld, before, after] = [0, 1, 2, 3].map(|i| self.amount(i));
        let (book, paid_at) = (self.name(0), self.time(1));
        let rule = self.option(2, self.numbers[2]);
        Extent { book, amount, withheld, paid_at, before, after, rule }
    }

    fn line(&self) -> Line {
        let to_n = self.option(1, self.numbers[3]);
        let (payee, to, fee) = (self.name(0), self.texts[1].clone(), self.amount(2));
        Line { payee, amount: self.amount(0), to, to_n, fee: self.option(2, fee) }
    }

    /// A body of the books' and the pools' streams.
    fn accrual(&self, kind: &str) -> Body {
        let units = Units::new(self.amount(0).get()).unwrap();
        let index = Index::new(u128::from(self.numbers[0]) << 64 | u128::from(self.numbers[1]));
        let (from, to) = (self.name(0), self.name(1));
        let address = self.texts[1].clone();
        let reason = self.texts[2].clone();
        match kind {
            "opened.1" => Body::Opened(Opened {
                asset: Asset::parse(["USD", "USDC@6", "JPY"][self.count % 3]).unwrap(),
                policy: self.policy(),
                floor: self.amount(0),
                cooling_secs: self.numbers[3],
                named_on: self.option(0, self.name(0)),
            }),
            "pool_opened.1" => {
                let flow_millis = self.option(0, self.numbers[2]);
                let proofs = self.option(1, 1);
                let payee = self.option(2, from);
                Body::PoolOpened(PoolOpened { supply: units, flow_millis, proofs, payee })
            }
            "issued.1" => Body::Issued(Issued { entries: self.many((from, units)) }),
            "moved.1" => Body::Moved(Moved { from, to, units }),
            "redeemed.1" => Body::Redeemed(Redeemed { holder: from, units }),
            "declared.1" => {
                let payment = Stream::payment(&from, &to, &self.name(2));
                let (payments, gross) = (self.many(payment), self.amount(1));
                let netted = self.option(0, self.amount(2));
                let regained = self.option(1, self.amount(3));
                let holders = Holders {
                    root: self.hash(),
                    count: self.numbers[3],
                    supply: units,
                    scale: index,
                    index: Index::new(self.numbers[2].into()),
                };
                let holders = self.option(2, holders);
                let drawn = self.option(3, self.amount(0));
                Body::Declared(Declared {
                    payments,
                    gross,
                    index,
                    netted,
                    regained,
                    holders,
                    drawn,
                })
            }
            "payee_set.1" => {
                let destination = self.option(2, Destination { rail: from, address });
                Body::PayeeSet(PayeeSet { destination, policy: self.option(3, self.policy()) })
            }
            "held.1" => Body::Held(Held { reason, cause: self.option(0, self.stream()) }),
            "released.1" => Body::Released(Released { reason }),
            kind => self.ruling(kind),
        }
    }

    /// A body of the payments' streams, and of what makes up for what went back.
    fn income(&self, kind: &str) -> Body {
        let (from, address) = (self.name(0), self.texts[1].clone());
        match kind {
            "recorded.1" => Body::Recorded(Recorded {
                book: from,
                amount: self.amount(0),
                payer: self.option(0, address),
                event_at: self.time(1),
                converted: self.option(1, self.converted()),
                evidence: self.evidence(),
                withheld: self.option(2, self.amount(1)),
                rule: self.option(3, self.numbers[1]),
            }),
            "reversed.1" => Body::Reversed(Reversed {
                id: address,
                cause: [Cause::Refund, Cause::Dispute, Cause::Failure][self.count % 3],
                amount: self.amount(0),
                extent: self.extent(),
                event_at: self.time(2),
                evidence: self.evidence(),
            }),
            "restored.1" => {
                let (extent, event_at, evidence) = (self.extent(), self.time(2), self.evidence());
                Body::Restored(Restored { id: address, extent, event_at, evidence })
            }
            "lost.1" => Body::Lost(Lost { book: from, id: address, evidence: self.evidence() }),
            "mirrored.1" => {
                let entries = self.many((from, self.amount(0)));
                Body::Mirrored(Mirrored { declaration: self.numbers[3], entries })
            }
            "flowing.1" => {
                let payment = Stream::payment(&from, &self.name(1), &self.name(2));
                let (payments, gross) = (self.many(payment), self.amount(1));
                let (millis, regained) = (self.numbers[3], self.option(0, self.amount(2)));
                Body::Flowing(Flowing { payments, gross, millis, regained })
            }
            "accrued.1" => {
                let index = Index::new(u128::from(self.numbers[0]) << 64 | 7);
                let (gross, netted) = (self.amount(1), self.option(0, self.amount(2)));
                Body::Accrued(Accrued { gross, index, netted })
            }
            "compounded.1" => {
                let (pool, holder, amount) = (from, self.name(1), self.amount(0));
                Body::Compounded(Compounded { pool, holder, amount })
            }
            "sealed.1" => {
                let [from, until, position, within] = self.numbers;
                let (root, epoch) = (self.hash(), address);
                Body::Sealed(Sealed { from, until, root, epoch, position, within })
            }
            "brought.1" => {
                let (earned, paid, evidence) = (self.amount(0), self.amount(1), self.evidence());
                Body::Brought(Brought { earned, paid, evidence })
            }
            kind => self.payout(kind),
        }
    }

    /// A body of the runs', the batches' and the wallets' streams.
    fn payout(&self, kind: &str) -> Body {
        let number = u32::try_from(self.numbers[0] >> 32).unwrap();
        let (evidence, lines) = (self.evidence(), self.many(number));
        let [reference, text, reason] = self.texts.clone();
        match kind {
            "run.1" => {
                let (total, digest) = (self.amount(1), self.hash());
                Body::Run(Run { batches: number, lines: number, total, digest })
            }
            "planned.1" => {
                let (rail, wallet, lines) = (self.name(0), self.name(1), self.many(self.line()));
                Body::Planned(Planned { rail, wallet, lines })
            }
            "signed.1" => Body::Signed(Signed {
                reference,
                bytes: text.clone().into_bytes(),
                window: self.window(),
                deadline: self.time(1),
                sender: self.option(0, Sender { process: text.clone(), try_id: self.hash() }),
                lines: self.hash(),
                claims: self.many(text),
            }),
            "claimed.1" => Body::Claimed(Claimed { coins: self.many(text), batch: self.stream() }),
            "sent.1" => Body::Sent(Sent { reference }),
            "settled.1" => {
                let moved = self.option(0, self.converted());
                Body::Settled(Settled { reference, evidence, moved })
            }
            "voided.1" => Body::Voided(Voided { reference, evidence }),
            "refused.1" => {
                let line = self.option(0, number);
                Body::Refused(Refused { reference, reason, line, evidence })
            }
            "declined.1" => Body::Declined(Declined { reference, reason, evidence }),
            "review.1" => Body::Review(Review { reason }),
            "cancelled.1" => Body::Cancelled(Cancelled { reason }),
            "returned.1" => Body::Returned(Returned { reference, lines, reason, evidence }),
            "reopened.1" => Body::Reopened(Reopened { reference, evidence }),
            kind => self.people(kind),
        }
    }

    /// A body of the treasuries' streams, and of breaks.
    fn desk(&self, kind: &str) -> Body {
        let [id, _, reason] = self.texts.clone();
        let cause = BreakCause::ALL[self.count % BreakCause::ALL.len()];
        match kind {
            "charged.1" => {
                let (asset, amount) = (Asset::parse("SOL@9").unwrap(), self.amount(0));
                let (reference, evidence) = (id, self.evidence());
                Body::Charged(Charged { reference, asset, amount, evidence })
            }
            "swapped.1" => {
                let (moved, evidence) = (self.converted(), self.evidence());
                Body::Swapped(Swapped { reference: id, moved, evidence })
            }
            "funds.1" => {
                let expected = Purpose::Expected(self.time(2));
                let purpose = self.option(0, expected).unwrap_or(Purpose::Reserve);
                let (amount, event_at) = (self.amount(0), self.time(1));
                Body::Funds(Funds { id, purpose, amount, event_at, evidence: self.evidence() })
            }
            "week_closed.1" => {
                let (from, until, owner) = (self.time(1), self.time(2), self.name(1));
                let (recorded, repaid) = (self.amount(0), self.amount(3));
                let figures = Figures { recorded, repaid, ..Figures::default() };
                let owner = self.option(0, owner);
                Body::WeekClosed(WeekClosed { from, until, figures, owner })
            }
            "alerted.1" => {
                let short = crate::Alert::ShortOn(crate::Day::from_number(
                    u32::try_from(self.count).unwrap(),
                ));
                Body::Alerted(Alerted { alerts: self.many(short) })
            }
            "break_found.1" => Body::BreakFound(BreakFound {
                reference: id,
                cause,
                ours: self.option(0, self.amount(0)),
                theirs: self.option(1, self.amount(1)),
                event_at: self.time(2),
                evidence: self.evidence(),
            }),
            "break_explained.1" => Body::BreakExplained(BreakExplained { cause, reason }),
            "break_closed.1" => {
                let evidence = self.option(0, self.evidence());
                Body::BreakClosed(BreakClosed { reason, evidence })
            }
            kind => self.webhook(kind),
        }
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    // Each length that an integer's head can have, and both sides of each border.
    let borders = [0, 23, 24, 255, 256, 65_535, 65_536, u32::MAX.into(), 1 << 32, u64::MAX];
    let number = prop_oneof![proptest::sample::select(borders.to_vec()), any::<u64>()];
    let numbers = [number.clone(), number.clone(), number.clone(), number];
    let text = prop_oneof!["[a-z]{0,12}", "\\PC{0,30}", Just("é漢🪙".repeat(30))];
    let texts = [text.clone(), text.clone(), text];
    let count = prop_oneof![0..5_usize, Just(24), Just(300)];
    let made = |(numbers, texts, count, options)| Parts { numbers, texts, count, options };
    (numbers, texts, count, any::<u8>()).prop_map(made)
}

/// Reads one item and says what is not deterministic about it.
struct Walk<'a>(&'a [u8]);

impl<'a> Walk<'a> {
    fn take(&mut self, len: u64) -> Result<&'a [u8], String> {
        let len = usize::try_from(len).map_err(|_| "too long")?;
        let (head, rest) = self.0.split_at_checked(len).ok_or("cut short")?;
        self.0 = rest;
        Ok(head)
    }

    /// The major type and its argument, which must be as short as it can be.
    fn head(&mut self) -> Result<(u8, u64), String> {
        let first = self.take(1)?[0];
        let (major, short) = (first >> 5, first & 31);
        let (bytes, least) = match short {
            0..=23 => return Ok((major, short.into())),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            31 => return Err("indefinite length".to_owned()),
            _ => return Err(format!("reserved head {first:02x}")),
        };
        let argument =
            self.take(bytes)?.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        if major < 7 && argument < least {
            Err("not shortest".into())
        } else {
            Ok((major, argument))
        }
    }

    fn item(&mut self, in_map: bool) -> Result<(), String> {
        match self.head()? {
            (0, _) => Ok(()),
            (2, len) => self.take(len).map(drop),
            (3, len) => {
                let text = self.take(len)?;
                str::from_utf8(text).map(drop).map_err(|_| "no UTF-8".to_owned())
            }
            (4, len) => (0..len).try_for_each(|_| self.item(false)),
            (5, len) => self.map(len),
            (7, 22) if !in_map => Ok(()),
            (7, 22) => Err("an absent option is written".to_owned()),
            (major, argument) => Err(format!("{argument} of major type {major} has no place here")),
        }
    }

    fn map(&mut self, len: u64) -> Result<(), String> {
        let mut before = None;
        for _ in 0..len {
            let (0, key) = self.head()? else { return Err("a key is no small integer".into()) };
            if before.is_some_and(|before| before >= key) {
                return Err("keys do not ascend".to_owned());
            }
            before = Some(key);
            self.item(true)?;
        }
        Ok(())
    }

    fn whole(bytes: &[u8]) -> Result<(), String> {
        let mut walk = Walk(bytes);
        walk.item(false)?;
        if walk.0.is_empty() { Ok(()) } else { Err("bytes follow".to_owned()) }
    }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn every_body_has_one_encoding_and_it_is_deterministic_cbor(parts in parts()) {
        for kind in Body::KINDS {
            let body = parts.accrual(kind);
            prop_assert_eq!(body.kind(), *kind);
            let bytes = body.encode();
            prop_assert_eq!(Walk::whole(&bytes), Ok(()), "{}: {}", kind, hex(&bytes));
            let read = Body::decode(kind, &bytes);
            prop_assert_eq!(read.as_ref(), Ok(&body));
            prop_assert_eq!(read.unwrap().encode(), bytes);
            let text = serde_json::to_string(&body).unwrap();
            prop_assert_eq!(serde_json::from_str::<Body>(&text).unwrap(), body, "{}", text);
        }
    }

    /// A changed byte is refused, or says something else: two bodies never share their bytes.
    #[test]
    fn a_changed_byte_never_reads_as_the_same_body(
        parts in parts(), kind in 0..Body::KINDS.len(), at in any::<usize>(), flip in 1..=255_u8,
    ) {
        let body = parts.accrual(Body::KINDS[kind]);
        let mut fact = Fact::new(&head(), Time::ZERO, &body);
        let at = at % fact.bytes.len();
        fact.bytes[at] ^= flip;
        prop_assert_ne!(fact.body_strict(), Ok(body));
        prop_assert_eq!(fact.check(&head()).unwrap_err().code(), Code::FactTampered);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        for kind in Body::KINDS {
            if let Ok(body) = Body::decode(kind, &bytes) {
                prop_assert_eq!(Body::decode(kind, &body.encode()), Ok(body));
            }
        }
    }
}

#[test]
fn the_walker_of_this_test_sees_what_is_not_deterministic() {
    let table = [
        // bytes             why
        ("a10000", None),
        ("a2000001f6", Some("an absent option is written")),
        ("a1001800", Some("not shortest")),
        ("a100190001", Some("not shortest")),
        ("bf0000ff", Some("indefinite length")),
        ("a200000100", None),
        ("a2000001", Some("cut short")),
        ("a20101000000", Some("keys do not ascend")),
        ("a200000000", Some("keys do not ascend")),
        ("a1616100", Some("a key is no small integer")),
        ("a1000000", Some("bytes follow")),
        ("a10061ff", Some("no UTF-8")),
    ];
    for (bytes, why) in table {
        assert_eq!(Walk::whole(&unhex(bytes)).err().as_deref(), why, "{bytes}");
    }
}

const BAD: Option<Code> = Some(Code::FactMalformed);
const NEW: Option<Code> = Some(Code::FactUnknown);

/// What is wrong, the kind, the bytes, and how a lenient and a strict reader refuse them.
type Odd = (&'static str, &'static str, &'static str, Option<Code>, Option<Code>);

#[rustfmt::skip]
const ODD: &[Odd] = &[
    ("nothing",                   "pool_opened.1", "a10003",                 None, None),
    ("nothing",                   "sent.1",        "a1006161",               None, None),
    ("kind of a newer build",     "pool_opened.2", "a10003",                 NEW,  NEW),
    ("no kind at all",            "",              "a10003",                 NEW,  NEW),
    ("no bytes",                  "pool_opened.1", "",                       BAD,  BAD),
    ("cut short",                 "pool_opened.1", "a100",                   BAD,  BAD),
    ("trailing byte",             "pool_opened.1", "a1000300",               BAD,  BAD),
    ("field lacking",             "pool_opened.1", "a0",                     BAD,  BAD),
    ("other type",                "pool_opened.1", "a1006103",               BAD,  BAD),
    ("negative",                  "pool_opened.1", "a10020",                 BAD,  BAD),
    ("above the ceiling",         "pool_opened.1", "a1001b8000000000000000", BAD,  BAD),
    ("no UTF-8",                  "sent.1",        "a10061ff",               BAD,  BAD),
    ("name with a slash",         "moved.1",       "a30063612f620161620201", BAD,  BAD),
    ("name of nothing",           "moved.1",       "a300600161620201",       BAD,  BAD),
    ("stream of no place",        "held.1",        "a2006161016161",         BAD,  BAD),
    ("length not shortest",       "sent.1",        "a100780161",             None, BAD),
    ("number not shortest",       "pool_opened.1", "a1001803",               None, BAD),
    ("key not shortest",          "pool_opened.1", "a1180003",               None, BAD),
    ("indefinite map",            "pool_opened.1", "bf0003ff",               None, BAD),
    ("duplicate key",             "pool_opened.1", "a200030003",             None, BAD),
    ("field of a newer build",    "sent.1",        "a20061610903",           None, BAD),
    ("keys out of order",         "moved.1",       "a30201006161016162",     None, BAD),
    ("option written as nothing", "held.1",        "a200616101f6",           None, BAD),
];

#[test]
fn only_the_one_encoding_is_a_body() {
    for (what, kind, bytes, lenient, strict) in ODD {
        let bytes = unhex(bytes);
        let read = Body::decode(kind, &bytes);
        assert_eq!(read.as_ref().err().map(Error::code), *lenient, "{what}: {read:?}");
        let mut fact = Fact::new(&head(), Time::ZERO, &held());
        (fact.kind, fact.bytes) = ((*kind).into(), bytes);
        let read = fact.body_strict();
        assert_eq!(read.as_ref().err().map(Error::code), *strict, "{what}: {read:?}");
    }
}

#[test]
fn what_an_asset_says_is_checked_when_it_is_read() {
    let table = [
        // code, decimals     bytes of the asset        accepted
        ("USD, 2", "a2006355534401 02", true),
        ("USD, 6", "a2006355534401 06", false),
        ("XYZ, 19", "a2006358595a01 13", false),
        ("nothing, 2", "a2006001 02", false),
        ("A@B, 2", "a200634140420102", false),
    ];
    for (what, asset, accepted) in table {
        let asset = asset.replace(' ', "");
        let bytes = unhex(&format!("a400{asset}0182008002010300"));
        assert_eq!(Body::decode("opened.1", &bytes).is_ok(), accepted, "{what}");
    }
}

#[test]
fn a_hash_is_over_exactly_what_the_record_says() {
    let before = Hash::of(b"before");
    let stream = Stream::parse("payee/chapter-42/alice").unwrap();
    let place = Head { stream: stream.clone(), n: 258, hash: before };
    let fact = Fact::new(&place, Time::from_millis(1_767_225_600_000), &held());
    let mut input = b"divvy.fact.1\0".to_vec();
    input.extend(before.as_bytes());
    input.extend([0, 0, 0, 0, 0, 0, 1, 2]);
    input.extend(1_767_225_600_000_u64.to_be_bytes());
    input.extend(b"payee/chapter-42/alice\0held.1\0");
    input.extend(&fact.bytes);
    assert_eq!(fact.hash.as_bytes(), Sha256::digest(&input).as_slice());
    let start = Sha256::digest(b"divvy.stream.1\0payee/chapter-42/alice");
    assert_eq!(Head::start(stream).hash.as_bytes(), start.as_slice());
}

#[test]
fn a_chain_shows_what_was_altered_swapped_or_left_out() {
    let facts = Fact::chain(&head(), Time::from_millis(5), &[held(), held(), held()]);
    let mut before = head();
    for fact in &facts {
        fact.check(&before).unwrap();
        before = Head::after(fact);
    }
    let second = Head::after(&facts[0]);
    let altered = |change: fn(&mut Fact)| {
        let mut fact = facts[1].clone();
        change(&mut fact);
        fact.check(&second).unwrap_err().code()
    };
    assert_eq!(altered(|fact| fact.at = Time::ZERO), Code::FactTampered);
    assert_eq!(altered(|fact| fact.kind = "released.1".into()), Code::FactTampered);
    assert_eq!(altered(|fact| fact.bytes.push(0)), Code::FactTampered);
    assert_eq!(altered(|fact| fact.hash = Hash::default()), Code::FactTampered);
    assert_eq!(altered(|fact| fact.n = 2), Code::FactOrphan);
    assert_eq!(facts[2].check(&second).unwrap_err().code(), Code::FactOrphan);
    let forged = Head { hash: Hash::of(b"other"), ..second };
    assert_eq!(facts[1].check(&forged).unwrap_err().code(), Code::FactTampered);
}

#[test]
fn a_stream_has_one_name() {
    let (book, long) = ("chapter-42", "n".repeat(200));
    let table = [
        // text                             accepted
        ("rule/chapter-42".to_owned(), true),
        ("run/chapter-42".to_owned(), true),
        ("pool/chapter-42/fund".to_owned(), true),
        ("payee/chapter-42/Zoë 漢".to_owned(), true),
        ("payment/till/main/7".to_owned(), true),
        ("batch/chapter-42/0/0".to_owned(), true),
        (format!("batch/{book}/18446744073709551615/4294967295"), true),
        (format!("payment/{long}/{long}/{long}"), true),
        ("coins/till".to_owned(), true),
        (String::new(), false),
        ("rule".to_owned(), false),
        ("rule/".to_owned(), false),
        ("rule/a/b".to_owned(), false),
        ("coins/a/b".to_owned(), false),
        ("payee/a".to_owned(), false),
        ("payee/a/b/c".to_owned(), false),
        ("payee//b".to_owned(), false),
        ("payment/a/b".to_owned(), false),
        ("payment/a/b/c/d".to_owned(), false),
        ("batch/a/0".to_owned(), false),
        ("batch/a/00/0".to_owned(), false),
        ("batch/a/0/01".to_owned(), false),
        ("batch/a/+1/0".to_owned(), false),
        ("batch/a/-1/0".to_owned(), false),
        ("batch/a/18446744073709551616/0".to_owned(), false),
        ("batch/a/0/4294967296".to_owned(), false),
        ("payee/a/ b".to_owned(), false),
        ("payee/a/b\u{0}".to_owned(), false),
        ("payee/a/b\n".to_owned(), false),
        ("Payee/a/b".to_owned(), false),
        ("seal/a".to_owned(), false),
        (format!("coins/{long}n"), false),
    ];
    for (text, accepted) in table {
        let stream = Stream::parse(&text);
        assert_eq!(stream.is_ok(), accepted, "{text}");
        match stream {
            Ok(stream) => assert_eq!(stream.as_str(), text),
            Err(error) => assert_eq!(error.code(), Code::NameMalformed, "{text}"),
        }
    }
}

#[test]
fn json_is_digits_and_lower_case_and_nothing_else() {
    let table = [
        // json of a body                                                              accepted
        (r#"{"kind":"pool_opened.1","supply":"3"}"#, true),
        (r#"{"kind":"pool_opened.1","supply":"+3"}"#, false),
        (r#"{"kind":"pool_opened.1","supply":3}"#, false),
        (r#"{"kind":"pool_opened.1","supply":""}"#, false),
        (r#"{"kind":"pool_opened.9","supply":"3"}"#, false),
        (r#"{"kind":"declared.1","payments":[],"gross":"1","index":"2"}"#, true),
        (r#"{"kind":"declared.1","payments":[],"gross":"+1","index":"2"}"#, false),
        (r#"{"kind":"declared.1","payments":[],"gross":"9223372036854775808","index":"2"}"#, false),
        (r#"{"kind":"declared.1","payments":[],"gross":"1","index":"+2"}"#, false),
        (r#"{"kind":"declared.1","payments":["payee/a"],"gross":"1","index":"2"}"#, false),
    ];
    for (text, accepted) in table {
        assert_eq!(serde_json::from_str::<Body>(text).is_ok(), accepted, "{text}");
    }
    assert!(Hash::parse(&"+f".repeat(32)).is_none());
    let signed = serde_json::to_string(&sample().payout("signed.1")).unwrap();
    assert!(serde_json::from_str::<Body>(&signed).is_ok(), "{signed}");
    let odd = signed.replace("\"bytes\":\"62\"", "\"bytes\":\"+2\"");
    assert_ne!(odd, signed);
    assert!(serde_json::from_str::<Body>(&odd).is_err());
}

fn few() -> ProptestConfig {
    ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() }
}

fn sample() -> Parts {
    let texts = ["a", "b", "c"].map(str::to_owned);
    Parts { numbers: [1, 2, 3, 4], texts, count: 1, options: 0 }
}

fn held() -> Body {
    Body::Held(Held { reason: "burn address".into(), cause: None })
}

fn head() -> Head {
    Head::start(Stream::parse("payee/chapter-42/alice").unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}
