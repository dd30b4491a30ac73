//! On-premises mode: `GET /integrations/{name}/retrieve` hands sealed requests to an instance that pulls, and
//! `POST /integrations/{name}/callback` takes what it says about each. Both want the integration's token.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use super::problem::Problem;
use super::site::{Gate, Site};
use super::webhook::{admitted, read};
use crate::domain::id::{Fence, IncidentId, IntegrationName, RequestId, SysId};
use crate::domain::ticket::TicketRef;
use crate::store;
use crate::sync::{Answer, NotSettled, Retrieved, Settled};

/// Most requests at once.
const MOST: u32 = 1000;
/// Longest text of the instance that is kept, in characters.
const LONGEST_TEXT: usize = 500;

#[derive(Deserialize)]
pub(super) struct Wanted {
    limit: Option<String>,
}

/// Hands requests out.
pub(super) async fn retrieve(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    match hand_out(&site, &name, &wanted, &headers).await {
        Ok(requests) => axum::Json(requests).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn hand_out(site: &Site, name: &str, wanted: &Wanted, headers: &HeaderMap) -> Result<Vec<Retrieved>, Problem> {
    let (integration, usual) = pulled(site, name, headers)?;
    let limit = match wanted.limit.as_deref().map(str::parse::<u32>) {
        None => usual,
        Some(Ok(limit)) if (1..=MOST).contains(&limit) => limit,
        Some(Ok(_) | Err(_)) => {
            let message = format!("`limit` is not a whole number from 1 to {MOST}");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "web.limit", message)
                .hint("leave it out for `incidents.retrieval_count`"));
        }
    };
    site.sync.retrieve(integration, limit as usize).await.map_err(|error| unavailable(integration, Some(&error)))
}

/// The integration, and how many requests it usually gets.
fn pulled<'s>(site: &'s Site, name: &str, headers: &HeaderMap) -> Result<(&'s IntegrationName, u32), Problem> {
    let (integration, Gate { pulled, .. }) = admitted(site, name, headers)?;
    if site.is_draining() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "web.stopping", "the host is stopping").again_in(5));
    }
    let Some(usual) = pulled else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "web.mode",
            "the host calls this integration's ServiceNow itself, so there is nothing to pull",
        )
        .hint("set `mode = \"on-premises\"` under [integration.<name>] if nobody can call it"));
    };
    Ok((integration, *usual))
}

fn unavailable(integration: &IntegrationName, error: Option<&store::Error>) -> Problem {
    if let Some(error) = error {
        tracing::error!(integration = %integration, error.code = "store.pull", "requests cannot be handed out: {error}");
    }
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store.unavailable", "the store cannot be written now")
        .hint("try again")
        .again_in(5)
}

/// An answer as it comes in. What else is there is passed over.
#[derive(Deserialize)]
struct Told {
    id: i64,
    fence: i64,
    incident_id: String,
    sys_id: Option<String>,
    number: Option<String>,
    url: Option<String>,
    error: Option<String>,
    /// Whether another try may help after an error. True when it is left out.
    retry: Option<bool>,
}

/// Takes an answer.
pub(super) async fn callback(State(site): State<Arc<Site>>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match take(&site, &name, &parts.headers, body).await {
        Ok(settled) => {
            let result = match settled {
                Settled::Recorded => "recorded",
                Settled::Repeated => "repeated",
            };
            axum::Json(json!({ "result": result })).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

async fn take(site: &Site, name: &str, headers: &HeaderMap, body: Body) -> Result<Settled, Problem> {
    let (integration, _) = pulled(site, name, headers)?;
    let bytes = read(site, headers, body).await?;
    let told: Told =
        serde_json::from_slice(&bytes).map_err(|error| wrong(format!("the body is no answer: {error}")))?;
    let answer = answer(told).map_err(|why| wrong(why.to_owned()))?;
    site.sync.answered(integration, answer).await.map_err(|error| {
        let (status, code, hint) = match &error {
            NotSettled::NoSuchRequest(_) => (StatusCode::NOT_FOUND, "sync.no-request", "send the `id` that was pulled"),
            NotSettled::OtherIncident(_) => {
                (StatusCode::CONFLICT, "sync.other-incident", "send the `incident_id` that was pulled with it")
            }
            NotSettled::Stale(_) => (
                StatusCode::CONFLICT,
                "sync.stale",
                "pull again; what was carried out is found by its `correlation_id`, and `look_first` says so",
            ),
            NotSettled::Store(error) => return unavailable(integration, error.as_ref()),
        };
        Problem::new(status, code, error.to_string()).hint(hint)
    })
}

fn wrong(why: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "web.answer", why)
        .hint("send `id`, `fence` and `incident_id` as they were pulled, and either `sys_id` and `number`, or `error`")
}

fn answer(told: Told) -> Result<Answer, &'static str> {
    let Told { id, fence, incident_id, sys_id, number, url, error, retry } = told;
    let text = |text: Option<String>| text.map(|text| plain(&text)).filter(|text| !text.is_empty());
    let result = match (text(sys_id), text(error)) {
        (Some(sys_id), None) => {
            let number = text(number).ok_or("`number` is missing beside `sys_id`")?;
            let sys_id = SysId::new(&sys_id).map_err(|_| "`sys_id` is none")?;
            // Without an address, people find the ticket by its number.
            let url = text(url).unwrap_or_else(|| number.clone());
            Ok(TicketRef { sys_id, number, url })
        }
        (None, Some(error)) => Err((error, retry.unwrap_or(true))),
        (None, None) => return Err("it has neither `sys_id` nor `error`"),
        (Some(_), Some(_)) => return Err("it has both `sys_id` and `error`"),
    };
    let incident = IncidentId::new(&incident_id).map_err(|_| "`incident_id` is none")?;
    Ok(Answer { id: RequestId(id), fence: Fence(fence), incident, result })
}

/// Somebody else's text on one line, cut.
fn plain(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect();
    line.trim().to_owned()
}
