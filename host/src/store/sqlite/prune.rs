//! Retention: deleting what is finished and old, a slice at a time.
//!
//! Goes through a table by number, which is by age, and stops at the first row that is too young; so it needs no
//! index and does not read what it keeps. The newest row of a table always stays, so that no number is given
//! twice.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::params;

use super::fail::Fail;
use super::rows::{self, one};
use super::writer::State;
use crate::domain::time::Timestamp;

const DAY: u64 = 24 * 60 * 60;
const KEEP_REQUESTS: Duration = Duration::from_secs(7 * DAY);
const KEEP_EVENTS: Duration = Duration::from_secs(30 * DAY);

/// What one slice did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) deleted: u64,
    /// Where the next slice starts, if there is more.
    pub(super) next: Option<i64>,
}

/// A row as far as its age and end matter.
struct Aged {
    id: i64,
    began: i64,
    state: i64,
    ended: i64,
}

impl State {
    /// Looks at up to `size` requests after number `after`.
    pub(super) fn prune_requests(&mut self, after: i64, size: usize, now: Timestamp) -> Result<Slice, Fail> {
        let cutoff = now.0.saturating_sub(KEEP_REQUESTS.as_millis() as i64);
        let rows =
            self.aged("SELECT id, created, state, due FROM requests WHERE id > ?1 ORDER BY id LIMIT ?2", after, size)?;
        let newest = one::<i64>(&self.db, "SELECT max(id) FROM requests", [])?;
        let mut deleted = 0;
        for row in rows.iter().take_while(|row| row.began <= cutoff) {
            if row.state < rows::DONE || row.ended > cutoff || Some(row.id) == newest {
                continue;
            }
            for sql in [
                "DELETE FROM attempts WHERE request = ?1",
                "DELETE FROM request_bodies WHERE request = ?1",
                "DELETE FROM requests WHERE id = ?1",
            ] {
                self.db.prepare_cached(sql)?.execute([row.id])?;
            }
            deleted += 1;
        }
        Ok(Slice { deleted, next: next(&rows, size, cutoff) })
    }

    /// Looks at up to `size` events after number `after`.
    pub(super) fn prune_events(&mut self, after: i64, size: usize, now: Timestamp) -> Result<Slice, Fail> {
        let cutoff = now.0.saturating_sub(KEEP_EVENTS.as_millis() as i64);
        let rows = self.aged(
            "SELECT id, received, state, received FROM events WHERE id > ?1 ORDER BY id LIMIT ?2",
            after,
            size,
        )?;
        if rows.first().is_none_or(|row| row.began > cutoff) {
            return Ok(Slice { deleted: 0, next: None });
        }
        let newest = one::<i64>(&self.db, "SELECT max(id) FROM events", [])?;
        let needed = self.needed_events()?;
        let mut deleted = 0;
        for row in rows.iter().take_while(|row| row.began <= cutoff) {
            if row.state != rows::EVENT_DONE || needed.contains(&row.id) || Some(row.id) == newest {
                continue;
            }
            for sql in ["DELETE FROM event_bodies WHERE event = ?1", "DELETE FROM events WHERE id = ?1"] {
                self.db.prepare_cached(sql)?.execute([row.id])?;
            }
            deleted += 1;
        }
        Ok(Slice { deleted, next: next(&rows, size, cutoff) })
    }

    /// Events that led to a request which is unfinished or dead.
    fn needed_events(&self) -> Result<HashSet<i64>, Fail> {
        let mut statement = self.db.prepare_cached(
            "SELECT event FROM requests INDEXED BY requests_open WHERE state < 4 AND event IS NOT NULL",
        )?;
        let found = statement.query_map([], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn aged(&self, sql: &'static str, after: i64, size: usize) -> Result<Vec<Aged>, Fail> {
        let mut statement = self.db.prepare_cached(sql)?;
        let found = statement.query_map(params![after, size as i64], |row| {
            Ok(Aged { id: row.get(0)?, began: row.get(1)?, state: row.get(2)?, ended: row.get(3)? })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

fn next(rows: &[Aged], size: usize, cutoff: i64) -> Option<i64> {
    rows.last().filter(|row| rows.len() == size && row.began <= cutoff).map(|row| row.id)
}
