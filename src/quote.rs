//! Where quotes come from: rates between assets, and what a rail charges.

mod file;
mod fixed;

pub use file::FileQuotes;
pub use fixed::FixedQuotes;

use core::fmt;

use async_trait::async_trait;
use divvy_core::{Asset, Error, FeeQuote, Name, Rate, Time};

/// Whoever knows what things cost. [`FixedQuotes`] and [`FileQuotes`] are in the box; a host brings
/// its own, over an exchange or a node.
///
/// It is asked at each tick, and only where a policy needs to know. What it cannot say is an
/// error: money waits then, and nothing is guessed.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use divvy::core::{Asset, Code, Error, FeeQuote, Name, Rate, Time};
/// use divvy::Quotes;
///
/// /// A rail that costs nothing, and no rates.
/// #[derive(Debug)]
/// struct Free;
///
/// #[async_trait::async_trait]
/// impl Quotes for Free {
///     async fn rate(&self, _: &Asset, _: &Asset, _: Time) -> Result<Rate, Error> {
///         Err(Error::new(Code::QuoteMissing, "no rates"))
///     }
///
///     async fn fee(&self, rail: &Name, now: Time) -> Result<FeeQuote, Error> {
///         let (asset, fee) = (Asset::parse("USD")?, divvy::core::Amount::ZERO);
///         let (rail, source, until) = (rail.clone(), "free".into(), now.plus_secs(600));
///         Ok(FeeQuote { rail, asset, fee, rate: None, source, at: now, until })
///     }
/// }
///
/// let free: Box<dyn Quotes> = Box::new(Free);
/// assert!(free.fee(&Name::new("sandbox")?, Time::ZERO).await?.fee.is_zero());
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
#[async_trait]
pub trait Quotes: fmt::Debug + Send + Sync {
    /// The rate from one asset into another.
    ///
    /// # Errors
    /// [`divvy_core::Code::QuoteMissing`] when nobody quotes it, [`divvy_core::Code::QuoteOld`]
    /// when that was too long ago.
    async fn rate(&self, from: &Asset, to: &Asset, now: Time) -> Result<Rate, Error>;

    /// What a rail charges for one line, in its own asset; the rate into another is asked for
    /// beside it.
    ///
    /// # Errors
    /// As [`Quotes::rate`].
    async fn fee(&self, rail: &Name, now: Time) -> Result<FeeQuote, Error>;
}

/// What a line over a rail costs a book of this asset.
pub(crate) async fn fee_for(
    quotes: &dyn Quotes,
    rail: &Name,
    asset: &Asset,
    now: Time,
) -> Result<FeeQuote, Error> {
    let mut quote = quotes.fee(rail, now).await?;
    if quote.asset != *asset {
        quote.rate = Some(quotes.rate(&quote.asset, asset, now).await?);
    }
    Ok(quote)
}
