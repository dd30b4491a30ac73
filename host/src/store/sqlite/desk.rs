//! What an operator changes in the queue, and the probe that shows that writing works.

use rusqlite::{OptionalExtension, params};

use super::fail::Fail;
use super::journal;
use super::ledger::LiveRequest;
use super::rows;
use super::writer::State;
use crate::domain::id::{IntegrationName, LinkId, RequestId};
use crate::domain::request::Target;
use crate::domain::time::Timestamp;
use crate::store::Retried;

/// An unfinished request, as an operator's change needs it.
pub(super) struct Open {
    pub(super) link: LinkId,
    integration: IntegrationName,
    pub(super) target: Target,
    pub(super) state: i64,
    created: Timestamp,
    is_create: bool,
}

impl State {
    pub(super) fn retry(&mut self, id: RequestId, now: Timestamp) -> Result<Retried, Fail> {
        self.expire(now)?;
        let Some(row) = self.open_request(id)? else { return Ok(Retried::Unknown) };
        if let Some(by) = self.overtaken(id, &row) {
            return Ok(Retried::Overtaken { by });
        }
        self.make_due(id, &row, now)?;
        let link = row.link;
        let text = format!("Request {id} was made due by an operator, with a fresh budget of attempts.");
        journal::write(&self.db, link, now, &[journal::note("request.retried", &text)])?;
        Ok(Retried::Due)
    }

    /// The row's part of a retry: due then, with a fresh budget.
    pub(super) fn make_due(&mut self, id: RequestId, row: &Open, due: Timestamp) -> Result<(), Fail> {
        let Open { link, integration, target, state, created, .. } = row;
        if self.ledger.get(*link).is_some_and(|live| live.is_leased(*target, id)) {
            // It is being attempted right now; only the budget starts anew.
            self.db.prepare_cached("UPDATE requests SET attempts = 0, crashes = 0 WHERE id = ?1")?.execute([id.0])?;
            return Ok(());
        }
        let state_now = if *state == rows::READY { rows::READY } else { rows::RETRY };
        self.db
            .prepare_cached("UPDATE requests SET state = ?2, due = ?3, attempts = 0, crashes = 0 WHERE id = ?1")?
            .execute(params![id.0, state_now, due.0])?;
        self.ledger.change(*link, integration, |live| match live.request(*target, id) {
            Some(row) => {
                row.state = state_now;
                row.due = due;
            }
            None => live.insert(*target, LiveRequest { id, state: state_now, created: *created, due, lease: None }),
        });
        if *state == rows::DEAD {
            self.ledger.totals.dead = self.ledger.totals.dead.saturating_sub(1);
        }
        Ok(())
    }

    /// The newer request of the incident that a dead create would get in front of: it would make the ticket from an
    /// older state, and the newer state would never be sent.
    pub(super) fn overtaken(&self, id: RequestId, row: &Open) -> Option<RequestId> {
        if !(row.state == rows::DEAD && row.is_create) {
            return None;
        }
        self.ledger.get(row.link)?.newest(row.target).filter(|newest| *newest > id)
    }

    pub(super) fn discard(&mut self, id: RequestId, now: Timestamp) -> Result<bool, Fail> {
        self.expire(now)?;
        let Some(Open { link, target, state, .. }) = self.open_request(id)? else { return Ok(false) };
        if self.ledger.get(link).is_some_and(|live| live.is_leased(target, id)) {
            return Ok(false);
        }
        self.db.prepare_cached("UPDATE requests SET state = ?2, due = ?3 WHERE id = ?1")?.execute(params![
            id.0,
            rows::DISCARDED,
            now.0
        ])?;
        if state == rows::DEAD {
            self.ledger.totals.dead = self.ledger.totals.dead.saturating_sub(1);
        } else {
            let _ = self.ledger.amend(link, |live| live.remove(target, id));
        }
        let text = format!("Request {id} was given up by an operator.");
        journal::write(&self.db, link, now, &[journal::note("request.discarded", &text)])?;
        Ok(true)
    }

    /// Writes something, so that its commit shows whether writing works.
    pub(super) fn probe(&mut self) -> Result<(), Fail> {
        self.db.prepare_cached("UPDATE host SET probes = probes + 1")?.execute([])?;
        Ok(())
    }

    pub(super) fn open_request(&self, id: RequestId) -> Result<Option<Open>, Fail> {
        let found = self
            .db
            .prepare_cached(
                "SELECT link, integration, target, requests.state, created, operation = 'create-ticket'
                 FROM requests JOIN links ON links.id = link WHERE requests.id = ?1 AND requests.state < 4",
            )?
            .query_row([id.0], |row| {
                let name: String = row.get(1)?;
                let target: i64 = row.get(2)?;
                Ok((LinkId(row.get(0)?), name, target, row.get(3)?, Timestamp(row.get(4)?), row.get(5)?))
            })
            .optional()?;
        let Some((link, name, target, state, created, is_create)) = found else { return Ok(None) };
        let bad = |column: &str| Fail::Row(format!("request {id}, column {column}"));
        let integration = IntegrationName::new(&name).map_err(|_| bad("integration"))?;
        let target = rows::target(target).ok_or_else(|| bad("target"))?;
        Ok(Some(Open { link, integration, target, state, created, is_create }))
    }
}
