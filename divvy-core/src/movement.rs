//! One movement of money: what came in, and what of it went back.
//!
//! A reversal takes each share back by a cumulative floor: of a part `p` of a payment of `A`, with
//! `R` reversed so far, `⌊p·R/A⌋`. So reversals by parts add up to the whole, none is ever
//! negative, and the platform bears the odd units until all of it is reversed.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::{Code, Error};
use crate::fact::{
    Body, Cause, Evidence, Extent, Fact, Head, Lost, Recorded, Restored, Reversed, Stream,
};
use crate::time::Time;

/// One payment with everything that went back of it: a fold of its own stream.
///
/// ```
/// use divvy_core::danger::{Vouched, VouchedReversal, vouched, vouched_reversal};
/// use divvy_core::{Asset, Cause, Evidence, Hash, Movement, Name, Time};
///
/// let usd = Asset::parse("USD")?;
/// let evidence = Evidence { source: "till roll".into(), hash: Hash::of(b"7"), said: "".into() };
/// let payment = vouched(
///     Vouched {
///         source: Name::new("till")?,
///         account: Name::new("main")?,
///         id: Name::new("receipt-7")?,
///         amount: usd.amount("12.00")?,
///         asset: usd.clone(),
///         payer: None,
///         event_at: Time::ZERO,
///         evidence: evidence.clone(),
///     },
///     &usd,
/// )?;
/// let mut facts = vec![payment.fact(&Name::new("chapter-42")?, Time::ZERO)?];
///
/// let refund = vouched_reversal(VouchedReversal {
///     payment: payment.stream().clone(),
///     id: "refund-1".into(),
///     cause: Cause::Refund,
///     amount: usd.amount("5.00")?,
///     event_at: Time::ZERO,
///     evidence,
/// });
/// facts.extend(Movement::fold(&facts)?.reverse(&refund, Time::ZERO)?);
/// let movement = Movement::fold(&facts)?;
/// assert_eq!(usd.text(movement.reversed()), "5.00");
/// // The same refund twice: a quiet yes.
/// assert_eq!(movement.reverse(&refund, Time::ZERO)?, None);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    head: Head,
    recorded: Recorded,
    reversals: Vec<Going>,
    reversed: Amount,
    /// The book's asset, where it was told: errors name amounts in it.
    asset: Option<Asset>,
}

/// Money that goes back, as someone vouches or a rail has verified.
///
/// It has no public constructor but [`crate::danger::vouched_reversal`].
///
/// ```
/// use divvy_core::{Reversal, Stream};
///
/// fn of(reversal: &Reversal) -> &Stream {
///     reversal.payment()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    pub(crate) payment: Stream,
    pub(crate) id: String,
    pub(crate) cause: Cause,
    pub(crate) amount: Amount,
    pub(crate) event_at: Time,
    pub(crate) evidence: Evidence,
}

/// One reversal, and how it went on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Going {
    id: String,
    cause: Cause,
    amount: Amount,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Restored,
    Lost,
}

impl Reversal {
    /// The payment whose money goes back.
    #[must_use]
    pub const fn payment(&self) -> &Stream {
        &self.payment
    }

    /// What the provider calls it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When the provider says that it happened.
    #[must_use]
    pub const fn event_at(&self) -> Time {
        self.event_at
    }

    /// Who says so.
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

impl Movement {
    /// Folds a payment's own stream.
    ///
    /// # Errors
    /// [`Code::PaymentUnknown`] for no facts at all, [`Code::FactMalformed`] for facts that
    /// contradict each other.
    pub fn fold(facts: &[Fact]) -> Result<Self, Error> {
        let Some((first, rest)) = facts.split_first() else {
            let detail = "no such payment is recorded: record it before what goes back of it";
            return Err(Error::new(Code::PaymentUnknown, detail));
        };
        let Body::Recorded(recorded) = first.body()? else { return Err(stray(first)) };
        let (reversals, reversed) = (Vec::new(), Amount::ZERO);
        let (head, asset) = (Head::after(first), None);
        let mut movement = Self { head, recorded, reversals, reversed, asset };
        rest.iter().try_for_each(|fact| movement.apply(fact))?;
        Ok(movement)
    }

