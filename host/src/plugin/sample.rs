//! The events on which a new plugin is tried out: one incident with one alert, and its ticket that was resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::Input;
use crate::domain::event::Occasion;
use crate::domain::id::{AlertId, IncidentId};
use crate::domain::incident::{Alert, Incident, Snooze, Status, Tag};
use crate::domain::patch::Dispute;
use crate::domain::share::{Links, Overrides, Share, ShareKind};
use crate::domain::time::Timestamp;

/// The text of the ids here; it keeps the rules of ids, so reading it can't fail.
const ID: &str = "000000000000000000000000";

pub(super) fn input() -> Input {
    Input {
        occasion: Occasion::Shared,
        disputes: Vec::new(),
        share: Arc::new(share()),
        raw: None,
        ticket: None,
        settings: "{}".into(),
        hooks: &[],
        now: Timestamp(0),
        seed: 0,
    }
}

/// The ticket was resolved just now, and both sides changed one value.
pub(super) fn ticket_changed() -> Input {
    let fields = [
        ("number", "INC0010001"),
        ("state", "6"),
        ("dv_state", "Resolved"),
        ("close_code", "Solution provided"),
        ("close_notes", "Restarted."),
        ("resolved_at", "1970-01-01 00:00:00"),
    ];
    let fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned()));
    let dispute = Dispute {
        tag: "sample".into(),
        field: "u_sample".into(),
        agreed: None,
        incident_value: "of the incident".into(),
        ticket_value: "of the ticket".into(),
        incident_changed: Some(0),
        ticket_changed: Some(1),
    };
    Input {
        occasion: Occasion::TicketChanged,
        ticket: Some(Arc::new(BTreeMap::from(fields))),
        disputes: vec![dispute],
        ..input()
    }
}

fn share() -> Share {
    #[expect(clippy::expect_used, reason = "a constant that a test reads too")]
    let (incident, alert) = (IncidentId::new(ID).expect("an id"), AlertId::new(ID).expect("an id"));
    let tag = |name: &str, value: &str| Tag { name: name.into(), value: value.into() };
    let alert = Alert {
        id: alert,
        status: Status::Critical,
        active: true,
        start: Some(0),
        end: None,
        changed: Some(0),
        updated: Some(0),
        primary_property: "host".into(),
        secondary_property: "check".into(),
        source_system: "sample.sample".into(),
        description: String::new(),
        tags: vec![tag("host", "sample"), tag("check", "sample")].into(),
    };
    Share {
        kind: ShareKind::New,
        incident: Incident {
            id: incident,
            status: Status::Critical,
            severity: Status::Critical,
            active: true,
            flapping: false,
            snooze: Snooze::default(),
            maintenance: None,
            start: Some(0),
            end: None,
            changed: Some(0),
            updated: Some(0),
            environments: Vec::new(),
            folders: Vec::new(),
            tags: Vec::new(),
            alerts: vec![alert],
            changes: Vec::new(),
            assignee: None,
            summary: None,
        },
        environment_id: None,
        environment_name: String::new(),
        sender: String::new(),
        links: Links::default(),
        overrides: Overrides::default(),
        complete: true,
    }
}
