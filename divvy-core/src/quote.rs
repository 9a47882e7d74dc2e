//! Quotes: what somebody said that something costs, who said so, when, and how long it holds.
//!
//! A quote is an argument, as time is. It is never a fact by itself: a fact that was decided by one
//! keeps what it needs to be explained.

mod rate;

pub use rate::{Rate, Rounding};

use crate::amount::Amount;
use crate::asset::Asset;
use crate::error::{Code, Error};
use crate::name::Name;
use crate::time::Time;

/// What it costs to pay one line over a rail.
///
/// ```
/// use divvy_core::{Asset, FeeQuote, Name, Rate, Rounding, Time};
///
/// let (usd, sol) = (Asset::parse("USD")?, Asset::parse("SOL@9")?);
/// let rate = Rate::of_price(sol.clone(), usd.clone(), "150.00", "an exchange", Time::ZERO)?;
/// let quote = FeeQuote {
///     rail: Name::new("sandbox")?,
///     fee: sol.amount("0.001")?,
///     asset: sol,
///     rate: Some(rate),
///     source: "a node".into(),
///     at: Time::ZERO,
///     until: Time::ZERO.plus_secs(600),
/// };
/// assert_eq!(usd.text(quote.fee_in(&usd)?), "0.15");
/// assert!(!quote.holds_at(Time::ZERO.plus_secs(601)));
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct FeeQuote {
    /// The rail.
    pub rail: Name,
    /// In which asset the rail charges.
    pub asset: Asset,
    /// What it charges for one line, in minor units of that asset.
    pub fee: Amount,
    /// From that asset into the book's, where they differ.
    pub rate: Option<Rate>,
    /// Who said so.
    pub source: String,
    /// When it was said.
    pub at: Time,
    /// How long it holds, this moment included.
    pub until: Time,
}

impl FeeQuote {
    /// What a line costs in minor units of a book's asset, rounded up: no line is taken for
    /// cheaper than it is.
    ///
    /// ```
    /// use divvy_core::{Amount, Asset, FeeQuote, Name, Time};
    ///
    /// let (usd, eur) = (Asset::parse("USD")?, Asset::parse("EUR")?);
    /// let (rail, source) = (Name::new("sandbox")?, String::new());
    /// let (fee, at, until) = (usd.amount("0.15")?, Time::ZERO, Time::MAX);
    /// let quote = FeeQuote { rail, asset: usd.clone(), fee, rate: None, source, at, until };
    /// assert_eq!(quote.fee_in(&usd)?, fee);
    /// assert!(quote.fee_in(&eur).is_err(), "nobody said what a dollar costs in euro");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Code::QuoteMissing`] when the rail charges in another asset and there is no rate from it;
    /// [`Code::AmountAboveCeiling`].
    pub fn fee_in(&self, asset: &Asset) -> Result<Amount, Error> {
        if self.asset == *asset {
            return Ok(self.fee);
        }
        let fits = |rate: &&Rate| *rate.from() == self.asset && *rate.to() == *asset;
        let Some(rate) = self.rate.as_ref().filter(fits) else {
            let detail = format!(
                "rail {} charges in {}, and nobody says what that is in {asset}: quote a rate",
                self.rail, self.asset
            );
            return Err(Error::new(Code::QuoteMissing, detail));
        };
        rate.convert_by(self.fee, Rounding::Up)
    }

    /// Whether it may be relied on at a moment.
    ///
    /// ```
    /// use divvy_core::{Amount, Asset, FeeQuote, Name, Time};
    ///
    /// let (asset, rail) = (Asset::parse("USD")?, Name::new("sandbox")?);
    /// let (fee, source, until) = (Amount::ONE, String::new(), Time::from_millis(7));
    /// let quote = FeeQuote { rail, asset, fee, rate: None, source, at: Time::ZERO, until };
    /// assert!(quote.holds_at(until));
    /// assert!(!quote.holds_at(until.plus_secs(1)));
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn holds_at(&self, now: Time) -> bool {
        now <= self.until
    }
}
