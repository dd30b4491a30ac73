//! What the outcome of an attempt changes: the request, the link, and what has to go back to BigPanda.
//!
//! Called by `sync::deliver` after each attempt. A request that was settled once is never settled again; the store
//! sees to that with its fences.

use std::time::Duration;

use super::policy::Policy;
use super::seal::{self, marker, request_key};
use crate::domain::id::{IncidentId, SysId};
use crate::domain::link::{Link, LinkState};
use crate::domain::outcome::{Failure, Outcome, Receipt};
use crate::domain::request::{Extra, Operation, Request, Target};
use crate::domain::share::ShareKind;
use crate::domain::ticket::{FieldValue, Journal, Phase, TicketRef};

/// What becomes of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Done,
    /// Try again after the wait.
    Again {
        wait: Duration,
        failure: Failure,
        /// Whether the attempt burns one of the budget.
        counted: bool,
        /// Whether to look before the next try.
        uncertain: bool,
        /// Whether it shows in the dead-letter queue from now on, though it is scheduled once more.
        dead_letter: bool,
    },
    /// In the dead-letter queue until a person decides.
    Dead {
        failure: Failure,
    },
    /// Set aside together with its link.
    Parked {
        failure: Failure,
    },
}

/// Whom an outcome concerns beyond its own request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    None,
    /// The last attempt failed; a person has to act.
    Exhausted,
    /// The request was refused for good: another try by itself would get the same answer.
    Refused,
    /// The record is gone, and the link waits for a person.
    Parked,
    /// Credentials were refused; the whole instance is paused.
    Credentials,
}

/// All that one outcome changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub step: Step,
    /// The link as it is from now on, where it changes.
    pub link: Option<Link>,
    pub follow_ups: Vec<Request>,
    /// How long to leave the whole target alone.
    pub pause: Option<Duration>,
    pub alarm: Alarm,
    /// A sentence for the link's history.
    pub note: String,
}

/// How long an instance is left alone after its credentials were refused, before one probing try.
pub const CREDENTIALS_PAUSE: Duration = Duration::from_mins(1);

/// Settles one attempt. `failures` is the number recorded before it.
pub fn settle(link: &Link, request: &Request, failures: u32, outcome: Outcome, policy: &Policy) -> Settlement {
    match outcome {
        Outcome::Applied(receipt) => applied(link, request, receipt, policy),
        Outcome::NotApplied(failure) => again(link, request, failures, failure, false, policy),
        Outcome::Unknown(failure) => again(link, request, failures, failure, true, policy),
        Outcome::Refused(failure) => dead(link, request, failure, policy),
        Outcome::Missing(failure) => missing(link, request, failure, policy),
        Outcome::Paused { failure, wait } => pause(failure, wait, Alarm::None),
        Outcome::Auth(failure) => pause(failure, CREDENTIALS_PAUSE, Alarm::Credentials),
    }
}

