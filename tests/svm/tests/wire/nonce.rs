//! Durable nonces and fences: at most one of several attempts lands.

use divvy_solana::{Format, Lifetime, memo, system};

use crate::lab::{Lab, SOL, key, wallet};

fn value(lab: &Lab, nonce: u16) -> Lifetime {
    let data = lab.machine.account(&wallet(nonce)).unwrap().data;
    Lifetime::new(data[40..72].try_into().unwrap())
}

#[test]
fn of_two_attempts_with_one_nonce_one_lands_however_late() {
    let mut lab = Lab::new();
    let (from, to, nonce, guard) = (lab.rich(), wallet(10), wallet(50), wallet(51));
    let create = system::CreateAccount {
        payer: from,
        account: nonce,
        lamports: lab.machine.rent(80),
        space: system::NONCE_BYTES,
        owner: system::PROGRAM,
    };
    let orders = [create.instruction(), system::initialize_nonce(nonce, guard)];
    lab.done(&orders, &[key(50)]);
    let first = value(&lab, 50);
    assert_eq!(first, lab.machine.lifetime().nonce());

    // Many blocks later.
    (0..200).for_each(|_| lab.machine.next_block());
    let advance = system::advance_nonce(nonce, guard);
    let attempt =
        |text: &str| [advance.clone(), system::transfer(from, to, SOL), memo::note(text, &[])];
    lab.by(first).run(Format::V0(vec![]), &attempt("one"), &[key(51)]).done();
    assert_eq!(lab.machine.lamports(&to), SOL);
    assert_ne!(value(&lab, 50), first);
    for text in ["one", "two"] {
        lab.machine.next_block();
        let again = lab.by(first).run(Format::V0(vec![]), &attempt(text), &[key(51)]);
        assert!(again.err.is_some());
    }
    assert_eq!(lab.machine.lamports(&to), SOL, "once");

    // Another guard, who takes the lamports back.
    lab.done(&[system::authorize_nonce(nonce, guard, wallet(52))], &[key(51)]);
    let (lamports, to) = (lab.machine.lamports(&nonce), wallet(53));
    let withdraw = |authority| system::WithdrawNonce { nonce, authority, to, lamports };
    let late = lab.run(Format::Legacy, &[withdraw(guard).instruction()], &[key(51)]);
    assert!(late.failed().contains("MissingRequiredSignature"));
    lab.done(&[withdraw(wallet(52)).instruction()], &[key(52)]);
    assert_eq!(lab.machine.lamports(&to), lamports);
}

#[test]
fn a_fence_lets_one_attempt_through_and_its_lamports_come_back() {
    let mut lab = Lab::new();
    let (from, to, lamports) = (lab.rich(), wallet(10), lab.machine.rent(0));
    let (seed, owner) = ("a seed that nobody guesses".to_owned(), system::PROGRAM);
    let fence = system::CreateAccountWithSeed {
        payer: from,
        base: from,
        seed: seed.clone(),
        lamports,
        space: 0,
        owner,
    };
    let fence = fence.instruction().unwrap();
    let before = lab.machine.lamports(&from);
    lab.done(&[fence.clone(), system::transfer(from, to, SOL)], &[]);
    let again = lab.run(Format::Legacy, &[fence, system::transfer(from, to, SOL)], &[]);
    assert_eq!(again.failed(), r#"{"InstructionError":[0,{"Custom":0}]}"#);
    let back = system::TransferWithSeed { base: from, seed, owner, to: from, lamports };
    lab.done(&[back.instruction().unwrap()], &[]);
    assert_eq!(before - lab.machine.lamports(&from), SOL + 3 * 5_000);
}
