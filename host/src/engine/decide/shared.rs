//! BigPanda shared an incident, for the first time or again.

use super::Decision;
use crate::domain::link::{Link, LinkState};
use crate::domain::share::{Share, ShareKind};

/// A share leads to a create while the link has no ticket and to an update once it has one. A state that is older
/// than what was sealed already leads to nothing, so shares may arrive in any order.
pub fn decide(link: &Link, share: &Share) -> Decision {
    let nothing = |why: &str| Decision::Nothing { why: why.to_owned() };
    match share.kind {
        ShareKind::TicketSync => return nothing("a periodic tick carries no change"),
        ShareKind::New
        | ShareKind::Updated
        | ShareKind::TagUpserted
        | ShareKind::TagRemoved
        | ShareKind::Snoozed
        | ShareKind::Commented
        | ShareKind::Reopened
        | ShareKind::Flapping
        | ShareKind::Closed
        | ShareKind::Manual
        | ShareKind::Unnamed => {}
    }
    if share.incident.revision() < link.revision {
        return nothing("the share is older than what was sent already");
    }
    match (link.state, &link.ticket) {
        (LinkState::Parked, _) => nothing("the link is parked for a person to look at"),
        (LinkState::New | LinkState::Open, None) => Decision::Create,
        (LinkState::New | LinkState::Open, Some(_)) => Decision::Update,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::seal::samples;

    #[test]
    fn a_first_share_creates_whatever_its_kind() {
        for kind in ShareKind::ALL {
            let share = Share { kind, ..samples::share(100) };
            let decision = decide(&samples::link(), &share);
            if kind == ShareKind::TicketSync {
                assert!(matches!(decision, Decision::Nothing { .. }));
            } else {
                assert_eq!(decision, Decision::Create, "{kind:?}");
            }
        }
    }

    #[test]
    fn a_share_of_an_open_link_updates() {
        assert_eq!(decide(&samples::open_link(), &samples::share(100)), Decision::Update);
    }

    #[test]
    fn an_older_share_changes_nothing() {
        let link = Link { revision: 101, ..samples::open_link() };
        assert!(matches!(decide(&link, &samples::share(100)), Decision::Nothing { .. }));
        let link = Link { revision: 100, ..samples::open_link() };
        assert_eq!(decide(&link, &samples::share(100)), Decision::Update, "equal revisions may still differ");
    }

    #[test]
    fn a_parked_link_is_left_alone() {
        let link = Link { state: LinkState::Parked, ..samples::open_link() };
        assert!(matches!(decide(&link, &samples::share(100)), Decision::Nothing { .. }));
    }
}
