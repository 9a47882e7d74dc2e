//! A Solana payout of ten payees, built and signed, beside the signature alone.
//!
//! Aim: with token accounts that are known, building costs at most a quarter more than signing.
//! `benches/peers` builds the same transaction by other libraries, one for Python and one for
//! JavaScript.

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

use divvy_solana::{
    Address, Derived, Format, Keypair, Lifetime, Limits, Money, Packing, Payout, Prefunding,
    Presence, Table, TokenAccounts, Transaction, budget, memo, token,
};
use support::{median, print_table, quiet_or_exit, ratio, text};

fn main() {
    let key = Keypair::from_seed(&[7; 32]);
    let packing = packing(&key);
    let ten = payouts(10);
    let signed = built(&packing, &ten, &key);
    let bytes = signed.encode();
    assert_eq!(Transaction::decode(&bytes).as_ref(), Ok(&signed), "it reads back");
    assert_eq!(signed.verify(), Ok(()), "it is signed");
    quiet_or_exit();

    let alone = median(|| key.sign(signed.to_sign()));
    let mut known = TokenAccounts::new(mint(), token::PROGRAM);
    let wallets: Vec<Address> = ten.iter().map(|payout| payout.wallet).collect();
    let build = median(|| built(&packing, &ten, &key).encode());
    let cached = median(|| {
        wallets.iter().for_each(|wallet| drop(known.of(wallet)));
        built(&packing, &ten, &key).encode()
    });
    let derived = median(|| {
        let derive = |wallet| Derived::token_account(wallet, &mint(), &token::PROGRAM);
        wallets.iter().for_each(|wallet| drop(derive(wallet)));
        built(&packing, &ten, &key).encode()
    });
    let read = median(|| Transaction::decode(&bytes));
    let verified = median(|| signed.verify());

    let aim = |time: Duration| if time * 4 <= alone * 5 { "<= 1.25x, met" } else { "MISSED" };
    let row = |what: &str, time: Duration, aim: &str| {
        vec![what.to_owned(), text(time), ratio(alone, time), aim.to_owned()]
    };
    print_table(&[
        ["ten payees, v0", "time", "of signing", "aim"].map(str::to_owned).to_vec(),
        row("signed alone", alone, ""),
        row("built and signed", build, aim(build)),
        row("the same, token accounts looked up", cached, aim(cached)),
        row("the same, token accounts derived", derived, ""),
        row("read", read, ""),
        row("verified", verified, ""),
    ]);
    let (many, wallet) = (payouts(PLANNED), payouts(1)[0].wallet);
    known.of(&wallet).expect("one");
    let (packed, looked_up) = (median(|| packing.pack(&many)), median(|| known.of(&wallet)));
    println!(
        "\n{PLANNED} payouts packed: {}; an account looked up: {}",
        text(packed),
        text(looked_up)
    );
    print_costs(&key);
}

/// What the network charges for signatures, where everyone's account is there.
fn print_costs(key: &Keypair) {
    let many = payouts(10_000);
    let table = |payouts: &[Payout]| {
        let addresses = payouts.iter().map(|payout| payout.account).collect();
        vec![Table { address: Address::new([3; 32]), addresses }]
    };
    let limits = Limits {
        priority_fee_lamports: Some(1),
        compute_units: Some(20_000),
        loaded_bytes: Some(262_144),
        heap_bytes: None,
    };
    let batches = |format: Format, payouts: &[Payout]| {
        let is_v1 = matches!(format, Format::V1(_));
        let budget = vec![budget::units(20_000), budget::price(1_000)];
        let before = if is_v1 { vec![] } else { budget };
        let after = vec![memo::note("divvy:chapter-42/7/0@362111222", &[])];
        let packing = Packing { format, before, after, ..packing(key) };
        packing.pack(payouts).expect("they fit").len()
    };
    // A table holds 256 addresses, so there is one for so many payees.
    let tables = many.chunks(256).map(|some| batches(Format::V0(table(some)), some)).sum();
    let row = |what: &str, count: usize| {
        let each = SIGNATURE_LAMPORTS * count as u64 / many.len() as u64;
        vec![what.to_owned(), count.to_string(), each.to_string()]
    };
    println!();
    print_table(&[
        ["10,000 payees, as the rail pays them", "transactions", "lamports each"]
            .map(str::to_owned)
            .to_vec(),
        row("one transfer a transaction", many.len()),
        row("v0", batches(Format::V0(vec![]), &many)),
        row("v0 with lookup tables", tables),
        row("v1", batches(Format::V1(limits), &many)),
    ]);
}

const PLANNED: u32 = 250_000;
const SIGNATURE_LAMPORTS: u64 = 5_000;

fn built(packing: &Packing, payouts: &[Payout], key: &Keypair) -> Transaction {
    let message = packing.message(payouts, Lifetime::new([9; 32])).expect("they fit");
    let mut transaction = Transaction::new(message);
    transaction.sign(key).expect("the payer signs");
    transaction
}

fn packing(key: &Keypair) -> Packing {
    let payer = key.address();
    let source = Derived::token_account(&payer, &mint(), &token::PROGRAM).expect("one").address;
    Packing {
        format: Format::V0(vec![]),
        payer,
        money: Money::Token {
            program: token::PROGRAM,
            mint: mint(),
            decimals: 6,
            source,
            owner: payer,
            cosigners: vec![],
        },
        before: vec![budget::units(20_000), budget::price(1_000)],
        after: vec![],
        prefunding: Prefunding::Feared,
    }
}

fn payouts(count: u32) -> Vec<Payout> {
    let address = |kind: u8, n: u32| {
        let mut bytes = [kind; 32];
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        Address::new(bytes)
    };
    let presence = Presence::There;
    let payout = |n| Payout { wallet: address(1, n), account: address(2, n), amount: 5, presence };
    (0..count).map(payout).collect()
}

fn mint() -> Address {
    Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v").expect("an address")
}
