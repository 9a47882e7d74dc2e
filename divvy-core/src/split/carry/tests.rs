use super::*;

fn run(carry: &mut Carry, amount: u64, weights: &[u64]) -> Vec<u64> {
    let parts = carry.divide(Amount::new(amount).unwrap(), weights).unwrap();
    assert_eq!(parts.iter().map(|part| part.get()).sum::<u64>(), amount);
    assert_eq!(carry.owed.iter().sum::<i128>(), 0, "carries sum to zero");
    parts.iter().map(|part| part.get()).collect()
}

fn text(carry: &Carry) -> Vec<String> {
    carry.carried().map(|carried| carried.to_string()).collect()
}

#[test]
fn whoever_is_owed_most_comes_first_and_weights_may_change() {
    #[rustfmt::skip]
    let table = [
        // amount  weights       parts       carried after
        (1,   [1, 1, 1], [1, 0, 0],    ["-2/3", "1/3", "1/3"]),
        (1,   [0, 1, 1], [0, 1, 0],    ["-2/3", "-1/6", "5/6"]),
        (1,   [1, 0, 0], [0, 0, 1],    ["1/3", "-1/6", "-1/6"]),
        (0,   [1, 1, 1], [0, 0, 0],    ["1/3", "-1/6", "-1/6"]),
        (10,  [0, 0, 7], [0, 0, 10],   ["1/3", "-1/6", "-1/6"]),
        (100, [2, 3, 1], [34, 50, 16], ["-1/3", "-1/6", "1/2"]),
    ];
    let mut carry = Carry::new(3).unwrap();
    for (amount, weights, parts, carried) in table {
        assert_eq!(run(&mut carry, amount, &weights), parts, "{amount} {weights:?}");
        assert_eq!(text(&carry), carried, "{amount} {weights:?}");
    }
}

/// Claims below zero are clamped, so a round can pay too much before units are taken back.
#[test]
fn units_paid_too_much_are_taken_back_from_the_best_paid() {
    let owed = vec![-15, 12, 3];
    let mut carry = Carry { owed, parts: 10 };
    // Claims of 1 by equal weights: -1.17, 1.53, 0.63. Paid: 0, 1, 0.
    assert_eq!(run(&mut carry, 1, &[1, 1, 1]), [0, 1, 0]);
    let mut carry = Carry { owed: vec![-20, 10, 10], parts: 10 };
    // Claims of 1 by equal weights: -1.67, 1.33, 1.33. Paid 0, 1, 1, and one comes back.
    assert_eq!(run(&mut carry, 1, &[1, 1, 1]), [0, 0, 1]);
    let mut carry = Carry { owed: vec![-30, 30], parts: 10 };
    // Claims of 1: -2.5, 3.5. Paid 0, 3, and two come back from the only one paid.
    assert_eq!(run(&mut carry, 1, &[1, 1]), [0, 1]);
    assert_eq!(text(&carry), ["-5/2", "5/2"]);
}

#[test]
fn a_refused_round_changes_nothing() {
    let mut carry = Carry::new(2).unwrap();
    run(&mut carry, 1, &[1, 2]);
    let before = carry.clone();
    let wide: [u64; 2] = [(1 << 62) - 57, 0];
    #[rustfmt::skip]
    let table: [(&[u64], Code); 4] = [
        // weights        code
        (&[1],       Code::SplitMalformed),
        (&[1, 1, 1], Code::SplitMalformed),
        (&[0, 0],    Code::SplitEmpty),
        (&[],        Code::SplitMalformed),
    ];
    for (weights, code) in table {
        let error = carry.divide(Amount::ONE, weights).unwrap_err();
        assert_eq!(error.code(), code, "{weights:?}");
        assert_eq!(carry, before);
    }
    // Two coprime totals of 62 bits fit 120 bits together with nothing else.
    let mut fine = Carry::new(2).unwrap();
    run(&mut fine, 1, &[wide[0] - 1, 1]);
    let before = fine.clone();
    let error = fine.divide(Amount::ONE, &[wide[0] - 2, 1]).unwrap_err();
    assert!(error.to_string().contains("use a pool"), "{error}");
    assert_eq!(fine, before);
}

/// Whoever is even again is as new, so the fractions do not grow with the rounds behind them.
#[test]
fn a_carry_that_is_even_is_like_a_new_one() {
    let mut carry = Carry::new(2).unwrap();
    for weights in [[1, 1], [2, 1], [3, 2], [4, 3], [1 << 60, 1]] {
        let total = weights.iter().sum::<u64>();
        run(&mut carry, total - 1, &weights);
        assert_ne!(carry, Carry::new(2).unwrap());
        run(&mut carry, 1, &weights);
        assert_eq!(carry, Carry::new(2).unwrap(), "{weights:?}");
    }
}
