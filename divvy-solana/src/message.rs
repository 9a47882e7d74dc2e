//! What is signed: in the legacy format, in v0 with lookup tables, or in v1.
//!
//! There is one way to write each message, and reading refuses every other one, so that bytes which
//! were signed, stored and read again are the same bytes.

mod compile;
mod limits;
mod read;
mod write;

pub use compile::{Draft, Format, Table};
pub(crate) use limits::unfit;
pub use limits::{BYTES_MAX, BYTES_MAX_V1, LOCKS_MAX, TRACE_MAX};

use divvy_core::Error;

use crate::address::Address;
use crate::instruction::{Access, Instruction};
use crate::lifetime::Lifetime;
use crate::wire::malformed;

/// A message, as it is signed.
///
/// ```
/// use divvy_solana::{Address, Draft, Format, Lifetime, Message, system};
///
/// let [payer, to] = [1, 2].map(|byte| Address::new([byte; 32]));
/// let instructions = vec![system::transfer(payer, to, 5)];
/// let lifetime = Lifetime::new([9; 32]);
/// let draft = Draft { format: Format::V0(vec![]), payer, lifetime, instructions };
/// let message = draft.compile()?;
/// // What is read is what was written, and nothing else is read.
/// let bytes = message.encode();
/// assert_eq!(Message::decode(&bytes)?, message);
/// assert!(Message::decode(&[bytes, vec![0]].concat()).is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    shape: Shape,
    header: Header,
    addresses: Vec<Address>,
    lifetime: Lifetime,
    instructions: Vec<Compiled>,
}

/// What tells the formats apart.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Legacy,
    V0(Vec<Lookup>),
    V1(Limits),
}

/// What a v1 message may use and what it offers for it. What is absent is the least there is: a
/// message without units and loaded bytes never runs.
///
/// ```
/// use divvy_solana::Limits;
///
/// let limits = Limits {
///     compute_units: Some(20_000),
///     loaded_bytes: Some(262_144),
///     ..Limits::default()
/// };
/// assert_eq!(limits.priority_fee_lamports, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain settings, written as a literal")]
pub struct Limits {
    /// What is offered in all, in lamports; not a price for each unit as in older formats.
    pub priority_fee_lamports: Option<u64>,
    /// The most compute units that all instructions together may use.
    pub compute_units: Option<u32>,
    /// The most bytes of accounts that may be loaded, programs included.
    pub loaded_bytes: Option<u32>,
    /// The most memory a program may use, in bytes: a multiple of 1,024.
    pub heap_bytes: Option<u32>,
}

/// How many of the addresses sign, and how many of them are only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    signers: u8,
    reading_signers: u8,
    reading_others: u8,
}

/// An instruction whose addresses are places in the message's list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Compiled {
    program: u8,
    accounts: Vec<u8>,
    data: Vec<u8>,
}

/// Addresses that stand in a table on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lookup {
    table: Address,
    writing: Vec<u8>,
    reading: Vec<u8>,
}

