//! What the platform's business rules, data lookups and data policies do to a record before it is stored.
//!
//! Pure: works on a [`Draft`]. Called by `write`. Holds always: an incident's `state` and `incident_state` agree, its
//! priority is the one of the impact-urgency matrix, and resolving needs a code and notes while the policy is on.

use super::draft::{Draft, Env};
use super::error::ApiError;
use crate::simulator::calendar;

const IN_PROGRESS: &str = "2";
const ON_HOLD: &str = "3";
const RESOLVED: &str = "6";
const CLOSED: &str = "7";
const CANCELED: &str = "8";

/// States in which a record of a table is no longer active.
const INACTIVE_STATES: &[(&str, &[&str])] = &[
    ("incident", &["7", "8"]),
    ("problem", &["107"]),
    ("change_request", &["3", "4"]),
    ("change_task", &["3", "4"]),
    ("problem_task", &["157"]),
    ("sc_request", &["3", "4", "7"]),
    ("sc_req_item", &["3", "4", "7"]),
    ("sc_task", &["3", "4", "7"]),
    ("incident_task", &["3", "4", "7"]),
    ("task", &["3", "4", "7"]),
];

pub(crate) fn apply(draft: &mut Draft<'_>, env: &Env<'_>) -> Result<(), ApiError> {
    if draft.class.column_id("work_notes").is_none() {
        return Ok(());
    }
    if draft.row.is_none() {
        opened(draft, env);
    }
    let table = draft.class.name.clone();
    if &*table == "incident" {
        incident(draft, env)?;
    }
    if matches!(&*table, "incident" | "problem") {
        priority(draft);
    }
    if draft.row.is_some() && draft.changes_field("assignment_group") && !draft.old("assignment_group").is_empty() {
        let count = draft.old("reassignment_count").parse::<u32>().unwrap_or(0) + 1;
        draft.set("reassignment_count", count.to_string());
    }
    inactive(draft, env, &table);
    Ok(())
}

fn opened(draft: &mut Draft<'_>, env: &Env<'_>) {
    if draft.get("opened_at").is_empty() {
        draft.set("opened_at", calendar::stamp(env.now));
    }
    if draft.get("opened_by").is_empty() {
        draft.set("opened_by", env.caller.id.to_string());
    }
}

fn incident(draft: &mut Draft<'_>, env: &Env<'_>) -> Result<(), ApiError> {
    if let Some(state) = draft.wanted("state").map(str::to_owned) {
        draft.set("incident_state", state);
    } else if let Some(state) = draft.wanted("incident_state").map(str::to_owned) {
        draft.set("state", state);
    }
    let old = draft.row.map(|_| draft.old("state").into_owned());
    if old.as_deref() == Some(CLOSED) {
        // A closed incident stays closed; who has more to say opens a new one.
        draft.forget("state");
        draft.forget("incident_state");
    }
    answered_by_caller(draft, env);
    let state = draft.get("state").into_owned();
    if state != ON_HOLD && !draft.get("hold_reason").is_empty() {
        draft.set("hold_reason", "");
    }
    let enters = |wanted: &str| state == wanted && old.as_deref() != Some(wanted);
    if matches!(&*state, RESOLVED | CLOSED) && env.settings.close_data_policy {
        close_policy(draft)?;
    }
    if enters(RESOLVED) {
        stamp(draft, env, "resolved_at", "resolved_by");
    }
    if enters(CLOSED) {
        stamp(draft, env, "closed_at", "closed_by");
    }
    let reopened = old.as_deref() == Some(RESOLVED) && !matches!(&*state, RESOLVED | CLOSED | CANCELED);
    if reopened {
        let count = draft.old("reopen_count").parse::<u32>().unwrap_or(0) + 1;
        draft.set("reopen_count", count.to_string());
        draft.set("reopened_time", calendar::stamp(env.now));
        draft.set("reopened_by", env.caller.id.to_string());
        if env.settings.reopen_clears_resolution {
            draft.set("resolved_at", "");
            draft.set("resolved_by", "");
        }
    }
    Ok(())
}

/// A comment by the caller of an incident that waits for them takes it off hold.
fn answered_by_caller(draft: &mut Draft<'_>, env: &Env<'_>) {
    let answered = draft.notes.iter().any(|(column, _)| &**column == "comments")
        && draft.row.is_some()
        && draft.wanted("state").is_none()
        && draft.old("state") == ON_HOLD
        && draft.old("hold_reason") == "1"
        && draft.old("caller_id") == env.caller.id.to_string();
    if answered {
        draft.set("state", IN_PROGRESS);
        draft.set("incident_state", IN_PROGRESS);
    }
}

/// "Make close info mandatory when resolved or closed": the message names the form's labels.
fn close_policy(draft: &Draft<'_>) -> Result<(), ApiError> {
    let missing: Vec<&str> = [("close_code", "Resolution code"), ("close_notes", "Resolution notes")]
        .into_iter()
        .filter(|(column, _)| draft.get(column).trim().is_empty())
        .map(|(_, label)| label)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ApiError::operation_failed(&format!(
        "Data Policy Exception: The following fields are mandatory: {}",
        missing.join(", ")
    )))
}

/// Time and person of a change of state, where the caller has not given them.
fn stamp(draft: &mut Draft<'_>, env: &Env<'_>, at: &str, by: &str) {
    if draft.wanted(at).is_none_or(str::is_empty) {
        draft.set(at, calendar::stamp(env.now));
    }
    if draft.wanted(by).is_none_or(str::is_empty) {
        draft.set(by, env.caller.id.to_string());
    }
}

fn priority(draft: &mut Draft<'_>) {
    draft.forget("priority");
    let row = draft.row.is_some();
    if row && draft.wanted("impact").is_none() && draft.wanted("urgency").is_none() {
        return;
    }
    let priority = matrix(&draft.get("impact"), &draft.get("urgency"));
    draft.set("priority", priority);
}

fn matrix(impact: &str, urgency: &str) -> &'static str {
    match (impact, urgency) {
        ("1", "1") => "1",
        ("1", "2") | ("2", "1") => "2",
        ("1", "3") | ("2", "2") | ("3", "1") => "3",
        ("2", "3") | ("3", "2") => "4",
        _ => "5",
    }
}

fn inactive(draft: &mut Draft<'_>, env: &Env<'_>, table: &str) {
    if draft.wanted("state").is_none() {
        return;
    }
    let Some((_, states)) = INACTIVE_STATES.iter().find(|(name, _)| *name == table) else {
        return;
    };
    let closed = states.contains(&&*draft.get("state"));
    if closed && draft.changes_field("state") {
        draft.set("active", "false");
        if table != "incident" {
            stamp(draft, env, "closed_at", "closed_by");
        }
    } else if !closed && draft.changes_field("state") {
        draft.set("active", "true");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_priority_matrix_is_the_platforms() {
        let all: Vec<String> = (1..=3)
            .flat_map(|i| (1..=3).map(move |u| super::matrix(&i.to_string(), &u.to_string()).to_owned()))
            .collect();
        assert_eq!(all.join(""), "123234345");
    }
}
