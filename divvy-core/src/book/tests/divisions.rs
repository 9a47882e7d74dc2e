//! Rules that count: tiers, uplines, and what they divide in whatever order streams are read.

use super::*;
use crate::fact::{Divided, Part};
use crate::verify::Verify;
use crate::{Level, Movement, Tier, Upline};

const START: Time = Time::ZERO;

fn tier(from: Option<Time>, over: Option<u64>, legs: &[(&str, &str)]) -> Tier {
    Tier { from, over: over.map(amount), legs: standing(legs) }
}

fn tiers(tiers: Vec<Tier>, legs: &[(&str, &str)]) -> RuleSet {
    RuleSet { tiers: Some(tiers), ..RuleSet::plain(START, standing(legs)) }
}

/// The label recoups 1,000 first; then the band has 70 %.
fn recouping() -> RuleSet {
    let then = tier(None, Some(1_000), &[("band", "70%"), ("label", "rest")]);
    tiers(vec![then], &[("label", "rest")])
}

fn uplined(levels: &[(&str, Option<u64>)], each: Option<u64>, all: Option<u64>) -> RuleSet {
    let level = |(text, most): &(&str, Option<u64>)| Level {
        portion: Ratio::parse(text).unwrap(),
        most: most.map(amount),
    };
    let upline = Upline {
        levels: levels.iter().map(level).collect(),
        rest: Target::Payee("shop".into()),
        each_most: each.map(amount),
        most: all.map(amount),
    };
    RuleSet { upline: Some(upline), ..RuleSet::plain(START, standing(&[("shop", "rest")])) }
}

impl Till {
    fn under(rule: &RuleSet) -> Self {
        let mut till = Self::instant();
        let step = till.book().set_rule_whole(rule, till.now).unwrap();
        till.commit(&step);
        till
    }

    fn divide(&mut self) {
        let step = self.book().divide(self.now).unwrap();
        self.commit(&step);
        assert_eq!(self.book().undivided(), 0);
        assert_eq!(self.book().divide(self.now).unwrap().facts(), []);
    }

    fn refer(&mut self, who: &str, by: &str) {
        let step = self.book().refer(&[(name(who), name(by))], self.now).unwrap();
        self.commit(&step);
    }

    fn pay_by(&mut self, id: &str, minor: u64, payer: &str) {
        let mut payment = payment(id, minor, self.now);
        payment.payer = Some(payer.into());
        let facts = self.book().record(&[payment], self.now).unwrap();
        self.facts.extend(facts.iter().cloned());
        self.books.feed(&facts).unwrap();
    }

    /// So much of a payment goes back, or a refund is undone.
    fn back(&mut self, id: &str, minor: Option<u64>) {
        let stream = payment(id, 1, self.now).stream;
        let own: Vec<Fact> =
            self.facts.iter().filter(|fact| fact.stream == stream).cloned().collect();
        let movement = Movement::fold(&own).unwrap();
        let fact = match minor {
            None => movement.restore("re", self.now, &evidence(), self.now).unwrap(),
            Some(minor) => {
                let refund = crate::danger::vouched_reversal(crate::danger::VouchedReversal {
                    payment: stream,
                    id: "re".into(),
                    cause: crate::Cause::Refund,
                    amount: amount(minor),
                    event_at: self.now,
                    evidence: evidence(),
                });
                movement.reverse(&refund, self.now).unwrap()
            }
        };
        self.commit(&Step::new(fact.into_iter().collect(), Vec::new()));
    }

    fn income(&self, payee: &str) -> u64 {
        self.book().balance(payee, self.now).map_or(0, |balance| balance.earned.get())
    }

    /// From zero, and from a checkpoint, everything is the same.
    fn check_anew(&self) {
        let mut verify = Verify::new();
        verify.feed(&self.facts).unwrap();
        verify.finish().unwrap().compare(&self.books).unwrap();
        let cursor = crate::Cursor { epoch: "e".into(), position: 1, within: 0 };
        let bytes = self.books.checkpoint(&cursor);
        let (restored, _) = Books::from_checkpoint(&bytes).unwrap();
        assert_eq!(restored.checkpoint(&cursor), bytes);
    }
}

#[test]
fn a_label_recoups_over_all_payments_and_then_shares() {
    let mut till = Till::under(&recouping());
    till.record("1", 600);
    assert_eq!((till.income("label"), till.book().undivided()), (0, 1));
    till.divide();
    till.record("2", 500);
    till.record("3", 10);
    till.divide();
    // 400 of the second end the first tier; 100 and 10 are shared.
    assert_eq!([till.income("label"), till.income("band")], [1_033, 77]);
    assert_eq!(till.book().divided_by(1), amount(1_110));
    till.check_anew();
}

