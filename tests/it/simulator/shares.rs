//! AutoShare: what receivers get, in which order, and how often.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{Receiver, Sim, answered, json, until};
use tandem::simulator::{Channel, Dialect};

const ID: &str = "65f1c2a9e0b7d40012a4c101";

async fn shared(sim: &Sim, channel: Channel) {
    sim.handle.set_channel(channel);
    sim.handle
        .load_incident(json!({
            "id": ID, "status": "critical", "start": 1_767_225_600, "changed_at": 1_767_225_930,
            "alerts": [{"alert_id": "a1", "status": "critical", "start": 1_767_225_600, "source_system": "datadog.prod",
                        "description": "down", "tags": [{"name": "host", "value": "srv1"}]}]
        }))
        .unwrap();
    assert_eq!(sim.handle.share(ID, "incident#new", None).unwrap(), 1);
}

fn events(bodies: &[Json]) -> Vec<String> {
    bodies.iter().map(|body| body["metadata"]["event_type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_share_carries_the_incident_the_event_and_the_channels_headers() {
    let (sim, receiver) = (Sim::start().await, Receiver::start(&[]).await);
    let channel = Channel::new("host", &receiver.url)
        .header("Authorization", "Bearer token")
        .header("x-bp-config-updateFields", "short_description");
    shared(&sim, channel).await;
    until("delivered", || sim.handle.pending_shares() == 0 && receiver.count() == 1).await;
    let (headers, body) = receiver.got.lock().unwrap()[0].clone();
    assert_eq!(headers["authorization"], "Bearer token");
    assert_eq!(headers["x-bp-config-updatefields"], "short_description");
    assert_eq!(headers["content-type"], "application/json");
    let environment = sim.handle.access().bigpanda.environment_id;
    assert_eq!(
        (&body["metadata"]["event_type"], &body["metadata"]["environment_id"]),
        (&json!("incident#new"), &json!(environment))
    );
    let incident = &body["incident"];
    assert_eq!(
        (&incident["id"], &incident["status"], &incident["startedOn"], &incident["resolved"]),
        (&json!(ID), &json!("critical"), &json!(1_767_225_600), &json!(false))
    );
    assert_eq!(
        (&incident["alerts"][0]["id"], &incident["alerts"][0]["startedOn"]),
        (&json!("a1"), &json!(1_767_225_600))
    );
    assert!(body["links"]["timeline"].as_str().unwrap().contains(ID));
    let deliveries = sim.handle.shares();
    assert_eq!((deliveries.len(), deliveries[0].attempt, deliveries[0].status), (1, 1, Some(202)));
    assert_eq!(sim.handle.incident(ID).unwrap()["shared"], true);
}

#[tokio::test]
async fn the_other_dialects_carry_the_same_in_their_own_names() {
    let sim = Sim::start().await;
    let (rest, composed) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    sim.handle.set_channel(Channel { dialect: Dialect::Rest, ..Channel::new("rest", &rest.url) });
    sim.handle.set_channel(Channel {
        dialect: Dialect::Composed,
        auto_share: true,
        ..Channel::new("composed", &composed.url)
    });
    sim.handle
        .load_incident(
            json!({"id": ID, "status": "critical", "start": 5, "alerts": [{"alert_id": "a1", "source_system": "s"}]}),
        )
        .unwrap();
    sim.handle.share(ID, "manual", Some("rest")).unwrap();
    until("both delivered", || rest.count() == 1 && composed.count() == 1).await;
    let rest = rest.bodies().remove(0);
    assert_eq!(
        (&rest["id"], &rest["start"], &rest["status"], &rest["event_type"]),
        (&json!(ID), &json!(5), &json!("Critical"), &json!("manual"))
    );
    assert_eq!(rest["alerts"][0]["alert_id"], "a1");
    let composed = composed.bodies().remove(0);
    assert_eq!(
        (&composed["incident_id"], &composed["event_type"], &composed["primary_source"]),
        (&json!(ID), &json!("incident#new"), &json!("s"))
    );
}

#[tokio::test]
async fn every_kind_of_change_is_shared_in_order() {
    let (sim, receiver) = (Sim::start().await, Receiver::start(&[]).await);
    shared(&sim, Channel::new("host", &receiver.url)).await;
    for action in [
        json!({"do": "status", "status": "warning"}),
        json!({"do": "tag", "id": "team", "value": "core"}),
        json!({"do": "tag", "id": "team", "value": "core"}),
        json!({"do": "untag", "id": "team"}),
        json!({"do": "comment", "text": "hello"}),
        json!({"do": "add_alert", "alert": {"id": "a2", "status": "warning"}}),
        json!({"do": "resolve"}),
        json!({"do": "reopen"}),
    ] {
        sim.handle.act(ID, action).unwrap();
    }
    until("eight shares", || receiver.count() == 8).await;
    assert_eq!(
        events(&receiver.bodies()),
        [
            "incident#new",
            "incident#updated",
            "incident-tag#upserted",
            "incident-tag#removed",
            "incident#commented",
            "incident#updated",
            "incident#closed",
            "incident#reopen"
        ],
        "setting a tag to what it is shares nothing"
    );
    let bodies = receiver.bodies();
    assert_eq!(
        (&bodies[1]["incident"]["status"], &bodies[6]["incident"]["resolved"]),
        (&json!("warning"), &json!(true))
    );
    let environment = sim.handle.access().bigpanda.environment_id;
    let path = format!("/resources/v2.0/environments/{environment}/incidents/{ID}/tags/servicenow_link");
    assert_eq!(answered(json(sim.panda(Method::POST, &path), &json!({"tag_value": "http://t"}))).await.status, 204);
    until("our own write is shared too", || receiver.count() == 9).await;
}

#[tokio::test]
async fn updates_wait_for_the_callback_and_then_come_one_by_one() {
    let (sim, receiver) = (Sim::start().await, Receiver::start(&[]).await);
    let channel = Channel { expects_callbacks: true, app_key: "key".to_owned(), ..Channel::new("host", &receiver.url) };
    shared(&sim, channel).await;
    until("the first share", || receiver.count() == 1).await;
    sim.handle.act(ID, json!({"do": "comment", "text": "one"})).unwrap();
    sim.handle.act(ID, json!({"do": "comment", "text": "two"})).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((receiver.count(), sim.handle.pending_shares()), (1, 2), "locked");
    let callback = |key: &str| {
        let body = json!({"event_type": "incident#new", "incident_id": ID, "app_key": key});
        answered(json(sim.panda(Method::POST, "/resources/v2.1/outbound/callback"), &body))
    };
    assert_eq!(callback("another").await.status, 200);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(receiver.count(), 1, "somebody else's callback opens nothing");
    assert_eq!(callback("key").await.status, 200);
    until("the updates", || receiver.count() == 3).await;
    sim.handle.act(ID, json!({"do": "comment", "text": "three"})).unwrap();
    until("unlocked for good", || receiver.count() == 4).await;
    assert_eq!(sim.handle.callbacks().len(), 2);
    let unknown = json!({"incident_id": "nobody", "app_key": "key"});
    assert_eq!(
        answered(json(sim.panda(Method::POST, "/resources/v2.1/outbound/callback"), &unknown)).await.status,
        404
    );
}

#[tokio::test]
async fn a_missing_callback_unlocks_by_itself() {
    let (sim, receiver) = (Sim::start().await, Receiver::start(&[]).await);
    let channel = Channel { expects_callbacks: true, auto_unlock_ms: 200, ..Channel::new("host", &receiver.url) };
    shared(&sim, channel).await;
    sim.handle.act(ID, json!({"do": "comment", "text": "one"})).unwrap();
    until("the update", || receiver.count() == 2).await;
}

#[tokio::test]
async fn only_answers_above_500_and_broken_connections_are_tried_again() {
    let (sim, receiver) = (Sim::start().await, Receiver::start(&[503, 501, 202, 500]).await);
    let channel = Channel { spacing_ms: 20, ..Channel::new("host", &receiver.url) };
    shared(&sim, channel.clone()).await;
    until("the third attempt", || receiver.count() == 3).await;
    sim.handle.act(ID, json!({"do": "comment", "text": "one"})).unwrap();
    until("the update, refused with 500", || receiver.count() == 4).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let statuses: Vec<_> = sim.handle.shares().iter().map(|share| (share.attempt, share.status)).collect();
    assert_eq!(statuses, [(1, Some(503)), (2, Some(501)), (3, Some(202)), (1, Some(500))]);
    assert!(receiver.answers.lock().unwrap().is_empty());
    sim.handle.set_channel(Channel { url: "http://127.0.0.1:9/closed".to_owned(), attempts: 2, ..channel });
    sim.handle.act(ID, json!({"do": "comment", "text": "two"})).unwrap();
    until("two failed attempts", || sim.handle.shares().len() == 6).await;
    let last = sim.handle.shares().pop().unwrap();
    assert!(last.status.is_none() && last.error.unwrap().starts_with("no connection"));
}

#[tokio::test]
async fn a_channel_may_leave_events_out_and_everything_goes_over_http_too() {
    let (sim, receiver) = (Sim::start().await, Receiver::start(&[]).await);
    let control = format!("{}/_control", sim.handle.bigpanda_url());
    let channel = json!({"name": "host", "url": receiver.url, "events": ["incident#new", "incident#closed"], "dialect": "webhook"});
    assert_eq!(sim.control(&format!("{control}/channels"), &channel).await.status, 200);
    let loaded = sim.control(&format!("{control}/incidents"), &json!([{"id": ID, "status": "critical"}])).await.json();
    assert_eq!(loaded, json!({"loaded": [ID]}));
    assert_eq!(
        sim.control(&format!("{control}/share"), &json!({"incident_id": ID})).await.json(),
        json!({"channels": 1})
    );
    for action in
        [json!({"incident_id": ID, "do": "comment", "text": "x"}), json!({"incident_id": ID, "do": "resolve"})]
    {
        assert_eq!(sim.control(&format!("{control}/do"), &action).await.status, 200);
    }
    until("two shares", || receiver.count() == 2).await;
    assert_eq!(events(&receiver.bodies()), ["incident#new", "incident#closed"]);
    let dump = answered(sim.http.get(format!("{control}/incidents"))).await.json();
    assert_eq!(
        (&dump[0]["id"], &dump[0]["active"], &dump[0]["comments"][0]["text"]),
        (&json!(ID), &json!(false), &json!("x"))
    );
    assert_eq!(answered(sim.http.get(format!("{control}/shares"))).await.json().as_array().unwrap().len(), 2);
    assert_eq!(sim.control(&format!("{control}/share"), &json!({"incident_id": "nobody"})).await.status, 404);
    assert_eq!(sim.control(&format!("{control}/reset"), &json!({})).await.status, 200);
    assert_eq!(answered(sim.http.get(format!("{control}/incidents"))).await.json(), json!([]));
}
