//! What a process can be told to do, and how it does it through the front door.

use divvy_core::{Amount, Code, Error, Legs, Name, PayeeSet, Step, Time, Units, Who};

use crate::simulation::refunds::Refund;
use crate::simulation::scene::{Scene, Shared};
use crate::simulation::till::Receipt;
use crate::{Divvy, Recording, Worker};

/// What a process can be told to do.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// Open the books, their pools and their first rules.
    SetUp {
        legs: Vec<Legs>,
        issues: Vec<Vec<(Name, Units)>>,
    },
    /// A tick of the worker.
    Tick,
    Record {
        book: Name,
        receipts: Vec<Receipt>,
    },
    Declare {
        book: Name,
    },
    Refund(Refund),
    SetRule {
        book: Name,
        from: Time,
        legs: Legs,
    },
    SetPayee {
        book: Name,
        payee: Name,
        set: PayeeSet,
    },
    Hold {
        book: Name,
        payee: Name,
    },
    Release {
        book: Name,
        payee: Name,
    },
    Issue {
        book: Name,
        pool: Name,
        holder: Name,
        units: Units,
    },
    Move {
        book: Name,
        pool: Name,
        from: Name,
        to: Name,
        units: u64,
    },
    Redeem {
        book: Name,
        pool: Name,
        holder: Name,
        units: u64,
    },
    Checkpoint,
    /// Everything from zero.
    Verify,
}

/// Holders and their first units.
type Entries = Vec<(Name, Units)>;

/// A process's own fold and worker.
#[derive(Debug)]
pub(super) struct Shift {
    pub(super) divvy: Divvy,
    pub(super) worker: Worker,
}

impl Shift {
    pub(super) async fn work(
        &mut self,
        scene: &Shared,
        job: &Job,
        now: Time,
    ) -> Result<String, Error> {
        let divvy = &mut self.divvy;
        match job {
            Job::SetUp { legs, issues } => set_up(divvy, scene, (legs, issues), now).await?,
            Job::Tick => {
                let tick = self.worker.tick(divvy, now).await?;
                return Ok(format!("{tick:?}"));
            }
            Job::Record { book, receipts } => {
                return record(divvy, scene, book, receipts, now).await;
            }
            Job::Declare { book } => {
                let declared: Amount = divvy.book(book.as_str())?.declare(now).await?;
                return Ok(format!("{declared} declared"));
            }
            Job::Refund(refund) => return refund.tell(divvy, now).await,
            Job::SetRule { book, from, legs } => {
                divvy.book(book.as_str())?.set_rule(*from, legs, now).await?;
            }
            Job::SetPayee { book, payee, set } => {
                let set = [(payee.clone(), set.clone())];
                divvy.book(book.as_str())?.set_payees(&set, now).await?;
            }
            Job::Hold { book, payee } => {
                divvy.book(book.as_str())?.hold(payee, "asked to wait", now).await?;
            }
            Job::Release { book, payee } => {
                divvy.book(book.as_str())?.release(payee, "asked to go on", now).await?;
            }
            Job::Issue { book, pool, holder, units } => {
                let entries = [(holder.clone(), *units)];
                divvy.book(book.as_str())?.issue(pool.as_str(), &entries, now).await?;
            }
            Job::Move { book, pool, from, to, units } => {
                let part = units_of(divvy, (book, pool, from), *units)?;
                let mut book = divvy.book(book.as_str())?;
                book.move_units(pool.as_str(), (from, to), part, now).await?;
            }
            Job::Redeem { book, pool, holder, units } => {
                let part = units_of(divvy, (book, pool, holder), *units)?;
                let redeem = |books: &divvy_core::Books| -> Result<Step, Error> {
                    books.book(book.as_str())?.redeem_units(pool.as_str(), holder, part, now)
                };
                divvy.act(redeem).await?;
            }
            Job::Checkpoint => {
                let taken = divvy.checkpoint();
                scene.with(|scene| scene.checkpoints.extend(taken));
            }
            Job::Verify => {
                let verified = divvy.verify().await?;
                return Ok(format!("{} facts hold", verified.facts));
            }
        }
        Ok("yes".to_owned())
    }
}

async fn set_up(
    divvy: &mut Divvy,
    scene: &Shared,
    (legs, issues): (&[Legs], &[Entries]),
    now: Time,
) -> Result<(), Error> {
    let town = scene.with(|scene| scene.town.clone());
    for ((name, opened), legs) in town.books.iter().zip(legs) {
        let mut book = divvy.open_book_with(name, opened.clone(), now).await?;
        for (pool, entries) in town.pools.iter().zip(issues) {
            book.open_pool(&pool.name, pool.supply, now).await?;
            book.issue_first(pool.name.as_str(), entries, now).await?;
        }
        book.set_rule(Time::ZERO, legs, now).await?;
    }
    Ok(())
}

