//! Turns composed fields into a sealed request.
//!
//! Sealing again after a crash gives the same key for the same cause, so a request never exists twice.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::compose::{self, Composed, Known};
use super::policy::Policy;
use crate::domain::id::{EventId, LinkId, RequestKey, SysId};
use crate::domain::link::Link;
use crate::domain::patch::Transformation;
use crate::domain::request::{Cause, Extra, Operation, Request};
use crate::domain::share::{Share, ShareKind};
use crate::domain::ticket::{FieldValue, Journal, Reference};

/// Value of `correlation_display`: who owns the correlation id.
pub const CORRELATION_DISPLAY: &str = "BigPanda";

/// The key of a request: equal for equal causes.
pub fn request_key(link: LinkId, cause: &str, operation: &str) -> RequestKey {
    let hex = fingerprint(&format!("{link}/{cause}/{operation}"));
    RequestKey::new(&hex).unwrap_or_else(|_| unreachable!("hexadecimal digits are a valid key"))
}

/// Sixteen hexadecimal digits that stand for a value; for keys and for comparing written values.
pub fn fingerprint(value: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(value.as_bytes()).iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The terse mark at the end of a note or comment by which a repeat is recognised.
pub fn marker(key: &RequestKey) -> String {
    format!("{MARK}{key}]")
}

/// How every mark begins.
const MARK: &str = "[tandem:";

/// Whether a note or comment carries a mark, whichever request's.
pub fn is_ours(text: &str) -> bool {
    text.contains(MARK)
}

fn add(extra: &Extra, fields: &mut Vec<FieldValue>) {
    for FieldValue { field, value } in &extra.set {
        match fields.iter_mut().find(|entry| entry.field == *field) {
            Some(entry) => entry.value.clone_from(value),
            None => fields.push(FieldValue { field: field.clone(), value: value.clone() }),
        }
    }
}

/// What a request about a ticket is made of.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    pub share: &'a Share,
    pub event: EventId,
    pub transformation: &'a Transformation,
    pub extra: &'a Extra,
    pub policy: &'a Policy,
    pub look_up: &'a dyn Fn(&Reference) -> Known,
}

/// Seals the create of a ticket.
pub fn create(link: &Link, material: Material<'_>) -> Request {
    let Material { share, event, transformation, extra, policy, look_up } = material;
    let key = request_key(link.id, &format!("event/{event}"), "create-ticket");
    let composed = compose::compose(&transformation.proposals, look_up);
    let Composed { mut fields, references, mut notes, lineage, .. } = composed;
    add(extra, &mut fields);
    notes.extend(extra.notes.iter().cloned());
    // The correlation is the host's own promise, whatever plugins say about it.
    fields.retain(|field| field.field != "correlation_id" && field.field != "correlation_display");
    let correlation_id = link.correlation_id();
    fields.push(FieldValue { field: "correlation_id".to_owned(), value: correlation_id.clone() });
    fields.push(FieldValue { field: "correlation_display".to_owned(), value: CORRELATION_DISPLAY.to_owned() });
    append_notes(&mut fields, &notes, &key);
    Request {
        operation: Operation::CreateTicket { table: policy.table.clone(), correlation_id, fields, references },
        cause: cause(share, policy),
        lineage,
        generation: transformation.generation,
        extra: extra.clone(),
        key,
    }
}

