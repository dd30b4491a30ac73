//! What follows from a change of the ticket.

use super::pairs::{Outcome, Sides};
use super::{Plan, ToIncident};
use crate::domain::event::Occasion;
use crate::domain::id::EventId;
use crate::domain::incident::Incident;
use crate::domain::link::{Link, Memory};
use crate::domain::patch::{Hook, Op, Settlement, Transformation};
use crate::domain::request::Extra;
use crate::domain::ticket::{Journal, Note, Phase, TicketState};
use crate::domain::time::Timestamp;
use crate::engine::decide::ticket::{Change, Turn};
use crate::engine::policy::Policy;
use crate::engine::seal;

/// Everything that the plan depends on beside the link.
#[derive(Clone, Copy)]
pub struct Answers<'a> {
    pub event: EventId,
    pub ticket: &'a TicketState,
    pub change: &'a Change,
    /// What plugins said, where they were asked.
    pub transformation: &'a Transformation,
    pub settlements: &'a [Settlement],
    /// The incident as it is now, where it was asked for.
    pub incident: Option<&'a Incident>,
    pub policy: &'a Policy,
    pub now: Timestamp,
}

/// Plans what BigPanda is told.
pub fn plan(link: Link, answers: Answers<'_>) -> Plan {
    let Answers { event, ticket, change, transformation, policy, .. } = answers;
    let before = link;
    let mut link = before.clone();
    let number = &ticket.ticket.number;
    let mut back = ToIncident::new(&before, event, policy);
    if link.ticket.is_none() {
        link.found(ticket);
        back.said.push(format!("{number} was found in ServiceNow"));
    }
    if change.fields {
        link.memory.version = link.memory.version.max(ticket.version());
        link.memory.phase = ticket.phase();
    }
    match change.turn {
        Turn::None => {}
        Turn::Ended => {
            if policy.resolve_incident && !before.memory.resolved && before.memory.resolving.is_none() {
                back.resolve(format!("ServiceNow ticket {number} was {}.", ended(ticket.phase())));
                link.memory.resolving = Some(answers.now);
            }
            if let Some(remark) = &transformation.closing_comment {
                back.comment("closure", &remark.text);
            }
        }
        Turn::Reopened => {
            if before.memory.resolved || before.memory.resolving.is_some() {
                let text = format!(
                    "ServiceNow ticket {number} was reopened. BigPanda cannot reopen an incident by itself; the next \
                     alert does."
                );
                back.comment("reopened", &text);
            }
            link.memory.resolving = None;
        }
    }
    let mut amend = Extra::default();
    if let Some(incident) = answers.incident.filter(|_| change.fields) {
        let sides = Sides { link: &before, incident, ticket: Some(ticket), transformation, policy };
        let Outcome { set, tags, agreed, lost, .. } = sides.settle(Occasion::TicketChanged, answers.settlements);
        back.tell(&tags, &lost);
        amend.notes.extend(lost.into_iter().map(|text| (Journal::WorkNotes, text)));
        amend.set = set;
        link.memory.agreed.extend(agreed);
        further_tags(&mut back, &mut link, incident, transformation, policy);
    }
    for note in &change.notes {
        if Memory::pass_on(&mut link.memory.notes, &note.id) {
            back.comment(&note.id, &comment(number, note));
        }
    }
    let ToIncident { mut requests, said, .. } = back;
    if !amend.set.is_empty() || !amend.notes.is_empty() {
        requests.push(seal::amend(&before, &ticket.ticket.sys_id, event, &amend, policy));
    }
    Plan { link, requests, said }
}

/// Tags that plugins set from the ticket without a pair of theirs in the mapping: written when they differ.
fn further_tags(
    back: &mut ToIncident<'_>,
    link: &mut Link,
    incident: &Incident,
    transformation: &Transformation,
    policy: &Policy,
) {
    let of_tags = transformation.proposals.iter().filter(|proposal| proposal.origin.hook == Hook::Tags);
    for (number, proposal) in of_tags.enumerate() {
        let (tag, value) = match &proposal.op {
            Op::Set { field, value } | Op::Append { field, value } => (field, value.as_str()),
            Op::Unset { field } => (field, ""),
            Op::AddNote { text, .. } => {
                back.comment(&format!("plugin/{number}"), text);
                continue;
            }
            Op::SetReference(_) => continue,
        };
        let mapped = policy.pairs.iter().any(|pair| pair.tag == *tag);
        let known = link.memory.agreed.get(tag).map(|agreed| agreed.tag.as_str());
        if !mapped && incident.tag(tag).unwrap_or("") != value && known != Some(value) {
            back.tag(tag, value);
            value.clone_into(&mut link.memory.agreed.entry(tag.clone()).or_default().tag);
        }
    }
}

fn ended(phase: Phase) -> &'static str {
    match phase {
        Phase::Open | Phase::Resolved => "resolved",
        Phase::Closed => "closed",
    }
}

fn comment(number: &str, note: &Note) -> String {
    let what = match note.journal {
        Journal::WorkNotes => "work note",
        Journal::Comments => "comment",
    };
    let by = if note.by.is_empty() { String::new() } else { format!(" by {}", note.by) };
    format!("{number}, {what}{by}: {}", note.text)
}
