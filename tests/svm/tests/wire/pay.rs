//! Payouts in all formats, over both token programs.

use divvy_solana::{Access, Address, Format, Instruction, budget, memo, system, token};

use crate::lab::{Lab, SOL, SUPPLY, Token, formats, key, v1, wallet};

#[test]
fn tokens_are_paid_to_the_last_unit_in_every_format_over_both_programs() {
    for program in [token::PROGRAM, token::PROGRAM_2022] {
        let mut lab = Lab::new();
        let (token, from) = (lab.token(200, program), lab.rich());
        for (at, format) in formats().into_iter().enumerate() {
            let [ann, bob] = [wallet(10 + at as u16), wallet(20 + at as u16)];
            let orders = [
                token.create(from, ann).strict(),
                token.create(from, bob).idempotent(),
                token.pay(from, ann, 70),
                token.pay(from, bob, 1),
                memo::note("divvy:shop/3/0@5", &[]),
            ];
            let before = lab.machine.lamports(&from);
            let ran = lab.run(format, &orders, &[]).done();
            assert_eq!((lab.held(&token, &ann), lab.held(&token, &bob)), (Some(70), Some(1)));
            let bytes = lab.machine.account(&token.account(&ann)).unwrap().data.len();
            let rent = lab.machine.rent(bytes);
            assert_eq!(before - lab.machine.lamports(&from), 5_000 + 2 * rent);
            let is_classic = program == token::PROGRAM;
            assert_eq!(bytes, if is_classic { 165 } else { 170 });
            assert!(ran.logs.iter().any(|line| line.contains("divvy:shop/3/0@5")));
        }
        assert_eq!(lab.held(&token, &from), Some(SUPPLY - 3 * 71));
    }
}

#[test]
fn an_account_is_made_once_strictly_and_any_number_of_times_idempotently() {
    let mut lab = Lab::new();
    let (token, from, ann) = (lab.token(200, token::PROGRAM), lab.rich(), wallet(10));
    let create = token.create(from, ann);
    lab.done(&[create.strict()], &[]);
    lab.done(&[create.idempotent(), create.idempotent()], &[]);
    let again = lab.run(Format::Legacy, &[create.strict()], &[]);
    assert!(again.failed().contains("InstructionError"));
    // Whoever sends lamports ahead keeps nobody from it.
    let (bob, ahead) = (wallet(11), lab.machine.rent(0));
    lab.done(&[system::transfer(from, token.account(&bob), ahead)], &[]);
    lab.done(&[token.create(from, bob).idempotent()], &[]);
    assert_eq!(lab.held(&token, &bob), Some(0));
}

