-- The first schema. What the rows mean and what always holds is told in `host/src/store/sqlite.rs`.
-- Times are milliseconds since 1970 UTC. Texts that hold JSON say so.

-- One row. `epoch` counts openings: it is the upper half of every fence, so no fence is ever given twice.
CREATE TABLE host (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    epoch  INTEGER NOT NULL,
    probes INTEGER NOT NULL
) STRICT;
INSERT INTO host VALUES (1, 0, 0);

CREATE TABLE links (
    id          INTEGER PRIMARY KEY,
    integration TEXT NOT NULL,
    incident    TEXT NOT NULL,
    environment TEXT,
    state       INTEGER NOT NULL DEFAULT 0, -- 0 new, 1 open, 2 parked
    sys_id      TEXT,
    number      TEXT,
    url         TEXT,
    revision    INTEGER NOT NULL,
    written     TEXT NOT NULL DEFAULT '{}', -- JSON: ticket field to fingerprint
    error_shown INTEGER NOT NULL DEFAULT 0,
    parked      TEXT,
    UNIQUE (integration, incident)
) STRICT;

-- The inbox. `dedupe` stands behind `link` in the index so that new entries lie next to each other.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    link     INTEGER NOT NULL REFERENCES links (id),
    dedupe   BLOB NOT NULL,
    revision INTEGER NOT NULL,
    received INTEGER NOT NULL,
    state    INTEGER NOT NULL DEFAULT 0, -- 0 pending, 1 done, 2 quarantined
    leased   INTEGER NOT NULL DEFAULT 0,
    crashes  INTEGER NOT NULL DEFAULT 0,
    until    INTEGER NOT NULL DEFAULT 0, -- held until then
    why      TEXT,                       -- held or quarantined for this reason
    UNIQUE (link, dedupe)
) STRICT;
CREATE INDEX events_open ON events (id) WHERE state <> 1;

CREATE TABLE event_bodies (
    event INTEGER PRIMARY KEY REFERENCES events (id),
    body  BLOB NOT NULL
) STRICT;

-- The outbox. `state` is where the row rests; a worker has it while `leased` is 1.
CREATE TABLE requests (
    id         INTEGER PRIMARY KEY,
    link       INTEGER NOT NULL REFERENCES links (id),
    target     INTEGER NOT NULL,           -- 0 ServiceNow, 1 BigPanda
    operation  TEXT NOT NULL,
    generation INTEGER NOT NULL,
    event      INTEGER,                    -- the event that led to it; it may have been pruned
    state      INTEGER NOT NULL DEFAULT 0, -- 0 ready, 1 retry, 2 dead-pending, 3 dead, 4 done, 5 discarded
    leased     INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    crashes    INTEGER NOT NULL DEFAULT 0,
    uncertain  INTEGER NOT NULL DEFAULT 0,
    sealed     INTEGER NOT NULL DEFAULT 0, -- 1: its content has been completed once
    created    INTEGER NOT NULL,
    due        INTEGER NOT NULL,           -- of a finished row: when it was finished
    failure    TEXT                        -- JSON: the last failure
) STRICT;
CREATE INDEX requests_open ON requests (id) WHERE state < 4;

CREATE TABLE request_bodies (
    request INTEGER PRIMARY KEY REFERENCES requests (id),
    body    TEXT NOT NULL -- JSON: the sealed request
) STRICT;

CREATE TABLE attempts (
    request INTEGER NOT NULL REFERENCES requests (id),
    n       INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    took    INTEGER NOT NULL, -- milliseconds
    outcome INTEGER NOT NULL, -- 0 applied, 1 again, 2 dead, 3 parked
    failure TEXT,             -- JSON
    PRIMARY KEY (request, n)
) STRICT, WITHOUT ROWID;

-- One row holds all lines that one transaction wrote about a link.
CREATE TABLE journal (
    link  INTEGER NOT NULL REFERENCES links (id),
    n     INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    lines TEXT NOT NULL, -- JSON: [{"kind": "share.decided", "text": "..."}]
    PRIMARY KEY (link, n)
) STRICT, WITHOUT ROWID;

-- Bodies that could not be a share; only the newest are kept.
CREATE TABLE rejected (
    id          INTEGER PRIMARY KEY,
    integration TEXT NOT NULL,
    at          INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    size        INTEGER NOT NULL, -- bytes that came in
    body        BLOB NOT NULL     -- the first of them
) STRICT;
