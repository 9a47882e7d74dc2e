//! The fee share: nobody is paid while the fee is too much of their line, and nobody who could be
//! paid is passed over, wherever the fee goes and however money comes.

use super::*;
use crate::{Expected, FeeQuote, FeeShare, Rate, TermsSet};

const HOUR: u64 = 3_600;

fn at_most(bps: u64, waits_secs: Option<u64>) -> TermsSet {
    let fee_share = Some(FeeShare::AtMost { bps, waits_secs });
    TermsSet { fee_share, ..TermsSet::NONE }
}

impl Till {
    fn terms(&mut self, set: TermsSet) {
        let step = self.book().set_terms(set, self.now).unwrap();
        self.commit(&step);
    }

    fn own_terms(&mut self, payee: &str, set: TermsSet) {
        let step = self.book().set_payee_terms(&name(payee), set, self.now).unwrap();
        self.commit(&step);
    }

    /// What the sandbox charges for a line, for an hour from now.
    fn quote(&mut self, fee: u64) {
        let quote = FeeQuote {
            rail: name("sandbox"),
            asset: Asset::parse("USD").unwrap(),
            fee: amount(fee),
            rate: None,
            source: "a tariff".into(),
            at: self.now,
            until: self.now.plus_secs(HOUR),
        };
        let now = self.now;
        let book = self.books.book_mut("b").unwrap();
        book.take_quote(&quote, now).unwrap();
        book.wake_waited(now).unwrap();
    }

    fn wake(&mut self) {
        let now = self.now;
        self.books.book_mut("b").unwrap().wake_waited(now).unwrap();
    }
}

#[test]
fn exactly_the_share_is_due_and_a_unit_less_is_not() {
    let mut till = Till::instant();
    till.terms(at_most(200, None));
    till.rule(&[("ann", "rest")]);
    till.record("1", 499);
    assert_eq!(till.due(), [], "nobody has quoted anything");
    assert_eq!(till.obstacle("ann"), Some(Obstacle::NoQuote(name("sandbox"))));
    till.quote(10);
    assert_eq!(till.due(), []);
    let (rail, fee, most) = (name("sandbox"), amount(10), amount(9));
    assert_eq!(till.obstacle("ann"), Some(Obstacle::FeeAbove { rail, fee, most }));
    till.record("2", 1);
    assert_eq!(till.due(), [("ann".to_owned(), 500)], "2% of 500 is 10");
    assert_eq!(till.obstacle("ann"), None);
    till.quote(11);
    assert_eq!((till.due(), till.book().due_count()), (vec![], 0));
    till.quote(0);
    assert_eq!(till.due().len(), 1, "what is free is always due");
}

#[test]
fn no_fee_keeps_back_what_the_policy_would_not_pay_yet() {
    let mut till = Till::open(threshold(1_000, None), 1, Some("sandbox"));
    till.terms(at_most(100, None));
    till.rule(&[("ann", "rest")]);
    till.record("1", 999);
    assert_eq!(till.obstacle("ann"), None, "it is the threshold that is waited for");
    till.record("2", 1);
    assert_eq!(till.obstacle("ann"), Some(Obstacle::NoQuote(name("sandbox"))));
}

#[test]
fn a_quote_that_is_old_or_lost_pays_nobody_and_says_so() {
    let mut till = Till::instant();
    till.terms(at_most(1_000, None));
    till.rule(&[("ann", "rest")]);
    till.record("1", 500);
    till.quote(50);
    let quoted = till.now;
    till.now = quoted.plus_secs(HOUR);
    assert_eq!(till.due().len(), 1, "the last moment counts");
    till.now = till.now.plus_secs(1);
    till.wake();
    assert_eq!((till.due(), till.book().due_count()), (vec![], 0));
    let old = Some(Obstacle::QuoteOld { rail: name("sandbox"), at: quoted });
    assert_eq!(till.obstacle("ann"), old);
    assert_eq!(till.book().balance("ann", till.now).unwrap().expected_on, Expected::Never);
    till.quote(50);
    assert_eq!(till.due().len(), 1);
    till.books.book_mut("b").unwrap().lose_quote(&name("sandbox"));
    assert_eq!(till.due(), []);
}

#[test]
fn waiting_pays_above_the_share_only_where_the_share_says_so() {
    let month = 30 * 86_400;
    for (waits_secs, paid) in [(None, 0), (Some(2 * month), 1)] {
        let mut till = Till::open(threshold(10_000, Some(month)), 1, Some("sandbox"));
        till.terms(at_most(100, waits_secs));
        till.pool("fund", &[("ann", 1)]);
        till.rule(&[("*fund", "rest")]);
        till.record("1", 500);
        till.declare();
        let since = till.now;
        till.quote(6);
        till.now = since.plus_secs(month);
        till.quote(6);
        assert_eq!(till.due(), [], "{waits_secs:?}: the threshold's limit alone pays nothing");
        let expected = till.book().balance("ann", till.now).unwrap().expected_on;
        if waits_secs.is_some() {
            assert_ne!(expected, Expected::Never);
        }
        till.now = since.plus_secs(2 * month - 1);
        till.wake();
        assert_eq!(till.due(), []);
        till.now = since.plus_secs(2 * month);
        till.wake();
        assert_eq!(till.due().len(), paid, "{waits_secs:?}, and without any quote");
    }
}

