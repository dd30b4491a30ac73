//! What an event means for its link. One file per kind of event.
//!
//! The functions see what is known without asking anybody; what has to be asked (plugins, the other side) is asked
//! afterwards, and only where the decision says so. `plan` turns the answers into requests.

pub mod incident;
pub mod ticket;

use crate::domain::event::Event;
use crate::domain::link::Link;
use crate::domain::time::Timestamp;
use crate::engine::policy::Policy;

/// What is to be done about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// There is no ticket: ask the plugins for a whole record and create it. `closing`: it is over already.
    Create { closing: bool },
    /// There is a ticket: ask the plugins and write what differs from what was last written. `closing`: the incident
    /// is over, so the ticket is resolved.
    Update { closing: bool },
    /// Only what was written into the incident's history matters; the state is older than what was sent already.
    Notes,
    /// The incident came back after its ticket was resolved: ask whether to reopen it.
    Reopen,
    /// The ticket changed.
    Follow(ticket::Change),
    /// Too early to tell.
    Wait { until: Timestamp, why: String },
    /// Nothing follows.
    Nothing { why: String },
}

/// Decides about one event. Coalescing has happened: the event is the newest of its side.
pub fn decide(link: &Link, event: &Event, policy: &Policy, now: Timestamp) -> Decision {
    match event {
        Event::Shared(share) | Event::IncidentChanged(share) => incident::decide(link, share, policy, now),
        Event::TicketChanged(ticket) => ticket::decide(link, ticket, policy),
    }
}

fn nothing(why: &str) -> Decision {
    Decision::Nothing { why: why.to_owned() }
}
