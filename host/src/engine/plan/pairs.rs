//! The values that are kept equal on both sides: what goes where after a change of one of them.
//!
//! What an incident's event finds changed on the ticket is left to the ticket's own event, and the other way round;
//! a dispute is settled by whichever event finds it.

use crate::domain::event::Occasion;
use crate::domain::incident::Incident;
use crate::domain::link::{Agreed, Link};
use crate::domain::patch::{Dispute, Hook, Op, Settlement, Transformation};
use crate::domain::ticket::{FieldValue, TicketState};
use crate::engine::merge::{Merge, merge, winner};
use crate::engine::policy::{Direction, Pair, Policy};
use crate::mapping::time;

/// Whether the ticket has to be looked at before the incident's values are written over it.
pub fn wants_ticket(link: &Link, incident: &Incident, policy: &Policy) -> bool {
    link.ticket.is_some()
        && policy.pairs.iter().any(|pair| {
            pair.direction == Direction::Both
                && merge(pair, &link.memory, Some(tag_of(incident, pair)), None) == Merge::ToTicket
        })
}

/// Whether the incident has to be looked at to handle a change of the ticket's fields.
pub fn wants_incident(policy: &Policy) -> bool {
    policy.pairs.iter().any(|pair| pair.direction.is_to_bigpanda())
}

/// What both sides know of the pairs, and what plugins say about them.
pub(super) struct Sides<'a> {
    pub(super) link: &'a Link,
    pub(super) incident: &'a Incident,
    pub(super) ticket: Option<&'a TicketState>,
    pub(super) transformation: &'a Transformation,
    pub(super) policy: &'a Policy,
}

/// What follows for the pairs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Fields that the ticket must not get.
    pub(super) withheld: Vec<String>,
    /// Fields that the ticket gets as the plugins propose them.
    pub(super) forced: Vec<String>,
    /// Values that the ticket gets whatever plugins say.
    pub(super) set: Vec<FieldValue>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) agreed: Vec<(String, Agreed)>,
    /// What was lost in a dispute, for both sides.
    pub(super) lost: Vec<String>,
}

