//! The ordinary way of a share through the store, and what is known of it afterwards.

use super::samples::*;
use crate::domain::id::{IncidentId, SysId};
use crate::domain::link::{Link, LinkState};
use crate::domain::request::Target;
use crate::domain::ticket::TicketRef;
use crate::store::{Completion, Desk, Inbox, Links, Outbox, QueueFilter, RequestEnd, RequestState, Settled};

#[tokio::test]
async fn a_share_becomes_a_confirmed_ticket() {
    let (_directory, store) = fresh();
    let accepted = store.accept(event("i1", "d1", at(1))).await.unwrap();
    assert!(!accepted.duplicate);

    let claims = store.claim_events(10, LEASE, at(2)).await.unwrap();
    let [claim] = claims.as_slice() else { panic!("{claims:?}") };
    assert_eq!((claim.link.id, claim.crashes), (accepted.link, 0));
    assert_eq!((claim.events[0].id, claim.events[0].body.as_ref()), (accepted.event, b"i1/d1".as_slice()));
    let decided = done(claim, vec![new_request(Target::ServiceNow, "k1", at(2))], at(2));
    assert_eq!(store.decided(decided).await.unwrap(), Completion::Recorded);

    let claims = super::samples::claim(&store, at(3)).await;
    let [request] = claims.as_slice() else { panic!("{claims:?}") };
    assert_eq!(request.request, super::samples::request(Target::ServiceNow, "k1"));
    assert_eq!((request.attempts, request.crashes, request.uncertain, request.created), (0, 0, false, at(2)));
    let ticket = TicketRef {
        sys_id: SysId::new("abc").unwrap(),
        number: "INC0010001".to_owned(),
        url: "https://servicenow.example/INC0010001".to_owned(),
    };
    let link = Link {
        state: LinkState::Open,
        ticket: Some(ticket),
        revision: 5,
        written: [("urgency".to_owned(), "1".to_owned())].into(),
        error_shown: true,
        ..request.link.clone()
    };
    let settled = Settled {
        link: Some(link.clone()),
        follow_ups: vec![new_request(Target::BigPanda, "k2", at(3))],
        notes: vec![note("request.create-ticket")],
        ..settle(request.id, request.fence, RequestEnd::Done, at(3))
    };
    assert_eq!(store.settled(settled).await.unwrap(), Completion::Recorded);

    assert_eq!(store.link_of(&acme(), &IncidentId::new("i1").unwrap()).await.unwrap(), Some(link.clone()));
    let journal = store.journal_of(accepted.link).await.unwrap();
    let kinds: Vec<_> = journal.iter().map(|entry| (entry.at, entry.kind.as_str())).collect();
    assert_eq!(kinds, [(at(2), "share.decided"), (at(3), "request.create-ticket")]);
    let waiting = store.list(QueueFilter::default()).await.unwrap();
    let [follow_up] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert_eq!((follow_up.operation.as_str(), follow_up.state), ("callback", RequestState::Ready));
    assert_eq!(follow_up.ticket.as_deref(), Some("INC0010001"));
    let shown = store.show(request.id).await.unwrap().unwrap();
    assert_eq!((shown.view.state, shown.view.generation, shown.view.link), (RequestState::Done, 7, link.id));
    assert_eq!((shown.tries[0].outcome.as_str(), shown.tries[0].took_ms), ("applied", 7));
    assert_eq!(shown.journal, journal);
}
