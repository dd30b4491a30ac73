//! From a ticket field and a value in words to the operation that writes it, and from a name to its value.

use std::borrow::Cow;

use tandem_guest::answer::Operation;
use tandem_guest::{Event, Journal, Patch, time};

/// Reference fields with the table and the column in which a name is looked up.
const REFERENCES: [(&str, &str, &str); 13] = [
    ("assignment_group", "sys_user_group", "name"),
    ("caller_id", "sys_user", "name"),
    ("opened_by", "sys_user", "name"),
    ("assigned_to", "sys_user", "name"),
    ("resolved_by", "sys_user", "name"),
    ("cmdb_ci", "cmdb_ci", "name"),
    ("business_service", "cmdb_ci_service", "name"),
    ("location", "cmn_location", "name"),
    ("company", "core_company", "name"),
    ("problem_id", "problem", "number"),
    ("rfc", "change_request", "number"),
    ("caused_by", "change_request", "number"),
    ("parent_incident", "incident", "number"),
];

/// Adds the operation that gives the field this value; none for an empty value.
pub(crate) fn write<'p>(patch: &'p mut Patch, field: &str, value: &str) -> Option<&'p mut Operation> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let value = without_control(value);
    if field == "work_notes" {
        return Some(patch.note(Journal::WorkNotes, value));
    }
    if field == "comments" {
        return Some(patch.note(Journal::Comments, value));
    }
    match REFERENCES.iter().find(|(name, _, _)| *name == field) {
        Some((_, table, by)) if !is_sys_id(&value) => {
            let by = if *table == "sys_user" && value.contains('@') { "email" } else { by };
            Some(patch.reference(field, *table, by, value))
        }
        _ => Some(patch.set(field, value)),
    }
}

/// The host refuses control characters; a tag that holds one should not cost the field.
fn without_control(value: &str) -> Cow<'_, str> {
    let unwanted = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if value.contains(unwanted) { Cow::Owned(value.replace(unwanted, "")) } else { Cow::Borrowed(value) }
}

fn is_sys_id(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a name of a mapping header stands for: an attribute of the incident, an incident tag, or a tag of the
/// primary alert, whichever there is first.
pub(crate) fn source<'a>(event: &'a Event, name: &str) -> Option<Cow<'a, str>> {
    let incident = event.incident();
    let text = match name {
        "id" => Some(incident.id()),
        "status" => Some(incident.status().as_str()),
        "severity" => Some(incident.severity().as_str()),
        "start" | "startedOn" => return incident.start().and_then(time::utc).map(Cow::Owned),
        "end" | "endedOn" => return incident.end().and_then(time::utc).map(Cow::Owned),
        "changed_at" | "changedOn" => return incident.changed().and_then(time::utc).map(Cow::Owned),
        "updated_at" | "updatedOn" => return incident.updated().and_then(time::utc).map(Cow::Owned),
        "environment" => incident.environment_name(),
        "assignee" => incident.assignee_email().or(incident.assignee_name()),
        _ => event.incident_tag(name).or_else(|| event.primary_alert()?.tag(name)),
    };
    text.map(Cow::Borrowed)
}
