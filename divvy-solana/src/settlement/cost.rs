//! What a settlement costs its payer, before anything is signed.

use crate::address::Address;
use crate::tariff::TOKEN_BYTES;

/// What the chain asks to be held in an account for its bytes. It is lowered and raised by votes,
/// so it is asked for and never remembered.
///
/// ```
/// use divvy_solana::Rent;
///
/// assert_eq!(Rent { byte_lamports: 6_960 }.of(165), 2_039_280);
/// assert_eq!(Rent::of_samples(650_240, 1_488_440), Some(Rent { byte_lamports: 5_080 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as it was read")]
pub struct Rent {
    /// Lamports for a byte.
    pub byte_lamports: u64,
}

impl Rent {
    /// What an account with so many bytes must hold. The chain counts 128 bytes more for each.
    #[must_use]
    pub const fn of(&self, bytes: u64) -> u64 {
        bytes.saturating_add(HEAD_BYTES).saturating_mul(self.byte_lamports)
    }

    /// The price by which an empty account and a token account must hold so much; nothing when
    /// no price leads to both, for then the chain reckons otherwise by now.
    #[must_use]
    pub fn of_samples(empty: u64, token_account: u64) -> Option<Self> {
        let rent = Self { byte_lamports: empty.checked_div(HEAD_BYTES)? };
        (rent.of(0) == empty && rent.of(TOKEN_BYTES) == token_account).then_some(rent)
    }
}

/// The rent of one account that is made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rented {
    /// Whose it is: the edition's, the buyer's, or a payee's, by name.
    pub what: String,
    /// Which account.
    pub account: Address,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it holds for them.
    pub lamports: u64,
}

/// What a settlement costs its payer, in lamports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Costs {
    /// For its signatures.
    pub signatures: u64,
    /// What it offers beyond them.
    pub priority: u64,
    /// For each account that it makes.
    pub rents: Vec<Rented>,
}

impl Costs {
    /// What it costs even when it fails.
    #[must_use]
    pub const fn fee(&self) -> u64 {
        self.signatures.saturating_add(self.priority)
    }

    /// What all accounts together hold.
    #[must_use]
    pub fn rent(&self) -> u64 {
        self.rents.iter().map(|rented| rented.lamports).fold(0, u64::saturating_add)
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.fee().saturating_add(self.rent())
    }
}

const HEAD_BYTES: u64 = 128;
