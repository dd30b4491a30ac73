//! The columns `u_bp_*` that bundled plugins write. A test compares them with what the plugin writes.

/// One column of the ticket's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub label: &'static str,
    pub help: &'static str,
    /// ServiceNow's internal type.
    pub kind: &'static str,
    pub length: u32,
}

pub const COLUMNS: &[Column] = &[
    text("u_bp_incident_id", "BigPanda Incident ID", "The incident in BigPanda", 100),
    text("u_bp_incident_status", "BigPanda Incident Status", "critical, warning, unknown or ok", 40),
    text("u_bp_alerts_statuses", "BigPanda Alert Statuses", "The status of each alert, separated by commas", 4000),
    number("u_bp_alerts_count", "BigPanda Alerts", "Number of alerts"),
    number("u_bp_active_alerts_count", "BigPanda Active Alerts", "Number of alerts that are not resolved"),
    text("u_bp_event_type", "BigPanda Event Type", "What the first share told", 40),
    url("u_bp_incident_url", "BigPanda Incident Link", "The incident in BigPanda's console"),
    url("u_bp_timeline_url", "BigPanda Timeline Link", "The incident's timeline"),
    url("u_bp_preview_url", "BigPanda Preview Link", "The incident for people without an account"),
    text("u_bp_environment", "BigPanda Environment", "The environment that it was shared from", 255),
    text("u_bp_environment_id", "BigPanda Environment ID", "Id of that environment", 40),
    text("u_bp_sender", "BigPanda Sender", "Who shared it", 255),
];

const fn text(name: &'static str, label: &'static str, help: &'static str, length: u32) -> Column {
    Column { name, label, help, kind: "string", length }
}

const fn number(name: &'static str, label: &'static str, help: &'static str) -> Column {
    Column { name, label, help, kind: "integer", length: 40 }
}

const fn url(name: &'static str, label: &'static str, help: &'static str) -> Column {
    Column { name, label, help, kind: "url", length: 1024 }
}
