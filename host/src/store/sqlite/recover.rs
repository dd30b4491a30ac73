//! Opening: the ledger is rebuilt from the rows that are not finished.
//!
//! Whoever holds the lock is alone, so a row that is marked as leased belongs to a process that died. Its lease
//! has run out, and the next claim counts the crash.

use rusqlite::{Connection, Row};

use super::fail::Fail;
use super::ledger::{Lease, Ledger, LiveEvent, LiveRequest};
use super::rows::{self, one, text};
use crate::domain::id::{EventId, Fence, IntegrationName, LinkId, RequestId};
use crate::domain::time::Timestamp;

/// A lease of the former process. No fence that was ever given equals its.
const RUN_OUT: Lease = Lease { fence: Fence(0), until: Timestamp(i64::MIN), held: true };

/// Reads what is unfinished.
pub(super) fn ledger(db: &Connection) -> Result<Ledger, Fail> {
    let epoch: i64 = db.query_row("UPDATE host SET epoch = epoch + 1 RETURNING epoch", [], |row| row.get(0))?;
    let mut ledger = Ledger::new(epoch);
    // Links are never deleted, so the newest one's number is their count.
    ledger.totals.links = one::<i64>(db, "SELECT coalesce(max(id), 0) FROM links", [])?.unwrap_or(0).max(0) as u64;
    events(db, &mut ledger)?;
    requests(db, &mut ledger)?;
    ledger.begin();
    Ok(ledger)
}

fn integration(row: &Row<'_>, index: usize) -> Result<IntegrationName, Fail> {
    let name = text(row, index)?;
    IntegrationName::new(name).map_err(|error| Fail::Row(error.to_string()))
}

fn events(db: &Connection, ledger: &mut Ledger) -> Result<(), Fail> {
    let mut statement = db.prepare(
        "SELECT events.id, link, integration, events.revision, received, events.state, leased, crashes, until,
             occasion
         FROM events INDEXED BY events_open JOIN links ON links.id = link
         WHERE events.state <> 1 ORDER BY events.id",
    )?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let state: i64 = row.get(5)?;
        if state != rows::EVENT_PENDING {
            ledger.totals.quarantined += 1;
            continue;
        }
        let claimed: bool = row.get(6)?;
        let event = LiveEvent {
            id: EventId(row.get(0)?),
            occasion: rows::occasion(row.get(9)?).ok_or_else(|| Fail::Row("an event's occasion".to_owned()))?,
            revision: row.get(3)?,
            received: Timestamp(row.get(4)?),
            until: Timestamp(row.get(8)?),
            crashes: row.get(7)?,
            claimed,
        };
        ledger.change(LinkId(row.get(1)?), &integration(row, 2)?, |live| {
            live.events.push(event);
            if claimed {
                live.claim = Some(RUN_OUT);
            }
        });
    }
    Ok(())
}

fn requests(db: &Connection, ledger: &mut Ledger) -> Result<(), Fail> {
    let mut statement = db.prepare(
        "SELECT requests.id, link, integration, target, requests.state, leased, created, due
         FROM requests INDEXED BY requests_open JOIN links ON links.id = link
         WHERE requests.state < 4 ORDER BY requests.id",
    )?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let state: i64 = row.get(4)?;
        if state == rows::DEAD {
            ledger.totals.dead += 1;
            continue;
        }
        let id = RequestId(row.get(0)?);
        let target = rows::target(row.get(3)?).ok_or_else(|| Fail::Row(format!("request {id}, column target")))?;
        let request = LiveRequest {
            id,
            state,
            created: Timestamp(row.get(6)?),
            due: Timestamp(row.get(7)?),
            lease: row.get::<_, bool>(5)?.then_some(RUN_OUT),
        };
        ledger.change(LinkId(row.get(1)?), &integration(row, 2)?, |live| live.insert(target, request));
    }
    Ok(())
}
