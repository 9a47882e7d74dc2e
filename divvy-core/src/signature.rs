//! Ed25519 signatures: who said something, checked by anyone who has the key.

use core::cell::RefCell;
use core::fmt;
use std::collections::HashSet;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use minicbor::bytes::ByteArray;
use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Code, Error};
use crate::fact::Hash;

/// The public half of an ed25519 key, written as 64 hexadecimal digits.
///
/// ```
/// use divvy_core::{Hash, PublicKey, SecretKey};
///
/// let key = SecretKey::new(&[7; 32]);
/// let (public, digest) = (key.public(), Hash::of(b"pay them"));
/// assert!(public.has_signed(&digest, &key.sign(&digest)));
/// assert!(!public.has_signed(&Hash::of(b"pay me"), &key.sign(&digest)));
/// assert_eq!(PublicKey::parse(&public.to_string())?, public);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// An ed25519 signature over a [`struct@Hash`], written as 128 hexadecimal digits.
///
/// ```
/// use divvy_core::{Hash, SecretKey};
///
/// // The same key over the same hash signs the same: nothing is drawn.
/// let (key, digest) = (SecretKey::new(&[7; 32]), Hash::of(b"pay them"));
/// assert_eq!(key.sign(&digest), key.sign(&digest));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// The secret half of an ed25519 key. It is wiped when it is dropped, and never shown.
///
/// ```
/// use divvy_core::SecretKey;
///
/// assert_eq!(format!("{:?}", SecretKey::new(&[7; 32])), "SecretKey");
/// ```
pub struct SecretKey(SigningKey);

impl PublicKey {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for anything else, and for what is no key that could sign.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let key = Hash::parse(text).map(|bytes| Self(*bytes.as_bytes()));
        key.filter(Self::is_strong).ok_or_else(|| {
            let detail = "a public key is 64 hexadecimal digits of an ed25519 key: copy it whole";
            Error::new(Code::InputMalformed, detail)
        })
    }

    /// Whether this key signed a hash. Signatures that can be had without the secret, or in a
    /// second form, do not count.
    #[must_use]
    pub fn has_signed(&self, digest: &Hash, signature: &Signature) -> bool {
        let said = Said::Signed(self.0, *digest.as_bytes(), signature.0);
        holds(said, || {
            let Ok(key) = VerifyingKey::from_bytes(&self.0) else { return false };
            let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
            key.verify_strict(digest.as_bytes(), &signature).is_ok()
        })
    }

    /// Its bytes.
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether only a secret can sign for it.
    pub(crate) fn is_strong(&self) -> bool {
        holds(Said::Strong(self.0), || {
            VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
        })
    }
}

/// What was found true of a key, to the last bit of what it was found of.
#[derive(PartialEq, Eq, Hash)]
enum Said {
    Signed([u8; 32], [u8; 32], [u8; 64]),
    Strong([u8; 32]),
}

thread_local! {
    /// What held before, while somebody remembers it: see [`remembering`].
    static KNOWN: RefCell<Option<HashSet<Said>>> = const { RefCell::new(None) };
}

/// Does something, and computes each signature once meanwhile: what held is not computed again.
pub(crate) fn remembering<T>(act: impl FnOnce() -> T) -> T {
    /// However it ends, nothing is remembered behind it but what was before.
    struct Before(Option<HashSet<Said>>);
    impl Drop for Before {
        fn drop(&mut self) {
            KNOWN.set(self.0.take());
        }
    }
    let _before = Before(KNOWN.replace(Some(HashSet::new())));
    act()
}

fn holds(said: Said, compute: impl FnOnce() -> bool) -> bool {
    if KNOWN.with_borrow(|known| known.as_ref().is_some_and(|known| known.contains(&said))) {
        return true;
    }
    let found = compute();
    KNOWN.with_borrow_mut(|known| {
        if let Some(known) = known.as_mut().filter(|_| found) {
            known.insert(said);
        }
    });
    found
}

impl SecretKey {
    /// The key of 32 secret bytes.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a hash.
    #[must_use]
    pub fn sign(&self, digest: &Hash) -> Signature {
        Signature(self.0.sign(digest.as_bytes()).to_bytes())
    }
}

impl Signature {
    /// Reads 128 hexadecimal digits.
    ///
    /// # Errors
    /// [`Code::InputMalformed`] for anything else.
    ///
    /// ```
    /// use divvy_core::{Hash, SecretKey, Signature};
    ///
    /// let signature = SecretKey::new(&[7; 32]).sign(&Hash::of(b"pay them"));
    /// assert_eq!(Signature::parse(&signature.to_string())?, signature);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let halves = text.split_at_checked(64).and_then(|(first, second)| {
            Some([*Hash::parse(first)?.as_bytes(), *Hash::parse(second)?.as_bytes()])
        });
        let bytes = halves.and_then(|halves| halves.as_flattened().try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            let detail = "a signature is 128 hexadecimal digits: copy it whole";
            Error::new(Code::InputMalformed, detail)
        })
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

/// What both halves of a signed statement share: fixed bytes, hexadecimal as text.
macro_rules! bytes_as_hex {
    ($type:ident, $length:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl<C> Encode<C> for $type {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, DecodeError> {
                let bytes = ByteArray::<$length>::decode(d, context)?;
                Ok(Self(bytes.into()))
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let bytes = crate::fact::text::hex::deserialize(from)?;
                let bytes = <[u8; $length]>::try_from(bytes);
                bytes.map(Self).map_err(|_| {
                    serde::de::Error::custom(concat!(stringify!($length), " bytes expected"))
                })
            }
        }
    };
}
bytes_as_hex!(PublicKey, 32);
bytes_as_hex!(Signature, 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_of_one_statement_says_nothing_of_another() {
        let (key, other) = (SecretKey::new(&[7; 32]), SecretKey::new(&[8; 32]));
        let (digest, altered) = (Hash::of(b"pay them"), Hash::of(b"pay me"));
        let (signature, forged) = (key.sign(&digest), other.sign(&digest));
        remembering(|| {
            for _ in 0..2 {
                assert!(key.public().has_signed(&digest, &signature));
                assert!(!key.public().has_signed(&digest, &forged));
                assert!(!key.public().has_signed(&altered, &signature));
                assert!(!other.public().has_signed(&digest, &signature));
                assert!(key.public().is_strong() && !PublicKey([0; 32]).is_strong());
            }
            let known = KNOWN.with_borrow(|known| known.as_ref().map(HashSet::len));
            assert_eq!(known, Some(2), "what did not hold is not kept");
        });
        assert!(KNOWN.with_borrow(Option::is_none), "nothing is remembered behind it");
    }
}
