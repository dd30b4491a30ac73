//! One incident with everything that hangs on it.
//!
//! Times are UTC seconds. Called by the store and the routes. Holds always: loading accepts a REST object, a share
//! body around one, or the older names; what it does not know is kept and given back.

use std::collections::VecDeque;

use serde_json::{Map, Value as Json, json};

use super::activity::Activity;
use super::alerts;

/// A tag that was set on an incident.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) id: Box<str>,
    pub(crate) value: Box<str>,
    pub(crate) at: i64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) severity: String,
    pub(crate) active: bool,
    pub(crate) flapping: bool,
    pub(crate) shared: bool,
    pub(crate) snooze: Option<Json>,
    pub(crate) maintenance: Json,
    pub(crate) start: i64,
    pub(crate) end: Option<i64>,
    pub(crate) changed: i64,
    pub(crate) updated: i64,
    pub(crate) environments: Vec<String>,
    pub(crate) alerts: Vec<Json>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) assignee: Option<Json>,
    /// Root-cause changes, as `rcc` gives them.
    pub(crate) changes: Vec<Json>,
    /// Members of the loaded object that have no place above.
    pub(crate) more: Map<String, Json>,
    /// Newest first.
    pub(crate) activities: VecDeque<Activity>,
}

const V1_NAMES: &[(&str, &str)] = &[
    ("startedOn", "start"),
    ("endedOn", "end"),
    ("changedOn", "changed_at"),
    ("updatedOn", "updated_at"),
    ("incidentTags", "incident_tags"),
    ("incident_id", "id"),
];

impl Incident {
    /// An incident of which only the id is known.
    pub(crate) fn stub(id: &str, environment: &str, at: i64) -> Self {
        Self {
            id: id.to_owned(),
            status: "Critical".to_owned(),
            severity: "Critical".to_owned(),
            active: true,
            start: at,
            changed: at,
            updated: at,
            environments: vec![environment.to_owned()],
            ..Self::default()
        }
    }

    /// Reads any of the documented shapes; `Err` says what is missing.
    pub(crate) fn load(body: Json, environment: &str, at: i64) -> Result<Self, String> {
        let Json::Object(mut outer) = body else {
            return Err("an incident is a JSON object".to_owned());
        };
        let wrapped = outer.remove("incident");
        let changes = outer.get("relatedChanges").cloned();
        let share_environment = outer
            .get("metadata")
            .and_then(|metadata| metadata.get("environment_id"))
            .and_then(Json::as_str)
            .map(str::to_owned);
        let mut map = match wrapped {
            Some(Json::Object(inner)) => inner,
            Some(_) => return Err("`incident` is a JSON object".to_owned()),
            None => outer,
        };
        for (old, new) in V1_NAMES {
            if let Some(value) = map.remove(*old) {
                map.entry(*new).or_insert(value);
            }
        }
        let mut text = |name: &str| match map.remove(name) {
            Some(Json::String(text)) => Some(text),
            _ => None,
        };
        let id = text("id").ok_or("the incident has no id")?;
        let status = text("status").unwrap_or_else(|| "critical".to_owned());
        let severity = text("severity").unwrap_or_else(|| status.clone());
        let mut number = |name: &str| map.remove(name).and_then(|value| value.as_i64());
        let start = number("start").unwrap_or(at);
        let end = number("end");
        let changed = number("changed_at").unwrap_or(at);
        let updated = number("updated_at").unwrap_or(changed);
        let mut flag = |name: &str| map.remove(name).and_then(|value| value.as_bool());
        let resolved = flag("resolved");
        let active = flag("active").or(resolved.map(|resolved| !resolved)).unwrap_or(end.is_none());
        let flapping = flag("flapping").unwrap_or(false);
        let shared = flag("shared").unwrap_or(false);
        map.remove("folders");
        let mut environments: Vec<String> = list(map.remove("environments"))
            .into_iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect();
        if environments.is_empty() {
            environments.push(share_environment.unwrap_or_else(|| environment.to_owned()));
        }
        let tags = tags(map.remove("incident_tags"), at);
        let changes = list(map.remove("relatedChanges").or(changes));
        Ok(Self {
            id,
            status: capitalised(&status),
            severity: capitalised(&severity),
            active,
            flapping,
            shared,
            snooze: map.remove("snooze").filter(|snooze| snooze.get("snoozed") == Some(&json!(true))),
            maintenance: map.remove("maintenance").unwrap_or(Json::Null),
            start,
            end,
            changed,
            updated,
            environments,
            alerts: list(map.remove("alerts")).into_iter().map(alerts::normalised).collect(),
            tags,
            assignee: map.remove("assignee").filter(Json::is_object),
            changes,
            more: map,
            activities: VecDeque::new(),
        })
    }

    pub(crate) fn tag(&self, id: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| &*tag.id == id)
    }

    /// Gives whether this changed anything.
    pub(crate) fn set_tag(&mut self, id: &str, value: &str, at: i64) -> bool {
        match self.tags.iter_mut().find(|tag| &*tag.id == id) {
            Some(tag) if &*tag.value == value => return false,
            Some(tag) => {
                tag.value = value.into();
                tag.at = at;
            }
            None => self.tags.push(Tag { id: id.into(), value: value.into(), at }),
        }
        true
    }

    pub(crate) fn folders(&self) -> Vec<&'static str> {
        let mut folders = vec![if self.active { "active" } else { "resolved" }];
        if self.shared {
            folders.push("shared");
        }
        if self.snooze.is_some() {
            folders.push("snoozed");
        }
        if self.assignee.is_some() {
            folders.push("assigned");
        } else if self.active && !self.shared {
            folders.push("unhandled");
        }
        if !self.maintenance.is_null() {
            folders.push("maintenance");
        }
        folders
    }
}

fn list(value: Option<Json>) -> Vec<Json> {
    match value {
        Some(Json::Array(list)) => list,
        _ => Vec::new(),
    }
}

/// `[{tag_id, tag_value}]`, `[{name, value}]` or `{name: value}`.
fn tags(value: Option<Json>, at: i64) -> Vec<Tag> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs: Vec<(String, String)> = match value {
        Some(Json::Array(list)) => list
            .iter()
            .filter_map(|tag| {
                let id = tag.get("tag_id").or_else(|| tag.get("name"))?.as_str()?;
                let value = tag.get("tag_value").or_else(|| tag.get("value"))?;
                Some((id.to_owned(), text(value)))
            })
            .collect(),
        Some(Json::Object(map)) => map.iter().map(|(id, value)| (id.clone(), text(value))).collect(),
        _ => Vec::new(),
    };
    pairs.into_iter().map(|(id, value)| Tag { id: id.into(), value: value.into(), at }).collect()
}

/// Statuses as the REST API gives them: `Critical`.
pub(crate) fn capitalised(status: &str) -> String {
    let mut chars = status.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
