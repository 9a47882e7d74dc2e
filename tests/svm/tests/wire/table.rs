//! Lookup tables: made, used, and closed.

use divvy_solana::{Address, Format, Table, lookup, token};

use crate::lab::{Lab, wallet};

#[test]
fn a_table_lets_fifty_seven_payees_into_one_transaction_and_gives_its_rent_back() {
    let mut lab = Lab::new();
    let (token, from) = (lab.token(200, token::PROGRAM), lab.rich());
    let payees: Vec<Address> = (1_000..1_057).map(wallet).collect();
    lab.with_accounts(&token, &payees);
    let slot = lab.machine.slot() + 10;
    lab.machine.pass_to(slot + 1, 0);
    lab.machine.show_slot(slot);
    let (create, address) = lookup::create(from, from, slot).unwrap();
    lab.done(&[create], &[]);
    let mut addresses = vec![token.mint, token.account(&from)];
    addresses.extend(payees.iter().map(|payee| token.account(payee)));
    for part in addresses.chunks(29) {
        lab.done(&[lookup::extend(address, from, from, part)], &[]);
    }
    lab.machine.pass_to(slot + 2, 0);
    let table = Table { address, addresses };
    let legs: Vec<_> = payees.iter().map(|to| token.pay(from, *to, 3)).collect();
    lab.run(Format::V0(vec![table]), &legs, &[]).done();
    assert!(payees.iter().all(|payee| lab.held(&token, payee) == Some(3)));

    let before = lab.machine.lamports(&from);
    lab.done(&[lookup::deactivate(address, from)], &[]);
    let early = lab.run(Format::Legacy, &[lookup::close(address, from, from)], &[]);
    assert!(early.failed().contains("InvalidArgument"));
    lab.machine.pass_to(slot + 600, 0);
    lab.done(&[lookup::close(address, from, from)], &[]);
    assert_eq!(lab.machine.account(&address), None);
    assert!(lab.machine.lamports(&from) > before, "its rent is back");
}
