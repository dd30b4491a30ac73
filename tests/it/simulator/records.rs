//! Reading and writing single records: shapes, statuses, display modes, versions, login.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{Sim, answered, id, json};
use tandem::simulator::{Role, Unresolved};

const ABEL: &str = "62826bf03710200044e0bfc8bcbe5df1";

#[tokio::test]
async fn a_create_answers_with_the_whole_record_and_where_it_is() {
    let sim = Sim::start().await;
    let answer = sim
        .post("/api/now/table/incident", &json!({"short_description": "new", "urgency": 1, "knowledge": true}))
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("content-type"), Some("application/json;charset=UTF-8"));
    let record = answer.result();
    let place = answer.header("location").unwrap();
    assert_eq!(place, format!("{}/api/now/table/incident/{}", sim.handle.servicenow_url(), id(&record)));
    for (name, value) in record.as_object().unwrap() {
        assert!(value.is_string() || value["value"].is_string() && value["link"].is_string(), "{name}: {value}");
    }
    for (name, expected) in [
        ("number", "INC0010001"),
        ("state", "1"),
        ("incident_state", "1"),
        ("impact", "3"),
        ("urgency", "1"),
        ("priority", "3"),
        ("active", "true"),
        ("knowledge", "true"),
        ("sys_mod_count", "0"),
        ("description", ""),
        ("sys_class_name", "incident"),
        ("assigned_to", ""),
        ("sys_created_by", "bigpanda"),
        ("correlation_id", ""),
        ("u_bp_incident_id", ""),
        ("reopen_count", "0"),
    ] {
        assert_eq!(record[name], expected, "{name}");
    }
    assert_eq!(record["opened_at"], record["sys_created_on"]);
    let opener =
        record["opened_by"]["link"].as_str().unwrap().strip_prefix(&sim.handle.servicenow_url()).unwrap().to_owned();
    assert_eq!(sim.get(&opener).await.result()["user_name"], "bigpanda", "links can be followed");
    assert_eq!(sim.incident(json!({})).await["number"], "INC0010002");
}

#[tokio::test]
async fn put_and_patch_change_only_what_they_name_and_delete_leaves_a_trace() {
    let sim = Sim::start().await;
    let record = sim.incident(json!({"short_description": "a", "description": "b"})).await;
    let path = format!("/api/now/table/incident/{}", id(&record));
    let put = answered(json(sim.snow(Method::PUT, &path), &json!({"short_description": "c"}))).await;
    assert_eq!(
        (put.status, &put.result()["short_description"], &put.result()["description"]),
        (200, &json!("c"), &json!("b"))
    );
    let patched = sim.patch(&path, &json!({"description": "", "no_such_column": "x", "sys_mod_count": "99"})).await;
    assert_eq!(
        (patched.status, &patched.result()["description"], &patched.result()["sys_mod_count"]),
        (200, &json!(""), &json!("2"))
    );
    let gone = sim.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    for answer in [sim.get(&path).await, sim.patch(&path, &json!({})).await, sim.delete(&path).await] {
        assert_eq!(answer.status, 404);
        assert_eq!(
            answer.error(),
            (
                "No Record found".to_owned(),
                Some("Record doesn't exist or ACL restricts the record retrieval".to_owned())
            )
        );
    }
    assert_eq!(sim.column("sys_audit_delete", "tablename=incident", "documentkey").await, [id(&record)]);
}

