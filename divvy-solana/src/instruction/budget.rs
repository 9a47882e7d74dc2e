//! What a transaction may use and what it offers for it: legacy and v0 alone. A v1 message says it
//! in its head ([`crate::Limits`]), and these are ignored there.

use crate::address::Address;
use crate::instruction::Instruction;
use crate::wire::Writer;

/// The compute budget program.
pub const PROGRAM: Address = Address::known("ComputeBudget111111111111111111111111111111");

/// The most memory a program may use, in bytes: a multiple of 1,024.
#[must_use]
pub fn heap_bytes(bytes: u32) -> Instruction {
    order(Writer::default().byte(1).u32(bytes))
}

/// The most compute units that all instructions together may use. The price is paid on these, not
/// on what is used.
#[must_use]
pub fn units(units: u32) -> Instruction {
    order(Writer::default().byte(2).u32(units))
}

/// What is offered for each unit, in millionths of a lamport.
///
/// ```
/// use divvy_solana::budget;
///
/// assert_eq!(budget::price(25_000).data, [3, 0xa8, 0x61, 0, 0, 0, 0, 0, 0]);
/// ```
#[must_use]
pub fn price(micro_lamports: u64) -> Instruction {
    order(Writer::default().byte(3).u64(micro_lamports))
}

/// The most bytes of accounts that may be loaded.
#[must_use]
pub fn loaded_bytes(bytes: u32) -> Instruction {
    order(Writer::default().byte(4).u32(bytes))
}

fn order(data: Writer) -> Instruction {
    Instruction::new(PROGRAM, Vec::new(), data)
}
