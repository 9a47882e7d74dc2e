//! What a try has cost: what a rail says beside what became of it.

use crate::amount::Amount;
use crate::asset::Asset;
use crate::fact::Converted;

/// What a rail says that a try has cost so far, whatever became of it.
///
/// ```
/// use divvy_core::{Amount, Asset, Bill, Fee};
///
/// // A chain takes its fee in its own coin, for tries that failed too.
/// let fee = Fee { asset: Asset::parse("SOL@9")?, amount: Amount::new(5_000)? };
/// let bill = Bill { reference: "try 1".into(), fees: vec![fee], moved: None };
/// assert_eq!(bill.fees.len(), 1);
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Bill {
    /// The try.
    pub reference: String,
    /// What was charged since it was signed, each asset once.
    pub fees: Vec<Fee>,
    /// What moved instead, where the rail pays in another asset: all of the try's lines together,
    /// and what they were worth. It counts with the answer that the try is final.
    pub moved: Option<Converted>,
}

/// A fee in one asset.
///
/// ```
/// use divvy_core::{Amount, Asset, Fee};
///
/// let fee = Fee { asset: Asset::parse("USD")?, amount: Amount::new(25)? };
/// assert_eq!(fee.asset.text(fee.amount), "0.25");
/// # Ok::<(), divvy_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data, written as a literal")]
pub struct Fee {
    /// In which asset.
    pub asset: Asset,
    /// How much, in its minor units.
    pub amount: Amount,
}

crate::checkpoint::stored!(Fee { asset, amount });
crate::checkpoint::stored!(Asset as cbor);
