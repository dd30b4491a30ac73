//! The last resort: what the host writes itself when no plugin could, so that an incident always gets its ticket.
//!
//! Plain facts and a work note that says what happened. Only a new ticket needs it; an existing one keeps what it
//! has.

use std::fmt::Write as _;

use super::description;
use super::short_description;
use crate::domain::id::PluginId;
use crate::domain::patch::{Hook, Op, Origin, Proposal, StoodIn};
use crate::domain::ticket::Journal;
use crate::plugin::chain::Run;

/// What the host calls itself as the origin of a proposal.
pub(in crate::plugin) const HOST: &str = "host";
const REASON: &str = "no plugin could write it";

/// Whether this event needs a minimal record for what no plugin wrote.
pub(super) fn wanted(run: &Run<'_>) -> bool {
    run.context.input.ticket.is_none()
}

pub(super) fn short_description(run: &Run<'_>) {
    let incident = &run.context.input.share.incident;
    let value = format!("BigPanda Incident: {} - {}", incident.id, incident.status.as_str());
    propose(run, Hook::ShortDescription, Op::Set { field: short_description::FIELD.into(), value });
}

pub(super) fn description(run: &Run<'_>) {
    let share = &run.context.input.share;
    let incident = &share.incident;
    let mut value = format!(
        "BigPanda incident {} is {}, with {} alerts.",
        incident.id,
        incident.status.as_str(),
        incident.alerts.len()
    );
    if !share.links.incident.is_empty() {
        // Writing to a string can't fail.
        let _ = write!(value, "\n{}", share.links.incident);
    }
    propose(run, Hook::Description, Op::Set { field: description::FIELD.into(), value });
}

/// One work note for all that was written by the host instead of a plugin.
pub(in crate::plugin) fn note(run: &mut Run<'_>) {
    let mut text = String::new();
    for failure in run.failures.iter().filter(|failure| failure.stood_in == StoodIn::Minimal) {
        let _ = write!(
            text,
            "\nThe plugin {} {} failed on {}: {}.",
            failure.plugin,
            failure.version,
            failure.hook.as_str(),
            failure.message
        );
    }
    if !text.is_empty() && wanted(run) {
        text.insert_str(0, "Tandem wrote the minimum for this ticket, because its plugins could not.");
        propose(run, Hook::Description, Op::AddNote { journal: Journal::WorkNotes, text });
    }
}

fn propose(run: &Run<'_>, hook: Hook, op: Op) {
    let Ok(plugin) = PluginId::new(HOST) else { return };
    // The dictionary may cut it; facts of an incident are never refused for what they say, but a strict dictionary
    // is right to have the last word.
    let Ok(op) = run.surroundings.dictionary.check(&op) else { return };
    let origin = Origin { plugin, digest: String::new(), hook };
    run.context.proposals.borrow_mut().push(Proposal { op, origin, reason: Some(REASON.into()), on_update: false });
}
