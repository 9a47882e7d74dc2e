//! Adopting: what the rails show and no fact knows is taken in, once a person has said so.

use divvy_core::{
    Amount, Batch, Books, Code, Error, Judge, Name, Place, Rail, Shown, Stranger, Time,
};

use crate::clock::Clock;
use crate::divvy::Divvy;
use crate::worker::ahead::{TURNS_MAX, unknown};
use crate::worker::{Tick, Worker};

impl Worker {
    /// What all rails of this worker show of a book, and no fact knows.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), divvy::core::Error> {
    /// use std::sync::Arc;
    ///
    /// use divvy::core::{Asset, Name, Time};
    /// use divvy::{Clock, Divvy, Http, Sqlite, Worker};
    ///
    /// let (mut divvy, clock) = (Divvy::open(Sqlite::in_memory()?).await?, Clock::system());
    /// let book = Name::new("chapter-42")?;
    /// divvy.open_book(&book, Asset::parse("USD")?, clock.now()).await?;
    /// let mut worker = Worker::new(vec![], Arc::new(Http::new(clock.clone())?))?;
    /// let shown = worker.beyond(&mut divvy, &book, &clock).await?;
    /// // A person looks at it, and then it is adopted.
    /// assert!(worker.adopt(&mut divvy, &book, &shown, &clock).await?.is_zero());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Code::RailReply`] when a rail does not answer: try again. The host's errors.
    pub async fn beyond(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        clock: &Clock,
    ) -> Result<Vec<Shown>, Error> {
        self.clock = clock.clone();
        let now = self.fresh(divvy, clock).await?;
        let run_from = divvy.books().book(book.as_str())?.run_from();
        let mut all = Vec::new();
        for rail in self.rails.values().cloned().collect::<Vec<_>>() {
            let shown = self.tries_from(&*rail, book, run_from, now).await?;
            let strangers = unknown(divvy, book, run_from, shown).await?;
            let (wallet, timing) = (rail.wallet().clone(), rail.timing());
            let rail = rail.name().clone();
            all.push(Shown { rail, wallet, timing, strangers });
        }
        Ok(all)
    }

    /// Every try that a batch's rail shows of its book, from its run on: what a person needs to say
    /// that one of them never moved.
    ///
    /// # Errors
    /// [`Code::RailReply`] when the rail does not answer: try again. [`Code::RailRefused`] for a
    /// rail that this worker does not have. The host's errors.
    pub async fn listing(
        &mut self,
        divvy: &mut Divvy,
        batch: &Batch,
        clock: &Clock,
    ) -> Result<Vec<Stranger>, Error> {
        self.clock = clock.clone();
        let now = self.fresh(divvy, clock).await?;
        let Place::Batch { book, run, .. } = batch.stream().place() else { return Ok(Vec::new()) };
        let (book, name) = (Name::new(book)?, batch.rail());
        let Some(rail) = self.rails.get(name).cloned() else {
            let detail = format!("no rail {name} to ask about {}", batch.stream());
            return Err(Error::new(Code::RailRefused, detail));
        };
        self.tries_from(&*rail, &book, run, now).await
    }

    /// Every try that the rails show of a book, from its first run on: what the wallets themselves
    /// say, to be held against our facts.
    ///
    /// # Errors
    /// [`Code::RailReply`] when a rail does not answer: try again. The host's errors.
    pub async fn listed(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        clock: &Clock,
    ) -> Result<Vec<Stranger>, Error> {
        self.clock = clock.clone();
        let now = self.fresh(divvy, clock).await?;
        let mut all = Vec::new();
        for rail in self.rails.values() {
            all.extend(self.tries_from(&**rail, book, 0, now).await?);
        }
        Ok(all)
    }

    /// The tries that a rail shows of a book from a run on.
    async fn tries_from(
        &self,
        rail: &dyn Rail,
        book: &Name,
        run: u64,
        now: Time,
    ) -> Result<Vec<Stranger>, Error> {
        let (mut tick, name) = (Tick::default(), rail.name());
        let turn = |heard: &[_]| rail.beyond(book, run, heard, now);
        let shown = self.wire(name).talk_long(&mut tick, TURNS_MAX, turn).await?;
        shown.ok_or_else(|| {
            Error::new(Code::RailReply, format!("rail {name} lists without end: try again"))
        })
    }

    /// Takes in what [`Worker::beyond`] has found, so that nobody is paid for it again, and asks
    /// the rails again before anything else is planned. Returns what was adopted in all.
    ///
    /// A person decides this: where the newer copy of the database can be restored, that is better,
    /// since it knows what the payouts were for.
    ///
    /// # Errors
    /// As [`divvy_core::Books::adopt`], [`Code::ActUnsigned`] in a book that knows people, and the
    /// host's errors. Nothing is written then.
    pub async fn adopt(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        shown: &[Shown],
        clock: &Clock,
    ) -> Result<Amount, Error> {
        self.adopt_as(divvy, book, shown, None, clock).await
    }

    /// The same, with the name, reason and signature of the person who decides it; a book that
    /// knows people adopts nothing without.
    ///
    /// # Errors
    /// As [`Worker::adopt`], and those of [`divvy_core::Books::decide`].
    pub async fn adopt_by(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        shown: &[Shown],
        judge: &Judge<'_>,
        clock: &Clock,
    ) -> Result<Amount, Error> {
        self.adopt_as(divvy, book, shown, Some(judge), clock).await
    }

    async fn adopt_as(
        &mut self,
        divvy: &mut Divvy,
        book: &Name,
        shown: &[Shown],
        judge: Option<&Judge<'_>>,
        clock: &Clock,
    ) -> Result<Amount, Error> {
        let now = self.fresh(divvy, clock).await?;
        let adopted = |books: &Books| {
            let step = books.adopt(book.as_str(), shown, now)?;
            match judge {
                Some(judge) => books.decide(step, judge),
                None => Ok(step),
            }
        };
        divvy.act(adopted).await?;
        self.clearances.forget(book);
        let strangers = shown.iter().flat_map(|shown| &shown.strangers);
        strangers.map(Stranger::total).try_fold(Amount::ZERO, |sum, total| sum.plus(total?))
    }
}
