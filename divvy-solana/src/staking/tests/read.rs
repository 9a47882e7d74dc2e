//! What stake accounts say, and how much of them works, held against the official arithmetic.

use solana_stake_interface::stake_history as official;
use solana_stake_interface::state as theirs;

use super::*;

#[test]
fn a_stake_account_is_read_to_its_last_byte() {
    let whole = delegated(5, 10, 90, NEVER);
    let StakeAccount::Delegated(stake, delegation) = StakeAccount::read(&whole).unwrap() else {
        unreachable!("it is delegated")
    };
    assert_eq!((stake.reserve, stake.staker), (RENT.of(200), address(1)));
    assert_eq!(stake.withdrawer, address(2));
    assert_eq!((delegation.vote, delegation.lamports), (address(5), 10 * SOL));
    assert_eq!((delegation.from_epoch, delegation.until_epoch), (90, NEVER));
    assert_eq!(delegation.credits, 77);
    let spoil = |at: usize, to: u8| {
        let mut data = whole.data.clone();
        data[at] = to;
        account(whole.lamports, data)
    };
    // A kind, a flag and a rest that nobody knows.
    for (at, to) in [(0, 3), (0, 4), (3, 1), (196, 2), (197, 1), (199, 1)] {
        assert!(StakeAccount::read(&spoil(at, to)).is_err(), "{at}");
    }
    assert!(StakeAccount::read(&spoil(196, 1)).is_ok(), "a flag that is known");
    for bytes in [0, 4, 199, 201] {
        let mut data = whole.data.clone();
        data.resize(bytes, 0);
        assert!(StakeAccount::read(&account(1, data)).is_err(), "{bytes}");
    }
    let foreign = Account { program: token::PROGRAM, ..whole };
    assert!(StakeAccount::read(&foreign).is_err());
    let half = stake_bytes(0, None, Lockup::default());
    assert!(StakeAccount::read(&account(1, half)).is_err(), "empty, with a reserve");
    let empty = StakeAccount::read(&account(1, vec![0; 200]));
    assert_eq!(empty.unwrap(), StakeAccount::Empty);
}

#[test]
fn a_history_that_is_none_is_refused() {
    let good = history(&[(9, [5, 1, 1]), (8, [5, 1, 1])]);
    assert_eq!(StakeHistory::read(&good).unwrap().epochs(), 2);
    for epochs in [[(8, [5, 1, 1]), (9, [5, 1, 1])], [(9, [5, 1, 1]), (9, [5, 1, 1])]] {
        assert!(StakeHistory::read(&history(&epochs)).is_err());
    }
    let mut cut = good.clone();
    cut.data.truncate(70);
    assert!(StakeHistory::read(&cut).is_err());
    let mut more = good;
    *more.data.last_mut().unwrap() = 1;
    assert!(StakeHistory::read(&more).is_err());
}

#[test]
fn an_epoch_that_the_history_does_not_reach_is_no_guess() {
    let delegation = |from, until| {
        let data = stake_bytes(2, Some((5, SOL, from, until)), Lockup::default());
        let StakeAccount::Delegated(_, one) = StakeAccount::read(&account(1, data)).unwrap() else {
            unreachable!("it is delegated")
        };
        one
    };
    let seen = staking().history;
    assert!(delegation(100, NEVER).at(101, &seen).is_err());
    assert!(delegation(100, NEVER).at(100, &seen).is_ok());
    // Older than anything that is kept: long done.
    assert_eq!(delegation(3, NEVER).at(100, &seen).unwrap().name(), "active");
    assert_eq!(delegation(3, 4).at(100, &seen).unwrap().name(), "inactive");
    assert_eq!(delegation(90, 100).at(100, &seen).unwrap().name(), "deactivating");
    assert_eq!(delegation(100, NEVER).at(100, &seen).unwrap().name(), "activating");
}

proptest! {
    /// Goal: what works is what the chain says works. Method: the official arithmetic over random
    /// stakes and histories, in which much wants to begin and to end.
    #[test]
    fn what_works_is_what_the_chain_says(
        lamports in 0..500_u64,
        from in 0..30_u64,
        length in prop::option::of(0..20_u64),
        epoch in 0..31_u64,
        first in 0..10_u64,
        all in prop::collection::vec((0..3_000_u64, 0..900_u64, 0..900_u64), 31),
    ) {
        let until = length.map_or(NEVER, |length| from + length);
        let epochs: Vec<_> = (first..epoch.max(first))
            .rev()
            .map(|epoch| {
                let (effective, activating, deactivating) = all[usize::try_from(epoch).unwrap()];
                (epoch, [effective, activating, deactivating])
            })
            .collect();
        let mut known = official::StakeHistory::default();
        for (epoch, [effective, activating, deactivating]) in &epochs {
            let entry = official::StakeHistoryEntry {
                effective: *effective,
                activating: *activating,
                deactivating: *deactivating,
            };
            known.add(*epoch, entry);
        }
        let their = theirs::Delegation {
            stake: lamports,
            activation_epoch: from,
            deactivation_epoch: until,
            ..Default::default()
        };
        let their = their.stake_activating_and_deactivating_v2(epoch, &known, Some(0));
        let seen = StakeHistory::read(&history(&epochs)).unwrap();
        let data = stake_bytes(2, Some((5, lamports, from, until)), Lockup::default());
        let read = StakeAccount::read(&account(1, data)).unwrap();
        // Without any history the official one guesses.
        if let Ok(ours) = read.at(epoch, &seen) {
            prop_assert_eq!(
                (ours.effective, ours.activating, ours.deactivating),
                (their.effective, their.activating, their.deactivating)
            );
        } else {
            prop_assert!(epochs.is_empty());
        }
    }
}