fn applied(link: &Link, request: &Request, receipt: Receipt, policy: &Policy) -> Settlement {
    let Receipt { ticket, adopted, version, unresolved } = receipt;
    let mut follow_ups = Vec::new();
    let (changed, note) = match &request.operation {
        Operation::CreateTicket { fields, .. } => match ticket {
            Some(ticket) if is_current(link, &ticket.sys_id) => {
                let mut link = link.clone();
                follow_ups.extend(mended(&mut link, request));
                (Some(link), format!("nothing was sent: {} is there already", ticket.number))
            }
            Some(ticket) => {
                let mut link = opened(link, &ticket);
                // Whatever the count begins with, nobody but us has touched a ticket that was just created.
                link.memory.version = version.filter(|_| !adopted).map_or(0, |version| version.saturating_sub(1));
                seal::written(fields, &mut link.written);
                remember(&mut link, fields, version);
                follow_ups = after_create(&link, request, &ticket, policy);
                follow_ups.extend(told_to_the_former(&link, request, &ticket, policy));
                link.error_shown = false;
                let how = if adopted { "found after an uncertain attempt" } else { "created" };
                (Some(link), format!("{} {how}", ticket.number))
            }
            // A confirmed create names its ticket; without it there is nothing to link, so look it up.
            None => {
                return again(link, request, 0, nameless(), true, policy);
            }
        },
        Operation::UpdateTicket { ticket: other, .. } if !is_current(link, other) => {
            (None, "an earlier ticket was told".to_owned())
        }
        Operation::UpdateTicket { fields, .. } => {
            let mut link = link.clone();
            seal::written(fields, &mut link.written);
            remember(&mut link, fields, version);
            // A person had it tried again, and the ticket is there after all.
            link.state = LinkState::Open;
            link.parked = None;
            follow_ups.extend(mended(&mut link, request));
            let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
            (Some(link), format!("ticket updated: {}", names.join(", ")))
        }
        Operation::Callback { .. } => (None, "BigPanda was called back".to_owned()),
        Operation::TagIncident { tag, value, .. } => {
            let what = if value.is_empty() { "taken away" } else { "set" };
            (None, format!("incident tag {tag} was {what}"))
        }
        Operation::CommentIncident { .. } => (None, "the incident was commented".to_owned()),
        Operation::ResolveIncident { .. } => (None, "BigPanda resolves the incident".to_owned()),
    };
    let note = if unresolved.is_empty() { note } else { format!("{note}; left empty: {}", unresolved.join(", ")) };
    Settlement { step: Step::Done, link: changed, follow_ups, pause: None, alarm: Alarm::None, note }
}

fn nameless() -> Failure {
    Failure {
        code: "servicenow.nameless".to_owned(),
        errno: None,
        status: None,
        summary: "ServiceNow confirmed a create without naming the ticket".to_owned(),
        detail: None,
        hint: None,
    }
}

/// What a write of ours leaves behind: the next poll finds this version and knows it. Only when it follows the version
/// that we knew: otherwise somebody else changed the ticket in between, and the poll has to look.
fn remember(link: &mut Link, fields: &[FieldValue], version: Option<i64>) {
    let known = link.memory.version;
    link.memory.version = version.filter(|version| *version == known.saturating_add(1)).unwrap_or(known);
    if let Some(state) = fields.iter().find(|field| field.field == "state") {
        link.memory.phase = Phase::of_state(&state.value);
    }
}

/// A series of failures is over: the ticket's address takes the place of the word `error`.
fn mended(link: &mut Link, request: &Request) -> Option<Request> {
    let shown = std::mem::take(&mut link.error_shown);
    let ticket = link.ticket.as_ref().filter(|_| shown)?;
    tag(&link.incident, request, &ticket.url)
}

fn is_current(link: &Link, ticket: &SysId) -> bool {
    link.ticket.as_ref().is_some_and(|current| current.sys_id == *ticket)
}

/// Whether a request concerns a ticket that another one has replaced.
fn is_of_former(link: &Link, request: &Request) -> bool {
    match &request.operation {
        Operation::UpdateTicket { ticket, .. } => !is_current(link, ticket),
        Operation::CreateTicket { .. }
        | Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::CommentIncident { .. }
        | Operation::ResolveIncident { .. } => false,
    }
}

/// The ticket that a new one replaces gets a note that names it.
fn told_to_the_former(link: &Link, request: &Request, ticket: &TicketRef, policy: &Policy) -> Option<Request> {
    let former = link.memory.former.last()?;
    let key = request_key(crate::domain::id::LinkId(0), request.key.as_str(), "former");
    let mut fields = Vec::new();
    let note = format!("The incident came back and goes on in {}: {}", ticket.number, ticket.url);
    seal::append_notes(&mut fields, &[(Journal::WorkNotes, note)], &key);
    let operation = Operation::UpdateTicket {
        table: policy.table.clone(),
        ticket: former.sys_id.clone(),
        fields,
        references: Vec::new(),
    };
    Some(Request {
        key,
        operation,
        cause: request.cause.clone(),
        lineage: Vec::new(),
        generation: 0,
        extra: Extra::default(),
    })
}

