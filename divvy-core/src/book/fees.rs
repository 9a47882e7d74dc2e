//! What paying costs: what payees bear of it, what rails charged, and what rates made of it.
//!
//! ```text
//! Σ paid == Σ moved, at what it was worth + Σ fees borne by payees + Σ rate differences
//! ```

use std::collections::BTreeMap;

use crate::amount::{Amount, Difference};
use crate::asset::Asset;
use crate::batch::{Fate, Step, Try};
use crate::book::apply::Folded;
use crate::book::slips::Slip;
use crate::book::{Book, Totals};
use crate::checkpoint::stored;
use crate::error::{Code, Error};
use crate::fact::{Body, Fact, FeesSet, Line, Planned};
use crate::movement::share_reversed;
use crate::name::Name;
use crate::rail::Fee;
use crate::time::Time;

/// Terms of fees, and their place in the stream of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeeTerms {
    n: u64,
    set: FeesSet,
}

stored!(FeeTerms { n, set });
stored!(FeesSet as cbor);

/// What a batch has moved, in the book's asset, after whatever came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// What left the wallet, at what it was worth.
    pub(super) moved: Amount,
    /// What payees bore of fees.
    pub(super) fees_borne: Amount,
    /// What the lines were more than what left the wallet.
    pub(super) rate_gains: Amount,
    /// What they were less.
    pub(super) rate_losses: Amount,
    /// What rails charged in the book's own asset.
    pub(super) fees_charged: Amount,
}

impl Book {
    /// What fees may cost from now on, and who bears them, if that was ever set.
    #[must_use]
    pub fn fee_terms(&self) -> Option<&FeesSet> {
        self.fee_terms.last().map(|terms| &terms.set)
    }

    /// Sets what fees may cost from now on, and who bears them. It stands in the stream of runs, so
    /// that every run is planned by terms that could be read before it.
    ///
    /// # Errors
    /// [`Code::PolicyMalformed`] for a part of nothing, which is written by leaving it out.
    pub fn set_fees(&self, set: FeesSet, now: Time) -> Result<Step, Error> {
        self.check_fees_set(&set)?;
        let fact = Fact::new(&self.run_head, self.stamp(now), &Body::FeesSet(set));
        Ok(Step::new(vec![fact], Vec::new()))
    }

    /// The lines as they are to be paid when a rail quotes so much for them: where payees bear
    /// fees, each bears an equal part, rounded down, at most what the terms say, and the platform
    /// bears the rest. A line that would pay nothing bears nothing.
    ///
    /// ```
    /// use divvy_core::{Amount, Asset, Books, FeesSet, Line, Name, Opened, Policy, Time};
    ///
    /// let usd = Asset::parse("USD")?;
    /// let (policy, floor) = (Policy::Instant, usd.amount("1.00")?);
    /// let (asset, cooling_secs, named_on) = (usd.clone(), 0, None);
    /// let opened = Opened { asset, policy, floor, cooling_secs, named_on };
    /// let (mut books, name) = (Books::default(), Name::new("chapter-42")?);
    /// books.feed(books.open(&name, opened, Time::ZERO)?.facts())?;
    /// let set = FeesSet { ceiling: None, borne_max: Some(usd.amount("0.30")?) };
    /// books.feed(books.book("chapter-42")?.set_fees(set, Time::ZERO)?.facts())?;
    ///
    /// let (payee, amount) = (Name::new("alice")?, usd.amount("50.00")?);
    /// let line = Line { payee, amount, to: "a1".into(), to_n: None, fee: None };
    /// let lines = books.book("chapter-42")?.bear(vec![line; 3], usd.amount("0.50")?);
    /// // 0.16 each; the platform bears the two cents that are left.
    /// assert_eq!(usd.text(lines[0].amount), "49.84");
    /// assert_eq!(usd.text(lines[0].debit()?), "50.00");
    /// # Ok::<(), divvy_core::Error>(())
    /// ```
    #[must_use]
    pub fn bear(&self, lines: Vec<Line>, quoted: Amount) -> Vec<Line> {
        let most = self.fee_terms().and_then(|set| set.borne_max).unwrap_or(Amount::ZERO);
        let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let part = quoted.get().checked_div(count).unwrap_or(0).min(most.get());
        let part = Amount::new(part).unwrap_or(Amount::ZERO);
        let bears = |mut line: Line| {
            if !part.is_zero() && part < line.amount {
                line.amount = line.amount.less(part);
                line.fee = Some(part);
            }
            line
        };
        lines.into_iter().map(bears).collect()
    }

