//! A message and the signatures over it.

use divvy_core::{Code, Error};

use crate::address::Address;
use crate::key::Keypair;
use crate::message::Message;
use crate::signature::Signature;
use crate::wire::{Reader, Writer, malformed};

/// A message and the signatures over it, some of which may still be missing.
///
/// Its name on the network is the payer's signature, which is known before anything is sent. The
/// same bytes sent again are the same transaction: the network never runs them twice.
///
/// ```
/// use divvy_solana::{Address, Draft, Format, Keypair, Lifetime, Transaction, system};
///
/// let key = Keypair::from_seed(&[7; 32]);
/// let payer = key.address();
/// let instructions = vec![system::transfer(payer, Address::new([2; 32]), 5)];
/// let lifetime = Lifetime::new([9; 32]);
/// let draft = Draft { format: Format::Legacy, payer, lifetime, instructions };
///
/// // A keeper of keys elsewhere is given the bytes, and what it answers is looked at.
/// let mut transaction = Transaction::new(draft.compile()?);
/// assert_eq!(transaction.missing(), [payer]);
/// let signature = key.sign(transaction.to_sign());
/// transaction.attach(&payer, signature)?;
/// assert_eq!(transaction.name(), Some(signature));
/// assert_eq!(Transaction::decode(&transaction.encode())?, transaction);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    message: Message,
    bytes: Vec<u8>,
    signatures: Vec<Signature>,
}

impl Transaction {
    /// A message that nobody has signed yet.
    #[must_use]
    pub fn new(message: Message) -> Self {
        let (bytes, signatures) =
            (message.encode(), vec![Signature::ABSENT; message.signers().len()]);
        Self { message, bytes, signatures }
    }

    /// The message.
    #[must_use]
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// The bytes that everyone signs.
    #[must_use]
    pub fn to_sign(&self) -> &[u8] {
        &self.bytes
    }

    /// Who has not signed yet.
    #[must_use]
    pub fn missing(&self) -> Vec<Address> {
        let signed = self.message.signers().iter().zip(&self.signatures);
        signed.filter(|(_, signature)| signature.is_absent()).map(|(signer, _)| *signer).collect()
    }

    /// Takes in the signature of somebody who must sign, made with [`Keypair::sign`] or by whoever
    /// keeps the key, over [`Transaction::to_sign`].
    ///
    /// # Errors
    /// [`Code::SignatureWrong`] for somebody who need not sign, and for a signature that is not
    /// theirs over these bytes: nothing that the network would refuse is ever kept or sent.
    pub fn attach(&mut self, signer: &Address, signature: Signature) -> Result<(), Error> {
        if !signature.is_of(signer, &self.bytes) {
            return Err(wrong(&format!(
                "the signature for {signer} is not theirs over this message: have it signed again"
            )));
        }
        self.put(signer, signature)
    }

    /// Signs with a key that is at hand.
    ///
    /// # Errors
    /// [`Code::SignatureWrong`] when that key need not sign.
    pub fn sign(&mut self, key: &Keypair) -> Result<(), Error> {
        // What a key of ours has just signed is not verified: that takes longer than signing.
        let signature = key.sign(&self.bytes);
        self.put(&key.address(), signature)
    }

    fn put(&mut self, signer: &Address, signature: Signature) -> Result<(), Error> {
        let signers = self.message.signers().iter();
        let place = signers.zip(&mut self.signatures).find(|(own, _)| *own == signer);
        let (_, place) = place.ok_or_else(|| {
            wrong(&format!("{signer} does not sign this transaction: ask those who are missing"))
        })?;
        *place = signature;
        Ok(())
    }

    /// The signatures in the order of [`Message::signers`].
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// What the network calls it: the payer's signature, once it is there.
    #[must_use]
    pub fn name(&self) -> Option<Signature> {
        self.signatures.first().copied().filter(|signature| !signature.is_absent())
    }

    /// Whether everyone has signed, each with their own key.
    ///
    /// # Errors
    /// [`Code::SignatureWrong`] for a signature that is missing or not theirs, by address.
    pub fn verify(&self) -> Result<(), Error> {
        let mut signed = self.message.signers().iter().zip(&self.signatures);
        let odd = signed.find(|(signer, signature)| !signature.is_of(signer, &self.bytes));
        odd.map_or(Ok(()), |(signer, _)| Err(wrong(&format!("{signer} has not signed this"))))
    }

    /// The bytes that are sent, or handed on to the next who signs.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let out = Writer::default();
        let signatures = |out: Writer| {
            self.signatures.iter().fold(out, |out, signature| out.bytes(signature.bytes()))
        };
        match self.message.is_v1() {
            true => signatures(out.bytes(&self.bytes)).done(),
            false => signatures(out.length(self.signatures.len())).bytes(&self.bytes).done(),
        }
    }

    /// Reads what [`Transaction::encode`] writes, and nothing else. Signatures are taken as they
    /// are: [`Transaction::verify`] says whether they hold.
    ///
    /// # Errors
    /// As for [`Message::decode`]; also for another number of signatures than must sign.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let (message, signatures) = match bytes.first() {
            Some(&VERSION_1) => behind(bytes)?,
            Some(_) | None => in_front(bytes)?,
        };
        let decoded = Message::decode(message)?;
        let signatures = signatures.iter().copied().map(Signature::new).collect::<Vec<_>>();
        if signatures.len() != decoded.signers().len() {
            return Err(malformed("it has another number of signatures than its message asks for"));
        }
        Ok(Self { message: decoded, bytes: message.to_vec(), signatures })
    }
}

/// Legacy and v0: how many signatures, the signatures, the message.
fn in_front(bytes: &[u8]) -> Result<(&[u8], &[[u8; 64]]), Error> {
    let mut reader = Reader::new(bytes);
    let count = usize::from(reader.length()?);
    let (signatures, _) = reader.take(count.saturating_mul(64))?.as_chunks::<64>();
    let message = reader.rest();
    if message.first() == Some(&VERSION_1) {
        return Err(malformed("the signatures of its version come behind its message"));
    }
    Ok((message, signatures))
}

/// v1: the message, which says how many sign, and as many signatures.
fn behind(bytes: &[u8]) -> Result<(&[u8], &[[u8; 64]]), Error> {
    let signers = usize::from(bytes.get(1).copied().unwrap_or_default());
    let message = bytes.len().checked_sub(signers.saturating_mul(64));
    let split = message.and_then(|length| bytes.split_at_checked(length));
    let (message, signatures) = split.ok_or_else(|| malformed("it ends too early"))?;
    let (signatures, _) = signatures.as_chunks::<64>();
    Ok((message, signatures))
}

fn wrong(detail: &str) -> Error {
    Error::new(Code::SignatureWrong, detail)
}

/// The first byte of a v1 message, and so of its transaction.
const VERSION_1: u8 = 0x81;
