//! The incident was shared, or a poll found it changed.

use std::time::Duration;

use super::{Decision, nothing};
use crate::domain::incident::Incident;
use crate::domain::link::{Link, LinkState};
use crate::domain::share::{Share, ShareKind};
use crate::domain::ticket::Phase;
use crate::domain::time::Timestamp;
use crate::engine::echo::essence;
use crate::engine::policy::Policy;

/// BigPanda resolves some time after it has said that it will. Until then an active incident is no sign that it came
/// back.
pub const RESOLVING: Duration = Duration::from_mins(1);

/// A share leads to a create while the link has no ticket and to an update once it has one. A state that is older
/// than what was sealed already leads to nothing, so shares may arrive in any order.
pub fn decide(link: &Link, share: &Share, policy: &Policy, now: Timestamp) -> Decision {
    if share.kind == ShareKind::TicketSync {
        return nothing("a periodic tick carries no change");
    }
    // Shares overtake each other, and only this one tells of the comment.
    let commented = share.kind == ShareKind::Commented && link.state == LinkState::Open;
    if share.incident.revision() < link.revision {
        return if commented { Decision::Notes } else { nothing("the share is older than what was sent already") };
    }
    if link.error_shown && only_repeats(link, share, policy) {
        let why = "only the marks of the failure are new; what failed waits for a person";
        return if commented { Decision::Notes } else { nothing(why) };
    }
    let over = is_over(&share.incident);
    match (link.state, &link.ticket) {
        (LinkState::Parked, Some(_)) if share.kind == ShareKind::Manual => with_ticket(link, share, over, policy, now),
        (LinkState::Parked, _) => nothing("the link is parked for a person to look at"),
        (LinkState::New | LinkState::Open, None) => Decision::Create { closing: over && policy.resolve_ticket },
        (LinkState::New | LinkState::Open, Some(_)) => with_ticket(link, share, over, policy, now),
    }
}

/// Our own tag and comment about a failure come back as changes of the incident. What failed for good must not begin
/// anew because of them. Whoever shares the incident again means it.
fn only_repeats(link: &Link, share: &Share, policy: &Policy) -> bool {
    let by_itself = match share.kind {
        ShareKind::Updated
        | ShareKind::TagUpserted
        | ShareKind::TagRemoved
        | ShareKind::Commented
        | ShareKind::Unnamed => true,
        ShareKind::New
        | ShareKind::Snoozed
        | ShareKind::Reopened
        | ShareKind::Flapping
        | ShareKind::Closed
        | ShareKind::Manual
        | ShareKind::TicketSync => false,
    };
    by_itself && link.memory.essence == essence(&share.incident, &policy.response_tag)
}

fn with_ticket(link: &Link, share: &Share, over: bool, policy: &Policy, now: Timestamp) -> Decision {
    let memory = &link.memory;
    match memory.phase {
        Phase::Open => Decision::Update { closing: over && !memory.resolved && policy.resolve_ticket },
        Phase::Resolved | Phase::Closed if over => ended(memory.phase),
        Phase::Resolved | Phase::Closed => {
            if memory.resolved || share.kind == ShareKind::Reopened {
                return Decision::Reopen;
            }
            match memory.resolving.map(|since| since.plus(RESOLVING)) {
                Some(until) if now < until => {
                    Decision::Wait { until, why: "BigPanda was asked to resolve the incident a moment ago".to_owned() }
                }
                Some(_) => Decision::Reopen,
                // A person ended the ticket, and the incident was not to follow.
                None => ended(memory.phase),
            }
        }
    }
}

/// A resolved ticket still takes updates; a closed one is history.
fn ended(phase: Phase) -> Decision {
    match phase {
        Phase::Open | Phase::Resolved => Decision::Update { closing: false },
        Phase::Closed => nothing("the ticket is closed"),
    }
}