fn opened(link: &Link, ticket: &TicketRef) -> Link {
    let mut link = Link { state: LinkState::Open, ticket: Some(ticket.clone()), ..link.clone() };
    link.memory.unsure = false;
    link
}

fn again(
    link: &Link,
    request: &Request,
    failures: u32,
    failure: Failure,
    uncertain: bool,
    policy: &Policy,
) -> Settlement {
    let failed = failures.saturating_add(1);
    let attempts = policy.retry.attempts.max(1);
    if failed >= attempts {
        return Settlement { alarm: Alarm::Exhausted, ..dead(link, request, failure, policy) };
    }
    let note =
        format!("attempt {failed} of {attempts} failed ({}); next in {}", failure.code, minutes(policy.retry.spacing));
    let (changed, follow_ups) = show_error(link, request, &failure, &next_words(policy.retry.spacing), policy);
    let step = Step::Again {
        wait: policy.retry.spacing,
        failure,
        counted: true,
        uncertain,
        dead_letter: failed.saturating_add(1) >= attempts,
    };
    Settlement { step, link: changed, follow_ups, pause: None, alarm: Alarm::None, note }
}

fn dead(link: &Link, request: &Request, failure: Failure, policy: &Policy) -> Settlement {
    let note = format!("given up ({}); it waits in the dead-letter queue", failure.code);
    let next = "It is not tried again by itself; an operator of Tandem has to look at it.";
    let (changed, follow_ups) = show_error(link, request, &failure, next, policy);
    Settlement { step: Step::Dead { failure }, link: changed, follow_ups, pause: None, alarm: Alarm::Refused, note }
}

/// The record to change is gone. Nothing is created anew by itself; the link waits for a person.
fn missing(link: &Link, request: &Request, failure: Failure, policy: &Policy) -> Settlement {
    match request.operation.target() {
        Target::BigPanda => dead(link, request, failure, policy),
        Target::ServiceNow if is_of_former(link, request) => dead(link, request, failure, policy),
        Target::ServiceNow => {
            let next = "The link is parked until an operator of Tandem decides.";
            let (changed, follow_ups) = show_error(link, request, &failure, next, policy);
            // Whoever has been told that it is parked need not hear it again.
            let alarm = if link.state == LinkState::Parked { Alarm::None } else { Alarm::Parked };
            let mut link = changed.unwrap_or_else(|| link.clone());
            link.state = LinkState::Parked;
            link.parked = Some(failure.summary.clone());
            let note = format!("parked: {}", failure.summary);
            let step = Step::Parked { failure };
            Settlement { step, link: Some(link), follow_ups, pause: None, alarm, note }
        }
    }
}

fn pause(failure: Failure, wait: Duration, alarm: Alarm) -> Settlement {
    let note = format!("paused for {} ({})", minutes(wait), failure.code);
    let step = Step::Again { wait, failure, counted: false, uncertain: false, dead_letter: false };
    Settlement { step, link: None, follow_ups: Vec::new(), pause: Some(wait), alarm, note }
}

/// Callback, link tag and comment, in this order: the callback releases the updates that BigPanda holds back.
fn after_create(link: &Link, request: &Request, ticket: &TicketRef, policy: &Policy) -> Vec<Request> {
    let mut requests = Vec::new();
    requests.extend(callback(link, request, policy));
    if policy.follow_ups.tag {
        requests.extend(tag(&link.incident, request, &ticket.url));
    }
    if policy.follow_ups.comment {
        let text = format!("ServiceNow ticket {} was created: {}", ticket.number, ticket.url);
        requests.extend(comment(&link.incident, request, "comment", &text));
    }
    requests
}

