-- Divvy's tables on PostgreSQL 13 or later, schema version 1. Frozen: a later version adds a step,
-- and never edits this one.

-- Every fact, once. The unique address is payment idempotency, planning lock and fence.
--
-- The cursor is `xid`, and not `seq`: an identity is drawn before its transaction commits, so a
-- smaller one may appear after a larger one was read, and would be skipped for ever. Instead each
-- row keeps the transaction that wrote it, and a reader takes only what no running transaction can
-- add to:
--
--     SELECT seq, stream, n, kind, body, at, hash, xid
--     FROM divvy_fact
--     WHERE xid > $1 AND xid < pg_snapshot_xmin(pg_current_snapshot())
--     ORDER BY xid, seq;
--
-- Every transaction below `pg_snapshot_xmin` has ended, and later ones get larger numbers, so what
-- is returned up to an `xid` is complete for ever. A page ends with a whole transaction. A long
-- transaction anywhere in the cluster delays readers; it never makes them skip.
--
-- Transaction numbers belong to one cluster. After a logical restore they must be drawn anew
-- (UPDATE divvy_fact SET xid = DEFAULT), together with the epoch. Facts are read from the primary:
-- a replica that lags would answer with a snapshot of its own.
CREATE TABLE divvy_fact (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Bytes decide, and not a locale: two names are one only when they are equal.
    stream TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    UNIQUE (stream, n)
);

CREATE INDEX divvy_fact_xid_seq ON divvy_fact (xid, seq);

-- `schema`: how many steps were taken. `epoch`: the name of this database and its timeline.
CREATE TABLE divvy_meta (
    name TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);

-- A cache of the fold, never evidence: it may be deleted at any time.
-- In parts, since a value has at most 1 GB.
CREATE TABLE divvy_checkpoint (
    part BIGINT PRIMARY KEY,
    body BYTEA NOT NULL
);
