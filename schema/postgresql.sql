-- Divvy's tables on PostgreSQL 13 or later, in a schema of their own, version 1. Frozen: a later
-- version adds a step, and never edits this one.

-- Every fact, once. The unique address is payment idempotency, planning lock and fence.
--
-- The cursor is `(xid, seq)`, and not `seq`: an identity is drawn before its transaction commits, so
-- a smaller one may appear after a larger one was read, and would be skipped for ever. Instead each
-- row keeps the transaction that wrote it, and a reader takes only what no running transaction can
-- add to:
--
--     SELECT seq, stream, n, kind, body, at, hash, xid
--     FROM divvy.divvy_fact
--     WHERE (xid, seq) > ($1, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())
--     ORDER BY xid, seq;
--
-- Every transaction below `pg_snapshot_xmin` has ended, and later ones get larger numbers, so what
-- is returned up to a cursor is complete for ever. A long transaction that writes, anywhere in the
-- cluster, delays readers; it never makes them skip.
--
-- Transaction numbers belong to one cluster. After a logical restore they are drawn anew, together
-- with the epoch. Facts are read from the primary: a replica that lags would answer with a snapshot
-- of its own.
CREATE TABLE divvy.divvy_fact (
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

CREATE INDEX divvy_fact_xid_seq ON divvy.divvy_fact (xid, seq);

-- `schema`: how many steps were taken. `epoch`: a random name that this database drew when it was
-- made or restored. `home`: the cluster and database in which it drew that.
CREATE TABLE divvy.divvy_meta (
    name TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);

-- A cache of the fold, never evidence: it may be deleted at any time.
-- In parts, since a value has at most 1 GB.
CREATE TABLE divvy.divvy_checkpoint (
    part BIGINT PRIMARY KEY,
    body BYTEA NOT NULL
);

-- Who works now, and until when that holds unless it is said again. Advice, never a lock.
CREATE TABLE divvy.divvy_worker (
    process TEXT COLLATE "C" PRIMARY KEY,
    until BIGINT NOT NULL
);
