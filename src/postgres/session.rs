//! A connection that proved what it must promise, and the statements that are prepared on it.

use core::time::Duration;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Statement};

use divvy_core::Error;

use crate::postgres::refusal::{epoch_changed, refusal, unusable};
use crate::postgres::server::Server;
use crate::postgres::{rows, schema};

/// A connection, ready for work.
pub(super) struct Session {
    pub(super) client: Client,
    driver: JoinHandle<()>,
    pub(super) missing: Statement,
    pub(super) insert: Statement,
    pub(super) insert_at_once: Statement,
    pub(super) insert_one: Statement,
    pub(super) own: Statement,
    pub(super) read: Statement,
    pub(super) since: Statement,
    pub(super) cursor: Statement,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    /// The cluster's own number, and that of the database in it.
    pub(super) home: String,
    /// It grows by one with each recovery that ends in writing.
    pub(super) timeline: String,
}

/// A place for a connection that is made anew whenever it was lost.
#[derive(Default)]
pub(super) struct Slot(Mutex<Option<Arc<Session>>>);

/// How a connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    ReadOnly,
}

impl Slot {
    /// The connection, made anew when it was lost. Another database, or another timeline, at the
    /// same address is refused: what was folded may not be there.
    pub(super) async fn session(
        &self,
        server: &Server,
        access: Access,
        epoch: &str,
    ) -> Result<Arc<Session>, Error> {
        let mut slot = self.0.lock().await;
        if let Some(session) = slot.as_ref().filter(|session| !session.client.is_closed()) {
            return Ok(Arc::clone(session));
        }
        *slot = None;
        let (client, driver, home) = connect(server, access).await?;
        let found = schema::epoch(&client, server.place(), &home).await?;
        if found != epoch {
            return Err(epoch_changed(server.place(), epoch, &found));
        }
        let session = Arc::new(Session::prepare(client, driver, server.place()).await?);
        *slot = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Forgets a connection that was found lost, before the client itself has noticed.
    pub(super) async fn forget(&self, lost: &Arc<Session>) {
        let mut slot = self.0.lock().await;
        if slot.as_ref().is_some_and(|session| Arc::ptr_eq(session, lost)) {
            *slot = None;
        }
    }

    /// Ends the connection, and waits a moment until it has said so.
    pub(super) async fn close(&self) {
        let session = self.0.lock().await.take().and_then(Arc::into_inner);
        if let Some(Session { client, driver, .. }) = session {
            drop(client);
            drop(tokio::time::timeout(GOODBYE, driver).await);
        }
    }
}

impl Session {
    async fn prepare(client: Client, driver: JoinHandle<()>, place: &str) -> Result<Self, Error> {
        let prepared = tokio::try_join!(
            client.prepare(rows::MISSING),
            client.prepare(rows::INSERT),
            client.prepare(rows::INSERT_AT_ONCE),
            client.prepare(rows::INSERT_ONE),
            client.prepare(rows::OWN),
            client.prepare(rows::READ),
            client.prepare(rows::SINCE),
            client.prepare(rows::CURSOR),
        );
        let (missing, insert, insert_at_once, insert_one, own, read, since, cursor) =
            prepared.map_err(|error| refusal(place, &error))?;
        Ok(Self {
            client,
            driver,
            missing,
            insert,
            insert_at_once,
            insert_one,
            own,
            read,
            since,
            cursor,
        })
    }
}

/// Connects, and refuses a server that would forget, lie, or not understand us.
pub(super) async fn connect(
    server: &Server,
    access: Access,
) -> Result<(Client, JoinHandle<()>, Home), Error> {
    let (client, driver) = server.connect().await?;
    let home = prove(&client, server.place()).await?;
    let settings = match access {
        Access::Write => SETTINGS.to_owned(),
        Access::ReadOnly => format!("{SETTINGS}SET default_transaction_read_only = on;"),
    };
    client.batch_execute(&settings).await.map_err(|error| refusal(server.place(), &error))?;
    Ok((client, driver, home))
}

async fn prove(client: &Client, place: &str) -> Result<Home, Error> {
    let refused = |error| refusal(place, &error);
    let row = client.query_typed_one(ABOUT, &[]).await.map_err(refused)?;
    let version: i32 = row.try_get(0).map_err(refused)?;
    if version < VERSION_MIN {
        let detail = format!("{place} is too old ({version}): PostgreSQL 13 or later is needed");
        return Err(unusable(detail));
    }
    if row.try_get(1).map_err(refused)? {
        return Err(unusable(format!(
            "{place} is in recovery: a replica may lag and would not say so. Name the primary"
        )));
    }
    let setting = |at: usize| row.try_get::<_, String>(at).map_err(refused);
    if setting(2)? != "on" {
        return Err(unusable(format!(
            "{place} runs with fsync = off: a power cut would forget what was paid. Turn it on"
        )));
    }
    if setting(3)? != "UTF8" {
        return Err(unusable(format!("{place} is not encoded in UTF8: make a database that is")));
    }
    Ok(Home { home: setting(4)?, timeline: setting(5)? })
}

/// A recovery has no timeline of its own yet, so it is not asked there.
const ABOUT: &str = "
    SELECT current_setting('server_version_num')::int4,
           pg_is_in_recovery(),
           current_setting('fsync'),
           current_setting('server_encoding'),
           (SELECT system_identifier::text FROM pg_control_system())
               || '-' || (SELECT oid::text FROM pg_database WHERE datname = current_database()),
           CASE WHEN pg_is_in_recovery() THEN ''
                ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END";

/// What a session is set to, whatever its role, its database or its URL say. A statement that is
/// cancelled while a commit waits for a replica would be told as committed, so none has a limit;
/// waiting for others' locks has one. A transaction whose client is gone gives its addresses free
/// within a minute or two. Stronger than `on` is `remote_apply` alone.
const SETTINGS: &str = "
    SET search_path = '';
    SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')
        WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false);
    SET statement_timeout = 0;
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SET tcp_keepalives_idle = 30;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 3;
    SET default_transaction_isolation = 'read committed';
    SET default_transaction_deferrable = off;";

const GOODBYE: Duration = Duration::from_millis(200);

const VERSION_MIN: i32 = 130_000;
