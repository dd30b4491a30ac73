//! Events: accepting them, leasing them by link, recording what became of them.
//!
//! Runs in the writer, inside its transaction. Each step changes the rows first and the ledger after, and the
//! ledger decides what may be claimed.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::fail::Fail;
use super::handover::stale;
use super::journal;
use super::ledger::{Lease, LiveEvent};
use super::outbox::RequestRow;
use super::packing::{EventRow, unpack};
use super::rows::{self, LinkRow, one, read_link};
use super::writer::State;
use crate::domain::id::{EnvironmentId, EventId, Fence, IncidentId, IntegrationName, LinkId};
use crate::domain::link::Link;
use crate::domain::request::Target;
use crate::domain::time::Timestamp;
use crate::store::{Accepted, Cursor, Ended, EventClaim, EventEnd, JournalNote, NewEvent, PendingEvent, Room};

/// Rejected bodies that are kept, and how much of each.
const REJECTED_ROWS: i64 = 500;
const REJECTED_BYTES: usize = 64 * 1024;

/// A decision, encoded before it reached the writer.
pub(super) struct DecidedRow {
    pub(super) link: LinkRow,
    pub(super) fence: Fence,
    pub(super) events: Vec<EventId>,
    pub(super) end: EventEnd,
    pub(super) requests: Vec<RequestRow>,
    pub(super) notes: Vec<JournalNote>,
    pub(super) now: Timestamp,
}

impl State {
    pub(super) fn accept(&mut self, row: &EventRow) -> Result<Accepted, Fail> {
        let event = &row.event;
        let link = match find(&self.db, &event.integration, &event.incident)? {
            Some(link) => link,
            None => self.bear(event)?,
        };
        let dedupe = dedupe_key(&event.dedupe);
        let stored = self
            .db
            .prepare_cached(
                "INSERT INTO events (link, dedupe, revision, received, occasion) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (link, dedupe) DO NOTHING",
            )?
            .execute(params![
                link.0,
                dedupe,
                event.revision,
                event.received.0,
                rows::occasion_number(event.occasion)
            ])?;
        if stored == 0 {
            let known =
                one(&self.db, "SELECT id FROM events WHERE link = ?1 AND dedupe = ?2", params![link.0, dedupe])?;
            let id = known.ok_or_else(|| Fail::Row(format!("an event of link {link} is gone")))?;
            return Ok(Accepted { event: EventId(id), link, duplicate: true });
        }
        let id = EventId(self.db.last_insert_rowid());
        let (body, size) = row.columns();
        self.db
            .prepare_cached("INSERT INTO event_bodies (event, body, size) VALUES (?1, ?2, ?3)")?
            .execute(params![id.0, body, size])?;
        self.ledger.change(link, &event.integration, |live| {
            live.events.push(LiveEvent {
                id,
                occasion: event.occasion,
                received: event.received,
                revision: event.revision,
                until: Timestamp::default(),
                crashes: 0,
                claimed: false,
            });
        });
        Ok(Accepted { event: id, link, duplicate: false })
    }

    pub(super) fn accept_polled(&mut self, events: &[EventRow], cursor: &Cursor) -> Result<Vec<Accepted>, Fail> {
        let accepted = events.iter().map(|row| self.accept(row)).collect::<Result<_, _>>()?;
        self.db
            .prepare_cached(
                "INSERT INTO cursors (integration, poller, place) VALUES (?1, ?2, ?3)
                 ON CONFLICT (integration, poller) DO UPDATE SET place = excluded.place",
            )?
            .execute([cursor.integration.as_str(), cursor.poller, cursor.place.as_str()])?;
        Ok(accepted)
    }

    fn bear(&mut self, event: &NewEvent) -> Result<LinkId, Fail> {
        self.db
            .prepare_cached("INSERT INTO links (integration, incident, environment, revision) VALUES (?1, ?2, ?3, 0)")?
            .execute(params![
                event.integration.as_str(),
                event.incident.as_str(),
                event.environment.as_ref().map(EnvironmentId::as_str)
            ])?;
        self.ledger.totals.links += 1;
        Ok(LinkId(self.db.last_insert_rowid()))
    }

