//! What payouts may cost, and who bears it.

use divvy_core::{Error, FeesSet, Step, Time};

use crate::book::Book;

impl Book<'_> {
    /// Sets what payouts may cost from now on, and what payees bear of it, unless just that is in
    /// force. It is written down before any run that goes by it, so payees can read it first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use divvy::core::{Asset, FeesSet, Name};
    /// use divvy::{Divvy, Sqlite, clock};
    ///
    /// let (usd, now) = (Asset::parse("USD")?, clock::now());
    /// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
    /// let mut book = divvy.open_book(&Name::new("chapter-42")?, usd.clone(), now).await?;
    /// let fees = FeesSet { ceiling: Some(usd.amount("5.00")?), borne_max: None };
    /// book.set_fees(&fees, now).await?;
    /// assert_eq!(book.fold()?.fee_terms(), Some(&fees));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`divvy_core::Book::set_fees`], and the host's errors.
    pub async fn set_fees(&mut self, fees: &FeesSet, now: Time) -> Result<(), Error> {
        self.act(|book| match book.fee_terms() {
            Some(known) if known == fees => Ok(Step::default()),
            _ => book.set_fees(fees.clone(), now),
        })
        .await
    }
}