    /// The same, whose errors name amounts in the book's asset and not in minor units.
    #[must_use]
    pub fn told_in(self, asset: &Asset) -> Self {
        Self { asset: Some(asset.clone()), ..self }
    }

    /// An amount of what was paid, for an error.
    fn text(&self, amount: Amount) -> String {
        let paid_in = self.recorded.converted.as_ref().map(|converted| &converted.asset);
        match paid_in.or(self.asset.as_ref()) {
            Some(asset) => format!("{} {}", asset.text(amount), asset.code()),
            None => format!("{amount} minor units"),
        }
    }

    /// What came in.
    #[must_use]
    pub const fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// What has gone back and stayed away, in the book's asset.
    #[must_use]
    pub const fn reversed(&self) -> Amount {
        self.reversed
    }

    /// The fact that says that money goes back; nothing when it was said before.
    ///
    /// # Errors
    /// [`Code::PaymentConflict`] for another amount or cause under the same id;
    /// [`Code::PaymentMalformed`] for nothing, and for more than is left of the payment.
    pub fn reverse(&self, reversal: &Reversal, at: Time) -> Result<Option<Fact>, Error> {
        let Reversal { id, cause, amount, event_at, evidence, .. } = reversal;
        if let Some(known) = self.going(id) {
            if (known.cause, known.amount) == (*cause, *amount) {
                return Ok(None);
            }
            let detail = format!(
                "{id} of {} was recorded as a {} of {}, and now as a {} of {}: find out which is \
                 true",
                self.head.stream,
                word(known.cause),
                self.text(known.amount),
                word(*cause),
                self.text(*amount)
            );
            return Err(Error::new(Code::PaymentConflict, detail));
        }
        let (paid, back) = (self.paid(), self.back()?);
        let (more, left) = (back.plus(*amount)?, paid.less(back));
        if amount.is_zero() || more > paid {
            let detail = format!(
                "{} cannot go back of {}: it brought {}, of which {} is left",
                self.text(*amount),
                self.head.stream,
                self.text(paid),
                self.text(left)
            );
            return Err(Error::new(Code::PaymentMalformed, detail));
        }
        let (id, cause, amount) = (id.clone(), *cause, *amount);
        let (extent, event_at, evidence) = (self.extent(more)?, *event_at, evidence.clone());
        let reversed = Reversed { id, cause, amount, extent, event_at, evidence };
        Ok(Some(Fact::new(&self.head, at, &Body::Reversed(reversed))))
    }

    /// The fact that says that a reversal is undone, as a refund that failed or a dispute that was
    /// won; nothing when it was said before.
    ///
    /// # Errors
    /// [`Code::PaymentUnknown`] for an id that never went back, [`Code::PaymentConflict`] for a
    /// dispute that was lost.
    pub fn restore(
        &self,
        id: &str,
        event_at: Time,
        evidence: &Evidence,
        at: Time,
    ) -> Result<Option<Fact>, Error> {
        let going = self.known(id)?;
        match going.end {
            End::Restored => return Ok(None),
            End::Lost => return Err(self.ended(id, "lost")),
            End::Open => (),
        }
        let extent = self.extent(self.back()?.minus(going.amount)?)?;
        let (id, evidence) = (id.to_owned(), evidence.clone());
        let restored = Restored { id, extent, event_at, evidence };
        Ok(Some(Fact::new(&self.head, at, &Body::Restored(restored))))
    }

