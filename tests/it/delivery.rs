//! What becomes of a share that asks for what there isn't, and of an attempt that stumbles on its way.

use std::time::Duration;

use serde_json::json;
use tandem::simulator::{Action, Fault};

use crate::support::{World, incident};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_are_refused_are_told_to_the_incident_once() {
    let world = World::running().await;
    let (id, mut share) = incident(1);
    let headers = [
        ("x-bp-config-assignmentGroup", "Network"),
        ("x-bp-config-maxAlertsInDescription", "many"),
        ("x-bp-config-active", "false"),
        ("x-bp-mapping-fields", "nonsense"),
    ];
    assert_eq!(world.share_with(&share, &headers).await.unwrap().status, 202);
    world.until_told(&id).await;
    let refusals = |world: &World| {
        let comments = world.sim.comments(&id).into_iter().map(|comment| comment.text);
        comments.filter(|text| text.contains("left out")).collect::<Vec<_>>()
    };
    world.until("the incident is told", |world| !refusals(world).is_empty()).await;
    let told = refusals(&world).remove(0);
    insta::assert_snapshot!(told.split(" [tandem:").next().unwrap(), @"Tandem left out what this share asked for. The pair `nonsense` of the header `x-bp-mapping-fields` was ignored; it should read `bigpanda_field=servicenow_field`. The header x-bp-config-active was ignored: only the configuration says this. The header x-bp-config-maxAlertsInDescription was ignored: its value is `many`, which is not a whole number; write a whole number from 0 to 300.");

    // The same again, with something to write.
    for (number, priority) in [(1, "P1"), (2, "P3")] {
        share["incident"]["updatedOn"] = json!(share["incident"]["updatedOn"].as_i64().unwrap() + 60);
        share["incident"]["severity"] = json!("warning");
        share["incident"]["incident_tags"][0]["tag_value"] = json!(priority);
        let mut headers = headers;
        if number == 2 {
            headers[2].0 = "x-bp-config-retrievalCount";
        }
        assert_eq!(world.share_with(&share, &headers).await.unwrap().status, 202);
        let settled = format!("share {number} is settled");
        world.until(&settled, |world| world.log().matches("ticket updated").count() >= number).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(refusals(&world).len(), number, "only what is new is told");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_that_cannot_be_looked_up_once_costs_no_attempt() {
    let mut world = World::new().await.configured("[integration.acme.incidents]\nassignment_group = \"Network\"");
    let unavailable = Fault::times(2, "GET", "/table/sys_user_group", Action::status(503));
    world.sim.servicenow_faults().add(unavailable);
    let quick = ("TANDEM__INTEGRATION__ACME__RETRY__WITHIN_ATTEMPT", "50ms,50ms");
    assert!(world.start(&[quick]).await, "the host ended at once:\n{}", world.log());
    let (id, share) = incident(1);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    world.until_told(&id).await;
    let ticket = world.sim.tickets_of(&format!("bigpanda:{id}")).remove(0);
    assert_ne!(ticket.get("assignment_group"), "");
    assert!(!world.log().contains("attempt 1 of"), "{}", world.log());
}
