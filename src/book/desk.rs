//! The treasury of a book, and its differences with statements.

use std::collections::BTreeMap;

use divvy_core::{
    Amount, Asset, Body, BreakCause, Code, Day, Direction, Entry, Error, Evidence, Fact, Fate, Fee,
    Firmness, Funds, Line, Name, Place, Planned, Reconciliation, State, Stream, Time, Try,
    WeekClosed, share_reversed,
};

use crate::book::Book;
use crate::divvy::each_page;

impl Book<'_> {
    /// Notes what no payment and no payout tells of the treasury; what was noted before is passed
    /// over. Returns how many were new.
    ///
    /// # Errors
    /// [`Code::TreasuryConflict`] for something else under a known id, and the host's errors.
    pub async fn note_funds(&mut self, funds: &[Funds], now: Time) -> Result<usize, Error> {
        self.divvy.catch_up().await?;
        let count = self.fold()?.note_funds(funds, now)?.facts().len();
        self.act(|book| book.note_funds(funds, now)).await?;
        Ok(count)
    }

    /// Closes the week that a day lies in, or finds it closed before, with the same figures.
    ///
    /// # Errors
    /// [`Code::TreasuryConflict`] for a week that is not over, or comes before one that is closed,
    /// and the host's errors.
    pub async fn close_week(
        &mut self,
        day: Day,
        owner: Option<&Name>,
        now: Time,
    ) -> Result<WeekClosed, Error> {
        self.act(|book| book.close_week(day, owner, now)).await?;
        self.fold()?.treasury().closed(day).cloned().ok_or_else(|| {
            Error::new(Code::TreasuryConflict, format!("the week of {day} did not stay closed"))
        })
    }

    /// Notes what a comparison with a statement found, and closes what matches now.
    ///
    /// # Errors
    /// [`Code::ReconcileIncomplete`] for one that lost an entry, and the host's errors.
    pub async fn note_breaks(
        &mut self,
        found: &Reconciliation,
        evidence: &Evidence,
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| book.note_breaks(found, evidence, now)).await
    }

    /// Says why a break is there; it stays open.
    ///
    /// # Errors
    /// [`Code::BreakUnknown`] for an id that is no open break, and the host's errors.
    pub async fn explain_break(
        &mut self,
        id: &str,
        cause: BreakCause,
        reason: &str,
        now: Time,
    ) -> Result<(), Error> {
        self.act(|book| book.explain_break(id, cause, reason, now)).await
    }

    /// Closes a break.
    ///
    /// # Errors
    /// [`Code::BreakUnknown`] for an id that is no open break, and the host's errors.
    pub async fn close_break(&mut self, id: &str, reason: &str, now: Time) -> Result<(), Error> {
        self.act(|book| book.close_break(id, reason, now)).await
    }

    /// What our books say that a rail's statement has to say too: each line of each try that may
    /// have moved money, and, if asked for, each payment and what went back of it. What moved in
    /// another asset is one entry in that one. The first line of a try tells its fee, where rails
    /// say what they charge; `fees_apart` tells fees as entries of their own instead, named after
    /// the try as `try#fee`, those of tries that failed too.
    ///
    /// # Errors
    /// The host's errors, and those of facts that cannot be read.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other streams move no money")]
    pub async fn entries(
        &mut self,
        with_payments: bool,
        fees_apart: bool,
    ) -> Result<Vec<Entry>, Error> {
        self.divvy.catch_up().await?;
        let asset = self.fold()?.settings().asset.clone();
        let tries = self.tries()?;
        let mut entries = Vec::new();
        each_page(self.divvy.host(), None, |page| {
            for fact in &page.facts {
                match fact.stream.place() {
                    Place::Batch { .. } if fact.n == 0 => {
                        let Body::Planned(planned) = fact.body()? else { continue };
                        for told in tries.get(&fact.stream).into_iter().flatten() {
                            let lines = told.entries(&planned, &asset, fees_apart)?;
                            entries.extend(lines);
                        }
                    }
                    Place::Payment { id, .. } if with_payments => {
                        entries.extend(self.payment_entry(fact, id)?);
                    }
                    _ => (),
                }
            }
            Ok(())
        })
        .await?;
        Ok(entries)
    }

    /// The tries of each batch that may have moved money, or cost any.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not final may be open")]
    fn tries(&self) -> Result<BTreeMap<Stream, Vec<Told>>, Error> {
        let fold = self.fold()?;
        let mut tries: BTreeMap<Stream, Vec<Told>> = BTreeMap::new();
        for standing in fold.batches() {
            for try_ in &standing.tries {
                let firmness = match try_.fate {
                    Fate::Settled => Some(Firmness::Final),
                    _ if !try_.is_open() => None,
                    _ if standing.state == State::Review => Some(Firmness::Held),
                    _ => Some(Firmness::Open),
                };
                let told = Told { try_: try_.clone(), at: standing.settled_at, firmness };
                tries.entry(standing.batch.clone()).or_default().push(told);
            }
        }
        Ok(tries)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else moves a payment's money")]
    fn payment_entry(&self, fact: &Fact, id: &str) -> Result<Option<Entry>, Error> {
        let asset = self.fold()?.settings().asset.clone();
        Ok(match fact.body()? {
            Body::Recorded(recorded) if recorded.book == *self.name() => Some(Entry {
                direction: Direction::In,
                ..Entry::paid(id, recorded.amount, asset, recorded.event_at)
            }),
            Body::Reversed(reversed) if reversed.extent.book == *self.name() => {
                let amount = reversed.extent.after.less(reversed.extent.before);
                Some(Entry::paid(&reversed.id, amount, asset, reversed.event_at))
            }
            Body::Restored(restored) if restored.extent.book == *self.name() => {
                let amount = restored.extent.before.less(restored.extent.after);
                let entry = Entry::paid(&restored.id, amount, asset, restored.event_at);
                Some(Entry { direction: Direction::In, ..entry })
            }
            _ => None,
        })
    }
}

