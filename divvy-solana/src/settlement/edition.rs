//! An edition: one token that nobody can make a second of, and that describes itself.

use divvy_core::Error;

use crate::address::Address;
use crate::derive::Derived;
use crate::instruction::{associated, metadata, system, token};
use crate::settlement::refused;
use crate::settlement::step::{Act, Order};

/// A token of which there is one, for ever: no decimals, a supply of one, nobody who could make
/// more, and its name in its own mint, as Token-2022 keeps it.
///
/// ```
/// use divvy_solana::{Address, Edition, Rent};
///
/// let [mint, authority, buyer] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
/// let edition = Edition {
///     mint,
///     authority,
///     buyer,
///     name: "Chapter 42".into(),
///     symbol: "CH42".into(),
///     uri: "https://example.org/42.json".into(),
/// };
/// // The rent is of what is there in the end, though the account begins smaller.
/// assert_eq!(edition.bytes(), 359);
/// assert_eq!(Rent { byte_lamports: 5_080 }.of(edition.bytes()), 2_473_960);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Edition {
    /// A fresh key, which signs once and is never needed again.
    pub mint: Address,
    /// Who makes it, and signs. They may mend its description later, and never make another.
    pub authority: Address,
    /// The wallet whose it becomes.
    pub buyer: Address,
    /// What people call it.
    pub name: String,
    /// A few letters.
    pub symbol: String,
    /// Where more is written about it.
    pub uri: String,
}

impl Edition {
    /// The buyer's account for it.
    ///
    /// # Errors
    /// As for [`Derived::token_account`].
    pub fn home(&self) -> Result<Address, Error> {
        Ok(self.derived()?.address)
    }

    /// How many bytes its mint has in the end.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let texts = [&self.name, &self.symbol, &self.uri];
        let texts = texts.map(|text| text.len().saturating_add(LENGTH_BYTES));
        let described = texts.into_iter().fold(DESCRIBED_BYTES, usize::saturating_add);
        BASE_BYTES.saturating_add(u64::try_from(described).unwrap_or(u64::MAX))
    }

    pub(super) fn derived(&self) -> Result<Derived, Error> {
        Derived::token_account(&self.buyer, &self.mint, &token::PROGRAM_2022)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if [&self.name, &self.symbol, &self.uri].iter().any(|text| text.is_empty()) {
            return Err(refused("an edition has a name, a symbol and a place: give all three"));
        }
        if [self.authority, self.buyer].contains(&self.mint) || !self.mint.is_on_curve() {
            return Err(refused("an edition's mint is a fresh key of its own: make one"));
        }
        Ok(())
    }

    /// The seven orders that make it. The account begins with room for what never changes, and
    /// with the lamports of its final size: its program adds the bytes of the description.
    pub(super) fn orders(&self, payer: Address, lamports: u64) -> Result<Vec<Order>, Error> {
        let Self { mint, authority, buyer, .. } = *self;
        let (program, account) = (token::PROGRAM_2022, self.home()?);
        let (space, owner) = (BASE_BYTES, program);
        let make = system::CreateAccount { payer, account: mint, lamports, space, owner };
        // Where the description is never changes; nobody may freeze what was bought.
        let point = token::initialize_metadata_pointer(mint, None, Some(mint));
        let begin = token::InitializeMint { program, mint, authority, freezer: None, decimals: 0 };
        let describe = metadata::Initialize {
            metadata: mint,
            update_authority: authority,
            mint,
            mint_authority: authority,
            name: self.name.clone(),
            symbol: self.symbol.clone(),
            uri: self.uri.clone(),
        };
        let home =
            associated::Create { payer, wallet: buyer, mint, token_program: program, account };
        let mint_one = token::MintTo { program, mint, account, authority, amount: 1 };
        let power = token::Power::Mint;
        let close = token::SetAuthority { program, account: mint, power, authority, next: None };
        let order = |act, instruction| Order { act, instruction };
        Ok(vec![
            order(Act::MakeMint, make.instruction()),
            order(Act::Point, point),
            order(Act::Begin, begin.instruction()),
            order(Act::Describe, describe.instruction()),
            order(Act::MakeHome, home.idempotent()),
            order(Act::Mint, mint_one.instruction()),
            order(Act::Close, close.instruction()),
        ])
    }
}

/// A mint filled up to where it says what it is, that word, and a piece of two addresses.
const BASE_BYTES: u64 = 165 + 1 + 4 + 64;

/// The head of a piece, two addresses, and a list of further fields, which is empty.
const DESCRIBED_BYTES: usize = 4 + 64 + 4;

/// In front of every text.
const LENGTH_BYTES: usize = 4;
