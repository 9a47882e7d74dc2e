//! Facts as rows, read back.

use std::borrow::Cow;

use divvy_core::{Body, Code, Cursor, Error, Fact, Hash, Page, Stream, Time};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error as Said, Row};

use crate::postgres::refusal::{damaged, refusal};
use crate::postgres::session::Session;

/// A value that goes with a statement.
pub(super) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// What could not be read: the connection may be lost, or the rows are not what we wrote.
pub(super) enum Unread {
    Said(Said),
    Damaged(Error),
}

/// A page, and whether all that is committed could be on it.
pub(super) struct Seen {
    pub(super) page: Page,
    /// The newest transaction that has written a fact.
    pub(super) newest: u64,
    /// The oldest transaction that may still write; the page ends below it.
    pub(super) horizon: u64,
}

/// All facts of one stream, in order.
pub(super) async fn read(session: &Session, place: &str, of: &Stream) -> Result<Vec<Fact>, Unread> {
    let rows = session.client.query(&session.read, &[&of.as_str()]).await?;
    facts(&rows, place)
}

/// Facts after a cursor, as far as the horizon.
///
/// It never skips: below the oldest transaction that still runs, all have ended, and none can come,
/// since later ones get larger numbers.
pub(super) async fn since(
    session: &Session,
    place: &str,
    cursor: &Cursor,
    facts_max: usize,
) -> Result<Seen, Unread> {
    let at = (column(cursor.position), column(cursor.within));
    let (Some(xid), Some(seq)) = at else { return Err(older(place, cursor).into()) };
    // One more than asked for tells whether this page is the last.
    let rows_max = i64::try_from(facts_max.saturating_add(1)).unwrap_or(i64::MAX);
    let (stands, follows): ([Parameter<'_>; 2], [Parameter<'_>; 3]) =
        ([&xid, &seq], [&xid, &seq, &rows_max]);
    let (about, rows) = tokio::try_join!(
        biased;
        session.client.query_one(&session.cursor, &stands),
        session.client.query(&session.since, &follows),
    )?;
    let is_start = cursor.position == 0 && cursor.within == 0;
    if !is_start && !about.try_get::<_, bool>(0)? {
        return Err(older(place, cursor).into());
    }
    let is_last = rows.len() <= facts_max;
    let kept = rows.get(..facts_max.min(rows.len())).unwrap_or_default();
    let mut page = Page { facts: facts(kept, place)?, cursor: cursor.clone(), is_last };
    if let Some(row) = kept.last() {
        page.cursor.position = number(row, 6)?;
        page.cursor.within = number(row, 7)?;
    }
    Ok(Seen { page, newest: number(&about, 1)?, horizon: number(&about, 2)? })
}

/// A number as the database keeps it: signed, so that half of the range is not there.
pub(super) fn column(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

/// A number as the database keeps it, or the largest: only for what needs no exactness, or was
/// checked before.
pub(super) fn wide(number: u64) -> i64 {
    column(number).unwrap_or(i64::MAX)
}

/// A cursor that stands at no fact of this database: an older copy was put in its place.
fn older(place: &str, cursor: &Cursor) -> Error {
    let Cursor { position, within, .. } = cursor;
    let detail = format!(
        "{place} has no fact {within} of transaction {position}: it is not what the cursor has \
         read. Drop cursors and checkpoints, and ask the rails before paying"
    );
    Error::new(Code::EpochChanged, detail)
}

fn facts(rows: &[Row], place: &str) -> Result<Vec<Fact>, Unread> {
    let mut facts: Vec<Fact> = Vec::with_capacity(rows.len());
    for row in rows {
        let fact = fact(row, place, facts.last())?;
        facts.push(fact);
    }
    Ok(facts)
}

/// A row as a fact. Streams and kinds repeat, so they are shared with the fact before it.
fn fact(row: &Row, place: &str, before: Option<&Fact>) -> Result<Fact, Unread> {
    let (stream, kind): (&str, &str) = (row.try_get(0)?, row.try_get(2)?);
    let hash = <[u8; 32]>::try_from(row.try_get::<_, &[u8]>(5)?);
    Ok(Fact {
        stream: match before {
            Some(before) if before.stream.as_str() == stream => before.stream.clone(),
            _ => Stream::parse(stream).map_err(|error| damaged(place, &error.to_string()))?,
        },
        n: number(row, 1)?,
        at: Time::from_millis(number(row, 4)?),
        kind: match before {
            Some(before) if before.kind == kind => before.kind.clone(),
            _ => named(kind),
        },
        bytes: row.try_get(3)?,
        hash: Hash::new(hash.map_err(|_| damaged(place, "a hash is not 32 bytes long"))?),
    })
}

fn number(row: &Row, column: usize) -> Result<u64, Unread> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| damaged("a number", &format!("{number} is below 0")).into())
}

