//! What Divvy cannot check for you. Search for this word in a review.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::book::Payment;
use crate::error::Error;
use crate::fact::{Cause, Converted, Evidence, Stream};
use crate::movement::Reversal;
use crate::name::Name;
use crate::time::Time;

/// Does something on this thread, and computes each signature that holds once meanwhile, instead
/// of each time that its fact is folded. For simulations and tests, which fold the same facts again
/// and again: an engine that pays people computes them each time.
///
/// ```
/// use divvy_core::danger::remembering_signatures;
/// use divvy_core::{Hash, SecretKey};
///
/// let (key, digest) = (SecretKey::new(&[7; 32]), Hash::of(b"pay them"));
/// let signature = key.sign(&digest);
/// let held = remembering_signatures(|| {
///     (0..100).all(|_| key.public().has_signed(&digest, &signature))
/// });
/// assert!(held);
/// ```
pub fn remembering_signatures<T>(act: impl FnOnce() -> T) -> T {
    crate::signature::remembering(act)
}

/// A payment that nobody has verified: the caller vouches for it.
///
/// ```
/// use divvy_core::danger::Vouched;
/// use divvy_core::{Asset, Evidence, Hash, Name, Time};
///
/// let usd = Asset::parse("USD")?;
/// let receipt = Vouched {
///     source: Name::new("till")?,
///     account: Name::new("main")?,
///     id: Name::new("receipt-7")?,
///     amount: usd.amount("12.00")?,
///     asset: usd.clone(),
///     payer: None,
///     event_at: Time::ZERO,
///     evidence: Evidence { source: "till roll".into(), hash: Hash::of(b"7"), said: "12".into() },
/// };
/// assert_eq!(receipt.amount.get(), 1_200);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Vouched {
    /// Who says so, such as an import or a till.
    pub source: Name,
    /// The account that received it.
    pub account: Name,
    /// The id of the money's movement: never an event's id, which another event could repeat.
    pub id: Name,
    /// How much, in `asset`.
    pub amount: Amount,
    /// What came in.
    pub asset: Asset,
    /// Who paid, as the source names them.
    pub payer: Option<String>,
    /// When the provider says that it happened.
    pub event_at: Time,
    /// What the caller has seen.
    pub evidence: Evidence,
}

/// Takes the caller's word for a payment, in the asset of the book that it is for.
///
/// A payment in another asset is converted at par; use [`vouched_at`] for any other rate.
///
/// ```
/// use divvy_core::danger::{Vouched, vouched};
/// use divvy_core::{Asset, Evidence, Hash, Name, Time};
///
/// let usd = Asset::parse("USD")?;
/// let payment = vouched(
///     Vouched {
///         source: Name::new("till")?,
///         account: Name::new("main")?,
///         id: Name::new("receipt-7")?,
///         amount: usd.amount("12.00")?,
///         asset: usd,
///         payer: None,
///         event_at: Time::ZERO,
///         evidence: Evidence {
///             source: "till roll".into(),
///             hash: Hash::of(b"7"),
///             said: "12.00".into(),
///         },
///     },
///     &Asset::parse("USDC@6")?,
/// )?;
/// assert_eq!(payment.amount().get(), 12_000_000);
/// # Ok::<(), divvy_core::Error>(())
/// ```
///
/// # Errors
/// [`crate::Code::PaymentMalformed`] or [`crate::Code::AmountAboveCeiling`] when the amount does
/// not fit the book's asset.
pub fn vouched(said: Vouched, book: &Asset) -> Result<Payment, Error> {
    if said.asset == *book {
        let amount = said.amount;
        return Ok(payment(said, amount, None));
    }
    let converted = Converted::at_par(said.asset.clone(), said.amount, book, said.event_at)?;
    vouched_at(said, converted)
}

