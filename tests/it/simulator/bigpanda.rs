//! BigPanda's REST API as the product and its peers use it.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{Answer, Sim, answered, json};
use tandem::simulator::Config;

const ID: &str = "65f1c2a9e0b7d40012a4c101";

fn incident() -> Json {
    json!({
        "id": ID, "status": "Critical", "severity": "Critical", "active": true, "flapping": false, "shared": false,
        "snooze": {"snoozed": false}, "maintenance": null, "start": 1_767_225_600, "end": null,
        "changed_at": 1_767_225_930, "updated_at": 1_767_225_931,
        "incident_tags": [{"tag_id": "team", "tag_value": "payments"}],
        "alerts": [
            {"alert_id": "a1", "status": "critical", "active": true, "start": 1_767_225_600, "end": null,
             "source_system": "datadog.prod", "tags": [{"name": "host", "value": "srv1"}]},
            {"id": "a2", "status": "warning", "active": true, "startedOn": 1_767_225_601, "tags": {"host": "srv2"}}
        ]
    })
}

struct Org {
    sim: Sim,
    base: String,
}

impl Org {
    async fn start() -> Self {
        let sim = Sim::start().await;
        sim.handle.load_incident(incident()).unwrap();
        let environment = sim.handle.access().bigpanda.environment_id;
        Self { sim, base: format!("/resources/v2.0/environments/{environment}/incidents") }
    }

    async fn get(&self, path: &str) -> Answer {
        answered(self.sim.panda(Method::GET, path)).await
    }

    async fn send(&self, method: Method, below: &str, body: &Json) -> Answer {
        answered(json(self.sim.panda(method, &format!("{}/{ID}{below}", self.base)), body)).await
    }
}

fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["status"], answer.status);
    (answer.status, body["errors"][0].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_incident_reads_back_with_its_alerts_only_when_asked() {
    let org = Org::start().await;
    let plain = org.get(&format!("{}/{ID}", org.base)).await.json();
    assert_eq!(
        (&plain["status"], &plain["snooze"], &plain["end"]),
        (&json!("Critical"), &json!({"snoozed": false}), &Json::Null)
    );
    assert_eq!(plain["alerts"], json!([{"alert_id": "a1"}, {"alert_id": "a2"}]));
    assert_eq!(plain["incident_tags"], json!([{"tag_id": "team", "tag_value": "payments"}]));
    assert_eq!((&plain["updated_at"], &plain["folders"]), (&json!(1_767_225_931), &json!(["active", "unhandled"])));
    let full = org.get(&format!("{}/{ID}?expand=alerts", org.base)).await.json();
    assert_eq!(full["alerts"][0]["source_system"], "datadog.prod");
    assert_eq!(
        full["alerts"][1],
        json!({"alert_id": "a2", "status": "warning", "active": true, "start": 1_767_225_601, "tags": [{"name": "host", "value": "srv2"}]})
    );
}

#[tokio::test]
async fn every_documented_shape_of_an_incident_loads() {
    let sim = Sim::start().await;
    let share = json!({
        "incident": {"id": "b1", "status": "warning", "resolved": false, "startedOn": 10, "changedOn": 20, "alerts": [], "aiSummary": "text"},
        "metadata": {"environment_id": "63bd568809cb331300ff00aa"}
    });
    assert_eq!(sim.handle.load_incident(share).unwrap(), "b1");
    let read = sim.handle.incident("b1").unwrap();
    assert_eq!(
        (&read["start"], &read["active"], &read["status"], &read["aiSummary"]),
        (&json!(10), &json!(true), &json!("Warning"), &json!("text"))
    );
    assert_eq!(read["environments"], json!(["63bd568809cb331300ff00aa"]));
    let environments = answered(sim.panda(Method::GET, "/resources/v2.0/environments")).await.json();
    assert_eq!(environments.as_array().unwrap().len(), 2);
    for bad in [json!([]), json!({"status": "ok"}), json!({"incident": 7})] {
        assert!(sim.handle.load_incident(bad).is_err());
    }
}

#[tokio::test]
async fn refusals_carry_their_status_and_a_list_of_errors() {
    let org = Org::start().await;
    let unauthorised = answered(org.sim.http.get(format!("{}{}/{ID}", org.sim.handle.bigpanda_url(), org.base))).await;
    assert_eq!(refusal(&unauthorised).0, 401);
    assert_eq!(
        refusal(&org.get("/resources/v9/nothing").await),
        (404, "Route GET /resources/v9/nothing is not found".to_owned())
    );
    assert_eq!(refusal(&org.get(&format!("{}/unknown", org.base)).await).0, 404);
    assert_eq!(refusal(&org.get(&format!("/resources/v2.0/environments/elsewhere/incidents/{ID}")).await).0, 404);
    assert_eq!(refusal(&org.send(Method::POST, "/comments", &json!({"comments": "wrong key"})).await).0, 400);
}

#[tokio::test]
async fn comments_are_read_through_activities_and_name_their_author() {
    let org = Org::start().await;
    for text in ["one", "two", "two"] {
        let answer = org.send(Method::POST, "/comments", &json!({"comment": text})).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    }
    org.sim.handle.act(ID, json!({"do": "comment", "text": "by a person"})).unwrap();
    let activities =
        org.get(&format!("/resources/v2.0/incidents/{ID}/activities?types=incident_commented&per_page=3")).await.json();
    let items = activities["items"].as_array().unwrap();
    let texts: Vec<_> = items.iter().map(|item| item["params"]["comment"].as_str().unwrap()).collect();
    assert_eq!(texts, ["by a person", "two", "two"], "newest first, a repeat is a second comment");
    assert_ne!(items[0]["created_by"], items[1]["created_by"]);
    let comments = org.sim.handle.comments(ID);
    assert_eq!(
        comments.iter().map(|comment| comment.text.as_str()).collect::<Vec<_>>(),
        ["one", "two", "two", "by a person"]
    );
    let rest = org.get(&format!("/resources/v2.0/incidents/{ID}/activities?page=2&per_page=3")).await.json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 2, "the fourth comment and the creation");
}

