//! Lookup tables as the chain keeps them.

use crate::account::Account;
use crate::address::Address;
use crate::instruction::lookup;
use crate::message::Table;
use crate::wire::Reader;

/// What a lookup table's account says of itself.
///
/// ```
/// use divvy_solana::{Account, Address, LookupTable, lookup};
///
/// // Never ended, last extended at slot 900, one address.
/// let head = [vec![1, 0, 0, 0], vec![255; 8], 900_u64.to_le_bytes().to_vec(), vec![0; 36]];
/// let data = [head.concat(), vec![7; 32]].concat();
/// let (program, lamports, executable) = (lookup::PROGRAM, 1, false);
/// let read = LookupTable::read(&Account { program, lamports, executable, data }).unwrap();
/// let address = Address::new([9; 32]);
/// assert_eq!(read.usable(address, 901).map(|table| table.addresses.len()), Some(1));
/// // What was added in a slot can be used from the next one on.
/// assert_eq!(read.usable(address, 900), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as it was read")]
pub struct LookupTable {
    /// The slot at which it was ended, if it was.
    pub ended: Option<u64>,
    /// The slot at which addresses were last added.
    pub extended: u64,
    /// Its addresses.
    pub addresses: Vec<Address>,
}

impl LookupTable {
    /// Reads an account; nothing when it is no table.
    #[must_use]
    pub fn read(found: &Account) -> Option<Self> {
        let (head, rest) = found.data.split_at_checked(HEAD_BYTES)?;
        let mut reader = Reader::new(head);
        let (kind, ended, extended) = (reader.u32().ok()?, reader.u64().ok()?, reader.u64().ok()?);
        let (addresses, rest) = rest.as_chunks::<32>();
        let fits = found.program == lookup::PROGRAM && kind == TABLE && rest.is_empty();
        let addresses = addresses.iter().copied().map(Address::new).collect();
        let ended = (ended != u64::MAX).then_some(ended);
        fits.then_some(Self { ended, extended, addresses })
    }

    /// The table as messages name it; nothing when it was ended, or extended at this slot or after.
    #[must_use]
    pub fn usable(&self, address: Address, slot: u64) -> Option<Table> {
        let addresses = self.addresses.clone();
        (self.ended.is_none() && self.extended < slot).then_some(Table { address, addresses })
    }
}

const HEAD_BYTES: usize = 56;
const TABLE: u32 = 1;
