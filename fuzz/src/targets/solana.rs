//! Solana's bytes and text: one form of each is read, and nothing else.

use divvy::core::Code;
use divvy_solana::{
    Account, Address, Destination, Keypair, LookupTable, Message, Mint, Nonce, PayLink, Presence,
    StakeAccount, StakeHistory, TokenAccount, Transaction, check_mint, check_wallet, lookup,
    read_length, stake, system, token, write_length,
};

use crate::targets::first;

/// A transaction: what is read is written again as just these bytes.
pub(crate) fn transaction(bytes: &[u8]) {
    let read = match Transaction::decode(bytes) {
        Ok(read) => read,
        Err(error) => {
            return assert!(matches!(error.code(), Code::WireMalformed | Code::WireUnfit));
        }
    };
    assert_eq!(read.encode(), bytes);
    assert_eq!(read.message().transaction_bytes(), bytes.len());
    assert_eq!(Message::decode(read.to_sign()).as_ref(), Ok(read.message()));
    assert_eq!(read.name().is_none(), read.signatures()[0].is_absent());
    assert!(read.missing().is_empty() || read.verify().is_err());
    let whole = read.message().instructions(&[]);
    assert_eq!(whole.is_ok(), read.message().tables().is_empty());
}

/// An account: its program, then what it holds. It is one thing at most.
pub(crate) fn account(bytes: &[u8]) {
    let (which, data) = first(bytes);
    let programs = [token::PROGRAM, token::PROGRAM_2022, Address::new([7; 32])];
    let program = programs[which % programs.len()];
    let found = Account { program, lamports: 1, executable: false, data: data.to_vec() };
    let (account, mint) = (TokenAccount::read(&found), Mint::read(&found));
    assert!(account.is_none() || mint.is_none(), "a mint and an account");
    let decimals = mint.map_or(6, |mint| mint.decimals);
    assert!(mint.is_some() || !check_mint(&found, decimals).is_empty());
    let (wallet, held) =
        account.map_or((program, program), |account| (account.owner, account.mint));
    let planned = Presence::There;
    let payee = Destination { wallet, mint: held, token_program: program, planned };
    assert!(account.is_some() || !payee.check(Some(&found)).is_empty());
    assert!(!check_wallet(&wallet, Some(&found), &[]).is_empty(), "no wallet holds data");
}

/// What programs keep beside money: a stake with the history that it is read by, a nonce, a table.
pub(crate) fn state(bytes: &[u8]) {
    let (which, data) = first(bytes);
    let found = |program: Address, data: &[u8]| Account {
        program,
        lamports: 1,
        executable: false,
        data: data.to_vec(),
    };
    match which % 3 {
        0 => {
            let (own, rest) = data.split_at(data.len().min(STAKE_BYTES));
            let read = StakeAccount::read(&found(stake::PROGRAM, own));
            let history = StakeHistory::read(&found(token::PROGRAM, rest)).unwrap_or_default();
            let Ok(account) = read else { return };
            assert_eq!(own.len(), STAKE_BYTES);
            let StakeAccount::Delegated(_, delegation) = &account else { return };
            for epoch in [0, delegation.from_epoch, delegation.until_epoch, 900, u64::MAX] {
                let Ok(state) = account.at(epoch, &history) else { continue };
                assert!(state.effective <= delegation.lamports, "{state:?} of {delegation:?}");
                assert!(state.deactivating <= state.effective, "{state:?}");
            }
        }
        1 => {
            let address = Address::new([7; 32]);
            if let Ok(nonce) = Nonce::read(address, &found(system::PROGRAM, data)) {
                assert!(data.len() >= 72 && nonce.address == address);
            }
            assert!(Nonce::read(address, &found(token::PROGRAM, data)).is_err());
        }
        _ => {
            let Some(table) = LookupTable::read(&found(lookup::PROGRAM, data)) else { return };
            assert_eq!(table.addresses.len() * 32 + 56, data.len());
            let usable = table.usable(Address::new([7; 32]), table.extended);
            assert!(usable.is_none(), "what was added in a slot cannot be used in it");
        }
    }
}

const STAKE_BYTES: usize = 200;

/// A payment link: read, written and read again it is the same.
pub(crate) fn link(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let read = match PayLink::parse(text) {
        Ok(read) => read,
        Err(error) => return assert_eq!(error.code(), Code::LinkMalformed),
    };
    let written = read.to_string();
    assert_eq!(PayLink::parse(&written).as_ref(), Ok(&read), "{text} becomes {written}");
    if let PayLink::Transfer(transfer) = read {
        for decimals in [0, 6, 9] {
            let minor = transfer.amount_minor(decimals).ok().flatten();
            assert!(minor.is_none() || transfer.amount.is_some());
        }
    }
}

/// Keys, addresses and lengths, all of the same bytes.
pub(crate) fn key(bytes: &[u8]) {
    if let Err(error) = Keypair::from_file(bytes) {
        assert_eq!(error.code(), Code::KeyMalformed);
        // A secret's numbers are in no error.
        assert!(!error.to_string().contains(','), "{error}");
    }
    if let Ok((length, rest)) = read_length(bytes) {
        assert_eq!([write_length(length).as_slice(), rest].concat(), bytes);
    }
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    if let Err(error) = Keypair::from_base58(text) {
        assert_eq!(error.code(), Code::KeyMalformed);
    }
    if let Ok(address) = Address::parse(text) {
        assert_eq!(address.to_string(), text);
    }
}
