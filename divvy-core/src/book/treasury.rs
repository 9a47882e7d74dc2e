//! A book's treasury: what is noted of it, how a week is closed, and what it is held to.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::batch::{State, Step};
use crate::book::Book;
use crate::book::apply::{Folded, follows, misplaced};
use crate::error::{Code, Error};
use crate::fact::{Alerted, Body, Fact, Figures, Funds, Head, WeekClosed};
use crate::name::Name;
use crate::time::Time;
use crate::treasury::{Alert, Day, Payouts, Treasury, TreasuryStatus, TreasuryTerms, is_noted};

impl Book {
    /// The book's treasury.
    #[must_use]
    pub const fn treasury(&self) -> &Treasury {
        &self.treasury
    }

    /// Notes what no payment and no payout tells; what was noted before is passed over.
    ///
    /// # Errors
    /// [`Code::TreasuryConflict`] when something else was noted under the same purpose and id,
    /// before or among these; [`Code::AmountAboveCeiling`] for more than can be counted. Nothing is
    /// noted then.
    pub fn note_funds(&self, funds: &[Funds], now: Time) -> Result<Step, Error> {
        let (mut bodies, mut fresh) = (Vec::new(), BTreeMap::<&str, Vec<_>>::new());
        let mut figures = self.treasury.up_to(None)?;
        for funds in funds {
            let own = fresh.entry(&funds.id).or_default();
            let asset = &self.settings.asset;
            if self.treasury.is_known(funds, asset)? || is_noted(own, funds, asset)? {
                continue;
            }
            // What no sum could hold would be written, and then refused by every fold.
            if let Some(sum) = figures.sum_of(funds.purpose) {
                *sum = sum.plus(funds.amount)?;
            }
            own.push((funds.purpose, funds.amount));
            bodies.push(Body::Funds(funds.clone()));
        }
        let facts = Fact::chain(&self.treasury.head, self.stamp(now), &bodies);
        Ok(Step::new(facts, Vec::new()))
    }

    /// Everything up to the end of the week that a day lies in, or up to now.
    ///
    /// # Errors
    /// [`Code::PayeeUnknown`] for an owner who is no payee, [`Code::AmountAboveCeiling`] when a
    /// sum is too large.
    pub fn figures(&self, owner: Option<&Name>, until: Option<Day>) -> Result<Figures, Error> {
        let owner = owner.map(|owner| self.payee_id(owner.as_str())).transpose()?;
        self.treasury.figures(owner, until)
    }

    /// Closes the week that a day lies in: from then on its figures stand. What is found later to
    /// have been written in that week belongs to the next one. The step is empty when the week is
    /// closed already.
    ///
    /// # Errors
    /// [`Code::TreasuryConflict`] for a week that is not over, or comes before one that is closed;
    /// the errors of [`Book::figures`].
    pub fn close_week(&self, day: Day, owner: Option<&Name>, now: Time) -> Result<Step, Error> {
        if self.treasury.closed(day).is_some() {
            return Ok(Step::default());
        }
        let ((from, until), at) = (day.week(), self.stamp(now));
        let figures = self.figures(owner, Some(until))?;
        let owner = owner.cloned();
        let closing = WeekClosed { from: from.start(), until: until.start(), figures, owner };
        let fact = Fact::new(&self.treasury.head, at, &Body::WeekClosed(closing.clone()));
        self.treasury.clone().close(&closing, &fact)?;
        Ok(Step::new(vec![fact], Vec::new()))
    }

    /// How the treasury is. `due` is what is due and not planned yet.
    ///
    /// # Errors
    /// As [`Book::figures`].
    pub fn treasury_status(
        &self,
        terms: &TreasuryTerms,
        due: Amount,
        now: Time,
    ) -> Result<TreasuryStatus, Error> {
        let owner = terms.owner.as_ref().map(|owner| self.payee_id(owner.as_str())).transpose()?;
        let ended = |state| matches!(state, State::Settled | State::Refused | State::Returned);
        let ended = self.batches().filter(|standing| ended(standing.state));
        let tried: usize = ended.map(|standing| standing.lines).sum();
        let payouts = Payouts {
            due: self.totals.reserved.plus(due)?,
            owner,
            settled: self.totals.lines_settled,
            tried: u64::try_from(tried).unwrap_or(u64::MAX),
        };
        self.treasury.status(terms, payouts, now)
    }

    /// Notes what a person should look at now. The step is empty when that is no news.
    pub fn note_alerts(&self, alerts: &[Alert], now: Time) -> Step {
        if !self.treasury.is_news(alerts, self.stamp(now)) {
            return Step::default();
        }
        let body = Body::Alerted(Alerted { alerts: alerts.to_vec() });
        let fact = Fact::new(&self.treasury.head, self.stamp(now), &body);
        Step::new(vec![fact], Vec::new())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else stands in this stream")]
    pub(super) fn apply_treasury(&mut self, fact: &Fact, body: &Body) -> Result<Folded, Error> {
        if !follows(&self.treasury.head, fact) {
            return Ok(Folded::Early);
        }
        match body {
            Body::Funds(funds) => self.treasury.note(funds, &self.settings.asset, fact)?,
            Body::WeekClosed(closing) => self.treasury.close(closing, fact)?,
            Body::Decided(decided) => {
                if self.apply_decided(decided, fact)? == Folded::Early {
                    return Ok(Folded::Early);
                }
                self.treasury.head = Head::after(fact);
            }
            Body::Alerted(alerted) => self.treasury.alert(&alerted.alerts, fact),
            _ => return Err(misplaced(fact)),
        }
        Ok(Folded::Yes)
    }

    /// The days add up to the book's own sums, and no closing says more than facts do.
    pub(super) fn check_treasury(&self) -> Result<(), Error> {
        let (all, totals) = (self.treasury.up_to(None)?, &self.totals);
        let beside = self.brought.values().chain(self.compounded.values()).copied();
        for (what, by_day, total) in [
            ("recorded", all.recorded, totals.recorded),
            ("withheld", all.withheld, totals.withheld),
            ("refunded", all.reversed.minus(all.restored)?, totals.refunded),
            ("fees paid", all.fees_paid, self.treasury.fees_noted()?.plus(totals.fees_charged)?),
            ("paid", all.paid.minus(all.returned)?.plus(Amount::total(beside)?)?, totals.moved),
        ] {
            if by_day != total {
                return Err(self.unbalanced(what, total, "by day", by_day));
            }
        }
        for closing in self.treasury.closings() {
            let until = Some(Day::of(closing.until));
            let known = self.figures(closing.owner.as_ref(), until)?;
            known.beyond(&closing.figures).map_err(|error| {
                let detail = format!(
                    "book {}: the week from {} was closed with more than its facts say: {error}",
                    self.name, closing.from
                );
                Error::new(Code::BookUnbalanced, detail)
            })?;
        }
        Ok(())
    }
}
