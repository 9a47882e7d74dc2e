//! The one task that writes. What waits at the same moment shares one transaction and one flush.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use divvy_core::{Code, Error, Fact, Manner, Stream, Written};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio_postgres::error::SqlState;

use crate::postgres::group::Group;
use crate::postgres::refusal::{is_lost, is_passing, refusal};
use crate::postgres::session::{Access, Session, Slot};
use crate::postgres::shared::Shared;

/// Facts to write, and whom to tell what became of them.
pub(super) struct Job {
    pub(super) facts: Vec<Fact>,
    pub(super) manner: Manner,
    pub(super) reply: oneshot::Sender<Told>,
}

/// What a job is told once its transaction has ended.
pub(super) type Told = Result<Vec<Written>, Error>;

/// Why a transaction was not committed, or may not have been.
#[derive(Clone)]
struct Fault {
    ending: Ending,
    error: Error,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Nothing was written; the connection was lost, or others were in the way for a moment.
    Passing,
    /// Nothing was written: somebody else's lock was waited for long enough.
    Stuck,
    /// Nothing was written, and trying the same again does not help.
    Refused,
    /// The server cannot be reached, or is not the one that it was.
    Away,
    /// The server was asked to commit, and did not answer.
    Unknown,
}

/// Serves until every sender is gone and the queue is empty.
pub(super) async fn run(shared: &Shared, mut queue: UnboundedReceiver<Job>) {
    let slot = Slot::default();
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            let Some(first) = queue.recv().await else { return slot.close().await };
            waiting.push_back(first);
        }
        // Whoever came while the last flush was under way goes into this one together. Nobody is
        // waited for.
        while let Ok(next) = queue.try_recv() {
            waiting.push_back(next);
        }
        drop(serve(shared, &slot, take_group(&mut waiting)).await);
    }
}

/// Takes the first jobs of the queue that have nothing to do with each other, so that each stands
/// or falls by what is in the database alone.
fn take_group(waiting: &mut VecDeque<Job>) -> Vec<Job> {
    let mut streams: HashSet<Stream> = HashSet::new();
    let (mut group, mut size) = (Vec::new(), 0_usize);
    while let Some(next) = waiting.front() {
        let apart = !next.facts.iter().any(|fact| streams.contains(&fact.stream));
        let fits = size < GROUP_FACTS_MAX && group.len() < GROUP_JOBS_MAX;
        if !(group.is_empty() || (apart && fits)) {
            break;
        }
        let Some(next) = waiting.pop_front() else { break };
        size = size.saturating_add(next.facts.len());
        streams.extend(next.facts.iter().map(|fact| fact.stream.clone()));
        group.push(next);
    }
    group
}

/// Writes a group. Whoever fails is told why, and the others are written without them. Returns what
/// all of them were told, when none could be written.
async fn serve(shared: &Shared, slot: &Slot, mut group: Vec<Job>) -> Option<Fault> {
    let mut tries = 0_usize;
    while !group.is_empty() {
        let fault = match write(shared, slot, &group).await {
            Ok(outcomes) => {
                let all = outcomes.iter().all(Result::is_ok);
                let mut rest = Vec::new();
                for (job, told) in group.into_iter().zip(outcomes) {
                    // Nothing was committed when one of them failed.
                    if all || told.is_err() {
                        drop(job.reply.send(told));
                    } else {
                        rest.push(job);
                    }
                }
                group = rest;
                continue;
            }
            Err(fault) => fault,
        };
        tries = tries.saturating_add(1);
        match fault.ending {
            Ending::Passing if tries < TRIES_MAX => {}
            // One of them spoils it for all, or waits for a stranger's lock.
            Ending::Refused | Ending::Stuck if group.len() > 1 => {
                serve_alone(shared, slot, group).await;
                return None;
            }
            Ending::Passing | Ending::Stuck | Ending::Refused | Ending::Away | Ending::Unknown => {
                for job in group {
                    drop(job.reply.send(Err(fault.error.clone())));
                }
                return Some(fault);
            }
        }
    }
    None
}

/// Writes jobs one by one. When several of them wait in vain, a stranger has locked more than an
/// address, and the others do not wait for that in turn.
async fn serve_alone(shared: &Shared, slot: &Slot, group: Vec<Job>) {
    let mut stuck = 0_usize;
    let mut last = None;
    for job in group {
        if let Some(Fault { error, .. }) = last.as_ref().filter(|_| stuck >= STUCK_MAX) {
            drop(job.reply.send(Err(error.clone())));
            continue;
        }
        let fault = Box::pin(serve(shared, slot, vec![job])).await;
        if fault.as_ref().is_some_and(|fault| fault.ending == Ending::Stuck) {
            stuck = stuck.saturating_add(1);
            last = fault;
        }
    }
}

