//! `POST /integrations/{name}/share`: a share on its way in.
//!
//! Answers 202 only after the share is durable. What can't be a share is answered 400 and kept for a person; what
//! can't be made durable is answered 503, and BigPanda tries again.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::problem::Problem;
use super::site::{Gate, Site};
use crate::bigpanda::share::{self, Destination};
use crate::domain::id::IntegrationName;
use crate::store::Accepted;
use crate::telemetry::traces::{TRACES, failed};

/// Takes a share.
pub(super) async fn share(State(site): State<Arc<Site>>, Path(name): Path<String>, request: Request) -> Response {
    let (status, response) = match take(&site, &name, request).await {
        Ok(accepted) => (if accepted.duplicate { "duplicate" } else { "accepted" }, answer(accepted)),
        Err(problem) => {
            let response = problem.into_response();
            ("refused", response)
        }
    };
    metrics::counter!("tandem_webhook_requests_total", "result" => status, "code" => response.status().as_u16().to_string())
        .increment(1);
    response
}

fn answer(accepted: Accepted) -> Response {
    let Accepted { event, duplicate, .. } = accepted;
    let body = format!("{{\"event\":{event},\"duplicate\":{duplicate}}}");
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn take(site: &Site, name: &str, request: Request) -> Result<Accepted, Problem> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let (integration, gate) = admitted(site, name, &headers)?;
    // Only whoever may be here can fill the queue of the export.
    let span = tracing::info_span!(
        target: TRACES,
        parent: None,
        "share",
        otel.kind = "server",
        integration = %integration,
        incident.id = Empty,
        duplicate = Empty,
        http.status = Empty,
        error.code = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty,
    );
    let taken = take_in(site, integration, gate, &headers, body, &span).instrument(span.clone()).await;
    match &taken {
        Ok(accepted) => {
            span.record("duplicate", accepted.duplicate);
            span.record("http.status", StatusCode::ACCEPTED.as_u16());
        }
        Err(problem) => {
            span.record("http.status", problem.status().as_u16());
            failed(&span, problem.code());
        }
    }
    taken
}

async fn take_in(
    site: &Site,
    integration: &IntegrationName,
    gate: &Gate,
    headers: &HeaderMap,
    body: Body,
    span: &Span,
) -> Result<Accepted, Problem> {
    may_enter(site, gate)?;
    let bytes = read(site, headers, body).await?;
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let delivery = match share::read(&bytes, pairs) {
        Ok(delivery) => delivery,
        Err(unusable) => {
            let problem = Problem::of(&unusable);
            let reason = unusable.to_string();
            tracing::warn!(integration = %integration, error.code = "share.unusable", "a share was refused: {reason}");
            if let Err(error) = site.store.reject(integration, &reason, &bytes, site.sync.now()).await {
                tracing::warn!(error.code = "store.reject", "a refused share was not kept: {error}");
            }
            return Err(problem);
        }
    };
    check_destination(integration, gate, &delivery.destination)?;
    span.record("incident.id", tracing::field::display(&delivery.share.incident.id));
    let dedupe = share::dedupe_key(&delivery.share, &bytes);
    let stored = share::stored(&delivery.share.overrides, &bytes);
    let incident = tracing::enabled!(tracing::Level::DEBUG).then(|| delivery.share.incident.id.to_string());
    let accepted = site.sync.accept(integration, delivery.share, dedupe, stored).await.map_err(|error| {
        tracing::error!(integration = %integration, error.code = "store.accept", "a share was not accepted: {error}");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store.unavailable", "the share cannot be made durable now")
            .hint("send it again; BigPanda does so by itself")
            .again_in(5)
    })?;
    if let Some(incident) = incident {
        let duplicate = accepted.duplicate;
        tracing::debug!(integration = %integration, incident.id = incident, duplicate, "a share was accepted");
    }
    Ok(accepted)
}

/// The integration that a request names, if the request presents its token.
pub(super) fn admitted<'s>(
    site: &'s Site,
    name: &str,
    headers: &HeaderMap,
) -> Result<(&'s IntegrationName, &'s Gate), Problem> {
    let known = IntegrationName::new(name).ok().and_then(|name| site.gates.get_key_value(&name));
    let Some((integration, gate)) = known else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "web.integration", "there is no integration of that name")
            .hint("the address is /integrations/<name>/share, with a name of the configuration"));
    };
    if !gate.tokens.admit(headers) {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "web.token", "the request does not present a valid token")
            .hint("send `Authorization: Bearer <webhook.token>`"));
    }
    Ok((integration, gate))
}

fn may_enter(site: &Site, gate: &Gate) -> Result<(), Problem> {
    if site.is_draining() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "web.stopping", "the host is stopping").again_in(5));
    }
    if !gate.active {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "web.inactive", "the integration is not active")
            .hint("set `incidents.active = true`")
            .again_in(60));
    }
    if gate.is_stopped() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "web.stopped",
            "an operator stopped the integration",
        )
        .hint("`tandem integration start` lets shares in again")
        .again_in(60));
    }
    if gate.limiter.as_ref().is_some_and(|limiter| limiter.check().is_err()) {
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "web.rate", "too many shares a second")
            .hint("raise `server.shares_per_second`, or send more slowly")
            .again_in(1));
    }
    Ok(())
}

/// Reads the body, within its limits of size and time. A length that is too large is refused before a byte is read.
pub(super) async fn read(site: &Site, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let limit = site.body_limit;
    let too_large = || {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "web.size", format!("the body is larger than {limit} bytes"))
            .hint("raise `server.body_limit` if shares are meant to be that large")
    };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|text| text.parse::<usize>().ok()).is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    match tokio::time::timeout(site.body_timeout, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_limit(&error) => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, "web.body", "the body ended before its length")),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "web.slow", "the body took too long to arrive")),
    }
}

fn is_limit(error: &axum::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whoever holds only the webhook's token must not send our stored password to a host of his own. Headers may name the
/// instance that is configured, and nothing else; credentials in headers are never used.
fn check_destination(integration: &IntegrationName, gate: &Gate, destination: &Destination) -> Result<(), Problem> {
    let Some(url) = &destination.servicenow_url else { return Ok(()) };
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase));
    if host.is_some_and(|host| gate.hosts.contains(&host)) {
        return Ok(());
    }
    tracing::error!(integration = %integration, error.code = "web.destination", "a share names another ServiceNow and was refused");
    metrics::counter!("tandem_foreign_destinations_total").increment(1);
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "web.destination",
        "the share names a ServiceNow that is not this integration's",
    )
    .hint("remove x-bp-config-servicenowUrl, or add its host to `servicenow.pinned_hosts`"))
}
