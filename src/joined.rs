//! Facts for a host's own transaction, as data: any driver can write them.

use divvy_core::{Asset, Body, Code, Error, Fact};

use crate::book::Recording;

/// Facts to write inside a host's own transaction, beside its own rows: both are there, or neither.
///
/// It is data, so that any driver can carry it: one statement that runs on SQLite and PostgreSQL
/// alike, a row of plain values for each fact, and a statement that reads back what was there
/// before. An address that is taken is never an error of the statement, so a duplicate spoils
/// nothing of the transaction.
///
/// Only payments and moves of units come this way, from [`crate::Book::record_joined`] and
/// [`crate::Book::move_units_joined`]. Nothing that pays can: whoever rolled back after the request
/// had left would have forgotten a payout. What was written enters the fold, and so every balance,
/// once the transaction is committed and Divvy catches up.
///
/// ```
/// # use divvy::core::danger::{Vouched, vouched};
/// # use divvy::core::{Asset, Evidence, Hash, Leg, Legs, Name, Share, Target, Time};
/// use divvy::{Divvy, Landed, Recording, Sqlite};
///
/// # let folder = std::env::temp_dir().join(format!("divvy-joined-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("shop.db");
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let (usd, now) = (Asset::parse("USD")?, Time::parse("2026-03-01T12:00:00Z")?);
/// let mut divvy = Divvy::open(Sqlite::open(&path)?).await?;
/// let mut book = divvy.open_book(&Name::new("shop")?, usd.clone(), now).await?;
/// # let to = Target::Payee("ann".into());
/// # book.set_rule(Time::ZERO, &Legs::new(vec![Leg { to, share: Share::Remaining }])?, now).await?;
/// # let (source, account, id) = (Name::new("till")?, Name::new("main")?, Name::new("7")?);
/// # let evidence = Evidence { source: "roll".into(), hash: Hash::of(b"7"), said: "12".into() };
/// # let amount = usd.amount("12.00")?;
/// # let said = Vouched { source, account, id, amount, asset: usd.clone(), payer: None,
/// #     event_at: now, evidence };
/// # let payment = vouched(said, &usd)?;
/// // The host's own connection, its own table, its own transaction.
/// let mut shop = rusqlite::Connection::open(&path).unwrap();
/// shop.execute_batch("CREATE TABLE orders (id TEXT)").unwrap();
/// let joined = book.record_joined(&[payment], now)?;
/// let order = shop.transaction().unwrap();
/// order.execute("INSERT INTO orders VALUES ('7')", []).unwrap();
/// let mut landed = Vec::new();
/// for row in joined.rows() {
///     let values = (row.stream, row.n, row.kind, row.body, row.at, row.hash);
///     landed.push(match order.execute(joined.insert(), values).unwrap() {
///         1 => Landed::Written,
///         _ => order.query_row(joined.read_back(), (row.stream, row.n), |found| {
///             Ok(Landed::Found { kind: found.get(0)?, body: found.get(1)? })
///         }).unwrap(),
///     });
/// }
/// assert_eq!(joined.outcome(&landed)?, [Recording::New]);
/// order.commit().unwrap();
///
/// assert_eq!(usd.text(book.balance("ann", now).await?.earned), "12.00");
/// # Ok::<(), divvy::core::Error>(())
/// # }).unwrap();
/// # std::fs::remove_dir_all(&folder).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it writes nothing by itself"]
pub struct Joined {
    facts: Vec<Fact>,
    insert: String,
    read_back: String,
    /// The book's, in which conflicts are told.
    asset: Asset,
}

/// One fact's row: the values of [`Joined::insert`], in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a fact is these six columns, in every language")]
pub struct JoinedRow<'a> {
    /// `$1`, text.
    pub stream: &'a str,
    /// `$2`, a whole number of 64 bits.
    pub n: i64,
    /// `$3`, text.
    pub kind: &'a str,
    /// `$4`, bytes.
    pub body: &'a [u8],
    /// `$5`, milliseconds since 1970, a whole number of 64 bits.
    pub at: i64,
    /// `$6`, 32 bytes.
    pub hash: &'a [u8],
}