/// Writes a group in one transaction. When a job fails, nothing is written, and it is known who.
async fn write(shared: &Shared, slot: &Slot, group: &[Job]) -> Result<Vec<Told>, Fault> {
    let session = slot.session(&shared.server, Access::Write, &shared.epoch).await;
    let session = session.map_err(|error| Fault { ending: Ending::Away, error })?;
    let place = shared.server.place();
    if is_free(group) {
        return write_at_once(shared, slot, &session, group).await;
    }
    let written = match insert(&session, group).await {
        Ok(written) => written,
        Err(error) => {
            if is_lost(&error) {
                slot.forget(&session).await;
            } else {
                roll_back(&session).await;
            }
            return Err(Fault { ending: ending(&error), error: refusal(place, &error) });
        }
    };
    let outcomes = written.outcomes;
    if outcomes.iter().any(Result::is_err) || written.rows == 0 {
        roll_back(&session).await;
        return Ok(outcomes);
    }
    match session.client.batch_execute("COMMIT").await {
        Ok(()) => {
            shared.flushes.fetch_add(1, Ordering::Relaxed);
            Ok(outcomes)
        }
        Err(error) if is_lost(&error) => {
            slot.forget(&session).await;
            Err(unknown(place, &error))
        }
        // The server said no, and rolled back.
        Err(error) => Err(Fault { ending: ending(&error), error: refusal(place, &error) }),
    }
}

/// The connection was lost behind a COMMIT that was sent.
fn unknown(place: &str, error: &tokio_postgres::Error) -> Fault {
    let refused = refusal(place, error);
    let detail = format!("{refused}: whether it was committed shows when it is read back");
    Fault { ending: Ending::Unknown, error: Error::new(Code::CommitUnknown, detail) }
}

/// Whether a small group stands whatever is found: no fact needs another one, and one that is taken
/// is only told.
fn is_free(group: &[Job]) -> bool {
    let free =
        |job: &Job| job.manner == Manner::EachIfFree && job.facts.iter().all(|fact| fact.n == 0);
    let facts = group.iter().fold(0_usize, |sum, job| sum.saturating_add(job.facts.len()));
    facts <= AT_ONCE_FACTS_MAX && group.iter().all(free)
}

/// Writes a group that stands whatever is found: one statement, which is its own transaction.
async fn write_at_once(
    shared: &Shared,
    slot: &Slot,
    session: &Arc<Session>,
    group: &[Job],
) -> Result<Vec<Told>, Fault> {
    let (place, group) = (shared.server.place(), Group::new(group));
    let columns = group.columns();
    let asked = match columns.only() {
        Some(cells) => session.client.query(&session.insert_one, &cells).await,
        None => session.client.query(&session.insert_at_once, &columns.parameters()).await,
    };
    let rows = match asked {
        Ok(rows) => rows,
        Err(error) if is_lost(&error) => {
            slot.forget(session).await;
            return Err(unknown(place, &error));
        }
        Err(error) => {
            return Err(Fault { ending: ending(&error), error: refusal(place, &error) });
        }
    };
    if !rows.is_empty() {
        shared.flushes.fetch_add(1, Ordering::Relaxed);
    }
    let taken = columns.taken(&rows).map_err(|error| unknown(place, &error))?;
    Ok(group.outcomes(&[], &taken))
}

/// What an error before the commit means.
fn ending(error: &tokio_postgres::Error) -> Ending {
    if is_lost(error) || is_passing(error) {
        Ending::Passing
    } else if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
        Ending::Stuck
    } else {
        Ending::Refused
    }
}

/// What a transaction wrote, before it is committed.
struct Inserted {
    rows: u64,
    outcomes: Vec<Told>,
}

/// Begins a transaction and writes what finds its address free, in one round trip when nothing is
/// taken.
async fn insert(session: &Session, group: &[Job]) -> Result<Inserted, tokio_postgres::Error> {
    let (client, group) = (&session.client, Group::new(group));
    let (needed, columns) = (group.needed(), group.columns());
    let (streams, ns) = &needed;
    let parameters = columns.parameters();
    let missing = async {
        if streams.is_empty() {
            return Ok(Vec::new());
        }
        client.query(&session.missing, &[streams, ns]).await
    };
    // The statements are sent in this order without waiting for each other's answers.
    let ((), missing, rows) = tokio::try_join!(
        biased;
        client.batch_execute("BEGIN"),
        missing,
        client.execute(&session.insert, &parameters),
    )?;
    let ordinal = |row: &tokio_postgres::Row| row.try_get::<_, i64>(0);
    let missing = missing.iter().map(ordinal).collect::<Result<Vec<_>, _>>()?;
    let is_whole = usize::try_from(rows).is_ok_and(|rows| rows == columns.len());
    let taken = if is_whole {
        Vec::new()
    } else {
        let (streams, ns) = columns.addresses();
        let taken = client.query(&session.own, &[streams, ns]).await?;
        taken.iter().map(ordinal).collect::<Result<Vec<_>, _>>()?
    };
    Ok(Inserted { rows, outcomes: group.outcomes(&missing, &taken) })
}

/// A connection that cannot roll back is lost, and with it what it had written.
async fn roll_back(session: &Session) {
    drop(session.client.batch_execute("ROLLBACK").await);
}

/// Enough to make a flush cheap, and few enough that nobody waits long for the others.
const GROUP_FACTS_MAX: usize = 20_000;
const GROUP_JOBS_MAX: usize = 1_000;

/// So many facts are asked about and committed in one round trip.
const AT_ONCE_FACTS_MAX: usize = 256;

/// So many waits in vain, each of ten seconds, are enough for a group.
const STUCK_MAX: usize = 2;

/// A connection may be found lost, and a deadlock be met, a few times in a row.
const TRIES_MAX: usize = 4;
