//! Goal: a rate loses nothing but what its rounding says.
//! Method: random rates against plain wide arithmetic, and text that is no price.
#![expect(clippy::arithmetic_side_effects, reason = "overflow panics here, which fails the test")]

use proptest::prelude::*;

use super::*;

fn assets() -> (Asset, Asset) {
    (Asset::parse("BSV@8").unwrap(), Asset::parse("USD").unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn an_outcome_is_the_nearest_that_its_rounding_allows(
        minor in 0..=Amount::MAX.get(), num in 1..=u64::MAX, den in 1..=u64::MAX,
    ) {
        let rate = Rate::new(assets(), (num, den), "", Time::ZERO).unwrap();
        let amount = Amount::new(minor).unwrap();
        let exact = u128::from(minor) * u128::from(num);
        for rounding in [Rounding::Down, Rounding::Up, Rounding::HalfEven] {
            let Ok(own) = rate.convert_by(amount, rounding) else {
                let whole = exact.div_euclid(den.into());
                prop_assert!(whole + 1 > u128::from(Amount::MAX.get()), "{whole}");
                continue;
            };
            let own = u128::from(own.get()) * u128::from(den);
            let fits = match rounding {
                Rounding::Down => own <= exact && exact - own < u128::from(den),
                Rounding::Up => own >= exact && own - exact < u128::from(den),
                Rounding::HalfEven => own.abs_diff(exact) * 2 <= u128::from(den),
            };
            prop_assert!(fits, "{rounding:?}");
        }
    }

    #[test]
    fn no_price_makes_a_reader_panic(text in "\\PC{0,24}|[0-9.+e-]{0,48}") {
        let (bsv, usd) = assets();
        if let Ok(rate) = Rate::of_price(bsv, usd, &text, "", Time::ZERO) {
            prop_assert!(rate.num() > 0 && rate.den() > 0);
        }
    }
}

#[test]
fn a_price_is_read_exactly_or_refused() {
    let table = [
        // price                        minor units of USD for minor units of BSV
        ("42.50", Some((17, 400_000))),
        ("42.5000000000000000000000000", Some((17, 400_000))),
        ("1", Some((1, 1_000_000))),
        ("0.000001", Some((1, 1_000_000_000_000))),
        ("10000000000000000000000000", Some((10_000_000_000_000_000_000, 1))),
        ("100000000000000000000000000", None),
        ("0.00000000000000001", None),
        ("0", None),
        ("0.00", None),
        ("", None),
        (".5", None),
        ("5.", None),
        ("-1", None),
        ("+1", None),
        ("1e3", None),
        ("1,000", None),
        ("1.2.3", None),
    ];
    for (price, expected) in table {
        let (bsv, usd) = assets();
        let rate = Rate::of_price(bsv, usd, price, "", Time::ZERO);
        match expected {
            Some(terms) => assert_eq!(rate.map(|rate| (rate.num(), rate.den())), Ok(terms)),
            None => assert_eq!(rate.unwrap_err().code(), Code::RateMalformed, "{price}"),
        }
    }
}

#[test]
fn bytes_and_json_are_checked_when_read() {
    let rate = Rate::new(assets(), (17, 400_000), "x", Time::ZERO).unwrap();
    let bytes = minicbor::to_vec(&rate).unwrap();
    assert_eq!(minicbor::decode::<Rate>(&bytes).unwrap(), rate);
    let json = serde_json::to_string(&rate).unwrap();
    assert_eq!(serde_json::from_str::<Rate>(&json).unwrap(), rate);
    for (num, den) in [(34, 800_000), (0, 1), (1, 0)] {
        let wild = Rate { num, den, ..rate.clone() };
        assert!(minicbor::decode::<Rate>(&minicbor::to_vec(&wild).unwrap()).is_err());
        let json = serde_json::to_string(&wild).unwrap();
        assert!(serde_json::from_str::<Rate>(&json).is_err(), "{num}/{den}");
    }
}
