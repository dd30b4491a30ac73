//! Holds what the demo tells against what the simulators have.

use crate::domain::link::Link;
use crate::domain::request::{Operation, Request};
use crate::engine::seal::CORRELATION_DISPLAY;
use crate::simulator::Handle;

/// Counts checks and keeps a sentence for each that failed.
#[derive(Debug, Default)]
pub(super) struct Checker {
    pub(super) checks: usize,
    pub(super) mismatches: Vec<String>,
}

impl Checker {
    fn equal(&mut self, what: &str, expected: &str, found: &str) {
        self.checks += 1;
        if expected != found {
            self.mismatches.push(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }

    /// A new ticket: exactly one, as the request says, and BigPanda knows of it.
    pub(super) fn created(&mut self, sides: &Handle, link: &Link, request: &Request) {
        let incident = link.incident.as_str();
        let tickets = sides.tickets_of(&link.correlation_id());
        self.equal(&format!("{incident}: tickets"), "1", &tickets.len().to_string());
        self.fields(sides, link, request);
        let Some(ticket) = &link.ticket else {
            return self.equal(&format!("{incident}: link"), "a ticket", "none");
        };
        let display = tickets.first().map_or("", |ticket| ticket.get("correlation_display"));
        self.equal(&format!("{incident}: correlation_display"), CORRELATION_DISPLAY, display);
        let tag = sides.tag(incident, &request.cause.response_tag).unwrap_or_default();
        self.equal(&format!("{incident}: link tag"), &ticket.url, &tag);
        let comments = sides.comments(incident);
        self.equal(&format!("{incident}: comments"), "1", &comments.len().to_string());
        let named = comments.iter().any(|comment| comment.text.contains(&ticket.number));
        self.equal(&format!("{incident}: comment names the ticket"), "true", &named.to_string());
        let callbacks = sides.callbacks().iter().filter(|callback| callback.incident_id == incident).count();
        self.equal(&format!("{incident}: callbacks"), "1", &callbacks.to_string());
    }

    /// An updated ticket has what the request wrote.
    pub(super) fn updated(&mut self, sides: &Handle, link: &Link, request: &Request) {
        self.fields(sides, link, request);
    }

    fn fields(&mut self, sides: &Handle, link: &Link, request: &Request) {
        let (Operation::CreateTicket { fields, .. } | Operation::UpdateTicket { fields, .. }) = &request.operation
        else {
            return;
        };
        let tickets = sides.tickets_of(&link.correlation_id());
        let Some(ticket) = tickets.first() else { return };
        for field in fields {
            let what = format!("{} {}", ticket.number, field.field);
            if field.field == "work_notes" || field.field == "comments" {
                let noted = ticket.texts(&field.field).contains(&field.value.as_str());
                self.equal(&what, "noted", if noted { "noted" } else { "missing" });
            } else {
                self.equal(&what, &field.value, ticket.get(&field.field));
            }
        }
    }
}
