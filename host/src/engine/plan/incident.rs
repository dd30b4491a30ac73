//! What follows from a change of the incident.

use super::pairs::{Outcome, Sides};
use super::{Plan, ToIncident};
use crate::domain::event::Occasion;
use crate::domain::id::EventId;
use crate::domain::incident::{Activity, ActivityKind};
use crate::domain::link::{Agreed, Former, Link, LinkState, Memory};
use crate::domain::patch::{Settlement, Transformation};
use crate::domain::request::Extra;
use crate::domain::share::Share;
use crate::domain::ticket::{FieldValue, Journal, Phase, Reference, TicketState};
use crate::domain::time::Timestamp;
use crate::engine::compose::Known;
use crate::engine::decide::{Decision, incident::is_over};
use crate::engine::policy::Policy;
use crate::engine::reopen::{self, Fate};
use crate::engine::seal::{self, Material};
use crate::engine::{echo, marks};

/// Everything that the plan depends on beside the link.
#[derive(Clone, Copy)]
pub struct Answers<'a> {
    pub event: EventId,
    pub occasion: Occasion,
    pub share: &'a Share,
    pub decision: &'a Decision,
    pub transformation: &'a Transformation,
    pub settlements: &'a [Settlement],
    /// The ticket as it is now, where it was asked for.
    pub ticket: Option<&'a TicketState>,
    /// The incident's history, oldest first, where it was asked for.
    pub activities: &'a [Activity],
    pub policy: &'a Policy,
    pub now: Timestamp,
}

/// Plans a create, an update or a return of an incident.
pub fn plan(link: Link, answers: Answers<'_>, look_up: &dyn Fn(&Reference) -> Known) -> Plan {
    let Answers { event, share, decision, transformation, policy, .. } = answers;
    let incident = &share.incident;
    if *decision == Decision::Notes {
        return notes_only(link, &answers);
    }
    let before = link;
    let mut link = before.clone();
    if share.environment_id.is_some() {
        link.environment.clone_from(&share.environment_id);
    }
    link.revision = link.revision.max(incident.revision());
    let over = is_over(incident);
    let closing = matches!(decision, Decision::Create { closing: true } | Decision::Update { closing: true });
    let mut extra = Extra { notes: notes(&before.memory, &mut link.memory, &answers), ..Extra::default() };
    let duplicate = duplicate(&before, &answers);
    let is_duplicate = !duplicate.is_empty();
    extra.set.extend(duplicate);
    if over && !before.memory.resolved && before.memory.phase == Phase::Open && !closing && !is_duplicate {
        extra.notes.push((Journal::WorkNotes, "The incident was resolved in BigPanda.".to_owned()));
    }
    link.memory.resolved = over;
    link.memory.changes.clone_from(&incident.changes);
    link.memory.summary.clone_from(&incident.summary);
    if over || *decision == Decision::Reopen {
        link.memory.resolving = None;
    }
    link.memory.outline = echo::outline(incident);
    link.memory.essence = echo::essence(incident, &policy.response_tag);
    let mut said = Vec::new();
    if *decision == Decision::Reopen {
        let answer = transformation.reopening.as_ref();
        match reopen::fate(&before, incident, answers.ticket, answer, policy, answers.now) {
            Fate::Reopen { note } => {
                extra.set.push(FieldValue { field: "state".to_owned(), value: reopen::IN_PROGRESS.to_owned() });
                extra.notes.push((Journal::WorkNotes, note));
            }
            Fate::Replace { note } => {
                said.push(format!("a new ticket follows: {note}"));
                extra.notes.push((Journal::WorkNotes, note));
                replace_ticket(&mut link);
            }
            Fate::Leave { reason } => said.push(format!("the ticket stays as it is: {reason}")),
        }
    }
    let sides = Sides { link: &before, incident, ticket: answers.ticket, transformation, policy };
    let Outcome { withheld, forced, set, tags, agreed, lost } = sides.settle(answers.occasion, answers.settlements);
    extra.notes.extend(lost.iter().map(|text| (Journal::WorkNotes, text.clone())));
    extra.set.extend(set);
    extra.forced = forced;
    if let Some(ticket) = link.ticket.clone() {
        extra.withheld = withheld;
        link.memory.agreed.extend(agreed);
        if closing && !is_duplicate {
            close_anyway(transformation, &mut extra);
        }
        let material = Material { share, event, transformation, extra: &extra, policy, look_up };
        let request = seal::update(&link, &ticket.sys_id, material);
        let mut requests: Vec<_> = request.into_iter().collect();
        let mut back = ToIncident::new(&link, event, policy);
        back.tell(&tags, &lost);
        requests.append(&mut back.requests);
        said.append(&mut back.said);
        return Plan { link, requests, said };
    }
    if closing {
        close_anyway(transformation, &mut extra);
    }
    let request = seal::create(&link, Material { share, event, transformation, extra: &extra, policy, look_up });
    agree_at_create(&mut link, share, &request.operation, policy);
    Plan { link, requests: vec![request], said }
}

