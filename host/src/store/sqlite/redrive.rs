//! What a person has tried again: many dead letters at a bounded rate, one with new content, an event that was set aside.
//!
//! Runs in the writer, inside its transaction; `origin` and `quarantined` read for people.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::fail::Fail;
use super::journal;
use super::ledger::LiveEvent;
use super::packing::unpack;
use super::rows::{self, LinkRow, one, optional_text, read_link, text};
use super::writer::State;
use crate::domain::id::{EventId, IncidentId, IntegrationName, LinkId, RequestId};
use crate::domain::link::Link;
use crate::domain::outcome::Failure;
use crate::domain::time::Timestamp;
use crate::store::{EventView, Origin, PendingEvent, Redrive, Redriven, Resealed, Retried};

/// Rows of a list of events.
const MOST_EVENTS: i64 = 1000;

/// New content, encoded before it reached the writer.
pub(super) struct ResealRow {
    pub(super) id: RequestId,
    pub(super) generation: i64,
    pub(super) body: String,
    pub(super) seen: Link,
    pub(super) link: LinkRow,
    pub(super) note: String,
    pub(super) now: Timestamp,
}

/// A dead letter, as a redrive needs it.
struct Letter {
    id: RequestId,
    /// Of the last failure.
    code: String,
    /// A newer one of its kind has been delivered for the incident.
    is_old: bool,
}

impl State {
    pub(super) fn redrive(&mut self, redrive: &Redrive) -> Result<Redriven, Fail> {
        let Redrive { integration, reason, rate, per, now, dry_run } = redrive;
        self.expire(*now)?;
        let mut redriven = Redriven::default();
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for Letter { id, code, is_old } in self.dead_letters(integration.as_ref())? {
            if reason.as_ref().is_some_and(|wanted| *wanted != code) {
                continue;
            }
            let Some(row) = self.open_request(id)? else { continue };
            if is_old || self.overtaken(id, &row).is_some() {
                redriven.overtaken += 1;
                continue;
            }
            // In any stretch of `per`, whole or not, at most `rate` fall due.
            let spread = u128::from(redriven.requests) * per.as_millis() / u128::from((*rate).max(1));
            let due = Timestamp(now.0.saturating_add(i64::try_from(spread).unwrap_or(i64::MAX)));
            if !dry_run {
                self.make_due(id, &row, due)?;
                let text = format!(
                    "Request {id} was put back by an operator with many others, with a fresh budget of attempts."
                );
                journal::write(&self.db, row.link, *now, &[journal::note("request.retried", &text)])?;
            }
            redriven.requests += 1;
            redriven.last_due = Some(due);
            *reasons.entry(code).or_default() += 1;
        }
        redriven.reasons = reasons.into_iter().collect();
        redriven.reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(redriven)
    }

    /// Dead letters that nobody is working on, with the code of their last failure; oldest first.
    fn dead_letters(&self, of: Option<&IntegrationName>) -> Result<Vec<Letter>, Fail> {
        // What comes after a create adds to it; an update or a tag takes the place of the one before.
        let mut statement = self.db.prepare_cached(
            "WITH done AS MATERIALIZED (
                 SELECT link AS of, operation AS what, max(id) AS newest FROM requests
                 WHERE state = 4 AND operation IN ('update-ticket', 'tag-incident') GROUP BY link, operation)
             SELECT requests.id, failure, coalesce(newest > requests.id, 0)
             FROM requests INDEXED BY requests_open JOIN links ON links.id = link
                 LEFT JOIN done ON of = link AND what = operation
             WHERE requests.state < 4 AND requests.state IN (2, 3) AND leased = 0
                 AND (?1 IS NULL OR integration = ?1)
             ORDER BY requests.id",
        )?;
        let mut found = statement.query([of.map(IntegrationName::as_str)])?;
        let mut letters = Vec::new();
        while let Some(row) = found.next()? {
            let failure: Option<Failure> =
                optional_text(row, 1)?.map(|failure| rows::json(failure, "a failure")).transpose()?;
            let code = failure.map_or_else(|| "unknown".to_owned(), |failure| failure.code);
            letters.push(Letter { id: RequestId(row.get(0)?), code, is_old: row.get(2)? });
        }
        Ok(letters)
    }

    pub(super) fn reseal(&mut self, reseal: &mut ResealRow) -> Result<Resealed, Fail> {
        let ResealRow { id, generation, body, seen, link, note, now } = reseal;
        self.expire(*now)?;
        let Some(row) = self.open_request(*id)? else { return Ok(Resealed::Changed) };
        let is_dead = row.state == rows::DEAD || row.state == rows::DEAD_PENDING;
        let is_leased = self.ledger.get(row.link).is_some_and(|live| live.is_leased(row.target, *id));
        if !is_dead || is_leased || read_link(&self.db, row.link)? != *seen {
            return Ok(Resealed::Changed);
        }
        match self.retry(*id, *now)? {
            Retried::Due => {}
            Retried::Overtaken { by } => return Ok(Resealed::Overtaken { by }),
            Retried::Unknown => return Ok(Resealed::Changed),
        }
        let _ = self.warm.take(*id);
        self.db
            .prepare_cached("UPDATE requests SET sealed = 0, generation = ?2 WHERE id = ?1")?
            .execute(params![id.0, *generation])?;
        self.db
            .prepare_cached("UPDATE request_bodies SET body = ?2 WHERE request = ?1")?
            .execute(params![id.0, &*body])?;
        link.save(&self.db)?;
        journal::write(&self.db, row.link, *now, &[journal::note("request.resealed", note)])?;
        Ok(Resealed::Due)
    }

    pub(super) fn release(&mut self, id: EventId, now: Timestamp) -> Result<bool, Fail> {
        let Some(link) = self.set_aside_event(id)? else { return Ok(false) };
        let integration = read_link(&self.db, link)?.integration;
        let found = self
            .db
            .prepare_cached("SELECT revision, received, occasion FROM events WHERE id = ?1")?
            .query_row([id.0], |row| Ok((row.get(0)?, Timestamp(row.get(1)?), row.get::<_, i64>(2)?)))?;
        let (revision, received, occasion) = found;
        let occasion = rows::occasion(occasion).ok_or_else(|| Fail::Row("an event's occasion".to_owned()))?;
        self.db
            .prepare_cached(
                "UPDATE events SET state = 0, leased = 0, crashes = 0, until = 0, why = NULL WHERE id = ?1",
            )?
            .execute([id.0])?;
        let until = Timestamp::default();
        let event = LiveEvent { id, occasion, received, revision, until, crashes: 0, claimed: false };
        self.ledger.change(link, &integration, |live| {
            let place = live.events.partition_point(|other| other.id < id);
            live.events.insert(place, event);
        });
        self.ledger.totals.quarantined = self.ledger.totals.quarantined.saturating_sub(1);
        let text = format!("Event {id}, which had been set aside, is to be looked at again, as an operator wants it.");
        journal::write(&self.db, link, now, &[journal::note("event.released", &text)])?;
        Ok(true)
    }

    pub(super) fn forget(&mut self, id: EventId, now: Timestamp) -> Result<bool, Fail> {
        let Some(link) = self.set_aside_event(id)? else { return Ok(false) };
        self.db
            .prepare_cached("UPDATE events SET state = ?2, leased = 0 WHERE id = ?1")?
            .execute(params![id.0, rows::EVENT_DONE])?;
        self.ledger.totals.quarantined = self.ledger.totals.quarantined.saturating_sub(1);
        let text = format!("Event {id}, which had been set aside, was given up by an operator.");
        journal::write(&self.db, link, now, &[journal::note("event.discarded", &text)])?;
        Ok(true)
    }

    fn set_aside_event(&self, id: EventId) -> Result<Option<LinkId>, Fail> {
        let sql = "SELECT link FROM events WHERE id = ?1 AND state = 2";
        Ok(one(&self.db, sql, [id.0])?.map(LinkId))
    }
}