#[test]
fn one_bad_leg_moves_nothing_takes_the_fee_and_is_named_by_its_place() {
    let mut lab = Lab::new();
    let (token, from) = (lab.token(200, token::PROGRAM), lab.rich());
    let payees: Vec<Address> = (10..20).map(wallet).collect();
    lab.with_accounts(&token, &payees[..9]);
    for format in formats() {
        let legs: Vec<_> = payees.iter().map(|to| token.pay(from, *to, 5)).collect();
        let before = lab.machine.lamports(&from);
        let ran = lab.run(format, &legs, &[]);
        assert_eq!(ran.failed(), r#"{"InstructionError":[9,"InvalidAccountData"]}"#);
        assert_eq!(before - lab.machine.lamports(&from), 5_000);
        assert!(payees[..9].iter().all(|payee| lab.held(&token, payee) == Some(0)));
        // Nobody is paid who would be paid too much either.
        let ran = lab.run(Format::Legacy, &[token.pay(from, payees[0], SUPPLY + 1)], &[]);
        assert_eq!(ran.failed(), r#"{"InstructionError":[0,{"Custom":1}]}"#);
    }
    // A frozen payee, a token of other decimals, an owner who did not agree.
    let account = token.account(&payees[1]);
    let mut frozen = lab.machine.account(&account).unwrap();
    frozen.data[108] = 2;
    lab.machine.put(&account, &frozen);
    let ran = lab.run(Format::Legacy, &[token.pay(from, payees[1], 5)], &[]);
    assert_eq!(ran.failed(), r#"{"InstructionError":[0,{"Custom":17}]}"#);
    let mut other = token.pay(from, payees[2], 5);
    *other.data.last_mut().unwrap() = 7;
    let ran = lab.run(Format::Legacy, &[other], &[]);
    assert_eq!(ran.failed(), r#"{"InstructionError":[0,{"Custom":18}]}"#);
    let mut stolen = token.pay(from, payees[2], 5);
    stolen.accounts[3] = Access::signing(wallet(30));
    let ran = lab.run(Format::Legacy, &[stolen], &[key(30)]);
    assert_eq!(ran.failed(), r#"{"InstructionError":[0,{"Custom":4}]}"#);
}

#[test]
fn lamports_are_paid_and_a_new_wallet_holds_its_rent_or_nothing_moves() {
    let mut lab = Lab::new();
    let (from, least) = (lab.rich(), lab.machine.rent(0));
    for (at, format) in formats().into_iter().enumerate() {
        let to = wallet(10 + at as u16);
        let short = lab.run(format.clone(), &[system::transfer(from, to, least - 1)], &[]);
        assert!(short.failed().contains("InsufficientFundsForRent"));
        lab.run(format, &[system::transfer(from, to, least)], &[]).done();
        assert_eq!(lab.machine.lamports(&to), least);
    }
}

#[test]
fn what_is_offered_is_what_is_charged() {
    let mut lab = Lab::new();
    let (from, to) = (lab.rich(), wallet(10));
    let pay = system::transfer(from, to, SOL);
    let charged = |lab: &mut Lab, format: Format, orders: &[Instruction]| {
        let before = lab.machine.lamports(&from);
        lab.run(format, orders, &[]).done();
        before - lab.machine.lamports(&from) - SOL
    };
    // Limit times price, in millionths, rounded up.
    let orders = [budget::units(1_001), budget::price(2_000), budget::loaded_bytes(1 << 20)];
    let orders = [orders.as_slice(), &[budget::heap_bytes(64 << 10), pay.clone()]].concat();
    assert_eq!(charged(&mut lab, Format::Legacy, &orders), 5_000 + 3);
    assert_eq!(charged(&mut lab, v1(1_000, 777), std::slice::from_ref(&pay)), 5_000 + 777);
    // Too few units, and without any nothing runs in v1.
    let few = [budget::units(100), pay.clone()];
    assert!(lab.run(Format::V0(vec![]), &few, &[]).failed().contains("ComputationalBudget"));
    assert!(lab.run(v1(0, 0), &[pay], &[]).failed().contains("ComputationalBudget"));
}

#[test]
fn a_multisig_pays_when_enough_have_signed() {
    let mut lab = Lab::new();
    let (token, from, vault) = (lab.token(200, token::PROGRAM), lab.rich(), key(60));
    let create = system::CreateAccount {
        payer: from,
        account: vault.address(),
        lamports: lab.machine.rent(355),
        space: 355,
        owner: token::PROGRAM,
    };
    // Two of three.
    let people = [61, 62, 63].map(wallet);
    let mut accounts = vec![Access::writing(vault.address())];
    accounts.extend(people.map(Access::reading));
    let of_three = Instruction { program: token::PROGRAM, accounts, data: vec![19, 2] };
    lab.done(&[create.instruction(), of_three], &[key(60)]);
    lab.with_accounts(&token, &[wallet(10)]);
    let orders =
        [token.create(from, vault.address()).strict(), token.pay(from, vault.address(), 100)];
    lab.done(&orders, &[]);
    let pays = |token: &Token, cosigners: Vec<Address>| {
        token::TransferChecked {
            program: token.program,
            source: token.account(&vault.address()),
            mint: token.mint,
            destination: token.account(&wallet(10)),
            owner: vault.address(),
            cosigners,
            amount: 40,
            decimals: 6,
        }
        .instruction()
    };
    let one = lab.run(Format::Legacy, &[pays(&token, vec![people[0]])], &[key(61)]);
    assert!(one.failed().contains("MissingRequiredSignature"));
    let two = [pays(&token, vec![people[0], people[2]])];
    lab.run(Format::Legacy, &two, &[key(61), key(63)]).done();
    assert_eq!(lab.held(&token, &wallet(10)), Some(40));
}