/// What became of one row, as the transaction says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a row is written, or another is there, or none is")]
pub enum Landed {
    /// The insert wrote one row.
    Written,
    /// The insert wrote none, and this is what [`Joined::read_back`] found.
    Found {
        /// Its first column.
        kind: String,
        /// Its second column.
        body: Vec<u8>,
    },
    /// The insert wrote none, and nothing was found.
    Nothing,
}

impl Joined {
    pub(crate) fn new(facts: Vec<Fact>, table: &str, asset: &Asset) -> Self {
        // The casts tell PostgreSQL the types, and SQLite nothing new.
        let insert = format!(
            "INSERT INTO {table} (stream, n, kind, body, at, hash) \
             SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), $3, $4, $5, $6 \
             WHERE $2 = 0 OR EXISTS (SELECT 1 FROM {table} WHERE stream = $1 AND n = $2 - 1) \
             ON CONFLICT (stream, n) DO NOTHING"
        );
        let read_back = format!("SELECT kind, body FROM {table} WHERE stream = $1 AND n = $2");
        Self { facts, insert, read_back, asset: asset.clone() }
    }

    /// The statement that writes a row, or nothing where its address is taken; for every row.
    #[must_use]
    pub fn insert(&self) -> &str {
        &self.insert
    }

    /// The statement that reads `kind` and `body` of what is at a row's address; `$1` is the
    /// stream and `$2` the `n`. For a row of which the insert wrote nothing.
    #[must_use]
    pub fn read_back(&self) -> &str {
        &self.read_back
    }

    /// The rows to write, in this order.
    pub fn rows(&self) -> impl Iterator<Item = JoinedRow<'_>> {
        self.facts.iter().map(|fact| JoinedRow {
            stream: fact.stream.as_str(),
            n: signed(fact.n),
            kind: &fact.kind,
            body: &fact.bytes,
            at: signed(fact.at.millis()),
            hash: fact.hash.as_bytes(),
        })
    }

    /// What became of each row, given what the transaction says of it, in order.
    ///
    /// # Errors
    /// [`Code::AddressTaken`] for a move that others were quicker than: roll back, catch up, and
    /// retry your transaction. [`Code::FactOrphan`] when the database has not what was folded, and
    /// [`Code::PaymentMalformed`] unless there is one answer for each row: roll back.
    pub fn outcome(&self, landed: &[Landed]) -> Result<Vec<Recording>, Error> {
        if landed.len() != self.facts.len() {
            let (rows, said) = (self.facts.len(), landed.len());
            let detail = format!("{rows} rows were to be written, and {said} answers came back");
            return Err(Error::new(Code::PaymentMalformed, detail));
        }
        let told = |(fact, landed): (&Fact, &Landed)| match landed {
            Landed::Written => Ok(Recording::New),
            Landed::Found { kind, body } => told(fact, (kind, body), &self.asset),
            Landed::Nothing => {
                let (stream, n) = (&fact.stream, fact.n);
                let detail = format!(
                    "{stream}/{n} could not be written, and nothing is there: roll back, catch up, \
                     and retry your transaction"
                );
                Err(Error::new(Code::FactOrphan, detail))
            }
        };
        self.facts.iter().zip(landed).map(told).collect()
    }
}

/// What it means that something else is at a fact's address.
fn told(fact: &Fact, (kind, body): (&str, &[u8]), asset: &Asset) -> Result<Recording, Error> {
    match (Body::decode(kind, body)?, fact.body()?) {
        (Body::Recorded(before), Body::Recorded(again)) => {
            Ok(match before.accept_again(&again, &fact.stream, asset) {
                Ok(()) => Recording::Known,
                Err(conflict) => Recording::Conflict(conflict),
            })
        }
        (_, _) => {
            let (stream, n) = (&fact.stream, fact.n);
            let detail = format!(
                "{stream}/{n} is written already: roll back, catch up, and retry your transaction"
            );
            Err(Error::new(Code::AddressTaken, detail))
        }
    }
}

/// No stream has so many facts, and no time is so late.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
