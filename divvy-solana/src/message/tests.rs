#![expect(clippy::arithmetic_side_effects, reason = "overflow panics here, which fails the test")]

use proptest::prelude::*;

use super::*;
use crate::instruction::{memo, system};
use crate::key::Keypair;
use crate::transaction::Transaction;

fn address(n: usize) -> Address {
    Address::new([u8::try_from(n).unwrap(); 32])
}

prop_compose! {
    /// Few accounts in many roles, so that they meet.
    fn draft()(
        orders in proptest::collection::vec(
            (1_usize..12, proptest::collection::vec((0_usize..12, any::<(bool, bool)>()), 0..5),
             proptest::collection::vec(any::<u8>(), 0..20)),
            1..6,
        ),
        format in 0..3, heap in proptest::option::of(32_u32..=256), fee: Option<u64>,
        table in proptest::collection::vec(0_usize..12, 0..12),
    ) -> Draft {
        let access = |(n, (signs, writes)): (usize, (bool, bool))| {
            Access { address: address(n), signs, writes }
        };
        let order = |(program, accounts, data): (usize, Vec<_>, Vec<u8>)| Instruction {
            program: address(program),
            accounts: accounts.into_iter().map(access).collect(),
            data,
        };
        let addresses = table.into_iter().map(address).collect();
        let format = match format {
            0 => Format::Legacy,
            1 => Format::V0(vec![Table { address: address(99), addresses }]),
            _ => Format::V1(Limits {
                priority_fee_lamports: fee,
                heap_bytes: heap.map(|kibs| kibs * 1_024),
                ..Limits::default()
            }),
        };
        let (payer, lifetime) = (address(0), Lifetime::new([9; 32]));
        Draft { format, payer, lifetime, instructions: orders.into_iter().map(order).collect() }
    }
}

proptest! {
    #![proptest_config(
        ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() }
    )]

    /// What was written is read as the same, and means what the draft meant.
    #[test]
    fn what_is_written_is_read(draft in draft()) {
        let Ok(message) = draft.compile() else { return Ok(()) };
        let bytes = message.encode();
        prop_assert_eq!(&Message::decode(&bytes).unwrap(), &message);
        let tables = match &draft.format {
            Format::V0(tables) => tables.clone(),
            Format::Legacy | Format::V1(_) => vec![],
        };
        let whole = message.instructions(&tables).unwrap();
        prop_assert_eq!(whole.len(), draft.instructions.len());
        for (found, meant) in whole.iter().zip(&draft.instructions) {
            prop_assert_eq!((found.program, &found.data), (meant.program, &meant.data));
            for (found, meant) in found.accounts.iter().zip(&meant.accounts) {
                prop_assert_eq!(found.address, meant.address);
                prop_assert!(found.signs >= meant.signs && found.writes >= meant.writes);
            }
        }
        // Without its tables nobody knows what it means, and nobody guesses.
        prop_assert_eq!(message.instructions(&[]).is_ok(), message.tables().is_empty());
    }

    /// Bytes have one meaning or none: what is read of spoilt ones is written as just those.
    #[test]
    fn spoilt_bytes_are_refused_or_say_something_else_in_the_one_way(
        draft in draft(), place: usize, byte: u8, cut: usize, grown: u8,
    ) {
        let Ok(message) = draft.compile() else { return Ok(()) };
        let whole = Transaction::new(message).encode();
        let mut spoilt = whole.clone();
        let place = place % spoilt.len();
        spoilt[place] = byte;
        for bytes in [spoilt, [whole.as_slice(), &[grown]].concat()] {
            if let Ok(read) = Transaction::decode(&bytes) {
                prop_assert_eq!(read.encode(), bytes);
                prop_assert!(read.message().transaction_bytes() == whole.len());
            }
        }
        prop_assert!(Transaction::decode(&whole[..cut % whole.len()]).is_err());
    }
}

fn noted(signers: &[Address]) -> Transaction {
    let (payer, lifetime) = (signers[0], Lifetime::new([9; 32]));
    let instructions = vec![memo::note("paid", signers)];
    let draft = Draft { format: Format::V0(vec![]), payer, lifetime, instructions };
    Transaction::new(draft.compile().unwrap())
}

#[test]
fn nobody_signs_for_somebody_else() {
    let [ann, bob, eve] = [1, 2, 3].map(|n| Keypair::from_seed(&[n; 32]));
    let mut transaction = noted(&[ann.address(), bob.address()]);
    let theirs = bob.sign(transaction.to_sign());
    let other = ann.sign(b"something else");
    for (signer, signature) in [
        (ann.address(), theirs),
        (ann.address(), other),
        (eve.address(), eve.sign(transaction.to_sign())),
        (ann.address(), crate::signature::Signature::ABSENT),
    ] {
        let refused = transaction.attach(&signer, signature).unwrap_err();
        assert_eq!(refused.code(), divvy_core::Code::SignatureWrong);
    }
    assert!(transaction.sign(&eve).is_err());
    assert_eq!(transaction.missing().len(), 2);
    transaction.attach(&bob.address(), theirs).unwrap();
    // It has no name before its payer has signed, whoever else did.
    assert_eq!((transaction.name(), transaction.missing()), (None, vec![ann.address()]));
    assert!(transaction.verify().is_err());
    transaction.sign(&ann).unwrap();
    assert_eq!(transaction.name(), Some(ann.sign(transaction.to_sign())));
    assert_eq!(transaction.verify(), Ok(()));
}

#[test]
fn a_nonce_that_is_used_up_stays_in_the_message() {
    let [payer, nonce, member] = [1, 2, 3].map(address);
    let table = Table { address: address(9), addresses: vec![nonce, member] };
    let advance = system::advance_nonce(nonce, payer);
    let pay = system::transfer(payer, member, 5);
    let stays = |instructions: Vec<Instruction>| {
        let format = Format::V0(vec![table.clone()]);
        let lifetime = Lifetime::new([9; 32]);
        let message = Draft { format, payer, lifetime, instructions }.compile().unwrap();
        message.addresses().contains(&nonce)
    };
    assert!(stays(vec![advance.clone(), pay.clone()]));
    // Anywhere else it is an account as any other.
    assert!(!stays(vec![pay, advance]));
}
