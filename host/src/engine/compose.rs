//! From the proposals of plugins to the fields of a ticket.
//!
//! Later proposals win over earlier ones of the same field. References are resolved through a look-up that the
//! caller supplies, so that this stays a pure function. Called by `seal`.

use crate::domain::patch::{Hook, Lineage, Op, Proposal};
use crate::domain::ticket::{FieldValue, Journal, Reference};

/// What is known of a reference at composing time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    Found(String),
    Absent,
    /// Nobody has asked yet; delivery will.
    Unasked,
}

/// The fields of a record, in the order in which they were first proposed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Composed {
    pub fields: Vec<FieldValue>,
    pub references: Vec<Reference>,
    /// Texts for the journals, in order.
    pub notes: Vec<(Journal, String)>,
    pub lineage: Vec<Lineage>,
    /// Fields whose winning proposal is marked for update shares.
    pub on_update: Vec<String>,
    /// Fields whose winning proposal ends the ticket, and which no setting holds back.
    pub closing: Vec<String>,
}

enum Slot {
    Value(String),
    Reference(Reference),
}

struct Entry<'a> {
    field: &'a str,
    slot: Slot,
    proposal: &'a Proposal,
}

/// Folds proposals into fields. Those that name incident tags are passed over.
pub fn compose(proposals: &[Proposal], look_up: &dyn Fn(&Reference) -> Known) -> Composed {
    let mut entries: Vec<Entry<'_>> = Vec::with_capacity(proposals.len());
    let mut notes = Vec::new();
    let mut lineage = Vec::with_capacity(proposals.len());
    for proposal in proposals.iter().filter(|proposal| proposal.origin.hook != Hook::Tags) {
        let field = proposal.op.field();
        let place = entries.iter().position(|entry| entry.field == field);
        let slot = match &proposal.op {
            Op::Set { value, .. } => Slot::Value(value.clone()),
            Op::Append { value, .. } => {
                let before = place.and_then(|at| entries.get(at)).and_then(|entry| match &entry.slot {
                    Slot::Value(text) if !text.is_empty() => Some(text.as_str()),
                    Slot::Value(_) | Slot::Reference(_) => None,
                });
                Slot::Value(before.map_or_else(|| value.clone(), |text| format!("{text}\n{value}")))
            }
            Op::Unset { .. } => Slot::Value(String::new()),
            Op::SetReference(reference) => Slot::Reference(reference.clone()),
            Op::AddNote { journal, text } => {
                notes.push((*journal, text.clone()));
                lineage.push(line(proposal));
                continue;
            }
        };
        match place.and_then(|at| entries.get_mut(at)) {
            Some(entry) => *entry = Entry { field, slot, proposal },
            None => entries.push(Entry { field, slot, proposal }),
        }
    }

    let mut composed = Composed { notes, lineage, ..Composed::default() };
    for Entry { field, slot, proposal } in entries {
        composed.lineage.push(line(proposal));
        if proposal.on_update {
            composed.on_update.push(field.to_owned());
        }
        if proposal.origin.hook == Hook::Closure {
            composed.closing.push(field.to_owned());
        }
        match slot {
            Slot::Value(value) => composed.fields.push(FieldValue { field: field.to_owned(), value }),
            Slot::Reference(reference) => match look_up(&reference) {
                Known::Found(sys_id) => {
                    composed.fields.push(FieldValue { field: field.to_owned(), value: sys_id });
                }
                Known::Absent => composed.notes.push((Journal::WorkNotes, unresolved_note(&reference))),
                Known::Unasked => composed.references.push(reference),
            },
        }
    }
    composed
}

/// The note that says why a reference field was left empty.
pub fn unresolved_note(reference: &Reference) -> String {
    let Reference { field, table, by, value } = reference;
    format!("The field {field} was left empty: no record of {table} has {by} \"{value}\".")
}

fn line(proposal: &Proposal) -> Lineage {
    Lineage { field: proposal.op.field().to_owned(), origin: proposal.origin.clone(), reason: proposal.reason.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::seal::samples::{proposal, set};

    fn composed(proposals: &[Proposal]) -> Composed {
        compose(proposals, &|_| Known::Unasked)
    }

    #[test]
    fn the_last_proposal_of_a_field_wins() {
        let result = composed(&[set("urgency", "1"), set("impact", "2"), set("urgency", "3")]);
        let fields: Vec<_> = result.fields.iter().map(|f| (f.field.as_str(), f.value.as_str())).collect();
        assert_eq!(fields, [("urgency", "3"), ("impact", "2")]);
    }

    #[test]
    fn append_adds_a_line_to_what_the_chain_put_there() {
        let append = proposal(Op::Append { field: "description".into(), value: "second".into() });
        let result = composed(&[set("description", "first"), append.clone()]);
        assert_eq!(result.fields[0].value, "first\nsecond");
        assert_eq!(composed(&[append]).fields[0].value, "second");
    }

    #[test]
    fn an_unknown_reference_leaves_the_field_empty_and_says_so() {
        let reference = Reference {
            field: "assignment_group".into(),
            table: "sys_user_group".into(),
            by: "name".into(),
            value: "Nobody".into(),
        };
        let proposals = [proposal(Op::SetReference(reference))];
        let result = compose(&proposals, &|_| Known::Absent);
        assert!(result.fields.is_empty() && result.references.is_empty());
        assert_eq!(
            result.notes[0].1,
            "The field assignment_group was left empty: no record of sys_user_group has name \"Nobody\"."
        );
        assert_eq!(composed(&proposals).references.len(), 1);
    }
}
