//! Addresses: 32 bytes, written in base58. They carry no checksum.

use core::fmt;

use divvy_core::{Code, Error};
use ed25519_dalek::VerifyingKey;
use five8::{BASE58_ENCODED_32_MAX_LEN, decode_32, encode_32};

/// The address of an account: a public key, or one that a program owns.
///
/// It carries no checksum, so nearly every slip of one letter is another address: see
/// [`crate::check_wallet`] before money goes to one that a person typed.
///
/// ```
/// use divvy_core::Code;
/// use divvy_solana::Address;
///
/// let usdc = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")?;
/// assert_eq!(usdc.bytes()[0], 0xc6);
/// assert_eq!(usdc.to_string(), "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
/// // One letter less is mostly an address as well; this one is too short.
/// let short = Address::parse("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGk");
/// assert_eq!(short.unwrap_err().code(), Code::AddressMalformed);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 32]);

impl Address {
    /// The address with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads base58 of exactly 32 bytes, without anything around it.
    ///
    /// # Errors
    /// [`Code::AddressMalformed`] for every other text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        decode_32(text, &mut bytes).map_err(|_| {
            // Somebody may have given a secret key by mistake: no more than its beginning is told.
            let shown: String = text.chars().take(SHOWN).collect();
            let detail = format!("{shown:?}… is no Solana address: copy all 32 to 44 letters");
            Error::new(Code::AddressMalformed, detail)
        })?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether a secret key can exist for it. Off the curve are addresses that programs own:
    /// vaults, multisigs, token accounts; and half of all slips of one letter.
    #[must_use]
    pub fn is_on_curve(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok()
    }

    /// A well-known address; text that is none does not compile.
    pub(crate) const fn known(text: &str) -> Self {
        Self(five8_const::decode_32_const(text))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; BASE58_ENCODED_32_MAX_LEN];
        let length = encode_32(&self.0, &mut text);
        write_ascii(f, text.get(..usize::from(length)))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How many letters of what is no address are told.
const SHOWN: usize = 8;

/// Writes base58, which is ASCII.
pub(crate) fn write_ascii(f: &mut fmt::Formatter<'_>, text: Option<&[u8]>) -> fmt::Result {
    let text = text.and_then(|text| core::str::from_utf8(text).ok()).ok_or(fmt::Error)?;
    f.pad(text)
}
