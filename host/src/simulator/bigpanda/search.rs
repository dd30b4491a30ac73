//! Lists: incidents of an environment, activities of an incident.
//!
//! Called by the routes. Holds always: results beyond the 10,000th are out of reach, as documented.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::activity::Activity;
use super::error::Refusal;
use super::incident::Incident;
use super::store::Store;
use crate::simulator::http::{Params, Reply};

const REACH: usize = 10_000;
const MAX_PAGE: usize = 100;
/// Largest page with the alerts in it.
const MAX_EXPANDED: usize = 10;
const MAX_QUERY: usize = 2_000;

pub(crate) fn answer(store: &Store, environment: &str, params: &Params<'_>, now: i64) -> Result<Reply, Refusal> {
    let (page, size) = paging(params, "page_size", 10)?;
    let expanded = params.get("expand") == Some("alerts");
    if expanded && size > MAX_EXPANDED {
        return Err(Refusal::bad("page_size must not exceed 10 with expand=alerts"));
    }
    if params.get("query").is_some_and(|query| query.len() > MAX_QUERY) {
        return Err(Refusal::bad("query must not exceed 2000 characters"));
    }
    let from = time(params, "from")?.unwrap_or(i64::MIN);
    let to = time(params, "to")?.unwrap_or(i64::MAX);
    let folder = params.filled("folder");
    let query = params.filled("query").filter(|query| *query != "*");
    let mut found: Vec<&Incident> = store
        .order
        .iter()
        .filter_map(|id| store.incidents.get(id))
        .filter(|incident| in_environment(store, incident, environment))
        .filter(|incident| folder.is_none_or(|folder| incident.folders().contains(&folder)))
        .filter(|incident| incident.start <= to && incident.end.unwrap_or(now).max(incident.changed) >= from)
        .filter(|incident| query.is_none_or(|query| matches(incident, query)))
        .collect();
    match params.filled("sort_by").unwrap_or("last_change") {
        "last_change" => found.sort_by_key(|incident| std::cmp::Reverse(incident.changed)),
        "start" => found.sort_by_key(|incident| std::cmp::Reverse(incident.start)),
        "status" => found.sort_by(|a, b| a.status.cmp(&b.status)),
        "alerts" => found.sort_by_key(|incident| std::cmp::Reverse(incident.alerts.len())),
        other => return Err(Refusal::bad(format!("sort_by {other} is not supported"))),
    }
    let skip = (page - 1).saturating_mul(size);
    if skip >= REACH {
        return Err(Refusal::bad("results beyond 10000 cannot be reached"));
    }
    let items: Vec<Json> = found.iter().skip(skip).take(size).map(|incident| incident.json(expanded)).collect();
    Ok(Reply::json(StatusCode::OK, &json!({ "total": found.len(), "items": items })))
}

/// The first environment is "All Incidents".
fn in_environment(store: &Store, incident: &Incident, environment: &str) -> bool {
    store.environments.first().is_some_and(|all| all.id == environment)
        || incident.environments.iter().any(|id| id == environment)
}

/// Terms joined by `AND`, each `name operator value`; anything else is searched as text.
fn matches(incident: &Incident, query: &str) -> bool {
    query.split(" AND ").all(|term| {
        let term = term.trim().trim_matches(['(', ')']);
        let (name, value, wanted) = match (term.split_once("!="), term.split_once('=')) {
            (Some((name, value)), _) => (name, value, false),
            (None, Some((name, value))) => (name, value, true),
            (None, None) => return text_of(incident).contains(&term.to_lowercase()),
        };
        let (name, value) = (name.trim().to_lowercase(), value.trim().trim_matches('"'));
        values(incident, &name).iter().any(|have| have.eq_ignore_ascii_case(value)) == wanted
    })
}

fn values(incident: &Incident, name: &str) -> Vec<String> {
    let mut values = match name {
        "status" => vec![incident.status.clone()],
        "severity" => vec![incident.severity.clone()],
        "id" => vec![incident.id.clone()],
        _ => Vec::new(),
    };
    values
        .extend(incident.tags.iter().filter(|tag| tag.id.eq_ignore_ascii_case(name)).map(|tag| tag.value.to_string()));
    for alert in &incident.alerts {
        let tags = alert.get("tags").and_then(Json::as_array).into_iter().flatten();
        for tag in tags {
            let is = tag.get("name").and_then(Json::as_str).is_some_and(|tag| tag.eq_ignore_ascii_case(name));
            if is && let Some(value) = tag.get("value").and_then(Json::as_str) {
                values.push(value.to_owned());
            }
        }
    }
    values
}

fn text_of(incident: &Incident) -> String {
    incident.json(true).to_string().to_lowercase()
}

/// `GET /resources/v2.0/incidents/{id}/activities`: newest first.
pub(crate) fn activities(incident: &Incident, params: &Params<'_>) -> Result<Reply, Refusal> {
    let (page, size) = paging(params, "per_page", 20)?;
    let types: Option<Vec<&str>> = params.filled("types").map(|list| list.split(',').collect());
    let items: Vec<Json> = incident
        .activities
        .iter()
        .filter(|activity| types.as_ref().is_none_or(|types| types.contains(&activity.kind)))
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .map(Activity::json)
        .collect();
    Ok(Reply::json(StatusCode::OK, &json!({ "items": items })))
}

fn paging(params: &Params<'_>, size_name: &str, size: usize) -> Result<(usize, usize), Refusal> {
    let number = |name: &str, default: usize| match params.filled(name) {
        None => Ok(default),
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Refusal::bad(format!("{name} must be a positive number"))),
    };
    Ok((number("page", 1)?, number(size_name, size)?.min(MAX_PAGE)))
}

/// Epoch seconds; milliseconds are refused.
fn time(params: &Params<'_>, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = params.filled(name) else {
        return Ok(None);
    };
    match text.parse::<i64>() {
        Ok(seconds) if seconds < 100_000_000_000 => Ok(Some(seconds)),
        _ => Err(Refusal::bad(format!("{name} must be in seconds since 1970"))),
    }
}
