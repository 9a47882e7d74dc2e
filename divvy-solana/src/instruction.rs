//! What a transaction tells programs to do: a program, the accounts it may touch, and bytes.
//!
//! The encoders are our own, a room for each program: each is a tag and a few little-endian
//! numbers, frozen for years, and held against the official crates in tests.

pub mod associated;
pub mod budget;
pub mod lookup;
pub mod memo;
pub mod metadata;
pub mod stake;
pub mod system;
pub mod token;

use sha2::{Digest as _, Sha256};

use crate::address::Address;
use crate::wire::Writer;

/// One order to one program.
///
/// ```
/// use divvy_solana::{Address, system};
///
/// let ann = Address::parse("ERcUwANyLGQuzwkEjq6uGC77dsJkREXqkvkAnohxPHEY")?;
/// let bob = Address::parse("FJX8uPkrYQgDiDti6XpKeYoXNnEx7vhTA6XAovkWuGXx")?;
/// let order = system::transfer(ann, bob, 1_000_000);
/// assert_eq!(order.program, system::PROGRAM);
/// assert!(order.accounts[0].signs && !order.accounts[1].signs);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data; programs of other people are called too"
)]
pub struct Instruction {
    /// Who is to do it.
    pub program: Address,
    /// What it may read and write, in the order that the program expects.
    pub accounts: Vec<Access>,
    /// What it is to do, as that program reads it.
    pub data: Vec<u8>,
}

/// An account that an instruction names, and what it may do with it.
///
/// ```
/// use divvy_solana::{Access, Address};
///
/// let address = Address::new([7; 32]);
/// let paying = Access::signing(address).written();
/// assert_eq!(paying, Access { address, signs: true, writes: true });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as the wire has it")]
pub struct Access {
    /// Which account.
    pub address: Address,
    /// Whether its key must have signed the transaction.
    pub signs: bool,
    /// Whether the program may change it.
    pub writes: bool,
}

impl Access {
    /// An account that is only read.
    #[must_use]
    pub const fn reading(address: Address) -> Self {
        Self { address, signs: false, writes: false }
    }

    /// An account that is changed.
    #[must_use]
    pub const fn writing(address: Address) -> Self {
        Self { address, signs: false, writes: true }
    }

    /// An account whose key agrees.
    #[must_use]
    pub const fn signing(address: Address) -> Self {
        Self { address, signs: true, writes: false }
    }

    /// The same, and it is changed.
    #[must_use]
    pub const fn written(self) -> Self {
        Self { writes: true, ..self }
    }
}

impl Instruction {
    /// The same with accounts that are only named, so that they lead to the transaction later: the
    /// references of Solana Pay.
    #[must_use]
    pub fn with_references(mut self, references: &[Address]) -> Self {
        self.accounts.extend(references.iter().copied().map(Access::reading));
        self
    }

    pub(crate) fn new(program: Address, accounts: Vec<Access>, data: Writer) -> Self {
        Self { program, accounts, data: data.done() }
    }
}

/// The eight bytes by which programs tell their instructions, accounts and events apart where they
/// are named: the beginning of a hash of the name, such as `global:initialize`.
///
/// ```
/// assert_eq!(divvy_solana::discriminator("global:initialize")[..2], [0xaf, 0xaf]);
/// ```
#[must_use]
pub fn discriminator(name: &str) -> [u8; 8] {
    let hash: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    hash.first_chunk::<8>().copied().unwrap_or_default()
}
