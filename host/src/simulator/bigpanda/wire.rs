//! Request bodies and JSON forms of the REST API.
//!
//! Called by the routes. Holds always: names are the documented ones.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::alerts;
use super::incident::Incident;

#[derive(Deserialize)]
pub(crate) struct CommentBody<'a> {
    #[serde(borrow)]
    pub(crate) comment: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(crate) struct TagBody<'a> {
    #[serde(borrow)]
    pub(crate) tag_value: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(crate) struct TagPair {
    pub(crate) tag_id: String,
    pub(crate) tag_value: String,
}

#[derive(Deserialize)]
pub(crate) struct CallbackBody {
    #[serde(default)]
    pub(crate) event_type: String,
    pub(crate) incident_id: String,
    #[serde(default)]
    pub(crate) app_key: String,
}

#[derive(Deserialize)]
pub(crate) struct ResolveBody {
    #[serde(default)]
    pub(crate) comments: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct AssignBody {
    pub(crate) assignee: String,
}

#[derive(Deserialize)]
pub(crate) struct SnoozeBody {
    pub(crate) end_time: i64,
    #[serde(default)]
    pub(crate) comment: Option<String>,
    #[serde(default)]
    pub(crate) cancel_on_incident_updates: bool,
}

#[derive(Deserialize)]
pub(crate) struct MergeBody {
    pub(crate) source_incidents: Vec<String>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct SplitBody {
    pub(crate) alerts: Vec<String>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct BatchBody {
    pub(crate) ids: Vec<String>,
    #[serde(default)]
    pub(crate) comments: Option<String>,
}

impl Incident {
    /// The REST object; alerts in full when `expanded`.
    pub(crate) fn json(&self, expanded: bool) -> Json {
        let alerts: Vec<Json> = if expanded {
            self.alerts.clone()
        } else {
            self.alerts.iter().map(|alert| json!({ "alert_id": alerts::id(alert) })).collect()
        };
        let mut out = json!({
            "id": self.id,
            "status": self.status,
            "severity": self.severity,
            "active": self.active,
            "flapping": self.flapping,
            "shared": self.shared,
            "snooze": self.snooze.clone().unwrap_or_else(|| json!({ "snoozed": false })),
            "maintenance": self.maintenance,
            "start": self.start,
            "end": self.end,
            "changed_at": self.changed,
            "updated_at": self.updated,
            "alerts": alerts,
            "environments": self.environments,
            "folders": self.folders(),
            "incident_tags": self.tag_list(),
            "correlation_matchers_log": [[]],
        });
        if let Some(map) = out.as_object_mut() {
            if let Some(assignee) = &self.assignee {
                map.insert("assignee".to_owned(), assignee.clone());
                map.insert("assigner".to_owned(), assignee.clone());
            }
            for (name, value) in &self.more {
                map.insert(name.clone(), value.clone());
            }
        }
        out
    }

    pub(crate) fn tag_list(&self) -> Vec<Json> {
        self.tags.iter().map(|tag| json!({ "tag_id": tag.id, "tag_value": tag.value })).collect()
    }
}
