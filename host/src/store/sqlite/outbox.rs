//! Requests: putting them into lanes, leasing the head of a lane, recording attempts, and leases that ran out.
//!
//! Runs in the writer, inside its transaction. A request's content is in a row of its own, so that its state can
//! change without rewriting it.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use super::fail::Fail;
use super::handover::{stale, unknown_owner};
use super::journal;
use super::ledger::{Held, Lease, LiveRequest};
use super::rows::{self, LinkRow, read_link, text};
use super::writer::State;
use crate::domain::id::{EventId, Fence, IntegrationName, LinkId, RequestId};
use crate::domain::link::Link;
use crate::domain::outcome::Failure;
use crate::domain::request::{Request, Target};
use crate::domain::time::Timestamp;
use crate::store::{Completion, Ended, JournalNote, NewRequest, RequestClaim, RequestEnd, Room};

/// Outcomes of an attempt as they stand in its row.
pub(super) const OUTCOMES: [&str; 4] = ["applied", "again", "dead", "parked"];
const APPLIED: i64 = 0;
const AGAIN: i64 = 1;
const DIED: i64 = 2;
const PARKED: i64 = 3;

/// A request on its way into its rows, encoded before it reached the writer.
pub(super) struct RequestRow {
    target: Target,
    operation: &'static str,
    generation: i64,
    due: Timestamp,
    event: Option<EventId>,
    body: String,
    /// What `body` holds, until the writer has taken it.
    request: Option<Request>,
}

impl RequestRow {
    pub(super) fn new(new: NewRequest) -> Result<Self, Fail> {
        Ok(Self {
            target: new.request.operation.target(),
            operation: new.request.operation.name(),
            generation: i64::try_from(new.request.generation).unwrap_or(i64::MAX),
            due: new.due,
            event: new.event,
            body: rows::to_json(&new.request, "a request")?,
            request: Some(new.request),
        })
    }
}

/// An attempt, encoded before it reached the writer.
pub(super) struct SettledRow {
    pub(super) id: RequestId,
    pub(super) fence: Fence,
    pub(super) end: RequestEnd,
    pub(super) link: Option<LinkRow>,
    pub(super) follow_ups: Vec<RequestRow>,
    pub(super) notes: Vec<JournalNote>,
    pub(super) took: Duration,
    pub(super) now: Timestamp,
}

impl State {
    /// Gives back what workers held for too long. Their outcome is unknown.
    pub(super) fn expire(&mut self, now: Timestamp) -> Result<(), Fail> {
        for (link, held) in self.ledger.expired(now) {
            match held {
                Held::Events => {
                    let mut events = Vec::new();
                    let _ = self.ledger.amend(link, |live| {
                        if let Some(claim) = &mut live.claim {
                            claim.held = false;
                        }
                        for event in live.events.iter_mut().filter(|event| event.claimed) {
                            event.crashes += 1;
                            events.push(event.id);
                        }
                    });
                    for event in events {
                        self.db
                            .prepare_cached("UPDATE events SET leased = 0, crashes = crashes + 1 WHERE id = ?1")?
                            .execute([event.0])?;
                    }
                }
                Held::Request(id, side) => {
                    self.db
                        .prepare_cached(
                            "UPDATE requests SET leased = 0, crashes = crashes + 1, uncertain = 1 WHERE id = ?1",
                        )?
                        .execute([id.0])?;
                    let _ = self.ledger.amend(link, |live| {
                        if let Some(lease) = live.request(side.target(), id).and_then(|row| row.lease.as_mut()) {
                            lease.held = false;
                        }
                    });
                }
            }
        }
        Ok(())
    }