#[tokio::test]
async fn tags_are_set_read_listed_and_removed() {
    let org = Org::start().await;
    let set = org.send(Method::POST, "/tags/servicenow_link", &json!({"tag_value": "http://x"})).await;
    assert_eq!((set.status, set.text.as_str()), (204, ""));
    let one = org.get(&format!("{}/{ID}/tags/servicenow_link", org.base)).await.json();
    assert_eq!(
        (&one["tag_id"], &one["incident_id"], &one["tag_value"]),
        (&json!("servicenow_link"), &json!(ID), &json!("http://x"))
    );
    assert!(one["timestamp"].is_number() && one["name"].is_string());
    let many = json!([{"tag_id": "team", "tag_value": "core"}, {"tag_id": "priority", "tag_value": "P2"}, {"tag_id": "affected services", "tag_value": "[a, b]"}]);
    assert_eq!(org.send(Method::POST, "/tags", &many).await.status, 204);
    let all = org.get(&format!("{}/{ID}/tags", org.base)).await.json();
    assert_eq!(all.as_array().unwrap().len(), 4);
    assert_eq!(org.sim.handle.tag(ID, "team").as_deref(), Some("core"));
    assert_eq!(org.get(&format!("{}/{ID}/tags/affected%20services", org.base)).await.json()["tag_value"], "[a, b]");
    assert_eq!(org.send(Method::DELETE, "/tags/team", &json!({})).await.status, 204);
    assert_eq!(refusal(&org.send(Method::DELETE, "/tags/team", &json!({})).await), (404, "NotExistTag".to_owned()));
    assert_eq!(org.send(Method::DELETE, "/tags", &json!({})).await.status, 204);
    assert!(org.sim.handle.tags(ID).is_empty());
}