/// A try that may have moved money, or cost any.
struct Told {
    try_: Try,
    at: Time,
    /// How sure we are that it moved; nothing when it did not.
    firmness: Option<Firmness>,
}

impl Told {
    fn entries(
        &self,
        planned: &Planned,
        asset: &Asset,
        fees_apart: bool,
    ) -> Result<Vec<Entry>, Error> {
        let reference = &self.try_.signed.reference;
        let mut entries = Vec::new();
        if let Some(firmness) = self.firmness {
            let paid = |(amount, asset): (Amount, &Asset)| Entry {
                firmness,
                ..Entry::paid(reference, amount, asset.clone(), self.at)
            };
            entries.extend(self.moved(planned, asset)?.into_iter().map(paid));
        }
        if fees_apart {
            let name = format!("{reference}#fee");
            let fee = |fee: &Fee| Entry::paid(&name, fee.amount, fee.asset.clone(), self.at);
            entries.extend(self.try_.charged.iter().map(fee));
            return Ok(entries);
        }
        let own = self.try_.charged.iter().find(|fee| fee.asset == *asset);
        for (i, entry) in entries.iter_mut().enumerate() {
            entry.fee = own.map(|fee| if i == 0 { fee.amount } else { Amount::ZERO });
        }
        Ok(entries)
    }

    /// What its lines moved and left there.
    fn moved<'a>(
        &'a self,
        planned: &Planned,
        asset: &'a Asset,
    ) -> Result<Vec<(Amount, &'a Asset)>, Error> {
        let returned = |i: &u32| self.try_.returned.contains(i);
        let lines = (0..u32::MAX).zip(&planned.lines);
        let (back, stays): (Vec<_>, Vec<_>) = lines.partition(|(i, _)| returned(i));
        let Some(moved) = &self.try_.moved else {
            return Ok(stays.into_iter().map(|(_, line)| (line.amount, asset)).collect());
        };
        let sum = |lines: &[(u32, &Line)]| Amount::total(lines.iter().map(|(_, line)| line.amount));
        let (back, stays) = (sum(&back)?, sum(&stays)?);
        let away = share_reversed(moved.amount, back, back.plus(stays)?)?;
        Ok(vec![(moved.amount.minus(away)?, &moved.asset)])
    }
}
