//! One error type: a stable code to branch on, and a sentence for people.

use core::fmt;

/// What went wrong, and what to do about it.
///
/// Branch on [`Error::code`] or on [`Error::who`]; the sentence may be reworded at any time.
/// A rail's refusal is not an error: money outcomes are data, so that nobody can lose one in a
/// `catch`.
///
/// ```
/// use divvy_core::{Amount, Code, Who};
///
/// let error = Amount::new(u64::MAX).unwrap_err();
/// assert_eq!(error.code(), Code::AmountAboveCeiling);
/// assert_eq!(error.who(), Who::You);
/// assert!(error.to_string().contains("18446744073709551615"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    detail: Box<str>,
}

/// Who can mend an error.
///
/// ```
/// use divvy_core::{Code, Who};
///
/// let advice = |code: Code| match code.who() {
///     Who::You => "fix the call",
///     Who::World => "try again later",
///     // A new one to blame may come; stopping is never wrong.
///     Who::Us | _ => "stop and report it",
/// };
/// // Being late is no mistake: read again and go on.
/// assert_eq!(advice(Code::AddressTaken), "try again later");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Who {
    /// The call differs from what was asked for: change the call.
    You,
    /// The world was not ready: try again later.
    World,
    /// A promise of ours is broken: stop and report it.
    Us,
}