pub(super) fn origin(db: &Connection, id: RequestId) -> Result<Option<Origin>, Fail> {
    let snapshot = db.unchecked_transaction()?;
    let found = snapshot
        .prepare_cached("SELECT link, event, uncertain FROM requests WHERE id = ?1")?
        .query_row([id.0], |row| Ok((LinkId(row.get(0)?), row.get::<_, Option<i64>>(1)?, row.get(2)?)))
        .optional()?;
    let Some((link, event, uncertain)) = found else { return Ok(None) };
    let event = event.map(|event| pending(&snapshot, EventId(event))).transpose()?.flatten();
    Ok(Some(Origin { link: read_link(&snapshot, link)?, event, uncertain }))
}

fn pending(db: &Connection, id: EventId) -> Result<Option<PendingEvent>, Fail> {
    let found = db
        .prepare_cached(
            "SELECT occasion, received, revision, body, size FROM events JOIN event_bodies ON event = id WHERE id = ?1",
        )?
        .query_row([id.0], |row| {
            let body: (Vec<u8>, Option<i64>) = (row.get(3)?, row.get(4)?);
            Ok((row.get::<_, i64>(0)?, Timestamp(row.get(1)?), row.get(2)?, body))
        })
        .optional()?;
    let Some((occasion, received, revision, (body, size))) = found else { return Ok(None) };
    let occasion = rows::occasion(occasion).ok_or_else(|| Fail::Row("an event's occasion".to_owned()))?;
    Ok(Some(PendingEvent { id, occasion, received, revision, body: unpack(id, body, size)? }))
}

pub(super) fn quarantined(db: &Connection, of: Option<&IntegrationName>) -> Result<Vec<EventView>, Fail> {
    let mut statement = db.prepare_cached(
        "SELECT events.id, link, integration, incident, received, crashes, why
         FROM events INDEXED BY events_open JOIN links ON links.id = link
         WHERE events.state <> 1 AND events.state = 2 AND (?1 IS NULL OR integration = ?1)
         ORDER BY events.id DESC LIMIT ?2",
    )?;
    let mut found = statement.query(params![of.map(IntegrationName::as_str), MOST_EVENTS])?;
    let mut views = Vec::new();
    while let Some(row) = found.next()? {
        let id = EventId(row.get(0)?);
        let bad = |column: &str| Fail::Row(format!("event {id}, column {column}"));
        views.push(EventView {
            id,
            link: LinkId(row.get(1)?),
            integration: IntegrationName::new(text(row, 2)?).map_err(|_| bad("integration"))?,
            incident: IncidentId::new(text(row, 3)?).map_err(|_| bad("incident"))?,
            received: Timestamp(row.get(4)?),
            crashes: row.get(5)?,
            why: optional_text(row, 6)?.unwrap_or_default().to_owned(),
        });
    }
    Ok(views)
}