#[test]
fn one_payment_may_pass_every_tier() {
    let later = vec![
        tier(None, Some(1), &[("b", "rest")]),
        tier(None, Some(3), &[("a", "50%"), ("c", "rest")]),
    ];
    let mut till = Till::under(&tiers(later, &[("a", "rest")]));
    till.record("1", 103);
    till.divide();
    assert_eq!([till.income("a"), till.income("b"), till.income("c")], [51, 2, 50]);
    till.check_anew();
}

#[test]
fn tiers_by_date_divide_at_once_each_by_its_own_time() {
    let from = secs(2_000);
    let mut till =
        Till::under(&tiers(vec![tier(Some(from), None, &[("b", "rest")])], &[("a", "rest")]));
    till.now = secs(3_000);
    for (id, at) in [("before", secs(1_999)), ("at", from), ("after", secs(2_500))] {
        let facts = till.book().record(&[payment(id, 100, at)], till.now).unwrap();
        till.commit(&Step::new(facts, Vec::new()));
    }
    assert_eq!([till.income("a"), till.income("b")], [100, 200]);
    till.back("before", Some(30));
    till.back("at", Some(10));
    assert_eq!([till.income("a"), till.income("b")], [70, 190]);
    assert_eq!(till.book().divide(till.now).unwrap().facts(), []);
    till.check_anew();
}

#[test]
fn a_moment_may_have_tiers_by_amount_and_the_count_goes_on() {
    let rule = tiers(
        vec![
            tier(None, Some(100), &[("b", "rest")]),
            tier(Some(secs(2_000)), None, &[("c", "rest")]),
            tier(Some(secs(2_000)), Some(250), &[("d", "rest")]),
        ],
        &[("a", "rest")],
    );
    let mut till = Till::under(&rule);
    till.record("1", 150);
    till.divide();
    till.now = secs(2_000);
    till.record("2", 200);
    till.divide();
    let earned = ["a", "b", "c", "d"].map(|who| till.income(who));
    assert_eq!(earned, [100, 50, 100, 100]);
    till.check_anew();
}

#[test]
fn a_refund_takes_each_share_back_from_its_own_division() {
    for before in [true, false] {
        let mut till = Till::under(&recouping());
        till.record("1", 900);
        till.divide();
        till.record("2", 300);
        if before {
            // It waits: the platform bears the refund until somebody has a part.
            till.back("2", Some(100));
            assert_eq!(till.book().totals().borne, amount(100));
            till.divide();
        } else {
            till.divide();
            till.back("2", Some(100));
        }
        // 160 to the label and 140 to the band, of which a third goes back: 53 and 46.
        assert_eq!([till.income("label"), till.income("band")], [900 + 160 - 53, 140 - 46]);
        assert_eq!(till.book().totals().borne, amount(1));
        // What went back opens no tier again.
        till.record("3", 10);
        till.divide();
        assert_eq!(till.income("band"), 94 + 7);
        till.back("2", None);
        assert_eq!([till.income("label"), till.income("band")], [900 + 160 + 3, 140 + 7]);
        till.check_anew();
    }
}

/// A history with everything that divisions touch: tiers with a pool, an upline, refunds before and
/// after, a declaration.
fn eventful() -> Till {
    let mut till = Till::instant();
    till.pool("p", &[("h", 1), ("i", 2)]);
    let fund = |portion: &str| {
        let share = Share::Portion(Ratio::parse(portion).unwrap());
        let rest = Leg { to: Target::Payee("shop".into()), share: Share::Remaining };
        Legs::new(vec![Leg { to: Target::Pool("p".into()), share }, rest]).unwrap()
    };
    let tiers = Some(vec![Tier { from: None, over: Some(amount(150)), legs: fund("60%") }]);
    let rule = RuleSet {
        legs: fund("10%"),
        tiers,
        ..uplined(&[("10%", None), ("5%", Some(4))], Some(20), None)
    };
    let step = till.book().set_rule_whole(&rule, till.now).unwrap();
    till.commit(&step);
    till.refer("bob", "ann");
    till.pay_by("1", 100, "bob");
    till.back("1", Some(33));
    till.back("1", None);
    till.divide();
    till.refer("cyd", "bob");
    till.pay_by("2", 100, "cyd");
    till.divide();
    till.declare();
    till.back("2", Some(50));
    till.pay_by("3", 77, "cyd");
    till.divide();
    till.declare();
    till.check_anew();
    till
}

