//! The contract's records and variants as wasmtime reads and writes them. `wit/` is the truth; a type that differs
//! from it fails when a component is loaded.

#![expect(dead_code, reason = "the derives write some fields and variants that only the guest reads, or the reverse")]

use std::sync::Arc;

use wasmtime::component::{ComponentType, Lift, Lower};

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(variant)]
pub(super) enum PluginError {
    #[component(name = "skip")]
    Skip(String),
    #[component(name = "invalid-input")]
    InvalidInput(String),
    #[component(name = "invalid-config")]
    InvalidConfig(String),
    #[component(name = "transient")]
    Transient(String),
    #[component(name = "failed")]
    Failed(String),
}

/// What every hook returns: its own answer, or why there is none.
pub(super) type Answer<T> = (Result<T, PluginError>,);

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct TextAnswer {
    pub(super) text: String,
    #[component(name = "on-update")]
    pub(super) on_update: bool,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct Body {
    pub(super) text: String,
    #[component(name = "work-note")]
    pub(super) work_note: Option<String>,
    #[component(name = "on-update")]
    pub(super) on_update: bool,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct FieldValue {
    pub(super) field: String,
    pub(super) value: String,
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct Reference {
    pub(super) field: String,
    pub(super) table: String,
    pub(super) by: String,
    pub(super) value: String,
}

#[derive(Debug, Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
pub(super) enum Journal {
    #[component(name = "work-notes")]
    WorkNotes,
    #[component(name = "comments")]
    Comments,
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct Note {
    pub(super) journal: Journal,
    pub(super) text: String,
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(variant)]
pub(super) enum Op {
    #[component(name = "set")]
    Set(FieldValue),
    #[component(name = "append")]
    Append(FieldValue),
    #[component(name = "unset")]
    Unset(String),
    #[component(name = "set-reference")]
    SetReference(Reference),
    #[component(name = "add-note")]
    AddNote(Note),
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct Operation {
    pub(super) op: Op,
    pub(super) reason: Option<String>,
    #[component(name = "on-update")]
    pub(super) on_update: bool,
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct Choice {
    pub(super) alert: Option<u32>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct Hold {
    pub(super) until: i64,
    pub(super) reason: String,
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(variant)]
pub(super) enum Verdict {
    #[component(name = "proceed")]
    Proceed,
    #[component(name = "skip")]
    Skip(String),
    #[component(name = "hold")]
    Hold(Hold),
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(variant)]
pub(super) enum Decision {
    #[component(name = "reopen")]
    Reopen(String),
    #[component(name = "create")]
    Create(String),
    #[component(name = "leave")]
    Leave(String),
}

#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(super) struct Dispute {
    pub(super) tag: String,
    pub(super) field: String,
    pub(super) agreed: Option<String>,
    #[component(name = "incident-value")]
    pub(super) incident_value: String,
    #[component(name = "ticket-value")]
    pub(super) ticket_value: String,
    #[component(name = "incident-changed")]
    pub(super) incident_changed: Option<i64>,
    #[component(name = "ticket-changed")]
    pub(super) ticket_changed: Option<i64>,
}

#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(super) struct Settlement {
    pub(super) value: String,
    pub(super) reason: Option<String>,
}

/// A table on its way to a guest. Shared by all plugins of an event.
#[derive(Debug, Clone, Default, ComponentType, Lower)]
#[component(record)]
pub(super) struct Packed {
    pub(super) rows: Arc<Vec<u32>>,
    pub(super) arena: Arc<String>,
}

#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub(super) enum Kind {
    #[component(name = "shared")]
    Shared,
    #[component(name = "incident-changed")]
    IncidentChanged,
    #[component(name = "ticket-changed")]
    TicketChanged,
}

#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub(super) enum Status {
    #[component(name = "critical")]
    Critical,
    #[component(name = "warning")]
    Warning,
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "ok")]
    Ok,
}

#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(super) struct Head {
    pub(super) kind: Kind,
    #[component(name = "share-kind")]
    pub(super) share_kind: &'static str,
    #[component(name = "incident-id")]
    pub(super) incident_id: Arc<str>,
    #[component(name = "environment-id")]
    pub(super) environment_id: Arc<str>,
    pub(super) status: Status,
    pub(super) severity: Status,
    pub(super) active: bool,
    pub(super) flapping: bool,
    pub(super) snoozed: bool,
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) changed: Option<i64>,
    pub(super) updated: Option<i64>,
    #[component(name = "alert-count")]
    pub(super) alert_count: u32,
    #[component(name = "incident-tag-count")]
    pub(super) incident_tag_count: u32,
    #[component(name = "change-count")]
    pub(super) change_count: u32,
    #[component(name = "has-ticket")]
    pub(super) has_ticket: bool,
}

#[derive(Debug, Clone, Copy, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
pub(super) enum Level {
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}
