//! The checkpoint, in parts: a value has at most 1 GB.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::postgres::rows::Unread;

/// Keeps a checkpoint in place of the one before, in one transaction. Whoever reads meanwhile gets
/// the one before.
pub(super) async fn keep(client: &Client, bytes: &[u8]) -> Result<(), Unread> {
    client.batch_execute("BEGIN").await?;
    let kept = keep_parts(client, bytes).await;
    let end = if kept.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = client.batch_execute(end).await;
    kept?;
    Ok(ended?)
}

async fn keep_parts(client: &Client, bytes: &[u8]) -> Result<(), Unread> {
    // Two at once would mix their parts.
    client.batch_execute(LOCK).await?;
    client.batch_execute("DELETE FROM divvy.divvy_checkpoint").await?;
    for (at, part) in (0_i64..).zip(bytes.chunks(PART_BYTES)) {
        client.execute_typed(KEEP, &[(&at, Type::INT8), (&part, Type::BYTEA)]).await?;
    }
    Ok(())
}

/// The checkpoint that was kept last, or nothing.
pub(super) async fn kept(client: &Client) -> Result<Vec<u8>, Unread> {
    let mut whole = Vec::new();
    for row in client.query_typed(KEPT, &[]).await? {
        whole.extend_from_slice(row.try_get(0)?);
    }
    Ok(whole)
}

const LOCK: &str = "SELECT pg_advisory_xact_lock(4934307190270845307)";
const KEEP: &str = "INSERT INTO divvy.divvy_checkpoint (part, body) VALUES ($1, $2)";
const KEPT: &str = "SELECT body FROM divvy.divvy_checkpoint ORDER BY part";

const PART_BYTES: usize = 16 << 20;