#[tokio::test]
async fn a_tag_value_must_fit_its_definition() {
    let org = Org::start().await;
    for (tag, value, status, error) in [
        ("nowhere", "x", 404, "NotExistTag"),
        ("priority", "P9", 400, "EnumUniqueViolationConstraint"),
        ("affected%20services", "plain", 400, "TypeMismatch"),
    ] {
        let answer = org.send(Method::POST, &format!("/tags/{tag}"), &json!({"tag_value": value})).await;
        assert_eq!(refusal(&answer), (status, error.to_owned()));
    }
    let definitions = "/resources/v2.0/incidents/tags/definitions";
    let made =
        answered(json(org.sim.panda(Method::POST, definitions), &json!({"name": "Ticket State", "type": "Text"})))
            .await
            .json();
    assert_eq!(
        (&made["id"], &made["name"], &made["type"]),
        (&json!("ticket state"), &json!("Ticket State"), &json!("Text"))
    );
    assert_eq!(org.send(Method::POST, "/tags/ticket%20state", &json!({"tag_value": "New"})).await.status, 204);
    let listed = org.get(&format!("{definitions}?type=Text")).await.json();
    assert!(listed.as_array().unwrap().iter().any(|definition| definition["name"] == "Ticket State"));
    assert_eq!(
        answered(json(org.sim.panda(Method::PUT, &format!("{definitions}/ticket%20state")), &json!({"active": false})))
            .await
            .status,
        204
    );
    assert_eq!(
        refusal(&org.send(Method::POST, "/tags/ticket%20state", &json!({"tag_value": "x"})).await),
        (400, "InactiveTag".to_owned())
    );
    assert_eq!(
        answered(json(org.sim.panda(Method::POST, definitions), &json!({"name": "ticket state"}))).await.status,
        409
    );
}

#[tokio::test]
async fn resolving_is_asynchronous_once_and_a_conflict_twice() {
    let org = Org::start().await;
    let done = org.send(Method::POST, "/resolve", &json!({"comments": "closed by ticket"})).await;
    assert_eq!((done.status, done.json()), (202, json!({"status": 202, "data": {}})));
    let read = org.get(&format!("{}/{ID}?expand=alerts", org.base)).await.json();
    assert_eq!(
        (&read["status"], &read["active"], &read["folders"]),
        (&json!("Ok"), &json!(false), &json!(["resolved"]))
    );
    assert!(read["end"].is_number() && read["alerts"][0]["status"] == "ok");
    assert_eq!(org.sim.handle.comments(ID)[0].text, "closed by ticket");
    assert_eq!(refusal(&org.send(Method::POST, "/resolve", &json!({"comments": "again"})).await).0, 409);
    org.sim.handle.act(ID, json!({"do": "reopen"})).unwrap();
    assert_eq!(org.send(Method::POST, "/resolve", &json!({"comments": ""})).await.status, 202);
}

#[tokio::test]
async fn assignment_snooze_merge_and_split_answer_as_documented() {
    let org = Org::start().await;
    assert_eq!(org.send(Method::PUT, "/assignment", &json!({"assignee": "u1"})).await.status, 204);
    assert_eq!(org.get(&format!("{}/{ID}", org.base)).await.json()["assignee"]["user_id"], "u1");
    assert_eq!(org.send(Method::DELETE, "/assignment", &json!({})).await.status, 204);
    assert_eq!(org.send(Method::DELETE, "/assignment", &json!({})).await.status, 400);
    org.sim.handle.bigpanda_clock().freeze(1_767_230_000);
    assert_eq!(org.send(Method::PUT, "/snooze", &json!({"end_time": 1_767_230_000 + 90 * 86_400})).await.status, 400);
    assert_eq!(
        org.send(Method::PUT, "/snooze", &json!({"end_time": 1_767_233_600, "comment": "later"})).await.status,
        204
    );
    assert_eq!(
        org.get(&format!("{}/{ID}", org.base)).await.json()["snooze"],
        json!({"snoozed": true, "end_time": 1_767_233_600, "cancel_on_incident_updates": false})
    );
    assert_eq!(org.send(Method::DELETE, "/snooze", &json!({})).await.status, 204);
    let mut other = incident();
    other["id"] = json!("other");
    org.sim.handle.load_incident(other).unwrap();
    assert_eq!(org.send(Method::POST, "/merge", &json!({"source_incidents": ["other"]})).await.status, 202);
    assert_eq!(org.sim.handle.incident(ID).unwrap()["alerts"].as_array().unwrap().len(), 4);
    assert_eq!(org.sim.handle.incident("other").unwrap()["active"], false);
    assert_eq!(
        org.send(Method::POST, "/merge", &json!({"source_incidents": ["other"]})).await.status,
        400,
        "a repeat is refused"
    );
    assert_eq!(org.send(Method::POST, "/split", &json!({"alerts": ["a2"]})).await.status, 202);
    assert_eq!(org.get(&org.base).await.json()["total"], 3);
    let batch = org.base.replace("/incidents", "/batch-resolve/alerts");
    assert_eq!(
        answered(json(org.sim.panda(Method::POST, &batch), &json!({"ids": ["a1", "nobody"]}))).await.status,
        202
    );
    assert_eq!(org.sim.handle.incident(ID).unwrap()["alerts"][0]["status"], "ok");
}

