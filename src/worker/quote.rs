//! What rails charge, asked before a book is paid.

use divvy_core::{Error, Name, Time};

use crate::divvy::Divvy;
use crate::worker::Worker;

impl Worker {
    /// Brings a book up to what each rail charges now, where somebody's terms weigh it. What nobody
    /// can say is told once a tick, and stands in the balance of whoever waits for it.
    pub(super) async fn quote(
        &self,
        divvy: &mut Divvy,
        book: &Name,
        now: Time,
    ) -> Result<(), Error> {
        let Some(quotes) = &self.quotes else { return Ok(()) };
        let rails: Vec<Name> = self.rails.keys().cloned().collect();
        for (rail, unsaid) in divvy.quote_fees(book.as_str(), &**quotes, &rails, now).await? {
            tracing::warn!(%book, %rail, error = %unsaid, "nobody who weighs fees is paid over it");
        }
        Ok(())
    }
}