#[tokio::test]
async fn display_modes_and_links_combine_as_documented() {
    let sim = Sim::start().await;
    let record = sim.incident(json!({"state": "3", "hold_reason": "1", "caller_id": ABEL})).await;
    let link = format!("{}/api/now/table/sys_user/{ABEL}", sim.handle.servicenow_url());
    for (display, bare, state, caller, empty) in [
        ("false", false, json!("3"), json!({"link": link, "value": ABEL}), json!("")),
        ("false", true, json!("3"), json!(ABEL), json!("")),
        ("true", false, json!("On Hold"), json!({"display_value": "Abel Tuter", "link": link}), json!("")),
        ("True", true, json!("On Hold"), json!("Abel Tuter"), json!("")),
        (
            "all",
            false,
            json!({"display_value": "On Hold", "value": "3"}),
            json!({"display_value": "Abel Tuter", "link": link, "value": ABEL}),
            json!({"display_value": "", "value": ""}),
        ),
        (
            "all",
            true,
            json!({"display_value": "On Hold", "value": "3"}),
            json!({"display_value": "Abel Tuter", "value": ABEL}),
            json!({"display_value": "", "value": ""}),
        ),
    ] {
        let parameters = format!("sysparm_display_value={display}&sysparm_exclude_reference_link={bare}");
        let path = format!("/api/now/table/incident/{}?{parameters}", id(&record));
        let read = sim.get(&path).await.result();
        assert_eq!(
            (&read["state"], &read["caller_id"], &read["assigned_to"]),
            (&state, &caller, &empty),
            "{parameters}"
        );
        let changed = sim.patch(&path, &json!({})).await.result();
        assert_eq!((&changed["state"], &changed["caller_id"]), (&state, &caller), "PATCH {parameters}");
        let made = sim
            .post(&format!("/api/now/table/incident?{parameters}"), &json!({"state": "3", "caller_id": ABEL}))
            .await
            .result();
        assert_eq!((&made["state"], &made["caller_id"]), (&state, &caller), "POST {parameters}");
    }
}

