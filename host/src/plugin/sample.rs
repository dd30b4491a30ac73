//! The event on which a new plugin is tried out: one incident with one alert.

use std::sync::Arc;

use super::context::Input;
use crate::domain::event::Occasion;
use crate::domain::id::{AlertId, IncidentId};
use crate::domain::incident::{Alert, Incident, Snooze, Status, Tag};
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
        tags: vec![tag("host", "sample"), tag("check", "sample")],
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
