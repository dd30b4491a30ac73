//! What the platform does to an incident by itself: states, stamps, policies, journals, people and jobs.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{Sim, id};
use tandem::simulator::Rewrite;

async fn path(sim: &Sim, fields: Json) -> String {
    format!("/api/now/table/incident/{}", id(&sim.incident(fields).await))
}

fn resolved() -> Json {
    json!({"state": "6", "close_code": "Solution provided", "close_notes": "done"})
}

#[tokio::test]
async fn priority_follows_impact_and_urgency_and_nobody_elses_word() {
    let sim = Sim::start().await;
    for (impact, urgency, priority) in [
        (1, 1, "1"),
        (1, 2, "2"),
        (1, 3, "3"),
        (2, 1, "2"),
        (2, 2, "3"),
        (2, 3, "4"),
        (3, 1, "3"),
        (3, 2, "4"),
        (3, 3, "5"),
    ] {
        let record = sim.incident(json!({"impact": impact, "urgency": urgency, "priority": "1"})).await;
        assert_eq!(record["priority"], priority, "{impact}×{urgency}");
    }
    let path = path(&sim, json!({})).await;
    assert_eq!(sim.patch(&path, &json!({"priority": "1"})).await.result()["priority"], "5");
    assert_eq!(sim.patch(&path, &json!({"impact": "1"})).await.result()["priority"], "3");
}

#[tokio::test]
async fn a_write_that_changes_nothing_leaves_no_trace() {
    let sim = Sim::start().await;
    sim.handle.servicenow_clock().freeze(1_767_225_600);
    let path = path(&sim, json!({"short_description": "a", "urgency": "2"})).await;
    sim.handle.servicenow_clock().advance(Duration::from_secs(60));
    let same = sim.patch(&path, &json!({"short_description": "a", "urgency": "2", "description": ""})).await.result();
    assert_eq!((&same["sys_mod_count"], &same["sys_updated_on"]), (&json!("0"), &json!("2026-01-01 00:00:00")));
    let other = sim.patch(&path, &json!({"short_description": "b"})).await.result();
    assert_eq!((&other["sys_mod_count"], &other["sys_updated_on"]), (&json!("1"), &json!("2026-01-01 00:01:00")));
    assert_eq!(other["sys_created_on"], "2026-01-01 00:00:00");
}

#[tokio::test]
async fn no_update_is_lost_when_many_arrive_at_once() {
    let sim = Sim::start().await;
    let path = path(&sim, json!({})).await;
    let path = &path;
    let writes = (0..40).map(|number| {
        let request =
            super::json(sim.snow(reqwest::Method::PATCH, path), &json!({"work_notes": format!("note {number}")}));
        tokio::spawn(super::answered(request))
    });
    for write in writes.collect::<Vec<_>>() {
        assert_eq!(write.await.unwrap().status, 200);
    }
    assert_eq!(sim.get(path).await.result()["sys_mod_count"], "40");
    assert_eq!(sim.column("sys_journal_field", "element=work_notes", "value").await.len(), 40);
}

#[tokio::test]
async fn resolving_needs_a_known_code_and_notes() {
    let sim = Sim::start().await;
    let path = path(&sim, json!({})).await;
    for (fields, missing) in [
        (json!({"state": "6"}), "Resolution code, Resolution notes"),
        (json!({"state": "7"}), "Resolution code, Resolution notes"),
        (json!({"incident_state": "6", "close_code": "Solution provided"}), "Resolution notes"),
        (json!({"state": "6", "close_notes": "x", "close_code": "Solved (Permanently)"}), "Resolution code"),
    ] {
        let answer = sim.patch(&path, &fields).await;
        assert_eq!(answer.status, 403, "{fields}");
        assert_eq!(
            answer.error(),
            (
                "Operation Failed".to_owned(),
                Some(format!("Data Policy Exception: The following fields are mandatory: {missing}"))
            )
        );
    }
    assert_eq!(sim.get(&path).await.result()["sys_mod_count"], "0", "nothing was written");
    // Choices are rows: what is added there is accepted from then on.
    let row = json!({"name": "incident", "element": "close_code", "value": "Solved (Permanently)", "label": "Solved (Permanently)"});
    assert_eq!(sim.post("/api/now/table/sys_choice", &row).await.status, 201);
    let fields = json!({"state": "6", "close_notes": "x", "close_code": "Solved (Permanently)"});
    assert_eq!(sim.patch(&path, &fields).await.status, 200);
}

