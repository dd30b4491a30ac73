-- Events of both sides, what is remembered of both, and how far the pollers have come.

ALTER TABLE events ADD COLUMN occasion INTEGER NOT NULL DEFAULT 0; -- 0 shared, 1 incident polled, 2 ticket polled

ALTER TABLE links ADD COLUMN memory TEXT NOT NULL DEFAULT '{}'; -- JSON: what both sides were when last handled

CREATE TABLE cursors (
    integration TEXT NOT NULL,
    poller      TEXT NOT NULL,
    place       TEXT NOT NULL, -- JSON of the poller's own
    PRIMARY KEY (integration, poller)
) STRICT, WITHOUT ROWID;
