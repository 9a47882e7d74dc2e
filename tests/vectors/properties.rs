//! The properties that the allocation vectors list, by id, over random splits.

use std::collections::BTreeMap;

use divvy_core::{Amount, Carry, Difference, Rule, split, split_signed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};

type Held = Result<(), TestCaseError>;

/// Whether a property holds; an id that nobody wrote a test for does not.
pub(crate) fn hold(id: &str) -> Result<(), String> {
    match id {
        "prop-01" => random(splits(), |(amount, weights)| parts_sum(amount, &weights)),
        "prop-02" => random(splits(), |(amount, weights)| quota_is_kept(amount, &weights)),
        "prop-03" => random(permuted(), |(amount, pairs)| order_is_no_merit(amount, &pairs)),
        "prop-04" => random(splits(), |(amount, weights)| zero_is_never_paid(amount, &weights)),
        "prop-05" => {
            random(scaled(), |(amount, weights, by)| scale_is_no_merit(amount, &weights, by))
        }
        "prop-06" => random(splits(), |(amount, weights)| reversal_undoes(amount, &weights)),
        "prop-07" => random(rounds(), |(weights, extras)| carry_stays_below_one(&weights, &extras)),
        "prop-08" => small_rounds_need_a_deadline(),
        "prop-09" => running_totals_go_backwards(),
        "prop-10" => forgetting_drifts(),
        id => Err(format!("no test for property {id:?}")),
    }
}

/// Runs a property over the same random cases each time; soak runs raise the count.
fn random<S: Strategy>(of: S, check: impl Fn(S::Value) -> Held) -> Result<(), String> {
    let config = ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, seed).run(&of, check).map_err(|error| error.to_string())
}

fn amounts() -> impl Strategy<Value = Amount> {
    let minor = prop_oneof![0..50_u64, 0..1_000_000_u64, 0..=Amount::MAX.get()];
    minor.prop_map(|minor| Amount::new(minor).expect("below the ceiling"))
}

fn weight() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1..5_u64, 1..1_000_000_000_u64, any::<u64>()]
}

fn splits() -> impl Strategy<Value = (Amount, Vec<u64>)> {
    let weights = vec(weight(), 1..24).prop_filter("someone", |weights| total(weights) > 0);
    (amounts(), weights)
}

fn scaled() -> impl Strategy<Value = (Amount, Vec<u64>, u64)> {
    let weights = vec(0..1_u64 << 40, 1..24).prop_filter("someone", |weights| total(weights) > 0);
    (amounts(), weights, 1..1_u64 << 24)
}

/// Weights with a number each, by which to reorder them.
fn permuted() -> impl Strategy<Value = (Amount, Vec<(u64, u32)>)> {
    let someone = |pairs: &Vec<(u64, u32)>| pairs.iter().any(|pair| pair.0 > 0);
    (amounts(), vec((weight(), any::<u32>()), 1..24).prop_filter("someone", someone))
}

/// Two lists of weights to alternate between, and what each round adds to its smallest amount.
fn rounds() -> impl Strategy<Value = ([Vec<u64>; 2], Vec<u64>)> {
    let weights = (1..10_usize).prop_flat_map(|n| [vec(1..100_u64, n), vec(1..100_u64, n)]);
    (weights, vec(0..1_000_u64, 1..60))
}

fn total(weights: &[u64]) -> u128 {
    weights.iter().map(|weight| u128::from(*weight)).sum()
}

/// The floor of each quota and what it leaves, by plain division.
#[expect(clippy::integer_division, reason = "plain division is what the split is compared with")]
fn quotas(amount: Amount, weights: &[u64]) -> Vec<(u128, u128)> {
    let total = total(weights);
    let product = |weight: &u64| u128::from(amount.get()) * u128::from(*weight);
    weights.iter().map(|weight| (product(weight) / total, product(weight) % total)).collect()
}

fn shares(rule: Rule, amount: Amount, weights: &[u64]) -> Vec<u128> {
    let split = split(rule, amount, weights).expect("someone has a weight");
    split.shares.iter().map(|share| u128::from(share.get())).collect()
}

