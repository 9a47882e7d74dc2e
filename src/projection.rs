//! Balances, payments and batches as tables, for people who ask in SQL.

use divvy_core::{Amount, Body, Book, Error, Fact, Obstacle, Place, Standing, Time};

use crate::divvy::{Divvy, each_page};

/// What was folded, as tables that people `SELECT` from. They may be dropped at any time: nothing
/// reads them to decide.
///
/// Amounts are whole minor units of `asset`, times are milliseconds since 1970.
///
/// - `divvy_balances`, a row for each payee and pool holder: `book`, `payee`, `asset`, `earned`,
///   `payable`, `reserved`, `paid`, `owed_back`, and `obstacle`: `held`, `no destination` or none;
/// - `divvy_payments`, for each payment: `stream`, `book`, `source`, `account`, `id`, `asset`,
///   `amount`, `payer`, `event_at`, `recorded_at`;
/// - `divvy_batches`, for each batch: `batch`, `book`, `run`, `asset`, `state`, `lines`, `total`,
///   `tries`, `settled_at`;
/// - `divvy_projected`, one row: `facts`, how many were folded, and `newest_at`, the newest one's
///   time.
///
/// ```
/// use divvy::core::{Asset, Name, Time};
/// use divvy::{Divvy, Sqlite};
///
/// # let folder = std::env::temp_dir().join(format!("divvy-project-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("shop.db");
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let host = std::sync::Arc::new(Sqlite::open(&path)?);
/// let mut divvy = Divvy::open_from(host.clone(), None).await?;
/// divvy.open_book(&Name::new("shop")?, Asset::parse("USD")?, Time::ZERO).await?;
/// host.project(divvy.projection(Time::ZERO).await?).await?;
///
/// let shop = rusqlite::Connection::open(&path).unwrap();
/// let facts = shop.query_row("SELECT facts FROM divvy_projected", [], |row| row.get(0));
/// assert_eq!(facts, Ok(1));
/// # Ok::<(), divvy::core::Error>(())
/// # }).unwrap();
/// # std::fs::remove_dir_all(&folder).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a host writes it: see `Sqlite::project` and `Postgres::project`"]
pub struct Projection {
    tables: Vec<Table>,
}

/// One table, column by column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name, without a schema.
    pub(crate) name: &'static str,
    /// The columns that identify a row.
    pub(crate) key: &'static str,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) cells: Cells,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cells {
    Text(Vec<Option<String>>),
    Number(Vec<Option<i64>>),
}

/// One value of a row that is being added.
enum Cell {
    Text(Option<String>),
    Number(Option<i64>),
}

impl Projection {
    pub(crate) fn tables(&self) -> &[Table] {
        &self.tables
    }
}

impl Divvy {
    /// What is folded now, as tables; payments are read from their facts.
    ///
    /// # Errors
    /// The host's errors, and those of a history that breaks a rule.
    pub async fn projection(&mut self, now: Time) -> Result<Projection, Error> {
        self.catch_up().await?;
        let mut balances = Table::new("divvy_balances", "book, payee", &BALANCES);
        let mut payments = Table::new("divvy_payments", "stream", &PAYMENTS);
        let mut batches = Table::new("divvy_batches", "batch", &BATCHES);
        let mut projected = Table::new("divvy_projected", "facts", &PROJECTED);
        let books = self.books();
        for book in books.all() {
            add_balances(&mut balances, book, now)?;
            for standing in book.batches() {
                add_batch(&mut batches, book, &standing);
            }
        }
        let newest = books.newest();
        projected.add([Cell::number(books.count()), Cell::time(newest)]);
        let mut left = usize::try_from(books.count()).unwrap_or(usize::MAX);
        each_page(self.host(), None, |page| {
            let facts = page.facts.get(..left.min(page.facts.len())).unwrap_or_default();
            left = left.saturating_sub(facts.len());
            facts.iter().try_for_each(|fact| add_payment(&mut payments, fact, books))
        })
        .await?;
        Ok(Projection { tables: vec![balances, payments, batches, projected] })
    }
}

fn add_balances(table: &mut Table, book: &Book, now: Time) -> Result<(), Error> {
    let asset = book.settings().asset.to_string();
    for payee in book.payees() {
        let balance = book.balance(payee.as_str(), now)?;
        let obstacle = balance.obstacle.map(|obstacle| match obstacle {
            Obstacle::NoDestination => "no destination",
            Obstacle::PassedOn(_) => "passed on",
            Obstacle::Held(_) => "held",
            Obstacle::NoQuote(_) => "no quote",
            Obstacle::QuoteOld { .. } => "old quote",
            Obstacle::FeeAbove { .. } | _ => "fee above share",
        });
        let amount = |amount: Amount| Cell::number(amount.get());
        table.add([
            Cell::text(book.name()),
            Cell::text(payee),
            Cell::text(&asset),
            amount(balance.earned),
            amount(balance.payable),
            amount(balance.reserved),
            amount(balance.paid),
            amount(balance.owed_back),
            Cell::Text(obstacle.map(str::to_owned)),
        ]);
    }
    Ok(())
}

