//! Our encoders against the official ones, over random input: the same program, accounts, roles and
//! bytes, and the same message of the same instructions.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    reason = "a test that panics is red, which is what it is for"
)]

use divvy_solana::{
    Access, Address, Derived, Draft, Format, Instruction, Lifetime, Limits, Table, associated,
    budget, lookup, memo, metadata, stake, system, token,
};
use proptest::prelude::*;
use solana_instruction::{AccountMeta, Instruction as Official};
use solana_message::{AddressLookupTableAccount, Hash, legacy, v0, v1};
use spl_token_2022_interface::extension::metadata_pointer;

type Theirs = solana_message::Address;

/// A program, accounts with their roles, and data: all by their places in a pool.
type Pick = (usize, Vec<(usize, (bool, bool))>, Vec<u8>);

fn theirs(address: Address) -> Theirs {
    Theirs::new_from_array(*address.bytes())
}

/// Ours, written as theirs.
fn official(order: &Instruction) -> Official {
    let meta = |access: &Access| AccountMeta {
        pubkey: theirs(access.address),
        is_signer: access.signs,
        is_writable: access.writes,
    };
    let accounts = order.accounts.iter().map(meta).collect();
    Official { program_id: theirs(order.program), accounts, data: order.data.clone() }
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 32]>().prop_map(Address::new)
}

fn addresses<const N: usize>() -> impl Strategy<Value = [Address; N]> {
    proptest::collection::vec(address(), N).prop_map(|all| all.try_into().expect("N of them"))
}

fn seed() -> impl Strategy<Value = String> {
    "[a-z0-9é]{0,16}"
}