impl Message {
    /// The bytes that are signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        write::message(self)
    }

    /// Reads what [`Message::encode`] writes, and nothing else.
    ///
    /// # Errors
    /// [`divvy_core::Code::WireMalformed`] for bytes that are no message, and for a second form of
    /// one: a length written longer than needed, bytes that follow, a head whose sums do not fit
    /// the addresses, a place beyond them, an address that is there twice.
    /// [`divvy_core::Code::WireUnfit`] for one that is beyond what the network takes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let message = read::message(bytes)?;
        message.check()?;
        Ok(message)
    }

    /// What the transaction of this message weighs with all its signatures, in bytes.
    #[must_use]
    pub fn transaction_bytes(&self) -> usize {
        let signatures = usize::from(self.header.signers).saturating_mul(SIGNATURE_BYTES);
        let count = usize::from(!self.is_v1());
        self.encode().len().saturating_add(signatures).saturating_add(count)
    }

    /// Who pays the fee: the first of those who sign.
    #[must_use]
    pub fn payer(&self) -> Option<&Address> {
        self.addresses.first()
    }

    /// Who must sign, in the order of the signatures.
    #[must_use]
    pub fn signers(&self) -> &[Address] {
        self.addresses.get(..usize::from(self.header.signers)).unwrap_or_default()
    }

    /// The addresses that stand in the message itself.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The lookup tables whose addresses it names: what [`Message::instructions`] asks for.
    #[must_use]
    pub fn tables(&self) -> Vec<Address> {
        self.lookups().iter().map(|lookup| lookup.table).collect()
    }

    /// What ends its life.
    #[must_use]
    pub const fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// Whether it is of the format that carries its limits in its head and its signatures behind.
    #[must_use]
    pub const fn is_v1(&self) -> bool {
        matches!(self.shape, Shape::V1(_))
    }

    /// Whether both are of one format.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        core::mem::discriminant(&self.shape) == core::mem::discriminant(&other.shape)
    }

    /// What a v1 message may use; the older formats say so by instructions.
    #[must_use]
    pub const fn limits(&self) -> Option<Limits> {
        match self.shape {
            Shape::V1(limits) => Some(limits),
            Shape::Legacy | Shape::V0(_) => None,
        }
    }

    /// How many accounts the network locks for it.
    #[must_use]
    pub fn locks(&self) -> usize {
        let looked_up = |lookup: &Lookup| lookup.writing.len().saturating_add(lookup.reading.len());
        let looked_up = self.lookups().iter().map(looked_up);
        looked_up.fold(self.addresses.len(), usize::saturating_add)
    }

    /// Its instructions with whole addresses, for whoever must know what they sign. What signs or
    /// is written in one of them does so in all: a message keeps no more.
    ///
    /// # Errors
    /// [`divvy_core::Code::WireMalformed`] when a table is not given, or lacks an address that is
    /// named.
    pub fn instructions(&self, tables: &[Table]) -> Result<Vec<Instruction>, Error> {
        let accesses = self.accesses(tables)?;
        let beyond = || malformed("an instruction names an account that is not there");
        let access = |place: &u8| accesses.get(usize::from(*place)).copied().ok_or_else(beyond);
        let whole = |order: &Compiled| {
            let accounts = order.accounts.iter().map(access).collect::<Result<_, _>>()?;
            let program = access(&order.program)?.address;
            Ok(Instruction { program, accounts, data: order.data.clone() })
        };
        self.instructions.iter().map(whole).collect()
    }

    /// Every account in the order of its places: those that stand here, then those of tables that
    /// are written, then those of tables that are read.
    pub(crate) fn accesses(&self, tables: &[Table]) -> Result<Vec<Access>, Error> {
        let signers = usize::from(self.header.signers);
        let writing_signers = signers.saturating_sub(usize::from(self.header.reading_signers));
        let writing = self.addresses.len().saturating_sub(usize::from(self.header.reading_others));
        let mut accesses: Vec<Access> = Vec::with_capacity(self.locks());
        for (place, address) in self.addresses.iter().enumerate() {
            let signs = place < signers;
            let writes = if signs { place < writing_signers } else { place < writing };
            accesses.push(Access { address: *address, signs, writes });
        }
        let mut reading = Vec::new();
        for lookup in self.lookups() {
            let table = tables.iter().find(|table| table.address == lookup.table);
            let table = table.ok_or_else(|| malformed("a lookup table is not given"))?;
            let address = |place: &u8| {
                let found = table.addresses.get(usize::from(*place)).copied();
                found.ok_or_else(|| malformed("a lookup table has no address at that place"))
            };
            for place in &lookup.writing {
                accesses.push(Access::writing(address(place)?));
            }
            for place in &lookup.reading {
                reading.push(Access::reading(address(place)?));
            }
        }
        accesses.append(&mut reading);
        Ok(accesses)
    }

    fn lookups(&self) -> &[Lookup] {
        match &self.shape {
            Shape::V0(lookups) => lookups,
            Shape::Legacy | Shape::V1(_) => &[],
        }
    }
}

const SIGNATURE_BYTES: usize = 64;

#[cfg(test)]
mod tests;
