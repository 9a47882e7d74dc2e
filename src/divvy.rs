//! The front door: one database of books, and a handle for each book.

use std::sync::Arc;

use divvy_core::{
    Amount, Asset, Books, Call, Code, Cursor, Error, Fact, Line, Manner, Name, Opened, Page,
    Policy, Rail, Step, Time, Verified, Verify, Who, address_taken,
};

use crate::book::Book;
use crate::host::{Host, Sender};
use crate::quote::{Quotes, fee_for};
use crate::worker::{Tick, Worker, WorkerSettings};

/// Facts are read in pages of so many; a fact may have hundreds of lines.
pub(crate) const PAGE_FACTS: usize = 1_000;

/// Who loses a race for an address reads again, at most so often.
pub(crate) const TRIES_MAX: usize = 64;

/// Every book of one database, brought up to date whenever it is asked.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use divvy::{Divvy, Sqlite};
/// use divvy::core::{Asset, Leg, Legs, Name, Ratio, Share, Target, Time};
///
/// let mut divvy = Divvy::open(Sqlite::in_memory()?).await?;
/// let now = Time::parse("2026-03-01T12:00:00Z")?;
/// let mut book = divvy.open_book(&Name::new("duet")?, Asset::parse("USD")?, now).await?;
/// let legs = Legs::new(vec![
///     Leg { to: Target::Payee("creator".into()), share: Share::Portion(Ratio::parse("95%")?) },
///     Leg { to: Target::Payee("collaborator".into()), share: Share::Remaining },
/// ])?;
/// book.set_rule(Time::ZERO, &legs, now).await?;
/// assert_eq!(book.rules().len(), 1);
/// # Ok::<(), divvy::core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Divvy {
    host: Arc<dyn Host>,
    books: Books,
    cursor: Option<Cursor>,
    /// The same for as long as this fold goes on; drawn anew when it begins anew.
    opening: Arc<()>,
}

impl Divvy {
    /// Opens a database through its host, and folds what is in it.
    ///
    /// # Errors
    /// The host's errors, and those of a history that breaks a rule.
    pub async fn open(host: impl Host + 'static) -> Result<Self, Error> {
        Self::open_from(Arc::new(host), None).await
    }

    /// Opens a database from a checkpoint, which saves folding what lies below it.
    ///
    /// A checkpoint is a cache: one that does not fit is passed over.
    ///
    /// # Errors
    /// As [`Divvy::open`].
    pub async fn open_from(host: Arc<dyn Host>, checkpoint: Option<&[u8]>) -> Result<Self, Error> {
        let restored = checkpoint.and_then(Books::from_checkpoint);
        let (books, cursor) = match restored {
            Some((books, cursor)) => (books, Some(cursor)),
            None => (Books::default(), None),
        };
        let mut divvy = Self { host, books, cursor, opening: Arc::default() };
        divvy.catch_up_or_begin_anew().await?;
        Ok(divvy)
    }

    /// Folds what others have written meanwhile, and everything again when the database is not the
    /// one that was folded: its cursors are worth nothing then, and the rails are asked again.
    pub(crate) async fn catch_up_or_begin_anew(&mut self) -> Result<(), Error> {
        match self.catch_up().await {
            Err(error) if error.code() == Code::EpochChanged => {
                tracing::warn!(%error, "everything is folded anew");
                (self.books, self.cursor, self.opening) = (Books::default(), None, Arc::default());
                self.catch_up().await
            }
            caught_up => caught_up,
        }
    }

    /// Which fold this is, for those who must know whether it was begun anew.
    pub(crate) const fn opening(&self) -> &Arc<()> {
        &self.opening
    }

    /// A checkpoint of what is folded now, to be kept and given to [`Divvy::open_from`].
    #[must_use]
    pub fn checkpoint(&self) -> Option<Vec<u8>> {
        self.cursor.as_ref().map(|cursor| self.books.checkpoint(cursor))
    }

