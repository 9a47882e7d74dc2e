//! The description of a token inside its own mint, as Token-2022 keeps it.

use crate::address::Address;
use crate::instruction::token::PROGRAM_2022;
use crate::instruction::{Access, Instruction, discriminator};
use crate::wire::Writer;

/// Writes a token's name, symbol and the place of its picture into its mint, which must be
/// initialized and have the lamports for its final size; the bytes are added by the program.
///
/// ```
/// use divvy_solana::{Address, metadata};
///
/// let [mint, authority] = [1, 2].map(|byte| Address::new([byte; 32]));
/// let order = metadata::Initialize {
///     metadata: mint,
///     update_authority: authority,
///     mint,
///     mint_authority: authority,
///     name: "Chapter 42".into(),
///     symbol: "CH42".into(),
///     uri: "https://example.org/42.json".into(),
/// };
/// assert_eq!(order.instruction().data[..2], [0xd2, 0xe1]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct Initialize {
    /// The account that holds the description: the mint itself, mostly.
    pub metadata: Address,
    /// Who may change it later.
    pub update_authority: Address,
    /// The mint.
    pub mint: Address,
    /// Who may make tokens, and signs.
    pub mint_authority: Address,
    /// What people call it.
    pub name: String,
    /// A few letters.
    pub symbol: String,
    /// Where more is written about it.
    pub uri: String,
}

impl Initialize {
    /// The order as bytes.
    #[must_use]
    pub fn instruction(&self) -> Instruction {
        let accounts = vec![
            Access::writing(self.metadata),
            Access::reading(self.update_authority),
            Access::reading(self.mint),
            Access::signing(self.mint_authority),
        ];
        let tag = discriminator("spl_token_metadata_interface:initialize_account");
        let data = Writer::default().bytes(&tag);
        let data = [&self.name, &self.symbol, &self.uri].into_iter().fold(data, |data, text| {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            data.u32(length).bytes(text.as_bytes())
        });
        Instruction::new(PROGRAM_2022, accounts, data)
    }
}
