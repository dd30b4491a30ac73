//! The way of a ServiceNow that nobody can call: it pulls its requests, carries them out, and answers about each.
//!
//! What is pulled is leased, not lost: without an answer it can be pulled again when the lease has run out, and whoever
//! pulls it then is told to look first. An answer settles like an attempt of our own. `web` calls it; authentication is
//! its business. A request that nobody answers again and again is set aside.

use std::collections::BTreeMap;

use serde::Serialize;
use tracing::Span;

use super::deliver::{Attempt, needless, record};
use super::runtime::Handle;
use crate::domain::id::{Fence, IncidentId, IntegrationName, RequestId, SysId};
use crate::domain::outcome::{Failure, Outcome, Receipt};
use crate::domain::request::{Operation, Target};
use crate::domain::ticket::{Reference, TicketRef};
use crate::engine::seal::fingerprint;
use crate::store::{self, Completion, RequestClaim, RequestDetail, RequestState};

/// A request on its way to whoever pulls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retrieved {
    pub id: RequestId,
    pub fence: Fence,
    /// When it can be pulled again, epoch seconds.
    pub leased_until: i64,
    /// Somebody pulled it before and did not answer: it may have been carried out already.
    pub look_first: bool,
    /// BigPanda's name of what happened, such as `incident#new`.
    pub event_type: &'static str,
    pub incident_id: IncidentId,
    /// `create`, `update`, `resolve` or `reopen`.
    pub operation: &'static str,
    pub table: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sys_id: Option<SysId>,
    pub correlation_id: String,
    pub fields: BTreeMap<String, String>,
    /// Fields that get the `sys_id` of the record in `table` whose column `by` is `value`.
    pub references: Vec<Reference>,
}

/// What whoever pulled says about one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub id: RequestId,
    pub fence: Fence,
    pub incident: IncidentId,
    /// The ticket that was written; or what ServiceNow said, and whether another try may help.
    pub result: Result<TicketRef, (String, bool)>,
}

/// What an answer changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Recorded,
    /// The same was answered before; nothing changed.
    Repeated,
}

/// Why an answer changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotSettled {
    #[error("there is no request {0} of this integration")]
    NoSuchRequest(RequestId),
    #[error("request {0} is about another incident")]
    OtherIncident(RequestId),
    #[error("request {0} was pulled again since, or is finished: this answer comes too late")]
    Stale(RequestId),
    #[error("the answer cannot be stored now")]
    Store(#[source] Option<store::Error>),
}

impl Handle {
    /// Leases up to `limit` requests of an integration.
    pub async fn retrieve(&self, integration: &IntegrationName, limit: usize) -> Result<Vec<Retrieved>, store::Error> {
        let shared = &self.shared;
        let Some(one) = shared.integrations.get(integration) else { return Ok(Vec::new()) };
        let policy = &one.settings.plain().policy;
        let now = shared.clock.now();
        let lease = policy.retry.lease;
        let claims = shared.store.claim_requests_of(integration, Target::ServiceNow, limit, lease, now).await?;
        let until = now.plus(lease).0.div_euclid(1000);
        let mut retrieved = Vec::with_capacity(claims.len());
        for claim in claims {
            let needless = needless(&claim.link, &claim.request);
            if needless.is_none() && claim.crashes < policy.retry.crash_limit {
                retrieved.extend(handed_out(claim, until));
                continue;
            }
            let RequestClaim { id, fence, link, request, attempts, crashes, uncertain, created } = claim;
            let outcome = needless.unwrap_or_else(|| Outcome::Refused(unanswered(crashes)));
            let span = Span::none();
            let attempt = Attempt { id, fence, link, request, attempts, uncertain, created, outcome, took: None, span };
            record(shared, policy, attempt).await;
        }
        tracing::debug!(integration = %integration, requests = retrieved.len(), "requests were pulled");
        Ok(retrieved)
    }

