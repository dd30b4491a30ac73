//! Scripted misbehaviour, and what is left afterwards.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{Sim, answered, json};
use tandem::simulator::{Action, Fault, Limits};

const TABLE: &str = "/api/now/table/incident";

async fn create(sim: &Sim) -> Result<(u16, String), reqwest::Error> {
    let response = json(sim.snow(Method::POST, TABLE), &json!({"correlation_id": "c"})).send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

#[tokio::test]
async fn a_reset_before_handling_leaves_nothing_and_one_after_commit_leaves_a_ticket() {
    let sim = Sim::start().await;
    for (action, tickets) in [(Action::ResetBeforeHandling, 0), (Action::ResetAfterCommit, 1), (Action::HalfBody, 2)] {
        sim.handle.servicenow_faults().add(Fault::once("POST", "/table/incident", action.clone()));
        let error = create(&sim).await.expect_err("the connection breaks");
        let chain = format!("{error:?}");
        match action {
            Action::HalfBody => assert!(error.is_body() || error.is_decode(), "{chain}"),
            _ => assert!(chain.contains("ConnectionReset") || chain.contains("IncompleteMessage"), "{chain}"),
        }
        assert_eq!(sim.handle.ticket_count(), tickets, "{action:?}");
    }
    assert_eq!(create(&sim).await.unwrap().0, 201, "the script is used up");
}

#[tokio::test]
async fn statuses_and_headers_come_as_scripted_and_only_as_often() {
    let sim = Sim::start().await;
    let url = format!("{}/_control/faults", sim.handle.servicenow_url());
    let fault = json!([
        {"method": "POST", "path": "table/incident", "skip": 1, "count": 2,
         "action": {"kind": "status", "status": 503, "body": {"why": "tests"}, "headers": {"retry-after": "7"}}},
        {"path": "correlation_id=", "count": 1, "action": {"kind": "status", "status": 500}}
    ]);
    assert_eq!(sim.control(&url, &fault).await.status, 200);
    assert_eq!(create(&sim).await.unwrap().0, 201, "the first one is skipped");
    for _ in 0..2 {
        let answer = sim.post(TABLE, &json!({})).await;
        assert_eq!(
            (answer.status, answer.header("retry-after"), answer.json()),
            (503, Some("7"), json!({"why": "tests"}))
        );
    }
    assert_eq!(create(&sim).await.unwrap().0, 201);
    let failed = sim.get(&format!("{TABLE}?correlation_id=c")).await;
    assert_eq!((failed.status, failed.error().0.as_str()), (500, "Internal Server Error"));
    assert_eq!(sim.get(&format!("{TABLE}?correlation_id=c")).await.rows().len(), 2);
    assert_eq!(answered(sim.http.get(&url)).await.json(), json!([]));
}

#[tokio::test]
async fn an_error_after_the_commit_hides_a_ticket_that_exists() {
    let sim = Sim::start().await;
    sim.handle.servicenow_faults().add(Fault::once("POST", TABLE, Action::status_after_commit(504)));
    assert_eq!(create(&sim).await.unwrap().0, 504);
    assert_eq!(sim.handle.tickets_of("c").len(), 1);
}

#[tokio::test]
async fn the_platforms_bad_days_have_their_own_shapes() {
    let sim = Sim::start().await;
    sim.incident(json!({})).await;
    let play = |action: Action| {
        sim.handle.servicenow_faults().add(Fault::once("GET", TABLE, action));
        sim.get(TABLE)
    };
    let asleep = play(Action::Hibernating).await;
    assert_eq!((asleep.status, asleep.header("content-type")), (200, Some("text/html;charset=UTF-8")));
    assert!(asleep.text.contains("Want to find out why instances hibernate?"));
    let null = play(Action::NullBody).await;
    assert_eq!((null.status, null.json()), (200, Json::Null));
    let dropped = play(Action::Dropped).await;
    assert_eq!((dropped.status, dropped.text.as_str()), (202, ""));
    assert_eq!(play(Action::Unauthorized).await.status, 401);
    let cancelled = play(Action::TransactionCancelled).await;
    assert_eq!(
        (cancelled.status, cancelled.error().0.as_str()),
        (500, "Transaction cancelled: maximum execution time exceeded")
    );
    let partial = play(Action::PartialResult).await;
    assert_eq!(
        (partial.status, partial.rows().len(), partial.error().0.as_str()),
        (200, 1, "Transaction cancelled: maximum execution time exceeded")
    );
    let hidden = play(Action::HiddenRows).await;
    assert_eq!((hidden.status, hidden.rows().len(), hidden.header("x-total-count")), (200, 0, Some("1")));
    let limited = play(Action::RateLimit { limit: 100, retry_after: 30 }).await;
    assert_eq!(
        (limited.status, limited.header("retry-after"), limited.header("x-ratelimit-limit")),
        (429, Some("30"), Some("100"))
    );
    let full = play(Action::SemaphoreFull).await;
    assert_eq!((full.status, full.header("retry-after"), full.header("x-ratelimit-limit")), (429, None, None));
    assert_eq!(play(Action::UriTooLong).await.status, 414);
    sim.handle.servicenow_faults().add(Fault::once(
        "POST",
        TABLE,
        Action::BusinessRule { name: "No weekends".to_owned() },
    ));
    let aborted = sim.post(TABLE, &json!({})).await;
    assert_eq!((aborted.status, aborted.error().0.as_str()), (403, "Operation Failed"));
    assert_eq!(
        aborted.error().1.unwrap(),
        "Operation against file 'incident' was aborted by Business Rule 'No weekends^b2a1f6d7dba3e300bd1f7c1e3f9619a1'. Business Rule Stack:No weekends"
    );
    assert_eq!(sim.handle.ticket_count(), 1, "none of them wrote anything");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "measures how long an answer takes")]
