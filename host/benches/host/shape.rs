//! The incident of these benches: twenty alerts with ten tags each, 22 kB in the webhook's dialect.

use serde_json::{Value, json};

/// What stands in a body where the incident's id goes.
pub(crate) fn placeholder() -> String {
    "f".repeat(24)
}

/// A share of an incident with so many alerts.
pub(crate) fn body(alerts: usize) -> String {
    share(alerts, &[]).to_string()
}

/// A share with further incident tags.
pub(crate) fn share(alerts: usize, tags: &[(&str, &str)]) -> Value {
    let started = 1_767_225_600;
    let alert = |number: usize| {
        let mut tags = vec![
            json!({ "name": "host", "value": format!("db-{number:02}.prod-eu-west.example.net") }),
            json!({ "name": "check", "value": "disk usage of the volume with the write-ahead log" }),
        ];
        tags.extend((2..10).map(|tag| {
            let value = format!("the value of tag {tag} on alert {number}, as in the wild");
            json!({ "name": format!("tag_{tag}"), "value": value })
        }));
        json!({
            "id": format!("65f1c2a9e0b7d4001{number:07x}"), "active": true,
            "status": if number % 3 == 1 { "critical" } else { "warning" },
            "startedOn": started + number, "changedOn": started + 60, "updatedOn": started + 61, "endedOn": null,
            "primary_property": "host", "secondary_property": "check", "source_system": "prometheus.prod-eu-west",
            "description": format!("the volume of db-{number:02} is 97 % full and will be full in two hours"),
            "tags": tags,
        })
    };
    let mut incident_tags = vec![json!({ "tag_id": "priority", "tag_value": "P2" })];
    incident_tags.extend(tags.iter().map(|(name, value)| json!({ "tag_id": name, "tag_value": value })));
    json!({
        "incident": {
            "id": placeholder(), "status": "critical", "severity": "critical", "active": true, "flapping": false,
            "startedOn": started, "changedOn": started + 60, "updatedOn": started + 60, "endedOn": null,
            "environments": ["63bd568809cb331300ff0001"], "incident_tags": incident_tags,
            "alerts": (0..alerts).map(alert).collect::<Vec<_>>(),
        },
        "metadata": { "event_type": "incident#new", "environment_id": "63bd568809cb331300ff0001" },
    })
}
