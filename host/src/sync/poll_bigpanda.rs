//! Looks for incidents that changed and that no share has told of.
//!
//! The list comes last changed first and is read until it is older than the last look, with an overlap. An incident whose
//! state, known by its outline, was what was handled last costs no more than a look into the store; in the overlap too,
//! because a share that was late may have been handled after the state that was seen there. The incidents themselves are
//! fetched when their event is handled.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::poll::Trouble;
use super::ports::Integration;
use super::runtime::Shared;
use crate::bigpanda::Listed;
use crate::domain::event::Occasion;
use crate::domain::id::{EnvironmentId, IncidentId, IntegrationName};
use crate::domain::incident::{Activity, Incident};
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::engine::echo::outline;
use crate::engine::seal::is_ours;
use crate::steps::{self, Step};
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
    /// Incidents that were handled, and whose history may hold a comment that no share told of.
    #[serde(default)]
    unread: BTreeSet<String>,
}

/// Where looks begin if all up to that time is known.
pub(super) fn beginning(integration: &IntegrationName, at: Timestamp) -> Cursor {
    let place = serde_json::to_string(&Place { since: at.seconds(), ..Place::default() }).unwrap_or_default();
    Cursor { integration: integration.clone(), poller: POLLER, place }
}

/// Histories that one look reads at most; the others wait for the next.
const HISTORIES: usize = 20;
/// Histories that may wait. More come only in a storm, and then comments of some are told with their next change.
const WAITING: usize = 10_000;

/// One look. Returns how many changes were new.
pub(super) async fn look(shared: &Shared, integration: &Integration) -> Result<u64, Trouble> {
    let Some(environment) = &integration.environment else { return Ok(0) };
    let stored = shared.store.cursor(&integration.name, POLLER).await?;
    let known: Option<Place> = stored.as_deref().and_then(|place| serde_json::from_str(place).ok());
    let overlap = i64::try_from(integration.polls.overlap.as_secs()).unwrap_or(0);
    let before = known.clone().unwrap_or_default();
    let comments = integration.settings.plain().policy.comments_to.is_some();
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
            // What changes while pages are read may move to a page that was read already. So the next look begins where
            // this one did, however long it took.
            if number == 1 {
                place.since = place.since.max(at);
            }
            let outline = outline(&incident);
            let id = incident.id.as_str().to_owned();
            let was_seen = before.seen.get(&id) == Some(&outline);
            place.seen.insert(id, outline.clone());
            // The first look only finds out where to begin.
            if known.is_none() {
                continue;
            }
            let handled = match standing(shared, integration, &incident, &outline).await? {
                // It was there before we came, or its event waits, perhaps for a person.
                Standing::News { ref handled } if was_seen && handled.is_empty() => continue,
                Standing::News { handled } => handled,
                Standing::NotOurs => continue,
                Standing::Handled => {
                    if comments && !was_seen && place.unread.len() < WAITING {
                        place.unread.insert(incident.id.as_str().to_owned());
                    }
                    continue;
                }
            };
            events.push(NewEvent {
                occasion: Occasion::IncidentChanged,
                integration: integration.name.clone(),
                incident: incident.id.clone(),
                environment: Some(environment.clone()),
                // The same state is news once more when a late share of the same second has been handled after it.
                dedupe: format!("poll/{handled}/{outline}"),
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
            events.extend(commented(shared, integration, environment, &mut place).await?);
        }
        // The newest change comes first, so the place may move only when the last page has been read.
        let since = if last { place.since } else { before.since };
        let next = Place { since, ..place.clone() };
        if !events.is_empty() || Some(&next) != known.as_ref() {
            let text = serde_json::to_string(&next).unwrap_or_default();
            let cursor = Cursor { integration: integration.name.clone(), poller: POLLER, place: text };
            if !events.is_empty() {
                steps::reached(Step::Looked);
            }
            let accepted = shared.store.accept_polled(events, cursor).await?;
            found += accepted.iter().filter(|event| !event.duplicate).count() as u64;
        }
        if last {
            break;
        }
    }
    Ok(found)
}

/// What a state of an incident is to us.
enum Standing {
    News {
        /// The outline of what was handled last; empty: nothing was.
        handled: String,
    },
    /// It was handled already.
    Handled,
    /// Nobody shared it with us, or it was over before we knew of it.
    NotOurs,
}

async fn standing(
    shared: &Shared,
    integration: &Integration,
    incident: &Incident,
    outline: &str,
) -> Result<Standing, Trouble> {
    Ok(match shared.store.link_of(&integration.name, &incident.id).await? {
        Some(link) if link.memory.outline == outline => Standing::Handled,
        Some(link) => Standing::News { handled: link.memory.outline },
        None if incident.active && integration.polls.creates => Standing::News { handled: String::new() },
        None => Standing::NotOurs,
    })
}

/// Reads some of the histories that wait, and makes an event of each that holds something new.
async fn commented(
    shared: &Shared,
    integration: &Integration,
    environment: &EnvironmentId,
    place: &mut Place,
) -> Result<Vec<NewEvent>, Trouble> {
    let mut events = Vec::new();
    let now: Vec<String> = place.unread.iter().take(HISTORIES).cloned().collect();
    for id in now {
        let Ok(incident) = IncidentId::new(&id) else { continue };
        let Some(link) = shared.store.link_of(&integration.name, &incident).await? else { continue };
        let activities = match integration.bigpanda.activities(&incident).await {
            Ok(activities) => activities,
            // There is nothing to read, or not for us.
            Err(Outcome::Missing(_) | Outcome::Refused(_)) => Vec::new(),
            Err(outcome) => return Err(outcome.into()),
        };
        place.unread.remove(&id);
        let is_news = |activity: &&Activity| !is_ours(&activity.text) && !link.memory.comments.contains(&activity.id);
        let Some(newest) = activities.iter().rfind(is_news) else { continue };
        events.push(NewEvent {
            occasion: Occasion::IncidentChanged,
            integration: integration.name.clone(),
            dedupe: format!("history/{}", newest.id),
            environment: Some(environment.clone()),
            revision: link.revision,
            received: shared.clock.now(),
            body: integration.bigpanda.mention(environment, &incident),
            incident,
        });
    }
    Ok(events)
}

fn changed(incident: &Incident) -> i64 {
    incident.changed.or(incident.updated).or(incident.start).unwrap_or(0)
}
