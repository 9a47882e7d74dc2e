//! Stake: given, divided, handed over, ended and taken back.

use divvy_solana::{Access, Address, Format, Instruction, stake, system};

use crate::lab::{Lab, SOL, key, wallet};

/// A validator that stake can be given to. Nobody here runs one, so its orders are written by hand.
fn validator(lab: &mut Lab) -> Address {
    let (vote, node, from) = (wallet(80), wallet(81), lab.rich());
    let program = Address::parse("Vote111111111111111111111111111111111111111").unwrap();
    let space = 3_762;
    let lamports = lab.machine.rent(space as usize);
    let create =
        system::CreateAccount { payer: from, account: vote, lamports, space, owner: program };
    let known = |text: &str| Access::reading(Address::parse(text).unwrap());
    let accounts = vec![
        Access::writing(vote),
        known("SysvarRent111111111111111111111111111111111"),
        known("SysvarC1ock11111111111111111111111111111111"),
        Access::signing(node),
    ];
    let owners = [node.bytes().as_slice(), node.bytes(), node.bytes()].concat();
    let data = [&[0; 4], owners.as_slice(), &[5]].concat();
    let make = Instruction { program, accounts, data };
    lab.done(&[create.instruction(), make], &[key(80), key(81)]);
    vote
}

fn given(lab: &mut Lab, number: u16, vote: Address, lamports: u64) -> Address {
    let (from, account, staker) = (lab.rich(), wallet(number), wallet(90));
    let create = system::CreateAccount {
        payer: from,
        account,
        lamports: lamports + lab.machine.rent(200),
        space: stake::STAKE_BYTES,
        owner: stake::PROGRAM,
    };
    let lockup = stake::Lockup::default();
    let make = stake::Initialize { account, staker, withdrawer: wallet(91), lockup };
    let delegate = stake::delegate(account, staker, vote);
    lab.done(&[create.instruction(), make.instruction(), delegate], &[key(number), key(90)]);
    account
}

fn takes(account: Address, to: Address, lamports: u64) -> Instruction {
    let (withdrawer, custodian) = (wallet(91), None);
    stake::Withdraw { account, withdrawer, to, lamports, custodian }.instruction()
}

#[test]
fn stake_is_given_divided_ended_and_taken_back_and_nothing_earlier() {
    let mut lab = Lab::new();
    let vote = validator(&mut lab);
    let account = given(&mut lab, 85, vote, 10 * SOL);
    lab.machine.pass_to(lab.machine.slot() + 432_000, 1);

    let early = lab.run(Format::Legacy, &[takes(account, wallet(92), SOL)], &[key(91)]);
    assert!(early.failed().contains("InstructionError"), "it is delegated");

    // A part of it, in an account of its own.
    let (from, part, space) = (lab.rich(), wallet(86), stake::STAKE_BYTES);
    let (lamports, owner) = (lab.machine.rent(200), stake::PROGRAM);
    let make = system::CreateAccount { payer: from, account: part, lamports, space, owner };
    let split = stake::split(account, wallet(90), part, 4 * SOL);
    lab.done(&[make.instruction(), split], &[key(86), key(90)]);
    assert_eq!(lab.machine.lamports(&part), 4 * SOL + lamports);

    // Another staker, who ends it.
    let (power, custodian) = (stake::Power::Stake, None);
    let (authority, next) = (wallet(90), wallet(93));
    let hand_over = stake::Authorize { account: part, authority, next, power, custodian };
    lab.done(&[hand_over.instruction()], &[key(90)]);
    let old = lab.run(Format::Legacy, &[stake::deactivate(part, wallet(90))], &[key(90)]);
    assert!(old.failed().contains("MissingRequiredSignature"));
    lab.done(&[stake::deactivate(part, wallet(93))], &[key(93)]);
    lab.machine.pass_to(lab.machine.slot() + 432_000, 2);
    lab.machine.pass_to(lab.machine.slot() + 432_000, 3);
    let all = lab.machine.lamports(&part);
    lab.done(&[takes(part, wallet(92), all)], &[key(91)]);
    assert_eq!(lab.machine.lamports(&wallet(92)), all);
    assert_eq!(lab.machine.account(&part), None);
    assert!(lab.machine.lamports(&account) >= 6 * SOL);
}

#[test]
fn two_stakes_of_the_same_people_become_one() {
    let mut lab = Lab::new();
    let vote = validator(&mut lab);
    let [one, two] = [85, 86].map(|number| given(&mut lab, number, vote, 3 * SOL));
    let both = lab.machine.lamports(&one) + lab.machine.lamports(&two);
    lab.done(&[stake::merge(one, two, wallet(90))], &[key(90)]);
    assert_eq!(lab.machine.lamports(&one), both);
    assert_eq!(lab.machine.account(&two), None);
}
