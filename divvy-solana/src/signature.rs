//! Signatures. The first one of a transaction is its name, known before it is sent.

use core::fmt;

use divvy_core::{Code, Error};
use ed25519_dalek::VerifyingKey;
use five8::{BASE58_ENCODED_64_MAX_LEN, decode_64, encode_64};

use crate::address::{Address, write_ascii};

/// An ed25519 signature over the bytes of a message.
///
/// ```
/// use divvy_solana::{Keypair, Signature};
///
/// let key = Keypair::from_seed(&[7; 32]);
/// let signature = key.sign(b"pay them");
/// assert!(signature.is_of(&key.address(), b"pay them"));
/// assert!(!signature.is_of(&key.address(), b"pay me"));
/// assert_eq!(Signature::parse(&signature.to_string())?, signature);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// What stands where nobody has signed yet: 64 zero bytes.
    pub const ABSENT: Self = Self([0; 64]);

    /// The signature with these bytes, as a key store or a device gives them.
    #[must_use]
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Reads base58 of exactly 64 bytes.
    ///
    /// # Errors
    /// [`Code::WireMalformed`] for every other text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 64];
        decode_64(text, &mut bytes).map_err(|_| {
            Error::new(Code::WireMalformed, "a signature is base58 of 64 bytes: copy it whole")
        })?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Whether nobody has signed yet.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        *self == Self::ABSENT
    }

    /// Whether the key of this address signed these bytes. Signatures in a second form, and those
    /// of keys that anyone could sign for, do not count, as on the network.
    #[must_use]
    pub fn is_of(&self, signer: &Address, bytes: &[u8]) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(signer.bytes()) else { return false };
        key.verify_strict(bytes, &ed25519_dalek::Signature::from_bytes(&self.0)).is_ok()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; BASE58_ENCODED_64_MAX_LEN];
        let length = encode_64(&self.0, &mut text);
        write_ascii(f, text.get(..usize::from(length)))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
