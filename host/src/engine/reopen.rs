//! What becomes of the ticket of an incident that came back.
//!
//! The `reopen` hook decides; when none answered, the rule of the original holds. Whatever a plugin says, a closed
//! ticket is never reopened.

use crate::domain::link::Link;
use crate::domain::patch::Reopening;
use crate::domain::ticket::{Phase, TicketState};
use crate::domain::time::Timestamp;
use crate::engine::policy::Policy;
use crate::mapping::time;

/// Value of `state` for a ticket that is being worked on.
pub const IN_PROGRESS: &str = "2";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Reopen { note: String },
    Replace { note: String },
    Leave { reason: String },
}

/// Decides. `ticket` is the ticket as it is now.
pub fn fate(
    link: &Link,
    ticket: Option<&TicketState>,
    said: Option<&Reopening>,
    policy: &Policy,
    now: Timestamp,
) -> Fate {
    let phase = ticket.map_or(link.memory.phase, TicketState::phase);
    let number = link.ticket.as_ref().map_or("", |ticket| ticket.number.as_str());
    let replace = |why: &str| Fate::Replace { note: format!("The incident came back; {number} {why}.") };
    match (said, phase) {
        (_, Phase::Open) => Fate::Leave { reason: format!("{number} is open") },
        (Some(Reopening::Reopen { .. }), Phase::Closed) => replace("is closed"),
        (Some(Reopening::Reopen { note, .. }), Phase::Resolved) => Fate::Reopen { note: note.clone() },
        (Some(Reopening::Create { note, .. }), _) => Fate::Replace { note: note.clone() },
        (Some(Reopening::Leave { reason, .. }), _) => Fate::Leave { reason: reason.clone() },
        (None, Phase::Closed) => replace("is closed"),
        (None, Phase::Resolved) if !policy.reopen.enabled => replace("is resolved"),
        (None, Phase::Resolved) => {
            let resolved = ticket.and_then(|ticket| time::parse(ticket.field("resolved_at")));
            let window = i64::try_from(policy.reopen.window.as_secs()).unwrap_or(i64::MAX);
            // As the original compares: at the end of the window it is over.
            match resolved {
                Some(resolved) if now.seconds() >= resolved.seconds().saturating_add(window) => {
                    replace("was resolved too long ago")
                }
                Some(_) | None => Fate::Reopen { note: "The incident came back in BigPanda.".to_owned() },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::PluginId;
    use crate::domain::patch::{Hook, Origin};
    use crate::engine::seal::samples;

    /// 2026-01-01 00:00:00 UTC.
    const RESOLVED: i64 = 1_767_225_600;

    fn ticket(state: &str) -> TicketState {
        samples::ticket_state(&[("state", state), ("resolved_at", "2026-01-01 00:00:00")])
    }

    fn after(seconds: i64, state: &str, policy: &Policy) -> Fate {
        let now = Timestamp::from_seconds(RESOLVED + seconds);
        fate(&samples::open_link(), Some(&ticket(state)), None, policy, now)
    }

    #[test]
    fn the_window_ends_exactly() {
        let policy = Policy::default();
        assert!(matches!(after(29 * 60 + 59, "6", &policy), Fate::Reopen { .. }));
        assert!(matches!(after(30 * 60, "6", &policy), Fate::Replace { .. }));
        assert!(matches!(after(30 * 60 + 1, "6", &policy), Fate::Replace { .. }));
    }

    #[test]
    fn a_closed_ticket_is_never_reopened() {
        let origin = Origin { plugin: PluginId::new("mine").unwrap(), digest: String::new(), hook: Hook::Reopen };
        let said = Reopening::Reopen { note: "please".to_owned(), origin };
        for state in ["7", "8"] {
            let now = Timestamp::from_seconds(RESOLVED);
            let fate = fate(&samples::open_link(), Some(&ticket(state)), Some(&said), &Policy::default(), now);
            assert!(matches!(fate, Fate::Replace { .. }), "{fate:?}");
            assert!(matches!(after(0, state, &Policy::default()), Fate::Replace { .. }));
        }
    }

    #[test]
    fn what_is_switched_off_is_not_reopened_and_what_is_open_needs_nothing() {
        let mut policy = Policy::default();
        policy.reopen.enabled = false;
        assert!(matches!(after(1, "6", &policy), Fate::Replace { .. }));
        assert!(matches!(after(1, "2", &policy), Fate::Leave { .. }));
    }
}