    /// Settles a request that was pulled. Saying the same twice does no harm.
    pub async fn answered(&self, integration: &IntegrationName, answer: Answer) -> Result<Settled, NotSettled> {
        let shared = &self.shared;
        let unavailable = |error| NotSettled::Store(Some(error));
        let Answer { id, fence, incident, result } = answer;
        let found = shared.store.show(id).await.map_err(unavailable)?;
        let of_this = |detail: &RequestDetail| {
            detail.view.integration == *integration && detail.view.target == Target::ServiceNow
        };
        let (Some(one), Some(detail)) = (shared.integrations.get(integration), found.filter(of_this)) else {
            return Err(NotSettled::NoSuchRequest(id));
        };
        if detail.view.incident != incident {
            return Err(NotSettled::OtherIncident(id));
        }
        let link = shared.store.link_of(integration, &incident).await.map_err(unavailable)?;
        let Some(link) = link else { return Err(NotSettled::NoSuchRequest(id)) };
        let repeated = match &result {
            Ok(ticket) => {
                detail.view.state == RequestState::Done
                    && link.ticket.as_ref().is_some_and(|known| known.sys_id == ticket.sys_id)
            }
            Err((said, _)) => {
                let last = detail.view.failure.as_ref().and_then(|failure| failure.detail.as_ref());
                detail.view.state != RequestState::Leased && last == Some(said)
            }
        };
        if repeated {
            return Ok(Settled::Repeated);
        }
        if detail.view.state != RequestState::Leased {
            return Err(NotSettled::Stale(id));
        }
        let outcome = match result {
            Ok(ticket) => Outcome::Applied(Receipt { ticket: Some(ticket), ..Receipt::default() }),
            Err((said, true)) => Outcome::NotApplied(reported(said)),
            Err((said, false)) => Outcome::Refused(reported(said)),
        };
        let RequestDetail { view, request, .. } = detail;
        let (attempts, created) = (view.attempts, view.created);
        // Others made the attempt; how long it took them isn't known here.
        let (took, span) = (None, Span::none());
        let attempt = Attempt { id, fence, link, request, attempts, uncertain: false, created, outcome, took, span };
        match record(shared, &one.settings.plain().policy, attempt).await {
            Some(Completion::Recorded) => Ok(Settled::Recorded),
            Some(Completion::Stale) => Err(NotSettled::Stale(id)),
            None => Err(NotSettled::Store(None)),
        }
    }
}

fn handed_out(claim: RequestClaim, leased_until: i64) -> Option<Retrieved> {
    let RequestClaim { id, fence, link, request, uncertain, .. } = claim;
    let event_type = request.cause.kind.as_str();
    let correlation_id = link.correlation_id();
    let (table, sys_id, fields, references) = match request.operation {
        Operation::CreateTicket { table, fields, references, .. } => (table, None, fields, references),
        Operation::UpdateTicket { table, ticket, fields, references } => (table, Some(ticket), fields, references),
        Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::CommentIncident { .. }
        | Operation::ResolveIncident { .. } => return None,
    };
    let fields: BTreeMap<_, _> = fields.into_iter().map(|field| (field.field, field.value)).collect();
    let ended = |state: &str| matches!(state, "6" | "7");
    let was_ended = link.written.get("state").is_some_and(|was| ["6", "7"].map(fingerprint).contains(was));
    let operation = match (&sys_id, fields.get("state")) {
        (None, _) => "create",
        (Some(_), Some(state)) if ended(state) => "resolve",
        (Some(_), Some(_)) if was_ended => "reopen",
        (Some(_), Some(_) | None) => "update",
    };
    Some(Retrieved {
        id,
        fence,
        leased_until,
        look_first: uncertain || (sys_id.is_none() && link.memory.unsure),
        event_type,
        incident_id: link.incident,
        operation,
        table,
        sys_id,
        correlation_id,
        fields,
        references,
    })
}

fn unanswered(times: u32) -> Failure {
    Failure {
        code: "sync.unanswered".to_owned(),
        errno: None,
        status: None,
        summary: format!("ServiceNow pulled the request {times} times and never answered about it"),
        detail: None,
        hint: Some("look into the job that pulls, then retry the request with `tandem queue retry`".to_owned()),
    }
}

fn reported(said: String) -> Failure {
    Failure {
        code: "servicenow.reported".to_owned(),
        errno: None,
        status: None,
        summary: "ServiceNow could not carry out the request".to_owned(),
        detail: Some(said),
        hint: None,
    }
}