    /// Whether a try may be signed for which its rail quotes so much: not above what the book's
    /// terms allow. What people approved has a ceiling of its own.
    ///
    /// # Errors
    /// [`Code::FeeAboveCeiling`] with both figures.
    pub fn check_fee(&self, quoted: Amount) -> Result<(), Error> {
        let ceiling = self.fee_terms().and_then(|set| set.ceiling);
        let Some(ceiling) = ceiling.filter(|ceiling| *ceiling < quoted) else { return Ok(()) };
        let (asset, name) = (&self.settings.asset, &self.name);
        let detail = format!(
            "book {name} pays {} {} for a batch at most, and its rail quotes {}: it is tried again \
             by and by; wait until paying is cheaper, or allow more",
            asset.text(ceiling),
            asset.code(),
            asset.text(quoted)
        );
        Err(Error::new(Code::FeeAboveCeiling, detail))
    }

    /// What rails have charged, by wallet and asset.
    ///
    /// # Errors
    /// [`Code::AmountAboveCeiling`] when a sum is too large.
    pub fn charged(&self) -> Result<Vec<(Name, Fee)>, Error> {
        let mut sums: BTreeMap<(Name, String), Fee> = BTreeMap::new();
        for slip in self.slips.values() {
            for fee in slip.batch.tries().iter().flat_map(|try_| &try_.charged) {
                let key = (slip.batch.wallet().clone(), fee.asset.to_string());
                let nothing = Fee { asset: fee.asset.clone(), amount: Amount::ZERO };
                let sum = sums.entry(key).or_insert(nothing);
                sum.amount = sum.amount.plus(fee.amount)?;
            }
        }
        Ok(sums.into_iter().map(|((wallet, _), fee)| (wallet, fee)).collect())
    }

    pub(super) fn apply_fees_set(&mut self, set: &FeesSet, fact: &Fact) -> Result<Folded, Error> {
        self.check_fees_set(set)?;
        self.fee_terms.push(FeeTerms { n: fact.n, set: set.clone() });
        self.pass_run(fact);
        Ok(Folded::Yes)
    }

    fn check_fees_set(&self, set: &FeesSet) -> Result<(), Error> {
        if set.borne_max != Some(Amount::ZERO) {
            return Ok(());
        }
        let detail = format!("payees of {} would bear nothing: leave it out then", self.name);
        Err(Error::new(Code::PolicyMalformed, detail))
    }

    /// No line bears more than terms allow that stood before its run: they could be read first.
    pub(super) fn check_borne(&self, run: u64, planned: &Planned) -> Result<(), Error> {
        let terms = self.fee_terms.iter().rfind(|terms| terms.n < run);
        let most = terms.and_then(|terms| terms.set.borne_max).unwrap_or(Amount::ZERO);
        let above = |line: &&Line| line.fee.is_some_and(|fee| fee > most || fee.is_zero());
        let Some(line) = planned.lines.iter().find(above) else { return Ok(()) };
        let detail = format!(
            "{} would bear a fee of {} where {most} is what was shown before: plan it anew",
            line.payee,
            line.fee.unwrap_or(Amount::ZERO)
        );
        Err(Error::new(Code::BatchStale, detail))
    }

