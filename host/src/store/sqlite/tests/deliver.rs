//! Promises about requests: lanes, order, fences, leases, attempts, the one completion of a sealed request.

use super::samples::*;
use crate::domain::id::{Fence, IntegrationName, RequestId};
use crate::domain::request::{Operation, Request, Target};
use crate::domain::ticket::FieldValue;
use crate::store::{Completion, Desk, Inbox, Outbox, RequestClaim, RequestEnd, RequestState, Room, Settled};

fn keys(claims: &[RequestClaim]) -> Vec<&str> {
    claims.iter().map(|claim| claim.request.key.as_str()).collect()
}

fn again(due: i64, counted: bool, uncertain: bool) -> RequestEnd {
    RequestEnd::Again { due: at(due), state: RequestState::Retry, failure: failure("f"), counted, uncertain }
}

#[tokio::test]
async fn a_lane_has_one_request_out_and_the_oldest_goes_first() {
    let (_directory, store) = fresh();
    let requests = vec![
        new_request(Target::ServiceNow, "a1", at(5)),
        new_request(Target::ServiceNow, "a2", at(1)),
        new_request(Target::BigPanda, "a3", at(1)),
    ];
    sealed(&store, "i1", requests, at(1)).await;
    assert!(claim(&store, at(4)).await.is_empty(), "the oldest isn't due, and no other goes before it");
    let first = claim(&store, at(5)).await;
    assert_eq!(keys(&first), ["a1"]);
    assert!(claim(&store, at(6)).await.is_empty());
    let other_side = store.claim_requests(Target::BigPanda, 16, LEASE, &[], at(6)).await.unwrap();
    assert_eq!(keys(&other_side), ["a3"], "sides don't wait for each other");
    store.settled(settle(first[0].id, first[0].fence, again(900, true, false), at(6))).await.unwrap();
    assert!(claim(&store, at(899)).await.is_empty(), "a waiting request holds its lane");
    let first = claim(&store, at(900)).await;
    assert_eq!((keys(&first), first[0].attempts), (vec!["a1"], 1));
    store.settled(settle(first[0].id, first[0].fence, RequestEnd::Done, at(901))).await.unwrap();
    assert_eq!(keys(&claim(&store, at(901)).await), ["a2"]);
}

#[tokio::test]
async fn the_longest_due_go_first_and_paused_integrations_are_left_alone() {
    let (_directory, store) = fresh();
    for (incident, due) in [("i1", 30), ("i2", 10), ("i3", 20)] {
        sealed(&store, incident, vec![new_request(Target::ServiceNow, incident, at(due))], at(1)).await;
    }
    let other = IntegrationName::new("other").unwrap();
    store.accept(event_of(&other, "i4", "d", at(1))).await.unwrap();
    let events = store.claim_events(1, LEASE, at(1)).await.unwrap();
    store.decided(done(&events[0], vec![new_request(Target::ServiceNow, "i4", at(5))], at(1))).await.unwrap();
    let unpaused = store.claim_requests(Target::ServiceNow, 1, LEASE, &[other], at(40)).await.unwrap();
    assert_eq!(keys(&unpaused), ["i2"]);
    let only = store.claim_requests_of(&acme(), Target::ServiceNow, 1, LEASE, at(40)).await.unwrap();
    assert_eq!(keys(&only), ["i3"], "longer due is another's");
    assert_eq!(keys(&claim(&store, at(40)).await), ["i4", "i1"]);
}

