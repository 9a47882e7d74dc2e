//! From bytes to a message. Whether its numbers fit each other is looked at afterwards.

use divvy_core::Error;

use crate::address::Address;
use crate::lifetime::Lifetime;
use crate::message::write::{FEE_BITS, HEAP_BIT, LOADED_BIT, UNITS_BIT, VERSION_0, VERSION_1};
use crate::message::{Compiled, Header, Limits, Lookup, Message, Shape};
use crate::wire::{Reader, malformed};

pub(super) fn message(bytes: &[u8]) -> Result<Message, Error> {
    let mut reader = Reader::new(bytes);
    let first = reader.byte()?;
    let message = match first {
        VERSION_0 => {
            let signers = reader.byte()?;
            let message = body(&mut reader, signers)?;
            Message { shape: Shape::V0(lookups(&mut reader)?), ..message }
        }
        VERSION_1 => v1(&mut reader)?,
        signers if signers < VERSION_0 => body(&mut reader, signers)?,
        _ => return Err(malformed("it is of a version that nobody knows yet")),
    };
    reader.done()?;
    Ok(message)
}

/// What legacy and v0 share, from the second number of the head on.
fn body(reader: &mut Reader<'_>, signers: u8) -> Result<Message, Error> {
    let (reading_signers, reading_others) = (reader.byte()?, reader.byte()?);
    let header = Header { signers, reading_signers, reading_others };
    let count = reader.length()?;
    let addresses = addresses(reader, count)?;
    let lifetime = reader.array().map(Lifetime::new)?;
    let count = reader.length()?;
    let mut instructions = Vec::new();
    for _ in 0..count {
        let program = reader.byte()?;
        let (accounts, data) = (reader.bytes()?.to_vec(), reader.bytes()?.to_vec());
        instructions.push(Compiled { program, accounts, data });
    }
    Ok(Message { shape: Shape::Legacy, header, addresses, lifetime, instructions })
}

fn lookups(reader: &mut Reader<'_>) -> Result<Vec<Lookup>, Error> {
    let count = reader.length()?;
    let mut lookups = Vec::new();
    for _ in 0..count {
        let table = reader.address()?;
        let (writing, reading) = (reader.bytes()?.to_vec(), reader.bytes()?.to_vec());
        lookups.push(Lookup { table, writing, reading });
    }
    Ok(lookups)
}

fn v1(reader: &mut Reader<'_>) -> Result<Message, Error> {
    let [signers, reading_signers, reading_others] = reader.array()?;
    let header = Header { signers, reading_signers, reading_others };
    let mask = reader.u32()?;
    let known = FEE_BITS | UNITS_BIT | LOADED_BIT | HEAP_BIT;
    if mask & !known != 0 || ![0, FEE_BITS].contains(&(mask & FEE_BITS)) {
        return Err(malformed("its head asks for what nobody knows yet"));
    }
    let lifetime = reader.array().map(Lifetime::new)?;
    let (orders, count) = (reader.byte()?, reader.byte()?);
    let addresses = addresses(reader, count.into())?;
    let has = |bits: u32| mask & bits == bits;
    let fee = if has(FEE_BITS) { Some(reader.u64()?) } else { None };
    let mut number = |bit: u32| if has(bit) { reader.u32().map(Some) } else { Ok(None) };
    let limits = Limits {
        priority_fee_lamports: fee,
        compute_units: number(UNITS_BIT)?,
        loaded_bytes: number(LOADED_BIT)?,
        heap_bytes: number(HEAP_BIT)?,
    };
    let heads = (0..orders).map(|_| Ok((reader.byte()?, reader.byte()?, reader.u16()?)));
    let heads = heads.collect::<Result<Vec<_>, Error>>()?;
    let mut instructions = Vec::with_capacity(heads.len());
    for (program, accounts, data) in heads {
        let accounts = reader.take(accounts.into())?.to_vec();
        let data = reader.take(data.into())?.to_vec();
        instructions.push(Compiled { program, accounts, data });
    }
    Ok(Message { shape: Shape::V1(limits), header, addresses, lifetime, instructions })
}

fn addresses(reader: &mut Reader<'_>, count: u16) -> Result<Vec<Address>, Error> {
    (0..count).map(|_| reader.address()).collect()
}