    /// The fold of every fact that was read back.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// Up to where everything is folded.
    pub(crate) const fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    pub(crate) const fn books_mut(&mut self) -> &mut Books {
        &mut self.books
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// Folds what others have written meanwhile.
    ///
    /// # Errors
    /// The host's errors, and those of a history that breaks a rule.
    pub async fn catch_up(&mut self) -> Result<(), Error> {
        let Self { host, books, cursor, .. } = self;
        let from = cursor.clone();
        each_page(&**host, from.as_ref(), |page| {
            books.feed(&page.facts)?;
            *cursor = Some(page.cursor.clone());
            Ok(())
        })
        .await
    }

    /// A book that was opened before.
    ///
    /// # Errors
    /// [`Code::BookUnknown`] when there is none of that name.
    pub fn book(&mut self, book: &str) -> Result<Book<'_>, Error> {
        let name = self.books.book(book)?.name().clone();
        Ok(Book::of(self, name))
    }

    /// Opens a book in which everyone is paid at once to a destination of their own; see
    /// [`Divvy::open_book_with`] for everything else.
    ///
    /// # Errors
    /// As [`Divvy::open_book_with`].
    pub async fn open_book(
        &mut self,
        book: &Name,
        asset: Asset,
        now: Time,
    ) -> Result<Book<'_>, Error> {
        let (policy, floor, named_on) = (Policy::Instant, Amount::ONE, None);
        let opened = Opened { asset, policy, floor, cooling_secs: COOLING_SECS, named_on };
        self.open_book_with(book, opened, now).await
    }

    /// Opens a book, or finds it opened the same way before.
    ///
    /// # Errors
    /// [`Code::BookConflict`] when it was opened with other settings, and the host's errors.
    pub async fn open_book_with(
        &mut self,
        book: &Name,
        opened: Opened,
        now: Time,
    ) -> Result<Book<'_>, Error> {
        self.act(|books| match books.book(book.as_str()) {
            Err(_) => books.open(book, opened.clone(), now),
            Ok(known) if *known.settings() == opened => Ok(Step::default()),
            Ok(_) => {
                let detail = format!("book {book} was opened with other settings: keep those");
                Err(Error::new(Code::BookConflict, detail))
            }
        })
        .await?;
        self.book(book.as_str())
    }

    /// Decides on the newest fold, commits, and folds the outcome; whoever finds an address taken
    /// reads again and decides anew.
    pub(crate) async fn act(
        &mut self,
        decide: impl Fn(&Books) -> Result<Step, Error>,
    ) -> Result<Vec<Call>, Error> {
        for _ in 0..TRIES_MAX {
            self.catch_up().await?;
            let step = decide(&self.books)?;
            match self.commit(step).await {
                Err(error) if error.code() == Code::AddressTaken => (),
                committed => return committed,
            }
        }
        let detail = "others were quicker every time: try again when less is going on";
        Err(Error::new(Code::AddressTaken, detail))
    }

    /// Commits a step and releases its calls.
    pub(crate) async fn commit(&mut self, step: Step) -> Result<Vec<Call>, Error> {
        if step.facts().is_empty() {
            return Ok(step.committed());
        }
        self.books.check_step(&step)?;
        let calls = match self.host.commit(step.facts().to_vec(), Manner::Together).await {
            Ok(_) => step.committed(),
            Err(error) if error.code() == Code::CommitUnknown => {
                let read = self.read_back(step.facts()).await?;
                if read.is_empty() {
                    return Err(error);
                }
                let ours = |fact: &Fact| step.facts().iter().any(|own| own.hash == fact.hash);
                if let Some(other) = read.iter().find(|fact| !ours(fact)) {
                    return Err(address_taken(&other.stream, other.n));
                }
                step.committed_if_found(&read)
            }
            Err(error) => return Err(error),
        };
        match self.catch_up().await {
            Ok(()) => Ok(calls),
            // What was released is sent all the same: the facts are durable, and the next one to
            // catch up meets the error again.
            Err(_) if !calls.is_empty() => Ok(calls),
            Err(error) => Err(error),
        }
    }

    /// Recomputes every hash and every equation from the first fact, and compares the outcome
    /// with what is folded now.
    ///
    /// # Errors
    /// The first fact that was altered, is missing or breaks a rule, by its name; the equation
    /// that does not hold.
    pub async fn verify(&mut self) -> Result<Verified, Error> {
        self.catch_up().await?;
        let verified = self.verify_stored(self.books.count()).await?;
        verified.compare(&self.books)?;
        Ok(verified)
    }

    /// Recomputes every hash and every equation from the first fact, and goes on with that fold.
    ///
    /// It needs half the memory of [`Divvy::verify`]: of the fold so far only the count and the
    /// digest of its facts are compared.
    ///
    /// # Errors
    /// As [`Divvy::verify`].
    pub async fn verify_anew(&mut self) -> Result<u64, Error> {
        self.catch_up().await?;
        let (count, digest) = (self.books.count(), self.books.digest());
        // Whatever happens, nothing goes on with a fold that was dropped.
        let cursor = self.cursor.take();
        self.books = Books::default();
        let verified = self.verify_stored(count).await?;
        if (verified.facts, verified.digest) != (count, digest) {
            let detail = format!(
                "{} facts are stored, {count} were folded, or others: open anew",
                verified.facts
            );
            return Err(Error::new(Code::BookUnbalanced, detail));
        }
        (self.books, self.cursor) = (verified.books, cursor);
        Ok(count)
    }

    async fn verify_stored(&self, count: u64) -> Result<Verified, Error> {
        let mut verify = Verify::new();
        // What others write meanwhile is not folded yet, and not verified this time.
        let mut left = usize::try_from(count).unwrap_or(usize::MAX);
        each_page(&*self.host, None, |page| {
            let facts = page.facts.get(..left.min(page.facts.len())).unwrap_or_default();
            left = left.saturating_sub(facts.len());
            verify.feed(facts)
        })
        .await?;
        verify.finish()
    }

    /// Who is due in a book now, at most as many as one run pays.
    ///
    /// # Errors
    /// [`Code::BookUnknown`] when there is none of that name.
    pub fn due(&mut self, book: &str, now: Time) -> Result<Vec<Line>, Error> {
        self.books.book_mut(book)?.wake_waited(now)?;
        let due = self.books.book(book)?.due(now)?;
        Ok(due.into_iter().flat_map(|due| due.lines).collect())
    }

    /// Asks what each rail charges for a line, where somebody's terms weigh that, so that
    /// [`Divvy::due`] and balances can tell who waits for a lower fee.
    ///
    /// Returns the rails of which nobody can say it now, each with the reason: whoever weighs
    /// fees waits there.
    ///
    /// # Errors
    /// [`Code::BookUnknown`] when there is none of that name.
    pub async fn quote_fees(
        &mut self,
        book: &str,
        quotes: &dyn Quotes,
        rails: &[Name],
        now: Time,
    ) -> Result<Vec<(Name, Error)>, Error> {
        let mut unsaid = Vec::new();
        let fold = self.books.book_mut(book)?;
        if !fold.weighs_fees() {
            return Ok(unsaid);
        }
        let asset = fold.settings().asset.clone();
        for rail in rails {
            let quoted = match fee_for(quotes, rail, &asset, now).await {
                Ok(quote) => fold.take_quote(&quote, now),
                Err(error) => Err(error),
            };
            if let Err(error) = quoted {
                if error.who() == Who::Us {
                    return Err(error);
                }
                fold.lose_quote(rail);
                unsaid.push((rail.clone(), error));
            }
        }
        Ok(unsaid)
    }

    /// Pays everyone who is due over these rails, and follows up what is open: one tick of a
    /// [`Worker`] that remembers nothing. Safe to run twice, or to kill.
    ///
    /// # Errors
    /// As [`Worker::tick`].
    pub async fn pay_due(
        &mut self,
        rails: Vec<Arc<dyn Rail>>,
        sender: Arc<dyn Sender>,
        now: Time,
    ) -> Result<Tick, Error> {
        Worker::with(rails, sender, WorkerSettings::alone())?.tick(self, now).await
    }

    /// What stands at the addresses of a commit whose outcome is unknown.
    async fn read_back(&self, facts: &[Fact]) -> Result<Vec<Fact>, Error> {
        let mut found = Vec::new();
        for fact in facts {
            let stream = self.host.read(&fact.stream).await?;
            found.extend(stream.into_iter().filter(|read| read.n == fact.n));
        }
        Ok(found)
    }
}

/// Gives every page after a cursor to whoever takes it, and reads the next one meanwhile.
pub(crate) async fn each_page(
    host: &dyn Host,
    cursor: Option<&Cursor>,
    mut take: impl FnMut(&Page) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut page = host.since(cursor, PAGE_FACTS).await?;
    while !page.is_last {
        let (next, taken) =
            tokio::join!(host.since(Some(&page.cursor), PAGE_FACTS), async { take(&page) });
        taken?;
        page = next?;
    }
    take(&page)
}

/// A changed destination cools for a day, longer than any rail's deadline.
pub(crate) const COOLING_SECS: u64 = 86_400;
