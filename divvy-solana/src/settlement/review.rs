//! What a co-signer looks at: whether the bytes they are given say what was agreed, and nothing
//! beyond it.

use core::fmt;
use std::collections::BTreeMap;

use divvy_core::{Code, Error};

use crate::address::Address;
use crate::instruction::{Access, Instruction};
use crate::lifetime::Lifetime;
use crate::message::{Format, Message, Table};
use crate::settlement::plan::Settling;
use crate::settlement::step::{Act, Order};
use crate::transaction::Transaction;

/// Something in a transaction that was not agreed.
///
/// ```
/// use divvy_solana::{Act, Difference};
///
/// let found = Difference::Amount { act: Act::Pay("author".into()), agreed: 70, found: 71 };
/// assert_eq!(found.to_string(), "the transfer to author moves 71, and 70 were agreed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// It is of another format.
    Format,
    /// Somebody else pays the fee.
    Payer(Address),
    /// It lives by another blockhash, or by a nonce.
    Lifetime(Lifetime),
    /// It may use, or offers, something else.
    Limits,
    /// It draws addresses from a table that was not agreed, or lacks one that was.
    Tables,
    /// It draws an address from a table that holds none at that place, or names one twice.
    Unresolved,
    /// An order is missing.
    Missing(Act),
    /// There is an order that nobody agreed to, to this program.
    Added(Address),
    /// Another program is told.
    Program {
        /// What the order was for.
        act: Act,
        /// Who is told.
        found: Address,
    },
    /// Another account stands at a place.
    Account {
        /// What the order was for.
        act: Act,
        /// At which place of the order.
        place: usize,
        /// What stands there; nothing if it ends before.
        found: Option<Address>,
    },
    /// Another amount moves.
    Amount {
        /// What the order was for.
        act: Act,
        /// What was agreed.
        agreed: u64,
        /// What it says.
        found: u64,
    },
    /// An order says something else.
    Data(Act),
    /// An account signs, or is written, that should not, or the other way round.
    Role(Address),
    /// It names an account that no order needs.
    Stray(Address),
    /// A signature that is there is not theirs over this message.
    Signature(Address),
}

impl Settling {
    /// What in a transaction is not as agreed; nothing when it does exactly this. Keys may stand in
    /// another order, as other libraries have them: what counts is what each order says.
    ///
    /// The agreement is the plan that whoever asks has made for themselves, and the lifetime that
    /// they were told and looked up: one that ends soon.
    #[must_use]
    pub fn differences(&self, given: &Transaction, lifetime: Lifetime) -> Vec<Difference> {
        let mut found = Vec::new();
        let message = given.message();
        let Ok(agreed) = self.message(lifetime) else { return vec![Difference::Format] };
        if !agreed.is_like(message) {
            found.push(Difference::Format);
        }
        if let Some(payer) = message.payer().filter(|payer| **payer != self.payer) {
            found.push(Difference::Payer(*payer));
        }
        if message.lifetime() != lifetime {
            found.push(Difference::Lifetime(message.lifetime()));
        }
        if message.limits() != agreed.limits() {
            found.push(Difference::Limits);
        }
        if sorted(message.tables()) != sorted(agreed.tables()) {
            found.push(Difference::Tables);
        }
        let tables = self.tables();
        match (message.instructions(tables), roles(message, tables)) {
            (Ok(orders), Some(roles)) => {
                found.extend(of_orders(&self.orders, &orders));
                found.extend(of_roles(&agreed, tables, &roles));
            }
            (Ok(_) | Err(_), _) => found.push(Difference::Unresolved),
        }
        let signed = message.signers().iter().zip(given.signatures());
        let forged = signed.filter(|(signer, signature)| {
            !signature.is_absent() && !signature.is_of(signer, given.to_sign())
        });
        found.extend(forged.map(|(signer, _)| Difference::Signature(*signer)));
        found
    }

    /// Reads what somebody hands over to be signed, and refuses it unless it is what was agreed.
    /// What comes back is ready for [`Transaction::sign`], or for a keeper of keys elsewhere.
    ///
    /// # Errors
    /// [`Code::TransactionDiffers`] with everything that differs, by name; those of
    /// [`Transaction::decode`].
    pub fn receive(&self, bytes: &[u8], lifetime: Lifetime) -> Result<Transaction, Error> {
        let given = Transaction::decode(bytes)?;
        let found = self.differences(&given, lifetime);
        if found.is_empty() {
            return Ok(given);
        }
        let named: Vec<String> = found.iter().map(Difference::to_string).collect();
        let detail = format!("do not sign this: {}", named.join("; "));
        Err(Error::new(Code::TransactionDiffers, detail))
    }

