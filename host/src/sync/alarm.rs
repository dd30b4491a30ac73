//! An outcome that concerns a person, as a notice. `deliver` calls it; the words are about the one request, gathering is
//! the business of whoever tells them.

use super::runtime::Shared;
use crate::domain::link::Link;
use crate::domain::notice::Notice;
use crate::domain::outcome::Failure;
use crate::domain::request::{Operation, Request};
use crate::engine::settle::{Alarm, Settlement, Step};

/// Tells the operators, where the settlement asks for it.
pub(super) fn raise(shared: &Shared, settlement: &Settlement, link: &Link, request: &Request) {
    if let Some(notice) = notice(settlement, link, request) {
        shared.notify.notify(notice);
    }
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
        Alarm::Credentials => (
            format!("{} refuses our credentials", side_name(side)),
            "Everything for that side waits, and goes on by itself once the credentials are mended.".to_owned(),
        ),
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

fn side_name(side: crate::domain::request::Target) -> &'static str {
    match side {
        crate::domain::request::Target::ServiceNow => "ServiceNow",
        crate::domain::request::Target::BigPanda => "BigPanda",
    }
}

fn doing(operation: &Operation) -> &'static str {
    match operation {
        Operation::CreateTicket { .. } => "Creating the ticket",
        Operation::UpdateTicket { .. } => "Updating the ticket",
        Operation::Callback { .. } => "Calling BigPanda back",
        Operation::TagIncident { .. } => "Tagging the incident",
        Operation::CommentIncident { .. } => "Commenting on the incident",
    }
}

fn sentence(failure: &Failure) -> String {
    let text = match &failure.detail {
        Some(detail) => format!("{}: {detail}", failure.summary),
        None => failure.summary.clone(),
    };
    text.trim_end_matches('.').to_owned()
}
