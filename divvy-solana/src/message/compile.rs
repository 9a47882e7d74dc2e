//! From instructions to a message: who signs and who is written comes first, each address once.

use std::collections::BTreeMap;

use divvy_core::Error;

use crate::address::Address;
use crate::instruction::{Instruction, system};
use crate::lifetime::Lifetime;
use crate::message::limits::unfit;
use crate::message::{Compiled, Header, Limits, Lookup, Message, Shape};

/// What a message is made of.
///
/// ```
/// use divvy_solana::{Address, Draft, Format, Lifetime, Limits, memo};
///
/// let payer = Address::new([1; 32]);
/// let limits = Limits {
///     compute_units: Some(1_000),
///     loaded_bytes: Some(262_144),
///     ..Limits::default()
/// };
/// let draft = Draft {
///     format: Format::V1(limits),
///     payer,
///     lifetime: Lifetime::new([9; 32]),
///     instructions: vec![memo::note("paid", &[payer])],
/// };
/// assert_eq!(draft.compile()?.signers(), [payer]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Draft {
    /// In which format.
    pub format: Format,
    /// Who pays the fee, and signs first.
    pub payer: Address,
    /// What ends its life.
    pub lifetime: Lifetime,
    /// What is to be done, in order.
    pub instructions: Vec<Instruction>,
}

/// The formats that the network takes.
///
/// ```
/// use divvy_solana::{Format, Limits};
///
/// // 4,096 bytes and 60 payees, where older formats have 1,232 and 20.
/// assert_ne!(Format::V1(Limits::default()), Format::Legacy);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The first one.
    Legacy,
    /// With addresses from these tables, where one stands in a table and need not stand in the
    /// message; a table that serves nobody is left out.
    V0(Vec<Table>),
    /// With its limits in its head.
    V1(Limits),
}

/// A lookup table, as it stands on the chain.
///
/// ```
/// use divvy_solana::{Address, Table};
///
/// let [table, member] = [1, 2].map(|byte| Address::new([byte; 32]));
/// let table = Table { address: table, addresses: vec![member] };
/// assert_eq!(table.addresses[0], member);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, as it was read")]
pub struct Table {
    /// Where it is.
    pub address: Address,
    /// What it holds, in order, 256 at most.
    pub addresses: Vec<Address>,
}

/// What all instructions together ask of an account.
#[derive(Clone, Copy, Default)]
struct Role {
    signs: bool,
    writes: bool,
    /// Programs must stand in the message itself, and so must a nonce that is used up.
    stays: bool,
}

impl Draft {
    /// The message. Addresses of the same role stand in the order of their bytes, as the official
    /// Rust library has them.
    ///
    /// # Errors
    /// [`divvy_core::Code::WireUnfit`] for one that is beyond what the network takes: too large,
    /// too many accounts, instructions or signatures, or a heap that it does not give.
    pub fn compile(&self) -> Result<Message, Error> {
        let mut roles = self.roles();
        roles.remove(&self.payer);
        let (mut lookups, mut writing, mut reading) = (Vec::new(), Vec::new(), Vec::new());
        if let Format::V0(tables) = &self.format {
            for table in tables {
                lookups.extend(drawn(table, &mut roles, &mut writing, &mut reading));
            }
        }
        let (header, addresses) = self.ordered(&roles)?;
        let all = addresses.iter().chain(&writing).chain(&reading);
        let places = all.enumerate().map(|(place, address)| Ok((*address, byte(place)?)));
        let places = places.collect::<Result<BTreeMap<Address, u8>, Error>>()?;
        let place = |address: &Address| places.get(address).copied().ok_or_else(too_many);
        let compiled = |order: &Instruction| {
            let accounts = order.accounts.iter().map(|access| place(&access.address));
            Ok(Compiled {
                program: place(&order.program)?,
                accounts: accounts.collect::<Result<_, Error>>()?,
                data: order.data.clone(),
            })
        };
        let message = Message {
            shape: match &self.format {
                Format::Legacy => Shape::Legacy,
                Format::V0(_) => Shape::V0(lookups),
                Format::V1(limits) => Shape::V1(*limits),
            },
            header,
            addresses,
            lifetime: self.lifetime,
            instructions: self.instructions.iter().map(compiled).collect::<Result<_, Error>>()?,
        };
        message.check()?;
        Ok(message)
    }

    fn roles(&self) -> BTreeMap<Address, Role> {
        let mut roles: BTreeMap<Address, Role> = BTreeMap::new();
        for order in &self.instructions {
            roles.entry(order.program).or_default().stays = true;
            for access in &order.accounts {
                let role = roles.entry(access.address).or_default();
                role.signs |= access.signs;
                role.writes |= access.writes;
            }
        }
        let nonce = self.instructions.first().filter(|order| system::is_advance_nonce(order));
        if let Some(access) = nonce.and_then(|order| order.accounts.first()) {
            roles.entry(access.address).or_default().stays = true;
        }
        roles
    }

    /// The payer, those who sign and are written, those who sign, those that are written, the rest.
    fn ordered(&self, roles: &BTreeMap<Address, Role>) -> Result<(Header, Vec<Address>), Error> {
        let of = |signs: bool, writes: bool| {
            let fits = move |role: &Role| role.signs == signs && role.writes == writes;
            let fitting = roles.iter().filter(move |(_, role)| fits(role));
            fitting.map(|(address, _)| *address).collect::<Vec<_>>()
        };
        let (paying, signing) = (of(true, true), of(true, false));
        let (written, read) = (of(false, true), of(false, false));
        let signers = paying.len().saturating_add(signing.len()).saturating_add(1);
        let header = Header {
            signers: byte(signers)?,
            reading_signers: byte(signing.len())?,
            reading_others: byte(read.len())?,
        };
        Ok((header, [vec![self.payer], paying, signing, written, read].concat()))
    }
}

/// Takes out of the roles what a table holds; those that sign or must stay are left.
fn drawn(
    table: &Table,
    roles: &mut BTreeMap<Address, Role>,
    writing: &mut Vec<Address>,
    reading: &mut Vec<Address>,
) -> Option<Lookup> {
    let mut places: BTreeMap<Address, u8> = BTreeMap::new();
    for (place, address) in table.addresses.iter().enumerate() {
        // An address that is there twice is named by its first place.
        let Ok(place) = u8::try_from(place) else { break };
        places.entry(*address).or_insert(place);
    }
    let mut lookup = Lookup { table: table.address, writing: Vec::new(), reading: Vec::new() };
    roles.retain(|address, role| {
        let place = places.get(address).filter(|_| !role.signs && !role.stays);
        let Some(place) = place else { return true };
        if role.writes {
            lookup.writing.push(*place);
            writing.push(*address);
        } else {
            lookup.reading.push(*place);
            reading.push(*address);
        }
        false
    });
    (!lookup.writing.is_empty() || !lookup.reading.is_empty()).then_some(lookup)
}

fn byte(count: usize) -> Result<u8, Error> {
    u8::try_from(count).map_err(|_| too_many())
}

fn too_many() -> Error {
    unfit("it names more than 256 accounts")
}