fn parts_sum(amount: Amount, weights: &[u64]) -> Held {
    for rule in Rule::ALL {
        let split = split(*rule, amount, weights).expect("someone has a weight");
        let paid = Amount::total(split.shares).expect("at most the amount");
        prop_assert_eq!(paid.plus(split.left), Ok(amount), "{}", rule);
        let leaves = matches!(rule, Rule::FloorKeepDust | Rule::ExactRatioBlocks);
        prop_assert!(leaves || split.left.is_zero(), "{} leaves {}", rule, split.left);
    }
    Ok(())
}

fn quota_is_kept(amount: Amount, weights: &[u64]) -> Held {
    for rule in [Rule::LargestRemainder, Rule::CumulativeFloor] {
        let shares = shares(rule, amount, weights);
        for (share, (floor, rest)) in shares.into_iter().zip(quotas(amount, weights)) {
            let ceiling = floor + u128::from(rest > 0);
            prop_assert!(share == floor || share == ceiling, "{}: {} of {}", rule, share, floor);
        }
    }
    Ok(())
}

/// Each holder's remainder, with the number of units that holders of that remainder were given.
fn given(amount: Amount, weights: &[u64]) -> BTreeMap<u128, Vec<u128>> {
    let mut given = BTreeMap::<u128, Vec<u128>>::new();
    let shares = shares(Rule::LargestRemainder, amount, weights);
    for (share, (floor, rest)) in shares.into_iter().zip(quotas(amount, weights)) {
        given.entry(rest).or_default().push(share - floor);
    }
    given.values_mut().for_each(|units| units.sort_unstable());
    given
}

fn order_is_no_merit(amount: Amount, pairs: &[(u64, u32)]) -> Held {
    let mut moved = pairs.to_vec();
    moved.sort_by_key(|pair| pair.1);
    let weights = |pairs: &[(u64, u32)]| pairs.iter().map(|pair| pair.0).collect::<Vec<_>>();
    prop_assert_eq!(given(amount, &weights(pairs)), given(amount, &weights(&moved)));
    Ok(())
}

fn zero_is_never_paid(amount: Amount, weights: &[u64]) -> Held {
    for rule in Rule::ALL.iter().filter(|rule| **rule != Rule::FloorThenListedOrder) {
        for (share, weight) in shares(*rule, amount, weights).into_iter().zip(weights) {
            prop_assert!(*weight > 0 || share == 0, "{} pays a zero weight {}", rule, share);
        }
    }
    // The one rule that does, by design.
    prop_assert_eq!(shares(Rule::FloorThenListedOrder, Amount::ONE, &[0, 1, 1]), [1, 0, 0]);
    Ok(())
}

fn scale_is_no_merit(amount: Amount, weights: &[u64], by: u64) -> Held {
    let scaled: Vec<u64> = weights.iter().map(|weight| weight * by).collect();
    for rule in Rule::ALL {
        prop_assert_eq!(split(*rule, amount, weights), split(*rule, amount, &scaled), "{}", rule);
    }
    Ok(())
}

fn reversal_undoes(amount: Amount, weights: &[u64]) -> Held {
    let back = Difference::between(Amount::ZERO, amount);
    for rule in Rule::ALL {
        let there = split(*rule, amount, weights).expect("someone has a weight");
        let back = split_signed(*rule, back, weights).expect("someone has a weight");
        let undone = back.shares.iter().map(|share| -i128::from(share.get()));
        if *rule == Rule::SignedFloorLargestRemainder {
            prop_assert_eq!(undone.sum::<i128>(), i128::from(amount.get()));
            continue;
        }
        let paid: Vec<_> = there.shares.iter().map(|share| i128::from(share.get())).collect();
        prop_assert_eq!(undone.collect::<Vec<_>>(), paid, "{}", rule);
        prop_assert_eq!(back.left.magnitude(), there.left, "{}", rule);
    }
    Ok(())
}

fn carry_stays_below_one(weights: &[Vec<u64>; 2], extras: &[u64]) -> Held {
    let mut carry = Carry::new(weights[0].len()).expect("someone");
    for (extra, weights) in extras.iter().zip(weights.iter().cycle()) {
        let least = weights.iter().copied().min().unwrap_or(1);
        let enough = weights.iter().sum::<u64>().div_ceil(least);
        let amount = Amount::new(enough + extra).expect("small");
        let paid = carry.divide(amount, weights).expect("totals are small");
        prop_assert_eq!(Amount::total(paid), Ok(amount));
        for carried in carry.carried() {
            prop_assert!(carried.num.abs() < carried.den, "{} is carried", carried);
        }
    }
    Ok(())
}

