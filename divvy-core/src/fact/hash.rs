//! SHA-256, and what exactly is hashed.

use core::fmt;

use minicbor::bytes::ByteArray;
use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::fact::Stream;
use crate::time::Time;

/// A SHA-256 hash, written as 64 hexadecimal digits.
///
/// ```
/// use divvy_core::Hash;
///
/// let hash = Hash::of(b"abc");
/// assert!(hash.to_string().starts_with("ba7816bf"));
/// assert_eq!(Hash::parse(&hash.to_string()), Some(hash));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// A hash by its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Both halves as numbers, for tables that need not keep all of it.
    pub(crate) fn halves(&self) -> (u128, u128) {
        let number = |half: Option<&[u8; 16]>| half.map_or(0, |half| u128::from_be_bytes(*half));
        (number(self.0.first_chunk()), number(self.0.last_chunk()))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut bytes = [0_u8; 32];
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let nibble = |digit: &u8| char::from(*digit).to_digit(16);
            *byte = u8::try_from(nibble(high)?.checked_mul(16)?.checked_add(nibble(low)?)?).ok()?;
        }
        Some(Self(bytes))
    }

    /// What fact 0 of a stream chains from.
    #[must_use]
    pub fn of_stream(stream: &Stream) -> Self {
        let mut hash = Sha256::new_with_prefix(b"divvy.stream.1\0");
        hash.update(stream.as_str());
        Self(hash.finalize().into())
    }

    /// The hash of a fact. Every part but the last has a fixed length or is ended by a zero byte,
    /// which no stream and no kind contains, so no two facts hash the same input.
    #[must_use]
    pub(crate) fn of_fact(
        before: &Self,
        stream: &Stream,
        n: u64,
        at: Time,
        kind: &str,
        bytes: &[u8],
    ) -> Self {
        let mut hash = Sha256::new_with_prefix(b"divvy.fact.1\0");
        hash.update(before.0);
        hash.update(n.to_be_bytes());
        hash.update(at.millis().to_be_bytes());
        for part in [stream.as_str(), kind] {
            hash.update(part);
            hash.update([0]);
        }
        hash.update(bytes);
        Self(hash.finalize().into())
    }

    /// The hash of a statement that somebody signs: what it is about in texts that hold no zero
    /// byte, and then parts of which all but the last have a fixed length.
    #[must_use]
    pub(crate) fn of_said(what: &str, about: &[&str], parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for text in std::iter::once(&what).chain(about) {
            hash.update(text);
            hash.update([0]);
        }
        for part in parts {
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// One step of a running digest over many hashes.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let mut hash = Sha256::new_with_prefix(self.0);
        hash.update(next.0);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<C> Encode<C> for Hash {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Hash {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, DecodeError> {
        let bytes = ByteArray::<32>::decode(d, context)?;
        Ok(Self(bytes.into()))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("64 hexadecimal digits expected"))
    }
}
