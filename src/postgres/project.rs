//! A projection's tables, replaced whole in one transaction.

use tokio_postgres::Client;

use crate::postgres::rows::{Parameter, Unread};
use crate::projection::{Cells, Projection, Table};

/// Writes every table anew. Whoever reads meanwhile sees what was there before.
pub(super) async fn write(client: &Client, projection: &Projection) -> Result<(), Unread> {
    client.batch_execute("BEGIN").await?;
    let written = write_tables(client, projection).await;
    let end = if written.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = client.batch_execute(end).await;
    written?;
    Ok(ended?)
}

async fn write_tables(client: &Client, projection: &Projection) -> Result<(), Unread> {
    // Two at once would meet at each other's rows.
    client.batch_execute(LOCK).await?;
    for table in projection.tables() {
        let (name, create) = (table.name, table.create("divvy."));
        client.batch_execute(&format!("{create}; DELETE FROM divvy.{name}")).await?;
        insert(client, table).await?;
    }
    Ok(())
}

async fn insert(client: &Client, table: &Table) -> Result<(), Unread> {
    let kinds = table.columns.iter().enumerate().map(|(i, column)| {
        let kind = if matches!(column.cells, Cells::Text(_)) { "text" } else { "int8" };
        format!("${}::{kind}[]", i.saturating_add(1))
    });
    let (name, names, kinds) = (table.name, table.names(), kinds.collect::<Vec<_>>().join(", "));
    let sql = format!("INSERT INTO divvy.{name} ({names}) SELECT * FROM unnest({kinds})");
    let statement = client.prepare(&sql).await?;
    let mut from = 0_usize;
    while from < table.rows {
        let to = from.saturating_add(ROWS_MAX).min(table.rows);
        let parts: Vec<Part<'_>> = table
            .columns
            .iter()
            .map(|column| match &column.cells {
                Cells::Text(cells) => Part::Text(cells.get(from..to).unwrap_or_default()),
                Cells::Number(cells) => Part::Number(cells.get(from..to).unwrap_or_default()),
            })
            .collect();
        let parameters: Vec<Parameter<'_>> = parts.iter().map(Part::parameter).collect();
        client.execute(&statement, &parameters).await?;
        from = to;
    }
    Ok(())
}

/// Some rows of a column.
enum Part<'a> {
    Text(&'a [Option<String>]),
    Number(&'a [Option<i64>]),
}

impl Part<'_> {
    const fn parameter(&self) -> Parameter<'_> {
        match self {
            Self::Text(cells) => cells,
            Self::Number(cells) => cells,
        }
    }
}

const LOCK: &str = "SELECT pg_advisory_xact_lock(4934307190270845306)";

/// Rows are sent so many at a time.
const ROWS_MAX: usize = 10_000;
