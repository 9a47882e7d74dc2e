//! The one thread that writes. What waits at the same moment shares one transaction and one flush.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use divvy_core::{Code, Error, Fact, Manner, Written};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::projection::Projection;
use crate::sqlite::presence::Presence;
use crate::sqlite::refusal::refusal;
use crate::sqlite::roster::{self, Entry};
use crate::sqlite::{project, rows};

/// Something to ask a connection.
pub(super) type Ask = Box<dyn FnOnce(&Connection) + Send>;

/// What the writer is asked for.
pub(super) enum Job {
    /// Write facts, and say what became of each.
    Commit(Vec<Fact>, Manner, oneshot::Sender<Result<Vec<Written>, Error>>),
    /// Keep a checkpoint in place of the one before.
    Keep(Vec<u8>, oneshot::Sender<Result<(), Error>>),
    /// Enter a worker into the roster, and say who lives.
    Enter(Entry, oneshot::Sender<Result<Vec<String>, Error>>),
    /// Write the tables of a projection.
    Project(Projection, oneshot::Sender<Result<(), Error>>),
    /// Read, for a database that only this connection sees.
    Read(Ask),
}

/// The thread's own state.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    path: PathBuf,
    flushes: Arc<AtomicU64>,
    presence: Presence,
    /// Set when a commit failed in the middle; nothing is written after that.
    broken: Option<Error>,
}

/// What a job is told once the transaction has ended.
type Told = Result<Vec<Written>, Error>;

impl Writer {
    pub(super) fn new(connection: Connection, path: PathBuf, flushes: Arc<AtomicU64>) -> Self {
        let presence = Presence::new(&connection);
        Self { connection, path, flushes, presence, broken: None }
    }

