//! How a process does what it is told, through the front door.

use divvy_core::{
    Amount, Body, Code, Error, Fact, Head, Held, Manner, Name, RuleSet, Step, Stream, TermsSet,
    Time, Units, Who,
};

use crate::book::Book;
use crate::simulation::jobs::{Entries, Job};
use crate::simulation::people::decide;
use crate::simulation::planted::Planted;
use crate::simulation::scene::Shared;
use crate::simulation::till::Receipt;
use crate::{Divvy, Recording, Worker};

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
            Job::SetUp { rules, issues } => set_up(divvy, scene, (rules, issues), now).await?,
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
            Job::Wish(wish) => return wish.tell(divvy, scene, now).await,
            Job::SetPayee { book, payee, set } => {
                let set = [(payee.clone(), set.clone())];
                divvy.book(book.as_str())?.set_payees(&set, now).await?;
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
            Job::SetRule { .. }
            | Job::SetFees { .. }
            | Job::Hold { .. }
            | Job::Release { .. }
            | Job::Approve(_)
            | Job::HandOver(_) => return answered_for(divvy, scene, job, now).await,
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

/// What people answer for.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest needs nobody's word")]
async fn answered_for(
    divvy: &mut Divvy,
    scene: &Shared,
    job: &Job,
    now: Time,
) -> Result<String, Error> {
    match job {
        Job::SetRule { book, rule, by } => {
            let stream = Stream::rule(book);
            let set = async |mut book: Book<'_>| book.set_rule_whole(rule, now).await;
            decide(divvy, scene, (book, &stream, by), set).await
        }
        Job::SetFees { book, fees, by } => {
            let stream = Stream::run(book);
            let set = async |mut book: Book<'_>| book.set_fees(fees, now).await;
            decide(divvy, scene, (book, &stream, by), set).await
        }
        Job::Hold { book, payee, by } => {
            let stream = Stream::payee(book, payee);
            if scene.with(|scene| scene.is_planted(Planted::ActsUnsigned)) {
                let held = Held { reason: "because".to_owned(), cause: None };
                return forge(divvy, &stream, &Body::Held(held), now).await;
            }
            let hold = async |mut book: Book<'_>| book.hold(payee, "asked to wait", now).await;
            decide(divvy, scene, (book, &stream, by), hold).await
        }
        Job::Release { book, payee, by } => {
            let stream = Stream::payee(book, payee);
            let release =
                async |mut book: Book<'_>| book.release(payee, "asked to go on", now).await;
            decide(divvy, scene, (book, &stream, by), release).await
        }
        Job::Approve(approval) => approval.tell(divvy, scene, now).await,
        Job::HandOver(rotation) => rotation.tell(divvy, scene, now).await,
        _ => Ok("nobody needs to".to_owned()),
    }
}

async fn set_up(
    divvy: &mut Divvy,
    scene: &Shared,
    (rules, issues): (&[RuleSet], &[Entries]),
    now: Time,
) -> Result<(), Error> {
    let town = scene.with(|scene| scene.town.clone());
    for (((name, opened), rule), terms) in town.books.iter().zip(rules).zip(&town.terms) {
        let mut book = divvy.open_book_with(name, opened.clone(), now).await?;
        for pool in &town.pools {
            book.open_pool_with(&pool.name, pool.opened.clone(), now).await?;
        }
        for (pool, entries) in town.pools.iter().zip(issues) {
            book.issue_first(pool.name.as_str(), entries, now).await?;
        }
        let issuer = terms.issuer.as_ref();
        if let Some(issuer) = issuer.filter(|issuer| issuer.is_first) {
            book.set_issuer(issuer.key, None, now).await?;
        }
        book.set_rule_whole(rule, now).await?;
        if let Some(issuer) = issuer.filter(|issuer| !issuer.is_first) {
            book.set_issuer(issuer.key, None, now).await?;
        }
        if let Some(fees) = &terms.fees {
            book.set_fees(fees, now).await?;
        }
        book.set_terms(&TermsSet { fee_share: Some(terms.share), ..TermsSet::NONE }, now).await?;
        if let Some(guarded) = &terms.guarded {
            book.guard(guarded, now).await?;
        }
    }
    Ok(())
}

/// A planted mistake: what nobody answers for, written by who knows nothing of people and issuers.
pub(super) async fn forge(
    divvy: &Divvy,
    stream: &Stream,
    body: &Body,
    now: Time,
) -> Result<String, Error> {
    let facts = divvy.host().read(stream).await?;
    let head = facts.last().map_or_else(|| Head::start(stream.clone()), Head::after);
    let at = facts.last().map_or(now, |fact| fact.at.max(now));
    divvy.host().commit(vec![Fact::new(&head, at, body)], Manner::Together).await?;
    Ok("done by nobody".to_owned())
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
