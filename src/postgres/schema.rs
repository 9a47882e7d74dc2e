//! The tables, how a database comes to have them, and how it proves that they are ours.

use divvy_core::{Code, Error};
use tokio_postgres::Client;

use crate::postgres::refusal::{damaged, foreign, newer, refusal, unusable};
use crate::postgres::session::Home;

/// The steps from an empty schema to the newest; `schema` in `divvy_meta` counts those taken.
const STEPS: [&str; 1] = [include_str!("../../schema/postgresql.sql")];

/// What is in the schema `divvy`.
enum Found {
    /// No schema of that name.
    Nothing,
    /// A schema without anything in it, as whoever runs the server may have made for us.
    Empty,
    /// Ours, after so many steps.
    Ours(usize),
}

/// Brings a database to the newest schema, in one transaction, and returns its epoch. Several
/// processes may try at once; whoever comes second finds it done.
pub(super) async fn migrate(client: &Client, place: &str, home: &Home) -> Result<String, Error> {
    let refused = |error| refusal(place, &error);
    if is_settled(client, place, home).await? {
        return epoch(client, place, home).await;
    }
    client.batch_execute("BEGIN").await.map_err(refused)?;
    let taken = take_steps(client, place, home).await;
    let end = if taken.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = client.batch_execute(end).await.map_err(refused);
    taken.and(ended)?;
    epoch(client, place, home).await
}

/// The epoch: the name that the database drew, the cluster and database that it drew it in, and the
/// timeline that it is on.
pub(super) async fn epoch(client: &Client, place: &str, home: &Home) -> Result<String, Error> {
    match prove(client, place).await? {
        Found::Ours(steps) if steps == STEPS.len() => {}
        Found::Ours(_) | Found::Empty | Found::Nothing => {
            return Err(unusable(format!(
                "{place} has no tables of this version: open it once for writing, with a role that \
                 may make them"
            )));
        }
    }
    let (drawn, drawn_in) = (meta(client, place, "epoch"), meta(client, place, "home"));
    let (Some(drawn), Some(drawn_in)) = tokio::try_join!(drawn, drawn_in)? else {
        return Err(damaged(place, "divvy_meta lacks a name"));
    };
    if drawn_in != home.home {
        return Err(Error::new(
            Code::EpochChanged,
            format!(
                "{place} was restored from another database: open it once for writing, with the \
                 owner of its tables, and ask the rails before paying"
            ),
        ));
    }
    Ok(format!("{drawn}-{drawn_in}-{}", home.timeline))
}

/// Whether there is nothing to do, found out without writing or waiting.
async fn is_settled(client: &Client, place: &str, home: &Home) -> Result<bool, Error> {
    let Found::Ours(steps) = prove(client, place).await? else { return Ok(false) };
    let drawn_in = meta(client, place, "home").await?;
    Ok(steps == STEPS.len() && drawn_in.as_deref() == Some(&home.home))
}

async fn take_steps(client: &Client, place: &str, home: &Home) -> Result<(), Error> {
    let refused = |error| refusal(place, &error);
    client.execute_typed(LOCK, &[]).await.map_err(refused)?;
    // Asked again under the lock: another process may have been quicker, or newer.
    let taken = match prove(client, place).await? {
        Found::Ours(steps) => steps,
        Found::Empty => 0,
        Found::Nothing => {
            client.batch_execute("CREATE SCHEMA divvy").await.map_err(refused)?;
            0
        }
    };
    for step in STEPS.iter().skip(taken) {
        client.batch_execute(step).await.map_err(refused)?;
    }
    set_meta(client, place, "schema", &STEPS.len().to_string()).await?;
    match meta(client, place, "home").await? {
        Some(drawn_in) if drawn_in == home.home => Ok(()),
        Some(_) => adopt(client, place, home).await,
        None => draw(client, place, home).await,
    }
}

/// Takes in a database that was restored from a dump, or copied as a template.
///
/// The rows' transaction numbers are of another cluster: some may be ahead of this one's, and no
/// reader would see them. All of them get this transaction's number, so that the history opens
/// whole, in the order in which it was written. No cursor or checkpoint from before is worth
/// anything then, and a new epoch says so.
async fn adopt(client: &Client, place: &str, home: &Home) -> Result<(), Error> {
    let refused = |error| refusal(place, &error);
    client.batch_execute(ADOPT).await.map_err(refused)?;
    draw(client, place, home).await
}

async fn draw(client: &Client, place: &str, home: &Home) -> Result<(), Error> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| unusable(format!("the system gives no randomness: {error}")))?;
    let drawn: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    set_meta(client, place, "epoch", &drawn).await?;
    set_meta(client, place, "home", &home.home).await
}

