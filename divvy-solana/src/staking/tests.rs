#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that panics is red, which is what it is for"
)]

use proptest::prelude::*;

use super::*;
use crate::account::Account;
use crate::address::Address;
use crate::instruction::stake::{self, Lockup};
use crate::instruction::token;
use crate::settlement::Rent;

mod read;
mod told;

const RENT: Rent = Rent { byte_lamports: 5_080 };
const SOL: u64 = 1_000_000_000;

fn address(n: u8) -> Address {
    crate::Keypair::from_seed(&[n; 32]).address()
}

/// A stake account as its program writes it.
fn stake_bytes(tag: u32, delegated: Option<(u8, u64, u64, u64)>, lockup: Lockup) -> Vec<u8> {
    let mut data = tag.to_le_bytes().to_vec();
    data.extend(RENT.of(200).to_le_bytes());
    data.extend(address(1).bytes());
    data.extend(address(2).bytes());
    data.extend(lockup.time_secs.to_le_bytes());
    data.extend(lockup.epoch.to_le_bytes());
    data.extend(lockup.custodian.bytes());
    if let Some((vote, lamports, from, until)) = delegated {
        data.extend(address(vote).bytes());
        for number in [lamports, from, until, 0x3fd0_0000_0000_0000, 77] {
            data.extend(number.to_le_bytes());
        }
    }
    data.resize(200, 0);
    data
}

fn account(lamports: u64, data: Vec<u8>) -> Account {
    Account { program: stake::PROGRAM, lamports, executable: false, data }
}

/// A stake of so many SOL for a validator, from one epoch until another.
fn delegated(vote: u8, sol: u64, from: u64, until: u64) -> Account {
    let data = stake_bytes(2, Some((vote, sol * SOL, from, until)), Lockup::default());
    account(sol * SOL + RENT.of(200), data)
}

fn history(epochs: &[(u64, [u64; 3])]) -> Account {
    let mut data = u64::try_from(epochs.len()).unwrap().to_le_bytes().to_vec();
    for (epoch, numbers) in epochs {
        data.extend(epoch.to_le_bytes());
        numbers.iter().for_each(|number| data.extend(number.to_le_bytes()));
    }
    data.resize(16_392, 0);
    account(1, data)
}

/// A chain at epoch 100 on which whatever wants to begin or to end does so at once.
fn staking() -> Staking {
    let epochs: Vec<_> =
        (80..100).rev().map(|epoch| (epoch, [400_000_000 * SOL, SOL, SOL])).collect();
    Staking {
        epoch: 100,
        now_secs: 1_790_000_000,
        rent: RENT,
        lamports_min: SOL,
        history: StakeHistory::read(&history(&epochs)).unwrap(),
    }
}

const NEVER: u64 = Delegation::NEVER;

#[test]
fn orders_that_the_program_would_refuse_are_refused_by_name() {
    let staking = staking();
    let [own, new, payer] = [10, 11, 12].map(address);
    let active = delegated(5, 10, 90, NEVER);
    let said = |result: Result<Vec<crate::Instruction>, Error>| result.unwrap_err().to_string();
    // Parts are as large as may be delegated, both of them.
    assert_eq!(staking.split([own, new, payer], &active, 4 * SOL).unwrap().len(), 2);
    assert!(said(staking.split([own, new, payer], &active, SOL - 1)).contains("less than may be"));
    assert!(said(staking.split([own, new, payer], &active, 9 * SOL + 1)).contains("must stay"));
    let empty = account(RENT.of(200), vec![0; 200]);
    assert!(said(staking.split([own, new, payer], &empty, SOL)).contains("nobody owns it"));
    // Two become one when both work for the same validator, or neither works.
    let merge = |one: &Account, two: &Account| staking.merge([own, new], [one, two]);
    let idle = account(5 * SOL, stake_bytes(1, None, Lockup::default()));
    let fresh = delegated(6, 3, 100, NEVER);
    let over = delegated(6, 3, 85, 90);
    assert!(merge(&active, &delegated(5, 3, 95, NEVER)).is_ok());
    assert!(merge(&idle, &fresh).is_ok() && merge(&fresh, &over).is_ok());
    assert!(said(merge(&active, &delegated(6, 3, 95, NEVER))).contains("two validators"));
    assert!(said(merge(&active, &fresh)).contains("wait for an epoch"));
    assert!(said(merge(&active, &delegated(5, 3, 95, 100))).contains("between two states"));
    assert!(said(staking.merge([own, own], [&active, &active])).contains("not these"));
    let locked = Lockup { epoch: 101, ..Lockup::default() };
    let other = account(5 * SOL, stake_bytes(1, None, locked));
    assert!(said(merge(&idle, &other)).contains("same keys and lockup"));
    // What works is ended once.
    assert_eq!(staking.deactivate(own, &active).unwrap().len(), 1);
    assert!(said(staking.deactivate(own, &over)).contains("ends already"));
    assert!(said(staking.deactivate(own, &idle)).contains("not delegated"));
}

#[test]
fn nothing_is_withdrawn_that_works_or_is_locked_up() {
    let staking = staking();
    let [own, to, keeper] = [10, 11, 12].map(address);
    let said = |found: &Account, lamports, custodian| {
        staking.withdraw([own, to], found, lamports, custodian).unwrap_err().to_string()
    };
    let mut active = delegated(5, 10, 90, NEVER);
    assert_eq!(staking.free(&active).unwrap(), 0);
    active.lamports += 7;
    assert_eq!(staking.free(&active).unwrap(), 7, "what somebody sent there does not work");
    assert!(staking.withdraw([own, to], &active, 7, None).is_ok());
    assert!(said(&active, 8, None).contains("7 of"));
    let fresh = delegated(5, 10, 100, NEVER);
    assert_eq!(staking.free(&fresh).unwrap(), 0, "it does not work yet, and is bound all the same");
    let ending = delegated(5, 10, 90, 100);
    assert_eq!(staking.free(&ending).unwrap(), 0, "it works until the epoch is over");
    let over = delegated(5, 10, 90, 98);
    let all = 10 * SOL + RENT.of(200);
    assert_eq!(staking.free(&over).unwrap(), all);
    assert!(staking.withdraw([own, to], &over, all, None).is_ok());
    assert!(said(&over, all - 1, None).contains("stay unless all are taken"));
    let locks = [
        Lockup { time_secs: 1_790_000_001, epoch: 0, custodian: keeper },
        Lockup { time_secs: 0, epoch: 101, custodian: keeper },
    ];
    for lockup in locks {
        let idle = account(5 * SOL, stake_bytes(1, None, lockup));
        assert!(said(&idle, SOL, None).contains("must sign as well"));
        assert!(said(&idle, SOL, Some(to)).contains("must sign as well"));
        let order = staking.withdraw([own, to], &idle, SOL, Some(keeper)).unwrap();
        assert!(order[0].accounts.iter().any(|one| one.address == keeper && one.signs));
    }
    let past = Lockup { time_secs: 1_790_000_000, epoch: 100, custodian: keeper };
    let idle = account(5 * SOL, stake_bytes(1, None, past));
    assert_eq!(staking.withdraw([own, to], &idle, 5 * SOL, None).unwrap()[0].accounts.len(), 5);
}
