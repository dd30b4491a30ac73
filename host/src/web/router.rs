//! Every route, on one page.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::site::Site;
use super::{api, auth, health, pull, redo, webhook};

/// What BigPanda reaches, and an instance that pulls.
pub(super) fn public(site: Arc<Site>) -> Router {
    Router::new()
        .route("/integrations/{name}/share", post(webhook::share))
        .route("/integrations/{name}/retrieve", get(pull::retrieve))
        .route("/integrations/{name}/callback", post(pull::callback))
        .route("/healthz", get(health::alive))
        .with_state(site)
}

/// What operators and their machines reach.
pub(super) fn admin(site: Arc<Site>) -> Router {
    let guarded = Router::new()
        .route("/api/v1/depths", get(api::depths))
        .route("/api/v1/queue", get(api::queue))
        .route("/api/v1/queue/redrive", post(redo::redrive))
        .route("/api/v1/queue/{id}", get(api::request))
        .route("/api/v1/queue/{id}/retry", post(api::retry))
        .route("/api/v1/queue/{id}/retry-with", post(redo::retry_with))
        .route("/api/v1/queue/{id}/discard", post(api::discard))
        .route("/api/v1/events", get(redo::events))
        .route("/api/v1/events/{id}/retry", post(redo::release))
        .route("/api/v1/events/{id}/retry-with", post(redo::release_with))
        .route("/api/v1/events/{id}/discard", post(redo::forget))
        .route("/api/v1/links/{integration}/{incident}", get(api::link))
        .route("/api/v1/plugins", get(api::plugins))
        .route("/api/v1/plugins/reload", post(api::reload))
        .route_layer(from_fn_with_state(site.clone(), auth::operator));
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(guarded)
        .with_state(site)
}
