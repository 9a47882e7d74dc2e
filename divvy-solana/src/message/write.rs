//! From a message to bytes.

use crate::message::{Limits, Message, Shape};
use crate::wire::Writer;

/// The first byte of a message that has a version.
pub(super) const VERSION_0: u8 = 0x80;
/// The same of the next one.
pub(super) const VERSION_1: u8 = 0x81;

/// Bits of a v1 head: two for the fee, which has two words, and one for each of the others.
pub(super) const FEE_BITS: u32 = 0b11;
pub(super) const UNITS_BIT: u32 = 0b100;
pub(super) const LOADED_BIT: u32 = 0b1000;
pub(super) const HEAP_BIT: u32 = 0b1_0000;

pub(super) fn message(message: &Message) -> Vec<u8> {
    match &message.shape {
        Shape::Legacy => body(message, Writer::default()).done(),
        Shape::V0(lookups) => {
            let out = body(message, Writer::default().byte(VERSION_0)).length(lookups.len());
            let out = lookups.iter().fold(out, |out, lookup| {
                let out = out.address(&lookup.table);
                let out = out.length(lookup.writing.len()).bytes(&lookup.writing);
                out.length(lookup.reading.len()).bytes(&lookup.reading)
            });
            out.done()
        }
        Shape::V1(limits) => v1(message, limits),
    }
}

/// What legacy and v0 share.
fn body(message: &Message, out: Writer) -> Writer {
    let out = head(message, out).length(message.addresses.len());
    let out = message.addresses.iter().fold(out, Writer::address);
    let out = out.bytes(message.lifetime.bytes()).length(message.instructions.len());
    message.instructions.iter().fold(out, |out, order| {
        let out = out.byte(order.program);
        let out = out.length(order.accounts.len()).bytes(&order.accounts);
        out.length(order.data.len()).bytes(&order.data)
    })
}

fn v1(message: &Message, limits: &Limits) -> Vec<u8> {
    let bits = [
        (limits.priority_fee_lamports.is_some(), FEE_BITS),
        (limits.compute_units.is_some(), UNITS_BIT),
        (limits.loaded_bytes.is_some(), LOADED_BIT),
        (limits.heap_bytes.is_some(), HEAP_BIT),
    ];
    let mask = bits.iter().filter(|(there, _)| *there).fold(0, |mask, (_, bit)| mask | bit);
    let out = head(message, Writer::default().byte(VERSION_1)).u32(mask);
    let out = out.bytes(message.lifetime.bytes());
    let out = out.byte(count(message.instructions.len())).byte(count(message.addresses.len()));
    let mut out = message.addresses.iter().fold(out, Writer::address);
    if let Some(lamports) = limits.priority_fee_lamports {
        out = out.u64(lamports);
    }
    for number in [limits.compute_units, limits.loaded_bytes, limits.heap_bytes] {
        out = number.into_iter().fold(out, Writer::u32);
    }
    for order in &message.instructions {
        let data = u16::try_from(order.data.len()).unwrap_or(u16::MAX);
        out = out.byte(order.program).byte(count(order.accounts.len())).u16(data);
    }
    for order in &message.instructions {
        out = out.bytes(&order.accounts).bytes(&order.data);
    }
    out.done()
}

fn head(message: &Message, out: Writer) -> Writer {
    let head = message.header;
    out.byte(head.signers).byte(head.reading_signers).byte(head.reading_others)
}

/// More than a byte holds is refused before it is signed or sent.
fn count(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
