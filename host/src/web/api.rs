//! The operators' API: the queue, links and plugins as JSON. The CLI speaks it to a running host.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::site::Site;
use crate::domain::id::{IncidentId, IntegrationName, RequestId};
use crate::store::{self, QueueFilter, RequestState, Retried};

/// Filter of the queue, as query parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    integration: Option<String>,
    /// One or more states, comma-separated.
    state: Option<String>,
    limit: Option<u32>,
}

pub(super) type Answer = Result<Json<Value>, Problem>;

pub(super) async fn depths(State(site): State<Arc<Site>>) -> Answer {
    Ok(Json(json!(site.store.depths().await.map_err(failed)?)))
}

pub(super) async fn queue(State(site): State<Arc<Site>>, Query(filter): Query<Filter>) -> Answer {
    let integration = filter
        .integration
        .map(|name| IntegrationName::new(&name))
        .transpose()
        .map_err(|error| bad("api.integration", error.to_string()))?;
    let states = filter.state.as_deref().unwrap_or_default().split(',').filter(|word| !word.is_empty());
    let states =
        states.map(|word| RequestState::parse(word).ok_or_else(|| unknown_state(word))).collect::<Result<_, _>>()?;
    let filter = QueueFilter { integration, states, limit: filter.limit.unwrap_or(100).min(1000) };
    let requests = site.store.list(filter).await.map_err(failed)?;
    Ok(Json(json!({ "requests": requests })))
}

pub(super) async fn request(State(site): State<Arc<Site>>, Path(id): Path<i64>) -> Answer {
    match site.store.show(RequestId(id)).await.map_err(failed)? {
        Some(detail) => Ok(Json(json!(detail))),
        None => Err(missing("api.request", format!("there is no request {id}"))),
    }
}

pub(super) async fn retry(State(site): State<Arc<Site>>, Path(id): Path<i64>) -> Answer {
    let outcome = site.store.retry(RequestId(id), site.sync.now()).await.map_err(failed)?;
    match outcome {
        Retried::Unknown => return Err(missing("api.request", format!("there is no unfinished request {id}"))),
        Retried::Due => {
            tracing::info!(request.id = id, "an operator retries a request");
            site.sync.wake();
        }
        Retried::Overtaken { .. } => {}
    }
    Ok(Json(json!({ "request": id, "outcome": outcome })))
}

pub(super) async fn discard(State(site): State<Arc<Site>>, Path(id): Path<i64>) -> Answer {
    let done = site.store.discard(RequestId(id), site.sync.now()).await.map_err(failed)?;
    if !done {
        return Err(missing("api.request", format!("there is no request {id} that waits")));
    }
    tracing::warn!(request.id = id, "an operator discards a request");
    site.sync.wake();
    Ok(Json(json!({ "discarded": id })))
}

pub(super) async fn link(
    State(site): State<Arc<Site>>,
    Path((integration, incident)): Path<(String, String)>,
) -> Answer {
    let integration = IntegrationName::new(&integration).map_err(|error| bad("api.integration", error.to_string()))?;
    let incident = IncidentId::new(&incident).map_err(|error| bad("api.incident", error.to_string()))?;
    let Some(link) = site.store.link_of(&integration, &incident).await.map_err(failed)? else {
        return Err(missing("api.link", format!("{incident} was never shared with {integration}")));
    };
    let journal = site.store.journal_of(link.id).await.map_err(failed)?;
    Ok(Json(json!({ "link": link, "journal": journal })))
}

pub(super) async fn plugins(State(site): State<Arc<Site>>) -> Json<Value> {
    Json(site.plugins.list())
}

pub(super) async fn reload(State(site): State<Arc<Site>>) -> Answer {
    let plugins = site.plugins.clone();
    // Compiling may take a while and blocks its thread.
    tokio::task::spawn_blocking(move || plugins.reload())
        .await
        .map(Json)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "api.reload", "the reload did not end"))
}

fn unknown_state(word: &str) -> Problem {
    let known = RequestState::ALL.map(RequestState::as_str).join(", ");
    bad("api.state", format!("`{word}` is no state of a request")).hint(format!("use one of {known}"))
}

pub(super) fn bad(code: &'static str, message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, message)
}

pub(super) fn missing(code: &'static str, message: String) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, code, message).hint("`tandem queue list` shows what waits")
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function of map_err")]
pub(super) fn failed(error: store::Error) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store.unavailable", error.to_string()).again_in(5)
}
