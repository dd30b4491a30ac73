//! Three-way merge of the values that are kept equal on both sides.
//!
//! The link remembers, for every pair, the value on which both sides last agreed, in the form that each gives it.
//! Who differs from that has changed. Values are compared with what was agreed and never with the other side's: a
//! plugin may write a value in another form than it reads it.

use crate::domain::link::Memory;
use crate::domain::patch::Dispute;
use crate::engine::policy::{Direction, Pair};

/// What a pair's values ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// Nothing changed, or nothing that the direction lets through.
    Keep,
    /// The incident's value goes to the ticket.
    ToTicket,
    /// The ticket's value goes to the incident.
    ToIncident,
    /// Both changed, and either may win.
    Dispute,
}

/// Merges one pair. `tag` and `field` are the values as they are now; `None`: not known, and then taken as unchanged.
pub fn merge(pair: &Pair, memory: &Memory, tag: Option<&str>, field: Option<&str>) -> Merge {
    let (incident_changed, ticket_changed) = if let Some(agreed) = memory.agreed.get(&pair.tag) {
        (tag.is_some_and(|tag| agreed.tag != tag), field.is_some_and(|field| agreed.field != field))
    } else {
        // They never agreed. A ticket is made from its incident, and what it holds besides may be a default.
        let (tagged, filled) = (tag.is_some_and(|tag| !tag.is_empty()), field.is_some_and(|field| !field.is_empty()));
        (tagged, filled && !(tagged && pair.direction == Direction::Both))
    };
    match (pair.direction, incident_changed, ticket_changed) {
        (_, false, false) => Merge::Keep,
        (Direction::ToServiceNow, true, _) => Merge::ToTicket,
        (Direction::ToServiceNow, false, true) | (Direction::ToBigPanda, true, false) => Merge::Keep,
        (Direction::ToBigPanda, _, true) => Merge::ToIncident,
        (Direction::Both, true, false) => Merge::ToTicket,
        (Direction::Both, false, true) => Merge::ToIncident,
        (Direction::Both, true, true) => Merge::Dispute,
    }
}

/// Who wins a dispute when no plugin says so: the newer change, and BigPanda's when nobody knows.
pub fn winner(dispute: &Dispute) -> &str {
    match (dispute.incident_changed, dispute.ticket_changed) {
        (Some(incident), Some(ticket)) if ticket > incident => &dispute.ticket_value,
        _ => &dispute.incident_value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::link::Agreed;

    fn merged(direction: Direction, agreed: Option<(&str, &str)>, tag: Option<&str>, field: Option<&str>) -> Merge {
        let pair = Pair { tag: "owner".to_owned(), field: "u_owner".to_owned(), direction };
        let mut memory = Memory::default();
        if let Some((tag, field)) = agreed {
            memory
                .agreed
                .insert("owner".to_owned(), Agreed { tag: tag.to_owned(), field: field.to_owned(), unseen: false });
        }
        merge(&pair, &memory, tag, field)
    }

    #[test]
    fn who_differs_from_what_was_agreed_has_changed() {
        let both = |tag, field| merged(Direction::Both, Some(("P1", "1")), Some(tag), Some(field));
        assert_eq!(both("P1", "1"), Merge::Keep);
        assert_eq!(both("P2", "1"), Merge::ToTicket);
        assert_eq!(both("P1", "2"), Merge::ToIncident);
        assert_eq!(both("P2", "3"), Merge::Dispute);
        assert_eq!(merged(Direction::Both, Some(("P1", "1")), Some("P2"), None), Merge::ToTicket);
        assert_eq!(merged(Direction::Both, None, Some(""), Some("")), Merge::Keep);
        assert_eq!(merged(Direction::Both, None, Some("P1"), Some("")), Merge::ToTicket);
        assert_eq!(merged(Direction::Both, None, Some("P1"), Some("3")), Merge::ToTicket, "3 may be a default");
        assert_eq!(merged(Direction::Both, None, Some(""), Some("3")), Merge::ToIncident);
    }

    #[test]
    fn a_direction_lets_one_side_win_always() {
        for (tag, field) in [("P2", "1"), ("P1", "2"), ("P2", "3")] {
            let one = |direction| merged(direction, Some(("P1", "1")), Some(tag), Some(field));
            assert_ne!(one(Direction::ToServiceNow), Merge::ToIncident);
            assert_ne!(one(Direction::ToBigPanda), Merge::ToTicket);
        }
        assert_eq!(merged(Direction::ToServiceNow, Some(("P1", "1")), Some("P2"), Some("3")), Merge::ToTicket);
        assert_eq!(merged(Direction::ToBigPanda, Some(("P1", "1")), Some("P2"), Some("3")), Merge::ToIncident);
    }
}