#[tokio::test]
async fn searches_page_filter_and_keep_their_limits() {
    let org = Org::start().await;
    for number in 0..12 {
        let tag = json!([{"tag_id": "team", "tag_value": if number % 2 == 0 { "even" } else { "odd" }}]);
        org.sim
            .handle
            .load_incident(json!({"id": format!("n{number}"), "status": "warning", "start": 1_000 + number, "changed_at": 1_000 + number, "incident_tags": tag, "shared": number == 3}))
            .unwrap();
    }
    let search = |parameters: &str| org.sim.panda(Method::GET, &format!("{}?{parameters}", org.base));
    let first = answered(search("")).await.json();
    assert_eq!((&first["total"], first["items"].as_array().unwrap().len()), (&json!(13), 10));
    assert_eq!(first["items"][0]["id"], ID, "the newest change comes first");
    assert_eq!(answered(search("page=2")).await.json()["items"].as_array().unwrap().len(), 3);
    for (parameters, total) in [
        ("folder=shared", 1),
        ("query=team+%3D+even", 6),
        ("query=team+%3D+EVEN+AND+status+!%3D+ok", 6),
        ("query=host+%3D+srv1", 1),
        ("query=*", 13),
        ("from=1767225000", 13),
        ("to=1005", 6),
        ("folder=resolved", 0),
    ] {
        assert_eq!(answered(search(parameters)).await.json()["total"], total, "{parameters}");
    }
    for parameters in
        ["expand=alerts&page_size=11", "from=1767225600000", "sort_by=colour", "page=0", "page=1001&page_size=10"]
    {
        assert_eq!(answered(search(parameters)).await.status, 400, "{parameters}");
    }
}

#[tokio::test]
async fn root_cause_changes_belong_to_the_incident() {
    let sim = Sim::start().await;
    let change = json!({"match_certainty": "SUSPECT", "change": {"identifier": "CHG1"}});
    sim.handle.load_incident(json!({"incident": {"id": "r1", "alerts": []}, "relatedChanges": [change]})).unwrap();
    let answer = answered(sim.panda(Method::GET, "/resources/v2.0/rcc?incident_id=r1&include=change")).await.json();
    assert_eq!(answer, json!({"totalRelatedCount": 1, "relatedChanges": [change]}));
}

#[tokio::test]
async fn the_limiter_admits_five_a_second_for_each_endpoint_and_gives_no_hint() {
    let org = Org::start().await;
    org.sim.handle.bigpanda_clock().freeze(1_767_225_600);
    org.sim.handle.set_bigpanda_rate_limit(5);
    for _ in 0..5 {
        assert_eq!(org.send(Method::POST, "/comments", &json!({"comment": "x"})).await.status, 204);
    }
    let refused = org.send(Method::POST, "/comments", &json!({"comment": "x"})).await;
    assert_eq!((refusal(&refused).0, refused.header("retry-after")), (429, None));
    assert_eq!(org.send(Method::POST, "/tags/team", &json!({"tag_value": "x"})).await.status, 204, "another endpoint");
    org.sim.handle.bigpanda_clock().advance(std::time::Duration::from_millis(1_001));
    assert_eq!(org.send(Method::POST, "/comments", &json!({"comment": "x"})).await.status, 204);
}

#[tokio::test]
async fn unknown_incidents_can_be_made_up_for_load_tests() {
    let sim = Sim::with(Config { accept_unknown_incidents: true, ..Config::default() }).await;
    let base = "/resources/v2.0/environments/anything/incidents/made-up";
    let tag = json(sim.panda(Method::POST, &format!("{base}/tags/servicenow_link")), &json!({"tag_value": "x"}));
    assert_eq!(answered(tag).await.status, 204);
    let callback = json!({"event_type": "incident#new", "incident_id": "made-up-too", "app_key": "k"});
    let answer = answered(json(sim.panda(Method::POST, "/resources/v2.1/outbound/callback"), &callback)).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"status": 200, "data": {}})));
    assert_eq!(sim.handle.callbacks()[0].incident_id, "made-up-too");
}