impl Error {
    /// Makes an error from its code and a lower-case sentence that names the value and the remedy.
    ///
    /// ```
    /// use divvy_core::{Code, Error};
    ///
    /// let error = Error::new(Code::AssetUnknown, "unknown asset XYZ: write it as XYZ@decimals");
    /// assert_eq!(error.code().number(), 1003);
    /// ```
    #[must_use]
    pub fn new(code: Code, detail: impl Into<Box<str>>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// The stable part of the error.
    ///
    /// ```
    /// # use divvy_core::{Code, Error};
    /// assert_eq!(Error::new(Code::AddressTaken, "").code(), Code::AddressTaken);
    /// ```
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Who can mend it.
    ///
    /// ```
    /// # use divvy_core::{Code, Error, Who};
    /// assert_eq!(Error::new(Code::AddressTaken, "").who(), Who::World);
    /// ```
    #[must_use]
    pub const fn who(&self) -> Who {
        self.code.who()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({}): {}", self.code, self.code.number(), self.detail)
    }
}

impl core::error::Error for Error {}

/// Declares the codes once: name, number, who, meaning.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $who:ident;)+) => {
        /// The stable part of an [`Error`]: append-only, numbered in ranges per room.
        ///
        /// ```
        /// use divvy_core::Code;
        ///
        /// assert_eq!(Code::AmountAboveCeiling.number(), 1001);
        /// assert_eq!(Code::AmountAboveCeiling.name(), "amount_above_ceiling");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The number that every language shares.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number),+ }
            }

            /// Who can mend an error with this code.
            #[must_use]
            pub const fn who(self) -> Who {
                match self { $(Self::$name => Who::$who),+ }
            }

            const fn camel(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

codes! {
    /// A value is beyond `i64::MAX` minor units.
    AmountAboveCeiling = 1001, You;
    /// Decimal text that is not an exact amount of its asset.
    AmountMalformed = 1002, You;
    /// An asset that is neither in the table nor spelled with its decimals.
    AssetUnknown = 1003, You;
    /// A subtraction would go below zero.
    AmountBelowZero = 1004, You;
    /// Text that is no RFC 3339 time.
    TimeMalformed = 1005, You;

    /// Nobody to share with, or only zero weights.
    SplitEmpty = 1101, You;
    /// A rule whose legs would leave or lack a unit.
    SplitLeaky = 1102, You;
    /// A portion, cap, weight or threshold that makes no sense.
    SplitMalformed = 1103, You;

    /// Units to move, redeem or issue that the holder or the supply does not have.
    PoolUnits = 1201, You;
    /// Nobody holds a unit, so nothing can be declared.
    PoolEmpty = 1202, You;
    /// The pool's own invariant does not hold.
    PoolBroken = 1203, Us;
    /// A name that is no pool of this book.
    PoolUnknown = 1204, You;
    /// Units that would lead a pool's money back to itself.
    PoolCircle = 1205, You;

    /// The same payment was recorded with another body.
    PaymentConflict = 1301, You;
    /// A payment that lacks a field, or has one that makes no sense.
    PaymentMalformed = 1302, You;
    /// A payment that is not there, or whose part was declared already.
    PaymentNotDeclarable = 1303, You;
    /// A payment that is not recorded, or a reversal that never was.
    PaymentUnknown = 1304, World;

    /// A policy that can never be met, or lies below the book's floor.
    PolicyMalformed = 1401, You;
    /// Nobody quotes the rate or the fee that is needed.
    QuoteMissing = 1402, World;
    /// A rate or a fee that was quoted too long ago.
    QuoteOld = 1403, World;
    /// A rate that converts nothing, or cannot be held exactly.
    RateMalformed = 1404, You;
    /// A payee who cannot be paid on demand, and why.
    DemandRefused = 1405, You;

    /// A name that is no book here.
    BookUnknown = 1501, You;
    /// One of the book's equations does not hold.
    BookUnbalanced = 1502, Us;
    /// A name that is no payee of this book.
    PayeeUnknown = 1503, You;
    /// No rule is in force at the payment's time, or it names another asset.
    RuleMissing = 1504, You;
    /// A book that was opened before with other settings.
    BookConflict = 1505, You;
    /// A name that is empty, too long, or holds a character that a stream's name cannot.
    NameMalformed = 1506, You;
    /// A person whom somebody else has brought already, or who would stand in a circle.
    UplineConflict = 1507, You;
    /// A division that differs from what its rule says.
    DivisionWrong = 1508, Us;

    /// A step that the batch's state does not allow.
    BatchState = 1601, Us;
    /// A batch whose lines may no longer be paid as planned.
    BatchStale = 1602, World;
    /// A name that is no batch of this book.
    BatchUnknown = 1603, You;
    /// Too few people have approved, or approvals are not asked for.
    ApprovalMissing = 1604, You;
    /// A signature that is not of the person, or not of what they are said to have signed.
    SignatureWrong = 1605, You;
    /// A verdict about a try that the rail's own listing does not bear out.
    ReviewUnproven = 1606, You;
    /// A verdict about a batch that waits for nobody, as somebody decided before.
    ReviewOver = 1607, You;

    /// Bytes that are not the one encoding of a fact.
    FactMalformed = 1701, Us;
    /// A kind or version that this build does not know.
    FactUnknown = 1702, You;
    /// A stored hash that differs from the fact's own.
    FactTampered = 1703, Us;
    /// A fact whose predecessor is absent.
    FactOrphan = 1704, Us;

    /// A declaration or a fact that allows no proof.
    ProofMissing = 1705, You;
    /// A proof that does not lead to the root.
    ProofWrong = 1706, You;

    /// A reply that the rail cannot read.
    RailReply = 1801, World;
    /// A payee, wallet or setting that the rail cannot serve.
    RailRefused = 1802, You;
    /// The rail shows tries that our facts do not know: an older copy is in place of a newer one.
    RailAhead = 1803, You;

    /// The address is taken: someone was quicker; read again.
    AddressTaken = 1901, World;
    /// The host could not say whether it committed: read back before going on.
    CommitUnknown = 1902, World;
    /// The store is missing, read-only, full or damaged.
    StoreUnusable = 1903, World;
    /// A file that is not Divvy's, or of a newer version.
    StoreForeign = 1904, You;
    /// The clock runs ahead of what the rails and the facts say.
    ClockAhead = 1905, You;
    /// The database is not the one that these cursors came from.
    EpochChanged = 1906, You;
    /// A setting, file or argument that makes no sense.
    InputMalformed = 1907, You;
    /// A file that cannot be read or written.
    FileUnusable = 1908, You;
    /// A webhook that nobody who shares a secret has signed, or too long ago.
    WebhookForged = 1909, You;

    /// Other funds under a known id, or a week that cannot be closed like this.
    TreasuryConflict = 2001, You;
    /// What a person says in a book that knows people, and none of them has signed.
    ActUnsigned = 2002, You;
    /// A rail that asks more for a batch than its book pays, or than people have approved.
    FeeAboveCeiling = 2003, World;

    /// An id that is no open break of this book.
    BreakUnknown = 2101, You;
    /// A comparison that lost an entry, or counted one twice.
    ReconcileIncomplete = 2102, Us;

    /// A name that is no webhook of this book, or of these settings.
    WebhookUnknown = 2201, You;
    /// An endpoint that did not take a message.
    WebhookUnheard = 2202, World;

    /// Text or seeds that make no address of a chain.
    AddressMalformed = 2301, You;
    /// A key file that is none, or whose halves do not match.
    KeyMalformed = 2302, You;
    /// Bytes that are not the one encoding of a chain's transaction.
    WireMalformed = 2303, You;
    /// A transaction that no node of its chain would take.
    WireUnfit = 2304, You;
    /// A payment link that is none, or that can be read in two ways.
    LinkMalformed = 2305, You;
    /// A transaction handed over to be signed that is not what was agreed.
    TransactionDiffers = 2306, You;
}

impl Code {
    /// The name that every language shares, in snake case.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in self.camel().chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}