/// Tells the incident about a failure, once per series of failures. A request to BigPanda itself never does: a
/// failed comment must not lead to a comment.
fn show_error(
    link: &Link,
    request: &Request,
    failure: &Failure,
    next: &str,
    policy: &Policy,
) -> (Option<Link>, Vec<Request>) {
    if request.operation.target() == Target::BigPanda || link.error_shown || is_of_former(link, request) {
        return (None, Vec::new());
    }
    let mut requests = Vec::new();
    if matches!(request.operation, Operation::CreateTicket { .. }) {
        requests.extend(callback(link, request, policy));
    }
    if policy.follow_ups.tag {
        requests.extend(tag(&link.incident, request, "error"));
    }
    if policy.follow_ups.comment {
        requests.extend(comment(&link.incident, request, "error-comment", &error_text(failure, next)));
    }
    (Some(Link { error_shown: true, ..link.clone() }), requests)
}

fn error_text(failure: &Failure, next: &str) -> String {
    let mut text = format!("Tandem could not write to ServiceNow: {}", failure.summary);
    if let Some(errno) = failure.errno.as_ref().filter(|errno| !failure.summary.contains(errno.as_str())) {
        text.push_str(" (");
        text.push_str(errno);
        text.push(')');
    }
    text.push('.');
    // Without an answer the detail is a word of our own machine.
    if let Some(detail) = failure.detail.as_ref().filter(|_| !failure.code.starts_with("transport.")) {
        text.push_str(" ServiceNow says: ");
        text.push_str(detail.trim_end_matches('.'));
        text.push('.');
    }
    text.push(' ');
    text.push_str(next);
    text
}

fn next_words(spacing: Duration) -> String {
    format!("It is tried again in {}.", minutes(spacing))
}

/// A duration in the largest unit that gives a whole number.
fn minutes(wait: Duration) -> String {
    let seconds = wait.as_secs();
    match (seconds % 60, seconds / 60) {
        (0, 1) => "1 minute".to_owned(),
        (0, whole) if whole > 0 => format!("{whole} minutes"),
        _ if wait.subsec_millis() > 0 && seconds < 10 => format!("{:.1} seconds", wait.as_secs_f64()),
        _ => format!("{seconds} seconds"),
    }
}

fn follow_up(request: &Request, name: &str, operation: Operation) -> Request {
    let link_free = request_key(crate::domain::id::LinkId(0), request.key.as_str(), name);
    Request {
        key: link_free,
        operation,
        cause: request.cause.clone(),
        lineage: Vec::new(),
        generation: 0,
        extra: Extra::default(),
    }
}

/// A create answers the share that locked the incident, which is the first one, though newer ones may have
/// coalesced with it.
fn callback(link: &Link, request: &Request, policy: &Policy) -> Option<Request> {
    policy.follow_ups.callback.then(|| {
        let kind = if request.cause.kind == ShareKind::Manual { ShareKind::Manual } else { ShareKind::New };
        let operation = Operation::Callback { incident: link.incident.clone(), kind };
        follow_up(request, "callback", operation)
    })
}

/// Without an environment BigPanda takes no write-back, so there is nothing to send.
fn tag(incident: &IncidentId, request: &Request, value: &str) -> Option<Request> {
    let environment = request.cause.environment.clone()?;
    let operation = Operation::TagIncident {
        environment,
        incident: incident.clone(),
        tag: request.cause.response_tag.clone(),
        value: value.to_owned(),
    };
    Some(follow_up(request, &format!("tag/{value}"), operation))
}

fn comment(incident: &IncidentId, request: &Request, name: &str, text: &str) -> Option<Request> {
    let environment = request.cause.environment.clone()?;
    let key = request_key(crate::domain::id::LinkId(0), request.key.as_str(), name);
    let marker = marker(&key);
    let text = format!("{text} {marker}");
    let operation = Operation::CommentIncident { environment, incident: incident.clone(), text, marker };
    Some(follow_up(request, name, operation))
}

#[cfg(test)]
mod tests;
