//! Secret keys: read from the file that wallets write, wiped when dropped, never shown.
//!
//! A key that must not leave its keeper (a device, a key store of a cloud) needs none of this: ask
//! it for a signature over [`crate::Transaction::to_sign`], and [`crate::Transaction::attach`] it.

use core::fmt;

use divvy_core::{Code, Error};
use ed25519_dalek::{Signer as _, SigningKey};
use five8::decode_64;
use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::address::Address;
use crate::signature::Signature;

/// A secret key and its address.
///
/// It is wiped from memory when it is dropped; no error, log or debug text holds the secret.
///
/// ```
/// use divvy_solana::Keypair;
///
/// let key = Keypair::from_seed(&[7; 32]);
/// assert_eq!(format!("{key:?}"), "Keypair(GmaDrppBC7P5ARKV8g3djiwP89vz1jLK23V2GBjuAEGB)");
/// # Ok::<(), divvy_core::Error>(())
/// ```
pub struct Keypair(SigningKey);

impl Keypair {
    /// The key of 32 secret bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads a key file: a JSON array of 64 numbers, the seed and then the public key.
    ///
    /// ```
    /// use divvy_core::Code;
    /// use divvy_solana::Keypair;
    ///
    /// // A seed alone is refused: without the public half nobody sees that a digit is wrong.
    /// let seed = format!("{:?}", [7; 32]);
    /// assert_eq!(Keypair::from_file(seed.as_bytes()).unwrap_err().code(), Code::KeyMalformed);
    /// ```
    ///
    /// # Errors
    /// [`Code::KeyMalformed`] for anything else, and when the halves do not match. The error says
    /// what is wrong and never what is there.
    pub fn from_file(json: &[u8]) -> Result<Self, Error> {
        let mut read = serde_json::Deserializer::from_slice(json);
        let bytes = (&mut read).deserialize_seq(SixtyFour);
        let bytes = bytes.and_then(|bytes| read.end().map(|()| bytes));
        let bytes = bytes.map_err(|_| malformed("a key file is a JSON array of 64 bytes"))?;
        Self::of_halves(&bytes)
    }

    /// Reads base58 of the same 64 bytes, as wallets export a key.
    ///
    /// # Errors
    /// As for [`Keypair::from_file`].
    pub fn from_base58(text: &str) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 64]);
        decode_64(text, &mut bytes)
            .map_err(|_| malformed("an exported key is base58 of 64 bytes"))?;
        Self::of_halves(&bytes)
    }

    /// Its address: the public half.
    #[must_use]
    pub fn address(&self) -> Address {
        Address::new(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        Signature::new(self.0.sign(bytes).to_bytes())
    }

    /// Seed and public key; the second must be that of the first.
    fn of_halves(bytes: &[u8; 64]) -> Result<Self, Error> {
        let halves = SigningKey::from_keypair_bytes(bytes);
        halves.map(Self).map_err(|_| malformed("its public half is not that of its secret half"))
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({})", self.address())
    }
}

/// Reads 64 bytes into place, so that no copy of a secret is left behind.
struct SixtyFour;

impl<'de> Visitor<'de> for SixtyFour {
    type Value = Zeroizing<[u8; 64]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64 bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut bytes = Zeroizing::new([0; 64]);
        for byte in bytes.iter_mut() {
            *byte = items.next_element()?.ok_or_else(|| A::Error::custom("too few"))?;
        }
        match items.next_element::<u8>()? {
            None => Ok(bytes),
            Some(_) => Err(A::Error::custom("too many")),
        }
    }
}

fn malformed(what: &str) -> Error {
    Error::new(Code::KeyMalformed, format!("no Solana key: {what}; ask its owner for the file"))
}
