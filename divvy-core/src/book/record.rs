//! Taking a payment: one fact at an address of its own, so the same event twice changes nothing.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::book::Book;
use crate::error::{Code, Error};
use crate::fact::{Body, Converted, Evidence, Fact, Head, Recorded, Stream};
use crate::name::Name;
use crate::time::Time;

/// Money that came in, as someone vouches or a rail has verified.
///
/// It has no public constructor but [`crate::danger::vouched`], so that unverified money can be
/// found by searching for that word.
///
/// ```
/// use divvy_core::danger::{Vouched, vouched};
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
/// let payment = vouched(receipt, &usd)?;
/// // Its address comes from the money's own movement: recording it again finds it taken.
/// assert_eq!(payment.stream().as_str(), "payment/till/main/receipt-7");
/// assert_eq!(payment.fact(&Name::new("chapter-42")?, Time::ZERO)?.n, 0);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub(crate) stream: Stream,
    pub(crate) amount: Amount,
    pub(crate) payer: Option<String>,
    pub(crate) event_at: Time,
    pub(crate) converted: Option<Converted>,
    pub(crate) evidence: Evidence,
    pub(crate) withheld: Option<Amount>,
}

impl Payment {
    /// The stream of this movement of money.
    #[must_use]
    pub const fn stream(&self) -> &Stream {
        &self.stream
    }

    /// How much, in the asset of the book that it is for.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        self.amount
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

    /// The same payment, of which the provider kept back so much: the rule divides the rest, and
    /// what was kept back is nobody's share.
    ///
    /// ```
    /// # use divvy_core::danger::{Vouched, vouched};
    /// # use divvy_core::{Asset, Evidence, Hash, Name, Time};
    /// # let usd = Asset::parse("USD")?;
    /// # let receipt = Vouched {
    /// #     source: Name::new("till")?,
    /// #     account: Name::new("main")?,
    /// #     id: Name::new("receipt-7")?,
    /// #     amount: usd.amount("12.00")?,
    /// #     asset: usd.clone(),
    /// #     payer: None,
    /// #     event_at: Time::ZERO,
    /// #     evidence: Evidence { source: "roll".into(), hash: Hash::of(b"7"), said: "".into() },
    /// # };
    /// let payment = vouched(receipt, &usd)?.with_withheld(usd.amount("0.65")?)?;
    /// assert_eq!(usd.text(payment.divided()), "11.35");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::PaymentMalformed`] when nothing would be left.
    pub fn with_withheld(mut self, withheld: Amount) -> Result<Self, Error> {
        if withheld >= self.amount {
            let (stream, amount) = (&self.stream, self.amount);
            let detail = format!("{withheld} of {amount} kept back leaves nothing of {stream}");
            return Err(Error::new(Code::PaymentMalformed, detail));
        }
        self.withheld = (!withheld.is_zero()).then_some(withheld);
        Ok(self)
    }

    /// What the rule divides: all of it, less what was kept back at receipt.
    #[must_use]
    pub fn divided(&self) -> Amount {
        self.amount.less(self.withheld.unwrap_or(Amount::ZERO))
    }

    /// The fact that records it for a book of one rule, at an address that needs no read.
    ///
    /// It names no rule, so the book's first one divides it. Where a book may have more of them,
    /// [`Book::record`] names the one in force; `verify` refuses what a later rule covers.
    ///
    /// # Errors
    /// [`Code::PaymentMalformed`] for an amount of zero.
    pub fn fact(&self, book: &Name, at: Time) -> Result<Fact, Error> {
        self.fact_by(book, None, at)
    }