#[tokio::test]
async fn a_completion_with_an_older_fence_changes_nothing() {
    let (_directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    let lost = claim(&store, at(1)).await.remove(0);
    let current = claim(&store, at(200)).await.remove(0);
    let follow_ups = vec![new_request(Target::BigPanda, "late", at(201))];
    let late =
        Settled { follow_ups, notes: vec![note("late")], ..settle(lost.id, lost.fence, RequestEnd::Done, at(201)) };
    assert_eq!(store.settled(late).await.unwrap(), Completion::Stale);
    let shown = store.show(lost.id).await.unwrap().unwrap();
    assert_eq!((shown.view.state, shown.tries.len()), (RequestState::Leased, 0));
    assert!(shown.journal.iter().all(|entry| entry.kind != "late"));
    let end = settle(current.id, current.fence, RequestEnd::Done, at(202));
    assert_eq!(store.settled(end.clone()).await.unwrap(), Completion::Recorded);
    assert_eq!(store.settled(end).await.unwrap(), Completion::Stale, "a second time nobody holds it");
    let unknown = settle(RequestId(99), Fence(1), RequestEnd::Done, at(203));
    assert_eq!(store.settled(unknown).await.unwrap(), Completion::Stale);
}

#[tokio::test]
async fn a_lease_that_ran_out_is_a_crash_and_an_unknown_outcome_but_no_attempt() {
    let (_directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    claim(&store, at(1)).await;
    assert_eq!(store.next_due(at(1)).await.unwrap(), Some(at(121)));
    let second = claim(&store, at(121)).await.remove(0);
    assert_eq!((second.attempts, second.crashes, second.uncertain), (0, 1, true));
    store.settled(settle(second.id, second.fence, again(122, true, false), at(121))).await.unwrap();
    let third = claim(&store, at(122)).await.remove(0);
    assert_eq!((third.attempts, third.crashes, third.uncertain), (1, 1, false), "an attempt settles the doubt");
}

#[tokio::test]
async fn an_uncounted_try_burns_no_attempt_and_leaves_no_record() {
    let (_directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    let first = claim(&store, at(1)).await.remove(0);
    store.settled(settle(first.id, first.fence, again(2, false, true), at(1))).await.unwrap();
    let second = claim(&store, at(2)).await.remove(0);
    assert_eq!((second.attempts, second.uncertain), (0, true));
    assert!(store.show(first.id).await.unwrap().unwrap().tries.is_empty());
}

#[tokio::test]
async fn dead_letters_keep_their_failures_and_count_only_attempts() {
    let (_directory, store) = fresh();
    for incident in ["i1", "i2"] {
        sealed(&store, incident, vec![new_request(Target::ServiceNow, incident, at(1))], at(1)).await;
    }
    let claims = claim(&store, at(1)).await;
    let dead = RequestEnd::Dead { failure: failure("servicenow.refused"), uncertain: false };
    store.settled(settle(claims[0].id, claims[0].fence, dead, at(2))).await.unwrap();
    let parked = RequestEnd::Parked { failure: failure("sync.poison") };
    store.settled(settle(claims[1].id, claims[1].fence, parked, at(2))).await.unwrap();
    assert!(claim(&store, at(9_999)).await.is_empty());
    for (index, code, attempts, outcome) in [(0, "servicenow.refused", 1, "dead"), (1, "sync.poison", 0, "parked")] {
        let shown = store.show(claims[index].id).await.unwrap().unwrap();
        assert_eq!((shown.view.state, shown.view.attempts), (RequestState::Dead, attempts));
        assert_eq!(shown.view.failure, Some(failure(code)));
        assert_eq!((shown.tries[0].outcome.as_str(), shown.tries[0].failure.clone()), (outcome, Some(failure(code))));
    }
}

#[tokio::test]
async fn a_sealed_request_is_completed_once_and_never_changes_again() {
    let (_directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    let first = claim(&store, at(1)).await.remove(0);
    let complete = |value: &str| {
        let field = FieldValue { field: "assignment_group".to_owned(), value: value.to_owned() };
        let operation = Operation::CreateTicket {
            table: "incident".to_owned(),
            correlation_id: "k1".to_owned(),
            fields: vec![field],
            references: Vec::new(),
        };
        Request { operation, ..first.request.clone() }
    };
    let stale = Fence(first.fence.0 - 1);
    assert_eq!(store.complete_seal(first.id, stale, complete("0")).await.unwrap(), Completion::Stale);
    assert_eq!(store.complete_seal(first.id, first.fence, complete("1")).await.unwrap(), Completion::Recorded);
    assert_eq!(store.complete_seal(first.id, first.fence, complete("2")).await.unwrap(), Completion::Stale);
    store.settled(settle(first.id, first.fence, again(2, true, false), at(1))).await.unwrap();
    assert_eq!(claim(&store, at(2)).await[0].request, complete("1"));
}

#[tokio::test]
async fn a_state_that_does_not_wait_cannot_lose_a_request() {
    let (_directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    let first = claim(&store, at(1)).await.remove(0);
    let state = RequestState::Done;
    let end = RequestEnd::Again { due: at(2), state, failure: failure("f"), counted: true, uncertain: false };
    store.settled(settle(first.id, first.fence, end, at(1))).await.unwrap();
    assert_eq!(claim(&store, at(2)).await.len(), 1);
}

#[tokio::test]
async fn an_unreadable_request_is_set_aside_and_others_go_on() {
    let (directory, store) = fresh();
    for incident in ["i1", "i2"] {
        sealed(&store, incident, vec![new_request(Target::ServiceNow, incident, at(1))], at(1)).await;
    }
    drop(store);
    let path = directory.path().join("tandem.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE request_bodies SET body = '{' WHERE request = 1", []).unwrap();
    drop(db);
    let store = open(&path);
    assert_eq!(keys(&claim(&store, at(2)).await), ["i2"]);
    let depths = store.depths().await.unwrap();
    assert!(depths.requests.contains(&(RequestState::Dead, 1)), "{depths:?}");
}

#[tokio::test]
async fn an_attempt_is_recorded_even_if_its_link_can_no_longer_be_read() {
    let (directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    let first = claim(&store, at(1)).await.remove(0);
    let db = rusqlite::Connection::open(directory.path().join("tandem.db")).unwrap();
    db.execute("UPDATE links SET memory = '{'", []).unwrap();
    let ended = store.settle(settle(first.id, first.fence, RequestEnd::Done, at(1)), Room::default()).await.unwrap();
    assert_eq!((ended.completion, ended.claims.len()), (Completion::Recorded, 0));
    let state: i64 = db.query_row("SELECT state FROM requests", [], |row| row.get(0)).unwrap();
    assert_eq!(state, 4, "done");
}
