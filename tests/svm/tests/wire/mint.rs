//! A token that is there once, and the money for it, in one transaction.

use divvy_solana::{
    Address, Derived, Format, Instruction, Mint, TokenAccount, metadata, system, token,
};

use crate::lab::{Lab, key, wallet};

/// The orders that make a token of Token-2022 with its description inside, and give it to the
/// payer.
fn made(lab: &Lab) -> Vec<Instruction> {
    let (from, mint, program) = (lab.rich(), wallet(70), token::PROGRAM_2022);
    let account = Derived::token_account(&from, &mint, &program).unwrap().address;
    let create = system::CreateAccount {
        payer: from,
        account: mint,
        // For the bytes that it has in the end.
        lamports: lab.machine.rent(500),
        space: POINTED_BYTES,
        owner: program,
    };
    let describe = metadata::Initialize {
        metadata: mint,
        update_authority: from,
        mint,
        mint_authority: from,
        name: "Song".to_owned(),
        symbol: "SONG".to_owned(),
        uri: "https://example.com/song.json".to_owned(),
    };
    let (authority, power, next) = (from, token::Power::Mint, None);
    let one = crate::lab::Token { program, mint };
    vec![
        create.instruction(),
        token::initialize_metadata_pointer(mint, Some(from), Some(mint)),
        token::InitializeMint { program, mint, authority, freezer: None, decimals: 0 }
            .instruction(),
        describe.instruction(),
        one.create(from, from).strict(),
        token::MintTo { program, mint, account, authority, amount: 1 }.instruction(),
        token::SetAuthority { program, account: mint, power, authority, next }.instruction(),
    ]
}

#[test]
fn a_token_is_made_and_its_price_divided_all_or_nothing() {
    let mut lab = Lab::new();
    let (usdc, from) = (lab.token(200, token::PROGRAM), lab.rich());
    let payees: Vec<Address> = (10..14).map(wallet).collect();
    lab.with_accounts(&usdc, &payees[..3]);
    let split = |amounts: [u64; 4]| -> Vec<Instruction> {
        payees.iter().zip(amounts).map(|(to, amount)| usdc.pay(from, *to, amount)).collect()
    };
    let orders = [made(&lab), split([40, 30, 20, 10])].concat();
    // The fourth payee has no account yet.
    let failed = lab.run(Format::V0(vec![]), &orders, &[key(70)]);
    assert!(failed.failed().contains("InstructionError"));
    assert_eq!(lab.machine.account(&wallet(70)), None, "no token without its price");
    lab.with_accounts(&usdc, &payees[3..]);
    lab.done(&orders, &[key(70)]);
    let held: Vec<_> = payees.iter().map(|payee| lab.held(&usdc, payee).unwrap()).collect();
    assert_eq!(held, [40, 30, 20, 10]);

    let mint = lab.machine.account(&wallet(70)).unwrap();
    let text = String::from_utf8_lossy(&mint.data).into_owned();
    assert!(text.contains("https://example.com/song.json"));
    let read = Mint::read(&mint).unwrap();
    assert_eq!((read.supply, read.decimals, read.freezer), (1, 0, None));
    let account = Derived::token_account(&from, &wallet(70), &token::PROGRAM_2022).unwrap();
    let account = lab.machine.account(&account.address).unwrap();
    assert_eq!(TokenAccount::read(&account).unwrap().amount, 1);
    // Nobody makes a second one, not even who made the first.
    let (program, mint, authority) = (token::PROGRAM_2022, wallet(70), from);
    let account = Derived::token_account(&from, &mint, &program).unwrap().address;
    let more = token::MintTo { program, mint, account, authority, amount: 1 };
    assert!(lab.run(Format::Legacy, &[more.instruction()], &[]).err.is_some());
}

/// A mint, the kind of account that it is, and the pointer to its description.
const POINTED_BYTES: u64 = 165 + 1 + 4 + 64;
