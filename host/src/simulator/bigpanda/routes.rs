//! The REST routes that the product and its peers use.
//!
//! Called by [`super::BigPanda`] after login. Holds always: a 204 has no body, a 202 has `{"status":202,"data":{}}`.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::activity::Params as What;
use super::error::Refusal;
use super::store::{API_USER, Callback, Store};
use super::wire::{AssignBody, BatchBody, CallbackBody, CommentBody, MergeBody, ResolveBody, SnoozeBody, SplitBody};
use super::{BigPanda, alerts, search, share, tags};
use crate::simulator::http::{Reply, Request, decode_segment};

/// Longest snooze, seconds: just under 90 days.
const MAX_SNOOZE: i64 = 90 * 86_400;
/// Alerts that fit into one incident.
const MAX_ALERTS: usize = 300;

pub(crate) fn answer(bigpanda: &BigPanda, request: &Request<'_>) -> Result<Reply, Refusal> {
    let mut parts = [""; 9];
    let mut count = 0;
    for part in request.path.split('/').filter(|part| !part.is_empty()) {
        let Some(slot) = parts.get_mut(count) else { return Err(no_route(request)) };
        *slot = part;
        count += 1;
    }
    let parts = parts.get(..count).unwrap_or_default();
    let now = bigpanda.now();
    let method = &request.method;
    match (method, parts) {
        (&Method::POST, ["resources", "v2.1", "outbound", "callback"]) => callback(bigpanda, request),
        (_, ["resources", "v2.0", "environments", environment, "incidents", id, rest @ ..]) => {
            one(bigpanda, request, environment, id, rest)
        }
        (&Method::GET, ["resources", "v2.0", "environments", environment, "incidents"]) => {
            let store = super::store(bigpanda);
            store.environment(environment)?;
            search::answer(&store, environment, &request.params(), now)
        }
        (&Method::GET, ["resources", "v2.0", "environments"]) => {
            let store = super::store(bigpanda);
            let list: Vec<Json> = store
                .environments
                .iter()
                .map(|environment| {
                    json!({
                        "id": environment.id, "name": environment.name, "filter": {},
                        "created_at": 1_735_689_600, "created_by": API_USER,
                        "updated_at": 1_735_689_600, "updated_by": API_USER,
                    })
                })
                .collect();
            Ok(Reply::json(StatusCode::OK, &list))
        }
        (&Method::POST, ["resources", "v2.0", "environments", _, "batch-resolve", "alerts"]) => {
            batch(bigpanda, request)
        }
        (&Method::GET, ["resources", "v2.0", "incidents", id, "activities"]) => {
            let mut store = super::store(bigpanda);
            search::activities(store.incident(None, id, now)?, &request.params())
        }
        (_, ["resources", "v2.0", "incidents", "tags", "definitions", rest @ ..]) => {
            tags::definitions(&mut super::store(bigpanda), request, rest)
        }
        (&Method::GET, ["resources", "v2.0", "rcc"]) => {
            let params = request.params();
            let id = params.filled("incident_id").ok_or_else(|| Refusal::bad("incident_id is required"))?;
            let mut store = super::store(bigpanda);
            let incident = store.incident(None, id, now)?;
            Ok(Reply::json(
                StatusCode::OK,
                &json!({ "totalRelatedCount": incident.changes.len(), "relatedChanges": incident.changes }),
            ))
        }
        _ => Err(no_route(request)),
    }
}

fn no_route(request: &Request<'_>) -> Refusal {
    Refusal::missing(format!("Route {} {} is not found", request.method, request.path))
}

