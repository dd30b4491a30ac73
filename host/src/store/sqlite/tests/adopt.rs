//! Promises about pairs that are taken over.

use super::samples::*;
use crate::domain::id::{IncidentId, SysId};
use crate::domain::link::LinkState;
use crate::domain::request::Target;
use crate::domain::ticket::{Phase, TicketRef, TicketState};
use crate::store::{Adoption, Desk, Inbox, Links, NewLink};

fn pair(incident: &str, digit: char) -> NewLink {
    let sys_id = SysId::new(&digit.to_string().repeat(32)).unwrap();
    let ticket = TicketState {
        ticket: TicketRef { sys_id, number: format!("INC{digit}"), url: String::new() },
        incident: IncidentId::new(incident).unwrap(),
        fields: [("state", "6"), ("sys_mod_count", "7")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        notes: Vec::new(),
    };
    NewLink { integration: acme(), environment: None, ticket, said: format!("INC{digit} was taken over.") }
}

#[tokio::test]
async fn a_pair_becomes_a_link_once_and_never_replaces_what_is_there() {
    let (_directory, store) = fresh();
    sealed(&store, "busy", vec![new_request(Target::ServiceNow, "create", at(9))], at(1)).await;
    store.accept(event("waiting", "w", at(1))).await.unwrap();
    let links = vec![pair("new", '1'), pair("busy", '2'), pair("waiting", '3')];
    let adopted = store.adopt(links, at(2)).await.unwrap();
    assert_eq!(adopted, [Adoption::Made, Adoption::Busy, Adoption::Made]);
    let other = Adoption::Other(pair("new", '1').ticket.ticket);
    assert_eq!(store.adopt(vec![pair("new", '1'), pair("new", '4')], at(3)).await.unwrap(), [Adoption::Same, other]);

    let link = store.link_of(&acme(), &IncidentId::new("new").unwrap()).await.unwrap().unwrap();
    assert_eq!((link.state, link.ticket.map(|ticket| ticket.number)), (LinkState::Open, Some("INC1".to_owned())));
    assert_eq!((link.memory.phase, link.memory.version), (Phase::Resolved, 7), "as it stands, so it is no news");
    let journal = store.journal_of(link.id).await.unwrap().remove(0);
    assert_eq!((journal.kind.as_str(), journal.text.as_str()), ("link.adopted", "INC1 was taken over."));
    assert_eq!(store.depths().await.unwrap().links, 3);
    // What waited is decided with the ticket in sight.
    let claim = store.claim_events(1, LEASE, at(4)).await.unwrap().remove(0);
    assert_eq!(claim.link.ticket.map(|ticket| ticket.number), Some("INC3".to_owned()));
}
