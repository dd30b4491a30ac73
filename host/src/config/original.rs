//! The settings of BigPanda's own ServiceNow application, and which of ours says the same.
//!
//! For the reference page and for taking a configuration over. Only what is publicly known of the original is named
//! here: its labels, and the few property names that its documentation and published scripts show.

pub mod export;
mod mapping;
pub mod takeover;

/// Scope of the original's properties.
pub const SCOPE: &str = "x_bip_panda";

/// One setting of the original that we have too.
#[derive(Debug, Clone, Copy)]
pub struct Original {
    /// Ours, as it stands in `config.default.toml`.
    pub key: &'static str,
    /// As its configuration page names it.
    pub label: &'static str,
    /// Name of its system property without the scope, where it is known.
    pub property: Option<&'static str>,
    pub form: Form,
}

/// How the original writes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Switch,
    Number,
    /// Texts, separated by commas.
    List,
    Minutes,
    Seconds,
    Secret,
    /// Rows of tag, field and direction.
    Mapping,
}

/// In the order of its configuration page.
pub const ORIGINALS: &[Original] = &[
    known("defaults.bigpanda.bearer_token", "Bearer Token", "bearerToken", Form::Secret),
    known("defaults.bigpanda.api_key", "API Key", "apiKey", Form::Secret),
    known("defaults.bigpanda.app_key", "Incidents App Key", "incidentsAppKey", Form::Secret),
    label("defaults.bigpanda.change_api_url", "Change API Endpoint", Form::Text),
    label("telemetry.enabled", "Telemetry Enabled", Form::Switch),
    label("telemetry.endpoint", "Telemetry Endpoint", Form::Text),
    label("defaults.servicenow.username", "Integration User Name", Form::Text),
    known("defaults.incidents.active", "Active", "incidentsActive", Form::Switch),
    label("defaults.incidents.assignment_group", "Assignment Group", Form::Text),
    label("defaults.incidents.caller_email", "Caller ID Email", Form::Text),
    label("defaults.incidents.opened_by_email", "Opened By Email", Form::Text),
    label("defaults.incidents.cmdb_ci_field", "CMDB CI Field", Form::Text),
    label("defaults.incidents.resolved_by_email", "Resolved By Email", Form::Text),
    label("defaults.incidents.primary_alert", "Primary Alert", Form::Text),
    label("defaults.incidents.priority_in_short_description", "Priority in Short Description", Form::Switch),
    label("defaults.incidents.ai_summary_in_short_description", "AIA in Short Description", Form::Switch),
    label("defaults.incidents.description_incident_tags", "Description Incident Tags", Form::List),
    label("defaults.incidents.description_alert_tags", "Description Alert Tags", Form::List),
    label("defaults.incidents.max_alerts_in_description", "Max alerts in Description", Form::Number),
    label("defaults.incidents.add_links_to_description", "Add BigPanda links to description", Form::Switch),
    label("defaults.incidents.add_description_to_work_notes", "Add description to work notes", Form::Switch),
    label("defaults.incidents.show_incident_button", "Show UI Action Button to Incident", Form::Switch),
    label("defaults.incidents.show_timeline_button", "Show UI Action Button to Incident Timeline", Form::Switch),
    label("defaults.incidents.resolve_servicenow_incident", "Resolve ServiceNow Incident", Form::Switch),
    label("defaults.incidents.resolve_bigpanda_incident", "Resolve BigPanda Incident", Form::Switch),
    label("defaults.incidents.send_closure_code", "Send Closure Code", Form::Switch),
    known("defaults.incidents.reopen_resolved", "Re-open Resolved", "reopenServiceNow", Form::Switch),
    known("defaults.incidents.reopen_window", "Re-open Window", "reopenWindow", Form::Minutes),
    label("defaults.incidents.update_fields", "Update Fields", Form::List),
    label("defaults.incidents.retrieval_count", "Retrieval Count", Form::Number),
    label("defaults.incidents.retrieval_endpoint", "Retrieval Endpoint", Form::Text),
    label("defaults.incidents.callback_endpoint", "Callback Endpoint", Form::Text),
    label("defaults.incidents.tag_mapping", "Incident Tag Mapping", Form::Mapping),
    label("defaults.sync.interval", "Retrieve Incidents interval", Form::Seconds),
];

/// What the original has and we have not: what it is, as it may be called, and why.
pub const ELSEWHERE: &[(&str, &[&str], &str)] = &[
    ("Changes App Key", &["changesAppKey", "changesActive"], "Tandem sends no change requests to BigPanda"),
    ("CMDB Enrichment API Key", &["cmdb"], "Tandem does not export the CMDB"),
    ("OIM API Key", &["oim"], "Tandem brings no alerts into BigPanda"),
    ("Maintenance plans", &["maintenance", "plan"], "Tandem makes no maintenance plans"),
    ("Incident URL base", &["incidentUrlBase"], "links are those of the share, or made from `bigpanda.console_url`"),
    ("Transform Rules Engine, transform map", &["transform", "rule"], "values are decided by plugins"),
    ("Block resolve on tags", &["blockResolve"], "whether an incident leads to anything is decided by a gate plugin"),
];

const fn label(key: &'static str, label: &'static str, form: Form) -> Original {
    Original { key, label, property: None, form }
}

const fn known(key: &'static str, label: &'static str, property: &'static str, form: Form) -> Original {
    Original { key, label, property: Some(property), form }
}
