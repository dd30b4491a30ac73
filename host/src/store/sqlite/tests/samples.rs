//! Values that the tests of the store share.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::domain::id::{EnvironmentId, EventId, Fence, IncidentId, IntegrationName, RequestId, RequestKey};
use crate::domain::link::Link;
use crate::domain::outcome::Failure;
use crate::domain::request::{Cause, Operation, Request, Target};
use crate::domain::share::ShareKind;
use crate::domain::time::Timestamp;
use crate::store::sqlite::{Options, SqliteStore};
use crate::store::{
    Decided, EventClaim, EventEnd, Inbox, JournalNote, NewEvent, NewRequest, Outbox, RequestClaim, RequestEnd, Settled,
};

pub(super) const LEASE: Duration = Duration::from_mins(2);

/// A moment; the tests count in seconds from zero.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

pub(super) fn acme() -> IntegrationName {
    IntegrationName::new("acme").unwrap()
}

pub(super) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, &Options::default()).unwrap()
}

/// A directory in memory where there is one: most tests are not about the disk.
pub(super) fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A store in a directory of its own.
pub(super) fn fresh() -> (TempDir, SqliteStore) {
    let directory = directory();
    let store = open(&directory.path().join("tandem.db"));
    (directory, store)
}

pub(super) fn event(incident: &str, dedupe: &str, now: Timestamp) -> NewEvent {
    event_of(&acme(), incident, dedupe, now)
}

pub(super) fn event_of(integration: &IntegrationName, incident: &str, dedupe: &str, now: Timestamp) -> NewEvent {
    NewEvent {
        occasion: crate::domain::event::Occasion::Shared,
        integration: integration.clone(),
        incident: IncidentId::new(incident).unwrap(),
        environment: Some(EnvironmentId::new("env").unwrap()),
        dedupe: dedupe.to_owned(),
        revision: now.seconds(),
        received: now,
        body: format!("{incident}/{dedupe}").into_bytes().into(),
    }
}

pub(super) fn request(target: Target, key: &str) -> Request {
    let incident = IncidentId::new("incident").unwrap();
    let operation = match target {
        Target::ServiceNow => Operation::CreateTicket {
            table: "incident".to_owned(),
            correlation_id: key.to_owned(),
            fields: Vec::new(),
            references: Vec::new(),
        },
        Target::BigPanda => Operation::Callback { incident, kind: ShareKind::New },
    };
    Request {
        key: RequestKey::new(key).unwrap(),
        operation,
        cause: Cause { kind: ShareKind::New, environment: None, response_tag: "servicenow_link".to_owned() },
        lineage: Vec::new(),
        extra: crate::domain::request::Extra::default(),
        generation: 7,
    }
}

pub(super) fn new_request(target: Target, key: &str, due: Timestamp) -> NewRequest {
    NewRequest { request: request(target, key), due, event: Some(EventId(1)) }
}

pub(super) fn failure(code: &str) -> Failure {
    Failure {
        code: code.to_owned(),
        errno: None,
        status: Some(503),
        summary: "it failed".to_owned(),
        detail: None,
        hint: None,
    }
}

pub(super) fn note(kind: &str) -> JournalNote {
    JournalNote { kind: kind.to_owned(), text: format!("about {kind}") }
}

/// Everything in the claim is done, and these requests follow.
pub(super) fn done(claim: &EventClaim, requests: Vec<NewRequest>, now: Timestamp) -> Decided {
    Decided {
        link: claim.link.clone(),
        fence: claim.fence,
        events: claim.events.iter().map(|event| event.id).collect(),
        end: EventEnd::Done { why: "decided".to_owned() },
        requests,
        notes: vec![note("share.decided")],
        now,
    }
}

pub(super) fn settle(id: RequestId, fence: Fence, end: RequestEnd, now: Timestamp) -> Settled {
    let took = Duration::from_millis(7);
    Settled { id, fence, end, link: None, follow_ups: Vec::new(), notes: Vec::new(), took, now }
}

/// Accepts one event of an incident and decides that these requests follow.
pub(super) async fn sealed(store: &SqliteStore, incident: &str, requests: Vec<NewRequest>, now: Timestamp) -> Link {
    store.accept(event(incident, &format!("{incident}-{}", now.0), now)).await.unwrap();
    let claims = store.claim_events(1, LEASE, now).await.unwrap();
    let claim = claims.first().expect("the event can be claimed");
    store.decided(done(claim, requests, now)).await.unwrap();
    claim.link.clone()
}

/// The requests to ServiceNow that can be claimed.
pub(super) async fn claim(store: &SqliteStore, now: Timestamp) -> Vec<RequestClaim> {
    store.claim_requests(Target::ServiceNow, 16, LEASE, &[], now).await.unwrap()
}

/// Bytes that can't be compressed.
pub(super) fn noise(bytes: usize) -> bytes::Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(state as u8)
    };
    std::iter::from_fn(next).take(bytes).collect()
}
