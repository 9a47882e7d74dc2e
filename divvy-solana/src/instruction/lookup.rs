//! Lookup tables: addresses kept on the chain, which v0 messages name by one byte.

use divvy_core::Error;

use crate::address::Address;
use crate::derive::Derived;
use crate::instruction::{Access, Instruction, system};
use crate::wire::Writer;

/// The address lookup table program.
pub const PROGRAM: Address = Address::known("AddressLookupTab1e1111111111111111111111111");

/// Makes a table with a recent slot, and says where it is.
///
/// ```
/// use divvy_solana::{Address, lookup};
///
/// let authority = Address::parse("ERcUwANyLGQuzwkEjq6uGC77dsJkREXqkvkAnohxPHEY")?;
/// let (_, table) = lookup::create(authority, authority, 123_456_789)?;
/// assert_eq!(table.to_string(), "7Z7H4uu53mcuZUyCGQqXj7dYdPwEtvzb7KT81ey45ekf");
/// # Ok::<(), divvy_core::Error>(())
/// ```
///
/// # Errors
/// As for [`Derived::lookup_table`].
pub fn create(
    authority: Address,
    payer: Address,
    slot: u64,
) -> Result<(Instruction, Address), Error> {
    let table = Derived::lookup_table(&authority, slot)?;
    let accounts = vec![
        Access::writing(table.address),
        Access::signing(authority),
        Access::signing(payer).written(),
        Access::reading(system::PROGRAM),
    ];
    let data = tag(0).u64(slot).byte(table.bump);
    Ok((Instruction::new(PROGRAM, accounts, data), table.address))
}

/// Adds addresses; they can be used from the slot after. A table has 256 at most.
#[must_use]
pub fn extend(
    table: Address,
    authority: Address,
    payer: Address,
    addresses: &[Address],
) -> Instruction {
    let accounts = vec![
        Access::writing(table),
        Access::signing(authority),
        Access::signing(payer).written(),
        Access::reading(system::PROGRAM),
    ];
    let count = u64::try_from(addresses.len()).unwrap_or(u64::MAX);
    let data = addresses.iter().fold(tag(2).u64(count), Writer::address);
    Instruction::new(PROGRAM, accounts, data)
}

/// Ends a table. It can be closed some 513 slots later.
#[must_use]
pub fn deactivate(table: Address, authority: Address) -> Instruction {
    let accounts = vec![Access::writing(table), Access::signing(authority)];
    Instruction::new(PROGRAM, accounts, tag(3))
}

/// Closes a table that has ended; its rent goes to an account.
#[must_use]
pub fn close(table: Address, authority: Address, to: Address) -> Instruction {
    let accounts = vec![Access::writing(table), Access::signing(authority), Access::writing(to)];
    Instruction::new(PROGRAM, accounts, tag(4))
}

fn tag(number: u32) -> Writer {
    Writer::default().u32(number)
}