#[tokio::test]
async fn a_field_list_gives_those_fields_and_follows_dots() {
    let sim = Sim::start().await;
    let record = sim.incident(json!({"caller_id": ABEL})).await;
    let path = format!("/api/now/table/incident/{}?sysparm_exclude_reference_link=true", id(&record));
    let fields =
        sim.get(&format!("{path}&sysparm_fields=number,caller_id.email,assigned_to.name,nothing,caller_id")).await;
    assert_eq!(
        fields.result(),
        json!({"number": "INC0010001", "caller_id.email": "abel.tuter@example.com", "assigned_to.name": "", "caller_id": ABEL})
    );
    let all = sim.get(&format!("{path}&sysparm_fields=")).await.result();
    assert!(all.as_object().unwrap().len() > 80, "an empty list means all");
    let few = sim.post("/api/now/table/incident?sysparm_fields=sys_id,number", &json!({})).await.result();
    assert_eq!(few.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn labels_and_names_are_taken_where_display_values_are_sent() {
    let sim = Sim::start().await;
    let body = json!({"state": "On Hold", "hold_reason": "Awaiting Vendor", "urgency": "1 - High", "assignment_group": "Network", "caller_id": "Nobody Known"});
    let shown = sim.post("/api/now/table/incident?sysparm_input_display_value=true&sysparm_display_value=true&sysparm_exclude_reference_link=true", &body).await.result();
    assert_eq!(
        (&shown["state"], &shown["hold_reason"], &shown["urgency"], &shown["assignment_group"], &shown["caller_id"]),
        (&json!("On Hold"), &json!("Awaiting Vendor"), &json!("1 - High"), &json!("Network"), &json!(""))
    );
    let raw = sim.incident(body.clone()).await;
    assert_eq!((&raw["state"], &raw["urgency"]), (&json!("1"), &json!("3")), "labels are no values");
    sim.handle.configure(|settings| {
        settings.unresolved_reference = Unresolved::Raw;
        settings.resolve_names = false;
    });
    let kept = sim.incident(json!({"assignment_group": "Network"})).await;
    assert_eq!(kept["assignment_group"]["value"], "Network");
}

#[tokio::test]
async fn dates_are_utc_by_value_and_local_on_display() {
    let sim = Sim::start().await;
    sim.handle.configure(|settings| {
        settings.display_offset_minutes = -420;
        settings.display_date_format = "dd/MM/yyyy HH:mm:ss".to_owned();
    });
    let record = sim.incident(json!({"opened_at": "2026-01-01 03:00:00"})).await;
    assert_eq!(record["opened_at"], "2026-01-01 03:00:00");
    let shown = sim.get(&format!("/api/now/table/incident/{}?sysparm_display_value=all", id(&record))).await.result();
    assert_eq!(shown["opened_at"], json!({"display_value": "31/12/2025 20:00:00", "value": "2026-01-01 03:00:00"}));
    let local = sim
        .post("/api/now/table/incident?sysparm_input_display_value=true", &json!({"opened_at": "2026-01-01 03:00:00"}))
        .await;
    assert_eq!(local.result()["opened_at"], "2026-01-01 10:00:00");
}

#[tokio::test]
async fn version_one_answers_404_where_the_others_answer_an_empty_list() {
    let sim = Sim::start().await;
    let query = "table/incident?sysparm_query=number=nothing";
    let one = sim.get(&format!("/api/now/v1/{query}")).await;
    assert_eq!((one.status, one.error().0.as_str()), (404, "No Record found"));
    for path in ["/api/now/", "/api/now/v2/"] {
        assert_eq!(sim.get(&format!("{path}{query}")).await.status, 200, "{path}");
    }
    sim.incident(json!({})).await;
    assert_eq!(sim.get("/api/now/v1/table/incident").await.rows().len(), 1);
}

#[tokio::test]
async fn mistakes_are_answered_with_the_platforms_own_words() {
    let sim = Sim::start().await;
    let table = "/api/now/table/incident";
    let refusal = |answer: &super::Answer| (answer.status, answer.error().0, answer.error().1);
    assert_eq!(refusal(&sim.get("/api/now/table/no_such").await), (400, "Invalid table no_such".to_owned(), None));
    assert_eq!(
        refusal(&sim.get("/api/now/nothing/here").await),
        (400, "Requested URI does not represent any resource".to_owned(), None)
    );
    for body in ["", "{", "7", "[]"] {
        let answer =
            answered(sim.snow(Method::POST, table).header("content-type", "application/json").body(body)).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (400, "Exception while reading request"), "{body}");
    }
    let huge = "x".repeat(10_485_761);
    let answer = answered(sim.snow(Method::POST, table).header("content-type", "application/json").body(huge)).await;
    assert_eq!(
        refusal(&answer),
        (
            400,
            "Exception while reading request".to_owned(),
            Some(
                "Rejected large REST payload with content-length = 10485761 bytes. Max allowed: 10485760 bytes."
                    .to_owned()
            )
        )
    );
    let form = answered(sim.snow(Method::POST, table).header("content-type", "text/plain").body("{}")).await;
    assert_eq!(form.status, 415);
    assert_eq!(answered(sim.snow(Method::POST, table).body("{}")).await.status, 400, "no Content-Type");
    assert_eq!(answered(sim.snow(Method::GET, table).header("accept", "text/csv")).await.status, 406);
    assert_eq!(answered(sim.snow(Method::PATCH, table)).await.status, 405);
    let long = "y".repeat(8_300);
    assert_eq!(sim.get(&format!("{table}?sysparm_query=numberIN{long}")).await.status, 414);
}

#[tokio::test]
async fn a_query_too_long_for_its_page_links_is_refused_until_they_are_suppressed() {
    let sim = Sim::start().await;
    sim.handle.bulk("incident", 5, &[].into()).unwrap();
    let list = "sys_idNOT IN".to_owned() + &vec!["0".repeat(32); 190].join(",");
    let path = format!("/api/now/table/incident?sysparm_limit=2&sysparm_query={list}");
    let answer = sim.get(&path).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (400, "Pagination not supported"));
    assert_eq!(sim.get(&format!("{path}&sysparm_suppress_pagination_header=true")).await.rows().len(), 2);
}

