//! Pure money code: payments in, exact shares, payout batches, and proof, as facts and calls.
//!
//! Nothing here dials, sleeps, waits, or reads a clock, randomness or an environment: `now`, keys
//! and seeds are arguments. The whole outside world is what a host owns: it *commits* facts,
//! *reads* them, and *sends* requests. Everything else is a function of its arguments, so it can be
//! asked anywhere, at any time, after any crash, and tested to exhaustion.
//!
//! ```text
//!  Payment ──▶ Book::record ──▶ facts ──▶ commit                         no read, no lock
//!                                 │ since
//!  Pool ◀── Book::declare ◀──── Books ────▶ Book::balance, explain       a fold, and nothing else
//!                                 │
//!  Book::due ──▶ Rail::pack ──▶ Books::plan ──▶ Step ──▶ commit ──▶ Step::committed ──▶ Call
//!                                                                                        │
//!  Books ◀── commit ◀── Step ◀── Books::learn ◀── Rail::look ◀── Heard ◀── send ◀── Rail::submit
//! ```
//!
//! # In the order of the flow
//!
//! - **money** [`Amount`], [`Difference`], [`Asset`]; [`Time`], [`Name`]
//! - **split** [`split()`], [`Rule`], [`Legs`], [`Leg`], [`Ratio`], [`Carry`], [`Waterfall`]
//! - **pool** [`Pool`], [`Flow`], [`Holder`], [`Holdings`], [`Units`], [`Index`]
//! - **payment** [`Payment`], [`Movement`], [`Reversal`], made by [`danger`] or a rail's reads
//! - **policy** [`Policy`], [`Period`], [`FeeShare`], [`PayoutTerms`]
//! - **quote** [`FeeQuote`], [`Rate`], [`Rounding`]
//! - **book** [`Books`], [`Book`], [`Balance`], [`Expected`], [`Obstacle`], [`Wait`], [`Totals`]
//! - **batch** [`Due`], [`Plan`], [`Batch`], [`Try`], [`State`], [`Next`], [`Step`], [`Call`]
//! - **proof** [`Verify`], [`Verified`], [`Explanation`], [`Proof`], [`Holders`], [`Seals`]
//! - **treasury** [`Treasury`], [`TreasuryStatus`], [`Steady`], [`Projection`], [`Day`]
//! - **reconcile** [`reconcile()`], [`Entry`], [`Reconciliation`], [`Break`]
//! - **fact** [`Fact`], [`Body`] and its kinds, [`Stream`], [`Head`], [`Hash`](struct@Hash)
//! - **rail** [`Rail`], [`Request`], [`Reply`], [`Heard`], [`Turn`], [`Seen`], [`Answer`]
//! - **host** [`Cursor`], [`Page`], [`Manner`], [`Written`], [`check_clock`]
//! - **error** [`Error`], [`Code`], [`Who`]
//!
//! # From a payment to a settled batch
//!
//! A host would commit each step before feeding it back; here a vector is the database.
//!
//! ```
//! use divvy_core::danger::{Vouched, vouched};
//! use divvy_core::*;
//!
//! let now = Time::parse("2026-03-01T12:00:00Z")?;
//! let (usd, mut books) = (Asset::parse("USD")?, Books::default());
//! let (source, hash, said) = ("till roll".into(), Hash::of(b"7"), String::new());
//! let evidence = Evidence { source, hash, said };
//!
//! // A book that pays at once, over the sandbox, at each payee's own name.
//! let opened = Opened {
//!     asset: usd.clone(),
//!     policy: Policy::Instant,
//!     floor: Amount::ONE,
//!     cooling_secs: 86_400,
//!     named_on: Some(Name::new("sandbox")?),
//! };
//! books.feed(books.open(&Name::new("chapter-42")?, opened, now)?.facts())?;
//! let leg = |name: &str, share| Leg { to: Target::Payee(name.into()), share };
//! let fee = leg("platform", Share::Portion(Ratio::parse("10%")?));
//! let legs = Legs::new(vec![fee, leg("alice", Share::Remaining)])?;
//! books.feed(books.book("chapter-42")?.set_rule(now, legs, now)?.facts())?;
//!
//! // 12.34 comes in. The odd cent goes to the larger remainder.
//! let payment = Vouched {
//!     source: Name::new("till")?,
//!     account: Name::new("main")?,
//!     id: Name::new("receipt-7")?,
//!     amount: usd.amount("12.34")?,
//!     asset: usd.clone(),
//!     payer: None,
//!     event_at: now,
//!     evidence: evidence.clone(),
//! };
//! books.feed(&books.book("chapter-42")?.record(&[vouched(payment, &usd)?], now)?)?;
//! assert_eq!(usd.text(books.book("chapter-42")?.balance("alice", now)?.payable), "11.11");
//!
//! // Everyone who is due, as one batch. A rail would pack and sign it; here it is signed by hand.
//! let lines = books.book("chapter-42")?.due(now)?.remove(0).lines;
//! let signed = Signed {
//!     reference: "try-1".into(),
//!     bytes: b"pay them".to_vec(),
//!     window: Window::Unlimited,
//!     deadline: now.plus_secs(300),
//!     sender: None,
//!     lines: Line::hash(&lines),
//!     claims: vec![],
//! };
//! let planned = Planned { rail: Name::new("sandbox")?, wallet: Name::new("till")?, lines };
//! let step = books.plan("chapter-42", &[Plan { planned, signed }], now)?;
//! let mut stored = step.facts().to_vec();
//! books.feed(step.facts())?;
//!
//! // Only a step that was committed gives the call that moves money.
//! let call = step.committed().remove(0);
//! let own = |facts: &[Fact]| -> Result<Batch, Error> {
//!     let own = facts.iter().filter(|fact| fact.stream == call.batch);
//!     Batch::fold(&own.cloned().collect::<Vec<_>>())
//! };
//!
//! // The rail says that it is final, and the money is where it belongs.
//! let answers = vec![Answer::Final];
//! let seen = Seen { answers, tip: None, evidence, bills: Vec::new() };
//! let timing = Timing { grace_secs: 60, deadline_secs_max: 300, watch_secs: 0 };
//! let step = books.learn(&own(&stored)?, &seen, now, timing)?;
//! stored.extend(step.facts().iter().cloned());
//! books.feed(step.facts())?;
//! assert_eq!(own(&stored)?.state(), State::Settled);
//! assert_eq!(usd.text(books.book("chapter-42")?.balance("alice", now)?.paid), "11.11");
//! books.book("chapter-42")?.check()?;
//! # Ok::<(), divvy_core::Error>(())
//! ```

