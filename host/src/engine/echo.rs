//! Telling what changed from what merely came back.

use crate::domain::incident::{Incident, Tag};
use crate::domain::link::Link;
use crate::domain::ticket::TicketState;
use crate::engine::seal::fingerprint;

/// A fingerprint of everything about an incident that a list of incidents shows. Equal outlines: nothing to fetch.
pub fn outline(incident: &Incident) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let _ = write!(text, "{:?} {:?}", incident.changed, incident.updated);
    write_state(&mut text, incident, |_| true);
    fingerprint(&text)
}

/// The same without what our own tag changes: neither it nor the times of the last change. Equal essences: whatever
/// happened since was our own doing, or nothing that a list of incidents shows.
pub fn essence(incident: &Incident, response_tag: &str) -> String {
    let mut text = String::new();
    write_state(&mut text, incident, |tag| tag.name != response_tag);
    fingerprint(&text)
}

fn write_state(text: &mut String, incident: &Incident, counts: impl Fn(&Tag) -> bool) {
    use std::fmt::Write as _;
    let Incident { status, severity, active, flapping, snooze, maintenance, end, tags, .. } = incident;
    let _ = write!(
        text,
        "{status:?} {severity:?} {active} {flapping} {} {:?} {maintenance:?} {end:?}",
        snooze.snoozed, snooze.until
    );
    let mut sorted: Vec<_> = tags.iter().filter(|tag| counts(tag)).collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    for tag in sorted {
        let _ = write!(text, "\n{}={}", tag.name, tag.value);
    }
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