#[tokio::test]
async fn only_a_known_login_gets_in() {
    let sim = Sim::start().await;
    let url = format!("{}/api/now/table/incident?sysparm_limit=1", sim.handle.servicenow_url());
    for request in [
        sim.http.get(&url),
        sim.http.get(&url).basic_auth("bigpanda", Some("wrong")),
        sim.http.get(&url).bearer_auth("nothing"),
        sim.http.get(&url).header("x-sn-apikey", "nothing"),
    ] {
        let answer = answered(request).await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.error(),
            ("User Not Authenticated".to_owned(), Some("Required to provide Auth information".to_owned()))
        );
        assert_eq!(answer.header("www-authenticate"), Some("BASIC realm=\"Service-now\""));
    }
    assert_eq!(answered(sim.http.get(&url).header("x-sn-apikey", "demo-servicenow-key")).await.status, 200);
    sim.handle.configure(|settings| settings.basic_auth_disabled = true);
    assert_eq!(sim.get("/api/now/table/incident").await.status, 401, "Basic is switched off");
}

async fn token(sim: &Sim, form: &str) -> super::Answer {
    let request = sim
        .http
        .post(format!("{}/oauth_token.do", sim.handle.servicenow_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    answered(request).await
}

#[tokio::test]
async fn tokens_come_for_a_password_for_the_client_alone_and_for_a_refresh() {
    let sim = Sim::start().await;
    let client = "client_id=demo-client&client_secret=demo-secret";
    let first = token(&sim, &format!("grant_type=password&{client}&username=bigpanda&password=demo-password")).await;
    assert_eq!(first.status, 200);
    let body = first.json();
    assert_eq!(
        (&body["scope"], &body["token_type"], &body["expires_in"]),
        (&json!("useraccount"), &json!("Bearer"), &json!(1799))
    );
    let use_it = |token: Json| {
        let url = format!("{}/api/now/table/incident", sim.handle.servicenow_url());
        answered(sim.http.get(url).bearer_auth(token.as_str().unwrap()))
    };
    assert_eq!(use_it(body["access_token"].clone()).await.status, 200);
    let again = token(&sim, &format!("grant_type=password&{client}&username=bigpanda&password=demo-password")).await;
    assert_eq!(again.json()["access_token"], body["access_token"], "an unexpired token is given again");
    sim.handle.servicenow_clock().advance(std::time::Duration::from_secs(1_801));
    assert_eq!(use_it(body["access_token"].clone()).await.status, 401, "tokens expire");
    let refresh =
        format!("grant_type=refresh_token&{client}&refresh_token={}", body["refresh_token"].as_str().unwrap());
    let renewed = token(&sim, &refresh).await.json();
    assert_ne!(renewed["access_token"], body["access_token"]);
    assert_eq!(use_it(renewed["access_token"].clone()).await.status, 200);
    let alone = token(&sim, &format!("grant_type=client_credentials&{client}")).await.json();
    assert_eq!(use_it(alone["access_token"].clone()).await.status, 200);
    let header = sim
        .http
        .post(format!("{}/oauth_token.do", sim.handle.servicenow_url()))
        .basic_auth("demo-client", Some("demo-secret"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=password&username=bigpanda&password=demo-password");
    assert_eq!(answered(header).await.status, 200, "the client may be in the header");
}

#[tokio::test]
async fn a_refused_token_says_why_in_the_standards_words() {
    let sim = Sim::start().await;
    let client = "client_id=demo-client&client_secret=demo-secret";
    for (form, status, error) in [
        (format!("grant_type=password&{client}&username=bigpanda&password=wrong"), 401, "invalid_grant"),
        (
            "grant_type=password&client_id=demo-client&client_secret=x&username=bigpanda&password=demo-password"
                .to_owned(),
            401,
            "invalid_client",
        ),
        (format!("grant_type=refresh_token&{client}&refresh_token=x"), 401, "invalid_grant"),
        (format!("grant_type=magic&{client}"), 400, "unsupported_grant_type"),
        (client.to_owned(), 400, "invalid_request"),
    ] {
        let answer = token(&sim, &form).await;
        assert_eq!(
            (answer.status, &answer.json()["error"], &answer.json()["error_description"]),
            (status, &json!(error), &json!("access_denied")),
            "{form}"
        );
    }
}

#[tokio::test]
async fn what_a_caller_may_not_read_is_empty_but_counted() {
    let sim = Sim::start().await;
    sim.handle.bulk("incident", 3, &[].into()).unwrap();
    for (name, role) in [("nobody", Role::None), ("worker", Role::Itil)] {
        sim.handle.add_user(name, "pw", role);
    }
    let ask = |user: &'static str, path: &str| {
        answered(
            sim.http.get(format!("{}/api/now/table/{path}", sim.handle.servicenow_url())).basic_auth(user, Some("pw")),
        )
    };
    let hidden = ask("nobody", "incident").await;
    assert_eq!((hidden.status, hidden.rows().len(), hidden.header("x-total-count")), (200, 0, Some("3")));
    assert_eq!(ask("worker", "incident").await.rows().len(), 3);
    assert_eq!(ask("worker", "sys_dictionary").await.rows().len(), 0);
    let refused = ask("worker", "sys_db_object").await;
    assert_eq!((refused.status, refused.error().0.as_str()), (403, "Insufficient rights to query records"));
    assert_eq!(ask("worker", "sys_choice?sysparm_query=name=incident").await.status, 403);
    let write = json(
        sim.http
            .post(format!("{}/api/now/table/incident", sim.handle.servicenow_url()))
            .basic_auth("nobody", Some("pw")),
        &json!({}),
    );
    assert_eq!(answered(write).await.status, 403);
    sim.handle.configure(|settings| {
        settings.hidden_fields.insert("close_notes".to_owned());
    });
    let query = sim.get("/api/now/table/incident?sysparm_query=close_notesISEMPTY").await;
    assert_eq!(
        (query.status, query.error().1.as_deref()),
        (403, Some("Field(s) present in the query do not have permission to be read"))
    );
    assert!(sim.get("/api/now/table/incident").await.rows()[0].get("close_notes").is_none());
}

#[tokio::test]
async fn unusual_requests_that_clients_send_are_understood() {
    let sim = Sim::start().await;
    let record = sim.incident(json!({"short_description": "a"})).await;
    let path = format!("/api/now/table/incident/{}", id(&record));
    let head = answered(sim.snow(Method::HEAD, "/api/now/table/incident")).await;
    assert_eq!((head.status, head.text.as_str(), head.header("x-total-count")), (200, "", Some("1")));
    let overridden = json(sim.snow(Method::POST, &path), &json!({"short_description": "b"}))
        .header("x-http-method-override", "PATCH");
    assert_eq!(answered(overridden).await.result()["short_description"], "b");
    let silent =
        json(sim.snow(Method::PATCH, &path), &json!({"short_description": "c"})).header("x-no-response-body", "true");
    let silent = answered(silent).await;
    assert_eq!((silent.status, silent.text.as_str()), (200, ""));
    let made = json(sim.snow(Method::POST, "/api/now/table/incident"), &json!({})).header("x-no-response-body", "true");
    let made = answered(made).await;
    assert_eq!((made.status, made.text.as_str(), made.header("location").is_some()), (201, "", true));
    let stale = sim
        .patch(&format!("{path}?sysparm_query=number=nothing&sysparm_limit=1"), &json!({"short_description": "d"}))
        .await;
    assert_eq!(stale.result()["short_description"], "d", "query parameters of a write are ignored");
    let list =
        sim.post("/api/now/table/incident", &json!([{"short_description": "one"}, {"short_description": "two"}])).await;
    assert_eq!((list.status, &list.result()["short_description"]), (201, &json!("one")));
    let given = "ab".repeat(16);
    assert_eq!(id(&sim.incident(json!({"sys_id": given})).await), given);
    assert_eq!(sim.post("/api/now/table/incident", &json!({"sys_id": given})).await.status, 403, "a sys_id is unique");
}
