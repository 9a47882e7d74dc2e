//! What a co-signer is handed, and what was done to it on the way.

use proptest::prelude::*;

use super::*;
use crate::instruction::{Access, Instruction};
use crate::message::Draft;

/// What the till has signed, and the edition's key has not yet.
fn half_signed(settling: &Settling) -> Transaction {
    let mut transaction = Transaction::new(settling.message(LIFE).unwrap());
    transaction.sign(&key(TILL)).unwrap();
    transaction
}

/// A transaction of other orders, signed by the till as far as it can.
fn forged(settling: &Settling, payer: Address, instructions: Vec<Instruction>) -> Transaction {
    let (format, lifetime) = (settling.format.clone(), LIFE);
    let message = Draft { format, payer, lifetime, instructions }.compile().unwrap();
    let mut transaction = Transaction::new(message);
    let _ = transaction.sign(&key(TILL));
    transaction
}

fn orders(settling: &Settling) -> Vec<Instruction> {
    settling.orders.iter().map(|order| order.instruction.clone()).collect()
}

#[test]
fn what_was_agreed_is_signed_and_verifies() {
    for uses_v1 in [false, true] {
        let settling = planned(&Settlement { uses_v1, ..sale(2) });
        let mut received = settling.receive(&half_signed(&settling).encode(), LIFE).unwrap();
        assert_eq!(received.missing(), [wallet(2)]);
        // A keeper of the key elsewhere gives a signature.
        let signature = key(2).sign(received.to_sign());
        received.attach(&wallet(2), signature).unwrap();
        received.verify().unwrap();
        assert!(settling.receive(&received.encode(), LIFE).is_ok());
    }
}

#[test]
fn what_differs_is_named() {
    let settling = planned(&sale(2));
    let all = orders(&settling);
    let place = |act: &Act| settling.orders.iter().position(|one| one.act == *act).unwrap();
    let pay = place(&Act::Pay("author".into()));
    let mut more = all.clone();
    more[pay].data[1] += 1;
    let mut decimals = all.clone();
    decimals[pay].data[9] = 9;
    let mut elsewhere = all.clone();
    elsewhere[pay].accounts[2].address = account(99);
    let mut open = all.clone();
    open.remove(place(&Act::Close));
    let mut drained = all.clone();
    drained.push(system::transfer(wallet(TILL), wallet(99), 5));
    let mut other = all.clone();
    other[pay].program = token::PROGRAM_2022;
    let mut renamed = all.clone();
    let last = renamed[place(&Act::Describe)].data.len() - 1;
    renamed[place(&Act::Describe)].data[last] ^= 1;
    let mut limit = all.clone();
    limit[0].data[1] ^= 1;
    let mut reference = all.clone();
    reference[pay].accounts.push(Access::reading(wallet(99)));
    let mut written = all.clone();
    written[pay].accounts[1].writes = true;
    let cases = [
        ("signs or is written otherwise", written),
        ("the transfer to author moves 3333301, and 3333300 were agreed", more),
        ("the transfer to author says something else", decimals),
        ("the transfer to author names", elsewhere),
        ("closing the edition", open),
        ("it also gives an order to 11111111111111111111111111111111", drained),
        ("the transfer to author goes to the program Tokenz", other),
        ("the edition's description says something else", renamed),
        ("a limit says something else", limit),
        ("at place 4", reference),
    ];
    for (why, orders) in cases {
        let given = forged(&settling, wallet(TILL), orders);
        let refused = settling.receive(&given.encode(), LIFE).unwrap_err();
        assert_eq!(refused.code(), Code::TransactionDiffers);
        assert!(refused.to_string().contains(why), "{why}: {refused}");
    }
    let paid = forged(&settling, wallet(99), all.clone());
    let found = settling.differences(&paid, LIFE);
    assert!(found.contains(&Difference::Payer(wallet(99))), "{found:?}");
    let given = half_signed(&settling);
    let later = Lifetime::new([8; 32]);
    assert_eq!(settling.differences(&given, later), [Difference::Lifetime(LIFE)]);
    let wide = planned(&Settlement { uses_v1: true, ..sale(2) });
    assert!(settling.differences(&half_signed(&wide), LIFE).contains(&Difference::Format));
    let limits = Limits { compute_units: Some(5), ..Default::default() };
    let slow = planned(&Settlement { uses_v1: true, limits, ..sale(2) });
    assert_eq!(wide.differences(&half_signed(&slow), LIFE), [Difference::Limits]);
}

/// The buyer pays out of their own account, and the platform is one of those who are paid.
#[test]
fn a_buyer_who_pays_signs_what_they_have_looked_at() {
    let mut whole = sale(1);
    whole.treasury = wallet(3);
    let settling = planned(&whole);
    assert!(settling.parts.iter().all(|part| !part.is_kept), "the platform is paid too");
    assert_eq!(settling.costs.signatures, 15_000, "the till, the edition's key and the buyer");
    let mut received = settling.receive(&half_signed(&settling).encode(), LIFE).unwrap();
    received.sign(&key(3)).unwrap();
    received.sign(&key(2)).unwrap();
    received.verify().unwrap();
    // The till had planned another sale than the buyer did.
    let mut dearer = whole.clone();
    dearer.amount = Amount::new(10_999_999).unwrap();
    let given = half_signed(&planned(&dearer)).encode();
    let refused = settling.receive(&given, LIFE).unwrap_err().to_string();
    assert!(refused.contains("the transfer to author moves 3666630, and 3333300"), "{refused}");
    assert!(refused.contains("the transfer to platform moves"), "{refused}");
}

