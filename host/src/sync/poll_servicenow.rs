//! Looks for tickets of ours that changed.
//!
//! Pages follow each other by the last row's place in the order (`sys_updated_on`, `sys_id`), never by an offset, so a
//! row that moves while pages are read is neither skipped nor lost. A look begins an overlap before the last one's
//! time by the instance's own clock; versions that were seen in the overlap are passed over.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::poll::Trouble;
use super::ports::Integration;
use super::runtime::Shared;
use crate::domain::event::Occasion;
use crate::domain::id::{IntegrationName, SysId};
use crate::domain::ticket::TicketState;
use crate::domain::time::Timestamp;
use crate::engine::Policy;
use crate::engine::echo::is_our_own;
use crate::engine::seal::fingerprint;
use crate::mapping::time::{parse, text};
use crate::servicenow::{Changes, From};
use crate::steps::{Step, reached};
use crate::store::{Cursor, NewEvent};

const POLLER: &str = "servicenow";

/// Later than any change: only the instance's clock is wanted.
const NEVER: &str = "2999-12-31 23:59:59";

/// Requests that one look makes at most; the next one goes on where it ended.
const REQUESTS: usize = 100;

/// How far the last look came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The instance's time, as it writes times.
    since: String,
    /// Versions of the tickets that changed in the overlap before, with the time of their change.
    seen: BTreeMap<String, (i64, String)>,
}

/// How far the clocks of host and instance may differ where the first look begins at a time of the host's. What is seen
/// too early is known already.
const APART: Duration = Duration::from_mins(15);

/// Where looks begin if all up to that time is known.
pub(super) fn beginning(integration: &IntegrationName, at: Timestamp) -> Cursor {
    let since = earlier(&text(at), APART);
    let place = serde_json::to_string(&Place { since, ..Place::default() }).unwrap_or_default();
    Cursor { integration: integration.clone(), poller: POLLER, place }
}

/// One look. Returns how many changes were new.
pub(super) async fn look(shared: &Shared, integration: &Integration) -> Result<u64, Trouble> {
    let policy = &integration.settings.plain().policy;
    let scope = integration.scope(policy);
    let servicenow = &integration.servicenow;
    let stored = shared.store.cursor(&integration.name, POLLER).await?;
    let known: Option<Place> = stored.as_deref().and_then(|place| serde_json::from_str(place).ok());
    let Some(before) = known else {
        let Changes { clock, .. } = servicenow.changes(&scope, &From::Since(NEVER.to_owned())).await?;
        let since = text(clock.unwrap_or_else(|| shared.clock.now()));
        save(shared, integration, &Place { since, ..Place::default() }, Vec::new()).await?;
        return Ok(0);
    };
    let begin = earlier(&before.since, integration.polls.overlap);
    let mut place = before.clone();
    let mut from = From::Since(begin.clone());
    let mut clock = None;
    let mut found = 0;
    for number in 1..=REQUESTS {
        let page = servicenow.changes(&scope, &from).await?;
        clock = clock.or(page.clock);
        let is_last = page.is_last;
        let next = page.last.clone();
        let fresh: Vec<TicketState> = page.tickets.into_iter().filter(|ticket| !place.has(ticket)).collect();
        for ticket in &fresh {
            place.see(ticket);
        }
        let fresh = without_echoes(shared, integration, fresh).await?;
        let fresh = with_notes(integration, policy, fresh, &begin).await?;
        let events: Vec<NewEvent> = fresh.into_iter().map(|ticket| event(shared, integration, ticket)).collect();
        from = match (next, from) {
            (Some((second, sys_id)), _) => From::Within(second, sys_id),
            // Nothing more in that second.
            (None, From::Within(second, _)) => From::After(second),
            (None, from @ (From::Since(_) | From::After(_))) => from,
        };
        if is_last {
            place.since = later(&place.since, clock);
            let oldest = earlier(&place.since, integration.polls.overlap);
            place.seen.retain(|_, (_, changed)| *changed >= oldest);
        }
        // A page of echoes need not be remembered by itself: read again after a crash, it is no news either.
        let ends = is_last || number == REQUESTS;
        if !events.is_empty() || (ends && place != before) {
            found += save(shared, integration, &place, events).await?;
        }
        if is_last {
            break;
        }
    }
    Ok(found)
}

