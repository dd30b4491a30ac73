//! One event of the ticket's side: what a poll found.
//!
//! Decide, ask whoever has to be asked, plan. Called by `intake`, which stores what comes of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::fetch;
use super::incident::settled;
use super::intake::{Halt, Handled, failed};
use super::ports::{Effective, Integration, TransformJob};
use super::runtime::Shared;
use crate::domain::event::{Event, Occasion};
use crate::domain::link::Link;
use crate::domain::patch::{Hook, Transformation};
use crate::domain::share::Share;
use crate::domain::ticket::{Note, TicketState};
use crate::engine::decide::{self, Decision, ticket::Turn};
use crate::engine::plan::{self, ticket::Answers};
use crate::steps::{Step, reached};
use crate::store::PendingEvent;

/// The hooks that a change of a ticket asks: `fields` says what form the incident's values would have on the ticket.
const CHANGED: &[Hook] = &[Hook::PrimaryAlert, Hook::Fields, Hook::Tags];
const ENDED: &[Hook] = &[Hook::PrimaryAlert, Hook::Fields, Hook::Tags, Hook::Closure];

/// How long a change waits whose incident can't be reached; a share of the incident ends the wait.
const NOWHERE: Duration = Duration::from_hours(1);

/// The newest state stands for the older ones, that of the present ticket for those of earlier ones; what was written
/// into the journals is gathered from all.
fn newest(link: &Link, mut events: Vec<PendingEvent>) -> Result<(PendingEvent, TicketState), Halt> {
    events.sort_by_key(|event| (event.revision, event.id));
    let is_present =
        |state: &TicketState| link.ticket.as_ref().is_none_or(|ticket| ticket.sys_id == state.ticket.sys_id);
    let mut notes = Vec::new();
    let mut newest: Option<(PendingEvent, TicketState)> = None;
    for event in events {
        let mut state: TicketState = match serde_json::from_slice(&event.body) {
            Ok(state) => state,
            Err(error) => return Err(Halt::Quarantine(format!("the stored ticket cannot be read: {error}"))),
        };
        for note in std::mem::take(&mut state.notes) {
            if notes.iter().all(|known: &Note| known.id != note.id) {
                notes.push(note);
            }
        }
        if newest.as_ref().is_none_or(|(_, known)| is_present(&state) || !is_present(known)) {
            newest = Some((event, state));
        }
    }
    let Some((event, mut state)) = newest else { return Err(Halt::Done("nothing was pending".to_owned())) };
    state.notes = notes;
    Ok((event, state))
}

pub(super) async fn handle(
    shared: &Shared,
    integration: &Integration,
    link: Link,
    events: Vec<PendingEvent>,
) -> Result<Handled, Halt> {
    let (event, state) = newest(&link, events)?;
    let Effective { policy, plugin_settings, .. } = integration.settings.plain();
    let state = Arc::new(state);
    let now = shared.clock.now();
    let change = match decide::decide(&link, &Event::TicketChanged(state.clone()), policy, now) {
        Decision::Nothing { why } => return Err(Halt::Done(why)),
        Decision::Wait { until, why } => return Err(Halt::Hold { until, why }),
        Decision::Follow(change) => change,
        Decision::Create { .. } | Decision::Update { .. } | Decision::Notes | Decision::Reopen => {
            return Err(Halt::Done("nothing follows from it".to_owned()));
        }
    };
    let asks = link.ticket.is_some() && change.fields && (change.turn == Turn::Ended || plan::wants_incident(policy));
    if asks && link.environment.is_none() {
        let why = "no environment of the incident is known, so it can neither be read nor told: this waits for a share \
                   of it, or for `bigpanda.environment_id`";
        return Err(Halt::Hold { until: now.plus(NOWHERE), why: why.to_owned() });
    }
    let (share, transformation, settlements) = if asks {
        let share = Arc::new(fetch::incident(integration, &link).await.map_err(|trouble| Halt::of(trouble, now))?);
        let job = TransformJob {
            integration: integration.name.clone(),
            event: event.id,
            occasion: Occasion::TicketChanged,
            share: share.clone(),
            stored: Bytes::new(),
            ticket: Some(Arc::new(state.fields.clone())),
            disputes: Vec::new(),
            settings: plugin_settings.clone(),
            hooks: if change.turn == Turn::Ended { ENDED } else { CHANGED },
            now: event.received,
        };
        reached(Step::PluginCalled);
        let transformation = shared.plugins(link.id).transform(job.clone()).await;
        let settlements = settled(shared, &link, &share, Some(&state), &transformation, policy, job).await;
        (Some(share), transformation, settlements)
    } else {
        (None, Transformation::default(), Vec::new())
    };
    let incident = share.as_ref().map(|share: &Arc<Share>| &share.incident);
    let notes = failed(&link.incident, &transformation.failures);
    let answers = Answers {
        event: event.id,
        ticket: &state,
        change: &change,
        transformation: &transformation,
        settlements: &settlements,
        incident,
        policy,
        now,
    };
    Ok(Handled { event: event.id, plan: plan::ticket::plan(link, answers), notes })
}
