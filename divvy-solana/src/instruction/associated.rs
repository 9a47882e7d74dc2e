//! The program that gives each wallet one token account for each mint.

use crate::address::Address;
use crate::instruction::{Access, Instruction, system};
use crate::wire::Writer;

/// The associated token account program.
pub const PROGRAM: Address = Address::known("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// Makes the token account of a wallet, which costs the payer its rent.
///
/// ```
/// use divvy_solana::{Address, Derived, associated, token};
///
/// let [payer, wallet, mint] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
/// let account = Derived::token_account(&wallet, &mint, &token::PROGRAM)?.address;
/// let order = associated::Create { payer, wallet, mint, token_program: token::PROGRAM, account };
/// // Somebody may have been quicker: paying goes on all the same.
/// assert_eq!(order.idempotent().data, [1]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct Create {
    /// Who pays the rent, and signs.
    pub payer: Address,
    /// Whose account it becomes.
    pub wallet: Address,
    /// For which token.
    pub mint: Address,
    /// The program of that mint.
    pub token_program: Address,
    /// The account, by [`crate::Derived::token_account`]; any other is refused by the program.
    pub account: Address,
}

impl Create {
    /// Fails when the account is there.
    #[must_use]
    pub fn strict(&self) -> Instruction {
        self.order(0)
    }

    /// Does nothing when the account is there and belongs to the wallet; fails when it belongs to
    /// somebody else.
    #[must_use]
    pub fn idempotent(&self) -> Instruction {
        self.order(1)
    }

    fn order(&self, tag: u8) -> Instruction {
        let accounts = vec![
            Access::signing(self.payer).written(),
            Access::writing(self.account),
            Access::reading(self.wallet),
            Access::reading(self.mint),
            Access::reading(system::PROGRAM),
            Access::reading(self.token_program),
        ];
        Instruction::new(PROGRAM, accounts, Writer::default().byte(tag))
    }
}
