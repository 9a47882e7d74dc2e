//! Accounts as a node shows them, and what token programs keep in theirs.

mod extension;
mod table;

pub(crate) use extension::{Extension, kind};
pub use table::LookupTable;

use crate::address::Address;
use crate::derive::TokenAccounts;
use crate::wire::Reader;

/// An account, as a node shows it at one moment.
///
/// ```
/// use divvy_solana::{Account, Presence, system};
///
/// // Anyone may send lamports to an address before a token account is made there.
/// let (program, data) = (system::PROGRAM, vec![]);
/// let found = Account { program, lamports: 1, executable: false, data };
/// assert_eq!(Presence::of(Some(&found)), Presence::Prefunded);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as it was read")]
pub struct Account {
    /// The program that owns it, and alone may change it.
    pub program: Address,
    /// What it holds.
    pub lamports: u64,
    /// Whether it is a program itself.
    pub executable: bool,
    /// What its program keeps there.
    pub data: Vec<u8>,
}

/// Whether a token account can be paid at once, or must be made first.
///
/// ```
/// use divvy_solana::Presence;
///
/// assert_eq!(Presence::of(None), Presence::Missing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Presence {
    /// Nothing is there: it must be made.
    Missing,
    /// Lamports are there, and nothing else: it must be made, which takes two steps more.
    Prefunded,
    /// Something is there.
    There,
}

impl Presence {
    /// What a node's answer for an address says.
    #[must_use]
    pub fn of(found: Option<&Account>) -> Self {
        match found {
            None => Self::Missing,
            Some(found) if found.lamports == 0 => Self::Missing,
            Some(found) if found.is_plain() => Self::Prefunded,
            Some(_) => Self::There,
        }
    }
}

impl Account {
    /// Whether it holds lamports alone, as a wallet does.
    pub(crate) fn is_plain(&self) -> bool {
        self.program == crate::system::PROGRAM && self.data.is_empty() && !self.executable
    }
}

/// What a token account says of itself.
///
/// ```
/// use divvy_solana::{Account, TokenAccount, token};
///
/// let (program, lamports, executable) = (token::PROGRAM, 2_039_280, false);
/// let data = [vec![1; 32], vec![2; 32], vec![0; 44], vec![1], vec![0; 56]].concat();
/// let account = Account { program, lamports, executable, data };
/// assert_eq!(TokenAccount::read(&account).map(|read| read.amount), Some(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as it was read")]
pub struct TokenAccount {
    /// Which token it holds.
    pub mint: Address,
    /// Who may spend from it.
    pub owner: Address,
    /// How many, in the token's smallest unit.
    pub amount: u64,
    /// Whether it can be used.
    pub state: TokenState,
}

/// Whether a token account can be used.
///
/// ```
/// use divvy_solana::TokenState;
///
/// assert_ne!(TokenState::Usable, TokenState::Frozen);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenState {
    /// It was never finished.
    Unready,
    /// Money comes and goes.
    Usable,
    /// Nothing comes or goes until the issuer thaws it.
    Frozen,
}

/// What a mint says of its token.
///
/// ```
/// use divvy_solana::{Account, Mint, token};
///
/// let data = [vec![0; 44], vec![6, 1], vec![0; 36]].concat();
/// let (program, executable) = (token::PROGRAM, false);
/// let mint = Mint::read(&Account { program, lamports: 1_461_600, executable, data });
/// assert_eq!(mint.map(|mint| mint.decimals), Some(6));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as it was read")]
pub struct Mint {
    /// How many there are, in the token's smallest unit.
    pub supply: u64,
    /// How many decimals a token has.
    pub decimals: u8,
    /// Who may freeze accounts, if anyone.
    pub freezer: Option<Address>,
}

impl TokenAccount {
    /// Reads it; nothing when this is no token account of a token program.
    #[must_use]
    pub fn read(account: &Account) -> Option<Self> {
        read_token(account).map(|(read, _)| read)
    }
}

impl Mint {
    /// Reads it; nothing when this is no mint of a token program, or one that was never finished.
    #[must_use]
    pub fn read(account: &Account) -> Option<Self> {
        read_mint(account).map(|(read, _)| read)
    }
}

/// A token account and its extensions.
pub(crate) fn read_token(account: &Account) -> Option<(TokenAccount, Vec<Extension<'_>>)> {
    let (base, extensions) = extension::split(account, TOKEN_BYTES, extension::TOKEN_KIND)?;
    let mut reader = Reader::new(base);
    let (mint, owner) = (reader.address().ok()?, reader.address().ok()?);
    let amount = reader.u64().ok()?;
    perhaps(&mut reader, 32)?;
    let state = match reader.byte().ok()? {
        0 => TokenState::Unready,
        1 => TokenState::Usable,
        2 => TokenState::Frozen,
        _ => return None,
    };
    perhaps(&mut reader, 8)?;
    reader.u64().ok()?;
    perhaps(&mut reader, 32)?;
    Some((TokenAccount { mint, owner, amount, state }, extensions))
}

/// A mint and its extensions.
pub(crate) fn read_mint(account: &Account) -> Option<(Mint, Vec<Extension<'_>>)> {
    let (base, extensions) = extension::split(account, MINT_BYTES, extension::MINT_KIND)?;
    let mut reader = Reader::new(base);
    perhaps(&mut reader, 32)?;
    let (supply, decimals) = (reader.u64().ok()?, reader.byte().ok()?);
    if reader.byte().ok()? != 1 {
        return None;
    }
    let freezer = perhaps(&mut reader, 32)?;
    let freezer = freezer.and_then(|bytes| bytes.first_chunk::<32>().copied()).map(Address::new);
    Some((Mint { supply, decimals, freezer }, extensions))
}

/// Whether a program keeps tokens or mints there.
pub(crate) fn is_of_tokens(account: &Account) -> bool {
    TokenAccounts::is_token_program(&account.program)
}

/// A value that may be absent: a word that says so, and its bytes in any case.
fn perhaps<'a>(reader: &mut Reader<'a>, bytes: usize) -> Option<Option<&'a [u8]>> {
    let there = reader.u32().ok()?;
    let value = reader.take(bytes).ok()?;
    match there {
        0 => Some(None),
        1 => Some(Some(value)),
        _ => None,
    }
}

const TOKEN_BYTES: usize = 165;
const MINT_BYTES: usize = 82;
