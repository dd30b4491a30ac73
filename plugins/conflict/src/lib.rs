//! Settles a value that both sides changed: the newest change wins, and BigPanda where none is newer.
//!
//! A side whose change has no time loses against one that has. The host keeps the loser's value in a note.

use tandem_guest::{Answer, Conflict, Dispute, Event, NoConfig, Plugin, Settlement, time};

struct Newest;

impl Plugin for Newest {
    type Config = NoConfig;
}

impl Conflict for Newest {
    fn settle(dispute: &Dispute, _: &Event, _: &NoConfig) -> Answer<Settlement> {
        let (incident, ticket) = (dispute.incident_changed, dispute.ticket_changed);
        // None is less than any time.
        let (value, reason) = if ticket > incident {
            (&dispute.ticket_value, last("ticket", ticket, incident))
        } else if incident > ticket {
            (&dispute.incident_value, last("incident", incident, ticket))
        } else if incident.is_some() {
            (&dispute.incident_value, "both sides changed in the same second, and then BigPanda wins".to_owned())
        } else {
            (&dispute.incident_value, "nobody knows which side changed last, and then BigPanda wins".to_owned())
        };
        Ok(Settlement { value: value.clone(), reason: Some(reason) })
    }
}

/// Why a side won.
fn last(side: &str, at: Option<i64>, before: Option<i64>) -> String {
    let when = at.and_then(time::utc).map_or_else(String::new, |at| format!(", at {at} UTC"));
    let lead = match (at, before) {
        (Some(at), Some(before)) => format!(", {} s after the other side", at.saturating_sub(before)),
        (Some(_) | None, Some(_) | None) => "; when the other side changed is not known".to_owned(),
    };
    format!("the {side} changed last{when}{lead}")
}

tandem_guest::export!(Newest: Conflict);

#[cfg(test)]
mod tests;
