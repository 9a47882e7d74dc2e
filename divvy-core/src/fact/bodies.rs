//! What each kind of fact says, field by field.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::asset::Asset;
use crate::fact::hash::Hash;
use crate::fact::stream::Stream;
use crate::name::Name;
use crate::policy::Policy;
use crate::pool::{Index, Units};
use crate::proof::Holders;
use crate::time::Time;

/// Derives what every body has.
macro_rules! bodies {
    (
        $($(#[doc = $doc:literal])+ $name:ident { $($(#[$meta:meta])+ $field:ident: $type:ty,)* })+
    ) => {
        $(
            $(#[doc = $doc])+
            ///
            /// ```
            #[doc = concat!("use divvy_core::", stringify!($name), ";")]
            ///
            /// // Plain data: two are the same when all that they say is the same.
            #[doc = concat!("fn same(pair: &[", stringify!($name), "; 2]) -> bool {")]
            ///     pair[0] == pair[1]
            /// }
            /// ```
            #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
            #[cbor(map)]
            #[expect(clippy::exhaustive_structs, reason = "a new field is a new version")]
            pub struct $name { $($(#[$meta])+ pub $field: $type,)* }
        )+
    };
}

pub(super) use bodies;

bodies! {
    /// How a book begins: its asset and what holds unless a payee says otherwise.
    Opened {
        /// The one asset of the book.
        #[n(0)] asset: Asset,
        /// The policy of payees who chose none.
        #[n(1)] policy: Policy,
        /// No payout line is smaller than this.
        #[n(2)] floor: Amount,
        /// A changed destination takes effect after so many seconds; a first one at once.
        #[n(3)] cooling_secs: u64,
        /// The rail over which payees without a destination are paid at their own name, if any.
        #[n(4)] #[serde(default, skip_serializing_if = "Option::is_none")]
        named_on: Option<Name>,
    }
    /// How a pool begins.
    PoolOpened {
        /// The supply that the pool is going to have; it fixes the scale.
        #[n(0)] supply: Units,
        /// Its money flows to the holders over so many milliseconds, and is not declared at once.
        #[n(1)] #[serde(default, skip_serializing_if = "Option::is_none")]
        flow_millis: Option<u64>,
        /// The form of the proofs that its declarations allow: 1, or none.
        #[n(2)] #[serde(default, skip_serializing_if = "Option::is_none")]
        proofs: Option<u32>,
        /// The payee whose earnings are this pool's: so a pool holds units of another one.
        #[n(3)] #[serde(default, skip_serializing_if = "Option::is_none")]
        payee: Option<Name>,
    }
    /// New units.
    Issued {
        /// Holder and units, in order.
        #[n(0)] entries: Vec<(Name, Units)>,
    }
    /// Units on the move.
    Moved {
        /// Who gives.
        #[n(0)] from: Name,
        /// Who gets.
        #[n(1)] to: Name,
        /// How many.
        #[n(2)] units: Units,
    }
    /// Units taken out.
    Redeemed {
        /// Whose.
        #[n(0)] holder: Name,
        /// How many.
        #[n(1)] units: Units,
    }
    /// A declaration, at the record date that its place in the stream gives it.
    Declared {
        /// The payments whose part for this pool it distributes.
        #[n(0)] payments: Vec<Stream>,
        /// Their parts together.
        #[n(1)] gross: Amount,
        /// The pool's index afterwards, so that anyone can check the step.
        #[n(2)] index: Index,
        /// What was kept back of it, for money that had gone back after it was declared.
        #[n(3)] #[serde(default, skip_serializing_if = "Option::is_none")]
        netted: Option<Amount>,
        /// What was added to it, of money that had gone back and came again.
        #[n(4)] #[serde(default, skip_serializing_if = "Option::is_none")]
        regained: Option<Amount>,
        /// Who held units, so that each can prove their part.
        #[n(5)] #[serde(default, skip_serializing_if = "Option::is_none")]
        holders: Option<Holders>,
        /// What was added to it, of what the pool's payee had earned.
        #[n(6)] #[serde(default, skip_serializing_if = "Option::is_none")]
        drawn: Option<Amount>,
    }
    /// What a payee chose. What is absent stays as it was.
    PayeeSet {
        /// Where to pay.
        #[n(0)] #[serde(default, skip_serializing_if = "Option::is_none")]
        destination: Option<Destination>,
        /// When to pay.
        #[n(1)] #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<Policy>,
    }
    /// A place where a payee can be paid.
    Destination {
        /// The rail.
        #[n(0)] rail: Name,
        /// The address in the rail's own form.
        #[n(1)] address: String,
    }
    /// A hold. Accrual goes on, planning skips the payee.
    Held {
        /// Why.
        #[n(0)] reason: String,
        /// The batch that caused it, if one did.
        #[n(1)] #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Stream>,
    }
    /// The end of a hold.
    Released {
        /// Why.
        #[n(0)] reason: String,
    }
    /// Money that came in, for one book.
    Recorded {
        /// The book.
        #[n(0)] book: Name,
        /// How much, in the book's asset.
        #[n(1)] amount: Amount,
        /// Who paid, as the source names them.
        #[n(2)] #[serde(default, skip_serializing_if = "Option::is_none")]
        payer: Option<String>,
        /// When the provider says that it happened.
        #[n(3)] event_at: Time,
        /// What came in and at which rate, when that was another asset.
        #[n(4)] #[serde(default, skip_serializing_if = "Option::is_none")]
        converted: Option<Converted>,
        /// How we know. It does not count when bodies are compared.
        #[n(5)] evidence: Evidence,
        /// What the provider kept back at receipt: it is never divided. In the book's asset.
        #[n(6)] #[serde(default, skip_serializing_if = "Option::is_none")]
        withheld: Option<Amount>,
        /// The fact of the book's rule stream whose rule divides it, as the recorder knew it; none
        /// named means the book's first rule. It does not count when bodies are compared.
        #[n(7)] #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<u64>,
    }
    /// A conversion at a rate that is locked: a later market move changes nothing.
    Converted {
        /// What came in.
        #[n(0)] asset: Asset,
        /// How much of it.
        #[n(1)] amount: Amount,
        /// The rate's numerator: minor units of the book's asset…
        #[n(2)] #[serde(with = "crate::fact::text::digits")]
        rate_num: u64,
        /// …for so many minor units of the asset that came in.
        #[n(3)] #[serde(with = "crate::fact::text::digits")]
        rate_den: u64,
        /// Who quoted the rate.
        #[n(4)] source: String,
        /// When it was quoted.
        #[n(5)] quoted_at: Time,
    }
    /// How we know something.
    Evidence {
        /// Who said so: a file and line, an endpoint, a person.
        #[n(0)] source: String,
        /// The hash of all that was said.
        #[n(1)] hash: Hash,
        /// What was said, as far as it is short.
        #[n(2)] #[serde(default, skip_serializing_if = "String::is_empty")]
        said: String,
    }
    /// A payout run.
    Run {
        /// How many batches were planned with it.
        #[n(0)] batches: u32,
        /// How many lines they have together.
        #[n(1)] lines: u32,
        /// What they pay together.
        #[n(2)] total: Amount,
        /// The hash over the batches' first facts, in order.
        #[n(3)] digest: Hash,
    }
    /// A batch as planned. It moves whole or not at all.
    Planned {
        /// The rail that is to move it.
        #[n(0)] rail: Name,
        /// The wallet that is to pay it.
        #[n(1)] wallet: Name,
        /// Who gets how much, and where.
        #[n(2)] lines: Vec<Line>,
    }
    /// A try: bytes that can move money, and how it is known whether they did.
    Signed {
        /// The rail's name for the try, known before sending.
        #[n(0)] reference: String,
        /// What is sent, without secrets.
        #[n(1)] #[cbor(with = "minicbor::bytes")] #[serde(with = "crate::fact::text::hex")]
        bytes: Vec<u8>,
        /// How long the same bytes may be sent.
        #[n(2)] window: Window,
        /// No request of this try starts later.
        #[n(3)] deadline: Time,
        /// Who alone may send it, when the window is `Once`.
        #[n(4)] #[serde(default, skip_serializing_if = "Option::is_none")]
        sender: Option<Sender>,
        /// The hash of the lines that the bytes pay.
        #[n(5)] lines: Hash,
        /// What it claimed of the wallet.
        #[n(6)] #[serde(default, skip_serializing_if = "Vec::is_empty")]
        claims: Vec<String>,
    }
    /// The one process that may send a try, and the random id drawn for that one commit.
    Sender {
        /// The process.
        #[n(0)] process: String,
        /// Drawn anew for each commit.
        #[n(1)] try_id: Hash,
    }
    /// Something of a wallet that a try needs for itself.
    Claimed {
        /// What was claimed.
        #[n(0)] coins: Vec<String>,
        /// The batch whose try needs it.
        #[n(1)] batch: Stream,
    }
    /// The rail took a try; nothing is final yet.
    Sent {
        /// The try.
        #[n(0)] reference: String,
    }
    /// A try is final.
    Settled {
        /// The try.
        #[n(0)] reference: String,
        /// How we know.
        #[n(1)] evidence: Evidence,
        /// What the rail moved instead, when that was another asset: what it was worth in the
        /// book's asset, and at which rate.
        #[n(2)] #[serde(default, skip_serializing_if = "Option::is_none")]
        moved: Option<Converted>,
    }
    /// A try can never move money.
    Voided {
        /// The try.
        #[n(0)] reference: String,
        /// How we know.
        #[n(1)] evidence: Evidence,
    }
    /// The rail will not do it, and nothing moved or will.
    Refused {
        /// The try.
        #[n(0)] reference: String,
        /// Why, in the rail's words.
        #[n(1)] reason: String,
        /// The line that is to blame, if the rail names one.
        #[n(2)] #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// How we know.
        #[n(3)] evidence: Evidence,
    }
    /// The rail will not do it, nothing moved or will, and no payee is to blame.
    Declined {
        /// The try.
        #[n(0)] reference: String,
        /// Why, in the rail's words.
        #[n(1)] reason: String,
        /// How we know.
        #[n(2)] evidence: Evidence,
    }
    /// Nobody but a person can tell what became of the tries.
    Review {
        /// Why.
        #[n(0)] reason: String,
    }
    /// A batch was given up while nothing of it could move.
    Cancelled {
        /// Why.
        #[n(0)] reason: String,
    }
    /// Settled money came back.
    Returned {
        /// The try.
        #[n(0)] reference: String,
        /// The lines that came back; none named means all of them.
        #[n(1)] #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<u32>,
        /// Why, in the rail's words.
        #[n(2)] reason: String,
        /// How we know.
        #[n(3)] evidence: Evidence,
    }
    /// A final movement was undone by the rail itself.
    Reopened {
        /// The try.
        #[n(0)] reference: String,
        /// How we know.
        #[n(1)] evidence: Evidence,
    }
}

/// One line of a batch: who gets how much, and where.
///
/// ```
/// use divvy_core::{Amount, Line, Name};
///
/// let (payee, to) = (Name::new("alice")?, "alice@pay.example".into());
/// let line = Line { payee, amount: Amount::new(970)?, to, to_n: Some(0), fee: None };
/// assert_eq!(line.debit()?, line.amount);
/// // Who bears a fee gets less than they are debited.
/// assert_eq!(Line { fee: Some(Amount::new(30)?), ..line }.debit()?.get(), 1_000);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
#[expect(clippy::exhaustive_structs, reason = "a new field is a new version of its kind")]
pub struct Line {
    /// Who.
    #[n(0)]
    pub payee: Name,
    /// How much arrives.
    #[n(1)]
    pub amount: Amount,
    /// Where, in the rail's own form.
    #[n(2)]
    pub to: String,
    /// Which fact of the payee's stream says so; none when they are paid at their own name.
    #[n(3)]
    pub to_n: Option<u64>,
    /// What they are debited beside it, because they bear so much of the rail's fee.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Amount>,
}

/// How long the same bytes may be sent, and what proves that they never will move money.
///
/// ```
/// use divvy_core::{Time, Window};
///
/// assert_ne!(Window::Once, Window::Until(Time::ZERO));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Window {
    /// The same bytes may be sent for ever; the rail moves them once.
    #[n(0)]
    Unlimited,
    /// The rail remembers the reference until then; nothing is sent later.
    #[n(1)]
    Until(#[n(0)] Time),
    /// The rail forgets the bytes after this height.
    #[n(2)]
    UntilHeight(#[n(0)] u64),
    /// The rail remembers nothing: sent once, by one process, or never.
    #[n(3)]
    Once,
}
