//! Another plugin for one dead letter or one quarantined event: it answers for these and for nobody else.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tandem::domain::id::{EventId, PluginId, RequestId};
use tandem::domain::outcome::Outcome;
use tandem::domain::patch::{Hook, Op, Origin, PluginFailure, Proposal, StoodIn, Transformation};
use tandem::domain::request::{Operation, Request};
use tandem::store::{Desk as _, Inbox as _, RequestState};
use tandem::sync::{Change, NotRedone, Redone, Transform, TransformJob, Tried};

use super::alarms::accepted;
use super::calm::{Calm, MINUTE, answered, id};
use super::plugins::PAIR;
use super::time::BEGIN;

/// Says this of one field, or fails.
struct Mended(Result<&'static str, &'static str>);

#[async_trait]
impl Transform for Mended {
    async fn transform(&self, _: TransformJob) -> Transformation {
        let plugin = PluginId::new("sample").unwrap();
        match self.0 {
            Ok(value) => {
                let op = Op::Set { field: "impact".to_owned(), value: value.to_owned() };
                let origin = Origin { plugin, digest: "new".to_owned(), hook: Hook::Fields };
                let proposal = Proposal { op, origin, reason: None, on_update: true };
                Transformation { proposals: vec![proposal], generation: 7, ..Transformation::default() }
            }
            Err(why) => {
                let failure = PluginFailure {
                    plugin,
                    version: "2.0.0".to_owned(),
                    digest: String::new(),
                    hook: Hook::Fields,
                    code: "plugin.panic".to_owned(),
                    message: why.to_owned(),
                    hint: None,
                    frames: Vec::new(),
                    stood_in: StoodIn::Minimal,
                };
                Transformation { failures: vec![failure], generation: 7, ..Transformation::default() }
            }
        }
    }
}

fn tried(says: Result<&'static str, &'static str>) -> Tried {
    let id = PluginId::new("sample").unwrap();
    Tried { id, name: "sample 2.0.0 (new)".to_owned(), plugins: Arc::new(Mended(says)) }
}

async fn stored(calm: &Calm, id: i64) -> Request {
    calm.store.show(RequestId(id)).await.unwrap().expect("a request").request
}

/// A create that was refused for a value.
async fn refused() -> Calm {
    let mut calm = Calm::new(|_| {});
    calm.servicenow.look().refuses = Some((Outcome::Refused(answered(403)), false));
    calm.bigpanda.open("incident-0");
    calm.bigpanda.tag(&id(), PAIR.0, "no such category");
    // One share tells of both.
    calm.bigpanda.look().shares.remove(0);
    calm.start();
    calm.until(MINUTE).await;
    assert_eq!(calm.queue().await, [(1, RequestState::Dead, 1)]);
    calm.recover();
    calm
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_sealed_again_under_its_key_and_nobody_else_hears_of_the_plugin() {
    let calm = refused().await;
    let before = stored(&calm, 1).await;
    let redone = calm.handle().retry_with(RequestId(1), &tried(Ok("2"))).await.unwrap();
    let change = |field: &str, before: Option<&str>, after: Option<&str>| Change {
        field: field.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let changes = vec![change(PAIR.1, Some("no such category"), None), change("impact", None, Some("2"))];
    assert_eq!(redone, Redone { request: RequestId(1), plugin: "sample 2.0.0 (new)".to_owned(), changes });
    let after = stored(&calm, 1).await;
    assert_eq!((&after.key, &after.cause, after.generation), (&before.key, &before.cause, 7));
    calm.until(2 * MINUTE).await;
    assert_eq!((calm.tickets(), calm.queue().await), (1, Vec::new()));
    assert_eq!(calm.servicenow.look().tickets[0].state.field("impact"), "2");
    assert_eq!(calm.shown().0, calm.link());
    // What comes next is for the installed ones.
    calm.bigpanda.tag(&id(), PAIR.0, "network");
    calm.until(3 * MINUTE).await;
    assert_eq!(calm.servicenow.look().tickets[0].state.field(PAIR.1), "network");
    let why = calm.handle().retry_with(RequestId(1), &tried(Ok("2"))).await.unwrap_err();
    assert!(matches!(why, NotRedone::NotDead(_, RequestState::Done)), "{why}");
}

#[tokio::test(start_paused = true)]
async fn what_comes_to_nothing_leaves_the_dead_letter_as_it_is() {
    let calm = refused().await;
    let before = stored(&calm, 1).await;
    let why = calm.handle().retry_with(RequestId(1), &tried(Err("it panicked"))).await.unwrap_err();
    assert_eq!(why.to_string(), "sample 2.0.0 (new) failed: it panicked");
    let why = calm.handle().retry_with(RequestId(77), &tried(Ok("x"))).await.unwrap_err();
    assert!(matches!(why, NotRedone::NoSuchRequest(_)), "{why}");
    assert_eq!((stored(&calm, 1).await, calm.tickets()), (before, 0));

    // What may have arrived is looked for, and not changed.
    let mut calm = Calm::new(|policy| policy.retry.attempts = 1);
    calm.servicenow.look().refuses = Some((Outcome::Unknown(answered(504)), false));
    calm.start();
    calm.bigpanda.open("incident-0");
    calm.until(MINUTE).await;
    calm.recover();
    let why = calm.handle().retry_with(RequestId(1), &tried(Ok("x"))).await.unwrap_err();
    assert!(matches!(why, NotRedone::Uncertain(_)), "{why}");
    assert!(matches!(stored(&calm, 1).await.operation, Operation::CreateTicket { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_quarantined_event_is_decided_with_the_plugin_that_is_tried() {
    let mut calm = Calm::new(|_| {});
    calm.bigpanda.open("incident-0");
    let body = serde_json::to_vec(&calm.bigpanda.look().shares[0]).unwrap();
    accepted(&calm, body).await;
    for _ in 0..3 {
        assert_eq!(calm.store.claim_events(9, MINUTE, BEGIN).await.unwrap().len(), 1);
        calm.store.reopen().unwrap();
    }
    calm.start();
    calm.until(MINUTE).await;
    assert_eq!((calm.tickets(), calm.store.quarantined(None).await.unwrap().len()), (0, 1));
    assert!(!calm.handle().release(EventId(9), None).await.unwrap());
    assert!(calm.handle().release(EventId(1), Some(&tried(Ok("2")))).await.unwrap());
    calm.until(MINUTE + Duration::from_secs(1)).await;
    assert_eq!(calm.servicenow.look().tickets[0].state.field("impact"), "2");
    calm.bigpanda.tag(&id(), PAIR.0, "network");
    calm.until(2 * MINUTE).await;
    assert_eq!(calm.servicenow.look().tickets[0].state.field(PAIR.1), "network");
    assert_eq!((calm.tickets(), calm.store.quarantined(None).await.unwrap()), (1, Vec::new()));
}