/// The fold of facts in some order that respects each stream's own, fact by fact.
pub(super) fn in_some_order(facts: &[Fact], random: &mut u64) -> Books {
    let mut streams: BTreeMap<&Stream, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.iter().rev() {
        streams.entry(&fact.stream).or_default().push(fact);
    }
    let mut books = Books::default();
    while !streams.is_empty() {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        let at = usize::try_from(*random >> 33).unwrap() % streams.len();
        let stream = *streams.keys().nth(at).unwrap();
        let next = streams.get_mut(stream).unwrap();
        books.feed(std::slice::from_ref(next.pop().unwrap())).unwrap();
        if next.is_empty() {
            streams.remove(stream);
        }
    }
    books
}

#[test]
fn whatever_stream_is_read_first_everyone_earns_the_same() {
    let till = eventful();
    let people = ["shop", "ann", "bob", "h", "i"];
    let places = |books: &Books| {
        let book = books.book("b").unwrap();
        book.check().unwrap();
        let balance = |who| book.balance(who, till.now).unwrap();
        (people.map(|who| balance(who).earned), book.totals().clone())
    };
    let expected = places(&till.books);
    let mut random = 1_u64;
    for _ in 0..3_000 {
        let books = in_some_order(&till.facts, &mut random);
        assert_eq!(books.early(), []);
        assert_eq!(places(&books), expected);
    }
}

#[test]
fn an_upline_gets_its_levels_up_to_its_caps_and_the_rest_goes_to_the_named_leg() {
    let rule = uplined(&[("10%", None), ("5%", Some(8)), ("2%", None)], Some(25), Some(36));
    let mut till = Till::under(&rule);
    till.pay_by("nobody", 100, "bob");
    till.divide();
    assert_eq!(till.income("shop"), 100);
    till.refer("bob", "ann");
    till.refer("cyd", "bob");
    till.pay_by("1", 100, "cyd");
    till.divide();
    assert_eq!(["bob", "ann", "shop"].map(|who| till.income(who)), [10, 5, 185]);
    // The second level has 3 left, though 5 would be its part.
    till.pay_by("2", 100, "cyd");
    till.divide();
    assert_eq!(["bob", "ann", "shop"].map(|who| till.income(who)), [20, 8, 272]);
    // Bob may get 5 more as a person.
    till.pay_by("3", 100, "cyd");
    till.divide();
    assert_eq!(["bob", "ann", "shop"].map(|who| till.income(who)), [25, 8, 367]);
    // All together may get 3 more.
    till.pay_by("4", 100, "bob");
    till.divide();
    assert_eq!(["bob", "ann", "shop"].map(|who| till.income(who)), [25, 11, 464]);
    till.check_anew();
}

#[test]
fn nobody_is_brought_twice_or_in_a_circle() {
    let mut till = Till::under(&uplined(&[("10%", None)], None, None));
    till.refer("bob", "ann");
    till.refer("cyd", "bob");
    assert_eq!(till.book().refer(&[(name("cyd"), name("bob"))], till.now).unwrap().facts(), []);
    assert_eq!(till.book().referrer("cyd"), Some(&name("bob")));
    for (who, by) in [("cyd", "ann"), ("ann", "cyd"), ("ann", "bob"), ("dan", "dan")] {
        let error = till.book().refer(&[(name(who), name(by))], till.now).unwrap_err();
        assert_eq!(error.code(), Code::UplineConflict, "{who} {by}");
        // Past the step, as a hostile writer would: the fold refuses.
        let body = Body::Referred(crate::Referred { who: name(who), by: name(by) });
        let fact = Fact::new(&till.book().divisions.head, till.now, &body);
        let error = till.books.clone().feed(&[fact]).unwrap_err();
        assert_eq!(error.code(), Code::UplineConflict, "{who} {by}");
    }
}

#[test]
fn a_division_that_its_rule_would_not_make_stops_the_fold() {
    let mut till = Till::under(&recouping());
    till.record("1", 900);
    till.record("2", 300);
    let step = till.book().divide(till.now).unwrap();
    let Body::Divided(good) = step.facts()[0].body().unwrap() else { panic!("divided") };
    let now = till.now;
    let feed = |books: &Books, divided: Divided| {
        let head = books.book("b").unwrap().divisions.head.clone();
        let fact = Fact::new(&head, now, &Body::Divided(divided));
        let mut books = books.clone();
        books.feed(&[fact]).map(|()| books.early().len()).map_err(|error| error.code())
    };
    let wrong = Err(Code::DivisionWrong);
    let mut swapped = good.clone();
    swapped.payments.swap(0, 1);
    let mut given = good.clone();
    let Part { amount: part, .. } = &mut given.payments[0].parts[0];
    *part = part.minus(Amount::ONE).unwrap();
    let mut moved = good.clone();
    moved.payments[0].parts[0].to = Target::Payee("thief".into());
    let mut doubled = good.clone();
    doubled.payments.push(good.payments[0].clone());
    let until = Divided { until: amount(1), ..good.clone() };
    let mut unseen = good.clone();
    unseen.payments[0].payment = payment("9", 1, till.now).stream;
    for (what, divided, expected) in [
        ("as it is", good.clone(), Ok(0)),
        ("in another order", swapped, wrong),
        ("a unit less", given, wrong),
        ("to somebody else", moved, wrong),
        ("the same twice", doubled, wrong),
        ("another count", until, wrong),
        ("no rule", Divided { rule: 0, ..good.clone() }, Err(Code::FactMalformed)),
        ("a rule that is not there yet", Divided { rule: 2, ..good.clone() }, Ok(1)),
        ("a payment that is not there yet", unseen, Ok(1)),
    ] {
        assert_eq!(feed(&till.books, divided), expected, "{what}");
    }
    till.commit(&step);
    assert_eq!(feed(&till.books, good), wrong, "once more");
}