    /// The fact that says that a dispute is lost; nothing when it was said before.
    ///
    /// # Errors
    /// [`Code::PaymentUnknown`] for an id that is no dispute of this payment,
    /// [`Code::PaymentConflict`] for one that was won.
    pub fn lose(&self, id: &str, evidence: &Evidence, at: Time) -> Result<Option<Fact>, Error> {
        let going = self.known(id)?;
        match going.end {
            End::Lost => return Ok(None),
            End::Restored => return Err(self.ended(id, "restored")),
            End::Open => (),
        }
        let (book, evidence) = (self.recorded.book.clone(), evidence.clone());
        let lost = Lost { book, id: id.to_owned(), evidence };
        Ok(Some(Fact::new(&self.head, at, &Body::Lost(lost))))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else follows a payment")]
    fn apply(&mut self, fact: &Fact) -> Result<(), Error> {
        fact.check(&self.head)?;
        match fact.body()? {
            Body::Reversed(Reversed { id, cause, amount, extent, .. }) => {
                if self.going(&id).is_some() || extent.before != self.reversed {
                    return Err(stray(fact));
                }
                self.reversals.push(Going { id, cause, amount, end: End::Open });
                self.reversed = extent.after;
            }
            Body::Restored(Restored { id, extent, .. }) => {
                if extent.before != self.reversed {
                    return Err(stray(fact));
                }
                self.end(&id, End::Restored).ok_or_else(|| stray(fact))?;
                self.reversed = extent.after;
            }
            Body::Lost(lost) => self.end(&lost.id, End::Lost).ok_or_else(|| stray(fact))?,
            _ => return Err(stray(fact)),
        }
        self.head = Head::after(fact);
        Ok(())
    }

    fn end(&mut self, id: &str, end: End) -> Option<()> {
        let going = self.reversals.iter_mut().find(|going| going.id == id)?;
        (going.end == End::Open).then(|| going.end = end)
    }

    fn going(&self, id: &str) -> Option<&Going> {
        self.reversals.iter().find(|going| going.id == id)
    }

    fn known(&self, id: &str) -> Result<&Going, Error> {
        self.going(id).ok_or_else(|| {
            let detail = format!("nothing went back of {} as {id}", self.head.stream);
            Error::new(Code::PaymentUnknown, detail)
        })
    }

    fn ended(&self, id: &str, end: &str) -> Error {
        let detail =
            format!("{id} of {} was {end} before: find out which is true", self.head.stream);
        Error::new(Code::PaymentConflict, detail)
    }

    /// What was paid, in the asset in which it was.
    fn paid(&self) -> Amount {
        let converted = self.recorded.converted.as_ref();
        converted.map_or(self.recorded.amount, |converted| converted.amount)
    }

    /// What has gone back and stayed away, in the asset that was paid.
    fn back(&self) -> Result<Amount, Error> {
        let away = self.reversals.iter().filter(|going| going.end != End::Restored);
        Amount::total(away.map(|going| going.amount))
    }

    /// How far the payment is reversed once so much of what was paid has gone back.
    fn extent(&self, back: Amount) -> Result<Extent, Error> {
        let Recorded { book, amount, withheld, event_at, rule, .. } = &self.recorded;
        Ok(Extent {
            book: book.clone(),
            amount: *amount,
            withheld: withheld.unwrap_or(Amount::ZERO),
            paid_at: *event_at,
            before: self.reversed,
            after: share_reversed(*amount, back, self.paid())?,
            rule: *rule,
        })
    }
}

/// What is reversed of a part, once `reversed` of the whole is: `⌊part·reversed/whole⌋`.
///
/// ```
/// use divvy_core::{Amount, share_reversed};
///
/// // 33.33 of 100.00, refunded in three: 11.10, then 22.21, then all of it.
/// let of = |reversed| -> Result<u64, divvy_core::Error> {
///     let (part, whole) = (Amount::new(3_333)?, Amount::new(10_000)?);
///     Ok(share_reversed(part, Amount::new(reversed)?, whole)?.get())
/// };
/// assert_eq!([of(3_333)?, of(6_666)?, of(10_000)?], [1_110, 2_221, 3_333]);
/// # Ok::<(), divvy_core::Error>(())
/// ```
///
/// # Errors
/// [`Code::PaymentMalformed`] for a whole of nothing, and when more than the whole is reversed.
pub fn share_reversed(part: Amount, reversed: Amount, whole: Amount) -> Result<Amount, Error> {
    let wide = u128::from(part.get()).checked_mul(reversed.get().into());
    match wide.and_then(|wide| wide.checked_div(whole.get().into())) {
        Some(share) if reversed <= whole => Amount::from_wide(share),
        Some(_) | None => {
            let detail = format!("{reversed} of {whole} cannot be reversed: name what came in");
            Err(Error::new(Code::PaymentMalformed, detail))
        }
    }
}

/// What kind of reversal it is, for an error.
const fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::Refund => "refund",
        Cause::Dispute => "dispute",
        Cause::Failure => "failure",
    }
}

fn stray(fact: &Fact) -> Error {
    let detail = format!("fact {} of {} cannot be a {}", fact.n, fact.stream, fact.kind);
    Error::new(Code::FactMalformed, detail)
}
