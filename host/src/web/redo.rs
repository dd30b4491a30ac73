//! What operators have tried again: dead letters in great number, one with another plugin, events that were set aside.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::api::{Answer, bad, failed, missing};
use super::problem::Problem;
use super::site::Site;
use crate::domain::fault::{Fault as _, chain};
use crate::domain::id::{EventId, IntegrationName, PluginId, RequestId};
use crate::store::Redrive;
use crate::sync::Tried;

/// More than any component may have; the plugin host's own limit is lower.
const COMPONENT: usize = 32 * 1024 * 1024;

/// Which dead letters, and how fast.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Many {
    integration: Option<String>,
    reason: Option<String>,
    rate: u32,
    per_seconds: u64,
    #[serde(default)]
    dry_run: bool,
}

pub(super) async fn redrive(State(site): State<Arc<Site>>, Json(many): Json<Many>) -> Answer {
    let Many { integration, reason, rate, per_seconds, dry_run } = many;
    if rate == 0 || per_seconds == 0 {
        return Err(bad("api.rate", "`rate` and `per_seconds` must be at least 1".to_owned()));
    }
    let (per, now) = (Duration::from_secs(per_seconds), site.sync.now());
    let redrive = Redrive { integration: name(integration)?, reason, rate, per, now, dry_run };
    let redriven = site.store.redrive(redrive).await.map_err(failed)?;
    if !dry_run {
        tracing::info!(requests = redriven.requests, rate, per_seconds, "an operator puts dead letters back");
        site.sync.wake();
    }
    Ok(Json(json!(redriven)))
}

/// Which plugin a component is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct With {
    plugin: String,
}

pub(super) async fn retry_with(
    State(site): State<Arc<Site>>,
    Path(id): Path<i64>,
    Query(with): Query<With>,
    body: Body,
) -> Answer {
    let tried = tried(&site, with, body).await?;
    let redone = site.sync.retry_with(RequestId(id), &tried).await.map_err(|error| Problem::of(&error))?;
    tracing::info!(request.id = id, plugin = tried.name, "an operator has a request sealed again with another plugin");
    Ok(Json(json!(redone)))
}

/// Filter of the events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    integration: Option<String>,
}

pub(super) async fn events(State(site): State<Arc<Site>>, Query(filter): Query<Filter>) -> Answer {
    let events = site.store.quarantined(name(filter.integration)?).await.map_err(failed)?;
    Ok(Json(json!({ "events": events })))
}

pub(super) async fn release(State(site): State<Arc<Site>>, Path(id): Path<i64>) -> Answer {
    released(&site, id, None).await
}

pub(super) async fn release_with(
    State(site): State<Arc<Site>>,
    Path(id): Path<i64>,
    Query(with): Query<With>,
    body: Body,
) -> Answer {
    let tried = tried(&site, with, body).await?;
    released(&site, id, Some(&tried)).await
}

async fn released(site: &Site, id: i64, tried: Option<&Tried>) -> Answer {
    if !site.sync.release(EventId(id), tried).await.map_err(failed)? {
        return Err(no_event(id));
    }
    let plugin = tried.map(|tried| tried.name.as_str());
    tracing::info!(event.id = id, plugin, "an operator has an event looked at again that was set aside");
    Ok(Json(json!({ "released": id, "plugin": plugin })))
}

pub(super) async fn forget(State(site): State<Arc<Site>>, Path(id): Path<i64>) -> Answer {
    if !site.store.forget(EventId(id), site.sync.now()).await.map_err(failed)? {
        return Err(no_event(id));
    }
    tracing::warn!(event.id = id, "an operator gives up an event that was set aside");
    Ok(Json(json!({ "discarded": id })))
}

fn no_event(id: i64) -> Problem {
    missing("api.event", format!("no event {id} is set aside")).hint("`tandem queue list --quarantined` shows them")
}

fn name(text: Option<String>) -> Result<Option<IntegrationName>, Problem> {
    let name = text.map(|name| IntegrationName::new(&name)).transpose();
    name.map_err(|error| bad("api.integration", error.to_string()))
}

/// The component in a body, ready to answer.
async fn tried(site: &Site, with: With, body: Body) -> Result<Tried, Problem> {
    let id = PluginId::new(&with.plugin).map_err(|error| bad("api.plugin", error.to_string()))?;
    let bytes = to_bytes(body, COMPONENT).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "api.component",
            "the component is too large, or did not arrive whole",
        )
    })?;
    let plugins = site.plugins.clone();
    // Compiling may take a while and blocks its thread.
    let loaded = tokio::task::spawn_blocking(move || plugins.trial(&id, &bytes)).await;
    let loaded = loaded.map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "api.trial", "loading the component did not end")
    })?;
    loaded.map_err(|error| {
        let why = format!("the component cannot be used: {}", chain(&error).join(": "));
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.code(), why);
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })
}