/// Seals an update, or says that nothing differs from what was last written.
pub fn update(link: &Link, ticket: &SysId, material: Material<'_>) -> Option<Request> {
    let Material { share, event, transformation, extra, policy, look_up } = material;
    let key = request_key(link.id, &format!("event/{event}"), "update-ticket");
    let Composed { mut fields, mut references, notes, mut lineage, on_update, closing } =
        compose::compose(&transformation.proposals, look_up);
    let forced = |field: &str| extra.forced.iter().chain(&closing).any(|name| name == field);
    let allowed = |field: &str| {
        if extra.withheld.iter().any(|name| name == field) {
            false
        } else if policy.update_fields.is_empty() {
            on_update.iter().any(|name| name == field)
        } else {
            policy.update_fields.iter().any(|name| name == field)
        }
    };
    fields.retain(|field| {
        let differs = link.written.get(&field.field).is_none_or(|written| *written != fingerprint(&field.value));
        !is_correlation(&field.field) && (forced(&field.field) || (allowed(&field.field) && differs))
    });
    add(extra, &mut fields);
    // A reference that nobody has asked about can't be compared; it was written at the create under this text.
    references.retain(|reference| {
        forced(&reference.field) || (allowed(&reference.field) && !link.written.contains_key(&reference.field))
    });
    let mut wanted_notes: Vec<_> = notes.into_iter().filter(|(journal, _)| allowed(journal.field())).collect();
    wanted_notes.extend(extra.notes.iter().cloned());
    if fields.is_empty() && references.is_empty() && wanted_notes.is_empty() {
        return None;
    }
    append_notes(&mut fields, &wanted_notes, &key);
    lineage.retain(|line| {
        fields.iter().any(|field| field.field == line.field)
            || references.iter().any(|reference| reference.field == line.field)
    });
    Some(Request {
        operation: Operation::UpdateTicket { table: policy.table.clone(), ticket: ticket.clone(), fields, references },
        cause: cause(share, policy),
        lineage,
        generation: transformation.generation,
        extra: extra.clone(),
        key,
    })
}

/// Completes a request whose references have been looked up. `None` beside a reference: it names nothing, so its
/// field stays empty and a work note says so. From then on the request never changes.
pub fn fill(request: Request, resolved: &[(Reference, Option<SysId>)]) -> Request {
    let key = request.key.clone();
    let complete = |mut fields: Vec<FieldValue>| {
        let mut notes = Vec::new();
        for (reference, found) in resolved {
            match found {
                Some(sys_id) => {
                    fields.push(FieldValue { field: reference.field.clone(), value: sys_id.as_str().to_owned() });
                }
                None => notes.push((Journal::WorkNotes, compose::unresolved_note(reference))),
            }
        }
        append_notes(&mut fields, &notes, &key);
        fields
    };
    let operation = match request.operation {
        Operation::CreateTicket { table, correlation_id, fields, .. } => {
            Operation::CreateTicket { table, correlation_id, fields: complete(fields), references: Vec::new() }
        }
        Operation::UpdateTicket { table, ticket, fields, .. } => {
            Operation::UpdateTicket { table, ticket, fields: complete(fields), references: Vec::new() }
        }
        other @ (Operation::Callback { .. }
        | Operation::TagIncident { .. }
        | Operation::CommentIncident { .. }
        | Operation::ResolveIncident { .. }) => other,
    };
    Request { operation, ..request }
}

/// The fingerprints that a delivered request leaves on its link.
pub fn written(fields: &[FieldValue], into: &mut BTreeMap<String, String>) {
    for FieldValue { field, value } in fields {
        if field != Journal::WorkNotes.field() && field != Journal::Comments.field() {
            into.insert(field.clone(), fingerprint(value));
        }
    }
}

/// Seals a change of a ticket that no share asked for.
pub fn amend(link: &Link, ticket: &SysId, event: EventId, extra: &Extra, policy: &Policy) -> Request {
    let key = request_key(link.id, &format!("event/{event}"), "amend-ticket");
    let mut fields = extra.set.clone();
    append_notes(&mut fields, &extra.notes, &key);
    Request {
        operation: Operation::UpdateTicket {
            table: policy.table.clone(),
            ticket: ticket.clone(),
            fields,
            references: Vec::new(),
        },
        cause: Cause {
            kind: ShareKind::Unnamed,
            environment: link.environment.clone(),
            response_tag: policy.response_tag.clone(),
        },
        lineage: Vec::new(),
        generation: 0,
        extra: extra.clone(),
        key,
    }
}

fn is_correlation(field: &str) -> bool {
    field == "correlation_id" || field == "correlation_display"
}

fn cause(share: &Share, policy: &Policy) -> Cause {
    Cause { kind: share.kind, environment: share.environment_id.clone(), response_tag: policy.response_tag.clone() }
}

