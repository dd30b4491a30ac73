//! Promises about events: deduplication, claims by link, coalescing, holding, quarantine, leases.

use super::samples::*;
use crate::domain::id::{EventId, IntegrationName};
use crate::domain::request::Target;
use crate::store::{
    Completion, Decided, Desk, EventClaim, EventEnd, Inbox, NewEvent, Outbox, RequestEnd, RequestState,
};

fn ids(claim: &EventClaim) -> Vec<EventId> {
    claim.events.iter().map(|event| event.id).collect()
}

async fn claims(store: &impl Inbox, seconds: i64) -> Vec<EventClaim> {
    store.claim_events(10, LEASE, at(seconds)).await.unwrap()
}

#[tokio::test]
async fn a_second_delivery_of_the_same_event_stores_nothing() {
    let (_directory, store) = fresh();
    let first = store.accept(event("i1", "d1", at(1))).await.unwrap();
    let second = store.accept(event("i1", "d1", at(2))).await.unwrap();
    assert!(second.duplicate);
    assert_eq!((second.event, second.link), (first.event, first.link));
    let elsewhere = store.accept(event("i2", "d1", at(2))).await.unwrap();
    assert!(!elsewhere.duplicate, "another incident's event is another event");
    let other = IntegrationName::new("other").unwrap();
    let apart = store.accept(event_of(&other, "i1", "d1", at(2))).await.unwrap();
    assert!(!apart.duplicate && apart.link != first.link, "integrations share nothing");
    assert_eq!(store.depths().await.unwrap().events_pending, 3);
}

#[tokio::test]
async fn a_duplicate_is_known_after_its_first_delivery_is_done() {
    let (_directory, store) = fresh();
    store.accept(event("i1", "d1", at(1))).await.unwrap();
    let claim = claims(&store, 1).await.remove(0);
    store.decided(done(&claim, Vec::new(), at(1))).await.unwrap();
    assert!(store.accept(event("i1", "d1", at(9))).await.unwrap().duplicate);
    assert!(claims(&store, 9).await.is_empty());
}

#[tokio::test]
async fn events_of_a_link_are_claimed_together_and_by_one_worker() {
    let (_directory, store) = fresh();
    let first = store.accept(event("i1", "d1", at(1))).await.unwrap();
    let second = store.accept(event("i1", "d2", at(2))).await.unwrap();
    store.accept(event("i2", "d3", at(3))).await.unwrap();
    let claimed = store.claim_events(1, LEASE, at(4)).await.unwrap();
    assert_eq!(claimed.iter().map(ids).collect::<Vec<_>>(), [vec![first.event, second.event]], "longest waiting first");
    let third = store.accept(event("i1", "d4", at(5))).await.unwrap();
    let others = claims(&store, 6).await;
    assert!(others.iter().all(|claim| claim.link.id != first.link), "the link is being worked on");
    store.decided(done(&claimed[0], Vec::new(), at(7))).await.unwrap();
    assert_eq!(claims(&store, 8).await.iter().map(ids).collect::<Vec<_>>(), [vec![third.event]]);
}

#[tokio::test]
async fn newer_events_coalesce_while_a_request_to_servicenow_is_unfinished() {
    let (_directory, store) = fresh();
    sealed(&store, "i1", vec![new_request(Target::ServiceNow, "k1", at(1))], at(1)).await;
    store.accept(event("i1", "d2", at(2))).await.unwrap();
    assert!(claims(&store, 2).await.is_empty(), "a ready request holds events back");
    let request = claim(&store, at(2)).await.remove(0);
    assert!(claims(&store, 2).await.is_empty(), "so does a leased one");
    for (state, seconds) in [(RequestState::Retry, 3), (RequestState::DeadPending, 4)] {
        let leased = if seconds == 3 { request.clone() } else { claim(&store, at(seconds)).await.remove(0) };
        let end =
            RequestEnd::Again { due: at(seconds + 1), state, failure: failure("f"), counted: true, uncertain: false };
        store.settled(settle(leased.id, leased.fence, end, at(seconds))).await.unwrap();
        store.accept(event("i1", &format!("d{seconds}"), at(seconds))).await.unwrap();
        assert!(claims(&store, seconds).await.is_empty(), "so does one in state {state:?}");
    }
    let leased = claim(&store, at(9)).await.remove(0);
    store.settled(settle(leased.id, leased.fence, RequestEnd::Done, at(9))).await.unwrap();
    let [claimed] = claims(&store, 9).await.try_into().unwrap();
    assert_eq!(claimed.events.len(), 3, "all that came in meanwhile, in one claim");
}

#[tokio::test]
async fn a_dead_request_and_one_to_bigpanda_hold_no_events_back() {
    let (_directory, store) = fresh();
    let requests = vec![new_request(Target::ServiceNow, "k1", at(1)), new_request(Target::BigPanda, "k2", at(1))];
    sealed(&store, "i1", requests, at(1)).await;
    let leased = claim(&store, at(2)).await.remove(0);
    let end = RequestEnd::Dead { failure: failure("f"), uncertain: false };
    store.settled(settle(leased.id, leased.fence, end, at(2))).await.unwrap();
    store.accept(event("i1", "d2", at(3))).await.unwrap();
    assert_eq!(claims(&store, 3).await.len(), 1);
}

