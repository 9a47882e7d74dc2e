//! A Solana payout of ten payees, built and signed, beside the signature alone.
//!
//! Aim: with token accounts that are known, building costs at most a quarter more than signing.

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
    Address, Derived, Format, Keypair, Lifetime, Money, Packing, Payout, Prefunding, Presence,
    TokenAccounts, Transaction, budget, token,
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
    let many = payouts(10_000);
    let packed = median(|| packing.pack(&many));
    println!("10000 payouts packed: {}", text(packed));
}

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
