//! Alerts: kept as the REST API shows them, turned into the older names for shares.
//!
//! Called when incidents are loaded and rendered. Holds always: an alert has `alert_id`.

use serde_json::{Map, Value as Json, json};

const NAMES: &[(&str, &str)] = &[
    ("alert_id", "id"),
    ("start", "startedOn"),
    ("end", "endedOn"),
    ("changed_at", "changedOn"),
    ("updated_at", "updatedOn"),
];

/// The REST form of an alert given in any dialect.
pub(crate) fn normalised(alert: Json) -> Json {
    let Json::Object(mut map) = alert else {
        return json!({ "alert_id": alert });
    };
    for (new, old) in NAMES {
        if let Some(value) = map.remove(*old) {
            map.entry(*new).or_insert(value);
        }
    }
    if let Some(Json::Object(tags)) = map.get("tags") {
        let list: Vec<Json> = tags.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        map.insert("tags".to_owned(), Json::Array(list));
    }
    Json::Object(map)
}

/// The form that webhook shares use.
pub(crate) fn old_names(alert: &Json) -> Json {
    let mut map: Map<String, Json> = alert.as_object().cloned().unwrap_or_default();
    for (new, old) in NAMES {
        if let Some(value) = map.remove(*new) {
            map.insert((*old).to_owned(), value);
        }
    }
    Json::Object(map)
}

pub(crate) fn id(alert: &Json) -> &str {
    alert.get("alert_id").and_then(Json::as_str).unwrap_or_default()
}

/// Worst first: critical, warning, unknown, ok.
fn rank(status: &str) -> u8 {
    match status.to_ascii_lowercase().as_str() {
        "critical" => 0,
        "warning" => 1,
        "unknown" => 2,
        _ => 3,
    }
}

/// The oldest alert of the highest severity.
pub(crate) fn primary(alerts: &[Json]) -> Option<&Json> {
    alerts.iter().min_by_key(|alert| {
        let status = alert.get("status").and_then(Json::as_str).unwrap_or_default();
        let start = alert.get("start").and_then(Json::as_i64).unwrap_or(i64::MAX);
        (rank(status), start)
    })
}

/// Ends every alert, as a resolve does.
pub(crate) fn end_all(alerts: &mut [Json], at: i64) {
    for alert in alerts.iter_mut().filter_map(Json::as_object_mut) {
        if alert.get("status").and_then(Json::as_str) != Some("ok") {
            alert.insert("status".to_owned(), json!("ok"));
            alert.insert("active".to_owned(), json!(false));
            alert.insert("end".to_owned(), json!(at));
            alert.insert("changed_at".to_owned(), json!(at));
            alert.insert("updated_at".to_owned(), json!(at));
        }
    }
}
