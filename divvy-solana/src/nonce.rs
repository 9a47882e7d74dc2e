//! Durable nonces: a lifetime that ends when somebody ends it, and not by itself.

use divvy_core::{Code, Error};

use crate::account::Account;
use crate::address::Address;
use crate::concern::Concern;
use crate::instruction::{Instruction, system};
use crate::lifetime::Lifetime;
use crate::transaction::Transaction;
use crate::wire::Reader;

/// What a nonce account says of itself.
///
/// A transaction whose lifetime is its value, and whose first order advances it, may land for as
/// long as nobody has advanced it: it can be signed now and sent in a year. The first that lands
/// advances it, even if it fails, and so ends every other one with the same value. To take back
/// what was handed out, advance it, and wait until that is final.
///
/// **Do not rest on it alone.** The network's developers propose to price such transactions out
/// and to remove them ([`Concern::DurableNonce`]): what was signed ahead may then never land. Read
/// a value no earlier than *confirmed*: what is younger may vanish, and so would the lifetime.
///
/// ```
/// use divvy_solana::{Account, Address, Draft, Format, Keypair, Nonce, Transaction, system};
///
/// let key = Keypair::from_seed(&[7; 32]);
/// let (payer, nonce) = (key.address(), Address::new([9; 32]));
/// let data = [vec![1, 0, 0, 0, 1, 0, 0, 0], payer.bytes().to_vec(), vec![5; 32], vec![0; 8]];
/// let program = system::PROGRAM;
/// let found = Account { program, lamports: 1_447_680, executable: false, data: data.concat() };
/// let read = Nonce::read(nonce, &found)?;
///
/// // Signed now, sent whenever it is wanted.
/// let pay = system::transfer(payer, Address::new([2; 32]), 1_000_000);
/// let instructions = vec![read.advance(), pay];
/// let lifetime = read.value;
/// let draft = Draft { format: Format::V0(vec![]), payer, lifetime, instructions };
/// let mut ahead = Transaction::new(draft.compile()?);
/// ahead.sign(&key)?;
/// assert_eq!(Nonce::used_by(&ahead), Some((nonce, read.value)));
///
/// // Taken back: whichever of the two lands first ends the other.
/// let instructions = vec![read.advance()];
/// let back = Draft { format: Format::V0(vec![]), payer, lifetime, instructions };
/// assert_eq!(Nonce::used_by(&Transaction::new(back.compile()?)), Some((nonce, read.value)));
/// assert_eq!(read.concerns(&payer).iter().map(|one| one.name()).collect::<Vec<_>>(), [
///     "durable_nonce"
/// ]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as it was read")]
pub struct Nonce {
    /// Where it is.
    pub address: Address,
    /// Who may advance it, and signs whatever uses it.
    pub authority: Address,
    /// Its value: the lifetime of the next transaction that uses it.
    pub value: Lifetime,
}

impl Nonce {
    /// Reads what is kept at an address.
    ///
    /// # Errors
    /// [`Code::RailRefused`] for what is no nonce account, or one that was never begun.
    pub fn read(address: Address, found: &Account) -> Result<Self, Error> {
        let mut reader = Reader::new(&found.data);
        let mut read = || -> Result<Self, Error> {
            let form = (reader.u32()?, reader.u32()?);
            let authority = reader.address()?;
            let value = Lifetime::new(reader.array::<32>()?);
            match form == CURRENT && found.program == system::PROGRAM {
                true => Ok(Self { address, authority, value }),
                false => Err(Error::new(Code::RailRefused, "another form")),
            }
        };
        read().map_err(|_| {
            let detail = format!("{address} is no nonce that was begun: make one, or name another");
            Error::new(Code::RailRefused, detail)
        })
    }

    /// The order that uses it up: the first of whatever has it as its lifetime.
    #[must_use]
    pub fn advance(&self) -> Instruction {
        system::advance_nonce(self.address, self.authority)
    }

    /// Which nonce a transaction lives by, and its value; nothing for one that lives by a block.
    #[must_use]
    pub fn used_by(transaction: &Transaction) -> Option<(Address, Lifetime)> {
        let message = transaction.message();
        let (program, data, accounts) = message.order(0)?;
        let advances = program == system::PROGRAM && data == ADVANCE;
        // A nonce stands in the message itself, or the network refuses it.
        let nonce = message.addresses().get(usize::from(*accounts.first()?))?;
        advances.then(|| (*nonce, message.lifetime()))
    }

    /// What speaks against resting on it: whose it is, and what may become of all of them.
    #[must_use]
    pub fn concerns(&self, wallet: &Address) -> Vec<Concern> {
        let foreign = (self.authority != *wallet).then_some(Concern::WrongOwner(self.authority));
        foreign.into_iter().chain([Concern::DurableNonce]).collect()
    }
}

/// The version of today, and that it was begun.
const CURRENT: (u32, u32) = (1, 1);

/// The data of the order that advances a nonce.
const ADVANCE: [u8; 4] = [4, 0, 0, 0];
