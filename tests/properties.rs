//! What must hold of every value: its text reads as itself and is the only text of it, and no fact
//! reads as itself once a single bit is another.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "tests stop at the first thing that is not as it should be"
)]

use divvy_core::{
    Amount, Asset, Body, Error, Fact, Hash, Head, Leg, Legs, Name, Ratio, Share, Stream, Target,
    Time, Units,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

/// As large as numbers get, and small ones more often than chance has them.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..100_u64, 0..1_000_000_u64, 0..=Amount::MAX.get(), Just(Amount::MAX.get())]
}

fn name() -> impl Strategy<Value = Name> {
    "[^/\\pC\\s]([^/\\pC]{0,30}[^/\\pC\\s])?".prop_map(|text| Name::new(&text).unwrap())
}

fn many() -> ProptestConfig {
    ProptestConfig { cases: 1_024, failure_persistence: None, ..Default::default() }
}

/// What is written reads as the same, and is written so again.
fn round<T: PartialEq + std::fmt::Debug>(
    value: &T,
    text: &str,
    read: impl Fn(&str) -> Result<T, Error>,
) -> Result<(), TestCaseError> {
    let again = read(text);
    prop_assert_eq!(again.as_ref().ok(), Some(value), "{:?}", text);
    Ok(())
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn an_amount_reads_as_it_was_written_in_every_asset(minor in number(), decimals in 0..=18_u8) {
        let asset = Asset::parse(&format!("TOKEN@{decimals}")).unwrap();
        let amount = Amount::new(minor).unwrap();
        let text = asset.text(amount);
        round(&amount, &text, |text| asset.amount(text))?;
        // A digit more is refused, never rounded; unless it is another zero's place.
        let more = if decimals == 0 { format!("{text}.1") } else { format!("{text}1") };
        prop_assert!(asset.amount(&more).is_err(), "{}", more);
        let negative = format!("-{text}");
        prop_assert!(asset.amount(&negative).is_err(), "{}", negative);
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(serde_json::from_str::<Amount>(&json).unwrap(), amount);
        let (code, shown) = (asset.code().to_owned(), asset.to_string());
        prop_assert_eq!((code.as_str(), asset.decimals()), ("TOKEN", decimals));
        round(&asset, &shown, Asset::parse)?;
    }

    #[test]
    fn a_time_reads_as_it_was_written(millis in 0..=Time::MAX.millis()) {
        let time = Time::from_millis(millis);
        round(&time, &time.to_string(), Time::parse)?;
    }

    #[test]
    fn a_ratio_reads_as_it_was_written(den in 1..=u64::MAX, num in any::<u64>()) {
        let Ok(ratio) = Ratio::new(num % den, den) else { return Ok(()) };
        round(&ratio, &ratio.to_string(), Ratio::parse)?;
    }

    #[test]
    fn units_and_hashes_read_as_they_were_written(many in number(), bytes in any::<[u8; 32]>()) {
        let units = Units::new(many).unwrap();
        round(&units, &units.to_string(), Units::parse)?;
        let hash = Hash::new(bytes);
        prop_assert_eq!(Hash::parse(&hash.to_string()), Some(hash));
    }

    #[test]
    fn names_and_streams_read_as_they_were_written(
        names in [name(), name(), name()], run in any::<u64>(), i in any::<u32>(),
    ) {
        let [a, b, c] = &names;
        round(a, a.as_str(), Name::new)?;
        let streams = [
            Stream::rule(a),
            Stream::pool(a, b),
            Stream::payee(a, b),
            Stream::payment(a, b, c),
            Stream::run(a),
            Stream::batch(a, run, i),
            Stream::coins(a),
        ];
        for stream in &streams {
            round(stream, stream.as_str(), Stream::parse)?;
        }
        let all: std::collections::BTreeSet<_> = streams.iter().map(Stream::as_str).collect();
        prop_assert_eq!(all.len(), streams.len());
    }

    #[test]
    fn legs_divide_every_amount_without_a_rest(
        minor in number(), caps in vec(number(), 0..3), percents in vec(1..30_u64, 0..4),
    ) {
        let share = |percent: &u64| Share::Portion(Ratio::new(*percent, 100).unwrap());
        let cap = |cap: &u64| Share::UpTo(Amount::new(*cap).unwrap());
        let shares = caps.iter().map(cap).chain(percents.iter().map(share));
        let leg = |(at, share)| Leg { to: Target::Payee(format!("p{at}")), share };
        let shares = shares.chain([Share::Remaining]).enumerate();
        let legs = Legs::new(shares.map(leg).collect()).unwrap();
        let amount = Amount::new(minor).unwrap();
        prop_assert_eq!(Amount::total(legs.divide(amount).unwrap()), Ok(amount));
    }
}

/// Every bit of every fact in the vectors, and every place at which its body may be cut.
#[test]
fn a_fact_with_another_bit_or_a_byte_less_is_refused_or_is_another() {
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/fact/facts.json");
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(vectors).unwrap()).unwrap();
    let mut seen = 0;
    for case in vectors["facts"].as_array().unwrap() {
        let body: Body = serde_json::from_value(case["body"].clone()).unwrap();
        let head = Head::start(Stream::parse(case["stream"].as_str().unwrap()).unwrap());
        let fact = Fact::new(&head, Time::from_millis(5), &body);
        fact.check(&head).unwrap();
        let flipped = (0..fact.bytes.len()).flat_map(|at| {
            let bytes = &fact.bytes;
            (0..8).map(move |bit| {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                bytes
            })
        });
        let cut = (0..fact.bytes.len()).map(|at| fact.bytes[..at].to_vec());
        for bytes in flipped.chain(cut) {
            let altered = Fact { bytes, ..fact.clone() };
            assert_ne!(altered.body_strict().as_ref(), Ok(&body), "{}", case["id"]);
            assert!(altered.check(&head).is_err(), "{}", case["id"]);
            // Lenient readers take another form of the same; never a shorter one.
            if altered.bytes.len() < fact.bytes.len() {
                assert!(altered.body().is_err(), "{} is read when cut", case["id"]);
            }
            seen += 1;
        }
    }
    assert!(seen > 10_000, "{seen} alterations");
}