/// Whether the incident is resolved.
pub fn is_over(incident: &Incident) -> bool {
    !incident.active
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::Tag;
    use crate::domain::link::Memory;
    use crate::engine::seal::samples;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn decided(link: &Link, share: &Share) -> Decision {
        decide(link, share, &Policy::default(), NOW)
    }

    fn share(active: bool, kind: ShareKind) -> Share {
        let mut share = Share { kind, ..samples::share(100) };
        share.incident.active = active;
        share
    }

    fn link(memory: Memory) -> Link {
        Link { memory, ..samples::open_link() }
    }

    #[test]
    fn a_first_share_creates_whatever_its_kind() {
        for kind in ShareKind::ALL {
            let decision = decided(&samples::link(), &share(true, kind));
            if kind == ShareKind::TicketSync {
                assert!(matches!(decision, Decision::Nothing { .. }));
            } else {
                assert_eq!(decision, Decision::Create { closing: false }, "{kind:?}");
            }
        }
        let over = decided(&samples::link(), &share(false, ShareKind::New));
        assert_eq!(over, Decision::Create { closing: true }, "it is over before anybody heard of it");
    }

    #[test]
    fn an_older_share_changes_nothing() {
        let link = Link { revision: 101, ..samples::open_link() };
        assert!(matches!(decided(&link, &samples::share(100)), Decision::Nothing { .. }));
        let link = Link { revision: 100, ..samples::open_link() };
        assert_eq!(decided(&link, &samples::share(100)), Decision::Update { closing: false }, "may still differ");
    }

    #[test]
    fn the_marks_of_a_failure_are_no_reason_to_begin_anew() {
        let before = share(true, ShareKind::New);
        let memory = Memory { essence: essence(&before.incident, "servicenow_link"), ..Memory::default() };
        let failed = Link { error_shown: true, memory, ..samples::link() };
        let mut marked = share(true, ShareKind::TagUpserted);
        marked.incident.tags.push(Tag { name: "servicenow_link".to_owned(), value: "error".to_owned() });
        marked.incident.changed = Some(200);
        assert!(matches!(decided(&failed, &marked), Decision::Nothing { .. }));
        let anew = Decision::Create { closing: false };
        assert_eq!(decided(&Link { error_shown: false, ..failed.clone() }, &marked), anew, "nothing failed");
        assert_eq!(decided(&failed, &Share { kind: ShareKind::Manual, ..marked.clone() }), anew, "a person shares it");
        let commented = Share { kind: ShareKind::Commented, ..marked.clone() };
        let open = Link { state: LinkState::Open, ticket: Some(samples::ticket()), ..failed.clone() };
        assert_eq!(decided(&open, &commented), Decision::Notes, "what people write is passed on all the same");
        marked.incident.tags.push(Tag { name: "team".to_owned(), value: "db".to_owned() });
        assert_eq!(decided(&failed, &marked), anew, "something else changed");
    }

    #[test]
    fn a_parked_link_is_left_alone() {
        let link = Link { state: LinkState::Parked, ..samples::open_link() };
        assert!(matches!(decided(&link, &samples::share(100)), Decision::Nothing { .. }));
        // A person who shares it again wants to know whether the ticket is there.
        assert_eq!(decided(&link, &share(true, ShareKind::Manual)), Decision::Update { closing: false });
        let never = Link { ticket: None, ..link };
        assert!(matches!(decided(&never, &share(true, ShareKind::Manual)), Decision::Nothing { .. }));
    }

    /// Every combination of what is remembered and what comes in.
    #[test]
    fn the_end_of_an_incident_is_told_once_and_its_return_is_noticed() {
        let mut lines = Vec::new();
        for phase in [Phase::Open, Phase::Resolved, Phase::Closed] {
            for (resolved, resolving) in [(false, None), (true, None), (false, Some(NOW)), (false, Some(Timestamp(0)))]
            {
                for (active, kind) in
                    [(true, ShareKind::Updated), (true, ShareKind::Reopened), (false, ShareKind::Closed)]
                {
                    let link = link(Memory { resolved, resolving, phase, ..Memory::default() });
                    let word = match decided(&link, &share(active, kind)) {
                        Decision::Update { closing: false } => "update",
                        Decision::Update { closing: true } => "resolve",
                        Decision::Reopen => "reopen?",
                        Decision::Wait { .. } => "wait",
                        Decision::Nothing { .. } => "-",
                        Decision::Create { .. } | Decision::Follow(_) | Decision::Notes => unreachable!(),
                    };
                    let told = match (resolved, resolving) {
                        (true, _) => "was resolved",
                        (false, Some(NOW)) => "resolving",
                        (false, Some(_)) => "resolving for long",
                        (false, None) => "was active",
                    };
                    lines.push(format!("{phase:?}, {told}, {} active={active}: {word}", kind.as_str()));
                }
            }
        }
        insta::assert_snapshot!(lines.join("\n"));
    }
}