#[test]
fn a_rule_that_leaks_is_refused_with_what_leaks() {
    let (a, b) = (&[("a", "rest")], &[("b", "rest")]);
    let day = Some(secs(2_000));
    let mut fixed = tiers(vec![tier(None, Some(5), a)], b);
    let leg = Leg { to: Target::Payee("a".into()), share: Share::Fixed(amount(7)) };
    fixed.tiers.as_mut().unwrap()[0].legs = Legs::exactly(amount(7), vec![leg]).unwrap();
    let mut nowhere = uplined(&[("10%", None)], None, None);
    nowhere.upline.as_mut().unwrap().rest = Target::Payee("gone".into());
    let table = [
        (tiers(vec![tier(day, Some(500), a)], b), "the first 500 from"),
        (tiers(vec![tier(None, Some(9), a), tier(None, Some(9), b)], b), "does not follow"),
        (tiers(vec![tier(day, None, a), tier(None, Some(9), b)], b), "does not follow"),
        (tiers(vec![tier(None, None, a)], b), "does not follow"),
        (RuleSet { from: secs(2_000), ..tiers(vec![tier(day, None, a)], b) }, "from the start"),
        (fixed, "exactly 7"),
        (uplined(&[("60%", None), ("50%", None)], None, None), "above one by 1/10"),
        (uplined(&[], None, None), "without levels"),
        (nowhere, "goes to payee gone"),
    ];
    let till = Till::instant();
    for (rule, said) in table {
        let error = till.book().set_rule_whole(&rule, till.now).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(matches!(error.code(), Code::SplitLeaky | Code::SplitMalformed), "{error}");
        let fact = Fact::new(&till.book().rule_head, till.now, &Body::RuleSet(rule));
        till.books.clone().feed(&[fact]).unwrap_err();
    }
}

#[test]
fn a_payment_without_a_rule_is_divided_by_the_first_one_that_counts() {
    let mut till = Till::instant();
    let facts = vec![payment("1", 1_200, till.now).fact(&name("b"), till.now).unwrap()];
    till.commit(&Step::new(facts, Vec::new()));
    let step = till.book().set_rule_whole(&recouping(), till.now).unwrap();
    till.commit(&step);
    till.divide();
    assert_eq!([till.income("label"), till.income("band")], [1_060, 140]);
    till.check_anew();
}

#[test]
fn an_issuer_signs_a_rule_with_its_tiers() {
    let key = crate::SecretKey::new(&[1; 32]);
    let mut till = Till::instant();
    let step = till.book().set_issuer(key.public(), None, till.now).unwrap();
    till.commit(&step);
    till.rule(&[("ann", "rest")]);
    let rule = recouping();
    let signature = Some(key.sign(&till.book().rule_whole_to_sign(&rule)));
    let upline = uplined(&[("10%", None)], None, None).upline;
    let without = RuleSet { tiers: None, ..rule.clone() };
    let with_more = RuleSet { tiers: Some(vec![]), ..rule.clone() };
    let named = RuleSet { legs: standing(&[("shop", "rest")]), ..rule.clone() };
    let signed = Some(key.sign(&till.book().rule_whole_to_sign(&named)));
    for other in [without, with_more] {
        let other = RuleSet { signature, ..other };
        let error = till.book().set_rule_whole(&other, till.now).unwrap_err();
        assert_eq!(error.code(), Code::SignatureWrong);
    }
    let other = RuleSet { signature: signed, upline, tiers: None, ..named };
    let error = till.book().set_rule_whole(&other, till.now).unwrap_err();
    assert_eq!(error.code(), Code::SignatureWrong);
    let step = till.book().set_rule_whole(&RuleSet { signature, ..rule }, till.now).unwrap();
    till.commit(&step);
}