/// Puts the notes of each journal into one entry that ends with the marker.
pub(super) fn append_notes(fields: &mut Vec<FieldValue>, notes: &[(Journal, String)], key: &RequestKey) {
    for journal in [Journal::WorkNotes, Journal::Comments] {
        let mut text = String::new();
        for (_, note) in notes.iter().filter(|(of, _)| *of == journal) {
            text.push_str(note);
            text.push_str("\n\n");
        }
        if text.is_empty() {
            continue;
        }
        text.push_str(&marker(key));
        match fields.iter_mut().find(|field| field.field == journal.field()) {
            Some(entry) => entry.value = format!("{text}\n\n{}", entry.value),
            None => fields.push(FieldValue { field: journal.field().to_owned(), value: text }),
        }
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Small values for the engine's own tests.
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::domain::id::{EnvironmentId, IncidentId, IntegrationName, PluginId};
    use crate::domain::incident::{Incident, Snooze, Status};
    use crate::domain::link::LinkState;
    use crate::domain::patch::{Hook, Op, Origin, Proposal};
    use crate::domain::share::{Links, Overrides};
    use crate::domain::ticket::{TicketRef, TicketState};

    pub(crate) fn share(changed: i64) -> Share {
        Share {
            kind: ShareKind::New,
            incident: Incident {
                id: IncidentId::new("65f1c2a9e0b7d40012a4c101").unwrap(),
                status: Status::Critical,
                severity: Status::Critical,
                active: true,
                flapping: false,
                snooze: Snooze::default(),
                maintenance: None,
                start: Some(changed),
                end: None,
                changed: Some(changed),
                updated: None,
                environments: Vec::new(),
                folders: Vec::new(),
                tags: Vec::new(),
                alerts: Vec::new(),
                changes: Vec::new(),
                assignee: None,
                summary: None,
            },
            environment_id: Some(EnvironmentId::new("63bd568809cb331300ff0001").unwrap()),
            environment_name: String::new(),
            sender: String::new(),
            links: Links::default(),
            overrides: Overrides::default(),
            complete: true,
        }
    }

    pub(crate) fn link() -> Link {
        Link {
            id: LinkId(7),
            integration: IntegrationName::new("acme").unwrap(),
            incident: IncidentId::new("65f1c2a9e0b7d40012a4c101").unwrap(),
            environment: Some(EnvironmentId::new("63bd568809cb331300ff0001").unwrap()),
            state: LinkState::New,
            ticket: None,
            revision: 0,
            written: BTreeMap::new(),
            error_shown: false,
            parked: None,
            memory: crate::domain::link::Memory::default(),
        }
    }

    pub(crate) fn ticket() -> TicketRef {
        TicketRef {
            sys_id: SysId::new("0f1e2d3c4b5a69788796a5b4c3d2e1f0").unwrap(),
            number: "INC0010001".to_owned(),
            url: "https://acme.example/nav_to.do?uri=incident.do?sys_id=0f1e".to_owned(),
        }
    }

    /// Nothing is known of references, and nothing is added to what plugins say.
    pub(crate) fn material<'a>(
        share: &'a Share,
        event: i64,
        transformation: &'a Transformation,
        policy: &'a Policy,
    ) -> Material<'a> {
        const NOTHING: &Extra = &Extra { notes: Vec::new(), set: Vec::new(), forced: Vec::new(), withheld: Vec::new() };
        let look_up = &|_: &Reference| Known::Unasked;
        Material { share, event: EventId(event), transformation, extra: NOTHING, policy, look_up }
    }

    pub(crate) fn ticket_state(fields: &[(&str, &str)]) -> TicketState {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        TicketState { ticket: ticket(), incident: link().incident, fields, notes: Vec::new() }
    }

    pub(crate) fn open_link() -> Link {
        Link { state: LinkState::Open, ticket: Some(ticket()), ..link() }
    }

    pub(crate) fn proposal(op: Op) -> Proposal {
        let origin = Origin { plugin: PluginId::new("sample").unwrap(), digest: "0".repeat(12), hook: Hook::Fields };
        Proposal { op, origin, reason: None, on_update: true }
    }

    pub(crate) fn set(field: &str, value: &str) -> Proposal {
        proposal(Op::Set { field: field.to_owned(), value: value.to_owned() })
    }

    pub(crate) fn transformation(proposals: Vec<Proposal>) -> Transformation {
        Transformation { proposals, generation: 1, ..Transformation::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::patch::Op;

    #[test]
    fn a_create_carries_the_correlation_whatever_plugins_say() {
        let plugins = samples::transformation(vec![samples::set("correlation_id", "mine")]);
        let request = create(&samples::link(), samples::material(&samples::share(1), 3, &plugins, &Policy::default()));
        let Operation::CreateTicket { fields, correlation_id, .. } = request.operation else { panic!() };
        assert_eq!(correlation_id, "bigpanda:65f1c2a9e0b7d40012a4c101");
        let values: Vec<_> = fields.iter().filter(|f| f.field == "correlation_id").map(|f| &f.value).collect();
        assert_eq!(values, [&correlation_id]);
    }

    #[test]
    fn sealing_again_gives_the_same_request() {
        let plugins = samples::transformation(vec![samples::set("urgency", "1")]);
        let seal = || create(&samples::link(), samples::material(&samples::share(1), 3, &plugins, &Policy::default()));
        assert_eq!(seal(), seal());
    }

    #[test]
    fn an_update_sends_only_what_differs_from_what_was_written() {
        let mut link = samples::open_link();
        let ticket = samples::ticket().sys_id;
        let same = samples::transformation(vec![samples::set("urgency", "1"), samples::set("impact", "2")]);
        let policy = Policy::default();
        let first = update(&link, &ticket, samples::material(&samples::share(1), 1, &same, &policy)).expect("differs");
        let Operation::UpdateTicket { fields, .. } = &first.operation else { panic!() };
        written(fields, &mut link.written);
        assert_eq!(update(&link, &ticket, samples::material(&samples::share(2), 2, &same, &policy)), None);

        let other = samples::transformation(vec![samples::set("urgency", "3"), samples::set("impact", "2")]);
        let second =
            update(&link, &ticket, samples::material(&samples::share(2), 2, &other, &policy)).expect("differs");
        let Operation::UpdateTicket { fields, .. } = second.operation else { panic!() };
        assert_eq!(fields, [FieldValue { field: "urgency".into(), value: "3".into() }]);
    }

    #[test]
    fn update_fields_is_an_allow_list_that_outranks_the_marks_of_hooks() {
        let mut unmarked = samples::set("impact", "2");
        unmarked.on_update = false;
        let plugins = samples::transformation(vec![samples::set("urgency", "1"), unmarked]);
        let sealed = |policy: &Policy| {
            let link = samples::open_link();
            update(&link, &samples::ticket().sys_id, samples::material(&samples::share(1), 1, &plugins, policy)).map(
                |request| match request.operation {
                    Operation::UpdateTicket { fields, .. } => {
                        fields.into_iter().map(|field| field.field).collect::<Vec<_>>()
                    }
                    other => panic!("{other:?}"),
                },
            )
        };
        assert_eq!(sealed(&Policy::default()), Some(vec!["urgency".to_owned()]));
        let listed = Policy { update_fields: vec!["impact".into()], ..Policy::default() };
        assert_eq!(sealed(&listed), Some(vec!["impact".to_owned()]));
        let none = Policy { update_fields: vec!["state".into()], ..Policy::default() };
        assert_eq!(sealed(&none), None);
    }

    #[test]
    fn notes_become_one_entry_that_ends_with_the_marker() {
        let note = |text: &str| samples::proposal(Op::AddNote { journal: Journal::WorkNotes, text: text.to_owned() });
        let plugins = samples::transformation(vec![note("one"), note("two")]);
        let request = create(&samples::link(), samples::material(&samples::share(1), 3, &plugins, &Policy::default()));
        let mark = marker(&request.key);
        let Operation::CreateTicket { fields, .. } = request.operation else { panic!() };
        let entry = fields.iter().find(|field| field.field == "work_notes").expect("a note");
        assert_eq!(entry.value, format!("one\n\ntwo\n\n{mark}"));
    }
}
