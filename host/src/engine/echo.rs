//! Telling what changed from what merely came back.

use crate::domain::incident::Incident;
use crate::domain::link::Link;
use crate::domain::ticket::TicketState;
use crate::engine::seal::fingerprint;

/// A fingerprint of everything about an incident that a list of incidents shows. Equal outlines: nothing to fetch.
pub fn outline(incident: &Incident) -> String {
    use std::fmt::Write as _;
    let Incident { status, severity, active, flapping, snooze, maintenance, changed, updated, end, tags, .. } =
        incident;
    let mut text = format!(
        "{status:?} {severity:?} {active} {flapping} {} {:?} {maintenance:?} {changed:?} {updated:?} {end:?}",
        snooze.snoozed, snooze.until
    );
    let mut sorted: Vec<_> = tags.iter().collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    for tag in sorted {
        let _ = write!(text, "\n{}={}", tag.name, tag.value);
    }
    fingerprint(&text)
}

/// Whether a state of the incident is another one than the state that was handled last, and yet not newer by BigPanda's
/// clock, which counts in seconds.
pub fn as_new_as_known(link: &Link, incident: &Incident) -> bool {
    !link.memory.outline.is_empty() && incident.revision() == link.revision && outline(incident) != link.memory.outline
}

/// Whether a ticket is just what our own last write left behind. An entry in a journal would have made another version.
pub fn is_our_own(link: &Link, ticket: &TicketState) -> bool {
    link.ticket.as_ref().is_some_and(|known| known.sys_id == ticket.ticket.sys_id)
        && ticket.version() == link.memory.version
}
