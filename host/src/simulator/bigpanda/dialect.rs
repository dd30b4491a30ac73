//! Shares as bytes, in each of the shapes that receivers meet.
//!
//! Called when a share is queued. Holds always: every shape carries the incident's id and the event kind.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::alerts;
use super::incident::Incident;
use super::store::Environment;

/// The shape of a share's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `{incident, metadata, links}` with the older names (`startedOn`).
    #[default]
    Webhook,
    /// The REST object itself, beside the event kind.
    Rest,
    /// A body composed by the customer: little more than ids.
    Composed,
}

pub(super) fn body(dialect: Dialect, incident: &Incident, event: &str, environment: Option<&Environment>) -> Json {
    let environment_id = environment.map_or("", |environment| &environment.id);
    let environment_name = environment.map_or("", |environment| &environment.name);
    let timeline =
        format!("https://a.bigpanda.io/#/app/overview/{environment_id}/active/incidents/{}/timeline", incident.id);
    let links = json!({
        "incident": format!("https://a.bigpanda.io/#/app/overview/{environment_id}/active/incidents/{}", incident.id),
        "timeline": timeline,
        "preview": format!("http://bigp.io/{}", incident.id.get(..8).unwrap_or(&incident.id)),
    });
    let metadata = json!({
        "event_type": event,
        "environment_id": environment_id,
        "environment_name": environment_name,
        "sender": "autoshare@example.com",
    });
    match dialect {
        Dialect::Webhook => {
            let snooze = incident.snooze.as_ref();
            let mut object = json!({
                "id": incident.id,
                "status": incident.status.to_lowercase(),
                "severity": incident.severity.to_lowercase(),
                "active": incident.active,
                "resolved": !incident.active,
                "flapping": incident.flapping,
                "snooze": {
                    "snoozed": snooze.is_some(),
                    "end_time": snooze.and_then(|snooze| snooze.get("end_time")),
                    "autoCancel": snooze
                        .and_then(|snooze| snooze.get("cancel_on_incident_updates"))
                        .unwrap_or(&Json::Bool(false)),
                },
                "maintenance": incident.maintenance,
                "startedOn": incident.start,
                "changedOn": incident.changed,
                "updatedOn": incident.updated,
                "endedOn": incident.end,
                "environments": incident.environments,
                "folders": incident.folders(),
                "incident_tags": incident.tag_list(),
                "alerts": incident.alerts.iter().map(alerts::old_names).collect::<Vec<_>>(),
            });
            if let Some(map) = object.as_object_mut() {
                for (name, value) in &incident.more {
                    map.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
            json!({ "incident": object, "metadata": metadata, "links": links, "relatedChanges": incident.changes })
        }
        Dialect::Rest => {
            let mut object = incident.json(true);
            if let Some(map) = object.as_object_mut() {
                map.insert("event_type".to_owned(), json!(event));
                map.insert("metadata".to_owned(), metadata);
                map.insert("links".to_owned(), links);
            }
            object
        }
        Dialect::Composed => {
            let primary = alerts::primary(&incident.alerts);
            json!({
                "incident_id": incident.id,
                "event_type": event,
                "status": incident.status.to_lowercase(),
                "environment_id": environment_id,
                "primary_source": primary.and_then(|alert| alert.get("source_system")),
                "primary_description": primary.and_then(|alert| alert.get("description")),
            })
        }
    }
}
