//! Money of a payment that goes back, and comes again.

use divvy_core::{
    Body, Code, Error, Evidence, Fact, Manner, Movement, Reversal, Step, Stream, Time,
};

use crate::book::{Book, Recording};

/// How a pool makes up for money that went back after it was declared.
///
/// ```
/// use divvy::Makeup;
///
/// assert_eq!(Makeup::default(), Makeup::Net);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Makeup {
    /// It is kept back from the next declarations, whoever holds units then. In O(1).
    #[default]
    Net,
    /// It is taken from those who held units when it was declared. In O(their number).
    Mirror,
}

/// Who loses a race for a payment's address reads it again, at most so often.
const TRIES_MAX: usize = 64;

impl Book<'_> {
    /// Takes back what went back of payments: each share by a cumulative floor, so that refunds by
    /// parts add up to the whole. What is paid already is owed back, and comes off the next payout.
    ///
    /// Returns one outcome for each reversal, in order; the same reversal twice is a quiet yes.
    ///
    /// # Errors
    /// [`Code::PaymentUnknown`] when the payment is not recorded (yet), [`Code::PaymentMalformed`]
    /// for more than is left of it, and the host's errors. Reversals before that one are recorded.
    pub async fn reverse(
        &mut self,
        reversals: &[Reversal],
        makeup: Makeup,
        now: Time,
    ) -> Result<Vec<Recording>, Error> {
        let mut recordings = Vec::with_capacity(reversals.len());
        for reversal in reversals {
            let at = |movement: &Movement, at| movement.reverse(reversal, at);
            let done = self.follow(reversal.payment(), at, makeup, now).await;
            recordings.push(match done {
                Err(error) if error.code() == Code::PaymentConflict => Recording::Conflict(error),
                done => done?,
            });
        }
        Ok(recordings)
    }

    /// Gives back what a reversal took, because the refund failed or the dispute was won. Pools
    /// declare their part anew, to those who hold units then.
    ///
    /// # Errors
    /// [`Code::PaymentUnknown`] for what never went back, [`Code::PaymentConflict`] for a dispute
    /// that was lost, and the host's errors.
    pub async fn restore(
        &mut self,
        payment: &Stream,
        id: &str,
        evidence: &Evidence,
        now: Time,
    ) -> Result<Recording, Error> {
        let at = |movement: &Movement, at| movement.restore(id, now, evidence, at);
        self.follow(payment, at, Makeup::Net, now).await
    }

    /// Records that a dispute is lost: what it took stays away.
    ///
    /// # Errors
    /// [`Code::PaymentUnknown`] for what was never disputed, [`Code::PaymentConflict`] for a
    /// dispute that was won, and the host's errors.
    pub async fn lose(
        &mut self,
        payment: &Stream,
        id: &str,
        evidence: &Evidence,
        now: Time,
    ) -> Result<Recording, Error> {
        let at = |movement: &Movement, at| movement.lose(id, evidence, at);
        self.follow(payment, at, Makeup::Net, now).await
    }

    /// One payment with everything that went back of it.
    ///
    /// # Errors
    /// [`Code::PaymentUnknown`] when it is not recorded, and the host's errors.
    pub async fn movement(&self, payment: &Stream) -> Result<Movement, Error> {
        let facts = self.read(payment).await?;
        if facts.is_empty() {
            let detail =
                format!("{payment} is not recorded: record it before what goes back of it");
            return Err(Error::new(Code::PaymentUnknown, detail));
        }
        let movement = Movement::fold(&facts)?.told_in(&self.fold()?.settings().asset);
        if movement.recorded().book == *self.name() {
            return Ok(movement);
        }
        let (book, of) = (self.name(), &movement.recorded().book);
        let detail = format!("{payment} was recorded for book {of}, not for {book}");
        Err(Error::new(Code::PaymentUnknown, detail))
    }

    /// Writes the next fact of a payment, and what follows from it, in one commit.
    async fn follow(
        &mut self,
        payment: &Stream,
        next: impl Fn(&Movement, Time) -> Result<Option<Fact>, Error>,
        makeup: Makeup,
        now: Time,
    ) -> Result<Recording, Error> {
        for _ in 0..TRIES_MAX {
            self.divvy.catch_up().await?;
            let at = now.max(self.divvy.books().newest());
            let movement = self.movement(payment).await?;
            let Some(fact) = next(&movement, at)? else { return Ok(Recording::Known) };
            let mirrored = match makeup {
                Makeup::Net => Step::default(),
                Makeup::Mirror => self.mirrored(payment, &fact, now).await?,
            };
            let facts = [vec![fact], mirrored.facts().to_vec()].concat();
            match self.divvy.host().commit(facts.clone(), Manner::Together).await {
                // Somebody else wrote of this payment, or nobody knows whether we did: what is
                // there now tells, and the same reversal again changes nothing.
                Err(error) if matches!(error.code(), Code::AddressTaken | Code::CommitUnknown) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    self.divvy.catch_up().await?;
                    return Ok(Recording::New);
                }
            }
        }
        let detail = format!("others were quicker with {payment} every time: try again");
        Err(Error::new(Code::AddressTaken, detail))
    }

    /// What a reversal takes from those who held units when each pool's part was declared.
    async fn mirrored(&self, payment: &Stream, fact: &Fact, now: Time) -> Result<Step, Error> {
        let Body::Reversed(reversed) = fact.body()? else { return Ok(Step::default()) };
        let fold = self.fold()?;
        let mut step = Step::default();
        for pool in fold.pools() {
            let facts = self.read(&Stream::pool(self.name(), pool)).await?;
            let extent = &reversed.extent;
            step = step.and(fold.mirror(pool.as_str(), &facts, payment, extent, now)?);
        }
        Ok(step)
    }
}