#[test]
fn a_payee_may_weigh_otherwise_or_not_at_all() {
    let mut till = Till::instant();
    till.rule(&[("ann", "1/3"), ("bob", "1/3"), ("cyd", "1/3")]);
    assert!(!till.book().weighs_fees());
    till.own_terms("bob", at_most(100, None));
    assert!(till.book().weighs_fees());
    till.record("1", 3_000);
    till.quote(50);
    let dues = |till: &Till| till.due().into_iter().map(|due| due.0).collect::<Vec<_>>();
    assert_eq!(dues(&till), ["ann", "cyd"]);
    till.terms(at_most(500, None));
    till.own_terms("ann", TermsSet { fee_share: Some(FeeShare::Any), ..TermsSet::NONE });
    till.quote(51);
    assert_eq!(dues(&till), ["ann"], "cyd weighs as the book does, bob as bob does");
    till.quote(50);
    assert_eq!(dues(&till), ["ann", "cyd"]);
    till.own_terms("bob", at_most(500, None));
    assert_eq!(dues(&till), ["ann", "bob", "cyd"]);
    till.own_terms("bob", TermsSet { fee_share: Some(FeeShare::Any), ..TermsSet::NONE });
    till.terms(TermsSet { fee_share: Some(FeeShare::Any), ..TermsSet::NONE });
    assert!(!till.book().weighs_fees());
    for bps in [0, 10_001] {
        let error = till.book().set_terms(at_most(bps, None), till.now).unwrap_err();
        assert_eq!(error.code(), Code::PolicyMalformed);
    }
}

#[test]
fn a_fee_in_another_asset_needs_a_rate_and_is_rounded_up() {
    let mut till = Till::instant();
    till.terms(at_most(100, None));
    till.rule(&[("ann", "rest")]);
    till.record("1", 1_500);
    let (sol, usd) = (Asset::parse("SOL@9").unwrap(), Asset::parse("USD").unwrap());
    let mut quote = FeeQuote {
        rail: name("sandbox"),
        asset: sol.clone(),
        fee: amount(1_000_001),
        rate: None,
        source: "a node".into(),
        at: till.now,
        until: Time::MAX,
    };
    let now = till.now;
    let book = till.books.book_mut("b").unwrap();
    assert_eq!(book.take_quote(&quote, now).unwrap_err().code(), Code::QuoteMissing);
    quote.rate = Some(Rate::of_price(sol, usd, "150.00", "x", now).unwrap());
    book.take_quote(&quote, now).unwrap();
    assert_eq!(till.due(), [], "15.00015 cents are 16");
    till.record("2", 100);
    assert_eq!(till.due().len(), 1);
}

/// Random money and fees, against asking everybody at every moment.
#[test]
fn nobody_is_passed_over_wherever_the_fee_goes() {
    for seed in 1..=60_u64 {
        let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut roll = |sides: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % sides
        };
        let mut till = Till::open(threshold(40, None), 1, Some("sandbox"));
        let names: Vec<String> = (0..12).map(|i| format!("h{i}")).collect();
        let units: Vec<(&str, u64)> = names.iter().map(|who| (who.as_str(), 1 + roll(5))).collect();
        till.pool("fund", &units);
        till.rule(&[("h0", "10%"), ("*fund", "rest")]);
        till.terms(at_most(250, None));
        till.own_terms("h1", at_most(1_000, None));
        till.own_terms("h2", TermsSet { fee_share: Some(FeeShare::Any), ..TermsSet::NONE });
        let mut fee = 20;
        for step in 0..60 {
            till.now = till.now.plus_secs(60);
            match roll(4) {
                0 => {
                    till.record(&format!("{step}"), 1 + roll(900));
                    till.declare();
                }
                1 if !till.due().is_empty() => drop(till.pay()),
                _ => (),
            }
            fee = match roll(5) {
                0 => fee + roll(9),
                1 => fee.saturating_sub(roll(9)),
                2 => roll(60),
                _ => fee,
            };
            till.quote(fee);
            let mut naive = Vec::new();
            for who in &names {
                let balance = till.book().balance(who, till.now).unwrap();
                let fits = balance.fee_share.allows(amount(fee), balance.payable);
                if balance.payable >= amount(40) && fits {
                    naive.push((who.clone(), balance.payable.get()));
                }
            }
            let mut own = till.due();
            own.sort();
            naive.sort();
            assert_eq!(own, naive, "seed {seed}, step {step}, fee {fee}");
            assert_eq!(till.book().due_count(), naive.len());
        }
    }
}

#[test]
fn a_new_destination_is_weighed_by_its_own_rail_from_its_own_moment() {
    let mut till = Till::instant();
    till.terms(at_most(100, None));
    till.rule(&[("ann", "rest")]);
    till.record("1", 1_000);
    till.quote(10);
    let set = PayeeSet {
        destination: Some(Destination { rail: name("other"), address: "a".into() }),
        policy: None,
    };
    let step = till.book().set_payee(&name("ann"), set, till.now).unwrap();
    till.commit(&step);
    assert_eq!(till.due().len(), 1);
    till.now = till.now.plus_secs(COOLING_SECS);
    till.quote(10);
    assert_eq!(till.due(), [], "what the sandbox charges says nothing of the other rail");
    assert_eq!(till.obstacle("ann"), Some(Obstacle::NoQuote(name("other"))));
}
