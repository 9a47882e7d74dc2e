//! How long a transaction may be taken: a recent block's hash, or a durable nonce.

use core::fmt;

use divvy_core::Error;
use sha2::{Digest as _, Sha256};

use crate::address::Address;

/// What ends a transaction's life: the hash of a recent block, or the value of a durable nonce.
///
/// With a blockhash it may land for 150 *blocks*, which is not a time and not a number of slots;
/// with a nonce's value until that nonce is advanced, however long it takes.
///
/// ```
/// use divvy_solana::Lifetime;
///
/// let block = Lifetime::parse("HAsLh7SbYiBZfAc7AELq8qQEssS78U3UcENXX11UweWr")?;
/// let nonce = block.nonce();
/// assert_eq!(nonce.to_string(), "FNsKkKzycyQVMLS1DN1agYBNKXK7kqu2mWQcF1QSrWWn");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lifetime([u8; 32]);

impl Lifetime {
    /// The lifetime with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads base58 of exactly 32 bytes.
    ///
    /// # Errors
    /// [`divvy_core::Code::AddressMalformed`] for every other text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Address::parse(text).map(|address| Self(*address.bytes()))
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The value that a nonce account takes when it is advanced in the block after this one.
    #[must_use]
    pub fn nonce(&self) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"DURABLE_NONCE");
        hash.update(self.0);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Address::new(self.0), f)
    }
}

impl fmt::Debug for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
