use super::*;

fn parts(rule: Rule, amount: u64, weights: &[u64]) -> (Vec<u64>, u64) {
    let split = split(rule, Amount::new(amount).unwrap(), weights).unwrap();
    (split.shares.iter().map(|share| share.get()).collect(), split.left.get())
}

#[test]
fn each_rule_gives_the_odd_units_to_its_own() {
    use Rule::{
        CumulativeFloor, ExactRatioBlocks, FloorKeepDust, FloorThenLargestWeight,
        FloorThenListedOrder, FloorThenListedOrderSkipZero, LargestRemainder,
        SignedFloorLargestRemainder,
    };
    #[rustfmt::skip]
    let table = [
        // rule                       5 by 0, 7, 3   left  11 by 6, 6, 2  left
        (FloorThenListedOrder,         [1, 3, 1], 0, [5, 5, 1], 0),
        (FloorThenListedOrderSkipZero, [0, 4, 1], 0, [5, 5, 1], 0),
        (FloorThenLargestWeight,       [0, 4, 1], 0, [5, 5, 1], 0),
        (LargestRemainder,             [0, 4, 1], 0, [5, 5, 1], 0),
        (CumulativeFloor,              [0, 3, 2], 0, [4, 5, 2], 0),
        (FloorKeepDust,                [0, 3, 1], 1, [4, 4, 1], 2),
        (ExactRatioBlocks,             [0, 0, 0], 5, [3, 3, 1], 4),
        (SignedFloorLargestRemainder,  [0, 4, 1], 0, [5, 5, 1], 0),
    ];
    assert_eq!(table.len(), Rule::ALL.len());
    for (rule, five, five_left, eleven, eleven_left) in table {
        assert_eq!(parts(rule, 5, &[0, 7, 3]), (five.to_vec(), five_left), "{rule}");
        assert_eq!(parts(rule, 11, &[6, 6, 2]), (eleven.to_vec(), eleven_left), "{rule}");
        assert_eq!(Rule::parse(rule.name()), Ok(rule));
    }
}

/// Totals beyond 64 bits take the wide way; both ways must agree on scaled weights.
#[test]
fn wide_totals_split_as_narrow_ones_do() {
    let weights: Vec<u64> = (1..=40).map(|weight| weight * 37 % 41).collect();
    let scaled: Vec<u64> = weights.iter().map(|weight| weight << 58).collect();
    for rule in Rule::ALL {
        for amount in [0, 1, 39, 40, 41, 12_345, 1 << 62, Amount::MAX.get()] {
            assert_eq!(parts(*rule, amount, &weights), parts(*rule, amount, &scaled), "{rule}");
        }
    }
}

#[test]
fn the_ceiling_can_be_split() {
    let top = Amount::MAX.get();
    for rule in Rule::ALL {
        for weights in [&[u64::MAX; 3][..], &[1, u64::MAX], &[top, top], &[1]] {
            let (shares, left) = parts(*rule, top, weights);
            assert_eq!(shares.iter().sum::<u64>() + left, top, "{rule} {weights:?}");
        }
    }
}

#[test]
fn nobody_to_share_with_is_refused_even_for_nothing() {
    for weights in [&[][..], &[0], &[0, 0]] {
        for amount in [Amount::ZERO, Amount::ONE] {
            let error = split(Rule::default(), amount, weights).unwrap_err();
            assert_eq!(error.code(), Code::SplitEmpty);
        }
        let signed = split_signed(Rule::SignedFloorLargestRemainder, one_less(), weights);
        assert_eq!(signed.unwrap_err().code(), Code::SplitEmpty);
    }
}

fn one_less() -> Difference {
    Difference::new(-1).unwrap()
}

#[test]
fn signed_splits_mirror_but_for_the_rule_that_rounds_down() {
    #[rustfmt::skip]
    let table = [
        // rule                              amount  weights      shares
        (Rule::LargestRemainder,            -5,  [7, 3, 0], [-4, -1, 0]),
        (Rule::LargestRemainder,            5,   [7, 3, 0], [4, 1, 0]),
        (Rule::CumulativeFloor,             -5,  [7, 3, 0], [-3, -2, 0]),
        (Rule::SignedFloorLargestRemainder, -5,  [7, 3, 0], [-3, -2, 0]),
        (Rule::SignedFloorLargestRemainder, 5,   [7, 3, 0], [4, 1, 0]),
        // Quotas -1.25, -1.25, -2.5 round down to -2, -2, -3; the two units return to the first.
        (Rule::SignedFloorLargestRemainder, -5,  [1, 1, 2], [-1, -1, -3]),
        (Rule::SignedFloorLargestRemainder, -10, [1, 1, 0], [-5, -5, 0]),
        (Rule::SignedFloorLargestRemainder, -1,  [1, 1, 0], [0, -1, 0]),
    ];
    for (rule, amount, weights, shares) in table {
        let split = split_signed(rule, Difference::new(amount).unwrap(), &weights).unwrap();
        let found: Vec<i64> = split.shares.iter().map(|share| share.get()).collect();
        assert_eq!(found, shares, "{rule} {amount} {weights:?}");
        assert_eq!(split.left.get(), 0);
    }
}