proptest! {
    #![proptest_config(
        ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() }
    )]

    #[test]
    fn orders_of_the_system_are_theirs(
        [a, b, c, d] in addresses(), lamports: u64, space: u64, seed in seed(), own_base: bool,
    ) {
        use solana_system_interface::instruction as sys;
        let [ta, tb, tc, td] = [a, b, c, d].map(theirs);
        let ours = system::transfer(a, b, lamports);
        prop_assert_eq!(official(&ours), sys::transfer(&ta, &tb, lamports));
        let ours = system::CreateAccount { payer: a, account: b, lamports, space, owner: c };
        let create = sys::create_account(&ta, &tb, lamports, space, &tc);
        prop_assert_eq!(official(&ours.instruction()), create);

        let base = if own_base { a } else { d };
        let made = Theirs::create_with_seed(&theirs(base), &seed, &tc).expect("a short seed");
        prop_assert_eq!(theirs(Address::with_seed(&base, &seed, &c).expect("the same")), made);
        let (payer, owner, text) = (a, c, seed.clone());
        let ours =
            system::CreateAccountWithSeed { payer, base, seed: text, lamports, space, owner };
        let create = sys::create_account_with_seed(
            &ta, &made, &theirs(base), &seed, lamports, space, &tc,
        );
        prop_assert_eq!(official(&ours.instruction().expect("a short seed")), create);
        let ours = system::TransferWithSeed { base, seed: seed.clone(), owner, to: b, lamports };
        let back = sys::transfer_with_seed(&made, &theirs(base), seed, &tc, &tb, lamports);
        prop_assert_eq!(official(&ours.instruction().expect("a short seed")), back);

        let two = sys::create_nonce_account(&ta, &tb, &tc, lamports);
        prop_assert_eq!(&official(&system::initialize_nonce(b, c)), &two[1]);
        let (account, space) = (b, system::NONCE_BYTES);
        let owner = system::PROGRAM;
        let ours = system::CreateAccount { payer: a, account, lamports, space, owner };
        prop_assert_eq!(&official(&ours.instruction()), &two[0]);
        let advance = sys::advance_nonce_account(&ta, &tb);
        prop_assert_eq!(official(&system::advance_nonce(a, b)), advance);
        let authorize = sys::authorize_nonce_account(&ta, &tb, &tc);
        prop_assert_eq!(official(&system::authorize_nonce(a, b, c)), authorize);
        let ours = system::WithdrawNonce { nonce: a, authority: b, to: d, lamports };
        let withdraw = sys::withdraw_nonce_account(&ta, &tb, &td, lamports);
        prop_assert_eq!(official(&ours.instruction()), withdraw);
    }

    #[test]
    fn orders_of_tokens_are_theirs(
        [a, b, c, d] in addresses(), cosigners in proptest::collection::vec(address(), 0..4),
        amount: u64, decimals: u8, next in proptest::option::of(address()),
    ) {
        use spl_token_2022_interface::instruction as new;
        use spl_token_interface::instruction as classic;
        let [ta, tb, tc, td] = [a, b, c, d].map(theirs);
        let signers: Vec<_> = cosigners.iter().copied().map(theirs).collect();
        let signers: Vec<_> = signers.iter().collect();
        let tnext = next.map(theirs);
        for program in [token::PROGRAM, token::PROGRAM_2022] {
            let id = theirs(program);
            let ours = token::TransferChecked {
                program,
                source: a,
                mint: b,
                destination: c,
                owner: d,
                cosigners: cosigners.clone(),
                amount,
                decimals,
            };
            let pay = new::transfer_checked(&id, &ta, &tb, &tc, &td, &signers, amount, decimals);
            prop_assert_eq!(official(&ours.instruction()), pay.expect("a token program"));
            let ours =
                token::InitializeMint { program, mint: a, authority: b, freezer: next, decimals };
            let mint = new::initialize_mint2(&id, &ta, &tb, tnext.as_ref(), decimals);
            prop_assert_eq!(official(&ours.instruction()), mint.expect("a token program"));
            let ours = token::MintTo { program, mint: a, account: b, authority: c, amount };
            let made = new::mint_to(&id, &ta, &tb, &tc, &[], amount).expect("a token program");
            prop_assert_eq!(official(&ours.instruction()), made);
            use new::AuthorityType as Kind;
            for (power, kind) in [
                (token::Power::Mint, Kind::MintTokens),
                (token::Power::Freeze, Kind::FreezeAccount),
                (token::Power::Own, Kind::AccountOwner),
                (token::Power::Close, Kind::CloseAccount),
            ] {
                let ours = token::SetAuthority { program, account: a, power, authority: b, next };
                let set = new::set_authority(&id, &ta, tnext.as_ref(), kind, &tb, &[]);
                prop_assert_eq!(official(&ours.instruction()), set.expect("a token program"));
            }
        }
        let id = spl_token_interface::ID;
        let pay = classic::transfer_checked(&id, &ta, &tb, &tc, &td, &[], amount, decimals);
        let ours = token::TransferChecked {
            program: token::PROGRAM,
            source: a,
            mint: b,
            destination: c,
            owner: d,
            cosigners: vec![],
            amount,
            decimals,
        };
        prop_assert_eq!(official(&ours.instruction()), pay.expect("the classic program"));
    }

    #[test]
    fn descriptions_inside_mints_are_theirs(
        [a, b, c, d] in addresses(), next in proptest::option::of(address()),
        text in ["\\PC{0,40}", "\\PC{0,8}", "\\PC{0,80}"],
    ) {
        let [ta, tb, tc, td] = [a, b, c, d].map(theirs);
        let tnext = next.map(theirs);
        let id = spl_token_2022_interface::ID;
        let point = metadata_pointer::instruction::initialize(&id, &ta, tnext, Some(tb));
        let ours = token::initialize_metadata_pointer(a, next, Some(b));
        prop_assert_eq!(official(&ours), point.expect("Token-2022"));
        let [name, symbol, uri] = text;
        let describe = spl_token_metadata_interface::instruction::initialize(
            &id, &ta, &tb, &tc, &td, name.clone(), symbol.clone(), uri.clone(),
        );
        let (update_authority, mint, mint_authority) = (b, c, d);
        let ours = metadata::Initialize {
            metadata: a, update_authority, mint, mint_authority, name, symbol, uri,
        };
        prop_assert_eq!(official(&ours.instruction()), describe);
    }

    #[test]
    fn token_accounts_memos_budgets_and_tables_are_theirs(
        [a, b, c] in addresses(), members in proptest::collection::vec(address(), 0..30),
        slot: u64, number: u32, memo in "\\PC{0,60}",
    ) {
        use solana_address_lookup_table_interface::instruction as alt;
        use solana_compute_budget_interface::ComputeBudgetInstruction as Budget;
        use spl_associated_token_account_interface::instruction as ata;
        let [ta, tb, tc] = [a, b, c].map(theirs);
        for token_program in [token::PROGRAM, token::PROGRAM_2022] {
            let (payer, wallet, mint, id) = (a, b, c, theirs(token_program));
            let account = Derived::token_account(&wallet, &mint, &token_program).expect("one");
            let account = account.address;
            let ours = associated::Create { payer, wallet, mint, token_program, account };
            let strict = ata::create_associated_token_account(&ta, &tb, &tc, &id);
            prop_assert_eq!(official(&ours.strict()), strict);
            let again = ata::create_associated_token_account_idempotent(&ta, &tb, &tc, &id);
            prop_assert_eq!(official(&ours.idempotent()), again);
        }
        let note = spl_memo_interface::instruction::build_memo(
            &spl_memo_interface::v3::ID, memo.as_bytes(), &[&ta, &tb],
        );
        prop_assert_eq!(official(&memo::note(&memo, &[a, b])), note);

        let heap = Budget::request_heap_frame(number);
        prop_assert_eq!(official(&budget::heap_bytes(number)), heap);
        prop_assert_eq!(official(&budget::units(number)), Budget::set_compute_unit_limit(number));
        prop_assert_eq!(official(&budget::price(slot)), Budget::set_compute_unit_price(slot));
        let loaded = Budget::set_loaded_accounts_data_size_limit(number);
        prop_assert_eq!(official(&budget::loaded_bytes(number)), loaded);

        let (create, table) = alt::create_lookup_table(ta, tb, slot);
        let (ours, found) = lookup::create(a, b, slot).expect("one");
        prop_assert_eq!(theirs(found), table);
        // Older clusters ask that the authority signs; theirs has stopped to.
        let mut ours = official(&ours);
        ours.accounts[1].is_signer = false;
        prop_assert_eq!(ours, create);
        let all = members.iter().copied().map(theirs).collect();
        let extend = alt::extend_lookup_table(ta, tb, Some(tc), all);
        prop_assert_eq!(official(&lookup::extend(a, b, c, &members)), extend);
        let end = alt::deactivate_lookup_table(ta, tb);
        prop_assert_eq!(official(&lookup::deactivate(a, b)), end);
        let close = alt::close_lookup_table(ta, tb, tc);
        prop_assert_eq!(official(&lookup::close(a, b, c)), close);
    }

    #[test]
    fn orders_of_stakes_are_theirs_but_for_the_sysvars(
        [a, b, c, d] in addresses(), lamports: u64, time_secs: i64, epoch: u64,
        custodian in proptest::option::of(address()),
    ) {
        use solana_stake_interface::instruction as st;
        use solana_stake_interface::state::{Authorized, Lockup, StakeAuthorize};
        let [ta, tb, tc, td] = [a, b, c, d].map(theirs);
        let lockup = stake::Lockup { time_secs, epoch, custodian: d };
        let ours = stake::Initialize { account: a, staker: b, withdrawer: c, lockup };
        let authorized = Authorized { staker: tb, withdrawer: tc };
        let their_lockup = Lockup { unix_timestamp: time_secs, epoch, custodian: td };
        let make = st::initialize(&ta, &authorized, &their_lockup);
        prop_assert_eq!(without_sysvars(&ours.instruction()), make);
        let delegate = st::delegate_stake(&ta, &tb, &tc);
        prop_assert_eq!(without_sysvars(&stake::delegate(a, b, c)), delegate);
        let third = custodian.map(theirs);
        for (power, kind) in [
            (stake::Power::Stake, StakeAuthorize::Staker),
            (stake::Power::Withdraw, StakeAuthorize::Withdrawer),
        ] {
            let ours = stake::Authorize { account: a, authority: b, next: c, power, custodian };
            let hand = st::authorize(&ta, &tb, &tc, kind, third.as_ref());
            prop_assert_eq!(without_sysvars(&ours.instruction()), hand);
        }
        let split = st::split(&ta, &tb, lamports, &tc).pop().expect("the last splits");
        prop_assert_eq!(without_sysvars(&stake::split(a, b, c, lamports)), split);
        let merge = st::merge(&ta, &tb, &tc).pop().expect("one");
        prop_assert_eq!(without_sysvars(&stake::merge(a, b, c)), merge);
        let end = st::deactivate_stake(&ta, &tb);
        prop_assert_eq!(without_sysvars(&stake::deactivate(a, b)), end);
        let ours = stake::Withdraw { account: a, withdrawer: b, to: c, lamports, custodian };
        let take = st::withdraw(&ta, &tb, &tc, lamports, third.as_ref());
        prop_assert_eq!(without_sysvars(&ours.instruction()), take);
    }

    #[test]
    fn messages_are_theirs_in_every_format(
        pool in proptest::collection::vec(address(), 4..24),
        picks in proptest::collection::vec(
            (0_usize..24, proptest::collection::vec((0_usize..24, any::<(bool, bool)>()), 0..6),
             proptest::collection::vec(any::<u8>(), 0..40)),
            0..8,
        ),
        tables in proptest::collection::vec(proptest::collection::vec(0_usize..30, 0..20), 0..3),
        nonce: bool, fee in proptest::option::of(any::<u64>()),
        [units, loaded] in [proptest::option::of(any::<u32>()), proptest::option::of(any::<u32>())],
    ) {
        let of = |place: usize| pool[place % pool.len()];
        let order = |(program, accounts, data): &Pick| {
            let access = |(place, (signs, writes)): &(usize, (bool, bool))| {
                Access { address: of(*place), signs: *signs, writes: *writes }
            };
            // The payer is never a program.
            let program = of(1 + program % (pool.len() - 1));
            let accounts = accounts.iter().map(access).collect();
            Instruction { program, accounts, data: data.clone() }
        };
        let mut instructions: Vec<Instruction> = picks.iter().map(order).collect();
        if nonce {
            instructions.insert(0, system::advance_nonce(of(2), of(3)));
        }
        let (payer, lifetime) = (of(0), Lifetime::new([9; 32]));
        let table = |(n, places): (usize, &Vec<usize>)| Table {
            address: Address::new([200 + u8::try_from(n).expect("few"); 32]),
            addresses: places.iter().map(|place| of(*place)).collect(),
        };
        let tables: Vec<Table> = tables.iter().enumerate().map(table).collect();
        let limits = Limits {
            priority_fee_lamports: fee,
            compute_units: units,
            loaded_bytes: loaded,
            heap_bytes: None,
        };
        let formats = [Format::Legacy, Format::V0(tables.clone()), Format::V1(limits)];
        let orders: Vec<_> = instructions.iter().map(official).collect();
        let hash = Hash::new_from_array([9; 32]);
        let accounts = |table: &Table| AddressLookupTableAccount {
            key: theirs(table.address),
            addresses: table.addresses.iter().copied().map(theirs).collect(),
        };
        let accounts: Vec<_> = tables.iter().map(accounts).collect();
        let config = v1::TransactionConfig {
            priority_fee: fee,
            compute_unit_limit: units,
            loaded_accounts_data_size_limit: loaded,
            heap_size: None,
        };
        let their_payer = theirs(payer);
        let expected = [
            legacy::Message::new_with_blockhash(&orders, Some(&their_payer), &hash).serialize(),
            v0::Message::try_compile(&their_payer, &orders, &accounts, hash.clone())
                .expect("few accounts").serialize(),
            v1::Message::try_compile_with_config(&their_payer, &orders, hash, config)
                .expect("few accounts").serialize(),
        ];
        for (format, expected) in formats.into_iter().zip(expected) {
            let instructions = instructions.clone();
            match (Draft { format, payer, lifetime, instructions }).compile() {
                Ok(message) => prop_assert_eq!(message.encode(), expected),
                // They write it all the same, and no node takes it.
                Err(error) => {
                    prop_assert_eq!(error.code(), divvy_core::Code::WireUnfit);
                    let v1 = expected[0] == 0x81;
                    let signers = usize::from(expected[usize::from(expected[0] >= 0x80)]);
                    let (most, most_signers) = if v1 { (4_096, 12) } else { (1_231, 255) };
                    prop_assert!(expected.len() + 64 * signers > most || signers > most_signers);
                }
            }
        }
    }
}

/// Ours names the sysvars that older programs ask for; theirs has stopped to.
fn without_sysvars(order: &Instruction) -> Official {
    let sysvars = [
        "SysvarRent111111111111111111111111111111111",
        "SysvarC1ock11111111111111111111111111111111",
        "SysvarStakeHistory1111111111111111111111111",
        "StakeConfig11111111111111111111111111111111",
    ];
    let mut order = official(order);
    order.accounts.retain(|meta| !sysvars.contains(&meta.pubkey.to_string().as_str()));
    order
}
