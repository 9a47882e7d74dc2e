-- Divvy's tables on SQLite, schema version 1. Frozen: a later version adds a step, and never edits
-- this one. The file's application_id says "Dvvy" and its user_version says how many steps it took.

-- Every fact, once. `seq` is the cursor and never skips: SQLite has one writer at a time, so a
-- smaller `seq` is never committed after a larger one was seen, and AUTOINCREMENT never gives a
-- number out again. The unique address is payment idempotency, planning lock and fence.
CREATE TABLE divvy_fact (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    n INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    at INTEGER NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (stream, n)
);

-- `epoch`: a random name that this database drew when it was made.
CREATE TABLE divvy_meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Which workers live, and until when. Advice, never evidence: it may be emptied at any time.
CREATE TABLE divvy_worker (
    process TEXT PRIMARY KEY,
    until INTEGER NOT NULL
);

-- A cache of the fold, never evidence: it may be deleted at any time.
-- In parts, since a value has at most 1 GB.
CREATE TABLE divvy_checkpoint (
    part INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);
