//! Whether the host lives, whether it can take shares, and its numbers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::site::Site;
use crate::store::RequestState;

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether shares can be accepted: the store takes writes, plugins are loaded, the host isn't stopping. A vendor that
/// is out of reach is only `degraded`: shares are accepted all the same, and a restart would help nobody.
pub(super) async fn ready(State(site): State<Arc<Site>>) -> Response {
    let mut not_ready = Vec::new();
    if site.is_draining() {
        not_ready.push("the host is stopping".to_owned());
    }
    if let Err(error) = site.store.check().await {
        not_ready.push(error.to_string());
    }
    if !site.plugins.is_ready() {
        not_ready.push("no plugins are loaded".to_owned());
    }
    let degraded: Vec<String> = site
        .sync
        .pauses()
        .into_iter()
        .map(|(target, integration, _)| format!("{} of {integration} is being left alone", target.as_str()))
        .collect();
    let status = if not_ready.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": not_ready.is_empty(), "reasons": not_ready, "degraded": degraded }))).into_response()
}

/// The metrics in Prometheus' text format; sizes of the queue are read at this moment.
pub(super) async fn metrics(State(site): State<Arc<Site>>) -> Response {
    if let Ok(depths) = site.store.depths().await {
        let now = site.sync.now();
        metrics::gauge!("tandem_inbox_events", "state" => "pending").set(depths.events_pending as f64);
        metrics::gauge!("tandem_inbox_events", "state" => "quarantined").set(depths.events_quarantined as f64);
        metrics::gauge!("tandem_links").set(depths.links as f64);
        for state in RequestState::ALL {
            let count = depths.requests.iter().find(|(of, _)| *of == state).map_or(0, |(_, count)| *count);
            if !matches!(state, RequestState::Done | RequestState::Discarded) {
                metrics::gauge!("tandem_outbox_requests", "state" => state.as_str()).set(count as f64);
            }
        }
        let oldest = depths.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
        metrics::gauge!("tandem_queue_oldest_seconds").set(oldest);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], (site.metrics)()).into_response()
}