    fn fact_by(&self, book: &Name, rule: Option<u64>, at: Time) -> Result<Fact, Error> {
        if self.amount.is_zero() {
            let detail = format!("{} is of zero: there is nothing to divide", self.stream);
            return Err(Error::new(Code::PaymentMalformed, detail));
        }
        let recorded = Recorded {
            book: book.clone(),
            amount: self.amount,
            payer: self.payer.clone(),
            event_at: self.event_at,
            converted: self.converted.clone(),
            evidence: self.evidence.clone(),
            withheld: self.withheld,
            rule,
        };
        Ok(Fact::new(&Head::start(self.stream.clone()), at, &Body::Recorded(recorded)))
    }
}

impl Book {
    /// The facts that record payments, one for each, in order. Each names the rule that is in
    /// force at its event time, so that a rule that is set at the same moment changes nothing.
    ///
    /// # Errors
    /// [`Code::RuleMissing`] when no rule is in force at a payment's event time,
    /// [`Code::PaymentMalformed`] for an amount of zero, [`Code::AmountAboveCeiling`] when the
    /// book could not hold the sum of all payments. Nothing is recorded then.
    pub fn record(&self, payments: &[Payment], now: Time) -> Result<Vec<Fact>, Error> {
        let at = self.stamp(now);
        self.check_room(payments.iter().map(|payment| payment.amount))?;
        let fact = |payment: &Payment| {
            let Some(rule) = self.rule_number(payment.event_at) else {
                let detail = format!(
                    "{} of {} came before any rule of {}: set a rule that starts earlier",
                    payment.stream, payment.event_at, self.name
                );
                return Err(Error::new(Code::RuleMissing, detail));
            };
            payment.fact_by(&self.name, self.rule_ns.get(rule).copied(), at)
        };
        payments.iter().map(fact).collect()
    }
}

impl Recorded {
    /// Whether two bodies say the same of the money: evidence, arrival and the rule that was known
    /// then do not count.
    ///
    /// ```
    /// use divvy_core::{Amount, Evidence, Hash, Name, Recorded, Time};
    ///
    /// let recorded = |line: &str| -> Result<Recorded, divvy_core::Error> {
    ///     let (source, hash, said) = (line.into(), Hash::of(b"7"), String::new());
    ///     let evidence = Evidence { source, hash, said };
    ///     let (book, amount) = (Name::new("chapter-42")?, Amount::new(1_200)?);
    ///     let (payer, event_at, converted) = (None, Time::ZERO, None);
    ///     let (withheld, rule) = (None, Some(1));
    ///     Ok(Recorded { book, amount, payer, event_at, converted, evidence, withheld, rule })
    /// };
    /// // The same movement on two lines of a file is one payment.
    /// assert!(recorded("line 7")?.is_same_money(&recorded("line 9")?));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn is_same_money(&self, other: &Self) -> bool {
        let Self { book, amount, payer, event_at, converted, .. } = self;
        let withheld = self.withheld;
        // What was kept back may be told later than the payment itself.
        let agree = withheld.is_none() || other.withheld.is_none() || withheld == other.withheld;
        let same = (book, amount, payer, event_at, converted)
            == (&other.book, &other.amount, &other.payer, &other.event_at, &other.converted);
        same && agree
    }

    /// The quiet yes, or the loud no, to recording a payment whose address is taken.
    ///
    /// # Errors
    /// [`Code::PaymentConflict`], with both bodies, when they differ in anything but evidence.
    ///
    /// ```
    /// use divvy_core::{Amount, Asset, Code, Evidence, Hash, Name, Recorded, Stream, Time};
    ///
    /// let recorded = |minor| -> Result<Recorded, divvy_core::Error> {
    ///     let (source, hash, said) = ("a".into(), Hash::of(b"7"), String::new());
    ///     let evidence = Evidence { source, hash, said };
    ///     let (book, amount) = (Name::new("chapter-42")?, Amount::new(minor)?);
    ///     let (payer, event_at, converted) = (None, Time::ZERO, None);
    ///     let (withheld, rule) = (None, Some(1));
    ///     Ok(Recorded { book, amount, payer, event_at, converted, evidence, withheld, rule })
    /// };
    /// let (stream, usd) = (Stream::parse("payment/till/main/receipt-7")?, Asset::parse("USD")?);
    /// let error = recorded(1_200)?.accept_again(&recorded(1_300)?, &stream, &usd).unwrap_err();
    /// assert_eq!(error.code(), Code::PaymentConflict);
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn accept_again(&self, again: &Self, stream: &Stream, asset: &Asset) -> Result<(), Error> {
        if self.is_same_money(again) {
            return Ok(());
        }
        let shown = |recorded: &Self| {
            let payer = recorded.payer.as_deref().unwrap_or("nobody named");
            let converted = recorded.converted.as_ref().map_or_else(String::new, |converted| {
                let from = &converted.asset;
                format!(", converted from {} {}", from.text(converted.amount), from.code())
            });
            format!(
                "{} {} for book {} from {payer} at {}{converted} (seen in {})",
                asset.text(recorded.amount),
                asset.code(),
                recorded.book,
                recorded.event_at,
                recorded.evidence.source
            )
        };
        let detail = format!(
            "{stream} was recorded as {}, and now as {}: find out which is true",
            shown(self),
            shown(again)
        );
        Err(Error::new(Code::PaymentConflict, detail))
    }
}

