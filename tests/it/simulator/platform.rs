//! The APIs around the tables: dictionary, aggregate, attachments, batch, import sets, short URLs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::json;
use sha2::Digest as _;

use super::{Sim, answered, id, json};

#[tokio::test]
async fn the_instance_describes_itself() {
    let sim = Sim::start().await;
    let kinds = sim.column("sys_dictionary", "name=task^element=short_description", "internal_type").await;
    assert_eq!(kinds, ["string"]);
    assert_eq!(sim.column("sys_dictionary", "name=task^element=short_description", "max_length").await, ["160"]);
    assert_eq!(sim.column("sys_dictionary", "name=incident^elementSTARTSWITHu_bp_", "element").await.len(), 13);
    assert_eq!(sim.column("sys_db_object", "name=incident", "label").await, ["Incident"]);
    assert_eq!(sim.column("sys_db_object", "name=incident^super_class.name=task", "name").await, ["incident"]);
    let codes =
        sim.column("sys_choice", "name=incident^element=close_code^inactive=false^ORDERBYsequence", "value").await;
    assert_eq!((codes.len(), codes[0].as_str()), (10, "Solution provided"));
    assert_eq!(sim.column("sys_user", "name=Abel Tuter", "user_name").await, ["abel.tuter"]);
    assert_eq!(sim.column("sys_user", "user_name=admin", "name").await, ["System Administrator"]);
    assert_eq!(sim.column("sys_user_group", "name=Database", "name").await, ["Database"]);
    assert_eq!(sim.column("cmdb_ci", "name=payments-api", "sys_class_name").await, ["cmdb_ci_appl"]);
}

#[tokio::test]
async fn the_columns_of_bigpanda_can_be_taken_away_and_brought_back() {
    let sim = Sim::start().await;
    assert_eq!(sim.incident(json!({"u_bp_alerts_count": 3})).await["u_bp_alerts_count"], "3");
    let url = format!("{}/_control/columns", sim.handle.servicenow_url());
    sim.control(&url, &json!({"bigpanda": false})).await;
    let record = sim.incident(json!({"u_bp_alerts_count": 3})).await;
    assert!(record.get("u_bp_alerts_count").is_none());
    assert_eq!(sim.column("sys_dictionary", "name=incident^elementSTARTSWITHu_bp_", "element").await.len(), 0);
    sim.control(&url, &json!({"bigpanda": true, "add": [{"name": "u_team", "label": "Team"}]})).await;
    let record = sim.incident(json!({"u_bp_incident_id": "x", "u_team": "blue"})).await;
    assert_eq!((&record["u_bp_incident_id"], &record["u_team"]), (&json!("x"), &json!("blue")));
    assert_eq!(sim.column("incident", "u_bp_incident_id=x", "u_team").await, ["blue"]);
    assert_eq!(sim.column("sys_dictionary", "name=incident^element=u_team", "column_label").await, ["Team"]);
}

#[tokio::test]
async fn aggregates_count_and_group() {
    let sim = Sim::start().await;
    for urgency in ["1", "1", "2"] {
        sim.incident(json!({"urgency": urgency, "impact": "1"})).await;
    }
    let all = sim.get("/api/now/stats/incident?sysparm_count=true").await;
    assert_eq!(all.json(), json!({"result": {"stats": {"count": "3"}}}));
    let some = sim.get("/api/now/v1/stats/incident?sysparm_count=true&sysparm_query=urgency=2").await;
    assert_eq!(some.result()["stats"]["count"], "1");
    let groups = sim.get("/api/now/stats/incident?sysparm_count=true&sysparm_group_by=priority").await;
    assert_eq!(
        groups.json(),
        json!({"result": [
            {"stats": {"count": "2"}, "groupby_fields": [{"field": "priority", "value": "1"}]},
            {"stats": {"count": "1"}, "groupby_fields": [{"field": "priority", "value": "2"}]}
        ]})
    );
    let average = sim.get("/api/now/stats/incident?sysparm_avg_fields=urgency&sysparm_max_fields=urgency").await;
    assert_eq!(average.result()["stats"], json!({"avg": {"urgency": "1.3333"}, "max": {"urgency": "2"}}));
}