#[test]
fn orders_to_a_program_of_ones_own_are_agreed_like_any_other() {
    let call = |units: u64| crate::anchor::Call {
        program: wallet(70),
        name: "mint_and_distribute".into(),
        accounts: vec![Access::signing(wallet(TILL)), Access::writing(wallet(71))],
        arguments: vec![crate::anchor::Value::U64(units)],
    };
    let with = |units: u64| {
        let instruction = call(units).instruction().unwrap();
        let extra = Extra { units_max: 60_000, steps_inner_max: 5, ..Extra::new(instruction) };
        planned(&Settlement { before: vec![extra], ..sale(1) })
    };
    let (settling, plain) = (with(7), planned(&sale(1)));
    assert_eq!(settling.steps, plain.steps + 6, "the order, and those that it gives to others");
    assert_eq!(settling.units, plain.units + 60_000);
    assert_eq!(settling.orders[1].act, Act::Extra(0));
    assert!(settling.receive(&half_signed(&settling).encode(), LIFE).is_ok());
    let found = settling.differences(&half_signed(&with(8)), LIFE);
    assert_eq!(found, [Difference::Data(Act::Extra(0))]);
}

#[test]
fn lookup_tables_are_those_that_were_agreed() {
    let mut whole = sale(2);
    let bare = planned(&whole);
    let members = vec![account(10), account(20), USDC];
    whole.tables = vec![Table { address: wallet(50), addresses: members }];
    let settling = planned(&whole);
    assert!(settling.bytes < bare.bytes);
    let given = half_signed(&settling);
    assert_eq!(settling.differences(&given, LIFE), []);
    assert!(bare.differences(&given, LIFE).contains(&Difference::Tables));
    assert!(settling.differences(&half_signed(&bare), LIFE).contains(&Difference::Tables));
    // The same places of a table that holds others by now.
    let mut turned = whole.clone();
    turned.tables[0].addresses = vec![account(99), account(20), USDC];
    let found = planned(&turned).differences(&given, LIFE);
    assert!(!found.is_empty());
    // A longer table would lead elsewhere than the message says.
    turned.tables[0].addresses = vec![account(10)];
    assert!(planned(&turned).differences(&given, LIFE).contains(&Difference::Unresolved));
}

/// Keys of one role change places, and the orders go on naming the places.
#[test]
fn keys_that_change_places_lead_elsewhere() {
    let settling = planned(&sale(2));
    let bytes = half_signed(&settling).encode();
    let message = settling.message(LIFE).unwrap();
    // Two writable keys that do not sign stand side by side behind the signers.
    let (a, b) = (2_usize, 3_usize);
    let start = 1 + 2 * 64 + 1 + 3 + 1;
    let mut swapped = bytes.clone();
    let (from, to) = (start + 32 * a, start + 32 * b);
    assert_eq!(&bytes[from..from + 32], message.addresses()[a].bytes());
    swapped[from..from + 32].copy_from_slice(&bytes[to..to + 32]);
    swapped[to..to + 32].copy_from_slice(&bytes[from..from + 32]);
    assert!(settling.receive(&swapped, LIFE).is_err());
}

proptest! {
    /// Goal: whatever is changed on the way, nobody signs it. Method: one byte at random.
    #[test]
    fn a_changed_byte_is_refused(
        place in 0_usize..4_096,
        by in 1_u8..,
        v1: bool,
        others in 0_u8..6,
    ) {
        let settling = planned(&Settlement { uses_v1: v1, ..sale(others) });
        let mut bytes = half_signed(&settling).encode();
        let place = place % bytes.len();
        bytes[place] ^= by;
        prop_assert!(settling.receive(&bytes, LIFE).is_err());
    }

    /// The same with orders: one is dropped, doubled, moved, or one of its accounts, roles or bytes
    /// is changed, and the till has signed it.
    #[test]
    fn a_changed_order_is_refused(
        which in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        what in 0..7_u8,
        v1: bool,
    ) {
        let settling = planned(&Settlement { uses_v1: v1, ..sale(3) });
        let mut all = orders(&settling);
        let (one, two) = (which.index(all.len()), other.index(all.len()));
        match what {
            0 => drop(all.remove(one)),
            1 => all.insert(two, all[one].clone()),
            2 => all.swap(one, two),
            3 if !all[one].accounts.is_empty() => {
                let place = at.index(all[one].accounts.len());
                all[one].accounts[place].address = account(99);
            }
            4 if !all[one].accounts.is_empty() => {
                let place = at.index(all[one].accounts.len());
                let access = &mut all[one].accounts[place];
                access.writes = !access.writes;
            }
            5 if !all[one].data.is_empty() => {
                let place = at.index(all[one].data.len());
                all[one].data[place] ^= 1;
            }
            _ => all[one].program = wallet(98),
        }
        prop_assume!(all != orders(&settling));
        let (format, payer, lifetime) = (settling.format.clone(), settling.payer, LIFE);
        let message = Draft { format, payer, lifetime, instructions: all }.compile();
        // A role that another order asks for anyway changes nothing.
        let agreed = settling.message(LIFE).unwrap();
        prop_assume!(message.as_ref().is_ok_and(|message| *message != agreed));
        let mut given = Transaction::new(message.unwrap());
        let _ = given.sign(&key(TILL));
        prop_assert!(settling.receive(&given.encode(), LIFE).is_err());
    }
}
