//! The live fold against the one from zero.

use crate::books::Books;
use crate::error::{Code, Error};
use crate::verify::Verified;

impl Verified {
    /// Compares a live fold, however it came about, with the one from zero, figure by figure.
    ///
    /// # Errors
    /// [`Code::BookUnbalanced`], naming the first figure that differs: drop the checkpoint and
    /// open anew.
    ///
    /// ```
    /// use divvy_core::{Books, Verify};
    ///
    /// assert!(Verify::new().finish()?.compare(&Books::default()).is_ok());
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    pub fn compare(&self, live: &Books) -> Result<(), Error> {
        let own = &self.books;
        if own.count() < live.count() {
            let (left, all) = (own.count(), live.count());
            let detail = format!(
                "of {all} facts that were folded before, {left} are there: facts are missing; put \
                 a backup in place"
            );
            return Err(Error::new(Code::BookUnbalanced, detail));
        }
        same("the books", "facts", &own.count(), &live.count())?;
        same("the books", "digest", &own.digest(), &live.digest())?;
        same("the books", "newest", &own.newest(), &live.newest())?;
        same("the books", "early", &own.early(), &live.early())?;
        same("the books", "number", &own.all().count(), &live.all().count())?;
        own.all().zip(live.all()).try_for_each(|(own, live)| own.compare(live))?;
        for (wallet, live) in own.wallets.values().zip(live.wallets.values()) {
            same(wallet.head.stream.as_str(), "head", &wallet.head, &live.head)?;
            same(wallet.head.stream.as_str(), "claims", &wallet.claims, &live.claims)?;
        }
        same("the books", "wallets", &own.wallets.len(), &live.wallets.len())
    }
}

/// Refuses a difference; the live figure is named last.
pub(crate) fn same<T: PartialEq + core::fmt::Debug>(
    of: &str,
    what: &str,
    own: &T,
    live: &T,
) -> Result<(), Error> {
    if own == live {
        return Ok(());
    }
    let detail = format!(
        "{of}: {what} is {own:?} by the facts, {live:?} in the live fold: drop the checkpoint"
    );
    Err(Error::new(Code::BookUnbalanced, detail))
}
