//! What becomes of the ticket of an incident that came back.
//!
//! The `reopen` hook decides; when none answered, the rule of the original holds. Whatever a plugin says, a closed
//! ticket is never reopened.

use crate::domain::incident::Incident;
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

/// When the incident came back: its first change after the ticket's end by BigPanda's word, which is also what most ends
/// come from; at the latest when we heard of it. A share that waits through an outage must not run out of the window
/// meanwhile.
fn returned(incident: &Incident, resolved: Timestamp, heard: Timestamp) -> Timestamp {
    let told = [incident.changed, incident.updated].into_iter().flatten().map(Timestamp::from_seconds);
    told.filter(|told| *told > resolved).min().map_or(heard, |told| told.min(heard))
}

/// Decides. `ticket` is the ticket as it is now, `heard` when we learnt of the incident's return.
pub fn fate(
    link: &Link,
    incident: &Incident,
    ticket: Option<&TicketState>,
    said: Option<&Reopening>,
    policy: &Policy,
    heard: Timestamp,
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
                Some(resolved)
                    if returned(incident, resolved, heard).seconds() >= resolved.seconds().saturating_add(window) =>
                {
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
        let incident = Incident { updated: None, changed: None, ..samples::share(0).incident };
        fate(&samples::open_link(), &incident, Some(&ticket(state)), None, policy, now)
    }

    #[test]
    fn the_window_ends_exactly() {
        let policy = Policy::default();
        assert!(matches!(after(29 * 60 + 59, "6", &policy), Fate::Reopen { .. }));
        assert!(matches!(after(30 * 60, "6", &policy), Fate::Replace { .. }));
        assert!(matches!(after(30 * 60 + 1, "6", &policy), Fate::Replace { .. }));
    }

    #[test]
    fn what_counts_is_when_the_incident_came_back() {
        let when = |changed: Option<i64>, updated: Option<i64>| {
            let at = |after: Option<i64>| after.map(|after| RESOLVED + after);
            let incident = Incident { changed: at(changed), updated: at(updated), ..samples::share(RESOLVED).incident };
            let at = |after| Timestamp::from_seconds(RESOLVED + after);
            returned(&incident, at(0), at(10_800)).seconds() - RESOLVED
        };
        assert_eq!(when(Some(900), Some(2_000)), 900, "an outage of three hours");
        assert_eq!(
            when(Some(-60), Some(2_000)),
            2_000,
            "a person resolved the ticket after the incident's last change"
        );
        assert_eq!(when(Some(0), Some(2_000)), 2_000, "a change at the end itself is the end");
        assert_eq!(when(Some(-60), Some(-50)), 10_800);
        assert_eq!(when(Some(20_000), Some(20_000)), 10_800, "a clock that is ahead");
        assert_eq!(when(None, None), 10_800);
    }

    #[test]
    fn a_closed_ticket_is_never_reopened() {
        let origin = Origin { plugin: PluginId::new("mine").unwrap(), digest: String::new(), hook: Hook::Reopen };
        let said = Reopening::Reopen { note: "please".to_owned(), origin };
        for state in ["7", "8"] {
            let now = Timestamp::from_seconds(RESOLVED);
            let (link, incident) = (samples::open_link(), samples::share(RESOLVED).incident);
            let fate = fate(&link, &incident, Some(&ticket(state)), Some(&said), &Policy::default(), now);
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
