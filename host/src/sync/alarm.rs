//! An outcome that concerns a person, as a notice. `deliver` and the pollers call it; the words are about the one request, gathering is
//! the business of whoever tells them.

use super::runtime::Shared;
use crate::domain::id::IntegrationName;
use crate::domain::link::Link;
use crate::domain::notice::Notice;
use crate::domain::outcome::Failure;
use crate::domain::request::{Operation, Request, Target};
use crate::engine::settle::{Alarm, Settlement, Step};

/// Tells the operators, where the settlement asks for it.
pub(super) fn raise(shared: &Shared, settlement: &Settlement, link: &Link, request: &Request) {
    if let Some(notice) = notice(settlement, link, request) {
        shared.notify.notify(notice);
    }
}

/// Tells the operators that a side refuses us even when it is only looked at.
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

fn refuses(side: Target) -> String {
    format!("{} refuses our credentials", side_name(side))
}

fn notice(settlement: &Settlement, link: &Link, request: &Request) -> Option<Notice> {
    let failure = match &settlement.step {
        Step::Again { failure, .. } | Step::Dead { failure } | Step::Parked { failure } => failure,
        Step::Done => return None,
    };
    let side = request.operation.target();
    let (title, next) = match settlement.alarm {
        Alarm::None => return None,
        Alarm::Exhausted => (
            "a request failed for the last time".to_owned(),
            "It waits in the dead-letter queue: `tandem queue list` shows it, `tandem queue retry` tries again."
                .to_owned(),
        ),
        Alarm::Credentials => (refuses(side), WAITS.to_owned()),
    };
    let mut lines = vec![format!("{} failed: {}.", doing(&request.operation), sentence(failure))];
    lines.extend(failure.hint.as_ref().map(|hint| format!("Hint: {hint}.")));
    lines.push(next);
    Some(Notice {
        integration: link.integration.clone(),
        code: failure.code.clone(),
        title,
        lines,
        incident: Some(link.incident.clone()),
        ticket: link.ticket.clone(),
    })
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