#[tokio::test]
async fn states_stamp_who_and_when() {
    let sim = Sim::start().await;
    sim.handle.servicenow_clock().freeze(1_767_225_600);
    let path = path(&sim, json!({})).await;
    let me = sim.column("sys_user", "user_name=bigpanda", "sys_id").await.remove(0);
    let record = sim.patch(&path, &resolved()).await.result();
    assert_eq!(
        (&record["incident_state"], &record["active"], &record["resolved_at"]),
        (&json!("6"), &json!("true"), &json!("2026-01-01 00:00:00"))
    );
    assert_eq!(record["resolved_by"]["value"], me);
    let record = sim.patch(&path, &json!({"state": "2"})).await.result();
    assert_eq!(
        (&record["reopen_count"], &record["reopened_time"], &record["resolved_at"]),
        (&json!("1"), &json!("2026-01-01 00:00:00"), &json!(""))
    );
    assert_eq!(record["reopened_by"]["value"], me);
    let given =
        json!({"state": "6", "close_code": "Duplicate", "close_notes": "x", "resolved_at": "2025-12-31 12:00:00"});
    assert_eq!(sim.patch(&path, &given).await.result()["resolved_at"], "2025-12-31 12:00:00");
    let record = sim.patch(&path, &json!({"state": "7"})).await.result();
    assert_eq!((&record["active"], &record["closed_at"]), (&json!("false"), &json!("2026-01-01 00:00:00")));
    let record = sim.patch(&path, &json!({"state": "2", "description": "more"})).await.result();
    assert_eq!((&record["state"], &record["description"]), (&json!("7"), &json!("more")), "closed stays closed");
    let canceled = sim.incident(json!({"state": "8"})).await;
    assert_eq!(canceled["active"], "false");
}

#[tokio::test]
async fn leaving_hold_clears_its_reason_and_the_callers_comment_ends_it() {
    let sim = Sim::start().await;
    let caller = sim.column("sys_user", "user_name=abel.tuter", "sys_id").await.remove(0);
    let hold = json!({"state": "3", "hold_reason": "1", "caller_id": caller});
    let record = sim.incident(hold.clone()).await;
    let place = format!("/api/now/table/incident/{}", id(&record));
    assert_eq!(sim.patch(&place, &json!({"state": "2"})).await.result()["hold_reason"], "");
    let record = sim.incident(hold).await;
    sim.handle.edit_ticket(&id(&record), "beth.anglin", &[("comments", "still waiting")]).unwrap();
    assert_eq!(sim.handle.tickets_of(&id(&record))[0].get("state"), "3");
    sim.handle.edit_ticket(&id(&record), "abel.tuter", &[("comments", "here is what you asked for")]).unwrap();
    let ticket = sim.handle.tickets_of(&id(&record)).remove(0);
    assert_eq!((ticket.get("state"), ticket.get("hold_reason"), ticket.updated_by.as_str()), ("2", "", "abel.tuter"));
}

#[tokio::test]
async fn journals_are_written_once_and_read_elsewhere() {
    let sim = Sim::start().await;
    sim.handle.servicenow_clock().freeze(1_767_225_600);
    let record = sim.incident(json!({"comments": "for the caller", "work_notes": "first"})).await;
    assert_eq!((&record["comments"], &record["work_notes"]), (&json!(""), &json!("")));
    let path = format!("/api/now/table/incident/{}", id(&record));
    sim.handle.servicenow_clock().advance(Duration::from_secs(5));
    let patched = sim.patch(&path, &json!({"work_notes": "second"})).await.result();
    assert_eq!((&patched["sys_mod_count"], &patched["sys_updated_on"]), (&json!("1"), &json!("2026-01-01 00:00:05")));
    let query = format!(
        "element_id={}^name=incident^elementINwork_notes,comments^ORDERBYDESCsys_created_on^ORDERBYvalue",
        id(&record)
    );
    assert_eq!(sim.column("sys_journal_field", &query, "value").await, ["second", "first", "for the caller"]);
    assert_eq!(sim.column("sys_journal_field", &query, "element").await, ["work_notes", "work_notes", "comments"]);
    let shown = sim.get(&format!("{path}?sysparm_display_value=all")).await.result();
    assert_eq!(
        shown["work_notes"],
        json!({
            "display_value": "2026-01-01 00:00:05 - Integration User (Work notes)\nsecond\n\n2026-01-01 00:00:00 - Integration User (Work notes)\nfirst\n\n",
            "value": ""
        })
    );
    assert_eq!(
        shown["comments"]["display_value"],
        "2026-01-01 00:00:00 - Integration User (Additional comments)\nfor the caller\n\n"
    );
}

