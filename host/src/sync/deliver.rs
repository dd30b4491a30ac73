//! From sealed requests to confirmed ones: lease, send, settle. One loop for each side.
//!
//! No transaction is open while the network is used. An attempt whose predecessor ended uncertainly looks first, and
//! nothing is sent by a claim whose time is over.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Span;

use super::deadline::{Deadline, Late, give_back};
use super::handover::Offer;
use super::intake::next_wake;
use super::ports::Integration;
use super::runtime::Shared;
use super::{alarm, traces};
use crate::domain::id::{Fence, IntegrationName, RequestId, SysId};
use crate::domain::link::Link;
use crate::domain::outcome::{Outcome, Receipt};
use crate::domain::request::{Operation, Request, Target};
use crate::domain::ticket::{FieldValue, Journal};
use crate::domain::time::Timestamp;
use crate::engine::settle::{Alarm, Settlement, Step as Next, settle};
use crate::engine::{Policy, seal};
use crate::servicenow;
use crate::steps::{Safeguard, Step, broken, entering, reached};
use crate::store::{Completion, Ended, JournalNote, NewRequest, RequestClaim, RequestEnd, RequestState, Settled};
use crate::telemetry::traces::failed;

/// Runs until the sync stops.
pub(super) async fn run(shared: Arc<Shared>, target: Target) {
    let rooms = rooms(&shared, target);
    let side = shared.side(target);
    while !shared.stop.is_cancelled() {
        // Before the claim, so that no lease is thought to be longer than it is.
        let asked = shared.clock.elapsed();
        let now = shared.clock.now();
        let (paused, first) = shared.paused(target, now);
        let mut claimed = false;
        for Room { of, others, places } in &rooms {
            let mut free = places.available_permits();
            if free == 0 {
                side.runs_short();
                free = places.available_permits();
            }
            if free == 0 || of.as_ref().is_some_and(|name| paused.contains(name)) {
                continue;
            }
            let claims = match shared.store.claim_requests(target, free, shared.lease, others, now).await {
                Ok(claims) => claims,
                Err(error) => {
                    tracing::error!(error.code = "store.claim", error = %error, "requests cannot be claimed");
                    break;
                }
            };
            claimed |= !claims.is_empty();
            for claim in claims {
                let Ok(place) = places.clone().acquire_owned().await else { return };
                start(&shared, claim, Some(place), asked);
            }
        }
        if claimed {
            continue;
        }
        let wait = match first {
            Some(until) => next_wake(&shared, now).await.min(until.since(now).max(Duration::from_millis(5))),
            None => next_wake(&shared, now).await,
        };
        tokio::select! {
            () = side.woken.notified() => {}
            () = tokio::time::sleep(wait) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// The places of one integration among the requests that are under way.
struct Room {
    /// `None`: integrations that aren't configured any more.
    of: Option<IntegrationName>,
    /// Whose requests are not for these places.
    others: Vec<IntegrationName>,
    places: Arc<Semaphore>,
}

fn rooms(shared: &Shared, target: Target) -> Vec<Room> {
    let all: Vec<IntegrationName> = shared.integrations.keys().cloned().collect();
    let one = |integration: &Integration| {
        Some(Room {
            of: Some(integration.name.clone()),
            others: all.iter().filter(|name| **name != integration.name).cloned().collect(),
            places: shared.places(target, &integration.name)?.clone(),
        })
    };
    let stray = Room { of: None, others: all.clone(), places: Arc::new(Semaphore::new(1)) };
    shared.integrations.values().filter_map(one).chain([stray]).collect()
}

/// Has a request sent by a task of its own.
pub(super) fn start(shared: &Arc<Shared>, claim: RequestClaim, place: Option<OwnedSemaphorePermit>, asked: Duration) {
    shared.tasks.spawn(whole(shared.clone(), claim, place, asked));
}

/// A delivery may start the next one, so its type has to end somewhere.
fn whole(
    shared: Arc<Shared>,
    claim: RequestClaim,
    place: Option<OwnedSemaphorePermit>,
    asked: Duration,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let side = shared.side(claim.request.operation.target());
        let deadline = Deadline::new(&*shared.clock, asked, shared.lease);
        deliver(&shared, claim, deadline).await;
        drop(place);
        side.freed();
    })
}

/// How long a request has to leave, for a crash between it and its answer.
const SENT_IN: Duration = Duration::from_millis(300);

fn answered(target: Target) -> Step {
    match target {
        Target::ServiceNow => Step::Answered,
        Target::BigPanda => Step::Told,
    }
}

fn stored(target: Target) -> Step {
    match target {
        Target::ServiceNow => Step::Settled,
        Target::BigPanda => Step::ToldSettled,
    }
}

async fn deliver(shared: &Arc<Shared>, claim: RequestClaim, deadline: Deadline<'_>) {
    reached(Step::Decided);
    let RequestClaim { id, fence, link, request, attempts, crashes, uncertain, created } = claim;
    let Some(integration) = shared.integrations.get(&link.integration) else {
        tracing::error!(
            error.code = "sync.no-integration",
            request.key = %request.key,
            "a request of the integration {} waits, which is not configured",
            link.integration
        );
        return;
    };
    let policy = &integration.settings.plain().policy;
    let span = shared.traces.attempt(&link, &request, attempts);
    let started = shared.clock.elapsed();
    let is_create = matches!(request.operation, Operation::CreateTicket { .. });
    // What an earlier create of the incident may have left behind counts as much as what this one did.
    let uncertain = uncertain || (is_create && link.memory.unsure);
    let (request, outcome) = if let Some(outcome) = needless(&link, &request) {
        (request, outcome)
    } else if crashes >= policy.retry.crash_limit {
        (request, Outcome::Refused(poison(crashes)))
    } else {
        let waits = &policy.retry.within_attempt;
        match prepared_in_time(shared, integration, id, fence, request, waits, deadline).await {
            Prepared::Request(request) => {
                let Ok(outcome) = attempt(integration, &request, uncertain, policy, deadline).await else {
                    failed(&span, "sync.late");
                    return give_back(shared, id, fence, &request, uncertain).await;
                };
                (request, outcome)
            }
            Prepared::Stopped(request, outcome) => (request, outcome),
            Prepared::Stale => return failed(&span, "store.stale"),
        }
    };
    reached(answered(request.operation.target()));
    let took = Some(shared.clock.elapsed().saturating_sub(started));
    let attempt = Attempt { id, fence, link, request, attempts, uncertain, created, outcome, took, span };
    record(shared, policy, attempt).await;
}

/// A create whose incident has its ticket: a dead letter that is tried again after a newer share made it. Sending it
/// would make a second one.
pub(super) fn needless(link: &Link, request: &Request) -> Option<Outcome> {
    if !matches!(request.operation, Operation::CreateTicket { .. }) {
        return None;
    }
    let ticket = Some(link.ticket.clone()?);
    Some(Outcome::Applied(Receipt { ticket, adopted: true, ..Receipt::default() }))
}

/// An attempt that has ended, by whomever it was made.
pub(super) struct Attempt {
    pub(super) id: RequestId,
    pub(super) fence: Fence,
    pub(super) link: Link,
    pub(super) request: Request,
    /// Failures recorded before it.
    pub(super) attempts: u32,
    /// Whether the one before it ended uncertainly.
    pub(super) uncertain: bool,
    pub(super) created: Timestamp,
    pub(super) outcome: Outcome,
    /// How long it took, where that is known.
    pub(super) took: Option<Duration>,
    /// Where it is exported.
    pub(super) span: Span,
}

/// Settles an attempt and stores all that follows from it. `None`: it could not be stored, and the lease will run out.
pub(super) async fn record(shared: &Arc<Shared>, policy: &Policy, attempt: Attempt) -> Option<Completion> {
    let Attempt { id, fence, link, request, attempts, uncertain, created, outcome, took, span } = attempt;
    let target = request.operation.target();
    // A person's retry of a request that died uncertainly has to look first too.
    let uncertain_death = uncertain || matches!(outcome, Outcome::Unknown(_));
    let now = shared.clock.now();
    let settlement = settle(&link, &request, attempts, outcome, policy);
    observe(&span, &link, &request, &settlement, attempts, took);
    let Settlement { step, link: mut changed, follow_ups, pause, alarm, note } = settlement;
    match alarm {
        Alarm::None => {}
        Alarm::Refused => tracing::error!(
            error.code = "sync.refused",
            request.key = %request.key,
            incident.id = %link.incident,
            "a request is not tried again and waits in the dead-letter queue"
        ),
        Alarm::Parked => tracing::error!(
            error.code = "link.parked",
            request.key = %request.key,
            incident.id = %link.incident,
            "a link is set aside for a person"
        ),
        Alarm::Exhausted => tracing::error!(
            error.code = "sync.exhausted",
            request.key = %request.key,
            incident.id = %link.incident,
            "a request failed for the last time and waits in the dead-letter queue"
        ),
        Alarm::Credentials => tracing::error!(
            error.code = "sync.credentials",
            integration = %link.integration,
            target = target.as_str(),
            "credentials were refused; the side is left alone until they are mended"
        ),
    }
    let notice = alarm::of_attempt(id, alarm, &step, &link, &request);
    if let Some(wait) = pause {
        shared.pause(target, &link.integration, now.plus(wait));
    }
    let end = match step {
        Next::Done => RequestEnd::Done,
        Next::Again { wait, failure, counted, uncertain: unsure, dead_letter } => RequestEnd::Again {
            due: now.plus(wait),
            state: if dead_letter { RequestState::DeadPending } else { RequestState::Retry },
            failure,
            counted,
            // Once uncertain, a series stays so: an attempt that certainly failed says nothing of the one before.
            uncertain: unsure || uncertain,
        },
        Next::Dead { failure } => {
            if uncertain_death && matches!(request.operation, Operation::CreateTicket { .. }) {
                changed.get_or_insert_with(|| link.clone()).memory.unsure = true;
            }
            RequestEnd::Dead { failure, uncertain: uncertain_death }
        }
        Next::Parked { failure } => RequestEnd::Parked { failure },
    };
    shared.traces.sealed(&span, follow_ups.iter());
    if !matches!(end, RequestEnd::Again { .. }) {
        shared.traces.ended(&span, &request);
    }
    let targets = follow_ups.iter().map(|request| request.operation.target()).chain([target]);
    let offer = Offer::of(shared, &link.integration, targets);
    let notes = vec![JournalNote { kind: format!("request.{}", request.operation.name()), text: note }];
    let follow_ups = follow_ups.into_iter().map(|request| NewRequest { request, due: now, event: None }).collect();
    let settled = Settled { id, fence, end, link: changed, follow_ups, notes, took: took.unwrap_or_default(), now };
    match shared.store.settle(settled, offer.room()).await {
        Ok(ended @ Ended { completion: Completion::Recorded, .. }) => {
            reached(stored(target));
            // An attempt whose outcome was not stored is made again, and tells then.
            if let Some(notice) = notice {
                shared.notify.notify(notice);
            }
            offer.take_up(shared, ended);
            metrics::histogram!("tandem_request_age_seconds", "target" => target.as_str())
                .record(now.since(created).as_secs_f64());
            Some(Completion::Recorded)
        }
        Ok(Ended { completion: Completion::Stale, .. }) => {
            offer.withdraw(shared);
            metrics::counter!("tandem_stale_completions_total").increment(1);
            failed(&span, "store.stale");
            tracing::warn!(error.code = "store.stale", request.key = %request.key, "an attempt ended after its lease");
            Some(Completion::Stale)
        }
        Err(error) => {
            offer.withdraw(shared);
            failed(&span, "store.settled");
            tracing::error!(
                error.code = "store.settled",
                error = %error,
                request.key = %request.key,
                "an attempt's outcome was not stored; it is looked into when the lease has expired"
            );
            None
        }
    }
}

fn poison(crashes: u32) -> crate::domain::outcome::Failure {
    crate::domain::outcome::Failure {
        code: "sync.poison".to_owned(),
        errno: None,
        status: None,
        summary: format!("the host died {crashes} times while delivering it"),
        detail: None,
        hint: Some("look at the request with `tandem queue show`, then retry or discard it".to_owned()),
    }
}

enum Prepared {
    Request(Request),
    /// Something it needs can't be had; nothing was sent.
    Stopped(Request, Outcome),
    /// The lease is gone.
    Stale,
}

/// The same with the short retries of an attempt: a look-up that failed once need not cost a whole one.
async fn prepared_in_time(
    shared: &Shared,
    integration: &Integration,
    id: RequestId,
    fence: Fence,
    mut request: Request,
    waits: &[Duration],
    deadline: Deadline<'_>,
) -> Prepared {
    for wait in waits {
        match prepared(shared, integration, id, fence, request).await {
            Prepared::Stopped(again, Outcome::NotApplied(_)) if deadline.check().is_ok() => request = again,
            done @ (Prepared::Request(_) | Prepared::Stopped(..) | Prepared::Stale) => return done,
        }
        tokio::time::sleep(*wait).await;
    }
    prepared(shared, integration, id, fence, request).await
}

/// Looks up the references that were not known when the request was sealed, and stores the completed request, so
/// that every attempt sends the same bytes.
async fn prepared(
    shared: &Shared,
    integration: &Integration,
    id: RequestId,
    fence: Fence,
    request: Request,
) -> Prepared {
    let references = match &request.operation {
        Operation::CreateTicket { references, .. } | Operation::UpdateTicket { references, .. } => references.clone(),
        Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::CommentIncident { .. }
        | Operation::ResolveIncident { .. } => Vec::new(),
    };
    if references.is_empty() {
        return Prepared::Request(request);
    }
    let mut resolved = Vec::with_capacity(references.len());
    for reference in references {
        match integration.servicenow.resolve(&reference).await {
            Ok(found) => {
                if found.is_none() {
                    metrics::counter!("tandem_references_unresolved_total", "table" => reference.table.clone())
                        .increment(1);
                }
                resolved.push((reference, found));
            }
            // A look-up changes nothing on the other side, so its failure is never uncertain.
            Err(Outcome::Unknown(failure)) => return Prepared::Stopped(request, Outcome::NotApplied(failure)),
            // ServiceNow refuses the look-up itself (no such table, no right to read it): the ticket goes without.
            Err(Outcome::Refused(failure) | Outcome::Missing(failure)) => {
                tracing::warn!(error.code = failure.code, "a reference cannot be looked up: {}", failure.summary);
                resolved.push((reference, None));
            }
            Err(
                outcome @ (Outcome::NotApplied(_) | Outcome::Paused { .. } | Outcome::Auth(_) | Outcome::Applied(_)),
            ) => {
                return Prepared::Stopped(request, outcome);
            }
        }
    }
    let request = seal::fill(request, &resolved);
    match shared.store.complete_seal(id, fence, request.clone()).await {
        Ok(Completion::Recorded) => Prepared::Request(request),
        Ok(Completion::Stale) => Prepared::Stale,
        Err(error) => {
            tracing::error!(error.code = "store.seal", error = %error, "a completed request was not stored");
            Prepared::Stale
        }
    }
}

/// One attempt, with its short retries for failures that certainly changed nothing.
async fn attempt(
    integration: &Integration,
    request: &Request,
    uncertain: bool,
    policy: &Policy,
    deadline: Deadline<'_>,
) -> Result<Outcome, Late> {
    let mut waits = policy.retry.within_attempt.iter();
    let mut last = None;
    loop {
        let outcome = match send(integration, request, uncertain, deadline).await {
            Ok(outcome) => outcome,
            // What was tried before certainly changed nothing, and is worth telling.
            Err(Late) => return last.ok_or(Late),
        };
        match (&outcome, waits.next()) {
            (Outcome::NotApplied(_), Some(wait)) => tokio::time::sleep(*wait).await,
            _ => return Ok(outcome),
        }
        last = Some(outcome);
    }
}

async fn send(
    integration: &Integration,
    request: &Request,
    uncertain: bool,
    deadline: Deadline<'_>,
) -> Result<Outcome, Late> {
    let bigpanda = &integration.bigpanda;
    let servicenow = &integration.servicenow;
    deadline.check()?;
    Ok(match &request.operation {
        Operation::CreateTicket { table, correlation_id, fields, .. } => {
            if uncertain && !broken(Safeguard::CorrelationLookup) {
                match servicenow.find(table, correlation_id).await {
                    Ok(found) => {
                        if found.len() > 1 {
                            tracing::error!(
                                error.code = "servicenow.duplicates",
                                "{} tickets carry {correlation_id}; the oldest is kept",
                                found.len()
                            );
                        }
                        if let Some(ticket) = found.into_iter().next() {
                            metrics::counter!("tandem_reconciled_total").increment(1);
                            let receipt = Receipt { ticket: Some(ticket), adopted: true, ..Receipt::default() };
                            return Ok(Outcome::Applied(receipt));
                        }
                    }
                    // Still uncertain: the look-up failed, so the create must not be repeated yet.
                    Err(outcome) => return Ok(as_unknown(outcome)),
                }
                deadline.check()?;
            }
            entering(Step::Sent, SENT_IN);
            servicenow.create(table, fields).await
        }
        Operation::UpdateTicket { table, ticket, fields, .. } => {
            let fields = match unsent(&**servicenow, table, ticket, fields, request, uncertain).await {
                Ok(fields) => fields,
                Err(outcome) => return Ok(as_unknown(outcome)),
            };
            deadline.check()?;
            entering(Step::Sent, SENT_IN);
            servicenow.update(table, ticket, &fields).await
        }
        Operation::Callback { incident, kind } => bigpanda.callback(incident, *kind).await,
        Operation::TagIncident { environment, incident, tag, value } if value.is_empty() => {
            bigpanda.remove_tag(environment, incident, tag).await
        }
        Operation::TagIncident { environment, incident, tag, value } => {
            bigpanda.set_tag(environment, incident, tag, value).await
        }
        Operation::ResolveIncident { environment, incident, text } => {
            bigpanda.resolve(environment, incident, text).await
        }
        Operation::CommentIncident { environment, incident, text, marker } => {
            if uncertain {
                match bigpanda.has_comment(incident, marker).await {
                    Ok(true) => return Ok(Outcome::Applied(Receipt { adopted: true, ..Receipt::default() })),
                    Ok(false) => deadline.check()?,
                    Err(outcome) => return Ok(as_unknown(outcome)),
                }
            }
            bigpanda.comment(environment, incident, text).await
        }
    })
}

/// The fields to send: all of them, without the journal entries that an uncertain earlier attempt already wrote.
async fn unsent(
    servicenow: &dyn servicenow::Api,
    table: &str,
    ticket: &SysId,
    fields: &[FieldValue],
    request: &Request,
    uncertain: bool,
) -> Result<Vec<FieldValue>, Outcome> {
    let journals = [Journal::WorkNotes.field(), Journal::Comments.field()];
    let is_journal = |field: &FieldValue| journals.contains(&field.field.as_str());
    if uncertain
        && fields.iter().any(is_journal)
        && servicenow.has_note(table, ticket, &seal::marker(&request.key)).await?
    {
        return Ok(fields.iter().filter(|field| !is_journal(field)).cloned().collect());
    }
    Ok(fields.to_vec())
}

/// A failed look-up leaves the question open that it was to answer.
fn as_unknown(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::NotApplied(failure) | Outcome::Refused(failure) | Outcome::Missing(failure) => {
            Outcome::Unknown(failure)
        }
        other @ (Outcome::Unknown(_) | Outcome::Paused { .. } | Outcome::Auth(_) | Outcome::Applied(_)) => other,
    }
}

