//! Reading bytes that somebody else wrote, and writing what others read. Numbers are
//! little-endian; a length has one form.

use divvy_core::{Code, Error};

use crate::address::Address;

/// Writes a length as Solana does: seven bits a byte, the low ones first, three bytes at most.
///
/// ```
/// use divvy_solana::{read_length, write_length};
///
/// assert_eq!(write_length(300), [0xac, 0x02]);
/// assert_eq!(read_length(&[0xac, 0x02, 9])?, (300, [9].as_slice()));
/// // A second form of the same number is refused: it would be another name for the same thing.
/// assert!(read_length(&[0xac, 0x82, 0x00]).is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[must_use]
pub fn write_length(length: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(LENGTH_BYTES_MAX);
    let mut rest = length;
    loop {
        let [low, _] = rest.to_le_bytes();
        rest >>= 7_u32;
        if rest == 0 {
            out.push(low & 0x7f);
            return out;
        }
        out.push(low | 0x80);
    }
}

/// Reads a length, and gives what follows it.
///
/// # Errors
/// [`Code::WireMalformed`] when it is cut short, above 65,535, or not in its shortest form.
pub fn read_length(bytes: &[u8]) -> Result<(u16, &[u8]), Error> {
    let mut reader = Reader::new(bytes);
    let length = reader.length()?;
    Ok((length, reader.rest))
}

/// The longest form of a length.
const LENGTH_BYTES_MAX: usize = 3;

/// Reads bytes from the front.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(short)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn address(&mut self) -> Result<Address, Error> {
        self.array().map(Address::new)
    }

    /// A length in its one form.
    pub(crate) fn length(&mut self) -> Result<u16, Error> {
        let mut value = 0_u32;
        for place in 0..3_u32 {
            let byte = self.byte()?;
            let bits = u32::from(byte & 0x7f);
            value |= bits.checked_shl(place.saturating_mul(7)).unwrap_or(u32::MAX);
            if byte & 0x80 == 0 {
                if byte == 0 && place > 0 {
                    return Err(malformed("a length is not in its shortest form"));
                }
                return u16::try_from(value).map_err(|_| malformed("a length is above 65,535"));
            }
        }
        Err(malformed("a length is longer than three bytes"))
    }

    /// So many bytes as the length in front of them says.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = self.length()?;
        self.take(usize::from(length))
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may follow.
    pub(crate) fn done(self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(malformed("bytes follow its end")) }
    }
}

/// Bytes in the order in which others read them.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn byte(self, byte: u8) -> Self {
        self.bytes(&[byte])
    }

    pub(crate) fn u16(self, number: u16) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn u32(self, number: u32) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn u64(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn i64(self, number: i64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn address(self, address: &Address) -> Self {
        self.bytes(address.bytes())
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A length in its one form. What counts more than 65,535 is refused before it is written.
    pub(crate) fn length(self, length: usize) -> Self {
        self.bytes(&write_length(u16::try_from(length).unwrap_or(u16::MAX)))
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

fn short() -> Error {
    malformed("it ends too early")
}

/// Bytes that are not the one encoding of what they are said to be.
pub(crate) fn malformed(what: &str) -> Error {
    Error::new(Code::WireMalformed, format!("no Solana transaction: {what}"))
}