/// Everything below one incident.
fn one(
    bigpanda: &BigPanda,
    request: &Request<'_>,
    environment: &str,
    id: &str,
    rest: &[&str],
) -> Result<Reply, Refusal> {
    let now = bigpanda.now();
    let mut store = super::store(bigpanda);
    match (&request.method, rest) {
        (&Method::GET, []) => {
            let expanded = request.params().get("expand") == Some("alerts");
            let incident = store.incident(Some(environment), id, now)?;
            Ok(Reply::json(StatusCode::OK, &incident.json(expanded)))
        }
        (&Method::POST, ["comments"]) => {
            let body: CommentBody<'_> = body(request)?;
            if body.comment.is_empty() {
                return Err(Refusal::bad("comment is required"));
            }
            let incident = store.incident(Some(environment), id, now)?;
            let what = What::Comment(body.comment.as_ref().into());
            incident.happened(&bigpanda.random, "incident_commented", now, API_USER, what);
            share::changed(bigpanda, &mut store, id, "incident#commented");
            Ok(no_content())
        }
        (_, ["tags"]) => tags::all(bigpanda, &mut store, request, environment, id),
        (_, ["tags", tag]) => tags::one(bigpanda, &mut store, request, (environment, id), &decode_segment(tag)),
        (&Method::POST, ["resolve"]) => {
            let body: ResolveBody = body(request)?;
            resolve(bigpanda, &mut store, Some(environment), id, body.comments.as_deref(), "incident_resolved_api")?;
            Ok(accepted())
        }
        (&Method::PUT, ["assignment"]) => {
            let body: AssignBody = body(request)?;
            let incident = store.incident(Some(environment), id, now)?;
            incident.assignee = Some(json!({
                "user_id": body.assignee, "name": "On Call", "email": "oncall@example.com",
            }));
            let what = What::Other(json!({ "assignee": body.assignee }));
            incident.happened(&bigpanda.random, "incident_assigned", now, API_USER, what);
            share::changed(bigpanda, &mut store, id, "incident#updated");
            Ok(no_content())
        }
        (&Method::DELETE, ["assignment"]) => {
            let incident = store.incident(Some(environment), id, now)?;
            if incident.assignee.take().is_none() {
                return Err(Refusal::bad("the incident is not assigned"));
            }
            let what = What::Other(json!({}));
            incident.happened(&bigpanda.random, "incident_unassigned", now, API_USER, what);
            Ok(no_content())
        }
        (&Method::PUT, ["snooze"]) => {
            let body: SnoozeBody = body(request)?;
            snooze(bigpanda, &mut store, environment, id, &body)
        }
        (&Method::DELETE, ["snooze"]) => {
            let incident = store.incident(Some(environment), id, now)?;
            incident.snooze = None;
            let what = What::Other(json!({}));
            incident.happened(&bigpanda.random, "incident_unsnoozed", now, API_USER, what);
            Ok(no_content())
        }
        (&Method::POST, ["merge"]) => merge(bigpanda, &mut store, environment, id, &body(request)?),
        (&Method::POST, ["split"]) => split(bigpanda, &mut store, environment, id, &body(request)?),
        _ => Err(no_route(request)),
    }
}

pub(crate) fn body<'a, T: Deserialize<'a>>(request: &'a Request<'_>) -> Result<T, Refusal> {
    let body: &[u8] = if request.body.is_empty() { b"{}" } else { &request.body };
    serde_json::from_slice(body).map_err(|error| Refusal::bad(format!("invalid body: {error}")))
}

pub(crate) fn no_content() -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
}

fn accepted() -> Reply {
    Reply::raw_json(StatusCode::ACCEPTED, "{\"status\":202,\"data\":{}}")
}

/// Ends an incident; a second time is a conflict.
pub(crate) fn resolve(
    bigpanda: &BigPanda,
    store: &mut Store,
    environment: Option<&str>,
    id: &str,
    comment: Option<&str>,
    kind: &'static str,
) -> Result<(), Refusal> {
    let now = bigpanda.now();
    let incident = store.incident(environment, id, now)?;
    if !incident.active {
        return Err(Refusal::new(StatusCode::CONFLICT, "Incident is already resolved"));
    }
    incident.active = false;
    "Ok".clone_into(&mut incident.status);
    incident.end = Some(now);
    incident.changed = now;
    alerts::end_all(&mut incident.alerts, now);
    if let Some(comment) = comment.filter(|comment| !comment.is_empty()) {
        let what = What::Comment(comment.into());
        incident.happened(&bigpanda.random, "incident_commented", now, API_USER, what);
    }
    incident.happened(&bigpanda.random, kind, now, API_USER, What::Other(json!({})));
    share::changed(bigpanda, store, id, "incident#closed");
    Ok(())
}

fn snooze(
    bigpanda: &BigPanda,
    store: &mut Store,
    environment: &str,
    id: &str,
    body: &SnoozeBody,
) -> Result<Reply, Refusal> {
    let now = bigpanda.now();
    if body.end_time <= now || body.end_time >= now + MAX_SNOOZE {
        return Err(Refusal::bad("end_time must be in the future and less than 90 days away"));
    }
    let incident = store.incident(Some(environment), id, now)?;
    incident.snooze = Some(json!({
        "snoozed": true,
        "end_time": body.end_time,
        "cancel_on_incident_updates": body.cancel_on_incident_updates,
    }));
    incident.changed = now;
    let what = What::Other(json!({ "end_time": body.end_time, "comment": body.comment }));
    incident.happened(&bigpanda.random, "incident_snoozed", now, API_USER, what);
    share::changed(bigpanda, store, id, "incident#snoozed");
    Ok(no_content())
}