/// One line and a few numbers per attempt.
fn observe(
    span: &Span,
    link: &Link,
    request: &Request,
    settlement: &Settlement,
    attempts: u32,
    took: Option<Duration>,
) {
    let operation = request.operation.name();
    let target = request.operation.target().as_str();
    let word = match &settlement.step {
        Next::Done => "applied",
        Next::Again { counted: true, .. } => "failed",
        Next::Again { counted: false, .. } => "paused",
        Next::Dead { .. } => "dead",
        Next::Parked { .. } => "parked",
    };
    traces::settled(span, settlement, word);
    metrics::counter!("tandem_attempts_total", "target" => target, "operation" => operation, "outcome" => word)
        .increment(1);
    if let Some(took) = took {
        metrics::histogram!("tandem_attempt_seconds", "target" => target, "operation" => operation)
            .record(took.as_secs_f64());
    }
    let key = &request.key;
    let milliseconds = took.map(|took| took.as_millis());
    match &settlement.step {
        Next::Done => {
            tracing::info!(
                integration = %link.integration,
                incident.id = %link.incident,
                request.key = %key,
                request.operation = operation,
                milliseconds,
                "{}",
                settlement.note
            );
        }
        Next::Again { failure, .. } | Next::Dead { failure } | Next::Parked { failure } => tracing::warn!(
            integration = %link.integration,
            incident.id = %link.incident,
            request.key = %key,
            request.operation = operation,
            request.attempt = attempts.saturating_add(1),
            error.code = failure.code,
            http.status = failure.status,
            milliseconds,
            "{}: {}",
            failure.summary,
            settlement.note
        ),
    }
}
