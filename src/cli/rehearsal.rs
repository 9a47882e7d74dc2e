//! People in a rehearsal: they agree, release and close weeks, so that a whole job needs nobody.

use std::collections::BTreeSet;

use divvy::Rehearsal;
use divvy::core::{
    Approved, Code, Day, Error, Hash, Judge, Name, Obstacle, Person, SecretKey, Standing, Time,
};

use crate::cli::approve::waiting;
use crate::cli::setup::Desk;

/// The people of a project that rehearses, and what they did.
#[derive(Debug)]
pub(crate) struct People {
    settings: Rehearsal,
    people: Vec<Person>,
    /// How many have to agree.
    needed: usize,
    /// Whose hand does what one alone may do.
    first: Name,
    first_key: SecretKey,
    /// The Monday of the week that they live in.
    week: Day,
    pub(crate) approved: u64,
    pub(crate) released: u64,
    pub(crate) closed: u64,
    /// What is sealed at the end.
    pub(crate) sealed: Option<Hash>,
}

impl People {
    /// The people whom the book knows, where its project rehearses.
    pub(crate) fn of(desk: &mut Desk, start: Time) -> Result<Option<Self>, Error> {
        let Some(settings) = desk.project.rehearsal.clone() else { return Ok(None) };
        let (people, needed) = match desk.book()?.fold()?.guarded() {
            Some(guarded) => (guarded.people.clone(), guarded.approvals),
            None => (Vec::new(), 0),
        };
        let first = match people.first() {
            Some(person) => person.name.clone(),
            None => Name::new("operator")?,
        };
        Ok(Some(Self {
            settings,
            needed: usize::try_from(needed).unwrap_or(usize::MAX),
            people,
            first_key: Rehearsal::key(&first),
            first,
            week: Day::of(start).week().0,
            approved: 0,
            released: 0,
            closed: 0,
            sealed: None,
        }))
    }

    /// The hand that notes funds, releases and closes weeks.
    pub(crate) fn judge(&self, reason: &str) -> Judge<'_> {
        let key = (!self.people.is_empty()).then_some(&self.first_key);
        Judge { by: self.first.clone(), reason: reason.to_owned(), key }
    }

    /// Does what people do by now.
    pub(crate) async fn act(&mut self, desk: &mut Desk, now: Time) -> Result<(), Error> {
        self.approve(desk, now).await?;
        let week = Day::of(now).week().0;
        if week > self.week {
            self.close(desk, self.week, now).await?;
            self.release(desk, now).await?;
            self.week = week;
        }
        Ok(())
    }

    /// Seals everything that is written.
    pub(crate) async fn seal(&mut self, desk: &mut Desk, now: Time) -> Result<(), Error> {
        self.sealed = desk.divvy.seal(now).await?.map(|(root, _)| root);
        Ok(())
    }

    async fn approve(&mut self, desk: &mut Desk, now: Time) -> Result<(), Error> {
        let hours = self.settings.approve_hours;
        for (batch, since) in waiting(desk, now).await? {
            if now < since.plus_secs(hours.saturating_mul(3_600)) {
                continue;
            }
            let digest = batch.approval(now)?;
            for person in self.people.iter().take(self.needed) {
                let signature = Rehearsal::key(&person.name).sign(&digest);
                let approved = Approved { by: person.name.clone(), signed_at: now, signature };
                desk.book()?.approve(batch.stream(), &approved, now).await?;
            }
            self.approved = self.approved.saturating_add(1);
        }
        Ok(())
    }

    /// Closes a week, unless an earlier rehearsal did, or nothing was written in it.
    async fn close(&mut self, desk: &mut Desk, week: Day, now: Time) -> Result<(), Error> {
        let owner = desk.project.treasury.owner.clone();
        let judge = self.judge("the week is over");
        let closed = desk.book_by(Some(judge))?.close_week(week, owner.as_ref(), now).await;
        match closed {
            Err(error) if error.code() == Code::TreasuryConflict => Ok(()),
            closed => {
                closed?;
                self.closed = self.closed.saturating_add(1);
                Ok(())
            }
        }
    }

    /// Releases whoever is held since a payout came back.
    async fn release(&mut self, desk: &mut Desk, now: Time) -> Result<(), Error> {
        let Some(reason) = self.settings.release.clone() else { return Ok(()) };
        let standings: Vec<Standing> = desk.book()?.fold()?.batches().collect();
        for standing in standings {
            let came_back: BTreeSet<u32> =
                standing.tries.iter().flat_map(|try_| try_.returned.iter().copied()).collect();
            if came_back.is_empty() {
                continue;
            }
            let batch = desk.book()?.batch(&standing.batch).await?;
            for (_, line) in (0..u32::MAX).zip(batch.lines()).filter(|(i, _)| came_back.contains(i))
            {
                let balance = desk.book()?.balance(line.payee.as_str(), now).await?;
                if matches!(balance.obstacle, Some(Obstacle::Held(_))) {
                    let judge = self.judge(&reason);
                    desk.book()?.by(judge).release(&line.payee, &reason, now).await?;
                    self.released = self.released.saturating_add(1);
                }
            }
        }
        Ok(())
    }
}
