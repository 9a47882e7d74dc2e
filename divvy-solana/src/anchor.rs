//! Orders to a program of one's own that was written with Anchor: eight bytes that name the
//! instruction, and its arguments in Borsh.
//!
//! The encoder is our own: a few little-endian numbers, and arguments that are known when a program
//! runs and not when it is compiled, which is what the `borsh` crate is for. Tests hold one against
//! the other.

use divvy_core::Error;

use crate::address::Address;
use crate::instruction::{Access, Instruction, discriminator};
use crate::message::unfit;
use crate::wire::{Writer, malformed};

/// One argument, or a part of one.
///
/// ```
/// use divvy_solana::anchor::Value;
///
/// let sale = Value::Record(vec![Value::U64(42), Value::Text("x".into())]);
/// assert_eq!(sale.encode()?, [42, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, b'x']);
/// // Items of a list are of one kind, or a program would read what nobody meant.
/// assert!(Value::List(vec![Value::U8(1), Value::U64(2)]).encode().is_err());
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// `bool`
    Bool(bool),
    /// `u8`
    U8(u8),
    /// `u16`
    U16(u16),
    /// `u32`
    U32(u32),
    /// `u64`
    U64(u64),
    /// `u128`
    U128(u128),
    /// `i8`
    I8(i8),
    /// `i16`
    I16(i16),
    /// `i32`
    I32(i32),
    /// `i64`
    I64(i64),
    /// `i128`
    I128(i128),
    /// `String`
    Text(String),
    /// `Vec<u8>`, with its length in front.
    Bytes(Vec<u8>),
    /// `[u8; N]`: as many bytes as the program knows, without a length.
    Fixed(Vec<u8>),
    /// `Pubkey`
    Key(Address),
    /// `Vec<T>`: items of one kind, with their number in front.
    List(Vec<Self>),
    /// `Option<T>`
    Maybe(Option<Box<Self>>),
    /// A struct or a tuple: its fields in their order.
    Record(Vec<Self>),
    /// An enum: which of its variants, counted from zero, and the fields of that one.
    Variant(u8, Vec<Self>),
}

impl Value {
    /// Its bytes in Borsh.
    ///
    /// # Errors
    /// [`divvy_core::Code::WireMalformed`] for a list of items of several kinds, and
    /// [`divvy_core::Code::WireUnfit`] for a length that no transaction holds.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        self.write(Writer::default()).map(Writer::done)
    }

    fn write(&self, out: Writer) -> Result<Writer, Error> {
        Ok(match self {
            Self::Bool(yes) => out.byte(u8::from(*yes)),
            Self::U8(number) => out.byte(*number),
            Self::U16(number) => out.u16(*number),
            Self::U32(number) => out.u32(*number),
            Self::U64(number) => out.u64(*number),
            Self::U128(number) => out.bytes(&number.to_le_bytes()),
            Self::I8(number) => out.bytes(&number.to_le_bytes()),
            Self::I16(number) => out.bytes(&number.to_le_bytes()),
            Self::I32(number) => out.bytes(&number.to_le_bytes()),
            Self::I64(number) => out.i64(*number),
            Self::I128(number) => out.bytes(&number.to_le_bytes()),
            Self::Text(text) => out.u32(count(text.len())?).bytes(text.as_bytes()),
            Self::Bytes(bytes) => out.u32(count(bytes.len())?).bytes(bytes),
            Self::Fixed(bytes) => out.bytes(bytes),
            Self::Key(address) => out.address(address),
            Self::List(items) => {
                let alike = |pair: &[Self]| matches!(pair, [one, other] if one.is_like(other));
                if !items.windows(2).all(alike) {
                    return Err(malformed("a list holds items of several kinds"));
                }
                all(items, out.u32(count(items.len())?))?
            }
            Self::Maybe(None) => out.byte(0),
            Self::Maybe(Some(value)) => value.write(out.byte(1))?,
            Self::Record(fields) => all(fields, out)?,
            Self::Variant(which, fields) => all(fields, out.byte(*which))?,
        })
    }

    /// Whether both can stand in one list. What is absent, and an empty list, are like any other;
    /// variants of one enum differ in what they hold.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Maybe(Some(one)), Self::Maybe(Some(two))) => one.is_like(two),
            (Self::List(one), Self::List(two)) => match (one.first(), two.first()) {
                (Some(one), Some(two)) => one.is_like(two),
                (None, _) | (_, None) => true,
            },
            (Self::Record(one), Self::Record(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.is_like(two))
            }
            (Self::Fixed(one), Self::Fixed(two)) => one.len() == two.len(),
            _ => core::mem::discriminant(self) == core::mem::discriminant(other),
        }
    }
}

/// An instruction of an Anchor program.
///
/// ```
/// use divvy_solana::{Access, Address, Extra, anchor};
///
/// let [program, till, vault] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
/// let call = anchor::Call {
///     program,
///     name: "settle_payout".into(),
///     accounts: vec![Access::signing(till).written(), Access::writing(vault)],
///     arguments: vec![anchor::Value::U64(7)],
/// };
/// let order = call.instruction()?;
/// assert_eq!(order.data[..8], [0xf5, 0x8d, 0x1d, 0x51, 0xd1, 0x49, 0xb4, 0x9b]);
/// // It stands among the orders of a settlement like any other.
/// let extra = Extra { units_max: 60_000, steps_inner_max: 3, ..Extra::new(order) };
/// assert_eq!(extra.instruction.data.len(), 16);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an order, written as a literal")]
pub struct Call {
    /// The program.
    pub program: Address,
    /// The instruction, as the program's source spells it: `settle_payout`.
    pub name: String,
    /// In the order of the program's own list. An account that may be absent and is, is named by
    /// the program's address.
    pub accounts: Vec<Access>,
    /// In the order of its parameters.
    pub arguments: Vec<Value>,
}

impl Call {
    /// The order as bytes.
    ///
    /// # Errors
    /// [`divvy_core::Code::WireMalformed`] for a name that no source spells so, since its eight
    /// bytes would name nothing; the errors of [`Value::encode`].
    pub fn instruction(&self) -> Result<Instruction, Error> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = self.name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if !begins || !self.name.chars().all(fits) {
            return Err(malformed("an instruction is named as its source has it, like mint_one"));
        }
        let tag = discriminator(&format!("global:{}", self.name));
        self.tagged(&tag)
    }

    /// The same for a program that names its instructions by bytes of its own, as the description
    /// of a newer one may say.
    ///
    /// # Errors
    /// As for [`Value::encode`].
    pub fn tagged(&self, tag: &[u8]) -> Result<Instruction, Error> {
        let data = all(&self.arguments, Writer::default().bytes(tag))?;
        Ok(Instruction::new(self.program, self.accounts.clone(), data))
    }
}

fn all(values: &[Value], out: Writer) -> Result<Writer, Error> {
    values.iter().try_fold(out, |out, value| value.write(out))
}

fn count(length: usize) -> Result<u32, Error> {
    u32::try_from(length).map_err(|_| unfit("an argument is longer than any transaction"))
}

#[cfg(test)]
mod tests;
