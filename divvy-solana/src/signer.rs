//! Whoever signs for a wallet: a key at hand, or somebody who keeps it.

use core::fmt;

use divvy_core::Error;

use crate::address::Address;
use crate::key::Keypair;
use crate::signature::Signature;

/// Who signs for a wallet. The rail asks once for each try, after everything else is known, and
/// keeps nothing that is not this wallet's signature over exactly the bytes that it asked about.
///
/// Whoever signs may look at the message first ([`crate::Message::decode`]) and decline.
///
/// ```
/// use divvy_core::Error;
/// use divvy_solana::{Address, Keypair, Signature, Signer};
///
/// /// A device that counts what it signs.
/// #[derive(Debug)]
/// struct Device(Keypair);
///
/// impl Signer for Device {
///     fn address(&self) -> Address {
///         self.0.address()
///     }
///
///     fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
///         Ok(self.0.sign(message))
///     }
/// }
///
/// let device = Device(Keypair::from_seed(&[7; 32]));
/// assert!(device.sign(b"message")?.is_of(&device.address(), b"message"));
/// # Ok::<(), divvy_core::Error>(())
/// ```
pub trait Signer: fmt::Debug + Send + Sync {
    /// The wallet that it signs for.
    fn address(&self) -> Address;

    /// A signature over these bytes.
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] when it declines or cannot be asked: nothing is signed,
    /// and it is asked again later.
    fn sign(&self, message: &[u8]) -> Result<Signature, Error>;
}

impl Signer for Keypair {
    fn address(&self) -> Address {
        Self::address(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        Ok(Self::sign(self, message))
    }
}
