//! Promises about what a person has tried again: many dead letters, one with new content, events that were set aside.

use std::time::Duration;

use super::samples::*;
use crate::domain::id::{EventId, IntegrationName, RequestId};
use crate::domain::request::{Operation, Target};
use crate::domain::ticket::FieldValue;
use crate::domain::time::Timestamp;
use crate::store::sqlite::SqliteStore;
use crate::store::{
    Completion, Desk, EventEnd, Inbox, Links, Outbox, QueueFilter, Redrive, Redriven, RequestEnd, RequestState, Reseal,
    Resealed,
};

/// So many dead letters, one an incident; every third failed for another reason.
async fn dead(store: &SqliteStore, count: i64) {
    for number in 0..count {
        let key = format!("k{number}");
        sealed(store, &format!("i{number}"), vec![new_request(Target::ServiceNow, &key, at(1))], at(1)).await;
    }
    for claimed in store.claim_requests(Target::ServiceNow, 999, LEASE, &[], at(1)).await.unwrap() {
        let code = if claimed.id.0 % 3 == 0 { "rare" } else { "frequent" };
        let end = RequestEnd::Dead { failure: failure(code), uncertain: false };
        store.settled(settle(claimed.id, claimed.fence, end, at(1))).await.unwrap();
    }
}

fn all(rate: u32, per: u64) -> Redrive {
    Redrive { integration: None, reason: None, rate, per: Duration::from_secs(per), now: at(100), dry_run: false }
}

async fn dues(store: &SqliteStore) -> Vec<i64> {
    let filter = QueueFilter { states: vec![RequestState::Retry], limit: 1000, ..QueueFilter::default() };
    let views = store.list(filter).await.unwrap();
    views.iter().rev().map(|view| view.due.0 - at(100).0).collect()
}

#[tokio::test]
async fn no_more_than_the_rate_fall_due_in_any_second_and_the_oldest_first() {
    let (directory, store) = fresh();
    dead(&store, 20).await;
    let redriven = store.redrive(all(3, 1)).await.unwrap();
    assert_eq!((redriven.requests, redriven.last_due), (20, Some(Timestamp(at(100).0 + 6_333))));
    assert_eq!(redriven.reasons, [("frequent".to_owned(), 14), ("rare".to_owned(), 6)]);
    let dues = dues(&store).await;
    assert!(dues.is_sorted() && dues.len() == 20);
    for from in &dues {
        let within = dues.iter().filter(|due| (*from..from + 1000).contains(due)).count();
        assert!(within <= 3, "{within} within a second of {from}");
    }
    // The plan is durable, and each is due at its time, with a fresh budget.
    drop(store);
    let store = open(&directory.path().join("tandem.db"));
    assert_eq!(claim(&store, Timestamp(at(100).0 + 999)).await.len(), 3);
    let next = claim(&store, Timestamp(at(101).0)).await;
    assert_eq!((next.len(), next[0].attempts), (1, 0));
    assert_eq!(store.redrive(all(3, 1)).await.unwrap().requests, 0, "none is dead any more");
}

#[tokio::test]
async fn a_redrive_takes_what_is_asked_for_and_a_dry_run_nothing() {
    let (_directory, store) = fresh();
    dead(&store, 9).await;
    let rare = Redrive { reason: Some("rare".to_owned()), ..all(1, 60) };
    let dry = store.redrive(Redrive { dry_run: true, ..rare.clone() }).await.unwrap();
    assert_eq!((dry.requests, dry.last_due), (3, Some(at(100 + 120))));
    assert!(dues(&store).await.is_empty());
    assert!(store.show(RequestId(3)).await.unwrap().unwrap().journal.iter().all(|line| line.kind != "request.retried"));
    assert_eq!(store.redrive(rare.clone()).await.unwrap(), dry);
    assert_eq!(dues(&store).await, [0, 60_000, 120_000]);
    let other = Redrive { integration: Some(IntegrationName::new("other").unwrap()), ..all(1, 1) };
    assert_eq!(store.redrive(other).await.unwrap(), Redriven::default());
    let depths = store.depths().await.unwrap();
    assert!(depths.requests.contains(&(RequestState::Dead, 6)), "{depths:?}");
}

