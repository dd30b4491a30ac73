//! An incident's history: the only place where BigPanda shows comments, merges and splits.

use super::client::{Endpoint, Line};
use super::wire;
use crate::domain::id::IncidentId;
use crate::domain::incident::{Activity, ActivityKind};
use crate::domain::outcome::Outcome;

/// The kinds that are asked for, as BigPanda names them.
const KINDS: [(&str, ActivityKind); 5] = [
    ("incident_commented", ActivityKind::Commented),
    // The source is the one that goes away.
    ("incident_merged_source", ActivityKind::MergedAway),
    ("incident_merged_destination", ActivityKind::MergedIn),
    ("incident_splitted_source", ActivityKind::SplitOff),
    ("incident_splitted_destination", ActivityKind::SplitFrom),
];

/// The newest hundred, oldest first.
pub(super) async fn read(line: &Line, incident: &IncidentId) -> Result<Vec<Activity>, Outcome> {
    let mut url = line.at(&["resources", "v2.0", "incidents", incident.as_str(), "activities"]);
    let kinds = KINDS.map(|(name, _)| name).join(",");
    url.query_pairs_mut().append_pair("types", &kinds).append_pair("per_page", "100");
    let raw: Vec<wire::Activity> = line.list(Endpoint::Activities, url).await?;
    let mut read: Vec<Activity> = raw.into_iter().filter_map(activity).collect();
    // Newest first as it came; equal times keep their order.
    read.reverse();
    read.sort_by_key(|activity| activity.at);
    Ok(read)
}

fn activity(raw: wire::Activity) -> Option<Activity> {
    let wire::Activity { id, kind, timestamp, created_by, params } = raw;
    let (_, kind) = KINDS.into_iter().find(|(name, _)| *name == kind)?;
    let wire::Params { comment, mut source_incidents, source_incident, destination_incident } = params;
    source_incidents.extend(source_incident);
    source_incidents.extend(destination_incident);
    Some(Activity {
        id,
        kind,
        at: timestamp,
        by: created_by.unwrap_or_default(),
        text: comment.unwrap_or_default(),
        others: source_incidents,
    })
}
