//! Promises to the operator: lists, retry, discard, sizes.

use RequestState::{Dead, Discarded, Done, Leased, Ready};

use super::samples::*;
use crate::domain::id::{IntegrationName, RequestId};
use crate::domain::request::Target;
use crate::store::sqlite::SqliteStore;
use crate::store::{Desk, Inbox, Outbox, QueueFilter, RequestClaim, RequestEnd, RequestState, Retried};

/// One request that has died, uncertainly or not.
async fn dead(store: &SqliteStore, uncertain: bool) -> RequestClaim {
    sealed(store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    let first = claim(store, at(1)).await.remove(0);
    let end = RequestEnd::Dead { failure: failure("f"), uncertain };
    store.settled(settle(first.id, first.fence, end, at(1))).await.unwrap();
    first
}

#[tokio::test]
async fn a_retried_dead_letter_has_a_fresh_budget_and_still_looks_first() {
    for uncertain in [true, false] {
        let (_directory, store) = fresh();
        let first = dead(&store, uncertain).await;
        assert_eq!(store.retry(first.id, at(5)).await.unwrap(), Retried::Due);
        let again = claim(&store, at(5)).await.remove(0);
        assert_eq!((again.attempts, again.crashes, again.uncertain), (0, 0, uncertain));
        assert_eq!(again.request, first.request);
    }
}

#[tokio::test]
async fn a_dead_create_does_not_get_in_front_of_a_newer_one() {
    let (_directory, store) = fresh();
    let first = dead(&store, false).await;
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k2", at(900))], at(2)).await;
    assert_eq!(store.retry(first.id, at(3)).await.unwrap(), Retried::Overtaken { by: RequestId(2) });
    assert!(claim(&store, at(4)).await.is_empty());
    assert_eq!(store.retry(RequestId(2), at(5)).await.unwrap(), Retried::Due);
    assert!(store.discard(RequestId(2), at(5)).await.unwrap());
    assert_eq!(store.retry(first.id, at(6)).await.unwrap(), Retried::Due);
}

#[tokio::test]
async fn a_waiting_request_can_be_made_due() {
    let (_directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(900))], at(1)).await;
    assert!(claim(&store, at(2)).await.is_empty());
    assert_eq!(store.retry(RequestId(1), at(2)).await.unwrap(), Retried::Due);
    assert_eq!(claim(&store, at(2)).await.len(), 1);
}

#[tokio::test]
async fn a_finished_or_unknown_request_can_be_neither_retried_nor_discarded() {
    let (_directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    let first = claim(&store, at(1)).await.remove(0);
    assert!(!store.discard(first.id, at(1)).await.unwrap(), "a worker has it");
    assert_eq!(store.retry(first.id, at(1)).await.unwrap(), Retried::Due);
    assert!(claim(&store, at(2)).await.is_empty(), "retrying it takes it from nobody");
    store.settled(settle(first.id, first.fence, RequestEnd::Done, at(2))).await.unwrap();
    for id in [first.id, RequestId(77)] {
        assert_eq!(store.retry(id, at(3)).await.unwrap(), Retried::Unknown);
        assert!(!store.discard(id, at(3)).await.unwrap());
    }
}

#[tokio::test]
async fn discarding_frees_the_lane_and_the_events() {
    let (_directory, store) = fresh();
    let requests = vec![new_request(Target::ServiceNow, "k1", at(900)), new_request(Target::ServiceNow, "k2", at(1))];
    sealed(&store, "i1", requests, at(1)).await;
    store.accept(event("i1", "d2", at(2))).await.unwrap();
    assert!(store.discard(RequestId(1), at(3)).await.unwrap());
    assert_eq!(claim(&store, at(3)).await[0].id, RequestId(2));
    assert!(store.claim_events(1, LEASE, at(200)).await.unwrap().is_empty());
    assert!(store.discard(RequestId(2), at(200)).await.unwrap(), "its lease has run out");
    assert_eq!(store.claim_events(1, LEASE, at(201)).await.unwrap().len(), 1);
    let shown = store.show(RequestId(1)).await.unwrap().unwrap();
    assert_eq!(shown.view.state, RequestState::Discarded);
    assert!(shown.journal.iter().any(|entry| entry.kind == "request.discarded"));
}

#[tokio::test]
async fn a_list_shows_what_is_asked_for_newest_first() {
    let (_directory, store) = fresh();
    dead(&store, false).await;
    sealed(&store, "i2", vec![new_request(Target::ServiceNow, "k2", at(2))], at(2)).await;
    claim(&store, at(2)).await;
    sealed(&store, "i3", vec![new_request(Target::ServiceNow, "k3", at(3))], at(3)).await;
    let list = async |states: &[RequestState], integration: Option<&str>, limit| {
        let integration = integration.map(|name| IntegrationName::new(name).unwrap());
        let filter = QueueFilter { integration, states: states.to_vec(), limit };
        let views = store.list(filter).await.unwrap();
        views.iter().map(|view| (view.id.0, view.state)).collect::<Vec<_>>()
    };
    assert_eq!(list(&[], None, 0).await, [(3, Ready), (2, Leased), (1, Dead)]);
    assert_eq!(list(&[], Some("acme"), 2).await, [(3, Ready), (2, Leased)]);
    assert_eq!(list(&[], Some("other"), 2).await, []);
    assert_eq!(list(&[Dead, Leased], None, 9).await, [(2, Leased), (1, Dead)]);
    assert_eq!(list(&[Done, Discarded], None, 9).await, []);
    store.discard(RequestId(3), at(4)).await.unwrap();
    assert_eq!(list(&[Done, Discarded], None, 9).await, [(3, Discarded)]);
}

#[tokio::test]
async fn sizes_tell_what_is_unfinished_and_since_when() {
    let (_directory, store) = fresh();
    assert_eq!(store.depths().await.unwrap().oldest, None);
    dead(&store, false).await;
    sealed(&store, "i2", vec![new_request(Target::ServiceNow, "k2", at(9))], at(2)).await;
    store.accept(event("i3", "d", at(5))).await.unwrap();
    let depths = store.depths().await.unwrap();
    assert_eq!((depths.events_pending, depths.links, depths.oldest), (1, 3, Some(at(2))));
    let counts: Vec<_> = depths.requests.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(counts, [(RequestState::Ready, 1), (RequestState::Dead, 1)]);
    store.check().await.unwrap();
}