/// The state of the incident is old; what people wrote is not.
fn notes_only(mut link: Link, answers: &Answers<'_>) -> Plan {
    let notes = passed_on(&mut link.memory, answers);
    let mut requests = Vec::new();
    if let (false, Some(ticket)) = (notes.is_empty(), link.ticket.clone()) {
        let extra = Extra { notes, ..Extra::default() };
        requests.push(seal::amend(&link, &ticket.sys_id, answers.event, &extra, answers.policy));
    }
    Plan { link, requests, said: Vec::new() }
}

/// What the ticket's journals are told of the incident.
fn notes(before: &Memory, memory: &mut Memory, answers: &Answers<'_>) -> Vec<(Journal, String)> {
    memory.marks = marks::marks(&answers.share.incident);
    let news = marks::news(&before.marks, &memory.marks).into_iter();
    let mut notes: Vec<_> = news.map(|text| (Journal::WorkNotes, text)).collect();
    notes.extend(passed_on(memory, answers));
    notes
}

fn passed_on(memory: &mut Memory, answers: &Answers<'_>) -> Vec<(Journal, String)> {
    let mut notes = Vec::new();
    for activity in answers.activities {
        let Some((journal, text)) = told(activity, answers.policy) else { continue };
        if Memory::pass_on(&mut memory.comments, &activity.id) {
            notes.push((journal, text));
        }
    }
    notes
}

/// What resolves an open ticket whose incident has just been merged into another one, where the operator wants it.
fn duplicate(link: &Link, answers: &Answers<'_>) -> Vec<FieldValue> {
    let code = &answers.policy.merged_close_code;
    let is_news = |activity: &&Activity| {
        activity.kind == ActivityKind::MergedAway && !link.memory.comments.contains(&activity.id)
    };
    let open = link.ticket.is_some() && link.memory.phase == Phase::Open && is_over(&answers.share.incident);
    match answers.activities.iter().rfind(is_news) {
        Some(merge) if open && !code.is_empty() => {
            let notes = format!("A duplicate: the incident was merged into {}.", others(merge));
            [("state", "6"), ("close_code", code), ("close_notes", &notes)]
                .map(|(field, value)| FieldValue { field: field.to_owned(), value: value.to_owned() })
                .into()
        }
        Some(_) | None => Vec::new(),
    }
}

fn others(activity: &Activity) -> String {
    if activity.others.is_empty() { "another".to_owned() } else { activity.others.join(", ") }
}

fn told(activity: &Activity, policy: &Policy) -> Option<(Journal, String)> {
    let others = || others(activity);
    let note = |text: String| Some((Journal::WorkNotes, text));
    match activity.kind {
        ActivityKind::Commented if seal::is_ours(&activity.text) => None,
        ActivityKind::Commented => {
            let by = if activity.by.is_empty() { "BigPanda" } else { &activity.by };
            policy.comments_to.map(|journal| (journal, format!("{by}: {}", activity.text)))
        }
        ActivityKind::MergedAway => note(format!("The incident was merged into {}.", others())),
        ActivityKind::MergedIn => note(format!("The incident took in the alerts of {}.", others())),
        ActivityKind::SplitOff => note(format!("Alerts of the incident were split off into {}.", others())),
        ActivityKind::SplitFrom => note(format!("The incident was split from {}.", others())),
    }
}

/// From here on the incident has no ticket, and remembers that it had one.
fn replace_ticket(link: &mut Link) {
    if let Some(ticket) = link.ticket.take() {
        link.memory.former.push(Former { sys_id: ticket.sys_id, number: ticket.number });
    }
    link.state = LinkState::New;
    link.written.clear();
    link.memory.phase = Phase::Open;
    link.memory.version = 0;
    link.memory.agreed.clear();
}

/// What a ticket gets whose incident is over, when no plugin says how to close it.
pub(super) const CLOSED_ANYWAY: [(&str, &str); 3] =
    [("state", "6"), ("close_code", "Solution provided"), ("close_notes", "The incident was resolved in BigPanda.")];

/// A ticket whose incident is over gets resolved even when every plugin failed.
pub(super) fn close_anyway(transformation: &Transformation, extra: &mut Extra) {
    if transformation.proposals.iter().any(|proposal| proposal.op.field() == "state") {
        return;
    }
    for (field, value) in CLOSED_ANYWAY {
        extra.set.push(FieldValue { field: field.to_owned(), value: value.to_owned() });
    }
}

/// The values of a new ticket are those of the incident.
pub(super) fn agree_at_create(
    link: &mut Link,
    share: &Share,
    operation: &crate::domain::request::Operation,
    policy: &Policy,
) {
    let crate::domain::request::Operation::CreateTicket { fields, .. } = operation else { return };
    for pair in &policy.pairs {
        if let (true, Some(tag)) = (pair.direction.is_to_bigpanda(), share.incident.tag(&pair.tag)) {
            let field = fields.iter().find(|entry| entry.field == pair.field).map(|entry| entry.value.clone());
            if let Some(field) = field {
                let agreed = Agreed { tag: tag.to_owned(), field, unseen: false };
                link.memory.agreed.insert(pair.tag.clone(), agreed);
            }
        }
    }
}
