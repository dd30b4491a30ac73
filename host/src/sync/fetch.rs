//! What has to be asked of the other side before an event can be decided.

use std::sync::Arc;

use super::ports::Integration;
use crate::domain::id::EnvironmentId;
use crate::domain::incident::{Activity, Incident};
use crate::domain::link::Link;
use crate::domain::outcome::{Failure, Outcome};
use crate::domain::share::{Links, Overrides, Share, ShareKind};
use crate::domain::ticket::TicketState;
use crate::engine::Policy;

/// Why something could not be had.
pub(super) enum Trouble {
    /// Another try may succeed.
    Later(Failure),
    /// It does not exist, or is hidden from us.
    Gone(String),
    /// A person has to act.
    Never(String),
}

fn trouble(outcome: Outcome) -> Trouble {
    match outcome {
        Outcome::Missing(failure) => Trouble::Gone(failure.summary),
        Outcome::Refused(failure) => Trouble::Never(failure.summary),
        Outcome::NotApplied(failure)
        | Outcome::Unknown(failure)
        | Outcome::Auth(failure)
        | Outcome::Paused { failure, .. } => Trouble::Later(failure),
        Outcome::Applied(_) => Trouble::Never("the answer held nothing".to_owned()),
    }
}

/// The share with its whole incident; fetched when the body held little more than an id.
pub(super) async fn complete(integration: &Integration, link: &Link, share: Arc<Share>) -> Result<Arc<Share>, Trouble> {
    let mut share = linked(integration, whole(integration, share).await?);
    let (memory, incident) = (&link.memory, &share.incident);
    let lacks = (incident.changes.is_empty() && !memory.changes.is_empty())
        || (incident.summary.is_none() && memory.summary.is_some());
    if lacks {
        Arc::make_mut(&mut share).incident.recall(&memory.changes, memory.summary.as_deref());
    }
    Ok(share)
}

async fn whole(integration: &Integration, share: Arc<Share>) -> Result<Arc<Share>, Trouble> {
    if share.complete {
        return Ok(share);
    }
    let Some(environment) = share.environment_id.clone().or_else(|| integration.environment.clone()) else {
        return Err(Trouble::Never(
            "the share holds only an incident id and names no environment; send the environment id with it, or set \
             `bigpanda.environment_id`"
                .to_owned(),
        ));
    };
    let incident = integration.bigpanda.incident(&environment, &share.incident.id).await.map_err(trouble)?;
    let mut whole = (*share).clone();
    whole.incident = incident;
    whole.environment_id = Some(environment);
    whole.complete = true;
    Ok(Arc::new(whole))
}

/// The share with links into the console, where it carries none.
///
/// Only the address of an incident's timeline is known for sure, so it serves as the incident's too.
fn linked(integration: &Integration, mut share: Arc<Share>) -> Arc<Share> {
    let lacks = share.links.incident.is_empty() || share.links.timeline.is_empty();
    let environment = share.environment_id.as_ref().or(integration.environment.as_ref());
    let (true, Some(console), Some(environment)) = (lacks, &integration.console, environment) else { return share };
    let link = format!("{console}/#/app/overview/{environment}/active/incidents/{}/timeline", share.incident.id);
    let links = &mut Arc::make_mut(&mut share).links;
    for lacking in [&mut links.incident, &mut links.timeline].into_iter().filter(|link| link.is_empty()) {
        lacking.clone_from(&link);
    }
    share
}

/// The environment through which the incident of a link is reached.
pub(super) fn environment(integration: &Integration, link: &Link) -> Option<EnvironmentId> {
    link.environment.clone().or_else(|| integration.environment.clone())
}

/// The incident of a link as it is now, in the form of a share.
pub(super) async fn incident(integration: &Integration, link: &Link) -> Result<Share, Trouble> {
    let Some(environment) = environment(integration, link) else {
        return Err(Trouble::Never(
            "no environment of the incident is known; set `bigpanda.environment_id`".to_owned(),
        ));
    };
    let incident: Incident = integration.bigpanda.incident(&environment, &link.incident).await.map_err(trouble)?;
    let share = Share {
        kind: ShareKind::Unnamed,
        incident,
        environment_id: Some(environment),
        environment_name: String::new(),
        sender: String::new(),
        links: Links::default(),
        overrides: Overrides::default(),
        complete: true,
    };
    Ok(Arc::unwrap_or_clone(linked(integration, Arc::new(share))))
}

/// The ticket of a link as it is now.
pub(super) async fn ticket(integration: &Integration, link: &Link, policy: &Policy) -> Result<TicketState, Trouble> {
    let Some(known) = &link.ticket else {
        return Err(Trouble::Never("the incident has no ticket".to_owned()));
    };
    match integration.servicenow.ticket(&integration.scope(policy), &known.sys_id).await {
        Ok(Some(state)) => Ok(state),
        Ok(None) => Err(Trouble::Gone(format!("ServiceNow has no ticket {} any more", known.number))),
        Err(outcome) => Err(trouble(outcome)),
    }
}

/// The history of the link's incident. Where we may not read it, the event goes on without it.
pub(super) async fn activities(integration: &Integration, link: &Link) -> Result<Vec<Activity>, Trouble> {
    match integration.bigpanda.activities(&link.incident).await.map_err(trouble) {
        Ok(activities) => Ok(activities),
        Err(later @ Trouble::Later(_)) => Err(later),
        Err(Trouble::Gone(why) | Trouble::Never(why)) => {
            tracing::warn!(
                error.code = "bigpanda.activities",
                incident.id = %link.incident,
                "the incident's comments cannot be read: {why}"
            );
            Ok(Vec::new())
        }
    }
}
