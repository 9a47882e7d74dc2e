//! The treasury of a book, and its differences with statements.

use std::collections::BTreeMap;

use divvy_core::{
    Body, BreakCause, Code, Day, Direction, Entry, Error, Evidence, Fact, Fate, Firmness, Funds,
    Name, Place, Reconciliation, State, Stream, Time, WeekClosed,
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
    /// have moved money, and, if asked for, each payment and what went back of it.
    ///
    /// # Errors
    /// The host's errors, and those of facts that cannot be read.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other streams move no money")]
    pub async fn entries(&mut self, with_payments: bool) -> Result<Vec<Entry>, Error> {
        self.divvy.catch_up().await?;
        let asset = self.fold()?.settings().asset.clone();
        let tries = self.tries()?;
        let mut entries = Vec::new();
        each_page(self.divvy.host(), None, |page| {
            for fact in &page.facts {
                match fact.stream.place() {
                    Place::Batch { .. } if fact.n == 0 => {
                        let Body::Planned(planned) = fact.body()? else { continue };
                        for (reference, at, firmness, returned) in
                            tries.get(&fact.stream).into_iter().flatten()
                        {
                            let lines = (0..u32::MAX).zip(&planned.lines);
                            let lines = lines.filter(|(i, _)| !returned.contains(i));
                            entries.extend(lines.map(|(_, line)| Entry {
                                firmness: *firmness,
                                ..Entry::paid(reference, line.amount, asset.clone(), *at)
                            }));
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

    /// The tries of each batch that may have moved money: reference, time, firmness, lines that
    /// came back.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not final may be open")]
    fn tries(&self) -> Result<BTreeMap<Stream, Vec<Told>>, Error> {
        let fold = self.fold()?;
        let mut tries: BTreeMap<Stream, Vec<Told>> = BTreeMap::new();
        for standing in fold.batches() {
            for try_ in &standing.tries {
                let firmness = match try_.fate {
                    Fate::Settled => Firmness::Final,
                    _ if !try_.is_open() => continue,
                    _ if standing.state == State::Review => Firmness::Held,
                    _ => Firmness::Open,
                };
                let told = (
                    try_.signed.reference.clone(),
                    standing.settled_at,
                    firmness,
                    try_.returned.clone(),
                );
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

/// A try that may have moved money: reference, time, firmness, lines that came back.
type Told = (String, Time, Firmness, Vec<u32>);
