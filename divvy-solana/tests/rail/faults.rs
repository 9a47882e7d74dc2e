//! Goal: each payee is paid at most once whatever happens, and exactly once when the world heals.
//! Method: a batch is driven through many seeds of faults, by the rail as it is, which must keep
//! that in all of them, and by rails with one mistake each, which must lose it in some.

use divvy_core::{Rail, State};

use crate::careless::{Careless, Mistake};
use crate::drive::{Drive, cluster, line, rail, settings, wallet};

/// Drives one batch; says what was wrong in the end.
fn run(seed: u64, rail: &dyn Rail) -> Result<usize, String> {
    let mut world = cluster(seed);
    world.skips = 2 + seed % 7;
    if seed.is_multiple_of(3) {
        world.nodes[1].keeps_from = u64::MAX;
    }
    if seed.is_multiple_of(5) {
        world.nodes[0].lag = 60;
    }
    if seed.is_multiple_of(11) {
        world.nodes[0].stale = 250;
    }
    if seed.is_multiple_of(7) {
        world.nodes.swap(0, 1);
    }
    let mut drive = Drive::new(world, rail, vec![line(10, 70), line(11, 20), line(12, 10)]);
    drive.faults = 2 + seed % 5;
    drive.drops = seed.is_multiple_of(2);
    let state = drive.finish();
    let held = [10, 11, 12].map(|n| drive.cluster.bank.held(&wallet(n)));
    match (state, held) {
        (State::Settled, [70, 20, 10]) => Ok(drive.batch.tries().len()),
        (state, held) => Err(format!("seed {seed}: {state:?}, {held:?}")),
    }
}

#[test]
fn everyone_is_paid_exactly_once_in_every_world_that_heals() {
    let rail = rail(settings(2));
    let (runs, wrong): (Vec<_>, Vec<_>) =
        (0..200).map(|seed| run(seed, &rail)).partition(Result::is_ok);
    assert_eq!(wrong, []);
    // The faults are worth something: many a try had to be proven void, and signed anew.
    let anew = runs.iter().filter(|tries| **tries > Ok(1)).count();
    assert!(anew > 20, "{anew}");
}

#[test]
fn one_provider_alone_suffices_where_it_keeps_its_history() {
    let rail = rail(settings(1));
    let worlds = (0..100).filter(|seed| seed % 3 != 0 && seed % 5 != 0);
    let wrong: Vec<String> = worlds.filter_map(|seed| run(seed, &rail).err()).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn each_mistake_loses_money_in_some_world() {
    for mistake in [
        Mistake::MissingIsVoid,
        Mistake::ConfirmedIsFinal,
        Mistake::SlotForHeight,
        Mistake::ForgottenIsAbsent,
    ] {
        // Two providers hide what one of them gets wrong; the last mistake is made with one.
        let providers = if mistake == Mistake::ForgottenIsAbsent { 1 } else { 2 };
        let careless = Careless { rail: rail(settings(providers)), mistake };
        let caught = (0..200).any(|seed| run(seed, &careless).is_err());
        assert!(caught, "{mistake:?} goes unseen");
    }
}