/// Records receipts, and strikes off the till's list what is recorded.
async fn record(
    divvy: &mut Divvy,
    scene: &Shared,
    book: &Name,
    receipts: &[Receipt],
    now: Time,
) -> Result<String, Error> {
    let mut book = divvy.book(book.as_str())?;
    let asset = book.fold()?.settings().asset.clone();
    let payments: Result<Vec<_>, Error> =
        receipts.iter().map(|receipt| receipt.payment(&asset)).collect();
    let recordings = book.record(&payments?, now).await?;
    scene.with(|scene| {
        for (receipt, recording) in receipts.iter().zip(&recordings) {
            scene.trace.count(match recording {
                Recording::New => "payments new",
                Recording::Known => "payments known",
                Recording::Conflict(_) => "payments in conflict",
            });
            scene.till.recorded.insert(receipt.id);
        }
    });
    Ok(format!("{recordings:?}"))
}

/// A part of what a payee holds, as far as this process knows.
fn units_of(
    divvy: &Divvy,
    (book, pool, holder): (&Name, &Name, &Name),
    percent: u64,
) -> Result<Units, Error> {
    let held = divvy.books().book(book.as_str())?.units(pool.as_str(), holder.as_str())?;
    let part = u128::from(held.get()).saturating_mul(percent.into()).div_ceil(100);
    let part = Units::new(u64::try_from(part).unwrap_or(0))?;
    if part == Units::ZERO {
        return Err(Error::new(Code::PoolUnits, "nothing is held there"));
    }
    Ok(part)
}

/// Whether an error is one that a host, a rail or a caller may cause.
pub(super) fn is_expected(error: &Error) -> bool {
    error.who() != Who::Us
}

impl Scene {
    /// What a process is told to do next.
    pub(super) fn draw_job(&mut self) -> Result<Job, Error> {
        let Self { town, dice, till, now, .. } = self;
        let book = town.book(dice)?;
        let drawn = dice.below(100);
        Ok(match drawn {
            0..=48 => Job::Tick,
            49..=54 => match till.pick(&book, dice) {
                Some(receipt) => Job::Refund(Refund::draw(receipt, dice)?),
                None => Job::Tick,
            },
            55..=69 => {
                let start = Time::from_millis(crate::simulation::scene::START_MILLIS);
                let receipts = till.next(&book, (start, *now), dice)?;
                Job::Record { book, receipts }
            }
            70..=76 => Job::Declare { book },
            77..=80 => {
                let (pool, holder) = (town.pool(dice)?, town.payee(dice)?);
                let units = Units::new(dice.within(1, pool.supply.get()))?;
                Job::Issue { book, pool: pool.name, holder, units }
            }
            81..=84 => {
                let (pool, from, to) =
                    (town.pool(dice)?.name, town.payee(dice)?, town.payee(dice)?);
                Job::Move { book, pool, from, to, units: dice.within(1, 100) }
            }
            85..=86 => {
                let (pool, holder) = (town.pool(dice)?.name, town.payee(dice)?);
                Job::Redeem { book, pool, holder, units: dice.within(1, 100) }
            }
            87..=90 => {
                let payee = town.payee(dice)?;
                let destination = town.destination(&payee, dice)?;
                let set = PayeeSet { destination: Some(destination), policy: None };
                Job::SetPayee { book, payee, set }
            }
            91..=92 => {
                let policy = Some(crate::simulation::town::Town::policy(dice)?);
                Job::SetPayee {
                    book,
                    payee: town.payee(dice)?,
                    set: PayeeSet { destination: None, policy },
                }
            }
            93 => Job::Hold { book, payee: town.payee(dice)? },
            94..=95 => Job::Release { book, payee: town.payee(dice)? },
            96 => {
                let from = now.plus_secs(dice.below(7_200));
                Job::SetRule { book, from, legs: town.legs(dice)? }
            }
            97..=98 => Job::Checkpoint,
            _ => Job::Verify,
        })
    }

    /// The first job of all.
    pub(super) fn draw_set_up(&mut self) -> Result<Job, Error> {
        let Self { town, dice, .. } = self;
        let legs = town.books.iter().map(|_| town.legs(dice)).collect::<Result<_, Error>>()?;
        let mut issues = Vec::new();
        for pool in &town.pools {
            let mut entries = Entries::new();
            let mut left = pool.supply.get();
            for payee in &town.payees {
                let units = dice.within(0, left);
                left = left.saturating_sub(units);
                entries.push((payee.clone(), Units::new(units)?));
            }
            issues.push(entries);
        }
        Ok(Job::SetUp { legs, issues })
    }
}