fn merge(
    bigpanda: &BigPanda,
    store: &mut Store,
    environment: &str,
    id: &str,
    body: &MergeBody,
) -> Result<Reply, Refusal> {
    let now = bigpanda.now();
    let mut moved = Vec::new();
    for source in &body.source_incidents {
        let incident = store.incident(Some(environment), source, now)?;
        if source == id || !incident.active {
            return Err(Refusal::bad(format!("incident {source} cannot be merged")));
        }
        moved.extend(incident.alerts.iter().cloned());
    }
    let target = store.incident(Some(environment), id, now)?;
    if target.alerts.len() + moved.len() > MAX_ALERTS {
        return Err(Refusal::bad("an incident holds at most 300 alerts"));
    }
    target.alerts.extend(moved);
    target.changed = now;
    let what = What::Other(json!({ "source_incidents": body.source_incidents, "comment": body.comment }));
    target.happened(&bigpanda.random, "incident_merged_destination", now, API_USER, what);
    for source in &body.source_incidents {
        let incident = store.incident(Some(environment), source, now)?;
        incident.alerts.clear();
        incident.active = false;
        "Ok".clone_into(&mut incident.status);
        incident.end = Some(now);
        incident.changed = now;
        let what = What::Other(json!({ "destination_incident": id }));
        incident.happened(&bigpanda.random, "incident_merged_source", now, API_USER, what);
        share::changed(bigpanda, store, source, "incident#updated");
    }
    share::changed(bigpanda, store, id, "incident#updated");
    Ok(accepted())
}

fn split(
    bigpanda: &BigPanda,
    store: &mut Store,
    environment: &str,
    id: &str,
    body: &SplitBody,
) -> Result<Reply, Refusal> {
    let now = bigpanda.now();
    let incident = store.incident(Some(environment), id, now)?;
    let (moved, kept): (Vec<Json>, Vec<Json>) =
        incident.alerts.drain(..).partition(|alert| body.alerts.iter().any(|wanted| wanted == alerts::id(alert)));
    incident.alerts = kept;
    if moved.is_empty() {
        return Err(Refusal::bad("none of the alerts belongs to the incident"));
    }
    incident.changed = now;
    let what = What::Other(json!({ "alerts": body.alerts, "comment": body.comment }));
    incident.happened(&bigpanda.random, "incident_splitted_source", now, API_USER, what);
    let mut fresh = incident.clone();
    fresh.id = bigpanda.random.hex24();
    fresh.alerts = moved;
    fresh.shared = false;
    fresh.tags.clear();
    fresh.activities.clear();
    fresh.start = now;
    let what = What::Other(json!({ "source_incident": id }));
    fresh.happened(&bigpanda.random, "incident_splitted_destination", now, API_USER, what);
    store.put(fresh);
    share::changed(bigpanda, store, id, "incident#updated");
    Ok(accepted())
}

/// Nothing is checked when a batch is handed in; unknown ids are skipped.
fn batch(bigpanda: &BigPanda, request: &Request<'_>) -> Result<Reply, Refusal> {
    let body: BatchBody = body(request)?;
    let now = bigpanda.now();
    let mut store = super::store(bigpanda);
    let mut ended = Vec::new();
    for incident in store.incidents.values_mut() {
        let mut touched = false;
        for alert in incident.alerts.iter_mut().filter(|alert| body.ids.iter().any(|id| id == alerts::id(alert))) {
            alerts::end_all(std::slice::from_mut(alert), now);
            touched = true;
        }
        if touched {
            incident.changed = now;
            let what = What::Other(json!({ "comment": body.comments }));
            incident.happened(&bigpanda.random, "incident_alerts_resolved", now, API_USER, what);
            let all = incident.alerts.iter().all(|alert| alert.get("status").and_then(Json::as_str) == Some("ok"));
            ended.push((incident.id.clone(), all && incident.active));
        }
    }
    for (id, all) in ended {
        if all {
            resolve(bigpanda, &mut store, None, &id, None, "incident_resolved_by_alerts")?;
        } else {
            share::changed(bigpanda, &mut store, &id, "incident#updated");
        }
    }
    Ok(accepted())
}

fn callback(bigpanda: &BigPanda, request: &Request<'_>) -> Result<Reply, Refusal> {
    let body: CallbackBody = body(request)?;
    {
        let mut store = super::store(bigpanda);
        store.incident(None, &body.incident_id, bigpanda.now())?;
        store.callbacks.push(Callback {
            incident_id: body.incident_id.clone(),
            event_type: body.event_type,
            app_key: body.app_key.clone(),
            at_ms: bigpanda.controls.clock.now_ms(),
        });
    }
    bigpanda.shares.called_back(&body.incident_id, &body.app_key);
    Ok(Reply::raw_json(StatusCode::OK, "{\"status\":200,\"data\":{}}"))
}
