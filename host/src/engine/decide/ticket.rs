//! A poll found the ticket changed.

use super::{Decision, nothing};
use crate::domain::link::{Link, LinkState, Memory};
use crate::domain::ticket::{Note, Phase, TicketState};
use crate::engine::policy::Policy;
use crate::engine::seal::is_ours;

/// How a ticket differs from what was last known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub turn: Turn,
    /// Its fields are another version, so the mapped ones have to be compared.
    pub fields: bool,
    /// Entries of its journals that belong to the incident, oldest first.
    pub notes: Vec<Note>,
}

/// How a ticket's life went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    None,
    /// Resolved, closed or cancelled.
    Ended,
    /// Open again.
    Reopened,
}

/// A version that we know is an echo: what a write of ours left behind.
pub fn decide(link: &Link, ticket: &TicketState, policy: &Policy) -> Decision {
    if link.state == LinkState::Parked {
        return nothing("the link is parked for a person to look at");
    }
    let notes = new_notes(&link.memory, ticket, policy);
    let Some(known) = &link.ticket else {
        // A ticket of ours that the store doesn't know, as after a restore of an old backup.
        return Decision::Follow(Change { turn: Turn::None, fields: false, notes });
    };
    if known.sys_id != ticket.ticket.sys_id {
        if notes.is_empty() {
            return nothing("it is an earlier ticket of the incident");
        }
        return Decision::Follow(Change { turn: Turn::None, fields: false, notes });
    }
    let fields = ticket.version() > link.memory.version;
    if !fields && notes.is_empty() {
        return nothing("it is what we know already");
    }
    let turn = match (link.memory.phase, ticket.phase()) {
        _ if !fields => Turn::None,
        (Phase::Open, Phase::Resolved | Phase::Closed) => Turn::Ended,
        (Phase::Resolved | Phase::Closed, Phase::Open) => Turn::Reopened,
        (Phase::Open, Phase::Open) | (Phase::Resolved | Phase::Closed, Phase::Resolved | Phase::Closed) => Turn::None,
    };
    Decision::Follow(Change { turn, fields, notes })
}

fn new_notes(memory: &Memory, ticket: &TicketState, policy: &Policy) -> Vec<Note> {
    let wanted = |note: &&Note| {
        policy.notes_from.contains(&note.journal) && !is_ours(&note.text) && !memory.notes.contains(&note.id)
    };
    ticket.notes.iter().filter(wanted).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ticket::Journal;
    use crate::engine::seal::samples;

    fn ticket(version: i64, state: &str) -> TicketState {
        samples::ticket_state(&[("sys_mod_count", &version.to_string()), ("state", state)])
    }

    fn link(phase: Phase) -> Link {
        let memory = Memory { phase, version: 4, ..Memory::default() };
        Link { memory, ..samples::open_link() }
    }

    fn turn(phase: Phase, version: i64, state: &str) -> Option<Turn> {
        match decide(&link(phase), &ticket(version, state), &Policy::default()) {
            Decision::Follow(change) => Some(change.turn),
            Decision::Nothing { .. } => None,
            Decision::Create { .. }
            | Decision::Update { .. }
            | Decision::Notes
            | Decision::Reopen
            | Decision::Wait { .. } => panic!(),
        }
    }

    #[test]
    fn a_version_that_we_left_behind_is_an_echo() {
        assert_eq!(turn(Phase::Open, 4, "6"), None);
        assert_eq!(turn(Phase::Open, 3, "6"), None);
        assert_eq!(turn(Phase::Open, 5, "6"), Some(Turn::Ended));
    }

    #[test]
    fn turns_are_changes_of_phase() {
        assert_eq!(turn(Phase::Open, 5, "2"), Some(Turn::None));
        assert_eq!(turn(Phase::Open, 5, "7"), Some(Turn::Ended));
        assert_eq!(turn(Phase::Open, 5, "8"), Some(Turn::Ended));
        assert_eq!(turn(Phase::Resolved, 5, "7"), Some(Turn::None), "closing what was resolved is no news");
        assert_eq!(turn(Phase::Resolved, 5, "2"), Some(Turn::Reopened));
    }

    #[test]
    fn notes_pass_once_and_never_our_own() {
        let policy = Policy { notes_from: vec![Journal::WorkNotes], ..Policy::default() };
        let note = |id: &str, journal, text: &str| Note {
            id: id.to_owned(),
            journal,
            text: text.to_owned(),
            by: "ann".to_owned(),
            at: "2026-01-01 00:00:00".to_owned(),
        };
        let mut found = ticket(4, "2");
        found.notes = vec![
            note("a", Journal::WorkNotes, "looking into it"),
            note("b", Journal::WorkNotes, "The incident is snoozed. [tandem:0123]"),
            note("c", Journal::Comments, "for the caller"),
            note("d", Journal::WorkNotes, "passed on already"),
        ];
        let mut link = link(Phase::Open);
        link.memory.notes = vec!["d".to_owned()];
        let Decision::Follow(change) = decide(&link, &found, &policy) else { panic!() };
        assert_eq!(change.notes.iter().map(|note| note.id.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
