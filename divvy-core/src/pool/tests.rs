#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::integer_division,
    reason = "plain arithmetic is what the pool is compared with; overflow panics"
)]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn pool_of(units: &[u64]) -> (Pool, Vec<Holder>) {
    let mut pool = Pool::open(Units::new(units.iter().sum()).unwrap()).unwrap();
    let mut holders = vec![Holder::default(); units.len()];
    for (holder, units) in holders.iter_mut().zip(units) {
        pool.issue(holder, Units::new(*units).unwrap()).unwrap();
    }
    (pool, holders)
}

/// A small generator with a fixed seed; the sequence is all that matters.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn a_holder_has_exactly_the_floor_of_the_ideal_at_constant_supply() {
    let mut dice = Dice(7);
    for supply in [[1, 1, 1], [7, 3, 1], [150_000_000, 1, 849_999_999], [400, 0, 5]] {
        let (mut pool, holders) = pool_of(&supply);
        let whole: u64 = supply.iter().sum();
        let mut declared = 0_u128;
        for _ in 0..500 {
            let amount = dice.below(1_000_000);
            pool.declare(Amount::new(amount).unwrap()).unwrap();
            declared += u128::from(amount);
            for (holder, units) in holders.iter().zip(supply) {
                let ideal = declared * u128::from(units) / u128::from(whole);
                assert_eq!(u128::from(pool.earned(holder)), ideal);
            }
        }
        pool.check().unwrap();
    }
}

#[test]
fn the_invariant_holds_and_bounds_drift_while_units_move_and_supply_changes() {
    let mut dice = Dice(11);
    let (mut pool, mut holders) = pool_of(&[500_000, 300_000, 200_000, 1]);
    for round in 0..5_000 {
        let (a, b) = (dice.below(4) as usize, dice.below(4) as usize);
        match dice.below(4) {
            0 => pool.declare(Amount::new(dice.below(100_000)).unwrap()).unwrap(),
            1 if a != b => {
                let units = dice.below(holders[a].units().get() + 1);
                let (mut from, mut to) = (holders[a], holders[b]);
                pool.transfer(&mut from, &mut to, Units::new(units).unwrap()).unwrap();
                (holders[a], holders[b]) = (from, to);
            }
            2 => pool.issue(&mut holders[a], Units::new(dice.below(9)).unwrap()).unwrap(),
            _ => {
                let units = dice.below(holders[a].units().get().min(9) + 1);
                if pool.supply().get() > units {
                    pool.redeem(&mut holders[a], Units::new(units).unwrap()).unwrap();
                }
            }
        }
        pool.check().unwrap_or_else(|error| panic!("round {round}: {error}"));
    }
    let earned: u128 = holders.iter().map(|holder| pool.earned(holder)).sum();
    let declared = u128::from(pool.declared());
    assert!(earned <= declared && declared - earned <= 4, "{earned} of {declared}");
}

#[test]
fn a_lost_unit_breaks_the_invariant() {
    let (mut pool, mut holders) = pool_of(&[2, 1]);
    pool.declare(Amount::new(30).unwrap()).unwrap();
    pool.touch(&mut holders[0]).unwrap();
    pool.check().unwrap();
    pool.sums.earned = pool.sums.earned.swap(1, 0);
    assert_eq!(pool.check().unwrap_err().code(), Code::PoolBroken);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let (mut pool, mut holders) = pool_of(&[2, 1]);
    let before = pool.clone();
    let table = [
        pool.redeem(&mut holders[0], Units::new(3).unwrap()).unwrap_err().code(),
        pool.issue(&mut holders[0], Units::new(i64::MAX as u64).unwrap()).unwrap_err().code(),
        Pool::open(Units::ZERO).unwrap_err().code(),
    ];
    assert_eq!(table, [Code::PoolUnits; 3]);
    pool.declare(Amount::MAX).unwrap();
    let full = pool.clone();
    assert_eq!(pool.declare(Amount::ONE).unwrap_err().code(), Code::AmountAboveCeiling);
    assert_eq!(pool, full);
    assert_ne!(pool, before);
    let mut empty = Pool::open(Units::new(5).unwrap()).unwrap();
    assert_eq!(empty.declare(Amount::ONE).unwrap_err().code(), Code::PoolEmpty);
}

#[test]
fn extremes_stay_inside_128_bits() {
    for supply in [1, 2, i64::MAX as u64] {
        let (mut pool, mut holders) = pool_of(&[supply]);
        pool.declare(Amount::MAX).unwrap();
        assert_eq!(pool.earned(&holders[0]), Amount::MAX, "{supply}");
        pool.touch(&mut holders[0]).unwrap();
        pool.check().unwrap();
    }
}

/// One step of a random life, as numbers that mean something only in its pool.
type Move = (u8, usize, usize, u64);

/// A pool by fractions with a common denominator, for a supply that never changes: what each
/// holder is owed is a plain sum of `amount · units / supply`, and the floor of it is earned.
fn owed(supply: u64, moves: &[Move], units: &mut [u64]) -> Vec<u128> {
    let mut owed = vec![0_u128; units.len()];
    for (kind, a, b, value) in moves {
        let (a, b) = (a % units.len(), b % units.len());
        if kind % 2 == 0 {
            let amount = u128::from(value % 1_000_000_000_000);
            owed.iter_mut().zip(&*units).for_each(|(sum, held)| *sum += amount * u128::from(*held));
        } else if a != b {
            let moved = value % (units[a] + 1);
            (units[a], units[b]) = (units[a] - moved, units[b] + moved);
        }
    }
    owed.into_iter().map(|sum| sum / u128::from(supply)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn units_may_move_and_everyone_still_has_the_exact_floor(
        units in vec(prop_oneof![0..5_u64, 0..1_u64 << 40], 1..8),
        moves in vec(any::<Move>(), 0..60),
    ) {
        let supply: u64 = units.iter().sum();
        prop_assume!(supply > 0);
        let (mut pool, mut holders) = pool_of(&units);
        for (kind, a, b, value) in &moves {
            let (a, b) = (a % units.len(), b % units.len());
            if kind % 2 == 0 {
                pool.declare(Amount::new(value % 1_000_000_000_000).unwrap()).unwrap();
            } else if a != b {
                let (mut from, mut to) = (holders[a], holders[b]);
                let moved = Units::new(value % (from.units().get() + 1)).unwrap();
                pool.transfer(&mut from, &mut to, moved).unwrap();
                (holders[a], holders[b]) = (from, to);
            }
            pool.check().unwrap();
        }
        let mut units = units;
        let wanted = owed(supply, &moves, &mut units);
        for (holder, (units, owed)) in holders.iter().zip(units.into_iter().zip(wanted)) {
            prop_assert_eq!(holder.units().get(), units);
            prop_assert_eq!(u128::from(pool.earned(holder)), owed);
        }
    }

    /// The index that a holder waits for is the first at which they have that much more.
    #[test]
    fn a_holder_crosses_exactly_where_they_are_awaited(
        units in 1..1_000_000_u64, others in 0..1_000_000_u64, more in 1..1_000_u64,
        declared in vec(1..1_000_u64, 1..40),
    ) {
        let (mut pool, holders) = pool_of(&[units, others]);
        let crossing = pool.index_at_which(&holders[0], Amount::new(more).unwrap()).unwrap();
        for amount in declared {
            pool.declare(Amount::new(amount).unwrap()).unwrap();
            let crossed = pool.earned(&holders[0]).get() >= more;
            prop_assert_eq!(pool.index() >= crossing, crossed);
        }
    }
}
