//! A ServiceNow that nobody can call: it pulls, carries out, answers. By real HTTP against a real host.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{TOKEN, World, incident, wire};

const PULLS: &str = "[integration.acme]\nmode = \"on-premises\"\n";
const TICKET: &str = "0123456789abcdef0123456789abcdef";

async fn ask(world: &World, method: &str, path: &str, body: &str) -> (u16, Value) {
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let answer = wire::request(world.listen, method, path, &headers, body.as_bytes()).await.unwrap();
    (answer.status, answer.json())
}

async fn pull(world: &World) -> Vec<Value> {
    let (status, body) = ask(world, "GET", "/integrations/acme/retrieve", "").await;
    assert_eq!(status, 200, "{body}");
    body.as_array().unwrap().clone()
}

/// Pulls until there is something.
async fn pulled(world: &World) -> Value {
    for _ in 0..500 {
        if let Some(first) = pull(world).await.into_iter().next() {
            return first;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing to pull:\n{}", world.log());
}

async fn answer(world: &World, request: &Value, more: Value) -> (u16, Value) {
    let mut body = json!({
        "id": request["id"], "fence": request["fence"], "incident_id": request["incident_id"],
        "event_type": request["event_type"]
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ask(world, "POST", "/integrations/acme/callback", &body.to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_is_pulled_carried_out_and_answered_and_bigpanda_hears_of_it() {
    let mut world = World::new().await.configured(PULLS);
    assert!(world.start(&[]).await, "{}", world.log());
    let (id, share) = incident(7);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    let request = pulled(&world).await;
    insta::assert_json_snapshot!(request, { ".leased_until" => "[later]", ".fence" => "[fence]" }, @r#"
    {
      "correlation_id": "bigpanda:65f1c2a9e0b7d40010000007",
      "event_type": "incident#new",
      "fence": "[fence]",
      "fields": {
        "correlation_display": "BigPanda",
        "correlation_id": "bigpanda:65f1c2a9e0b7d40010000007",
        "description": "Alert Summary: 1 Critical, 0 Warning, 0 Resolved\n--------------------------------------------------------\n\nAlert: 1 / 1\nStatus: Critical\nSource: prometheus.prod\nHost: web-7\nCheck: cpu\n\n--------------------------------------------------------\nIncident Link: https://a.bigpanda.io/#/app/overview/63bd568809cb331300ff0001/active/incidents/65f1c2a9e0b7d40010000007/timeline\nIncident Timeline Link: https://a.bigpanda.io/#/app/overview/63bd568809cb331300ff0001/active/incidents/65f1c2a9e0b7d40010000007/timeline",
        "impact": "2",
        "opened_at": "2026-01-01 00:00:07",
        "short_description": "BigPanda Incident: web-7 - Critical",
        "u_bp_active_alerts_count": "1",
        "u_bp_alerts_count": "1",
        "u_bp_alerts_statuses": "critical",
        "u_bp_environment_id": "63bd568809cb331300ff0001",
        "u_bp_event_type": "incident#new",
        "u_bp_incident_id": "65f1c2a9e0b7d40010000007",
        "u_bp_incident_status": "critical",
        "u_bp_incident_url": "https://a.bigpanda.io/#/app/overview/63bd568809cb331300ff0001/active/incidents/65f1c2a9e0b7d40010000007/timeline",
        "u_bp_timeline_url": "https://a.bigpanda.io/#/app/overview/63bd568809cb331300ff0001/active/incidents/65f1c2a9e0b7d40010000007/timeline",
        "urgency": "1"
      },
      "id": 1,
      "incident_id": "65f1c2a9e0b7d40010000007",
      "leased_until": "[later]",
      "look_first": false,
      "operation": "create",
      "references": [
        {
          "by": "name",
          "field": "cmdb_ci",
          "table": "cmdb_ci",
          "value": "web-7"
        }
      ],
      "table": "incident"
    }
    "#);
    assert!(pull(&world).await.is_empty(), "what was pulled is leased");

    let done = json!({ "sys_id": TICKET, "number": "INC0010001", "url": "https://itsm.acme.example/INC0010001" });
    assert_eq!(answer(&world, &request, done.clone()).await, (200, json!({ "result": "recorded" })));
    assert_eq!(answer(&world, &request, done.clone()).await, (200, json!({ "result": "repeated" })));
    let other = json!({ "sys_id": "f".repeat(32), "number": "INC0010002" });
    let (status, body) = answer(&world, &request, other).await;
    assert_eq!((status, body["error"]["code"].as_str()), (409, Some("sync.stale")));

    world
        .until("BigPanda knows", |world| {
            world.sim.callbacks().iter().any(|callback| callback.incident_id == id)
                && world.sim.tag(&id, "servicenow_link").as_deref() == Some("https://itsm.acme.example/INC0010001")
                && world.sim.comments(&id).iter().any(|comment| comment.text.contains("INC0010001"))
        })
        .await;

    let mut changed = share.clone();
    changed["incident"]["changedOn"] = json!(1_767_229_999);
    changed["incident"]["updatedOn"] = json!(1_767_229_999);
    changed["incident"]["status"] = json!("warning");
    changed["incident"]["alerts"][0]["status"] = json!("warning");
    changed["metadata"]["event_type"] = json!("incident#updated");
    assert_eq!(world.share(&changed).await.unwrap().status, 202);
    let update = pulled(&world).await;
    assert_eq!((update["operation"].as_str(), update["sys_id"].as_str()), (Some("update"), Some(TICKET)));
    assert_eq!(update["fields"]["u_bp_incident_status"], "warning");
    let (status, _) = answer(&world, &update, json!({ "sys_id": TICKET, "number": "INC0010001" })).await;
    assert_eq!(status, 200);
    assert_eq!(world.sim.ticket_count(), 0);
    assert_eq!(world.sim.servicenow_requests().requests().len(), 0, "nobody called ServiceNow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_answers_comes_back_with_a_warning_and_is_set_aside_in_the_end() {
    let settings = format!("lease = \"1s\"\ncrash_limit = 2\n{PULLS}");
    let mut world = World::new().await.configured(&settings);
    assert!(world.start(&[]).await, "{}", world.log());
    let (_, share) = incident(8);
    world.share(&share).await.unwrap();
    let first = pulled(&world).await;
    assert_eq!(first["look_first"], false);
    let second = pulled(&world).await;
    assert_eq!(first["id"], second["id"]);
    assert!(second["fence"].as_i64() > first["fence"].as_i64());
    assert_eq!(second["look_first"], true, "it may have been carried out");
    let late = json!({ "sys_id": TICKET, "number": "INC0010001" });
    let (status, body) = answer(&world, &first, late).await;
    assert_eq!((status, body["error"]["code"].as_str()), (409, Some("sync.stale")), "{body}");
    insta::assert_snapshot!(format!("{}\n{}", body["error"]["message"], body["error"]["hint"]), @r#"
    "request 1 was pulled again since, or is finished: this answer comes too late"
    "pull again; what was carried out is found by its `correlation_id`, and `look_first` says so"
    "#);

    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert!(pull(&world).await.is_empty(), "it was handed out twice for nothing");
    let queue = world.admin("/api/v1/queue").await.json();
    assert!(queue.to_string().contains("sync.unanswered"), "{queue}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_settles_like_a_failed_attempt() {
    let settings = format!("attempts = 3\nspacing = \"100ms\"\n{PULLS}");
    let mut world = World::new().await.configured(&settings);
    assert!(world.start(&[]).await, "{}", world.log());
    let (id, share) = incident(9);
    world.share(&share).await.unwrap();
    let request = pulled(&world).await;
    let error = json!({ "error": "Data Policy Exception:\nmandatory: Resolution code" });
    assert_eq!(answer(&world, &request, error.clone()).await, (200, json!({ "result": "recorded" })));
    let again = pulled(&world).await;
    assert_eq!((again["id"] == request["id"], again["look_first"].as_bool()), (true, Some(false)));
    world
        .until("the incident says so", |world| {
            world.sim.tag(&id, "servicenow_link").as_deref() == Some("error")
                && world
                    .sim
                    .comments(&id)
                    .iter()
                    .any(|comment| comment.text.contains("Data Policy Exception: mandatory: Resolution code"))
        })
        .await;
    let last = json!({ "error": "no such table", "retry": false });
    assert_eq!(answer(&world, &again, last.clone()).await, (200, json!({ "result": "recorded" })));
    assert_eq!(answer(&world, &again, last).await, (200, json!({ "result": "repeated" })));
    assert!(pull(&world).await.is_empty(), "it waits for a person");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_wrongly_reads_why() {
    let mut world = World::new().await.configured(PULLS);
    assert!(world.start(&[]).await, "{}", world.log());
    let (_, share) = incident(10);
    world.share(&share).await.unwrap();
    let request = pulled(&world).await;
    let mut told = Vec::new();
    let mut tell = |(status, body): (u16, Value)| {
        told.push(format!("{status} {}: {}", body["error"]["code"], body["error"]["message"]));
    };
    for limit in ["0", "1001", "many"] {
        tell(ask(&world, "GET", &format!("/integrations/acme/retrieve?limit={limit}"), "").await);
    }
    tell(ask(&world, "GET", "/integrations/nobody/retrieve", "").await);
    let stranger = wire::request(world.listen, "GET", "/integrations/acme/retrieve", &[], b"").await.unwrap();
    tell((stranger.status, stranger.json()));
    tell(ask(&world, "POST", "/integrations/acme/callback", "{").await);
    tell(answer(&world, &request, json!({})).await);
    tell(answer(&world, &request, json!({ "sys_id": TICKET })).await);
    tell(answer(&world, &request, json!({ "sys_id": TICKET, "number": "INC1", "error": "both" })).await);
    tell(answer(&world, &request, json!({ "error": "x", "incident_id": "66b0" })).await);
    tell(answer(&world, &request, json!({ "error": "x", "id": 4711 })).await);
    insta::assert_snapshot!(told.join("\n"), @r#"
    400 "web.limit": "`limit` is not a whole number from 1 to 1000"
    400 "web.limit": "`limit` is not a whole number from 1 to 1000"
    400 "web.limit": "`limit` is not a whole number from 1 to 1000"
    404 "web.integration": "there is no integration of that name"
    401 "web.token": "the request does not present a valid token"
    400 "web.answer": "the body is no answer: EOF while parsing an object at line 1 column 1"
    400 "web.answer": "it has neither `sys_id` nor `error`"
    400 "web.answer": "`number` is missing beside `sys_id`"
    400 "web.answer": "it has both `sys_id` and `error`"
    409 "sync.other-incident": "request 1 is about another incident"
    404 "sync.no-request": "there is no request 4711 of this integration"
    "#);
    let (status, _) = answer(&world, &request, json!({ "error": "x" })).await;
    assert_eq!(status, 200, "none of it took the lease away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_called_has_nothing_to_pull_and_tokens_open_one_door_each() {
    // The same world twice over: `acme` is called, `inner` pulls.
    let world = World::new().await;
    let access = world.sim.access();
    let settings = format!(
        r#"
[integration.inner]
mode = "on-premises"
[integration.inner.bigpanda]
api_url = "{}"
api_key = "{}"
app_key = "another"
[integration.inner.webhook]
token = "another-token-of-the-tests"
"#,
        access.bigpanda.url, access.bigpanda.api_key
    );
    let mut world = world.configured(&settings);
    assert!(world.start(&[]).await, "{}", world.log());
    let (status, body) = ask(&world, "GET", "/integrations/acme/retrieve", "").await;
    assert_eq!((status, body["error"]["code"].as_str()), (409, Some("web.mode")), "{body}");
    let headers = [("authorization", "Bearer another-token-of-the-tests")];
    let answer = wire::request(world.listen, "GET", "/integrations/inner/retrieve", &headers, b"").await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "[]"));
    let foreign = wire::request(world.listen, "GET", "/integrations/acme/retrieve", &headers, b"").await.unwrap();
    assert_eq!(foreign.status, 401);
}