impl Sides<'_> {
    fn merge(&self, pair: &Pair) -> Merge {
        let field = self.ticket.map(|ticket| ticket.field(&pair.field));
        merge(pair, &self.link.memory, Some(tag_of(self.incident, pair)), field)
    }

    /// The ticket's value in the form that the incident's tag would have.
    fn as_tag(&self, pair: &Pair) -> Option<String> {
        let ticket = self.ticket?;
        let said = self.last_op(&pair.tag, true).and_then(|op| match op {
            Op::Set { value, .. } | Op::Append { value, .. } => Some(value.clone()),
            Op::Unset { .. } => Some(String::new()),
            Op::SetReference(_) | Op::AddNote { .. } => None,
        });
        // An emptied field has nothing that a plugin could translate.
        said.or_else(|| ticket.field(&pair.field).is_empty().then(String::new))
    }

    /// The incident's value in the form that the ticket's field would have, where it is known already.
    fn as_field(&self, pair: &Pair) -> Option<String> {
        let said = self.last_op(&pair.field, false).and_then(|op| match op {
            Op::Set { value, .. } | Op::Append { value, .. } => Some(value.clone()),
            Op::Unset { .. } => Some(String::new()),
            Op::SetReference(_) | Op::AddNote { .. } => None,
        });
        said.or_else(|| tag_of(self.incident, pair).is_empty().then(String::new))
    }

    fn last_op(&self, field: &str, of_tags: bool) -> Option<&Op> {
        let proposals = self.transformation.proposals.iter().rev();
        let mut of_hook = proposals.filter(|proposal| (proposal.origin.hook == Hook::Tags) == of_tags);
        of_hook.find(|proposal| proposal.op.field() == field).map(|proposal| &proposal.op)
    }

    fn dispute(&self, pair: &Pair) -> Option<Dispute> {
        Some(Dispute {
            tag: pair.tag.clone(),
            field: pair.field.clone(),
            agreed: self.link.memory.agreed.get(&pair.tag).map(|agreed| agreed.tag.clone()),
            incident_value: tag_of(self.incident, pair).to_owned(),
            ticket_value: self.as_tag(pair)?,
            incident_changed: self.incident.updated.or(self.incident.changed),
            ticket_changed: self.ticket.and_then(|ticket| Some(time::parse(ticket.field("sys_updated_on"))?.seconds())),
        })
        // Both sides may have changed to the same.
        .filter(|dispute| dispute.incident_value != dispute.ticket_value)
    }

    /// What follows for every pair when an event of this occasion is handled.
    pub(super) fn settle(&self, occasion: Occasion, settlements: &[Settlement]) -> Outcome {
        let mut outcome = Outcome::default();
        for pair in &self.policy.pairs {
            let tag = tag_of(self.incident, pair);
            let both = pair.direction == Direction::Both;
            match (self.merge(pair), occasion.is_of_ticket()) {
                (Merge::ToTicket, false) if both => self.write_ticket(pair, &mut outcome),
                // One direction only is told by comparing with what was last written.
                (Merge::ToTicket, _) | (Merge::Keep | Merge::ToIncident, false) => {
                    self.seen(pair, tag, &mut outcome);
                    if pair.direction != Direction::ToServiceNow {
                        outcome.withheld.push(pair.field.clone());
                    }
                }
                (Merge::ToIncident, true) => {
                    if let Some(value) = self.as_tag(pair) {
                        if value != tag {
                            outcome.tags.push((pair.tag.clone(), value.clone()));
                        }
                        self.agree(pair, value, None, &mut outcome);
                    }
                }
                (Merge::Keep, true) => {}
                (Merge::Dispute, _) => self.dispute_settled(pair, settlements, &mut outcome),
            }
        }
        outcome
    }

    /// The incident shows what we wrote.
    fn seen(&self, pair: &Pair, tag: &str, outcome: &mut Outcome) {
        let agreed = self.link.memory.agreed.get(&pair.tag);
        if let Some(agreed) = agreed.filter(|agreed| agreed.unseen && agreed.tag == tag) {
            outcome.agreed.push((pair.tag.clone(), Agreed { unseen: false, ..agreed.clone() }));
        }
    }

    fn write_ticket(&self, pair: &Pair, outcome: &mut Outcome) {
        outcome.forced.push(pair.field.clone());
        let field = self.as_field(pair);
        if field.as_deref() == Some("") {
            outcome.set.push(FieldValue { field: pair.field.clone(), value: String::new() });
        }
        self.agree(pair, tag_of(self.incident, pair).to_owned(), field, outcome);
    }

    fn agree(&self, pair: &Pair, tag: String, field: Option<String>, outcome: &mut Outcome) {
        let found = || self.ticket.map(|ticket| ticket.field(&pair.field).to_owned());
        let field = field.or_else(found).unwrap_or_default();
        // What goes to BigPanda has to be seen there before what BigPanda shows counts again.
        let unseen = tag != tag_of(self.incident, pair);
        outcome.agreed.push((pair.tag.clone(), Agreed { tag, field, unseen }));
    }

    fn dispute_settled(&self, pair: &Pair, settlements: &[Settlement], outcome: &mut Outcome) {
        let Some(dispute) = self.dispute(pair) else {
            // Both sides say the same.
            outcome.withheld.push(pair.field.clone());
            self.agree(pair, tag_of(self.incident, pair).to_owned(), None, outcome);
            return;
        };
        let settled = settlements.iter().find(|one| one.tag == pair.tag && one.field == pair.field);
        let value = settled.map_or_else(|| winner(&dispute).to_owned(), |settled| settled.value.clone());
        let why = settled.and_then(|settled| settled.reason.clone()).unwrap_or_else(|| "newest change".to_owned());
        let Dispute { incident_value, ticket_value, .. } = &dispute;
        outcome.lost.push(format!(
            "Both sides changed {} ({}): BigPanda has \"{incident_value}\", ServiceNow has \"{ticket_value}\"; \
             \"{value}\" was kept ({why}).",
            pair.tag, pair.field
        ));
        if value == *incident_value {
            self.write_ticket(pair, outcome);
            if let (true, Some(field)) = (outcome.set.iter().all(|set| set.field != pair.field), self.as_field(pair)) {
                outcome.set.push(FieldValue { field: pair.field.clone(), value: field });
            }
            return;
        }
        outcome.withheld.push(pair.field.clone());
        outcome.tags.push((pair.tag.clone(), value.clone()));
        if value == *ticket_value {
            self.agree(pair, value, None, outcome);
        } else {
            outcome.set.push(FieldValue { field: pair.field.clone(), value: value.clone() });
            self.agree(pair, value.clone(), Some(value), outcome);
        }
    }
}

/// The disputes that the `conflict` hook has to settle.
pub fn disputes(
    link: &Link,
    incident: &Incident,
    ticket: &TicketState,
    transformation: &Transformation,
    policy: &Policy,
) -> Vec<Dispute> {
    let sides = Sides { link, incident, ticket: Some(ticket), transformation, policy };
    let disputed = policy.pairs.iter().filter(|pair| sides.merge(pair) == Merge::Dispute);
    disputed.filter_map(|pair| sides.dispute(pair)).collect()
}

fn tag_of<'a>(incident: &'a Incident, pair: &Pair) -> &'a str {
    incident.tag(&pair.tag).unwrap_or("")
}