/// Takes the caller's word for a payment and for the rate that locks its amount.
///
/// # Errors
/// [`crate::Code::PaymentMalformed`] or [`crate::Code::AmountAboveCeiling`] when the rate gives no
/// amount that a book can hold.
///
/// ```
/// use divvy_core::danger::{Vouched, vouched_at};
/// use divvy_core::{Asset, Converted, Evidence, Hash, Name, Time};
///
/// let usd = Asset::parse("USD")?;
/// let receipt = Vouched {
///     source: Name::new("till")?,
///     account: Name::new("main")?,
///     id: Name::new("receipt-7")?,
///     amount: usd.amount("12.00")?,
///     asset: usd.clone(),
///     payer: None,
///     event_at: Time::ZERO,
///     evidence: Evidence { source: "till roll".into(), hash: Hash::of(b"7"), said: "12".into() },
/// };
/// // 12.00 USD at 0.97 are 11.64 USDT, whatever the market does later.
/// let converted = Converted {
///     asset: usd.clone(),
///     amount: receipt.amount,
///     rate_num: 9_700,
///     rate_den: 1,
///     source: "quoted at checkout".into(),
///     quoted_at: Time::ZERO,
/// };
/// assert_eq!(vouched_at(receipt, converted)?.amount().get(), 11_640_000);
/// # Ok::<(), divvy_core::Error>(())
/// ```
pub fn vouched_at(said: Vouched, converted: Converted) -> Result<Payment, Error> {
    let amount = converted.locked()?;
    Ok(payment(said, amount, Some(converted)))
}

fn payment(said: Vouched, amount: Amount, converted: Option<Converted>) -> Payment {
    Payment {
        stream: Stream::payment(&said.source, &said.account, &said.id),
        amount,
        payer: said.payer,
        event_at: said.event_at,
        converted,
        evidence: said.evidence,
        withheld: None,
    }
}

/// Money that goes back, which nobody has verified: the caller vouches for it.
///
/// ```
/// use divvy_core::danger::VouchedReversal;
/// use divvy_core::{Amount, Cause, Evidence, Hash, Stream, Time};
///
/// let refund = VouchedReversal {
///     payment: Stream::parse("payment/till/main/receipt-7")?,
///     id: "refund-1".into(),
///     cause: Cause::Refund,
///     amount: Amount::new(500)?,
///     event_at: Time::ZERO,
///     evidence: Evidence { source: "till roll".into(), hash: Hash::of(b"8"), said: "".into() },
/// };
/// assert_eq!(refund.cause, Cause::Refund);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct VouchedReversal {
    /// The payment's stream, as [`Payment::stream`] says it.
    pub payment: Stream,
    /// What the source calls this refund or dispute: never an event's id.
    pub id: String,
    /// Why it goes back.
    pub cause: Cause,
    /// How much, in the asset that was paid.
    pub amount: Amount,
    /// When the provider says that it happened.
    pub event_at: Time,
    /// What the caller has seen.
    pub evidence: Evidence,
}

/// Takes the caller's word for a refund, a dispute or a failure.
///
/// ```
/// # use divvy_core::{Amount, Cause, Evidence, Hash, Stream, Time};
/// use divvy_core::danger::{VouchedReversal, vouched_reversal};
///
/// # let refund = VouchedReversal {
/// #     payment: Stream::parse("payment/till/main/receipt-7")?,
/// #     id: "refund-1".into(),
/// #     cause: Cause::Refund,
/// #     amount: Amount::new(500)?,
/// #     event_at: Time::ZERO,
/// #     evidence: Evidence { source: "till roll".into(), hash: Hash::of(b"8"), said: "".into() },
/// # };
/// assert_eq!(vouched_reversal(refund).payment().as_str(), "payment/till/main/receipt-7");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[must_use]
pub fn vouched_reversal(said: VouchedReversal) -> Reversal {
    let VouchedReversal { payment, id, cause, amount, event_at, evidence } = said;
    Reversal { payment, id, cause, amount, event_at, evidence }
}
