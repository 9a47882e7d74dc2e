//! One book, through which everything about it is done.

use divvy_core::{
    Amount, Balance, Body, Books, Brought, Chapter, Code, Error, Explanation, Fact, Judge, Manner,
    Name, Payment, PoolOpened, Step, Stream, Subject, Time, Units, Written,
};

use crate::divvy::{Divvy, each_page};
use crate::joined::Joined;

mod demand;
mod desk;
mod fees;
mod people;
mod reversals;
mod rules;
mod terms;
mod webhooks;

pub use demand::Cost;
pub use reversals::Makeup;

/// What became of a payment that was given to [`Book::record`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recording {
    /// It was new, and is recorded.
    New,
    /// It was recorded before, with the same body.
    Known,
    /// It was recorded before with another body; the error shows both.
    Conflict(Error),
}

/// One book, through which everything about it is done.
#[derive(Debug)]
pub struct Book<'a> {
    divvy: &'a mut Divvy,
    name: Name,
    /// Who acts by this handle, if that is to be written down.
    judge: Option<Judge<'a>>,
}

impl<'a> Book<'a> {
    pub(crate) const fn of(divvy: &'a mut Divvy, name: Name) -> Self {
        Self { divvy, name, judge: None }
    }
}

impl Book<'_> {
    /// Records payments, each once: the same event twice is a quiet yes, another body under the
    /// same name is a conflict that is told, and never spoils what it came with.
    ///
    /// Returns one outcome for each payment, in order.
    ///
    /// # Errors
    /// [`Code::RuleMissing`], [`Code::PaymentMalformed`], [`Code::ClockAhead`] for a payment of
    /// more than five minutes ahead: nothing is recorded then. After one of the host's errors some
    /// or all of them may be: record the same payments again, under the same names.
    pub async fn record(
        &mut self,
        payments: &[Payment],
        now: Time,
    ) -> Result<Vec<Recording>, Error> {
        // A rule that somebody else has set since is to be known.
        self.divvy.catch_up().await?;
        let facts = self.recorded(payments, now)?;
        let written = self.divvy.host().commit(facts.clone(), Manner::EachIfFree).await?;
        let mut recordings = Vec::with_capacity(facts.len());
        for (fact, written) in facts.iter().zip(written) {
            recordings.push(match written {
                Written::New => Recording::New,
                Written::Taken => self.compare(fact).await?,
            });
        }
        self.divvy.catch_up().await?;
        Ok(recordings)
    }

    /// Payments to record inside a transaction of the host's own, on the same database: an order
    /// and its payment are there together, or neither is. See [`Joined`] for how.
    ///
    /// The rule is the one of the last look at the database.
    ///
    /// # Errors
    /// As [`Book::record`], but for the host's errors.
    pub fn record_joined(&self, payments: &[Payment], now: Time) -> Result<Joined, Error> {
        let asset = &self.fold()?.settings().asset;
        Ok(Joined::new(self.recorded(payments, now)?, self.divvy.host().fact_table(), asset))
    }

    /// A move of units to write inside a transaction of the host's own, on the same database: a
    /// sale and its units are there together, or neither is. See [`Joined`] for how.
    ///
    /// Who holds what is that of the last look at the database; when another move was quicker,
    /// [`Joined::outcome`] says to retry the transaction. Of one pool, one move fits into a
    /// transaction.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] when the first holder has fewer, [`Code::PoolUnknown`].
    pub fn move_units_joined(
        &self,
        pool: &str,
        holders: (&Name, &Name),
        units: Units,
        now: Time,
    ) -> Result<Joined, Error> {
        let (from, to) = holders;
        let step = self.fold()?.move_holding(pool, from, to, units, now)?;
        let asset = &self.fold()?.settings().asset;
        Ok(Joined::new(step.facts().to_vec(), self.divvy.host().fact_table(), asset))
    }

    /// The facts that record payments.
    fn recorded(&self, payments: &[Payment], now: Time) -> Result<Vec<Fact>, Error> {
        let latest = now.plus_secs(AHEAD_SECS);
        if let Some(payment) = payments.iter().find(|payment| payment.event_at() > latest) {
            let detail = format!(
                "{} is of {}, but it is only {now}: mend the clock or the payment",
                payment.stream(),
                payment.event_at()
            );
            return Err(Error::new(Code::ClockAhead, detail));
        }
        self.fold()?.record(payments, now)
    }

    /// Compares a payment with the one that was recorded before it.
    async fn compare(&self, fact: &Fact) -> Result<Recording, Error> {
        let stored = self.divvy.host().read(&fact.stream).await?;
        let stored = stored.first().map(Fact::body).transpose()?;
        let (Some(Body::Recorded(before)), Body::Recorded(again)) = (stored, fact.body()?) else {
            let detail = format!("{} is taken by something else: run verify", fact.stream);
            return Err(Error::new(Code::FactMalformed, detail));
        };
        let asset = &self.fold()?.settings().asset;
        Ok(match before.accept_again(&again, &fact.stream, asset) {
            Ok(()) => Recording::Known,
            Err(conflict) => Recording::Conflict(conflict),
        })
    }

    /// Divides what waits for a rule that counts, and declares everything that waits in the book's
    /// pools, at this record date.
    ///
    /// Returns how much was declared.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] when a pool would pass its ceiling, and the host's errors.
    pub async fn declare(&mut self, now: Time) -> Result<Amount, Error> {
        let before = self.fold()?.totals().declared;
        let name = self.name.clone();
        self.divide(now).await?;
        // What one pool brings another is declared there in turn.
        for _ in 0..=self.fold()?.pools_nested() {
            self.divvy.act(|books| books.book(name.as_str())?.declare(now)).await?;
        }
        self.fold()?.totals().declared.minus(before)
    }

    /// Takes in what payees bring along from before the book began: once each, on the word of
    /// whoever vouches for it.
    ///
    /// # Errors
    /// [`Code::BookConflict`] for a payee who brought money along before, and the host's errors.
    /// Nothing is taken in then.
    pub async fn bring(&mut self, entries: &[(Name, Brought)], now: Time) -> Result<(), Error> {
        self.act(|book| book.bring(entries, now)).await
    }

    /// What a payee brought along from before the book began, if anything.
    ///
    /// # Errors
    /// The host's errors.
    pub async fn brought(&self, payee: &Name) -> Result<Option<Brought>, Error> {
        if self.fold()?.payee_head(payee).n == 0 {
            return Ok(None);
        }
        for fact in self.read(&Stream::payee(&self.name, payee)).await? {
            if let Body::Brought(brought) = fact.body()? {
                return Ok(Some(brought));
            }
        }
        Ok(None)
    }

    /// Where a payee's money is.
    ///
    /// # Errors
    /// [`Code::PayeeUnknown`] for a name that was never part of this book.
    pub async fn balance(&mut self, payee: &str, now: Time) -> Result<Balance, Error> {
        self.divvy.catch_up().await?;
        self.fold()?.balance(payee, now)
    }

    /// Opens a pool for the supply that it is going to have, unless it is open already.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] for no supply, and the host's errors.
    pub async fn open_pool(&mut self, pool: &Name, supply: Units, now: Time) -> Result<(), Error> {
        self.act(|book| match book.pool(pool.as_str()) {
            Ok(_) => Ok(Step::default()),
            Err(_) => book.open_pool(pool, supply, now),
        })
        .await
    }

    /// Opens a pool whose declarations let each holder prove their part, or whose money flows over
    /// time, unless it is open already.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] for no supply, [`Code::InputMalformed`] for proofs of what flows, and
    /// the host's errors.
    pub async fn open_pool_with(
        &mut self,
        pool: &Name,
        opened: PoolOpened,
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| match book.pool(pool.as_str()) {
            Ok(_) => Ok(Step::default()),
            Err(_) => book.open_pool_with(pool, opened.clone(), now),
        })
        .await
    }

    /// Opens a pool whose money flows to the holders over so many seconds in which somebody holds
    /// units, as rewards of a stake do, unless it is open already.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] for no supply, and the host's errors.
    pub async fn open_pool_flowing(
        &mut self,
        pool: &Name,
        supply: Units,
        flow_secs: u64,
        now: Time,
    ) -> Result<(), Error> {
        let flow_millis = Some(flow_secs.saturating_mul(1_000));
        self.open_pool_with(
            pool,
            PoolOpened { supply, flow_millis, proofs: None, payee: None },
            now,
        )
        .await
    }

    /// Turns payable money of a holder into units of a pool, one for each minor unit, instead of
    /// paying it out.
    ///
    /// # Errors
    /// [`Code::BatchStale`] for more than is payable, [`Code::PoolUnknown`], and the host's errors.
    pub async fn compound(
        &mut self,
        pool: &str,
        holder: &Name,
        amount: Amount,
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| book.compound(pool, holder, amount, now)).await
    }

    /// Takes units of a holder out of a pool, as when a stake ends.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] when the holder has fewer, and the host's errors.
    pub async fn redeem(
        &mut self,
        pool: &str,
        holder: &Name,
        units: Units,
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| book.redeem_units(pool, holder, units, now)).await
    }

    /// Gives a pool its first holders, unless it has or had some already.
    ///
    /// # Errors
    /// As [`Book::issue`].
    pub async fn issue_first(
        &mut self,
        pool: &str,
        entries: &[(Name, Units)],
        now: Time,
    ) -> Result<(), Error> {
        // Whoever has left a pool must not come back because the same file is read again.
        let stream = Stream::pool(&self.name, &Name::new(pool)?);
        let facts = self.read(&stream).await?;
        if facts.iter().any(|fact| matches!(fact.body(), Ok(Body::Issued(_)))) {
            return Ok(());
        }
        self.act(|book| match book.pool(pool)?.supply() {
            Units::ZERO => book.issue_units(pool, entries, now),
            _ => Ok(Step::default()),
        })
        .await
    }

    /// Gives new units to holders.
    ///
    /// # Errors
    /// [`Code::PoolUnknown`], [`Code::PoolUnits`], and the host's errors.
    pub async fn issue(
        &mut self,
        pool: &str,
        entries: &[(Name, Units)],
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| book.issue_units(pool, entries, now)).await
    }

    /// Moves units from one holder to another, from now on.
    ///
    /// # Errors
    /// [`Code::PoolUnits`] when the first holder has fewer, and the host's errors.
    pub async fn move_units(
        &mut self,
        pool: &str,
        holders: (&Name, &Name),
        units: Units,
        now: Time,
    ) -> Result<(), Error> {
        let (from, to) = holders;
        self.act(|book| book.move_holding(pool, from, to, units, now)).await
    }

    /// The story of a payee, a payment or a batch, from the first fact on.
    ///
    /// # Errors
    /// The host's errors, and those of a history that breaks a rule.
    pub async fn explain(&self, subject: Subject) -> Result<Vec<Chapter>, Error> {
        let asset = self.fold()?.settings().asset.clone();
        let mut explanation = Explanation::new(subject, asset)?;
        each_page(self.divvy.host(), None, |page| explanation.feed(&page.facts)).await?;
        Ok(explanation.finish())
    }

    /// The book's own fold.
    ///
    /// # Errors
    /// [`Code::BookUnknown`] never, once the handle is there.
    pub fn fold(&self) -> Result<&divvy_core::Book, Error> {
        self.divvy.books().book(self.name.as_str())
    }

    /// The book's name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// All facts of a stream, for those who want to see for themselves.
    ///
    /// # Errors
    /// The host's errors.
    pub async fn read(&self, stream: &Stream) -> Result<Vec<Fact>, Error> {
        self.divvy.host().read(stream).await
    }

    async fn act(
        &mut self,
        decide: impl Fn(&divvy_core::Book) -> Result<Step, Error>,
    ) -> Result<(), Error> {
        let (name, judge) = (self.name.clone(), self.judge.clone());
        let step = |books: &Books| {
            let step = decide(books.book(name.as_str())?)?;
            match &judge {
                Some(judge) => books.decide(step, judge),
                None => Ok(step),
            }
        };
        self.divvy.act(step).await.map(drop)
    }
}

/// A payment may be ahead of our clock by so many seconds.
const AHEAD_SECS: u64 = 300;
