//! Notes that stay on the chain for everyone to read.

use crate::address::Address;
use crate::instruction::{Access, Instruction};
use crate::wire::Writer;

/// The memo program.
pub const PROGRAM: Address = Address::known("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

/// A note, and who signs for it. Nothing that names a person belongs into one: it stays for ever.
///
/// ```
/// use divvy_solana::memo;
///
/// assert_eq!(memo::note("divvy:run=7;batch=1", &[]).data, b"divvy:run=7;batch=1");
/// ```
#[must_use]
pub fn note(text: &str, signers: &[Address]) -> Instruction {
    let accounts = signers.iter().copied().map(Access::signing).collect();
    Instruction::new(PROGRAM, accounts, Writer::default().bytes(text.as_bytes()))
}
