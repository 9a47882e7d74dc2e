//! What each order of a settlement is for, so that whoever must sign it can be told by name.

use core::fmt;

use divvy_core::{Error, Stream};

use crate::instruction::{Instruction, memo};
use crate::settlement::refused;

/// One order of a settlement, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// What it is for.
    pub act: Act,
    /// The order.
    pub instruction: Instruction,
}

/// What an order of a settlement is for.
///
/// ```
/// use divvy_solana::Act;
///
/// assert_eq!(Act::Pay("author".into()).to_string(), "the transfer to author");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// Says what it may use, or what it offers.
    Allow,
    /// An order of the caller's, by its place among those before or after the rest.
    Extra(usize),
    /// Makes the edition's account.
    MakeMint,
    /// Says that the edition describes itself.
    Point,
    /// Makes a mint of the edition's account.
    Begin,
    /// Writes what the edition is called.
    Describe,
    /// Makes the buyer's account for the edition.
    MakeHome,
    /// Makes the one token of it.
    Mint,
    /// Gives up making more of it, for ever.
    Close,
    /// Makes the token account of a payee, by name.
    MakeAccount(String),
    /// Pays a payee, by name.
    Pay(String),
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("a limit"),
            Self::Extra(place) => write!(f, "the caller's order {place}"),
            Self::MakeMint => f.write_str("making the edition's account"),
            Self::Point => f.write_str("pointing the edition at its description"),
            Self::Begin => f.write_str("beginning the edition"),
            Self::Describe => f.write_str("the edition's description"),
            Self::MakeHome => f.write_str("making the buyer's account"),
            Self::Mint => f.write_str("minting the edition"),
            Self::Close => f.write_str("closing the edition"),
            Self::MakeAccount(name) => write!(f, "making the token account of {name}"),
            Self::Pay(name) => write!(f, "the transfer to {name}"),
        }
    }
}

/// An order of the caller's own, such as [`crate::anchor::Call`] makes, and what it takes at most.
///
/// ```
/// use divvy_solana::{Extra, memo};
///
/// let note = Extra::new(memo::note("order 7", &[]));
/// assert_eq!(note.steps_inner_max, 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Extra {
    /// The order.
    pub instruction: Instruction,
    /// The most compute units that it uses.
    pub units_max: u32,
    /// The most orders that its program gives to others.
    pub steps_inner_max: usize,
}

impl Extra {
    /// An order that uses what a program is given by default, and calls nobody.
    #[must_use]
    pub const fn new(instruction: Instruction) -> Self {
        Self { instruction, units_max: UNITS_DEFAULT, steps_inner_max: 0 }
    }

    /// A memo that names a batch of a book, as the rail's own payouts have it: what the till has
    /// signed under it is found by [`divvy_core::Rail::beyond`], and taken in by `divvy adopt`.
    /// Until then the book pays nobody over that till.
    ///
    /// ```
    /// use divvy_core::Stream;
    /// use divvy_solana::Extra;
    ///
    /// let tag = Extra::tag(&Stream::parse("batch/shop/7/0")?, 362_111_222)?;
    /// assert_eq!(tag.instruction.data, b"divvy:shop/7/0@362111222");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`divvy_core::Code::RailRefused`] for a stream that is no batch.
    pub fn tag(batch: &Stream, slot: u64) -> Result<Self, Error> {
        let named = batch.as_str().strip_prefix("batch/");
        let named = named.ok_or_else(|| refused(&format!("{batch} is no batch")))?;
        let note = memo::note(&format!("divvy:{named}@{slot}"), &[]);
        Ok(Self { instruction: note, units_max: UNITS_MEMO, steps_inner_max: 0 })
    }
}

/// What the network counts on for a program that says nothing.
const UNITS_DEFAULT: u32 = 200_000;

/// What a memo of a hundred bytes uses, and as much again.
const UNITS_MEMO: u32 = 20_000;
