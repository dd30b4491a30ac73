//! A BigPanda incident in one canonical form, whichever of the vendor's dialects it came in.
//!
//! Times are epoch seconds as BigPanda sends them. Tags keep the order and the case in which they came.
//! Reading a dialect is `bigpanda::share` and `bigpanda::convert`; nothing here knows JSON names.

use serde::{Deserialize, Serialize};

use super::id::{AlertId, IncidentId};
use super::tags::Tags;

/// Status of an incident or alert. BigPanda writes it in varying case; parsing ignores case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Critical,
    Warning,
    Unknown,
    Ok,
}

impl Status {
    /// Reads a status in any case; `resolved` and `inactive` count as ok, anything else is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        if is("critical") {
            Some(Self::Critical)
        } else if is("warning") {
            Some(Self::Warning)
        } else if is("unknown") {
            Some(Self::Unknown)
        } else if is("ok") || is("resolved") || is("inactive") {
            Some(Self::Ok)
        } else {
            None
        }
    }

    /// The lower-case word that plugins and columns show.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Ok => "ok",
        }
    }
}

/// A name with a value. An incident has a list of them, an alert has [`Tags`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    pub name: String,
    pub value: String,
}

/// Snooze as BigPanda reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    pub snoozed: bool,
    /// When it ends, epoch seconds.
    pub until: Option<i64>,
    /// Whether an update of the incident ends it early.
    pub cancel_on_update: bool,
}

/// Someone in BigPanda.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub email: String,
}

/// A change that BigPanda relates to the incident as root cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub identifier: String,
    pub summary: String,
    pub url: String,
    pub status: String,
    /// `MATCH`, `SUSPECT` or `NONE`, as BigPanda writes it.
    pub certainty: String,
    pub start: Option<i64>,
    pub end: Option<i64>,
}

/// One alert of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub status: Status,
    pub active: bool,
    pub start: Option<i64>,
    pub end: Option<i64>,
    pub changed: Option<i64>,
    pub updated: Option<i64>,
    /// Name of the tag that names the thing concerned, such as `host`.
    pub primary_property: String,
    /// Name of the tag that names the check.
    pub secondary_property: String,
    /// `<type>.<integration>`, such as `datadog.prod_us`.
    pub source_system: String,
    pub description: String,
    pub tags: Tags,
}

impl Alert {
    /// The value of the first tag of that name; names match in exact case, as BigPanda's do.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.get(name)
    }

    /// The value of the tag that the primary property names.
    pub fn primary_value(&self) -> Option<&str> {
        self.tag(&self.primary_property)
    }
}

/// Something in an incident's history that its ticket may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    pub id: String,
    pub kind: ActivityKind,
    /// Epoch seconds.
    pub at: i64,
    /// Who did it, as BigPanda names people.
    pub by: String,
    /// The comment.
    pub text: String,
    /// Other incidents that took part.
    pub others: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivityKind {
    Commented,
    /// Its alerts went into another incident.
    MergedAway,
    /// Alerts of others came in.
    MergedIn,
    /// Some of its alerts became another incident.
    SplitOff,
    /// It was made of another incident's alerts.
    SplitFrom,
}

/// A BigPanda incident with its alerts, incident tags and root-cause changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    /// Worst current status of its alerts.
    pub status: Status,
    /// Worst status that it ever reached.
    pub severity: Status,
    /// At least one alert is active and nobody resolved it by hand.
    pub active: bool,
    pub flapping: bool,
    pub snooze: Snooze,
    /// `partial` or `active` while under planned maintenance.
    pub maintenance: Option<String>,
    pub start: Option<i64>,
    pub end: Option<i64>,
    /// Last change that causes a share.
    pub changed: Option<i64>,
    /// Last change of any kind.
    pub updated: Option<i64>,
    pub environments: Vec<String>,
    pub folders: Vec<String>,
    pub tags: Vec<Tag>,
    pub alerts: Vec<Alert>,
    pub changes: Vec<Change>,
    pub assignee: Option<Person>,
    /// Text of the AI analysis when BigPanda sent one.
    pub summary: Option<String>,
}

impl Incident {
    /// The value of the first incident tag of that name, in exact case.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.name == name).map(|tag| tag.value.as_str())
    }

    /// Takes over what was known of root causes and of the AI analysis where this state tells nothing of them. Some
    /// shares have them; a list of incidents and the incident by itself never do, and BigPanda takes neither back: a
    /// change that turned out not to be the cause stays related, with another certainty.
    pub fn recall(&mut self, changes: &[Change], summary: Option<&str>) {
        if self.changes.is_empty() {
            self.changes = changes.to_vec();
        }
        if self.summary.is_none() {
            self.summary = summary.map(str::to_owned);
        }
    }

    /// The revision that orders two states of one incident: the newest of its change times, epoch seconds.
    pub fn revision(&self) -> i64 {
        [self.changed, self.updated, self.end, self.start].into_iter().flatten().max().unwrap_or(0)
    }
}