/// A kind of a newer build stays text: whoever folds it refuses it by name.
fn named(kind: &str) -> Cow<'static, str> {
    let known = Body::KINDS.iter().find(|known| **known == kind);
    known.map_or_else(|| Cow::Owned(kind.to_owned()), |known| Cow::Borrowed(*known))
}

impl From<Said> for Unread {
    fn from(said: Said) -> Self {
        Self::Said(said)
    }
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Damaged(error)
    }
}

impl Unread {
    pub(super) fn into_error(self, place: &str) -> Error {
        match self {
            Self::Said(said) => refusal(place, &said),
            Self::Damaged(error) => error,
        }
    }
}

/// Which of these addresses are not there.
pub(super) const MISSING: &str = "
    SELECT wanted.i
    FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY AS wanted (stream, n, i)
    WHERE NOT EXISTS (SELECT 1 FROM divvy.divvy_fact AS fact
                      WHERE fact.stream = wanted.stream AND fact.n = wanted.n)";

/// Writes whatever finds its address free, in this order, and waits for whoever is writing there.
pub(super) const INSERT: &str = "
    INSERT INTO divvy.divvy_fact (stream, n, kind, body, at, hash)
    SELECT stream, n, kind, body, at, hash
    FROM unnest($1::text[], $2::int8[], $3::text[], $4::bytea[], $5::int8[], $6::bytea[])
         AS given (stream, n, kind, body, at, hash)
    ON CONFLICT (stream, n) DO NOTHING";

/// The same as a transaction of its own, which says what it wrote.
pub(super) const INSERT_AT_ONCE: &str = "
    INSERT INTO divvy.divvy_fact (stream, n, kind, body, at, hash)
    SELECT stream, n, kind, body, at, hash
    FROM unnest($1::text[], $2::int8[], $3::text[], $4::bytea[], $5::int8[], $6::bytea[])
         AS given (stream, n, kind, body, at, hash)
    ON CONFLICT (stream, n) DO NOTHING
    RETURNING stream, n";

/// The same for one fact, without a list to take apart.
pub(super) const INSERT_ONE: &str = "
    INSERT INTO divvy.divvy_fact (stream, n, kind, body, at, hash)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (stream, n) DO NOTHING
    RETURNING stream, n";

/// Which of these addresses this transaction has not written itself.
pub(super) const OWN: &str = "
    SELECT given.i
    FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY AS given (stream, n, i)
    WHERE NOT EXISTS (SELECT 1 FROM divvy.divvy_fact AS fact
                      WHERE fact.stream = given.stream AND fact.n = given.n
                        AND fact.xid = pg_current_xact_id())";

pub(super) const READ: &str = "
    SELECT stream, n, kind, body, at, hash FROM divvy.divvy_fact WHERE stream = $1 ORDER BY n";

/// The order is by the column, which the index has, and not by what is shown of it.
pub(super) const SINCE: &str = "
    SELECT stream, n, kind, body, at, hash, xid::text::int8, seq FROM divvy.divvy_fact AS fact
    WHERE (fact.xid, fact.seq) > ($1::int8::text::xid8, $2)
          AND fact.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY fact.xid, fact.seq LIMIT $3";

/// Whether the fact is there at which a cursor stands; the newest transaction that has written; and
/// the oldest that may still write.
pub(super) const CURSOR: &str = "
    SELECT EXISTS (SELECT 1 FROM divvy.divvy_fact
                   WHERE xid = $1::int8::text::xid8 AND seq = $2),
           coalesce((SELECT xid::text::int8 FROM divvy.divvy_fact AS fact
                     ORDER BY fact.xid DESC, fact.seq DESC LIMIT 1), 0),
           pg_snapshot_xmin(pg_current_snapshot())::text::int8";
