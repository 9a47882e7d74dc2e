use super::super::{Ratio, Target};
use super::*;

/// `"30%"`, `"<=10"` (up to), `"=10"` (fixed) or `"rest"`, one leg per payee a, b, c…
fn legs(texts: &[&str]) -> Vec<Leg> {
    let amount = |text: &str| Amount::new(text.parse().unwrap()).unwrap();
    let share = |text: &str| match (text, text.strip_prefix("<="), text.strip_prefix('=')) {
        ("rest", _, _) => Share::Remaining,
        (_, Some(cap), _) => Share::UpTo(amount(cap)),
        (_, _, Some(fixed)) => Share::Fixed(amount(fixed)),
        (ratio, _, _) => Share::Portion(Ratio::parse(ratio).unwrap()),
    };
    let names = ('a'..='z').map(|name| Target::Payee(name.to_string()));
    texts.iter().zip(names).map(|(text, to)| Leg { to, share: share(text) }).collect()
}

fn minors(parts: &[Amount]) -> Vec<u64> {
    parts.iter().map(|part| part.get()).collect()
}

#[test]
fn a_standing_rule_divides_every_amount() {
    #[rustfmt::skip]
    let table: [(&[&str], u64, &[u64]); 10] = [
        // legs                            amount  parts
        (&["rest"],                 7,     &[7]),
        (&["1/3", "1/3", "rest"],   100,   &[34, 33, 33]),
        (&["0.1%", "99.9%"],        999,   &[1, 998]),
        (&["30%", "<=500", "rest"], 1_500, &[300, 500, 700]),
        (&["30%", "<=500", "rest"], 400,   &[0, 400, 0]),
        (&["<=10", "<=20", "rest"], 25,    &[10, 15, 0]),
        (&["rest", "<=20", "<=10"], 25,    &[0, 20, 5]),
        (&["<=0", "60%", "40%"],    11,    &[0, 7, 4]),
        (&["1/2", "1/2", "rest"],   15,    &[8, 7, 0]),
        (&["<=5", "rest", "50%"],   0,     &[0, 0, 0]),
    ];
    for (texts, amount, parts) in table {
        let rule = Legs::new(legs(texts)).unwrap();
        let found = rule.divide(Amount::new(amount).unwrap()).unwrap();
        assert_eq!(minors(&found), parts, "{texts:?} {amount}");
        for amount in [0, 1, 2, 3, 99, 100_000_007, Amount::MAX.get()] {
            let amount = Amount::new(amount).unwrap();
            assert_eq!(Amount::total(rule.divide(amount).unwrap()), Ok(amount), "{texts:?}");
        }
    }
}

#[test]
fn a_rule_that_can_leave_or_lack_a_unit_is_refused() {
    #[rustfmt::skip]
    let table: [(&[&str], Code, &str); 9] = [
        // legs                         code                 remedy
        (&["100.0001%"],                             Code::SplitLeaky,     "lower them"),
        (&["60%", "60%", "rest"],                    Code::SplitLeaky,     "lower them"),
        (&["30%", "60%"],                            Code::SplitLeaky,     "add a remaining"),
        (&["99.9999999999%"],                        Code::SplitLeaky,     "add a remaining"),
        (&["rest", "rest"],                          Code::SplitLeaky,     "keep one"),
        (&["=5", "rest"],                            Code::SplitLeaky,     "use up-to"),
        (&["<=5"],                                   Code::SplitLeaky,     "add a remaining"),
        (&["1/18446744073709551615", "1/2", "rest"], Code::SplitMalformed, "fewer digits"),
        (&[],                                        Code::SplitEmpty,     "at least one"),
    ];
    for (texts, code, remedy) in table {
        let error = Legs::new(legs(texts)).unwrap_err();
        assert_eq!(error.code(), code, "{texts:?}");
        assert!(error.to_string().contains(remedy), "{error}");
    }
    let mut twice = legs(&["50%", "50%"]);
    twice[1].to = twice[0].to.clone();
    assert_eq!(Legs::new(twice.clone()).unwrap_err().code(), Code::SplitMalformed);
    // A pool of the same name is somebody else.
    twice[1].to = Target::Pool("a".into());
    assert!(Legs::new(twice).is_ok());
    let mut nobody = legs(&["rest"]);
    nobody[0].to = Target::Payee(String::new());
    assert_eq!(Legs::new(nobody).unwrap_err().code(), Code::SplitMalformed);
}

#[test]
fn exact_legs_fit_their_amount_to_the_unit() {
    #[rustfmt::skip]
    let table: [(&[&str], Option<&[u64]>); 10] = [
        // legs of exactly 100           parts
        (&["=60", "=40"],          Some(&[60, 40])),
        (&["=60", "<=50"],         Some(&[60, 40])),
        (&["=60", "rest"],         Some(&[60, 40])),
        (&["=100", "1/3", "2/3"],  Some(&[100, 0, 0])),
        (&["=40", "1/3", "2/3"],   Some(&[40, 20, 40])),
        (&["rest"],                Some(&[100])),
        (&["=60", "=39"],          None),
        (&["=60", "=41"],          None),
        (&["<=50", "=60", "rest"], None),
        (&["=60", "50%"],          None),
    ];
    let hundred = Amount::new(100).unwrap();
    for (texts, parts) in table {
        let rule = Legs::exactly(hundred, legs(texts));
        let Some(parts) = parts else {
            assert_eq!(rule.unwrap_err().code(), Code::SplitLeaky, "{texts:?}");
            continue;
        };
        let rule = rule.unwrap();
        assert_eq!(minors(&rule.divide(hundred).unwrap()), parts, "{texts:?}");
        assert_eq!(rule.divide(Amount::ONE).unwrap_err().code(), Code::SplitLeaky);
    }
}

/// Rules become facts: what is read back is the same rule, and a leaky one is never believed.
#[test]
fn legs_are_checked_again_when_read() {
    let standing = Legs::new(legs(&["12.5%", "<=500", "rest"])).unwrap();
    let exact = Legs::exactly(Amount::ONE, legs(&["=1"])).unwrap();
    for rule in [standing, exact] {
        let bytes = minicbor::to_vec(&rule).unwrap();
        assert_eq!(minicbor::decode::<Legs>(&bytes).unwrap(), rule);
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Legs>(&json).unwrap(), rule, "{json}");
    }
    let leaky = Legs { legs: legs(&["12.5%"]), amount: None, weights: vec![1] };
    assert!(minicbor::decode::<Legs>(&minicbor::to_vec(&leaky).unwrap()).is_err());
    assert!(serde_json::from_str::<Legs>(&serde_json::to_string(&leaky).unwrap()).is_err());
}

#[test]
fn json_is_the_text_that_people_write() {
    let rule = Legs::new(legs(&["12.5%", "<=500", "rest"])).unwrap();
    let expected = concat!(
        r#"{"legs":[{"to":{"payee":"a"},"share":{"portion":"12.5%"}},"#,
        r#"{"to":{"payee":"b"},"share":{"up_to":"500"}},"#,
        r#"{"to":{"payee":"c"},"share":"remaining"}]}"#,
    );
    assert_eq!(serde_json::to_string(&rule).unwrap(), expected);
}