fn add_batch(table: &mut Table, book: &Book, standing: &Standing) {
    let Place::Batch { run, .. } = standing.batch.place() else { return };
    let settled_at = Some(standing.settled_at).filter(|at| *at > Time::ZERO);
    table.add([
        Cell::text(&standing.batch),
        Cell::text(book.name()),
        Cell::number(run),
        Cell::text(&book.settings().asset),
        Cell::text(&format!("{:?}", standing.state).to_lowercase()),
        Cell::count(standing.lines),
        Cell::number(standing.total.get()),
        Cell::count(standing.tries.len()),
        settled_at.map_or(Cell::Number(None), Cell::time),
    ]);
}

fn add_payment(table: &mut Table, fact: &Fact, books: &divvy_core::Books) -> Result<(), Error> {
    let Place::Payment { source, account, id } = fact.stream.place() else { return Ok(()) };
    let Body::Recorded(recorded) = fact.body()? else { return Ok(()) };
    let asset = &books.book(recorded.book.as_str())?.settings().asset;
    table.add([
        Cell::text(&fact.stream),
        Cell::text(&recorded.book),
        Cell::text(source),
        Cell::text(account),
        Cell::text(id),
        Cell::text(asset),
        Cell::number(recorded.amount.get()),
        Cell::Text(recorded.payer),
        Cell::time(recorded.event_at),
        Cell::time(fact.at),
    ]);
    Ok(())
}

impl Table {
    fn new(name: &'static str, key: &'static str, columns: &[(&'static str, Cells)]) -> Self {
        let column = |(name, cells): &(&'static str, Cells)| Column { name, cells: cells.clone() };
        Self { name, key, columns: columns.iter().map(column).collect(), rows: 0 }
    }

    fn add<const N: usize>(&mut self, cells: [Cell; N]) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            match (&mut column.cells, cell) {
                (Cells::Text(cells), Cell::Text(cell)) => cells.push(cell),
                (Cells::Number(cells), Cell::Number(cell)) => cells.push(cell),
                // A value of the other kind is none.
                (Cells::Text(cells), Cell::Number(_)) => cells.push(None),
                (Cells::Number(cells), Cell::Text(_)) => cells.push(None),
            }
        }
        self.rows = self.rows.saturating_add(1);
    }

    /// The statement that makes the table where it is not there, on either database.
    pub(crate) fn create(&self, schema: &str) -> String {
        let column = |column: &Column| {
            let kind = if matches!(column.cells, Cells::Text(_)) { "TEXT" } else { "BIGINT" };
            format!("{} {kind}", column.name)
        };
        let columns: Vec<String> = self.columns.iter().map(column).collect();
        let (name, key, columns) = (self.name, self.key, columns.join(", "));
        format!("CREATE TABLE IF NOT EXISTS {schema}{name} ({columns}, PRIMARY KEY ({key}))")
    }

    /// The names of its columns.
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        names.join(", ")
    }
}

impl Cell {
    fn text(text: &(impl ToString + ?Sized)) -> Self {
        Self::Text(Some(text.to_string()))
    }

    /// Amounts and runs are no larger; a count that were is shown as the largest.
    fn number(number: u64) -> Self {
        Self::Number(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn count(count: usize) -> Self {
        Self::number(u64::try_from(count).unwrap_or(u64::MAX))
    }

    fn time(time: Time) -> Self {
        Self::number(time.millis())
    }
}

const TEXT: Cells = Cells::Text(Vec::new());
const NUMBER: Cells = Cells::Number(Vec::new());

const BALANCES: [(&str, Cells); 9] = [
    ("book", TEXT),
    ("payee", TEXT),
    ("asset", TEXT),
    ("earned", NUMBER),
    ("payable", NUMBER),
    ("reserved", NUMBER),
    ("paid", NUMBER),
    ("owed_back", NUMBER),
    ("obstacle", TEXT),
];
const PAYMENTS: [(&str, Cells); 10] = [
    ("stream", TEXT),
    ("book", TEXT),
    ("source", TEXT),
    ("account", TEXT),
    ("id", TEXT),
    ("asset", TEXT),
    ("amount", NUMBER),
    ("payer", TEXT),
    ("event_at", NUMBER),
    ("recorded_at", NUMBER),
];
const BATCHES: [(&str, Cells); 9] = [
    ("batch", TEXT),
    ("book", TEXT),
    ("run", NUMBER),
    ("asset", TEXT),
    ("state", TEXT),
    ("lines", NUMBER),
    ("total", NUMBER),
    ("tries", NUMBER),
    ("settled_at", NUMBER),
];
const PROJECTED: [(&str, Cells); 2] = [("facts", NUMBER), ("newest_at", NUMBER)];