/// Goal: show that rounds smaller than the number of holders can carry more than one unit, that
/// it stays below two, and that a rule by deadline does better for fixed weights.
/// Method: single units and rounds of a few, over many lists of weights; the rule by deadline is
/// Tijdeman's, in plain integers.
fn small_rounds_need_a_deadline() -> Result<(), String> {
    let most = core::cell::Cell::new((0, 1));
    // Few large holders among many small ones: the small ones wait, and the wait adds up.
    let weight = prop_oneof![1..3_u64, 1..60_u64, 50..1_000_u64];
    let of = vec(weight, 3..13).prop_flat_map(|weights| {
        let small = u64::try_from(weights.len()).expect("few");
        (Just(weights), vec(0..small, 120))
    });
    random(of, |(weights, amounts)| {
        let mut carry = Carry::new(weights.len()).expect("someone");
        for minor in &amounts {
            carry.divide(Amount::new(*minor).expect("small"), &weights).expect("one total");
            for carried in carry.carried() {
                let (num, den) = most.get();
                if carried.num.abs() * den > num * carried.den {
                    most.set((carried.num.abs(), carried.den));
                }
            }
        }
        deadlines_keep_the_bound(&weights, amounts.iter().sum())
    })?;
    let (num, den) = most.get();
    match num > den && num < 2 * den {
        true => Ok(()),
        false => Err(format!("the largest carry was {num}/{den}, not between one and two")),
    }
}

/// One unit at a time to the earliest deadline among those owed enough: nobody is ever further
/// than `1 - 1/(2n-2)` away from what they are owed.
fn deadlines_keep_the_bound(weights: &[u64], units: u64) -> Held {
    let weights: Vec<i128> = weights.iter().map(|weight| i128::from(*weight)).collect();
    let holders = i128::try_from(weights.len()).expect("few");
    let (total, gaps) = (weights.iter().sum::<i128>(), 2 * holders - 2);
    // All in parts of 1 / (total * gaps).
    let (unit, bound) = (total * gaps, total * (gaps - 1));
    let mut paid = vec![0_i128; weights.len()];
    for round in 1..=i128::from(units) {
        let owed = |place: usize| round * weights[place] * gaps - paid[place] * unit;
        let deadline = |place: usize| {
            let missing = paid[place] * unit + bound;
            (missing + weights[place] * gaps - 1).div_euclid(weights[place] * gaps)
        };
        let ready = (0..weights.len()).filter(|place| owed(*place) >= total);
        let next = ready.min_by_key(|place| (deadline(*place), *place));
        let Some(next) = next else { return Err(TestCaseError::fail("nobody is ready")) };
        paid[next] += 1;
        for (weight, paid) in weights.iter().zip(&paid) {
            let away = round * weight * gaps - paid * unit;
            prop_assert!(away.abs() <= bound, "{away} is beyond {bound}");
        }
    }
    Ok(())
}

fn running_totals_go_backwards() -> Result<(), String> {
    let third = |minor| {
        let amount = Amount::new(minor).expect("small");
        shares(Rule::LargestRemainder, amount, &[6, 6, 2])[2]
    };
    match (third(10), third(11)) {
        (2, 1) => Ok(()),
        found => Err(format!("of 10 and of 11 the third holder has {found:?}, not 2 and 1")),
    }
}

fn forgetting_drifts() -> Result<(), String> {
    let hundred = Amount::new(100).expect("small");
    let first = 1_000 * shares(Rule::LargestRemainder, hundred, &[1, 1, 1])[0];
    // A third of 100,000 is 33,333 and a third.
    match first - 33_333 {
        667 => {}
        ahead => return Err(format!("the first is {ahead} ahead, not two thirds of 1000")),
    }
    let mut carry = Carry::new(3).expect("someone");
    for _ in 0..1_000 {
        carry.divide(hundred, &[1, 1, 1]).map_err(|error| error.to_string())?;
    }
    match carry.carried().all(|carried| carried.num.abs() < carried.den) {
        true => Ok(()),
        false => Err("a carry drifts too".to_owned()),
    }
}