fn hold(claim: &EventClaim, until: i64, now: i64) -> Decided {
    let end = EventEnd::Hold { until: at(until), why: "a plugin asked".to_owned() };
    Decided { end, ..done(claim, Vec::new(), at(now)) }
}

#[tokio::test]
async fn held_events_come_back_when_their_time_has_come() {
    let (_directory, store) = fresh();
    store.accept(event("i1", "d1", at(1))).await.unwrap();
    let claimed = claims(&store, 1).await.remove(0);
    assert_eq!(store.decided(hold(&claimed, 100, 1)).await.unwrap(), Completion::Recorded);
    assert!(claims(&store, 99).await.is_empty());
    assert_eq!(store.next_due(at(99)).await.unwrap(), Some(at(100)));
    let again = claims(&store, 100).await.remove(0);
    assert_eq!((ids(&again), again.crashes), (ids(&claimed), 0));
}

#[tokio::test]
async fn a_newer_event_takes_the_held_ones_with_it() {
    let (_directory, store) = fresh();
    let first = store.accept(event("i1", "d1", at(1))).await.unwrap();
    let claimed = claims(&store, 1).await.remove(0);
    store.decided(hold(&claimed, 100, 1)).await.unwrap();
    let second = store.accept(event("i1", "d2", at(2))).await.unwrap();
    assert_eq!(ids(&claims(&store, 2).await[0]), [first.event, second.event]);
}

#[tokio::test]
async fn quarantined_events_wait_for_a_person() {
    let (_directory, store) = fresh();
    store.accept(event("i1", "d1", at(1))).await.unwrap();
    let claimed = claims(&store, 1).await.remove(0);
    let end = EventEnd::Quarantined { why: "poison".to_owned() };
    store.decided(Decided { end, ..done(&claimed, Vec::new(), at(1)) }).await.unwrap();
    assert!(claims(&store, 9_999).await.is_empty());
    let depths = store.depths().await.unwrap();
    assert_eq!((depths.events_pending, depths.events_quarantined), (0, 1));
}

#[tokio::test]
async fn events_that_a_decision_does_not_name_are_pending_again() {
    let (_directory, store) = fresh();
    let first = store.accept(event("i1", "d1", at(1))).await.unwrap();
    let second = store.accept(event("i1", "d2", at(1))).await.unwrap();
    let claimed = claims(&store, 1).await.remove(0);
    let decided = Decided { events: vec![first.event], ..done(&claimed, Vec::new(), at(1)) };
    store.decided(decided).await.unwrap();
    let again = claims(&store, 1).await.remove(0);
    assert_eq!((ids(&again), again.crashes), (vec![second.event], 0));
}

#[tokio::test]
async fn a_lease_that_ran_out_counts_a_crash_and_its_late_decision_changes_nothing() {
    let (_directory, store) = fresh();
    store.accept(event("i1", "d1", at(1))).await.unwrap();
    let lost = claims(&store, 1).await.remove(0);
    assert!(claims(&store, 120).await.is_empty(), "the lease runs for 120 s");
    assert_eq!(store.next_due(at(120)).await.unwrap(), Some(at(121)));
    let again = claims(&store, 121).await.remove(0);
    assert_eq!((ids(&again), again.crashes), (ids(&lost), 1));
    assert!(again.fence > lost.fence);
    let late = done(&lost, vec![new_request(Target::ServiceNow, "late", at(122))], at(122));
    assert_eq!(store.decided(late).await.unwrap(), Completion::Stale);
    assert!(claim(&store, at(122)).await.is_empty(), "nothing of a stale decision is stored");
    assert!(store.decided(done(&again, Vec::new(), at(123))).await.unwrap() == Completion::Recorded);
}

#[tokio::test]
async fn a_late_decision_counts_while_nobody_else_has_claimed() {
    let (_directory, store) = fresh();
    store.accept(event("i1", "d1", at(1))).await.unwrap();
    let claimed = claims(&store, 1).await.remove(0);
    assert!(store.claim_events(0, LEASE, at(500)).await.unwrap().is_empty(), "the lease is seen to have run out");
    assert_eq!(store.decided(done(&claimed, Vec::new(), at(501))).await.unwrap(), Completion::Recorded);
    assert!(claims(&store, 502).await.is_empty());
}

#[tokio::test]
async fn only_the_newest_event_of_a_claim_brings_its_body() {
    let (_directory, store) = fresh();
    for (dedupe, revision) in [("d1", 5), ("d2", 9), ("d3", 7)] {
        store.accept(NewEvent { revision, ..event("i1", dedupe, at(1)) }).await.unwrap();
    }
    let claimed = claims(&store, 1).await.remove(0);
    let bodies: Vec<_> = claimed.events.iter().map(|event| event.body.as_ref()).collect();
    assert_eq!(bodies, [b"".as_slice(), b"i1/d2", b""]);
}

#[tokio::test]
async fn rejected_bodies_are_capped_in_number_and_size() {
    let (directory, store) = fresh();
    for number in 0..502 {
        store.reject(&acme(), &format!("reason {number}"), &vec![b'x'; 70_000], at(number)).await.unwrap();
    }
    drop(store);
    let db = rusqlite::Connection::open(directory.path().join("tandem.db")).unwrap();
    let kept = db.query_row("SELECT count(*), min(at), max(size), max(length(body)) FROM rejected", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
    });
    assert_eq!(kept.unwrap(), (500, at(2).0, 70_000, 65_536));
}
