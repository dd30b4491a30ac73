//! Whatever needs a person is told once: a request that is not tried again, a parked link, a quarantined event.

use std::time::Duration;

use tandem::domain::event::Occasion;
use tandem::domain::outcome::Outcome;
use tandem::domain::share::ShareKind;
use tandem::store::{Inbox as _, NewEvent, RequestState};

use super::calm::{Calm, MINUTE, acme, answered, dedupe, id, words};
use super::plugins::PAIR;
use super::time::BEGIN;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_is_told_once() {
    let mut calm = Calm::new(|_| {});
    let mut refusal = answered(403);
    refusal.detail = Some("Operation against file 'incident' was aborted by Business Rule 'Need a caller'".to_owned());
    calm.servicenow.look().refuses = Some((Outcome::Refused(refusal), false));
    calm.start();
    calm.bigpanda.open("incident-0");
    calm.until(SECOND).await;
    let told = calm.told();
    assert_eq!((told.len(), told[0].0), (1, Duration::ZERO));
    insta::assert_snapshot!(words(&told[0].1), @r#"
    servicenow.refused: a request failed and is not tried again
    Creating the ticket failed: ServiceNow answered 403: Operation against file 'incident' was aborted by Business Rule 'Need a caller'.
    It waits in the dead-letter queue: `tandem queue show 1` says more, `tandem queue retry 1` tries again once the cause is gone.
    "#);
    assert_eq!(told[0].1.incident, Some(id()));
    calm.restart().await;
    calm.until(200 * MINUTE).await;
    assert_eq!((calm.told().len(), calm.asked().len()), (1, 1), "the tag and the comment about it begin nothing anew");
    assert_eq!(calm.queue().await, [(1, RequestState::Dead, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_parked_link_is_told_once_and_a_person_who_shares_it_again_frees_it() {
    let mut calm = Calm::new(|_| {});
    calm.start();
    calm.bigpanda.open("incident-0");
    calm.until(MINUTE).await;
    let hidden = std::mem::take(&mut calm.servicenow.look().tickets);
    calm.bigpanda.tag(&id(), PAIR.0, "databases");
    calm.until(2 * MINUTE).await;
    calm.bigpanda.tag(&id(), PAIR.0, "network");
    calm.restart().await;
    calm.until(60 * MINUTE).await;
    let told = calm.told();
    assert_eq!(told.len(), 1, "{told:?}");
    insta::assert_snapshot!(words(&told[0].1), @r#"
    link.parked: a link is parked
    Updating the ticket failed: no such record.
    Nothing is written for this incident until a person acts: `tandem queue retry 5` once the record is there again, `tandem queue discard 5` if it is to stay so.
    "#);
    assert!(told[0].1.ticket.is_some());

    // It is still not there: that is nothing new.
    let again = |at: i64| {
        let mut incident = calm.bigpanda.look().incidents[&id()].incident.clone();
        incident.updated = Some(BEGIN.seconds() + at);
        calm.bigpanda.look().shares.push(super::bigpanda::share(&incident, ShareKind::Manual, true));
    };
    again(3_601);
    calm.until(70 * MINUTE).await;
    assert_eq!((calm.told().len(), calm.tickets()), (1, 0), "nothing is made anew");
    // It was only hidden.
    calm.servicenow.look().tickets = hidden;
    again(4_201);
    calm.until(80 * MINUTE).await;
    assert_eq!(calm.servicenow.look().tickets[0].state.field(PAIR.1), "network");
    assert_eq!((calm.told().len(), calm.shown().0), (1, calm.link()));
}

/// An event of the incident, as it stands in the inbox.
pub async fn accepted(calm: &Calm, body: Vec<u8>) {
    let share = calm.bigpanda.look().shares.remove(0);
    let event = NewEvent {
        occasion: Occasion::Shared,
        integration: acme(),
        incident: id(),
        environment: share.environment_id.clone(),
        dedupe: dedupe(&share),
        revision: share.incident.revision(),
        received: BEGIN,
        body: body.into(),
    };
    calm.store.accept(event).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_event_that_kills_the_host_three_times_is_told_once_and_keeps_nobody_up() {
    let mut calm = Calm::new(|_| {});
    calm.bigpanda.open("incident-0");
    let body = serde_json::to_vec(&calm.bigpanda.look().shares[0]).unwrap();
    accepted(&calm, body).await;
    for _ in 0..3 {
        assert_eq!(calm.store.claim_events(9, MINUTE, BEGIN).await.unwrap().len(), 1);
        // The host dies with it.
        calm.store.reopen().unwrap();
    }
    calm.start();
    calm.until(MINUTE).await;
    calm.restart().await;
    calm.until(10 * MINUTE).await;
    let told = calm.told();
    assert_eq!(told.len(), 1, "{told:?}");
    insta::assert_snapshot!(words(&told[0].1), @r#"
    event.quarantined: an event is quarantined
    The host died 3 times while handling it.
    What comes after is handled; this waits for a person: `tandem queue retry e1` has it looked at again, `tandem queue discard` gives it up, `tandem queue list --quarantined` shows all.
    "#);
    assert_eq!(calm.tickets(), 0);
    // What comes after it is handled.
    calm.bigpanda.tag(&id(), PAIR.0, "databases");
    calm.until(11 * MINUTE).await;
    assert_eq!((calm.tickets(), calm.told().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_is_told_once() {
    let mut calm = Calm::new(|_| {});
    calm.bigpanda.open("incident-0");
    accepted(&calm, b"{\"cut\": ".to_vec()).await;
    calm.start();
    calm.until(MINUTE).await;
    calm.restart().await;
    calm.until(10 * MINUTE).await;
    let told = calm.told();
    assert_eq!(told.len(), 1, "{told:?}");
    insta::assert_snapshot!(words(&told[0].1), @r#"
    event.quarantined: an event is quarantined
    The stored share cannot be read: EOF while parsing a value at line 1 column 8.
    What comes after is handled; this waits for a person: `tandem queue retry e1` has it looked at again, `tandem queue discard` gives it up, `tandem queue list --quarantined` shows all.
    "#);
}
