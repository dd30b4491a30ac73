//! Promises about forgetting.

use super::samples::*;
use crate::domain::id::RequestId;
use crate::domain::request::Target;
use crate::domain::time::Timestamp;
use crate::store::{Desk, Inbox, Outbox, Pruned, RequestEnd, Retention, Retried};

fn day(number: i64) -> Timestamp {
    at(number * 24 * 60 * 60)
}

#[tokio::test]
async fn finished_rows_go_after_their_time_and_unfinished_ones_stay() {
    let (_directory, store) = fresh();
    for number in 0..1_203 {
        store.accept(event(&format!("i{number}"), "d", at(number))).await.unwrap();
    }
    let claims = store.claim_events(2_000, LEASE, at(2_000)).await.unwrap();
    for claimed in &claims[..1_200] {
        let mut new = new_request(Target::ServiceNow, &format!("k{}", claimed.link.id), at(2_000));
        new.event = claimed.events.first().map(|event| event.id);
        store.decided(done(claimed, vec![new], at(2_000))).await.unwrap();
    }
    let requests = store.claim_requests(Target::ServiceNow, 2_000, LEASE, &[], at(2_001)).await.unwrap();
    for request in &requests[3..] {
        store.settled(settle(request.id, request.fence, RequestEnd::Done, at(2_002))).await.unwrap();
    }
    let dead = RequestEnd::Dead { failure: failure("f"), uncertain: false };
    store.settled(settle(requests[0].id, requests[0].fence, dead, at(2_002))).await.unwrap();
    assert_eq!(store.prune(day(7)).await.unwrap(), Pruned::default(), "nothing is a week old");
    let pruned = store.prune(day(8)).await.unwrap();
    // Three are unfinished or dead, and the newest row stays for its number.
    assert_eq!(pruned, Pruned { events: 0, requests: 1_196 });
    let pruned = store.prune(day(31)).await.unwrap();
    assert_eq!(pruned, Pruned { events: 1_197, requests: 0 }, "the events of dead letters are kept");
    assert!(store.show(requests[0].id).await.unwrap().is_some());
    assert!(store.show(requests[9].id).await.unwrap().is_none());
    assert_eq!(store.retry(requests[0].id, day(31)).await.unwrap(), Retried::Due);
    assert_eq!(store.claim_events(9, LEASE, day(31)).await.unwrap().len(), 3, "events that nobody decided are kept");
}

#[tokio::test]
async fn a_number_is_not_given_twice_after_pruning_and_reopening() {
    let (directory, store) = fresh();
    for number in 0..2 {
        sealed(&store, &format!("i{number}"), vec![new_request(Target::ServiceNow, "k", at(number))], at(number)).await;
    }
    for request in claim(&store, at(3)).await {
        store.settled(settle(request.id, request.fence, RequestEnd::Done, at(3))).await.unwrap();
    }
    assert_eq!(store.prune(day(99)).await.unwrap(), Pruned { events: 1, requests: 1 });
    drop(store);
    let store = open(&directory.path().join("tandem.db"));
    sealed(&store, "i9", vec![new_request(Target::ServiceNow, "k", at(4))], at(4)).await;
    assert_eq!(claim(&store, at(4)).await[0].id, RequestId(3));
}