#[tokio::test]
async fn what_newer_requests_have_made_out_of_date_stays() {
    let (_directory, store) = fresh();
    let update = |key: &str| {
        let mut new = new_request(Target::ServiceNow, key, at(1));
        new.request.operation = Operation::UpdateTicket {
            table: "incident".to_owned(),
            ticket: crate::domain::id::SysId::new("0123456789abcdef0123456789abcdef").unwrap(),
            fields: Vec::new(),
            references: Vec::new(),
        };
        new
    };
    // An update that a delivered one followed, and a create that another is under way after.
    for (incident, requests) in [
        ("i1", vec![update("k1"), update("k2")]),
        ("i2", vec![new_request(Target::ServiceNow, "k3", at(1)), new_request(Target::ServiceNow, "k4", at(900))]),
    ] {
        sealed(&store, incident, requests, at(1)).await;
    }
    for first in claim(&store, at(1)).await {
        let end = RequestEnd::Dead { failure: failure("f"), uncertain: false };
        store.settled(settle(first.id, first.fence, end, at(1))).await.unwrap();
    }
    for second in claim(&store, at(2)).await {
        store.settled(settle(second.id, second.fence, RequestEnd::Done, at(2))).await.unwrap();
    }
    let redriven = store.redrive(all(1, 1)).await.unwrap();
    assert_eq!((redriven.requests, redriven.overtaken), (0, 2));
}

#[tokio::test]
async fn a_dead_letter_with_new_content_is_due_and_may_be_completed_once_more() {
    let (_directory, store) = fresh();
    dead(&store, 1).await;
    let before = store.show(RequestId(1)).await.unwrap().unwrap().request;
    let origin = store.origin(RequestId(1)).await.unwrap().unwrap();
    let event = origin.event.expect("its event");
    assert_eq!((event.id, event.body.as_ref(), origin.uncertain), (EventId(1), &b"i0/i0-1000"[..], false));
    let mut request = before.clone();
    if let Operation::CreateTicket { fields, .. } = &mut request.operation {
        fields.push(FieldValue { field: "urgency".to_owned(), value: "1".to_owned() });
    }
    let mut link = origin.link.clone();
    link.revision = 77;
    let reseal = Reseal {
        id: RequestId(1),
        request: request.clone(),
        seen: origin.link.clone(),
        link: link.clone(),
        note: "sealed again".to_owned(),
        now: at(5),
    };
    assert_eq!(store.reseal(reseal.clone()).await.unwrap(), Resealed::Due);
    let claimed = claim(&store, at(5)).await.remove(0);
    assert_eq!((&claimed.request, claimed.attempts, claimed.link.revision), (&request, 0, 77));
    assert_eq!(store.complete_seal(claimed.id, claimed.fence, before.clone()).await.unwrap(), Completion::Recorded);
    // A worker has it, and the link is another one.
    assert_eq!(store.reseal(reseal.clone()).await.unwrap(), Resealed::Changed);
    let end = RequestEnd::Dead { failure: failure("f"), uncertain: false };
    store.settled(settle(claimed.id, claimed.fence, end, at(6))).await.unwrap();
    assert_eq!(store.reseal(reseal).await.unwrap(), Resealed::Changed);
    let journal = store.journal_of(link.id).await.unwrap();
    assert!(journal.iter().any(|line| line.kind == "request.resealed" && line.text == "sealed again"), "{journal:?}");
}

#[tokio::test]
async fn a_quarantined_event_is_listed_and_released_or_given_up_once() {
    let (directory, store) = fresh();
    for incident in ["i1", "i2"] {
        store.accept(event(incident, "d", at(1))).await.unwrap();
    }
    for claimed in store.claim_events(9, LEASE, at(1)).await.unwrap() {
        let mut decided = done(&claimed, Vec::new(), at(1));
        decided.end = EventEnd::Quarantined { why: "it is odd".to_owned() };
        store.decided(decided).await.unwrap();
    }
    drop(store);
    let store = open(&directory.path().join("tandem.db"));
    let listed = store.quarantined(Some(acme())).await.unwrap();
    let seen: Vec<_> = listed.iter().map(|event| (event.id.0, event.incident.as_str(), event.why.as_str())).collect();
    assert_eq!(seen, [(2, "i2", "it is odd"), (1, "i1", "it is odd")]);
    assert_eq!(store.quarantined(Some(IntegrationName::new("other").unwrap())).await.unwrap(), []);
    assert!(store.forget(EventId(2), at(2)).await.unwrap());
    assert!(store.release(EventId(1), at(2)).await.unwrap());
    for id in [EventId(1), EventId(2), EventId(9)] {
        assert!(!store.release(id, at(3)).await.unwrap() && !store.forget(id, at(3)).await.unwrap());
    }
    let claims = store.claim_events(9, LEASE, at(3)).await.unwrap();
    assert_eq!((claims.len(), claims[0].crashes, claims[0].events[0].body.as_ref()), (1, 0, &b"i1/d"[..]));
    assert_eq!(store.depths().await.unwrap().events_quarantined, 0);
    assert_eq!(store.quarantined(None).await.unwrap(), []);
}
