#![expect(clippy::arithmetic_side_effects, reason = "overflow panics here, which fails the test")]

use proptest::prelude::*;

use super::*;
use crate::address::Address;
use crate::instruction::{budget, memo};
use crate::message::{LOCKS_MAX, Limits};

fn address(kind: u8, n: usize) -> Address {
    let mut bytes = [kind; 32];
    bytes[0] = u8::try_from(n & 255).unwrap();
    bytes[1] = u8::try_from(n >> 8).unwrap();
    Address::new(bytes)
}

fn packing(format: Format, prefunding: Prefunding) -> Packing {
    let payer = address(1, 0);
    let (mint, source, program) = (address(2, 0), address(3, 0), token::PROGRAM);
    let (owner, cosigners, decimals) = (payer, vec![], 6);
    let money = Money::Token { program, mint, decimals, source, owner, cosigners };
    let before = match format {
        Format::V1(_) => vec![],
        Format::Legacy | Format::V0(_) => vec![budget::units(20_000), budget::price(1_000)],
    };
    let after = vec![memo::note("divvy:book=chapter-42;run=7;batch=3", &[payer])];
    Packing { format, payer, money, before, after, prefunding }
}

fn payouts(presences: &[Presence]) -> Vec<Payout> {
    let payout = |(n, presence): (usize, &Presence)| {
        let (wallet, account) = (address(4, n), address(5, n));
        Payout { wallet, account, amount: u64::try_from(n).unwrap(), presence: *presence }
    };
    presences.iter().enumerate().map(payout).collect()
}

fn formats() -> [Format; 3] {
    let limits = Limits {
        priority_fee_lamports: Some(5_000),
        compute_units: Some(20_000),
        loaded_bytes: Some(262_144),
        heap_bytes: None,
    };
    [Format::Legacy, Format::V0(vec![]), Format::V1(limits)]
}

/// How many orders run at the worst.
fn steps(packing: &Packing, batch: &[Payout]) -> usize {
    let made = batch.iter().filter(|payout| packing.is_new(payout)).count();
    packing.before.len() + packing.after.len() + batch.len() + 7 * made
}

proptest! {
    #![proptest_config(
        ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() }
    )]

    /// Everyone stands in one batch, each batch fits, and none has room for anybody of a later one.
    #[test]
    fn everyone_is_paid_once_in_batches_that_fit_and_are_full(
        new in 0_usize..30, old in 0_usize..150, format in 0_usize..3,
        swaps in proptest::collection::vec(any::<usize>(), 180),
    ) {
        let mut presences = [vec![Presence::Missing; new], vec![Presence::There; old]].concat();
        let count = presences.len();
        for (n, other) in (0..count).zip(swaps) {
            presences.swap(n, other % count);
        }
        let packing = packing(formats()[format].clone(), Prefunding::Feared);
        let payouts = payouts(&presences);
        let batches = packing.pack(&payouts).unwrap();
        let mut all = batches.concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..payouts.len()).collect::<Vec<_>>());
        let of = |batch: &[usize]| batch.iter().map(|n| payouts[*n]).collect::<Vec<_>>();
        for (n, batch) in batches.iter().enumerate() {
            let batch = of(batch);
            let message = packing.message(&batch, Lifetime::new([9; 32])).unwrap();
            prop_assert!(message.locks() <= LOCKS_MAX);
            prop_assert!(steps(&packing, &batch) <= 64);
            for later in batches[n + 1..].iter().flatten().map(|n| payouts[*n]) {
                // One that makes an account may have been left to a later batch to mix them well.
                if packing.is_new(&later) {
                    continue;
                }
                let fuller = [batch.clone(), vec![later]].concat();
                let fits = packing.message(&fuller, Lifetime::new([9; 32])).is_ok();
                prop_assert!(!fits || steps(&packing, &fuller) > 64, "there was room");
            }
        }
    }
}

#[test]
fn lamports_need_no_token_account() {
    for (format, most) in formats().into_iter().zip([21, 21, 62]) {
        let from = address(1, 0);
        let money = Money::Sol { from };
        let (before, after) = (vec![], vec![]);
        let prefunding = Prefunding::Feared;
        let packing = Packing { format, payer: from, money, before, after, prefunding };
        let batches = packing.pack(&payouts(&[Presence::Missing; 62])).unwrap();
        assert_eq!(batches[0].len(), most);
    }
}

#[test]
fn one_that_was_seen_prefunded_makes_room_for_it() {
    let packing = packing(formats()[2].clone(), Prefunding::AsSeen);
    let mut presences = [Presence::Missing; 10];
    assert_eq!(packing.pack(&payouts(&presences)).unwrap().len(), 1);
    presences[7] = Presence::Prefunded;
    assert_eq!(packing.pack(&payouts(&presences)).unwrap().len(), 2);
}

#[test]
fn a_table_serves_where_it_holds_everyone() {
    let all = payouts(&[Presence::There; 50]);
    let mut addresses: Vec<Address> = all.iter().map(|payout| payout.account).collect();
    addresses.extend([address(2, 0), address(3, 0)]);
    let table = Table { address: address(9, 0), addresses };
    let packing = packing(Format::V0(vec![table]), Prefunding::Feared);
    let batches = packing.pack(&all).unwrap();
    assert_eq!(batches.len(), 1);
    let message = packing.message(&all, Lifetime::new([9; 32])).unwrap();
    assert_eq!(message.tables(), [address(9, 0)]);

    // Somebody who is in no table: it serves nobody then, and everything fits all the same.
    let stranger = Payout { account: address(8, 0), ..all[0] };
    let more = [all, vec![stranger]].concat();
    let batches = packing.pack(&more).unwrap();
    for batch in &batches {
        let batch: Vec<Payout> = batch.iter().map(|n| more[*n]).collect();
        packing.message(&batch, Lifetime::new([9; 32])).unwrap();
    }
    assert_eq!(batches.len(), 3);
}

#[test]
fn what_leaves_no_room_for_a_payee_is_refused() {
    let mut packing = packing(Format::Legacy, Prefunding::Feared);
    packing.after = vec![memo::note(&"x".repeat(900), &[])];
    let refused = packing.pack(&payouts(&[Presence::There])).unwrap_err();
    assert_eq!(refused.code(), divvy_core::Code::WireUnfit);
    assert_eq!(packing.pack(&[]).unwrap(), Vec::<Vec<usize>>::new());
}
