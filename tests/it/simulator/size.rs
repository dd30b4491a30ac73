//! A hundred thousand tickets cost no more per request than a few.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Sim, id};

/// Time for a round of the calls that the sync makes for one share: create, look-up, read, change, short poll.
#[expect(clippy::disallowed_methods, reason = "measures")]
async fn round(sim: &Sim, name: &str) -> Duration {
    let begun = Instant::now();
    for number in 0..50 {
        let key = format!("{name}:{number}");
        let made = sim
            .post("/api/now/table/incident?sysparm_fields=sys_id,number", &json!({"correlation_id": key}))
            .await
            .result();
        let found = sim.column("incident", &format!("correlation_id={key}^ORDERBYsys_created_on"), "sys_id").await;
        assert_eq!(found, [id(&made)]);
        let path = format!("/api/now/table/incident/{}?sysparm_fields=number", id(&made));
        assert_eq!(sim.patch(&path, &json!({"urgency": "1", "work_notes": "x"})).await.status, 200);
        assert_eq!(
            sim.column("incident", &format!("number={}", made["number"].as_str().unwrap()), "sys_id").await.len(),
            1
        );
        assert_eq!(sim.column("sys_journal_field", &format!("element_id={}", id(&made)), "value").await, ["x"]);
    }
    begun.elapsed()
}

#[tokio::test]
async fn a_hundred_thousand_tickets_do_not_slow_it_down() {
    let sim = Sim::start().await;
    sim.handle.servicenow_requests().set_capacity(0);
    round(&sim, "warm").await;
    let few = round(&sim, "few").await;
    sim.handle.servicenow_clock().skew(-86_400_000);
    sim.handle.bulk("incident", 100_000, &[].into()).unwrap();
    sim.handle.servicenow_clock().reset();
    let many = round(&sim, "many").await;
    // A scan of the table for each look-up would take tens of times longer; the allowance is for a busy machine.
    assert!(many < few * 6 + Duration::from_millis(500), "few: {few:?}, many: {many:?}");
    let recent = sim
        .column("incident", "sys_updated_on>javascript:gs.hoursAgo(1)^ORDERBYsys_updated_on^ORDERBYsys_id", "sys_id")
        .await;
    assert_eq!(recent.len(), 150);
    assert_eq!(sim.get("/api/now/stats/incident?sysparm_count=true").await.result()["stats"]["count"], "100150");
}
