//! What concerns a person, as a notice. `deliver`, `intake` and the pollers call it, each once what happened is stored;
//! the words are about the one occurrence, gathering is the business of whoever tells them.

use super::runtime::Shared;
use crate::domain::id::{EventId, IntegrationName, RequestId};
use crate::domain::link::Link;
use crate::domain::notice::Notice;
use crate::domain::outcome::Failure;
use crate::domain::request::{Operation, Request, Target};
use crate::engine::settle::{Alarm, Step};

/// Code of every notice about a parked link, whatever parked it.
const PARKED: &str = "link.parked";
/// Code of every notice about events that were set aside.
const QUARANTINED: &str = "event.quarantined";
/// Most events that a notice names.
const NAMED: usize = 10;

/// The notice that an attempt's end asks for.
pub(super) fn of_attempt(id: RequestId, alarm: Alarm, step: &Step, link: &Link, request: &Request) -> Option<Notice> {
    let failure = match step {
        Step::Again { failure, .. } | Step::Dead { failure } | Step::Parked { failure } => failure,
        Step::Done => return None,
    };
    let (code, title, next) = match alarm {
        Alarm::None => return None,
        Alarm::Exhausted => (
            failure.code.as_str(),
            "a request failed for the last time".to_owned(),
            "It waits in the dead-letter queue: `tandem queue list` shows it, `tandem queue retry` tries again."
                .to_owned(),
        ),
        Alarm::Refused => (
            failure.code.as_str(),
            "a request failed and is not tried again".to_owned(),
            format!(
                "It waits in the dead-letter queue: `tandem queue show {id}` says more, `tandem queue retry {id}` tries \
                 again once the cause is gone."
            ),
        ),
        Alarm::Parked => (
            PARKED,
            "a link is parked".to_owned(),
            format!(
                "Nothing is written for this incident until a person acts: `tandem queue retry {id}` once the record is \
                 there again, `tandem queue discard {id}` if it is to stay so."
            ),
        ),
        Alarm::Credentials => (failure.code.as_str(), refuses(request.operation.target()), WAITS.to_owned()),
    };
    let mut lines = vec![format!("{} failed: {}.", doing(&request.operation), sentence(failure))];
    lines.extend(failure.hint.as_ref().map(|hint| format!("Hint: {hint}.")));
    lines.push(next);
    Some(about(link, code, title, lines))
}

/// A link was parked while one of its events was looked at.
pub(super) fn parked(link: &Link, why: &str) -> Notice {
    let next = "Nothing is written for this incident until somebody shares it again from BigPanda.".to_owned();
    about(link, PARKED, "a link is parked".to_owned(), vec![full_stop(why), next])
}

/// Events were set aside.
pub(super) fn quarantined(link: &Link, events: &[EventId], why: &str) -> Notice {
    let title = match events {
        [_] => "an event is quarantined".to_owned(),
        _ => format!("{} events of an incident are quarantined", events.len()),
    };
    let numbers: Vec<String> = events.iter().take(NAMED).map(|event| format!("e{event}")).collect();
    let next = format!(
        "What comes after is handled; this waits for a person: `tandem queue retry {}` has it looked at again, \
         `tandem queue discard` gives it up, `tandem queue list --quarantined` shows all.",
        numbers.join(" ")
    );
    about(link, QUARANTINED, title, vec![full_stop(why), next])
}

/// A side refuses us even when it is only looked at.
pub(super) fn refused(shared: &Shared, integration: &IntegrationName, side: Target, failure: &Failure) {
    let mut lines = vec![format!("Looking for changes failed: {}.", sentence(failure))];
    lines.extend(failure.hint.as_ref().map(|hint| format!("Hint: {hint}.")));
    lines.push(WAITS.to_owned());
    shared.notify.notify(Notice {
        integration: integration.clone(),
        code: failure.code.clone(),
        title: refuses(side),
        lines,
        incident: None,
        ticket: None,
    });
}

const WAITS: &str = "Everything for that side waits, and goes on by itself once the credentials are mended.";

fn about(link: &Link, code: &str, title: String, lines: Vec<String>) -> Notice {
    Notice {
        integration: link.integration.clone(),
        code: code.to_owned(),
        title,
        lines,
        incident: Some(link.incident.clone()),
        ticket: link.ticket.clone(),
    }
}

fn refuses(side: Target) -> String {
    format!("{} refuses our credentials", side_name(side))
}

fn side_name(side: Target) -> &'static str {
    match side {
        Target::ServiceNow => "ServiceNow",
        Target::BigPanda => "BigPanda",
    }
}

fn doing(operation: &Operation) -> &'static str {
    match operation {
        Operation::CreateTicket { .. } => "Creating the ticket",
        Operation::UpdateTicket { .. } => "Updating the ticket",
        Operation::Callback { .. } => "Calling BigPanda back",
        Operation::TagIncident { .. } => "Tagging the incident",
        Operation::CommentIncident { .. } => "Commenting on the incident",
        Operation::ResolveIncident { .. } => "Resolving the incident",
    }
}

fn sentence(failure: &Failure) -> String {
    let text = match &failure.detail {
        Some(detail) => format!("{}: {detail}", failure.summary),
        None => failure.summary.clone(),
    };
    text.trim_end_matches('.').to_owned()
}

/// Reasons begin in the middle of a sentence; a notice's line is a whole one.
fn full_stop(why: &str) -> String {
    let mut letters = why.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
