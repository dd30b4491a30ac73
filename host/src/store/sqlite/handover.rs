//! What follows from a transaction, given to whoever made it: the event that it stored, the request that it sealed.
//!
//! A claim of its own would find the same and cost a task, a read of what was just written, and for requests a sync.
//! Only what a claim would give next is handed over, so nobody who waits is passed by.

use std::time::Duration;

use super::fail::Fail;
use super::packing::EventRow;
use super::rows::read_link;
use super::writer::State;
use crate::domain::link::Link;
use crate::domain::request::Target;
use crate::domain::time::Timestamp;
use crate::store::{Completion, Ended, Room, TakenIn, Waiting};

/// The answer to somebody whose claim is not the last one: nothing was changed.
pub(super) fn stale() -> Ended {
    Ended { completion: Completion::Stale, claims: Vec::new(), waiting: Waiting::default() }
}

/// The answer where the link can't be read: nothing is handed over, and everybody looks.
pub(super) fn unknown_owner() -> Ended {
    let waiting = Waiting { events: true, servicenow: true, bigpanda: true };
    Ended { completion: Completion::Recorded, claims: Vec::new(), waiting }
}

impl State {
    pub(super) fn take_in(&mut self, row: &EventRow, lease: Option<Duration>) -> Result<TakenIn, Fail> {
        let accepted = self.accept(row)?;
        let event = &row.event;
        let alone = || self.ledger.get(accepted.link).is_some_and(|live| live.has_only(accepted.event));
        let Some(lease) = lease.filter(|_| !accepted.duplicate && alone()) else {
            return Ok(TakenIn { accepted, claim: None });
        };
        let claim = match read_link(&self.db, accepted.link) {
            Ok(link) => self.claim_link(link, Some((accepted.event, &event.body)), lease, event.received)?,
            // Whoever claims it finds the same, and sets the link aside.
            Err(Fail::Row(_)) => None,
            Err(fail) => return Err(fail),
        };
        Ok(TakenIn { accepted, claim })
    }

    pub(super) fn hand_over(&mut self, link: &Link, room: Room, now: Timestamp) -> Result<Ended, Fail> {
        let mut claims = Vec::new();
        for target in [Target::ServiceNow, Target::BigPanda].into_iter().filter(|target| room.has(*target)) {
            let Some(id) = self.ledger.next_of(link.id, target, now) else { continue };
            match self.claim_request(link.clone(), id, target, room.lease, now) {
                Ok(claim) => claims.push(claim),
                Err(Fail::Row(what)) => self.bury(link.id, id, target, &what, now)?,
                Err(fail) => return Err(fail),
            }
        }
        let waiting = self.ledger.waiting(&link.integration);
        Ok(Ended { completion: Completion::Recorded, claims, waiting })
    }
}
