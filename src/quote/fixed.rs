//! Quotes that are given once.

use async_trait::async_trait;
use divvy_core::{Asset, Code, Error, FeeQuote, Name, Rate, Time};

use crate::quote::Quotes;

/// Rates and fees that are given once, and hold as long as each says.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use divvy::core::{Asset, Rate, Time};
/// use divvy::{FixedQuotes, Quotes};
///
/// let (bsv, usd) = (Asset::parse("BSV@8")?, Asset::parse("USD")?);
/// let rate = Rate::of_price(bsv.clone(), usd.clone(), "42.50", "by contract", Time::ZERO)?;
/// let quotes = FixedQuotes { rates: vec![rate], fees: vec![] };
/// // One that is given serves both ways.
/// assert_eq!(quotes.rate(&usd, &bsv, Time::ZERO).await?.num(), 400_000);
/// # Ok::<(), divvy::core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct FixedQuotes {
    /// The rates; each serves both ways.
    pub rates: Vec<Rate>,
    /// What each rail charges.
    pub fees: Vec<FeeQuote>,
}

impl FixedQuotes {
    /// The rate between two assets, either way.
    pub(super) fn rate_between(&self, from: &Asset, to: &Asset) -> Result<Rate, Error> {
        let straight = self.rates.iter().find(|rate| rate.from() == from && rate.to() == to);
        let turned = || self.rates.iter().find(|rate| rate.from() == to && rate.to() == from);
        let rate = straight.cloned().or_else(|| turned().map(Rate::inverse));
        rate.ok_or_else(|| {
            let detail = format!("nobody quotes a rate from {from} to {to}: add one");
            Error::new(Code::QuoteMissing, detail)
        })
    }

    /// What a rail charges.
    pub(super) fn fee_of(&self, rail: &Name) -> Result<FeeQuote, Error> {
        self.fees.iter().find(|fee| fee.rail == *rail).cloned().ok_or_else(|| {
            let detail = format!("nobody quotes what rail {rail} charges for a line: add it");
            Error::new(Code::QuoteMissing, detail)
        })
    }
}

#[async_trait]
impl Quotes for FixedQuotes {
    async fn rate(&self, from: &Asset, to: &Asset, _now: Time) -> Result<Rate, Error> {
        self.rate_between(from, to)
    }

    async fn fee(&self, rail: &Name, now: Time) -> Result<FeeQuote, Error> {
        let quote = self.fee_of(rail)?;
        if quote.holds_at(now) {
            return Ok(quote);
        }
        let detail = format!("what rail {rail} charges was good until {}: ask anew", quote.until);
        Err(Error::new(Code::QuoteOld, detail))
    }
}