#[tokio::test]
async fn attachments_go_up_come_down_and_disappear() {
    let sim = Sim::start().await;
    let record = sim.incident(json!({})).await;
    let path = format!("/api/now/attachment/file?table_name=incident&table_sys_id={}&file_name=log.txt", id(&record));
    let up = answered(sim.snow(Method::POST, &path).header("content-type", "text/plain").body("hello")).await;
    assert_eq!(up.status, 201);
    let hash: String = sha2::Sha256::digest(b"hello").iter().map(|byte| format!("{byte:02x}")).collect();
    let file = up.result();
    for (name, expected) in [
        ("file_name", "log.txt"),
        ("size_bytes", "5"),
        ("content_type", "text/plain"),
        ("table_name", "incident"),
        ("hash", hash.as_str()),
    ] {
        assert_eq!(file[name], expected, "{name}");
    }
    assert_eq!(
        up.header("location").unwrap(),
        format!("{}/api/now/attachment/{}", sim.handle.servicenow_url(), id(&file))
    );
    assert_eq!(file["download_link"], format!("{}/api/now/attachment/{}/file", sim.handle.servicenow_url(), id(&file)));
    let boundary = "----part";
    let form = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"table_name\"\r\n\r\nincident\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"table_sys_id\"\r\n\r\n{}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"uploadFile\"; filename=\"b.bin\"\r\nContent-Type: application/x-thing\r\n\r\n\r\nbytes\r\n\r\n--{boundary}--\r\n",
        id(&record)
    );
    let multipart = sim
        .snow(Method::POST, "/api/now/attachment/upload")
        .header("content-type", format!("multipart/form-data; boundary={boundary}"))
        .body(form);
    let multipart = answered(multipart).await;
    assert_eq!(
        (multipart.status, &multipart.result()["size_bytes"], &multipart.result()["content_type"]),
        (201, &json!("9"), &json!("application/x-thing"))
    );
    for list in [
        format!("/api/now/attachment?table_sys_id={}", id(&record)),
        format!("/api/now/attachment?sysparm_query=table_sys_id={}^table_name=incident", id(&record)),
    ] {
        let list = sim.get(&list).await;
        assert_eq!((list.rows().len(), list.header("x-total-count")), (2, Some("2")));
    }
    let down = sim.get(&format!("/api/now/attachment/{}/file", id(&file))).await;
    assert_eq!((down.status, down.text.as_str(), down.header("content-type")), (200, "hello", Some("text/plain")));
    assert!(down.header("x-attachment-metadata").unwrap().contains("log.txt"));
    assert_eq!(sim.get(&format!("/api/now/attachment/{}", id(&file))).await.result()["file_name"], "log.txt");
    assert_eq!(sim.delete(&format!("/api/now/attachment/{}", id(&file))).await.status, 204);
    assert_eq!(sim.get(&format!("/api/now/attachment/{}", id(&file))).await.status, 404);
    let nowhere = path.replace(&id(&record), &"0".repeat(32));
    assert_eq!(answered(sim.snow(Method::POST, &nowhere).body("x")).await.status, 404);
    assert_eq!(
        answered(sim.snow(Method::POST, "/api/now/attachment/file?table_name=incident").body("x")).await.status,
        400
    );
}

