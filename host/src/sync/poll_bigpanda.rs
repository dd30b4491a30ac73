//! Looks for incidents that changed and that no share has told of.
//!
//! The list comes last changed first and is read until it is older than the last look, with an overlap. What is in
//! the overlap is known by its outline, so it costs nothing; an incident whose newest state was handled already costs
//! nothing either. The incidents themselves are fetched when their event is handled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::poll::Trouble;
use super::ports::Integration;
use super::runtime::Shared;
use crate::bigpanda::Listed;
use crate::domain::event::Occasion;
use crate::domain::incident::Incident;
use crate::engine::echo::outline;
use crate::store::{Cursor, NewEvent};

const POLLER: &str = "bigpanda";

/// BigPanda shows ten thousand incidents of a list.
const PAGES: u32 = 100;

/// How far the last look came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// When the newest change happened that was seen, epoch seconds of BigPanda's.
    since: i64,
    /// Outlines of the incidents that changed in the overlap before.
    seen: BTreeMap<String, String>,
}

/// One look. Returns how many changes were new.
pub(super) async fn look(shared: &Shared, integration: &Integration) -> Result<u64, Trouble> {
    let Some(environment) = &integration.environment else { return Ok(0) };
    let stored = shared.store.cursor(&integration.name, POLLER).await?;
    let known: Option<Place> = stored.as_deref().and_then(|place| serde_json::from_str(place).ok());
    let overlap = i64::try_from(integration.polls.overlap.as_secs()).unwrap_or(0);
    let before = known.clone().unwrap_or_default();
    let mut place = before.clone();
    let mut found = 0;
    for number in 1..=PAGES {
        let page = integration.bigpanda.shared(environment, number).await?;
        let mut events = Vec::new();
        let mut reached = !page.more;
        for Listed { incident, stored } in page.incidents {
            let at = changed(&incident);
            if known.is_some() && at < before.since.saturating_sub(overlap) {
                reached = true;
                break;
            }
            place.since = place.since.max(at);
            let outline = outline(&incident);
            let id = incident.id.as_str().to_owned();
            let was_seen = before.seen.get(&id) == Some(&outline);
            place.seen.insert(id, outline.clone());
            // The first look only finds out where to begin.
            if was_seen || known.is_none() || is_handled(shared, integration, &incident, &outline).await? {
                continue;
            }
            events.push(NewEvent {
                occasion: Occasion::IncidentChanged,
                integration: integration.name.clone(),
                incident: incident.id.clone(),
                environment: Some(environment.clone()),
                dedupe: format!("poll/{outline}"),
                revision: incident.revision(),
                received: shared.clock.now(),
                body: stored,
            });
        }
        let last = reached || known.is_none() || number == PAGES;
        if last {
            let oldest = place.since.saturating_sub(overlap);
            // What is older than the overlap won't be looked at again.
            place.seen.retain(|id, outline| before.seen.get(id) != Some(outline) || before.since >= oldest);
        }
        // The newest change comes first, so the place may move only when the last page has been read.
        let since = if last { place.since } else { before.since };
        let next = Place { since, ..place.clone() };
        if !events.is_empty() || Some(&next) != known.as_ref() {
            let text = serde_json::to_string(&next).unwrap_or_default();
            let cursor = Cursor { integration: integration.name.clone(), poller: POLLER, place: text };
            let accepted = shared.store.accept_polled(events, cursor).await?;
            found += accepted.iter().filter(|event| !event.duplicate).count() as u64;
        }
        if last {
            break;
        }
    }
    Ok(found)
}

/// Whether the state was handled already, or is none of ours.
async fn is_handled(
    shared: &Shared,
    integration: &Integration,
    incident: &Incident,
    outline: &str,
) -> Result<bool, Trouble> {
    let link = shared.store.link_of(&integration.name, &incident.id).await?;
    Ok(link.map_or(!(incident.active && integration.polls.creates), |link| link.memory.outline == outline))
}

fn changed(incident: &Incident) -> i64 {
    incident.changed.or(incident.updated).or(incident.start).unwrap_or(0)
}
