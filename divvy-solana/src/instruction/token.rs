//! The token programs, classic and Token-2022: they read the same orders.

use crate::address::Address;
use crate::instruction::{Access, Instruction};
use crate::wire::Writer;

/// The classic token program, which USDC lives on.
pub const PROGRAM: Address = Address::known("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// Token-2022, whose mints may have extensions.
pub const PROGRAM_2022: Address = Address::known("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// Moves tokens between two token accounts. The program compares mint and decimals, so money never
/// goes to an account of another token.
///
/// ```
/// use divvy_solana::{Address, token};
///
/// let [source, mint, destination, owner] = [1, 2, 3, 4].map(|byte| Address::new([byte; 32]));
/// let order = token::TransferChecked {
///     program: token::PROGRAM,
///     source,
///     mint,
///     destination,
///     owner,
///     cosigners: vec![],
///     amount: 1_000_000,
///     decimals: 6,
/// };
/// assert_eq!(order.instruction().data, [12, 0x40, 0x42, 0x0f, 0, 0, 0, 0, 0, 6]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct TransferChecked {
    /// Which token program.
    pub program: Address,
    /// The token account that pays.
    pub source: Address,
    /// What kind of token.
    pub mint: Address,
    /// The token account that is paid; never a wallet.
    pub destination: Address,
    /// Who owns the source, and signs, unless it is a multisig account.
    pub owner: Address,
    /// Who signs for an owner that is a multisig account; nobody otherwise.
    pub cosigners: Vec<Address>,
    /// In the token's smallest unit.
    pub amount: u64,
    /// Those of the mint.
    pub decimals: u8,
}

impl TransferChecked {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let mut accounts = vec![
            Access::writing(self.source),
            Access::reading(self.mint),
            Access::writing(self.destination),
        ];
        accounts.extend(signers(self.owner, &self.cosigners));
        let data = tag(12).u64(self.amount).byte(self.decimals);
        Instruction::new(self.program, accounts, data)
    }
}

/// Makes a mint of an account that has the bytes of one.
///
/// ```
/// use divvy_solana::{Address, token};
///
/// let [mint, authority] = [1, 2].map(|byte| Address::new([byte; 32]));
/// let (program, decimals, freezer) = (token::PROGRAM, 0, None);
/// let order = token::InitializeMint { program, mint, authority, freezer, decimals };
/// assert_eq!(order.instruction().data.len(), 1 + 1 + 32 + 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct InitializeMint {
    /// Which token program.
    pub program: Address,
    /// The mint.
    pub mint: Address,
    /// Who may make tokens.
    pub authority: Address,
    /// Who may freeze accounts, if anyone.
    pub freezer: Option<Address>,
    /// How many decimals a token has.
    pub decimals: u8,
}

impl InitializeMint {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let data = tag(20).byte(self.decimals).address(&self.authority);
        let data = perhaps(data, self.freezer.as_ref());
        Instruction::new(self.program, vec![Access::writing(self.mint)], data)
    }
}

/// Makes tokens.
///
/// ```
/// use divvy_solana::{Address, token};
///
/// let [mint, account, authority] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
/// let program = token::PROGRAM_2022;
/// let order = token::MintTo { program, mint, account, authority, amount: 1 };
/// assert_eq!(order.instruction().data, [7, 1, 0, 0, 0, 0, 0, 0, 0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct MintTo {
    /// Which token program.
    pub program: Address,
    /// The mint.
    pub mint: Address,
    /// The token account that is given them.
    pub account: Address,
    /// Who may make tokens, and signs.
    pub authority: Address,
    /// In the token's smallest unit.
    pub amount: u64,
}

impl MintTo {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let accounts = vec![
            Access::writing(self.mint),
            Access::writing(self.account),
            Access::signing(self.authority),
        ];
        Instruction::new(self.program, accounts, tag(7).u64(self.amount))
    }
}

/// What an authority of a mint or of a token account may do.
///
/// ```
/// use divvy_solana::token::Power;
///
/// assert_ne!(Power::Mint, Power::Freeze);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Power {
    /// Make tokens.
    Mint,
    /// Freeze accounts.
    Freeze,
    /// Own the account.
    Own,
    /// Close the account.
    Close,
}

/// Hands a power over, or gives it up for ever.
///
/// ```
/// use divvy_solana::{Address, token};
///
/// let [account, authority] = [1, 2].map(|byte| Address::new([byte; 32]));
/// // Nobody may make more of it.
/// let (program, power, next) = (token::PROGRAM_2022, token::Power::Mint, None);
/// let order = token::SetAuthority { program, account, power, authority, next };
/// assert_eq!(order.instruction().data, [6, 0, 0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct SetAuthority {
    /// Which token program.
    pub program: Address,
    /// The mint or token account.
    pub account: Address,
    /// Which power.
    pub power: Power,
    /// Who has it, and signs.
    pub authority: Address,
    /// Who has it from now on; nobody means never again.
    pub next: Option<Address>,
}

impl SetAuthority {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let accounts = vec![Access::writing(self.account), Access::signing(self.authority)];
        let power = match self.power {
            Power::Mint => 0,
            Power::Freeze => 1,
            Power::Own => 2,
            Power::Close => 3,
        };
        let data = perhaps(tag(6).byte(power), self.next.as_ref());
        Instruction::new(self.program, accounts, data)
    }
}

/// Says where a mint's description is: in another account, or in the mint itself. Before the mint
/// is initialized, and Token-2022 alone.
#[must_use]
pub fn initialize_metadata_pointer(
    mint: Address,
    authority: Option<Address>,
    metadata: Option<Address>,
) -> Instruction {
    // Nobody is written as zeros here, unlike above.
    let zeros = Address::new([0; 32]);
    let data = tag(39).byte(0);
    let data = data.address(&authority.unwrap_or(zeros)).address(&metadata.unwrap_or(zeros));
    Instruction::new(PROGRAM_2022, vec![Access::writing(mint)], data)
}

fn tag(number: u8) -> Writer {
    Writer::default().byte(number)
}

/// An address, or that there is none.
fn perhaps(out: Writer, address: Option<&Address>) -> Writer {
    match address {
        Some(address) => out.byte(1).address(address),
        None => out.byte(0),
    }
}

/// An owner who signs, or one that is a multisig account and those who sign for it.
fn signers(owner: Address, cosigners: &[Address]) -> impl Iterator<Item = Access> {
    let owner = if cosigners.is_empty() { Access::signing(owner) } else { Access::reading(owner) };
    core::iter::once(owner).chain(cosigners.iter().copied().map(Access::signing))
}
