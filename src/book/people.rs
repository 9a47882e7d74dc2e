//! People who approve and decide, by the keys that the book knows.

use divvy_core::{
    Approved, Batch, Books, Code, Error, Guarded, Judge, Name, Resolution, Step, Stream, Time,
};

use crate::book::Book;

impl<'a> Book<'a> {
    /// The same book in the hands of a person: what they do by this handle that needs a person
    /// (set a rule, hold and release, bring balances along, note what the owner put in, close a
    /// week, explain and close a difference) stands behind their name, reason and signature.
    ///
    /// A book that knows people ([`Book::guard`]) takes none of it unsigned.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use divvy::core::{Asset, Judge, Name, Stream};
    /// use divvy::{Divvy, Sqlite, clock};
    ///
    /// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
    /// let (name, eve, now) = (Name::new("chapter-42")?, Name::new("eve")?, clock::now());
    /// divvy.open_book(&name, Asset::parse("USD")?, now).await?;
    ///
    /// let judge = Judge { by: Name::new("ann")?, reason: "she rang".into(), key: None };
    /// divvy.book("chapter-42")?.by(judge).hold(&eve, "asked to wait", now).await?;
    /// let facts = divvy.host().read(&Stream::payee(&name, &eve)).await?;
    /// assert_eq!((&*facts[0].kind, &*facts[1].kind), ("decided.1", "held.1"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn by(self, judge: Judge<'a>) -> Self {
        Self { judge: Some(judge), ..self }
    }
}

impl Book<'_> {
    /// Sets from when on payouts wait for approvals, and by whom, unless just that is in force.
    ///
    /// # Errors
    /// As [`divvy_core::Book::guard`], and the host's errors.
    pub async fn guard(&mut self, guarded: &Guarded, now: Time) -> Result<(), Error> {
        self.act(|book| {
            let bare =
                |of: &Guarded| Guarded { consents: Vec::new(), unsigned: None, ..of.clone() };
            if book.guarded().is_some_and(|known| bare(known) == bare(guarded)) {
                return Ok(Step::default());
            }
            book.guard(guarded.clone(), now)
        })
        .await
    }

    /// Takes in that a person approved a batch, as they signed [`Batch::approval`].
    ///
    /// # Errors
    /// As [`divvy_core::Books::approve`]; [`Code::BatchUnknown`] for a batch that is not there, and
    /// the host's errors.
    pub async fn approve(
        &mut self,
        batch: &Stream,
        approved: &Approved,
        now: Time,
    ) -> Result<(), Error> {
        self.act_on(batch, |books, batch| books.approve(batch, approved.clone(), now)).await
    }

    /// Takes in what a person decided about a batch in review.
    ///
    /// # Errors
    /// As [`divvy_core::Books::resolve`]; [`Code::BatchUnknown`] for a batch that is not there, and
    /// the host's errors.
    pub async fn resolve(
        &mut self,
        batch: &Stream,
        resolution: &Resolution,
        judge: &Judge<'_>,
        now: Time,
    ) -> Result<(), Error> {
        self.act_on(batch, |books, batch| books.resolve(batch, resolution, judge, now)).await
    }

    /// Holds a payee, unless they are held already: accrual goes on, planning skips them.
    ///
    /// # Errors
    /// The host's errors.
    pub async fn hold(&mut self, payee: &Name, reason: &str, now: Time) -> Result<(), Error> {
        self.act(|book| Ok(book.hold(payee, reason, None, now))).await
    }

    /// Lets a held payee be paid again.
    ///
    /// # Errors
    /// [`Code::PayeeUnknown`] when the payee is not held, and the host's errors.
    pub async fn release(&mut self, payee: &Name, reason: &str, now: Time) -> Result<(), Error> {
        self.act(|book| book.release(payee, reason, now)).await
    }

    /// Decides on a batch as it stands now, and anew when others were quicker.
    async fn act_on(
        &mut self,
        batch: &Stream,
        decide: impl Fn(&Books, &Batch) -> Result<Step, Error>,
    ) -> Result<(), Error> {
        for _ in 0..crate::divvy::TRIES_MAX {
            let batch = self.batch(batch).await?;
            let step = decide(self.divvy.books(), &batch)?;
            match self.divvy.commit(step).await {
                Err(error) if error.code() == Code::AddressTaken => (),
                committed => return committed.map(drop),
            }
        }
        let detail = format!("others were quicker at {batch} every time: try again");
        Err(Error::new(Code::AddressTaken, detail))
    }

    /// A batch of this book as it stands now, with its lines.
    ///
    /// # Errors
    /// [`Code::BatchUnknown`] for a batch that is not there, and the host's errors.
    pub async fn batch(&mut self, batch: &Stream) -> Result<Batch, Error> {
        self.divvy.catch_up().await?;
        if self.fold()?.batch_state(batch).is_none() {
            let detail = format!("book {} has no {batch}: check its name", self.name);
            return Err(Error::new(Code::BatchUnknown, detail));
        }
        Batch::fold(&self.read(batch).await?)
    }
}