impl Converted {
    /// The amount in the book's asset, at a fixed rate of minor units, rounded down.
    ///
    /// ```
    /// use divvy_core::{Amount, Asset, Converted, Time};
    ///
    /// // 50.00 USD at 0.97 is 48.50 USDT, whatever the market does later.
    /// let (usd, usdt) = (Asset::parse("USD")?, Asset::parse("USDT@6")?);
    /// let converted = Converted {
    ///     amount: usd.amount("50.00")?,
    ///     asset: usd,
    ///     rate_num: 9_700,
    ///     rate_den: 1,
    ///     source: "quoted at checkout".into(),
    ///     quoted_at: Time::ZERO,
    /// };
    /// assert_eq!(usdt.text(converted.locked()?), "48.500000");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::PaymentMalformed`] for a rate of or by zero, [`Code::AmountAboveCeiling`] when the
    /// target cannot be held.
    pub fn locked(&self) -> Result<Amount, Error> {
        let wide = u128::from(self.amount.get()).checked_mul(u128::from(self.rate_num));
        let locked = wide.and_then(|wide| wide.checked_div(u128::from(self.rate_den)));
        match locked {
            Some(locked) if self.rate_num > 0 => Amount::from_wide(locked),
            Some(_) | None => {
                let detail = format!(
                    "a rate of {}/{} converts nothing: use positive whole numbers",
                    self.rate_num, self.rate_den
                );
                Err(Error::new(Code::PaymentMalformed, detail))
            }
        }
    }

    /// A rate of one to one between two assets, whatever their decimals.
    ///
    /// # Errors
    /// [`Code::PaymentMalformed`] when the assets' decimals are too far apart.
    ///
    /// ```
    /// use divvy_core::{Asset, Converted, Time};
    ///
    /// let (usd, usdc) = (Asset::parse("USD")?, Asset::parse("USDC@6")?);
    /// let par = Converted::at_par(usd.clone(), usd.amount("12.34")?, &usdc, Time::ZERO)?;
    /// assert_eq!(usdc.text(par.locked()?), "12.340000");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn at_par(asset: Asset, amount: Amount, into: &Asset, at: Time) -> Result<Self, Error> {
        let power = |decimals: u8| 10_u64.checked_pow(decimals.into());
        let up = into.decimals().saturating_sub(asset.decimals());
        let down = asset.decimals().saturating_sub(into.decimals());
        let (Some(rate_num), Some(rate_den)) = (power(up), power(down)) else {
            let detail = format!("{asset} and {into} are too far apart for a rate of one to one");
            return Err(Error::new(Code::PaymentMalformed, detail));
        };
        Ok(Self { asset, amount, rate_num, rate_den, source: "at par".to_owned(), quoted_at: at })
    }
}
