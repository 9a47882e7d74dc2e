//! What every task of a host works with: the server, its epoch, and the connections that read.

use core::time::Duration;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use divvy_core::{Cursor, Error, Fact, Page, Stream, Time};
use tokio::sync::Mutex;
use tokio_postgres::types::Type;

use crate::postgres::refusal::is_lost;
use crate::postgres::rows::{self, Parameter, Seen, Unread};
use crate::postgres::server::Server;
use crate::postgres::session::{Access, Session, Slot, connect};
use crate::postgres::{checkpoint, project, schema};
use crate::projection::Projection;

/// What every task of a host works with.
pub(super) struct Shared {
    pub(super) server: Server,
    pub(super) access: Access,
    pub(super) epoch: String,
    pub(super) flushes: AtomicU64,
    /// Several, so that a long page does not hold up the reading of a stream.
    pages: Slot,
    streams: Slot,
    workers: Slot,
    /// For transactions of many statements: others in between would be part of them.
    turns: Slot,
    turn: Mutex<()>,
}

/// Whether tables are made where there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    IfAbsent,
    Never,
}

/// An answer that is waited for.
type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unread>> + Send + 'a>>;

impl Shared {
    pub(super) async fn open(
        server: Server,
        access: Access,
        making: Making,
    ) -> Result<Self, Error> {
        let (client, _driver, home) = connect(&server, access).await?;
        let epoch = match making {
            Making::IfAbsent => schema::migrate(&client, server.place(), &home).await?,
            Making::Never => schema::epoch(&client, server.place(), &home).await?,
        };
        let flushes = AtomicU64::new(0);
        let (pages, streams, workers, turns) = Default::default();
        let turn = Mutex::default();
        Ok(Self { server, access, epoch, flushes, pages, streams, workers, turns, turn })
    }

    pub(super) async fn read(&self, stream: &Stream) -> Result<Vec<Fact>, Error> {
        let place = self.server.place();
        self.ask(&self.streams, |session| {
            Box::pin(async move { rows::read(&session, place, stream).await })
        })
        .await
    }

    /// A page. What is committed, and still beyond the horizon because somebody else's transaction
    /// runs, is waited for a moment: whoever wrote wants to read it.
    pub(super) async fn since(&self, cursor: &Cursor, facts_max: usize) -> Result<Page, Error> {
        let place = self.server.place();
        let (mut awaited, mut pause, mut left) = (None, PAUSE_MIN, WAIT_MAX);
        loop {
            let seen = self.ask(&self.pages, |session| {
                Box::pin(async move { rows::since(&session, place, cursor, facts_max).await })
            });
            let Seen { page, newest, horizon } = seen.await?;
            let awaited = *awaited.get_or_insert(newest);
            if !page.is_last || awaited < horizon || left.is_zero() {
                return Ok(page);
            }
            tokio::time::sleep(pause).await;
            left = left.saturating_sub(pause);
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    pub(super) async fn keep_checkpoint(&self, bytes: &[u8]) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        self.ask(&self.turns, |session| {
            Box::pin(async move { checkpoint::keep(&session.client, bytes).await })
        })
        .await
    }

    pub(super) async fn checkpoint(&self) -> Result<Vec<u8>, Error> {
        self.ask(&self.streams, |session| {
            Box::pin(async move { checkpoint::kept(&session.client).await })
        })
        .await
    }

    pub(super) async fn project(&self, projection: &Projection) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        self.ask(&self.turns, |session| {
            Box::pin(async move { project::write(&session.client, projection).await })
        })
        .await
    }

    /// Who works now. It is advice, so nobody waits for a disk.
    pub(super) async fn roster(
        &self,
        process: &str,
        now: Time,
        until: Time,
    ) -> Result<Vec<String>, Error> {
        let (now, until) = (rows::wide(now.millis()), rows::wide(until.millis()));
        self.ask(&self.workers, |session| {
            Box::pin(async move {
                let client = &session.client;
                let join: [(Parameter<'_>, Type); 2] =
                    [(&process, Type::TEXT), (&until, Type::INT8)];
                let now: [(Parameter<'_>, Type); 1] = [(&now, Type::INT8)];
                // One round trip: the statements are sent in this order.
                let (_, _, _, rows, ()) = tokio::try_join!(
                    biased;
                    client.batch_execute("BEGIN; SET LOCAL synchronous_commit = off"),
                    client.execute_typed(JOIN, &join),
                    client.execute_typed(LEAVE, &now),
                    client.query_typed(ROSTER, &now),
                    client.batch_execute("COMMIT"),
                )?;
                Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
            })
        })
        .await
    }

    /// Says goodbye, so that the server's log stays quiet.
    pub(super) async fn close(&self) {
        self.pages.close().await;
        self.streams.close().await;
        self.workers.close().await;
        self.turns.close().await;
    }

    /// Asks once, and once more on a new connection when the one at hand was lost: nothing that is
    /// asked so changes anything by being asked twice.
    async fn ask<'a, T>(
        &'a self,
        slot: &'a Slot,
        ask: impl Fn(Arc<Session>) -> Asked<'a, T> + Send + Sync,
    ) -> Result<T, Error> {
        let session = slot.session(&self.server, self.access, &self.epoch).await?;
        let asked = match ask(Arc::clone(&session)).await {
            Err(Unread::Said(said)) if is_lost(&said) => {
                slot.forget(&session).await;
                let session = slot.session(&self.server, self.access, &self.epoch).await?;
                ask(session).await
            }
            asked => asked,
        };
        asked.map_err(|unread| unread.into_error(self.server.place()))
    }
}

const JOIN: &str = "INSERT INTO divvy.divvy_worker (process, until) VALUES ($1, $2)
                    ON CONFLICT (process) DO UPDATE SET until = excluded.until";
/// Whoever says that it goes on just now is left to say so.
const LEAVE: &str = "DELETE FROM divvy.divvy_worker WHERE process IN (
                         SELECT process FROM divvy.divvy_worker WHERE until <= $1
                         ORDER BY process FOR UPDATE SKIP LOCKED)";
const ROSTER: &str = "SELECT process FROM divvy.divvy_worker WHERE until > $1 ORDER BY process";

/// How long a page is waited for that somebody else's transaction holds back.
const WAIT_MAX: Duration = Duration::from_secs(2);
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);