#[tokio::test]
async fn a_batch_plays_its_requests_in_order() {
    let sim = Sim::start().await;
    let body = json!({
        "batch_request_id": "b1",
        "rest_requests": [
            {
                "id": "1", "method": "POST", "url": "/api/now/table/incident",
                "headers": [{"name": "Content-Type", "value": "application/json"}],
                "body": STANDARD.encode(r#"{"correlation_id":"batched"}"#)
            },
            {"id": "2", "method": "GET", "url": "/api/now/table/incident?correlation_id=batched&sysparm_fields=correlation_id", "exclude_response_headers": true},
            {"id": "3", "method": "GET", "url": "/api/now/table/nothing", "headers": []},
            {"id": "4", "method": "POST", "url": "/api/now/v1/batch", "body": ""}
        ]
    });
    let answer = sim.post("/api/now/v1/batch", &body).await;
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    let serviced = answer["serviced_requests"].as_array().unwrap();
    let statuses: Vec<_> =
        serviced.iter().map(|item| (item["id"].as_str().unwrap(), item["status_code"].as_u64().unwrap())).collect();
    assert_eq!(statuses, [("1", 201), ("2", 200), ("3", 400)]);
    let second = STANDARD.decode(serviced[1]["body"].as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(second).unwrap(), r#"{"result":[{"correlation_id":"batched"}]}"#);
    assert!(serviced[0]["headers"].is_array() && serviced[1].get("headers").is_none());
    assert_eq!(answer["unserviced_requests"], json!(["4"]));
}

#[tokio::test]
async fn an_import_makes_one_incident_for_each_bigpanda_id() {
    let sim = Sim::start().await;
    let path = "/api/now/import/x_bip_panda_shareincident";
    let row =
        json!({"u_bp_incident_id": "bp-1", "u_bp_incident_status": "critical", "short_description": "from BigPanda"});
    let first = sim.post(path, &row).await;
    assert_eq!(first.status, 201);
    let first = first.json();
    assert_eq!(
        (&first["import_set"], &first["staging_table"]),
        (&json!("ISET0010001"), &json!("x_bip_panda_shareincident"))
    );
    let result = &first["result"][0];
    assert_eq!(
        (&result["transform_map"], &result["table"], &result["status"], &result["display_value"]),
        (&json!("ShareIncident"), &json!("incident"), &json!("inserted"), &json!("INC0010001"))
    );
    let again = sim.post(path, &json!({"u_bp_incident_id": "bp-1", "u_bp_incident_status": "ok"})).await.json();
    assert_eq!((&again["result"][0]["status"], &again["result"][0]["sys_id"]), (&json!("updated"), &result["sys_id"]));
    let same = sim.post(path, &json!({"u_bp_incident_id": "bp-1", "u_bp_incident_status": "ok"})).await.json();
    assert_eq!(same["result"][0]["status"], "ignored");
    assert_eq!(sim.handle.ticket_count(), 1);
    let many = sim
        .post(
            &format!("{path}/insertMultiple"),
            &json!({"records": [{"u_bp_incident_id": "bp-2"}, {"u_bp_incident_id": "bp-3"}]}),
        )
        .await;
    assert_eq!(many.status, 201);
    assert!(many.json()["import_set_id"].is_string() && many.json()["multi_import_set_id"].is_string());
    assert_eq!(sim.handle.ticket_count(), 3);
    assert_eq!(sim.post("/api/now/import/incident", &json!({})).await.status, 400);
}

#[tokio::test]
async fn a_short_url_stands_for_a_long_query() {
    let sim = Sim::start().await;
    sim.incident(json!({"short_description": "needle"})).await;
    sim.incident(json!({"short_description": "hay"})).await;
    let long = json!({"url": "incident_list.do?sysparm_query=short_description=needle"});
    let short = sim.post("/api/now/tinyurl", &long).await.result();
    let key = short.as_str().unwrap().split("sysparm_tiny=").nth(1).unwrap().to_owned();
    let found = sim.get(&format!("/api/now/table/incident?sysparm_tiny={key}&sysparm_fields=short_description")).await;
    assert_eq!(found.rows(), [json!({"short_description": "needle"})]);
}

#[tokio::test]
async fn a_rate_limit_rule_announces_itself_and_says_when_to_come_back() {
    let sim = Sim::start().await;
    sim.handle.servicenow_clock().freeze(1_767_225_600);
    sim.handle.configure(|settings| settings.rate_limit_per_hour = Some(2));
    let first = sim.get("/api/now/table/incident").await;
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-reset")), (Some("2"), Some("1767229200")));
    sim.get("/api/now/table/incident").await;
    let refused = sim.get("/api/now/table/incident").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3600")));
    assert_eq!(
        refused.error(),
        ("Rate limit exceeded".to_owned(), Some("Rate limit of 2 requests per hour for Table API exceeded".to_owned()))
    );
    sim.handle.servicenow_clock().advance(std::time::Duration::from_secs(3_600));
    assert_eq!(sim.get("/api/now/table/incident").await.status, 200);
    sim.handle.configure(|settings| settings.rate_limit_per_hour = None);
    assert_eq!(sim.get("/api/now/table/incident").await.header("x-ratelimit-limit"), None);
}

#[tokio::test]
async fn reset_brings_back_the_first_day() {
    let sim = Sim::start().await;
    sim.incident(json!({})).await;
    let url = format!("{}/_control/reset", sim.handle.servicenow_url());
    assert_eq!(answered(json(sim.http.post(url), &json!({}))).await.status, 200);
    assert_eq!(sim.handle.ticket_count(), 0);
    assert_eq!(sim.incident(json!({})).await["number"], "INC0010001");
}