async fn delays_hold_the_request_or_only_its_answer() {
    let sim = Sim::start().await;
    sim.handle.servicenow_faults().add(Fault::once("POST", TABLE, Action::Delay { millis: 300 }));
    sim.handle.servicenow_faults().add(Fault::once("POST", TABLE, Action::status(503)));
    let begun = Instant::now();
    assert_eq!(create(&sim).await.unwrap().0, 503, "a delay goes together with the fault behind it");
    assert!(begun.elapsed() >= Duration::from_millis(300));
    sim.handle.servicenow_faults().add(Fault::once("POST", TABLE, Action::DelayAnswer { millis: 60_000 }));
    let impatient =
        json(sim.snow(Method::POST, TABLE), &json!({"correlation_id": "late"})).timeout(Duration::from_millis(300));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    assert_eq!(sim.handle.tickets_of("late").len(), 1, "written before the caller gave up");
    sim.handle.servicenow_faults().add(Fault::once("GET", TABLE, Action::Stall));
    let stalled = sim.snow(Method::GET, TABLE).timeout(Duration::from_millis(300)).send().await.unwrap();
    assert_eq!(stalled.status(), 200, "headers arrive");
    assert!(stalled.text().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_full_queue_is_refused_without_a_hint() {
    let sim = Sim::start().await;
    sim.handle.set_servicenow_capacity(Some(Limits { pool: 1, queue: 1, work_ms: 200 }));
    let asks = (0..6).map(|_| tokio::spawn(answered(sim.snow(Method::GET, TABLE)))).collect::<Vec<_>>();
    let mut statuses = Vec::new();
    for ask in asks {
        let answer = ask.await.unwrap();
        assert!(answer.status == 200 || answer.header("retry-after").is_none());
        statuses.push(answer.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429, 429, 429, 429]);
    sim.handle.set_servicenow_capacity(None);
    assert_eq!(sim.get(TABLE).await.status, 200);
}

#[tokio::test]
async fn a_closed_port_refuses_connections_until_it_opens_again() {
    let sim = Sim::start().await;
    assert_eq!(sim.get(TABLE).await.status, 200);
    sim.handle.set_servicenow_up(false);
    let mut refused = false;
    for _ in 0..100 {
        refused = sim.snow(Method::GET, TABLE).send().await.is_err_and(|error| error.is_connect());
        if refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(refused);
    sim.handle.set_servicenow_up(true);
    for _ in 0..100 {
        if sim.snow(Method::GET, TABLE).send().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the port stayed closed");
}

#[tokio::test]
async fn every_request_is_counted_and_the_newest_are_kept() {
    let sim = Sim::start().await;
    sim.handle.servicenow_requests().record_bodies(true);
    let record = sim.incident(json!({"short_description": "kept"})).await;
    sim.get(&format!("{TABLE}/{}", super::id(&record))).await;
    sim.get(&format!("{TABLE}/{}", "0".repeat(32))).await;
    let counts = sim.handle.servicenow_requests().counts();
    assert_eq!(counts["POST /api/now/table/incident"].total, 1);
    let reads = &counts["GET /api/now/table/incident/{id}"];
    assert_eq!((reads.total, reads.by_status[&200], reads.by_status[&404]), (2, 1, 1));
    assert_eq!(sim.handle.servicenow_requests().total("GET", "/api/now/table/incident"), 2);
    let requests = sim.handle.servicenow_requests().requests();
    assert_eq!((requests.len(), requests[0].method.as_str(), requests[0].status), (3, "POST", 201));
    assert_eq!(requests[0].body.as_deref(), Some(r#"{"short_description":"kept"}"#));
    let url = format!("{}/_control/requests", sim.handle.servicenow_url());
    assert_eq!(answered(sim.http.get(&url)).await.json().as_array().unwrap().len(), 3);
    assert_eq!(answered(sim.http.delete(&url)).await.status, 200);
    assert_eq!(sim.handle.servicenow_requests().requests().len(), 0);
    let unknown = answered(sim.http.get(format!("{}/_control/nothing", sim.handle.servicenow_url()))).await;
    assert_eq!(unknown.status, 404);
    let mistaken = sim
        .control(&format!("{}/_control/faults", sim.handle.servicenow_url()), &json!({"action": {"kind": "explode"}}))
        .await;
    assert_eq!(mistaken.status, 400);
    let why = mistaken.json()["error"].as_str().unwrap().to_owned();
    assert!(why.contains("unknown variant `explode`, expected one of `status`, `delay`"), "{why}");
    assert!(why.contains("one fault or a list of them, each such as {\"method\":\"POST\""), "{why}");
    let url = format!("{}/_control/faults", sim.handle.servicenow_url());
    let shown = why.split("such as ").nth(1).unwrap();
    let shown: serde_json::Value = serde_json::from_str(shown).unwrap();
    assert_eq!(sim.control(&url, &json!([shown])).await.status, 200, "the example is refused");
}