impl Place {
    fn has(&self, ticket: &TicketState) -> bool {
        self.seen.get(ticket.ticket.sys_id.as_str()).is_some_and(|(version, _)| *version == ticket.version())
    }

    fn see(&mut self, ticket: &TicketState) {
        let seen = (ticket.version(), ticket.field("sys_updated_on").to_owned());
        self.seen.insert(ticket.ticket.sys_id.as_str().to_owned(), seen);
    }
}

async fn save(
    shared: &Shared,
    integration: &Integration,
    place: &Place,
    events: Vec<NewEvent>,
) -> Result<u64, Trouble> {
    let text = serde_json::to_string(place).unwrap_or_default();
    let cursor = Cursor { integration: integration.name.clone(), poller: POLLER, place: text };
    if !events.is_empty() {
        reached(Step::Looked);
    }
    let accepted = shared.store.accept_polled(events, cursor).await?;
    Ok(accepted.iter().filter(|event| !event.duplicate).count() as u64)
}

/// Leaves out what our own writes left behind, before anything is asked or stored about it.
async fn without_echoes(
    shared: &Shared,
    integration: &Integration,
    tickets: Vec<TicketState>,
) -> Result<Vec<TicketState>, Trouble> {
    let mut rest = Vec::new();
    for ticket in tickets {
        let link = shared.store.link_of(&integration.name, &ticket.incident).await?;
        if !link.is_some_and(|link| is_our_own(&link, &ticket)) {
            rest.push(ticket);
        }
    }
    Ok(rest)
}

/// Adds what was written into the journals. A new entry changes its ticket, so only changed ones have any.
async fn with_notes(
    integration: &Integration,
    policy: &Policy,
    mut tickets: Vec<TicketState>,
    since: &str,
) -> Result<Vec<TicketState>, Trouble> {
    if policy.notes_from.is_empty() || tickets.is_empty() {
        return Ok(tickets);
    }
    let ids: Vec<SysId> = tickets.iter().map(|ticket| ticket.ticket.sys_id.clone()).collect();
    for (sys_id, note) in integration.servicenow.notes(&policy.table, &ids, since).await? {
        if let Some(ticket) = tickets.iter_mut().find(|ticket| ticket.ticket.sys_id == sys_id) {
            ticket.notes.push(note);
        }
    }
    Ok(tickets)
}

fn event(shared: &Shared, integration: &Integration, ticket: TicketState) -> NewEvent {
    let mut cause = format!("ticket/{}/{}", ticket.ticket.sys_id, ticket.version());
    for note in &ticket.notes {
        cause.push('/');
        cause.push_str(&note.id);
    }
    let changed = parse(ticket.field("sys_updated_on")).map_or(0, Timestamp::seconds);
    NewEvent {
        occasion: Occasion::TicketChanged,
        integration: integration.name.clone(),
        incident: ticket.incident.clone(),
        environment: None,
        dedupe: format!("ticket/{}", fingerprint(&cause)),
        // By time first, because the versions of two tickets can't be compared.
        revision: changed.saturating_mul(100_000).saturating_add(ticket.version().clamp(0, 99_999)),
        received: shared.clock.now(),
        body: serde_json::to_vec(&ticket).unwrap_or_default().into(),
    }
}

fn earlier(since: &str, overlap: Duration) -> String {
    let back = i64::try_from(overlap.as_secs()).unwrap_or(0);
    parse(since)
        .map_or_else(|| since.to_owned(), |since| text(Timestamp::from_seconds(since.seconds().saturating_sub(back))))
}

/// Clocks of the nodes of an instance may differ a little; the place never goes back.
fn later(since: &str, clock: Option<Timestamp>) -> String {
    let clock = clock.map(text).unwrap_or_default();
    if clock.as_str() > since { clock } else { since.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_goes_back_by_the_overlap_only() {
        let at = parse("2026-03-01 00:00:30").expect("a time");
        assert_eq!(earlier("2026-03-01 00:00:30", Duration::from_mins(1)), "2026-02-28 23:59:30");
        assert_eq!(later("2026-03-01 00:00:30", None), "2026-03-01 00:00:30");
        assert_eq!(later("2026-03-01 00:00:30", Some(Timestamp(at.0 + 1_000))), "2026-03-01 00:00:31");
        assert_eq!(later("2026-03-01 00:00:30", Some(Timestamp(at.0 - 1_000))), "2026-03-01 00:00:30");
    }
}