    pub(super) fn claim_events(
        &mut self,
        links: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<EventClaim>, Fail> {
        self.expire(now)?;
        let mut claims = Vec::new();
        for link in self.ledger.claimable(links, now) {
            let known = read_link(&self.db, link);
            match known.and_then(|known| self.claim_link(known, None, lease, now)) {
                Ok(claim) => claims.extend(claim),
                Err(Fail::Row(what)) => self.set_aside(link, &what, now)?,
                Err(fail) => return Err(fail),
            }
        }
        Ok(claims)
    }

    /// Leases what a link has. `at_hand`: an event whose body need not be read back. `Fail::Row`: something of it can't be
    /// read.
    pub(super) fn claim_link(
        &mut self,
        link: Link,
        at_hand: Option<(EventId, &Bytes)>,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Option<EventClaim>, Fail> {
        let live = self.ledger.get(link.id);
        let unsettled = live.is_some_and(|live| live.is_waiting(Target::BigPanda));
        let waiting = live.map(|live| live.events.clone()).unwrap_or_default();
        if waiting.is_empty() {
            return Ok(None);
        }
        let of_incident = waiting.iter().filter(|event| !event.occasion.is_of_ticket());
        let newest = of_incident.max_by_key(|event| (event.revision, event.id)).map(|event| event.id);
        let mut events = Vec::with_capacity(waiting.len());
        let mut crashes = 0;
        for event in waiting {
            let LiveEvent { id, occasion, received, revision, .. } = event;
            let body = match at_hand {
                Some((known, body)) if known == id => body.clone(),
                _ if occasion.is_of_ticket() || newest == Some(id) => body(&self.db, id)?,
                _ => Bytes::new(),
            };
            crashes = event.crashes.max(crashes);
            self.db.prepare_cached("UPDATE events SET leased = 1, until = 0 WHERE id = ?1")?.execute([id.0])?;
            events.push(PendingEvent { id, occasion, received, revision, body });
        }
        let fence = self.ledger.next_fence();
        self.ledger.change(link.id, &link.integration, |live| {
            for event in &mut live.events {
                event.claimed = true;
                event.until = Timestamp::default();
            }
            live.claim = Some(Lease { fence, until: now.plus(lease), held: true });
        });
        Ok(Some(EventClaim { link, fence, unsettled, crashes, events }))
    }

    /// A link that can't be read must not stop the others: its events wait for a person.
    fn set_aside(&mut self, link: LinkId, what: &str, now: Timestamp) -> Result<(), Fail> {
        tracing::error!(%link, what, "store.unreadable: the events of a link were quarantined");
        let events = self.ledger.get(link).map(|live| live.events.clone()).unwrap_or_default();
        for event in &events {
            end_event(&self.db, event.id, rows::EVENT_QUARANTINED, Some(what))?;
        }
        self.ledger.totals.quarantined += events.len() as u64;
        let emptied = self.ledger.amend(link, |live| live.events.clear());
        journal::write(&self.db, link, now, &[journal::note("events.quarantined", what)])?;
        emptied.map_err(|_| Fail::Row(format!("link {link} is not in the ledger")))
    }

    pub(super) fn conclude(&mut self, decided: &mut DecidedRow, room: Room) -> Result<Ended, Fail> {
        let DecidedRow { link, fence, events, end, requests, notes, now } = decided;
        let id = link.link.id;
        let current = self.ledger.get(id).and_then(|live| live.claim);
        if current.is_none_or(|claim| claim.fence != *fence) {
            return Ok(stale());
        }
        let claimed: Vec<EventId> = self.ledger.get(id).map_or_else(Vec::new, |live| {
            live.events.iter().filter(|event| event.claimed).map(|event| event.id).collect()
        });
        for event in claimed {
            if !events.contains(&event) {
                self.db.prepare_cached("UPDATE events SET leased = 0 WHERE id = ?1")?.execute([event.0])?;
                continue;
            }
            match end {
                EventEnd::Done { .. } => end_event(&self.db, event, rows::EVENT_DONE, None)?,
                EventEnd::Quarantined { why } => {
                    end_event(&self.db, event, rows::EVENT_QUARANTINED, Some(why))?;
                    self.ledger.totals.quarantined += 1;
                }
                EventEnd::Hold { until, why } => {
                    self.db
                        .prepare_cached("UPDATE events SET leased = 0, until = ?2, why = ?3 WHERE id = ?1")?
                        .execute(params![event.0, until.0, &*why])?;
                }
            }
        }
        link.save(&self.db)?;
        self.ledger.change(id, &link.link.integration, |live| {
            live.claim = None;
            match end {
                EventEnd::Hold { until, .. } => live
                    .events
                    .iter_mut()
                    .filter(|event| event.claimed && events.contains(&event.id))
                    .for_each(|event| event.until = *until),
                EventEnd::Done { .. } | EventEnd::Quarantined { .. } => {
                    live.events.retain(|event| !(event.claimed && events.contains(&event.id)));
                }
            }
            live.events.iter_mut().for_each(|event| event.claimed = false);
        });
        self.put_requests(&link.link, requests, *now)?;
        journal::write(&self.db, id, *now, notes)?;
        self.hand_over(&link.link, room, *now)
    }

    pub(super) fn reject(
        &mut self,
        integration: &IntegrationName,
        reason: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Fail> {
        let kept = body.get(..REJECTED_BYTES).unwrap_or(body);
        self.db
            .prepare_cached("INSERT INTO rejected (integration, at, reason, size, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![integration.as_str(), now.0, reason, body.len() as i64, kept])?;
        self.db
            .prepare_cached("DELETE FROM rejected WHERE id <= ?1")?
            .execute([self.db.last_insert_rowid() - REJECTED_ROWS])?;
        Ok(())
    }
}

fn find(db: &Connection, integration: &IntegrationName, incident: &IncidentId) -> Result<Option<LinkId>, Fail> {
    let key = [integration.as_str(), incident.as_str()];
    Ok(one(db, "SELECT id FROM links WHERE integration = ?1 AND incident = ?2", key)?.map(LinkId))
}

pub(super) fn cursor(db: &Connection, integration: &IntegrationName, poller: &str) -> Result<Option<String>, Fail> {
    let key = [integration.as_str(), poller];
    one(db, "SELECT place FROM cursors WHERE integration = ?1 AND poller = ?2", key)
}

fn end_event(db: &Connection, event: EventId, state: i64, why: Option<&str>) -> Result<(), Fail> {
    db.prepare_cached("UPDATE events SET leased = 0, state = ?2, why = ?3 WHERE id = ?1")?
        .execute(params![event.0, state, why])?;
    Ok(())
}

fn body(db: &Connection, event: EventId) -> Result<Bytes, Fail> {
    let found = db
        .prepare_cached("SELECT body, size FROM event_bodies WHERE event = ?1")?
        .query_row([event.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map_or_else(|| Ok(Bytes::new()), |(body, size)| unpack(event, body, size))
}

/// A SHA-256 in half its size; any other text as it is.
fn dedupe_key(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some((digit(high)? * 16 + digit(low)?) as u8)).collect();
    match bytes {
        Some(bytes) if rest.is_empty() && text.len() == 64 => bytes,
        Some(_) | None => text.as_bytes().to_vec(),
    }
}
