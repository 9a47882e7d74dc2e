#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::integer_division,
    reason = "plain arithmetic is what the pool is compared with; overflow panics"
)]

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