    /// Serves until every sender is gone and the queue is empty. Closing the connection then
    /// writes the log back into the file.
    pub(super) fn run(mut self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut size = first.facts();
            let mut group = vec![first];
            // Whoever came while the last flush was under way goes into this one together. Nobody
            // is waited for.
            while size < GROUP_FACTS_MAX && group.len() < GROUP_JOBS_MAX {
                let Ok(next) = queue.try_recv() else { break };
                size = size.saturating_add(next.facts());
                group.push(next);
            }
            self.serve(group);
        }
    }

    fn serve(&mut self, group: Vec<Job>) {
        let (alone, writes): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|job| matches!(job, Job::Read(_) | Job::Enter(..)));
        if !writes.is_empty() {
            let told = self.transact(&writes);
            for (job, told) in writes.into_iter().zip(told) {
                job.reply(told);
            }
        }
        for job in alone {
            match job {
                Job::Read(ask) => ask(&self.connection),
                Job::Enter(entry, reply) => drop(reply.send(self.enter(&entry))),
                Job::Commit(..) | Job::Keep(..) | Job::Project(..) => {}
            }
        }
    }

    fn enter(&mut self, entry: &Entry) -> Result<Vec<String>, Error> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let entered = roster::enter(&self.connection, entry);
        self.roll_back();
        // Whatever else happened: no fact is ever written without its flush.
        if let Err(error) = self.connection.pragma_update(None, "synchronous", "FULL") {
            self.broken = Some(refusal(&self.path, &error));
        }
        entered.map_err(|error| refusal(&self.path, &error))
    }

    /// Writes a group in one transaction. Each job stands or falls alone; when the transaction
    /// itself falls, whoever was told "written" in it is told otherwise.
    fn transact(&mut self, group: &[Job]) -> Vec<Told> {
        let told = |error: &Error| group.iter().map(|_| Err(error.clone())).collect();
        if let Some(broken) = &self.broken {
            return told(broken);
        }
        if let Err(error) = self.say("BEGIN IMMEDIATE") {
            return told(&refusal(&self.path, &error));
        }
        let before = self.connection.total_changes();
        let mut outcomes: Vec<Told> = Vec::with_capacity(group.len());
        for job in group {
            let outcome = if group.len() == 1 { self.write(job) } else { self.write_apart(job) };
            if self.connection.is_autocommit() {
                // A full or failing disk makes SQLite roll the whole transaction back.
                let error = outcome.err().unwrap_or_else(|| self.lost());
                return told(&error);
            }
            outcomes.push(outcome);
        }
        let idle = self.connection.total_changes() == before;
        let failed = group.len() == 1 && outcomes.iter().any(Result::is_err);
        if idle || failed {
            self.roll_back();
            return outcomes;
        }
        let ended = match self.say("COMMIT") {
            Ok(()) => {
                let there = self.presence.check(Code::CommitUnknown);
                there.inspect_err(|gone| self.close_for(gone))
            }
            Err(error) => Err(self.commit_failed(&error)),
        };
        if let Err(error) = ended {
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
                *outcome = Err(error.clone());
            }
            return outcomes;
        }
        self.flushes.fetch_add(1, Ordering::Relaxed);
        outcomes
    }

    /// Writes a job so that only it is undone should it fail.
    fn write_apart(&self, job: &Job) -> Told {
        let refused = |error: rusqlite::Error| refusal(&self.path, &error);
        self.say("SAVEPOINT job").map_err(refused)?;
        let told = self.write(job);
        if self.connection.is_autocommit() {
            return told;
        }
        if told.is_err() {
            self.say("ROLLBACK TO job").map_err(refused)?;
        }
        self.say("RELEASE job").map_err(refused)?;
        told
    }

    fn write(&self, job: &Job) -> Told {
        match job {
            Job::Commit(facts, manner, _) => {
                rows::write(&self.connection, &self.path, facts, *manner)
            }
            Job::Keep(bytes, _) => {
                let kept = rows::keep_checkpoint(&self.connection, bytes);
                kept.map(|()| Vec::new()).map_err(|error| refusal(&self.path, &error))
            }
            Job::Project(projection, _) => {
                project::write(&self.connection, &self.path, projection).map(|()| Vec::new())
            }
            Job::Read(_) | Job::Enter(..) => Ok(Vec::new()),
        }
    }

    /// What a failed COMMIT means.
    ///
    /// Without room, or without a lock, nothing was written whole. When the disk itself failed,
    /// the log may hold the commit or not, and only a new opening will tell: nothing may be
    /// written behind it until then, because a flush that failed once is not repaired by one that
    /// succeeds later.
    fn commit_failed(&mut self, error: &rusqlite::Error) -> Error {
        self.roll_back();
        let refused = refusal(&self.path, error);
        let certain = [ErrorCode::DiskFull, ErrorCode::DatabaseBusy, ErrorCode::ReadOnly];
        if error.sqlite_error_code().is_some_and(|code| certain.contains(&code)) {
            return refused;
        }
        self.close_for(&refused);
        let detail = format!("{refused}: whether it was committed shows when it is opened again");
        Error::new(Code::CommitUnknown, detail)
    }

    /// Nothing is written behind a commit of which nobody knows what became.
    fn close_for(&mut self, why: &Error) {
        let detail = format!("{why}: nothing more is written until it is opened again");
        self.broken = Some(Error::new(Code::StoreUnusable, detail));
    }

    fn roll_back(&mut self) {
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.say("ROLLBACK") {
            self.broken = Some(refusal(&self.path, &error));
        }
    }

    fn lost(&self) -> Error {
        let detail = format!("{}: the transaction was rolled back: try again", self.path.display());
        Error::new(Code::StoreUnusable, detail)
    }

    fn say(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

impl Job {
    fn facts(&self) -> usize {
        match self {
            Self::Commit(facts, ..) => facts.len(),
            Self::Keep(..) | Self::Project(..) | Self::Read(_) | Self::Enter(..) => 1,
        }
    }

    /// Whoever stopped waiting is not told; what was written stays.
    fn reply(self, told: Told) {
        match self {
            Self::Commit(_, _, reply) => drop(reply.send(told)),
            Self::Keep(_, reply) | Self::Project(_, reply) => drop(reply.send(told.map(drop))),
            Self::Read(_) | Self::Enter(..) => {}
        }
    }
}

/// Enough to make a flush cheap, and few enough that nobody waits long for the others.
const GROUP_FACTS_MAX: usize = 20_000;
const GROUP_JOBS_MAX: usize = 1_000;