    fn tables(&self) -> &[Table] {
        match &self.format {
            Format::V0(tables) => tables,
            Format::Legacy | Format::V1(_) => &[],
        }
    }
}

/// Order by order.
fn of_orders(agreed: &[Order], given: &[Instruction]) -> Vec<Difference> {
    let mut found = Vec::new();
    for (order, given) in agreed.iter().zip(given) {
        found.extend(of_order(order, given));
    }
    let missing = agreed.iter().skip(given.len());
    found.extend(missing.map(|order| Difference::Missing(order.act.clone())));
    let added = given.iter().skip(agreed.len());
    found.extend(added.map(|order| Difference::Added(order.program)));
    found
}

fn of_order(agreed: &Order, given: &Instruction) -> Vec<Difference> {
    let mut found = Vec::new();
    let Order { act, instruction } = agreed;
    if instruction.program != given.program {
        found.push(Difference::Program { act: act.clone(), found: given.program });
    }
    let places = instruction.accounts.len().max(given.accounts.len());
    for place in 0..places {
        let at = |order: &Instruction| order.accounts.get(place).map(|access| access.address);
        if at(instruction) != at(given) {
            found.push(Difference::Account { act: act.clone(), place, found: at(given) });
        }
    }
    if instruction.data != given.data {
        found.push(match (moved(act, &instruction.data), moved(act, &given.data)) {
            (Some(agreed), Some(other)) if agreed != other => {
                Difference::Amount { act: act.clone(), agreed, found: other }
            }
            _ => Difference::Data(act.clone()),
        });
    }
    found
}

/// The amount of a transfer, where an order is one.
fn moved(act: &Act, data: &[u8]) -> Option<u64> {
    let ((Act::Pay(_), [12, amount @ ..]) | (Act::Mint, [7, amount @ ..])) = (act, data) else {
        return None;
    };
    amount.first_chunk::<8>().copied().map(u64::from_le_bytes)
}

/// What each account may do; nothing when one is named twice or cannot be found.
fn roles(message: &Message, tables: &[Table]) -> Option<BTreeMap<Address, Access>> {
    let accesses = message.accesses(tables).ok()?;
    let count = accesses.len();
    let roles: BTreeMap<Address, Access> =
        accesses.into_iter().map(|access| (access.address, access)).collect();
    (roles.len() == count).then_some(roles)
}

/// Who signs and what is written, beyond what single orders show.
fn of_roles(
    agreed: &Message,
    tables: &[Table],
    given: &BTreeMap<Address, Access>,
) -> Vec<Difference> {
    let Some(agreed) = roles(agreed, tables) else { return vec![Difference::Unresolved] };
    let of_given = given.iter().filter_map(|(address, access)| match agreed.get(address) {
        None => Some(Difference::Stray(*address)),
        Some(other) if other != access => Some(Difference::Role(*address)),
        Some(_) => None,
    });
    let gone = agreed.keys().filter(|address| !given.contains_key(address));
    of_given.chain(gone.copied().map(Difference::Role)).collect()
}

fn sorted(mut addresses: Vec<Address>) -> Vec<Address> {
    addresses.sort_unstable();
    addresses
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => f.write_str("it is of another format"),
            Self::Payer(payer) => write!(f, "{payer} pays the fee"),
            Self::Lifetime(lifetime) => write!(f, "it lives by {lifetime}"),
            Self::Limits => f.write_str("it may use or offers something else"),
            Self::Tables => f.write_str("it draws from other lookup tables"),
            Self::Unresolved => f.write_str("an account cannot be found, or is named twice"),
            Self::Missing(act) => write!(f, "{act} is missing"),
            Self::Added(program) => write!(f, "it also gives an order to {program}"),
            Self::Program { act, found } => write!(f, "{act} goes to the program {found}"),
            Self::Account { act, place, found: Some(found) } => {
                write!(f, "{act} names {found} at place {place}")
            }
            Self::Account { act, place, found: None } => {
                write!(f, "{act} names nobody at place {place}")
            }
            Self::Amount { act, agreed, found } => {
                write!(f, "{act} moves {found}, and {agreed} were agreed")
            }
            Self::Data(act) => write!(f, "{act} says something else"),
            Self::Role(address) => write!(f, "{address} signs or is written otherwise"),
            Self::Stray(address) => write!(f, "it names {address}, which no order needs"),
            Self::Signature(signer) => write!(f, "the signature of {signer} is not theirs"),
        }
    }
}