    pub(super) fn put_requests(
        &mut self,
        link: &Link,
        requests: &mut [RequestRow],
        now: Timestamp,
    ) -> Result<(), Fail> {
        for request in requests {
            self.db
                .prepare_cached(
                    "INSERT INTO requests (link, target, operation, generation, event, created, due)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    link.id.0,
                    rows::target_number(request.target),
                    request.operation,
                    request.generation,
                    request.event.map(|event| event.0),
                    now.0,
                    request.due.0
                ])?;
            let id = RequestId(self.db.last_insert_rowid());
            self.db
                .prepare_cached("INSERT INTO request_bodies (request, body) VALUES (?1, ?2)")?
                .execute(params![id.0, request.body])?;
            if let Some(request) = request.request.take() {
                self.warm.put(id, request);
            }
            self.ledger.change(link.id, &link.integration, |live| {
                let row = LiveRequest { id, state: rows::READY, created: now, due: request.due, lease: None };
                live.insert(request.target, row);
            });
        }
        Ok(())
    }

    pub(super) fn claim_requests(
        &mut self,
        target: Target,
        limit: usize,
        lease: Duration,
        may: &dyn Fn(&IntegrationName) -> bool,
        now: Timestamp,
    ) -> Result<Vec<RequestClaim>, Fail> {
        self.expire(now)?;
        let mut claims = Vec::new();
        for (link, id) in self.ledger.due(target, limit, may, now) {
            let claim = read_link(&self.db, link).and_then(|link| self.claim_request(link, id, target, lease, now));
            match claim {
                Ok(claim) => claims.push(claim),
                Err(Fail::Row(what)) => self.bury(link, id, target, &what, now)?,
                Err(fail) => return Err(fail),
            }
        }
        Ok(claims)
    }

    /// Leases a request of a link. `Fail::Row`: it can't be read, and nothing was changed.
    pub(super) fn claim_request(
        &mut self,
        link: Link,
        id: RequestId,
        target: Target,
        lease: Duration,
        now: Timestamp,
    ) -> Result<RequestClaim, Fail> {
        let request = match self.warm.take(id) {
            Some(request) => request,
            None => self.read_request(id)?,
        };
        let found = self
            .db
            .prepare_cached(
                "UPDATE requests SET leased = 1 WHERE id = ?1 RETURNING attempts, crashes, uncertain, created",
            )?
            .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, Timestamp(row.get(3)?))))
            .optional()?;
        let missing = || Fail::Row(format!("request {id} is missing"));
        let (attempts, crashes, uncertain, created) = found.ok_or_else(missing)?;
        let fence = self.ledger.next_fence();
        self.ledger.change(link.id, &link.integration, |live| {
            if let Some(row) = live.request(target, id) {
                row.lease = Some(Lease { fence, until: now.plus(lease), held: true });
            }
        });
        Ok(RequestClaim { id, fence, link, request, attempts, crashes, uncertain, created })
    }

    fn read_request(&self, id: RequestId) -> Result<Request, Fail> {
        self.db
            .prepare_cached("SELECT body FROM request_bodies WHERE request = ?1")?
            .query_row([id.0], |row| Ok(text(row, 0).and_then(|body| rows::json(body, "a sealed request"))))
            .optional()?
            .unwrap_or_else(|| Err(Fail::Row(format!("request {id} has no content"))))
    }

    /// A request that can't be read must not stop the others: it waits for a person.
    pub(super) fn bury(
        &mut self,
        link: LinkId,
        id: RequestId,
        target: Target,
        what: &str,
        now: Timestamp,
    ) -> Result<(), Fail> {
        tracing::error!(request = %id, what, "store.unreadable: a request was set aside");
        let failure = Failure {
            code: "store.unreadable".to_owned(),
            errno: None,
            status: None,
            summary: "The stored request cannot be read.".to_owned(),
            detail: Some(what.to_owned()),
            hint: Some("Discard it and share the incident again.".to_owned()),
        };
        self.db
            .prepare_cached("UPDATE requests SET state = ?2, leased = 0, failure = ?3 WHERE id = ?1")?
            .execute(params![id.0, rows::DEAD, rows::to_json(&failure, "a failure")?])?;
        let _ = self.ledger.amend(link, |live| live.remove(target, id));
        self.ledger.totals.dead += 1;
        journal::write(&self.db, link, now, &[journal::note("request.unreadable", what)])
    }

    pub(super) fn complete_seal(
        &mut self,
        id: RequestId,
        fence: Fence,
        operation: &str,
        body: &str,
    ) -> Result<Completion, Fail> {
        if self.leased_row(id, fence)?.is_none() {
            return Ok(Completion::Stale);
        }
        let changed = self
            .db
            .prepare_cached("UPDATE requests SET sealed = 1, operation = ?2 WHERE id = ?1 AND sealed = 0")?
            .execute(params![id.0, operation])?;
        if changed == 0 {
            return Ok(Completion::Stale);
        }
        self.db
            .prepare_cached("UPDATE request_bodies SET body = ?2 WHERE request = ?1")?
            .execute(params![id.0, body])?;
        Ok(Completion::Recorded)
    }

    /// The link and target of a request, when `fence` is that of its last claim.
    fn leased_row(&self, id: RequestId, fence: Fence) -> Result<Option<(LinkId, Target)>, Fail> {
        let found = self
            .db
            .prepare_cached("SELECT link, target FROM requests WHERE id = ?1")?
            .query_row([id.0], |row| Ok((LinkId(row.get(0)?), row.get::<_, i64>(1)?)))
            .optional()?;
        let Some((link, number)) = found else { return Ok(None) };
        let target = rows::target(number).ok_or_else(|| Fail::Row(format!("request {id}, column target")))?;
        let last = self.ledger.get(link).and_then(|live| live.fence_of(target, id));
        Ok((last == Some(fence)).then_some((link, target)))
    }

    pub(super) fn settle(&mut self, settled: &mut SettledRow, room: Room) -> Result<Ended, Fail> {
        let SettledRow { id, fence, end, link: changed, follow_ups, notes, took, now } = settled;
        let Some((link, target)) = self.leased_row(*id, *fence)? else { return Ok(stale()) };
        // What the row becomes: state, when it is due or was finished, attempts to add, uncertain (None = as before).
        let (state, due, counted, uncertain) = match end {
            RequestEnd::Done => (rows::DONE, *now, 0, None),
            RequestEnd::Again { due, state, counted, uncertain, .. } => {
                // A state that isn't one of waiting would lose the request.
                let waits = rows::resting(*state).filter(|state| *state <= rows::DEAD_PENDING);
                (waits.unwrap_or(rows::RETRY), *due, i64::from(*counted), Some(*uncertain))
            }
            RequestEnd::Dead { uncertain, .. } => (rows::DEAD, *now, 1, Some(*uncertain)),
            RequestEnd::Parked { .. } => (rows::DEAD, *now, 0, None),
        };
        let (outcome, failure) = match end {
            RequestEnd::Done => (Some(APPLIED), None),
            RequestEnd::Again { failure, counted, .. } => (counted.then_some(AGAIN), Some(failure)),
            RequestEnd::Dead { failure, .. } => (Some(DIED), Some(failure)),
            RequestEnd::Parked { failure } => (Some(PARKED), Some(failure)),
        };
        let failure = failure.map(|failure| rows::to_json(failure, "a failure")).transpose()?;
        self.db
            .prepare_cached(
                "UPDATE requests SET state = ?2, leased = 0, due = ?3, attempts = attempts + ?4,
                 uncertain = coalesce(?5, uncertain), failure = coalesce(?6, failure) WHERE id = ?1",
            )?
            .execute(params![id.0, state, due.0, counted, uncertain, failure])?;
        if let Some(outcome) = outcome {
            self.db
                .prepare_cached(
                    "INSERT INTO attempts (request, n, at, took, outcome, failure) VALUES
                     (?1, (SELECT coalesce(max(n), 0) + 1 FROM attempts WHERE request = ?1), ?2, ?3, ?4, ?5)",
                )?
                .execute(params![id.0, now.0, took.as_millis() as i64, outcome, failure])?;
        }
        let _ = self.ledger.amend(link, |live| match live.request(target, *id) {
            Some(row) if state <= rows::DEAD_PENDING => {
                row.state = state;
                row.due = due;
                row.lease = None;
            }
            Some(_) | None => live.remove(target, *id),
        });
        if state == rows::DEAD {
            self.ledger.totals.dead += 1;
        }
        if let Some(changed) = changed {
            changed.save(&self.db)?;
        }
        journal::write(&self.db, link, *now, notes)?;
        let owner = match changed {
            Some(row) => Ok(row.link.clone()),
            None => read_link(&self.db, link),
        };
        match owner {
            Ok(owner) => {
                self.put_requests(&owner, follow_ups, *now)?;
                self.hand_over(&owner, room, *now)
            }
            // What was attempted is recorded all the same; whoever claims next of the link sets it aside.
            Err(Fail::Row(_)) if follow_ups.is_empty() => Ok(unknown_owner()),
            Err(fail) => Err(fail),
        }
    }
}
