//! What people do about the endpoints of a book's webhooks.

use divvy_core::{Error, Name, Silence, Time};

use crate::book::Book;

impl Book<'_> {
    /// Tells a webhook again, from where it stopped: one that is told nothing more, or one that
    /// waits for its next attempt. Nothing happens where nothing keeps it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use divvy::core::{Asset, Code, Name, Time};
    /// use divvy::{Divvy, Sqlite};
    ///
    /// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
    /// let (name, app) = (Name::new("chapter-42")?, Name::new("app")?);
    /// let mut book = divvy.open_book(&name, Asset::parse("USD")?, Time::ZERO).await?;
    /// let unknown = book.resume_webhook(&app, "it is back", Time::ZERO).await;
    /// assert_eq!(unknown.unwrap_err().code(), Code::WebhookUnknown);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`divvy_core::Code::WebhookUnknown`] for one that was never told anything, and the host's
    /// errors.
    pub async fn resume_webhook(
        &mut self,
        name: &Name,
        reason: &str,
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| book.resume_webhook(name, reason, now)).await
    }

    /// Tells a webhook nothing more until it is resumed; then it is told what happened meanwhile.
    ///
    /// # Errors
    /// As [`Book::resume_webhook`].
    pub async fn stop_webhook(
        &mut self,
        name: &Name,
        reason: &str,
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| book.silence_webhook(name, Silence::Wanted, reason, now)).await
    }
}