    /// Takes what a fact changed of a batch into the book's sums and those of the day. What is
    /// charged in another asset is a cost of the wallet, and never mixed in.
    pub(super) fn note_outcome(
        &mut self,
        before: &Outcome,
        after: &Outcome,
        at: Time,
    ) -> Result<(), Error> {
        if before == after {
            return Ok(());
        }
        self.totals.replace(before, after)?;
        let day = self.treasury.on(at);
        day.paid = day.paid.plus(after.moved.less(before.moved))?;
        day.returned = day.returned.plus(before.moved.less(after.moved))?;
        day.fees_paid = day.fees_paid.plus(after.fees_charged.minus(before.fees_charged)?)?;
        Ok(())
    }
}

impl Slip {
    /// What the batch has moved, and at what cost.
    pub(super) fn outcome(&self, own: &Asset) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        for try_ in self.batch.tries() {
            let own = try_.charged.iter().find(|fee| fee.asset == *own);
            let charged = own.map_or(Amount::ZERO, |fee| fee.amount);
            outcome.fees_charged = outcome.fees_charged.plus(charged)?;
            if try_.fate == Fate::Settled {
                self.add_settled(try_, &mut outcome)?;
            }
        }
        Ok(outcome)
    }

    /// What came back of a try that moved another asset takes its part of what that was worth with
    /// it, by a cumulative floor: all of it once all has come back.
    fn add_settled(&self, try_: &Try, outcome: &mut Outcome) -> Result<(), Error> {
        let (mut sum, mut away) = (Amount::ZERO, Amount::ZERO);
        for (at, (_, debit)) in (0_u32..).zip(&self.lines) {
            let fee = self.fee(at);
            let amount = debit.minus(fee)?;
            sum = sum.plus(amount)?;
            if try_.returned.contains(&at) {
                away = away.plus(amount)?;
            } else {
                outcome.fees_borne = outcome.fees_borne.plus(fee)?;
            }
        }
        let worth = match &try_.moved {
            Some(moved) => moved.locked()?,
            None => sum,
        };
        let (stays, moved) = (sum.minus(away)?, worth.minus(share_reversed(worth, away, sum)?)?);
        outcome.moved = outcome.moved.plus(moved)?;
        outcome.rate_gains = outcome.rate_gains.plus(stays.less(moved))?;
        outcome.rate_losses = outcome.rate_losses.plus(moved.less(stays))?;
        Ok(())
    }
}

impl Totals {
    /// Puts what a batch does now in the place of what it did before.
    pub(super) fn replace(&mut self, before: &Outcome, after: &Outcome) -> Result<(), Error> {
        let turn = |sum: Amount, old: Amount, new: Amount| sum.plus(new)?.minus(old);
        self.moved = turn(self.moved, before.moved, after.moved)?;
        self.fees_borne = turn(self.fees_borne, before.fees_borne, after.fees_borne)?;
        self.rate_gains = turn(self.rate_gains, before.rate_gains, after.rate_gains)?;
        self.rate_losses = turn(self.rate_losses, before.rate_losses, after.rate_losses)?;
        self.fees_charged = turn(self.fees_charged, before.fees_charged, after.fees_charged)?;
        Ok(())
    }

    /// What rates made of payouts that rails moved in another asset: above zero where less left the
    /// wallet than payees were debited, below it where more did.
    #[must_use]
    pub fn rate_difference(&self) -> Difference {
        Difference::between(self.rate_gains, self.rate_losses)
    }
}

impl Outcome {
    pub(super) fn plus(self, other: Self) -> Result<Self, Error> {
        Ok(Self {
            moved: self.moved.plus(other.moved)?,
            fees_borne: self.fees_borne.plus(other.fees_borne)?,
            rate_gains: self.rate_gains.plus(other.rate_gains)?,
            rate_losses: self.rate_losses.plus(other.rate_losses)?,
            fees_charged: self.fees_charged.plus(other.fees_charged)?,
        })
    }
}

/// What each line bears of the fee, where any does.
pub(super) fn fees_of(planned: &Planned) -> Box<[Amount]> {
    let fees = planned.lines.iter().map(|line| line.fee.unwrap_or(Amount::ZERO));
    let fees: Box<[Amount]> = fees.collect();
    if fees.iter().all(|fee| fee.is_zero()) { Box::default() } else { fees }
}