async fn meta(client: &Client, place: &str, name: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT value FROM divvy.divvy_meta WHERE name = $1";
    let row = client.query_opt(sql, &[&name]).await.map_err(|error| refusal(place, &error))?;
    row.map(|row| row.try_get(0).map_err(|error| refusal(place, &error))).transpose()
}

async fn set_meta(client: &Client, place: &str, name: &str, value: &str) -> Result<(), Error> {
    let sql = "INSERT INTO divvy.divvy_meta (name, value) VALUES ($1, $2)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value
               WHERE divvy_meta.value <> excluded.value";
    let set = client.execute(sql, &[&name, &value]).await;
    set.map(drop).map_err(|error| refusal(place, &error))
}

/// Checks that the schema is ours, of a version that we know. It writes nothing.
async fn prove(client: &Client, place: &str) -> Result<Found, Error> {
    let refused = |error| refusal(place, &error);
    let row = client.query_typed_one(THERE, &[]).await.map_err(refused)?;
    if !row.try_get::<_, bool>(0).map_err(refused)? {
        return Ok(Found::Nothing);
    }
    let is_used: bool = row.try_get(1).map_err(refused)?;
    let rows = client.query_typed(SHAPE, &[]).await.map_err(refused)?;
    let lines = rows.iter().map(|row| row.try_get::<_, String>(0).map_err(refused));
    let found = lines.collect::<Result<Vec<_>, _>>()?;
    if !is_used {
        return Ok(Found::Empty);
    }
    if !found.iter().any(|line| line.starts_with("divvy_meta.value ")) {
        return Err(foreign(place, "it has tables, and none that says whose they are"));
    }
    let Some(version) = meta(client, place, "schema").await? else {
        return Err(foreign(place, "it has tables of our names, and no version"));
    };
    let steps = version.parse().ok().filter(|steps| (1..=STEPS.len()).contains(steps));
    let steps = steps.ok_or_else(|| newer(place, &version, STEPS.len()))?;
    let wanted: Vec<&str> =
        SHAPE_1.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if found != wanted {
        return Err(damaged(place, "its tables are not those of its version"));
    }
    Ok(Found::Ours(steps))
}

/// Held to the end of the transaction: nobody else opens or migrates meanwhile.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4934307190270845305)";

const ADOPT: &str = "
    LOCK TABLE divvy.divvy_fact IN SHARE ROW EXCLUSIVE MODE;
    UPDATE divvy.divvy_fact SET xid = DEFAULT;
    DELETE FROM divvy.divvy_checkpoint;
    DELETE FROM divvy.divvy_worker;";

/// Whether the schema is there, and whether anything is in it.
const THERE: &str = "
    SELECT to_regnamespace('divvy') IS NOT NULL,
           EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace('divvy'))";

/// Columns and keys of our tables, one a line. Projections may be there or not. Tables that people
/// added under names of their own, and further indexes, are no concern of ours.
const SHAPE: &str = r#"
    WITH ours AS (
        SELECT oid, relname, relrowsecurity FROM pg_class
        WHERE relnamespace = to_regnamespace('divvy') AND relkind IN ('r', 'p', 'v', 'm', 'f')
          AND relname LIKE 'divvy\_%'
          AND relname NOT IN ('divvy_balances', 'divvy_payments', 'divvy_batches',
                              'divvy_projected')
    )
    SELECT line COLLATE pg_catalog."C" FROM (
        SELECT relname || '.' || attname || ' ' || format_type(atttypid, atttypmod)
               || CASE WHEN attnotnull THEN ' not null' ELSE '' END
               || CASE attidentity WHEN '' THEN '' ELSE ' identity' END
               || coalesce(' default ' || pg_get_expr(adbin, adrelid), '') AS line
        FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT relname || ' hides rows' FROM ours WHERE relrowsecurity
        UNION ALL
        SELECT relname || ': ' || pg_get_constraintdef(c.oid)
        FROM ours
        JOIN pg_constraint c ON c.conrelid = ours.oid AND contype IN ('p', 'u', 'c')
    ) AS shape
    ORDER BY 1"#;

/// What it says after the first step.
const SHAPE_1: &str = "
    divvy_checkpoint.body bytea not null
    divvy_checkpoint.part bigint not null
    divvy_checkpoint: PRIMARY KEY (part)
    divvy_fact.at bigint not null
    divvy_fact.body bytea not null
    divvy_fact.hash bytea not null
    divvy_fact.kind text not null
    divvy_fact.n bigint not null
    divvy_fact.seq bigint not null identity
    divvy_fact.stream text not null
    divvy_fact.xid xid8 not null default pg_current_xact_id()
    divvy_fact: PRIMARY KEY (seq)
    divvy_fact: UNIQUE (stream, n)
    divvy_meta.name text not null
    divvy_meta.value text not null
    divvy_meta: PRIMARY KEY (name)
    divvy_worker.process text not null
    divvy_worker.until bigint not null
    divvy_worker: PRIMARY KEY (process)";
