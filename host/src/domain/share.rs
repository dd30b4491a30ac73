//! One delivery of an incident from BigPanda, as `bigpanda::share` reads it from any dialect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::EnvironmentId;
use super::incident::Incident;

/// Why BigPanda shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareKind {
    New,
    Updated,
    TagUpserted,
    TagRemoved,
    Snoozed,
    Commented,
    Reopened,
    Flapping,
    Closed,
    Manual,
    /// BigPanda's periodic tick for receivers that pull.
    TicketSync,
    /// The share named no event kind (older dialects don't).
    Unnamed,
}

impl ShareKind {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 12] = [
        Self::New,
        Self::Updated,
        Self::TagUpserted,
        Self::TagRemoved,
        Self::Snoozed,
        Self::Commented,
        Self::Reopened,
        Self::Flapping,
        Self::Closed,
        Self::Manual,
        Self::TicketSync,
        Self::Unnamed,
    ];

    /// BigPanda's own name of the event, such as `incident#new`; empty for an unnamed one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "incident#new",
            Self::Updated => "incident#updated",
            Self::TagUpserted => "incident-tag#upserted",
            Self::TagRemoved => "incident-tag#removed",
            Self::Snoozed => "incident#snoozed",
            Self::Commented => "incident#commented",
            Self::Reopened => "incident#reopen",
            Self::Flapping => "incident#become-flapping",
            Self::Closed => "incident#closed",
            Self::Manual => "manual",
            Self::TicketSync => "incident#ticket-sync",
            Self::Unnamed => "",
        }
    }

    /// Reads BigPanda's name; a kind that we don't know counts as unnamed.
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name)).unwrap_or(Self::Unnamed)
    }
}

/// Links into BigPanda's console that the share carried or that configuration lets us build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    pub incident: String,
    pub timeline: String,
    pub preview: String,
}

/// What headers of the share ask for, already sorted into classes and validated. Names are lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// Setting (our snake_case name) to value, from `x-bp-config-<camelCase>`.
    pub settings: BTreeMap<String, String>,
    /// Ticket field to literal value, from `x-bp-field-<field>`.
    pub fields: BTreeMap<String, String>,
    /// (BigPanda field or tag, ticket field), from `x-bp-mapping-fields`.
    pub mapping: Vec<(String, String)>,
    /// Plain sentences about headers that were ignored, for one comment and a warning.
    pub ignored: Vec<String>,
}

/// An incident on its way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub kind: ShareKind,
    pub incident: Incident,
    pub environment_id: Option<EnvironmentId>,
    pub environment_name: String,
    /// E-mail address of whoever shared; BigPanda's own for AutoShare.
    pub sender: String,
    pub links: Links,
    pub overrides: Overrides,
    /// False when the body held only an id and the rest must be fetched from the REST API first.
    pub complete: bool,
}
