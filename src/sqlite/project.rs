//! A projection's tables, replaced whole.

use std::path::Path;

use divvy_core::Error;
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::projection::{Cells, Column, Projection, Table};
use crate::sqlite::refusal::refusal;

/// Writes every table anew, inside the caller's transaction.
pub(super) fn write(
    connection: &Connection,
    path: &Path,
    projection: &Projection,
) -> Result<(), Error> {
    let written = projection.tables().iter().try_for_each(|table| write_table(connection, table));
    written.map_err(|error| refusal(path, &error))
}

fn write_table(connection: &Connection, table: &Table) -> rusqlite::Result<()> {
    let (name, names) = (table.name, table.names());
    connection.execute_batch(&format!("{}; DELETE FROM {name}", table.create("")))?;
    let marks = vec!["?"; table.columns.len()].join(", ");
    let mut insert =
        connection.prepare(&format!("INSERT INTO {name} ({names}) VALUES ({marks})"))?;
    for row in 0..table.rows {
        insert.execute(params_from_iter(table.columns.iter().map(|column| At(column, row))))?;
    }
    Ok(())
}

/// The cell of a column in a row.
struct At<'a>(&'a Column, usize);

impl ToSql for At<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match &self.0.cells {
            Cells::Text(cells) => cells.get(self.1).map_or(NULL, ToSql::to_sql),
            Cells::Number(cells) => cells.get(self.1).map_or(NULL, ToSql::to_sql),
        }
    }
}

const NULL: rusqlite::Result<ToSqlOutput<'static>> = Ok(ToSqlOutput::Owned(Value::Null));