#[tokio::test]
async fn short_columns_are_cut_by_the_database_and_long_ones_are_not() {
    let sim = Sim::start().await;
    let record = sim.incident(json!({"short_description": "é".repeat(200), "description": "x".repeat(9_000)})).await;
    assert_eq!(record["short_description"].as_str().unwrap().chars().count(), 160);
    assert_eq!(record["description"].as_str().unwrap().len(), 9_000);
}

#[tokio::test]
async fn a_business_rule_may_have_the_last_word() {
    let sim = Sim::start().await;
    sim.handle.configure(|settings| {
        settings.rewrites = vec![Rewrite {
            table: "incident".to_owned(),
            field: "category".to_owned(),
            value: "network".to_owned(),
            user: "system".to_owned(),
        }];
    });
    let record = sim.incident(json!({"category": "software"})).await;
    assert_eq!(
        (&record["category"], &record["sys_updated_by"], &record["sys_mod_count"]),
        (&json!("network"), &json!("system"), &json!("1"))
    );
}

#[tokio::test]
async fn children_follow_their_parent() {
    let sim = Sim::start().await;
    sim.handle.configure(|settings| settings.propagate_to_children = true);
    let parent = sim.incident(json!({"short_description": "parent"})).await;
    let child = sim.incident(json!({"parent_incident": id(&parent)})).await;
    let path = format!("/api/now/table/incident/{}", id(&parent));
    sim.patch(&path, &json!({"state": "2", "work_notes": "looking"})).await;
    let ticket = sim.handle.tickets_of(&id(&child)).remove(0);
    assert_eq!(ticket.get("state"), "2");
    assert_eq!(ticket.texts("work_notes"), ["Work note copied from Parent Incident: looking"]);
    sim.patch(&path, &resolved()).await;
    assert_eq!(sim.handle.tickets_of(&id(&child))[0].get("state"), "6");
}

#[tokio::test]
async fn the_nightly_job_closes_what_was_resolved_long_ago() {
    let sim = Sim::start().await;
    let old = id(&sim.incident(resolved()).await);
    sim.handle.servicenow_clock().advance(Duration::from_secs(8 * 86_400));
    let fresh = id(&sim.incident(resolved()).await);
    let url = format!("{}/_control/autoclose", sim.handle.servicenow_url());
    assert_eq!(sim.control(&url, &json!({})).await.json()["closed"], 1);
    let old = sim.handle.tickets_of(&old).remove(0);
    assert_eq!((old.get("state"), old.get("active"), old.updated_by.as_str()), ("7", "false", "admin"));
    assert_eq!(sim.handle.tickets_of(&fresh)[0].get("state"), "6");
}

#[tokio::test]
async fn a_bulk_job_touches_more_rows_than_a_page_in_one_second() {
    let sim = Sim::start().await;
    sim.handle.bulk("incident", 250, &[].into()).unwrap();
    let url = format!("{}/_control/touch", sim.handle.servicenow_url());
    let body = json!({"query": "correlation_idSTARTSWITHseed:", "at": "2026-02-03 04:05:06"});
    assert_eq!(sim.control(&url, &body).await.json()["touched"], 250);
    assert_eq!(sim.column("incident", "sys_updated_on=2026-02-03 04:05:06", "sys_id").await.len(), 250);
    // The safe way through a crowded second: drain it by sys_id, page by page.
    let (mut last, mut seen) = (String::new(), 0);
    loop {
        let query = format!("sys_updated_on=2026-02-03 04:05:06^sys_id>{last}^ORDERBYsys_id");
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let page = sim
            .get(&format!("/api/now/table/incident?sysparm_query={encoded}&sysparm_limit=100&sysparm_fields=sys_id"))
            .await
            .rows();
        let Some(end) = page.last() else { break };
        last = id(end);
        seen += page.len();
    }
    assert_eq!(seen, 250);
}

#[tokio::test]
async fn the_clock_of_the_instance_may_differ_from_ours() {
    let sim = Sim::start().await;
    let url = format!("{}/_control/clock", sim.handle.servicenow_url());
    sim.control(&url, &json!({"freeze_at": 784_111_777})).await;
    let answer = sim.post("/api/now/table/incident", &json!({})).await;
    assert_eq!(answer.header("date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(answer.result()["sys_created_on"], "1994-11-06 08:49:37");
}
