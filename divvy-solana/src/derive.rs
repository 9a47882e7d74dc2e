//! Addresses that follow from others: of programs, of token accounts, and with a seed.

use std::collections::HashMap;

use divvy_core::{Code, Error};
use sha2::{Digest as _, Sha256};

use crate::address::Address;
use crate::instruction::{associated, lookup, token};

/// An address off the curve that a program owns, and the byte that put it there.
///
/// The bump says what creating the account costs: the program searches downward from 255.
///
/// ```
/// use divvy_solana::{Address, Derived, token};
///
/// let usdc = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")?;
/// let wallet = Address::parse("2BiaZk8iutMYsht5CEtZHBsrZ2o9xkKk1ZDcTGRHhKGa")?;
/// let account = Derived::token_account(&wallet, &usdc, &token::PROGRAM)?;
/// assert_eq!(account.address.to_string(), "H6X7852qALy28F6zGXKsFXwuFDD8NLuT1tpkM66DukYs");
/// assert_eq!(account.bump, 255);
/// assert!(!account.address.is_on_curve());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, to be kept and compared")]
pub struct Derived {
    /// The address.
    pub address: Address,
    /// The highest byte that leads off the curve.
    pub bump: u8,
}

impl Derived {
    /// The address that a program derives from seeds: at most 15 of them, of at most 32 bytes.
    ///
    /// # Errors
    /// [`Code::AddressMalformed`] for more or longer seeds, or if no byte leads off the curve.
    pub fn find(program: &Address, seeds: &[&[u8]]) -> Result<Self, Error> {
        let fit = seeds.len() < SEEDS_MAX && seeds.iter().all(|seed| seed.len() <= SEED_BYTES_MAX);
        let mut base = Sha256::new();
        seeds.iter().for_each(|seed| base.update(seed));
        let found = (0..=u8::MAX).rev().filter(|_| fit).find_map(|bump| {
            let mut hash = base.clone();
            hash.update([bump]);
            hash.update(program.bytes());
            hash.update(MARKER);
            let address = Address::new(hash.finalize().into());
            (!address.is_on_curve()).then_some(Self { address, bump })
        });
        found.ok_or_else(|| {
            let detail = "no address follows from these seeds: use at most 15, of 32 bytes each";
            Error::new(Code::AddressMalformed, detail)
        })
    }

    /// The token account that belongs to a wallet, for a mint of a token program. A mint of
    /// Token-2022 has other accounts than one of the classic program.
    ///
    /// It takes several hashes and tests of the curve, five times the work of a signature: keep
    /// what was found, or ask [`TokenAccounts`].
    ///
    /// # Errors
    /// [`Code::AddressMalformed`] if no byte leads off the curve, which nobody has ever seen.
    pub fn token_account(
        wallet: &Address,
        mint: &Address,
        token_program: &Address,
    ) -> Result<Self, Error> {
        let seeds = [wallet.bytes().as_slice(), token_program.bytes(), mint.bytes()];
        Self::find(&associated::PROGRAM, &seeds)
    }

    /// The lookup table that an authority creates with a recent slot.
    ///
    /// # Errors
    /// As for [`Derived::token_account`].
    pub fn lookup_table(authority: &Address, slot: u64) -> Result<Self, Error> {
        let seeds = [authority.bytes().as_slice(), &slot.to_le_bytes()];
        Self::find(&lookup::PROGRAM, &seeds)
    }
}

impl Address {
    /// The address that `CreateAccountWithSeed` makes of a base, a seed and the program that will
    /// own it. The base signs for it.
    ///
    /// # Errors
    /// [`Code::AddressMalformed`] for a seed over 32 bytes, and for an owner that ends as derived
    /// addresses are made, which could imitate one.
    pub fn with_seed(base: &Self, seed: &str, owner: &Self) -> Result<Self, Error> {
        if seed.len() > SEED_BYTES_MAX || owner.bytes().ends_with(MARKER) {
            let detail = "an account's seed has 32 bytes at most, and its owner is a program";
            return Err(Error::new(Code::AddressMalformed, detail));
        }
        let mut hash = Sha256::new();
        hash.update(base.bytes());
        hash.update(seed.as_bytes());
        hash.update(owner.bytes());
        Ok(Self::new(hash.finalize().into()))
    }
}

/// The token accounts of wallets for one mint, each derived once.
///
/// ```
/// use divvy_solana::{Address, TokenAccounts, token};
///
/// let usdc = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")?;
/// let wallet = Address::parse("2BiaZk8iutMYsht5CEtZHBsrZ2o9xkKk1ZDcTGRHhKGa")?;
/// let mut accounts = TokenAccounts::new(usdc, token::PROGRAM);
/// let first = accounts.of(&wallet)?;
/// // The second time it is looked up.
/// assert_eq!(accounts.of(&wallet)?, first);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenAccounts {
    mint: Address,
    token_program: Address,
    known: HashMap<Address, Derived>,
}

impl TokenAccounts {
    /// Knows nobody yet.
    #[must_use]
    pub fn new(mint: Address, token_program: Address) -> Self {
        Self { mint, token_program, known: HashMap::new() }
    }

    /// The token account of a wallet.
    ///
    /// # Errors
    /// As for [`Derived::token_account`].
    pub fn of(&mut self, wallet: &Address) -> Result<Derived, Error> {
        if let Some(known) = self.known.get(wallet) {
            return Ok(*known);
        }
        let derived = Derived::token_account(wallet, &self.mint, &self.token_program)?;
        self.known.insert(*wallet, derived);
        Ok(derived)
    }

    /// Takes in what an earlier run had derived and kept; it is believed.
    pub fn keep(&mut self, wallet: Address, derived: Derived) {
        self.known.insert(wallet, derived);
    }

    /// Whether this is a program that token accounts belong to.
    #[must_use]
    pub fn is_token_program(program: &Address) -> bool {
        [token::PROGRAM, token::PROGRAM_2022].contains(program)
    }
}

/// The bump counts as one.
const SEEDS_MAX: usize = 16;

const SEED_BYTES_MAX: usize = 32;

/// What derived addresses are hashed with, so that no other hash is one.
const MARKER: &[u8] = b"ProgramDerivedAddress";
