//! What holds while much is under way: an orderly stop, several integrations in one host, shares that coalesce.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use tandem::simulator::{Action, Config, Fault, Simulator};

use crate::support::wire::{self, Answer};
use crate::support::{TOKEN, World, incident};

/// The incident again, changed at a later time.
fn updated(share: &Value, severity: &str, minutes: i64) -> Value {
    let mut share = share.clone();
    share["metadata"]["event_type"] = "incident#updated".into();
    share["incident"]["severity"] = severity.into();
    share["incident"]["status"] = severity.into();
    share["incident"]["alerts"][0]["status"] = severity.into();
    let at = share["incident"]["updatedOn"].as_i64().unwrap() + 60 * minutes;
    share["incident"]["updatedOn"] = at.into();
    share["incident"]["changedOn"] = at.into();
    share["incident"]["alerts"][0]["changedOn"] = at.into();
    share
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_ends_well_in_bounded_time_and_loses_nothing() {
    let mut world = World::new().await;
    // Slow enough that much is under way when the host is told to stop.
    let slow = Fault { method: Some("POST".to_owned()), ..Fault::new(Action::Delay { millis: 150 }) };
    world.sim.servicenow_faults().add(slow);
    assert!(world.start(&[]).await, "{}", world.log());
    let listen = world.listen;
    let senders: Vec<_> = (0..8_u32)
        .map(|sender| {
            tokio::spawn(async move {
                let mut confirmed = Vec::new();
                for number in 0.. {
                    let (id, share) = incident(sender * 1000 + number);
                    let headers = [("authorization", &*format!("Bearer {TOKEN}"))];
                    let body = share.to_string();
                    let path = "/integrations/acme/share";
                    match wire::request(listen, "POST", path, &headers, body.as_bytes()).await {
                        Ok(answer) if answer.status == 202 => confirmed.push(id),
                        // 503 while it stops, and nobody there afterwards.
                        Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.body),
                        Err(_) => return confirmed,
                    }
                }
                confirmed
            })
        })
        .collect();
    world.until("tickets are being made", |world| world.sim.ticket_count() >= 10).await;
    let asked = Instant::now();
    let status = world.stop().await;
    let took = asked.elapsed();
    assert_eq!(status.code(), Some(0), "{}", world.log());
    assert!(took < Duration::from_secs(20), "it took {took:?} to stop");
    let mut confirmed = BTreeSet::new();
    for sender in senders {
        confirmed.extend(sender.await.unwrap());
    }
    let made = world.sim.ticket_count();
    assert!(made < confirmed.len(), "all {made} tickets were made before the stop, so it proves nothing");

    world.sim.servicenow_faults().clear();
    assert!(world.start(&[]).await, "{}", world.log());
    for id in &confirmed {
        world.until_told(id).await;
    }
    assert_eq!(world.sim.ticket_count(), confirmed.len(), "one ticket for each confirmed share, and no other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_whose_servicenow_hangs_keeps_no_other_waiting() {
    let other = Simulator::start(Config { accept_unknown_incidents: true, ..Config::default() }).await.unwrap();
    let access = other.access();
    let mut world = World::new().await.configured(&format!(
        r#"
[integration.globex.bigpanda]
api_url = "{bigpanda}"
api_key = "{key}"
app_key = "{app}"
requests_per_second = 1000
[integration.globex.servicenow]
url = "{servicenow}"
username = "{user}"
password = "{password}"
concurrency = 2
[integration.globex.webhook]
token = "token-of-the-others"
"#,
        bigpanda = access.bigpanda.url,
        key = access.bigpanda.api_key,
        app = access.bigpanda.app_key,
        servicenow = access.servicenow.url,
        user = access.servicenow.user,
        password = access.servicenow.password,
    ));
    assert!(world.start(&[]).await, "{}", world.log());
    let share = async |token: &str, name: &str, body: &Value| {
        let headers = [("authorization", &*format!("Bearer {token}"))];
        let path = format!("/integrations/{name}/share");
        wire::request(world.listen, "POST", &path, &headers, body.to_string().as_bytes()).await.unwrap().status
    };
    // Each integration has a token of its own.
    assert_eq!(share(TOKEN, "globex", &incident(0).1).await, 401);
    assert_eq!(share("token-of-the-others", "acme", &incident(0).1).await, 401);

    // More hang than acme has places, and more than all have together.
    world.sim.servicenow_faults().add(Fault::new(Action::Delay { millis: 60_000 }));
    for number in 0..20 {
        assert_eq!(share(TOKEN, "acme", &incident(number).1).await, 202);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let started = Instant::now();
    for number in 0..20 {
        assert_eq!(share("token-of-the-others", "globex", &incident(number).1).await, 202);
    }
    world.until("the others get their tickets", |_| other.ticket_count() == 20).await;
    let took = started.elapsed();
    assert!(took < Duration::from_secs(10), "they had to wait {took:?}");
    assert_eq!(world.sim.ticket_count(), 0, "acme's were to hang");
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_that_come_while_a_request_waits_become_one_update() {
    let world = World::running().await;
    let (id, new) = incident(1);
    world.sim.servicenow_faults().add(Fault::times(1, "POST", "/table/incident", Action::Delay { millis: 1500 }));
    assert_eq!(world.share(&new).await.unwrap().status, 202);
    tokio::time::sleep(Duration::from_millis(300)).await;
    for (minutes, severity) in [(1, "warning"), (2, "unknown"), (3, "critical"), (4, "warning")] {
        assert_eq!(world.share(&updated(&new, severity, minutes)).await.unwrap().status, 202);
    }
    world.until_told(&id).await;
    let updates = |world: &World| world.sim.servicenow_requests().total("PATCH", "/api/now/table/incident");
    world.until("the update is made", |world| updates(world) > 0).await;
    // Long enough for further updates, if there were any.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(updates(&world), 1, "four shares waited, and one update stands for all");
    let tickets = world.sim.tickets_of(&format!("bigpanda:{id}"));
    assert_eq!(tickets.len(), 1);
    assert!(tickets[0].get("short_description").ends_with("Warning"), "{}", tickets[0].get("short_description"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_deliveries_of_one_share_at_once_are_one_event() {
    let world = World::running().await;
    let (id, share) = incident(1);
    let answers = at_once(&world, &share, 50).await;
    assert!(answers.iter().all(|answer| answer.status == 202), "{answers:?}");
    let events: BTreeSet<String> = answers.iter().map(|answer| answer.json()["event"].to_string()).collect();
    assert_eq!(events.len(), 1, "{answers:?}");
    let fresh = answers.iter().filter(|answer| answer.json()["duplicate"] == Value::Bool(false)).count();
    assert_eq!(fresh, 1, "{answers:?}");
    world.until_told(&id).await;
    assert_eq!(world.sim.tickets_of(&format!("bigpanda:{id}")).len(), 1);
}

/// Sends the same share so many times at once.
async fn at_once(world: &World, share: &Value, times: usize) -> Vec<Answer> {
    let (listen, body) = (world.listen, share.to_string());
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..times {
        let body = body.clone();
        sent.spawn(async move {
            let authorization = format!("Bearer {TOKEN}");
            let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
            wire::request(listen, "POST", "/integrations/acme/share", &headers, body.as_bytes()).await.unwrap()
        });
    }
    sent.join_all().await
}
