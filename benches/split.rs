//! Splitting, beside the fastest peer, in one run.
//!
//! Aims: at least twice as fast from a thousand weights up, and a million within 20 ms on one
//! core. First both must agree wherever they follow the same rule.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints what it measured")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    reason = "a bench that goes wrong should stop"
)]

mod support;

use std::time::Duration;

use divvy_core::{Amount, Rule, split};
use rusty_money::{Money, iso};
use support::{median, print_table, quiet_or_exit, ratio, text};

fn main() {
    results_agree();
    quiet_or_exit();
    let head = ["weights", "largest remainder", "listed order", "rusty_money", "ratios", "aim", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend([10, 1_000, 100_000, 1_000_000].map(row));
    print_table(&rows);
    let wide: Vec<u64> = weights(1_000_000).into_iter().map(|weight| weight << 30).collect();
    let wide = median(|| split(Rule::LargestRemainder, amount(), &wide));
    println!("1000000 weights with a total beyond 64 bits: {}", text(wide));
    let ten = weights(10_000_000);
    let ten = median(|| split(Rule::LargestRemainder, amount(), &ten));
    println!("10000000 weights: {}", text(ten));
}

fn row(count: usize) -> Vec<String> {
    let weights = weights(count);
    let narrow = narrow(&weights);
    let ours = median(|| split(Rule::LargestRemainder, amount(), &weights));
    let listed = median(|| split(Rule::FloorThenListedOrderSkipZero, amount(), &weights));
    let money = Money::from_minor(MINOR, iso::USD);
    let theirs = median(|| money.allocate(narrow.clone()));
    let (aim, met) = match count {
        0..1_000 => ("none", true),
        1_000..1_000_000 => (">= 2.0x", theirs >= ours * 2),
        _ => (">= 2.0x, <= 20 ms", theirs >= ours * 2 && ours <= Duration::from_millis(20)),
    };
    let ratios = format!("{}, {}", ratio(ours, theirs), ratio(listed, theirs));
    let met = if met { "met" } else { "MISSED" }.to_owned();
    vec![count.to_string(), text(ours), text(listed), text(theirs), ratios, aim.to_owned(), met]
}

/// Both follow one rule for amounts from zero up: floors, then listed order, zeros skipped.
fn results_agree() {
    for count in [1, 2, 3, 10, 1_000, 100_000] {
        for minor in [0, 1, 99, 100, MINOR] {
            let weights = weights(count);
            let amount = Amount::new(minor.unsigned_abs()).expect("below the ceiling");
            let ours = split(Rule::FloorThenListedOrderSkipZero, amount, &weights);
            let ours = ours.expect("someone has a weight");
            let money = Money::from_minor(minor, iso::USD);
            let theirs = money.allocate(narrow(&weights)).expect("someone has a weight");
            let theirs = theirs.iter().map(Money::to_minor_units);
            let ours = ours.shares.iter().map(|share| share.get().cast_signed());
            assert!(ours.eq(theirs), "{minor} by {count} weights differs");
        }
    }
}

/// Holdings like a token's: many small, some large, a few zero; the same in every run.
fn weights(count: usize) -> Vec<u64> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let weight = |place| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let size = state >> 60;
        if place > 0 && size == 0 { 0 } else { (state >> 20 & ((1 << (size * 2)) - 1)) + 1 }
    };
    (0..count).map(weight).collect()
}

fn narrow(weights: &[u64]) -> Vec<u32> {
    weights.iter().map(|weight| u32::try_from(*weight).expect("below 2^31")).collect()
}

fn amount() -> Amount {
    Amount::new(MINOR.unsigned_abs()).expect("below the ceiling")
}

/// About ten billion dollars in cents.
const MINOR: i64 = 1_000_000_000_007;
