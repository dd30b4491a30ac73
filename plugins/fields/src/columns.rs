//! The columns `u_bp_*`, in which ServiceNow's side finds the incident again. A ticket's table need not have them;
//! ServiceNow ignores those that it lacks.

use tandem_guest::{Event, Patch};

/// Characters that `u_bp_alerts_statuses` holds.
const STATUSES_LIMIT: usize = 4000;

pub(crate) fn write_all(patch: &mut Patch, event: &Event) {
    let incident = event.incident();
    patch.set("u_bp_incident_id", incident.id());
    patch.set("u_bp_incident_status", incident.status().as_str()).on_update();

    let (mut statuses, mut all, mut active) = (String::with_capacity(256), 0_usize, 0_usize);
    for alert in event.alerts() {
        all += 1;
        active += usize::from(alert.is_active());
        if statuses.len() < STATUSES_LIMIT {
            if all > 1 {
                statuses.push_str(", ");
            }
            statuses.push_str(alert.status().as_str());
        }
    }
    if statuses.len() > STATUSES_LIMIT {
        let whole = statuses[..STATUSES_LIMIT - 2].rfind(',').unwrap_or_default();
        statuses.truncate(whole);
        statuses.push_str(", …");
    }
    patch.set("u_bp_alerts_statuses", statuses).on_update();
    patch.set("u_bp_alerts_count", all.to_string()).on_update();
    patch.set("u_bp_active_alerts_count", active.to_string()).on_update();
    let kind = event.share_kind().as_str();
    if !kind.is_empty() {
        // Not on updates: our own link tag comes back as a share, and must not cause a write that changes nothing else.
        patch.set("u_bp_event_type", kind);
    }

    let texts = [
        ("u_bp_incident_url", incident.link()),
        ("u_bp_timeline_url", incident.timeline_link()),
        ("u_bp_preview_url", incident.preview_link()),
        ("u_bp_environment", incident.environment_name()),
        ("u_bp_environment_id", event.environment_id()),
        ("u_bp_sender", incident.sender()),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            patch.set(column, text);
        }
    }
}
