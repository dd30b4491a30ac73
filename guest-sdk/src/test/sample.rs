//! The parts of a sample, in the JSON form that the host keeps.

use serde::Deserialize;

use crate::event::Status;

/// A name with a value.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SampleTag {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Snooze of an incident.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SampleSnooze {
    /// Whether it is snoozed.
    pub snoozed: bool,
    /// Until when, epoch seconds.
    pub until: Option<i64>,
}

/// Someone in BigPanda.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SamplePerson {
    /// BigPanda's id.
    pub id: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// An incident. Times are epoch seconds, statuses lower-case words.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SampleIncident {
    /// BigPanda's id.
    pub id: String,
    /// Worst current status of the alerts; `unknown` when left empty.
    pub status: String,
    /// Worst status ever; `unknown` when left empty.
    pub severity: String,
    /// Whether an alert is active.
    pub active: bool,
    /// Whether it keeps changing.
    pub flapping: bool,
    /// Snooze.
    pub snooze: SampleSnooze,
    /// `partial` or `active` under planned maintenance.
    pub maintenance: Option<String>,
    /// When it began.
    pub start: Option<i64>,
    /// When it ended.
    pub end: Option<i64>,
    /// Last change that causes a share.
    pub changed: Option<i64>,
    /// Last change of any kind.
    pub updated: Option<i64>,
    /// Names of its environments.
    pub environments: Vec<String>,
    /// Names of its folders.
    pub folders: Vec<String>,
    /// Incident tags.
    pub tags: Vec<SampleTag>,
    /// Alerts.
    pub alerts: Vec<SampleAlert>,
    /// Root-cause changes.
    pub changes: Vec<SampleChange>,
    /// Who it is assigned to.
    pub assignee: Option<SamplePerson>,
    /// AI summary.
    pub summary: Option<String>,
}

/// An alert. Times are epoch seconds, the status a lower-case word.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SampleAlert {
    /// BigPanda's id.
    pub id: String,
    /// `critical`, `warning`, `unknown` or `ok`.
    pub status: String,
    /// Whether it goes on.
    pub active: bool,
    /// When it began.
    pub start: Option<i64>,
    /// When it ended.
    pub end: Option<i64>,
    /// Last change of status.
    pub changed: Option<i64>,
    /// Last change of any kind.
    pub updated: Option<i64>,
    /// Name of the tag that names the thing concerned.
    pub primary_property: String,
    /// Name of the tag that names the check.
    pub secondary_property: String,
    /// `<type>.<integration>`.
    pub source_system: String,
    /// What the monitoring system said.
    pub description: String,
    /// Its tags.
    pub tags: Vec<SampleTag>,
}

impl SampleAlert {
    /// An alert whose primary property is `host` and whose secondary one is `check`; active unless it is ok.
    pub fn new(id: &str, status: Status) -> Self {
        Self {
            id: id.into(),
            status: status.as_str().into(),
            active: status != Status::Ok,
            primary_property: "host".into(),
            secondary_property: "check".into(),
            ..Self::default()
        }
    }

    /// With one more tag.
    #[must_use]
    pub fn with_tag(mut self, name: &str, value: &str) -> Self {
        self.tags.push(SampleTag { name: name.into(), value: value.into() });
        self
    }
}

/// A root-cause change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SampleChange {
    /// Number or key in its own system.
    pub identifier: String,
    /// What was changed.
    pub summary: String,
    /// Link to it.
    pub url: String,
    /// Such as `Done`.
    pub status: String,
    /// `MATCH`, `SUSPECT` or `NONE`.
    pub certainty: String,
    /// When it began, epoch seconds.
    pub start: Option<i64>,
    /// When it ended, epoch seconds.
    pub end: Option<i64>,
}

pub(super) fn status(word: &str) -> Status {
    let known = [Status::Critical, Status::Warning, Status::Ok];
    known.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word)).unwrap_or(Status::Unknown)
}
