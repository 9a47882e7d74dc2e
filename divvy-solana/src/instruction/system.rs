//! The system program: lamports, new accounts, and durable nonces.

use divvy_core::Error;

use crate::address::Address;
use crate::instruction::{Access, Instruction};
use crate::wire::Writer;

/// The system program.
pub const PROGRAM: Address = Address::known("11111111111111111111111111111111");

/// How many bytes a nonce account has.
pub const NONCE_BYTES: u64 = 80;

/// Moves lamports from an account of the system program.
#[must_use]
pub fn transfer(from: Address, to: Address, lamports: u64) -> Instruction {
    let accounts = vec![Access::signing(from).written(), Access::writing(to)];
    Instruction::new(PROGRAM, accounts, tag(2).u64(lamports))
}

/// Makes an account at an address whose key signs too.
///
/// ```
/// use divvy_solana::{Address, system};
///
/// let [payer, account] = [1, 2].map(|byte| Address::new([byte; 32]));
/// let (space, owner) = (system::NONCE_BYTES, system::PROGRAM);
/// let order = system::CreateAccount { payer, account, lamports: 1_447_680, space, owner };
/// assert_eq!(order.instruction().data.len(), 4 + 8 + 8 + 32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct CreateAccount {
    /// Who pays, and signs.
    pub payer: Address,
    /// The account; it signs too.
    pub account: Address,
    /// What it is given, which must cover the rent of its bytes.
    pub lamports: u64,
    /// How many bytes it has.
    pub space: u64,
    /// The program that owns it.
    pub owner: Address,
}

impl CreateAccount {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let accounts =
            vec![Access::signing(self.payer).written(), Access::signing(self.account).written()];
        let data = tag(0).u64(self.lamports).u64(self.space).address(&self.owner);
        Instruction::new(PROGRAM, accounts, data)
    }
}

/// Makes an account at the address of [`Address::with_seed`]. It fails if somebody has put lamports
/// there, which is what makes it a fence: of two tries with the same seed one alone can land. The
/// seed must be a secret until then.
///
/// ```
/// use divvy_solana::{Address, system};
///
/// let payer = Address::new([1; 32]);
/// let fence = system::CreateAccountWithSeed {
///     payer,
///     base: payer,
///     seed: "3f9a…".into(),
///     lamports: 890_880,
///     space: 0,
///     owner: system::PROGRAM,
/// };
/// let made = Address::with_seed(&payer, "3f9a…", &system::PROGRAM)?;
/// assert_eq!(fence.instruction()?.accounts[1].address, made);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct CreateAccountWithSeed {
    /// Who pays, and signs.
    pub payer: Address,
    /// Whose address the new one follows from; it signs too.
    pub base: Address,
    /// What tells it from others of the same base: 32 bytes at most.
    pub seed: String,
    /// What it is given, which must cover the rent of its bytes.
    pub lamports: u64,
    /// How many bytes it has.
    pub space: u64,
    /// The program that owns it.
    pub owner: Address,
}

impl CreateAccountWithSeed {
    /// The order as bytes.
    ///
    /// # Errors
    /// As for [`Address::with_seed`].
    pub fn instruction(&self) -> Result<Instruction, Error> {
        let made = Address::with_seed(&self.base, &self.seed, &self.owner)?;
        let mut accounts = vec![Access::signing(self.payer).written(), Access::writing(made)];
        if self.base != self.payer {
            accounts.push(Access::signing(self.base));
        }
        let data = text(tag(3).address(&self.base), &self.seed);
        let data = data.u64(self.lamports).u64(self.space).address(&self.owner);
        Ok(Instruction::new(PROGRAM, accounts, data))
    }
}

/// Moves lamports out of an account that was made with a seed, such as a fence that has served.
///
/// ```
/// use divvy_solana::{Address, system};
///
/// let [base, to] = [1, 2].map(|byte| Address::new([byte; 32]));
/// let (seed, owner) = ("3f9a…".to_owned(), system::PROGRAM);
/// let back = system::TransferWithSeed { base, seed, owner, to, lamports: 890_880 };
/// assert!(back.instruction()?.accounts[1].signs);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct TransferWithSeed {
    /// Whose address the account follows from; it signs.
    pub base: Address,
    /// The seed that it was made with.
    pub seed: String,
    /// The program that owns it.
    pub owner: Address,
    /// Where the lamports go.
    pub to: Address,
    /// How many.
    pub lamports: u64,
}

impl TransferWithSeed {
    /// The order as bytes.
    ///
    /// # Errors
    /// As for [`Address::with_seed`].
    pub fn instruction(&self) -> Result<Instruction, Error> {
        let from = Address::with_seed(&self.base, &self.seed, &self.owner)?;
        let accounts =
            vec![Access::writing(from), Access::signing(self.base), Access::writing(self.to)];
        let data = text(tag(11).u64(self.lamports), &self.seed).address(&self.owner);
        Ok(Instruction::new(PROGRAM, accounts, data))
    }
}

/// Makes a nonce of an account that was created with [`NONCE_BYTES`].
#[must_use]
pub fn initialize_nonce(nonce: Address, authority: Address) -> Instruction {
    let accounts =
        vec![Access::writing(nonce), Access::reading(RECENT_HASHES), Access::reading(RENT)];
    Instruction::new(PROGRAM, accounts, tag(6).address(&authority))
}

/// Uses a nonce up. It must be the first instruction of the transaction whose lifetime it is.
#[must_use]
pub fn advance_nonce(nonce: Address, authority: Address) -> Instruction {
    let accounts =
        vec![Access::writing(nonce), Access::reading(RECENT_HASHES), Access::signing(authority)];
    Instruction::new(PROGRAM, accounts, tag(4))
}

/// Hands a nonce over to another key.
#[must_use]
pub fn authorize_nonce(nonce: Address, authority: Address, next: Address) -> Instruction {
    let accounts = vec![Access::writing(nonce), Access::signing(authority)];
    Instruction::new(PROGRAM, accounts, tag(7).address(&next))
}

/// Moves lamports out of a nonce account; all of them close it.
///
/// ```
/// use divvy_solana::{Address, system};
///
/// let [nonce, authority, to] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
/// let order = system::WithdrawNonce { nonce, authority, to, lamports: 5 }.instruction();
/// assert_eq!(order.accounts.len(), 5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct WithdrawNonce {
    /// The nonce account.
    pub nonce: Address,
    /// Its authority, who signs.
    pub authority: Address,
    /// Where the lamports go.
    pub to: Address,
    /// How many.
    pub lamports: u64,
}

impl WithdrawNonce {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let accounts = vec![
            Access::writing(self.nonce),
            Access::writing(self.to),
            Access::reading(RECENT_HASHES),
            Access::reading(RENT),
            Access::signing(self.authority),
        ];
        Instruction::new(PROGRAM, accounts, tag(5).u64(self.lamports))
    }
}

/// Whether an instruction uses a nonce up, which makes its first account the transaction's clock.
pub(crate) fn is_advance_nonce(order: &Instruction) -> bool {
    order.program == PROGRAM && order.data.starts_with(&tag(4).done())
}

fn tag(number: u32) -> Writer {
    Writer::default().u32(number)
}

/// Text with a length of eight bytes in front.
fn text(out: Writer, text: &str) -> Writer {
    out.u64(u64::try_from(text.len()).unwrap_or(u64::MAX)).bytes(text.as_bytes())
}

const RECENT_HASHES: Address = Address::known("SysvarRecentB1ockHashes11111111111111111111");

/// Where the chain keeps the price of bytes.
pub(crate) const RENT: Address = Address::known("SysvarRent111111111111111111111111111111111");