mod amount;
mod asset;
mod batch;
mod book;
mod books;
mod checkpoint;
pub mod danger;
mod error;
mod explain;
mod fact;
mod host;
mod movement;
mod name;
mod policy;
mod pool;
mod proof;
mod quote;
mod rail;
mod reconcile;
mod signature;
mod split;
mod time;
mod treasury;
mod verify;

pub use amount::{Amount, Difference};
pub use asset::Asset;
pub use batch::{Batch, Call, Fate, Next, State, Step, Try};
pub use book::{
    Balance, Book, Break, BreakState, Demand, Due, Endpoint, Expected, Judge, Obstacle, Payment,
    PayoutTerms, Plan, RUN_LINES_MAX, Standing, Totals, Wait,
};
pub use books::{Books, Resolution, Shown, Verdict};
pub use error::{Code, Error, Who};
pub use explain::{Chapter, Explanation, Subject};
pub use fact::{
    Accrued, Alerted, Approved, Asked, Body, BreakCause, BreakClosed, BreakExplained, BreakFound,
    Brought, Cancelled, Cause, Charged, Claimed, Compounded, Consent, Converted, Decided, Declared,
    Declined, Demanded, Destination, Divided, Evidence, Extent, Fact, FeesSet, Figures, Flowing,
    Funds, Guarded, Hash, Head, Held, Issued, IssuerSet, KeyProof, Line, Lost, Mirrored, Moved,
    Opened, Part, Parts, PayeeSet, Person, Place, Planned, PoolOpened, Purpose, Recorded, Redeemed,
    Referred, Refused, Released, Reopened, Restored, Returned, Reversed, Review, RuleSet, Run,
    Sealed, Sender, Sent, Settled, Signed, Silence, Stated, Stream, Swapped, TermsSet, Voided,
    WebhookHeard, WebhookResumed, WebhookSilenced, WebhookUnheard, WeekClosed, Window,
};
pub use host::{Cursor, Manner, Page, Written, address_taken, check_clock, digest};
pub use movement::{Movement, Reversal, share_reversed};
pub use name::Name;
pub use policy::{FeeShare, Period, Policy};
pub use pool::{Flow, Holder, Holdings, Index, Pool, Units};
pub use proof::{
    Checked, Covered, Holders, Holding, Proof, SealedFact, Seals, StoredFact, merkle_path,
    merkle_root, merkle_root_by,
};
pub use quote::{FeeQuote, Rate, Rounding};
pub use rail::{
    Answer, Bill, Fee, Heard, Job, Pack, Rail, Reply, Request, Seen, Stranger, StrangerLine,
    Timing, Turn,
};
pub use reconcile::{
    Direction, Entry, Firmness, Found, Pile, Places, Reconciliation, Terms, break_id, reconcile,
};
pub use signature::{PublicKey, SecretKey, Signature};
pub use split::{
    AfterFee, Carried, Carry, Leg, Legs, Level, Ratio, Rule, Share, Shares, SignedShares, Target,
    Tier, Upline, Waterfall, portion_weights, split, split_after_fee, split_capped, split_signed,
};
pub use time::Time;
pub use treasury::{
    Alert, Day, FeeDrain, Health, Projection, Runway, Steady, Treasury, TreasuryStatus,
    TreasuryTerms, required_float,
};
pub use verify::{Verified, Verify};
