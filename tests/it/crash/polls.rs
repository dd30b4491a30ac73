//! The host dies with a page of a poll in its hands: the page is read again, and what it holds is told once.

use std::time::Duration;

use serde_json::json;
use tandem::steps::Step;

use super::crash_at;
use crate::support::{World, incident};

/// A host that looks at one side only, with an incident that has its ticket, and that was quiet before it was killed.
async fn settled(polled: &str) -> (World, String) {
    let other = if polled == "servicenow" { "bigpanda" } else { "servicenow" };
    let settings = format!(
        "[integration.acme.sync]\n{polled} = true\n{other} = false\ninterval = \"1 s\"\noverlap = \"5 s\"\n\
         [integration.acme.incidents]\nnotes_to_bigpanda = \"both\""
    );
    let mut world = World::new().await.configured(&settings);
    assert!(world.start(&[]).await, "{}", world.log());
    let (id, mut share) = incident(1);
    let body = share.clone();
    share["incident"]["shared"] = json!(true);
    world.sim.load_incident(share).unwrap();
    world.until("the side was looked at", |world| world.looks() >= 1).await;
    assert_eq!(world.share(&body).await.unwrap().status, 202);
    world.until_told(&id).await;
    // Our own writes have been seen by then.
    tokio::time::sleep(Duration::from_secs(7)).await;
    world.kill().await;
    (world, id)
}

/// Starts it so that it dies with a page in its hands, and then once more.
async fn die_and_return(world: &mut World) {
    world.start(&[("TANDEM_CRASH_AT", &crash_at(Step::Looked, 1))]).await;
    let status = world.wait_for_end().await;
    assert_eq!(status.code(), None, "the host was to be killed:\n{}", world.log());
    assert!(world.start(&[]).await, "{}", world.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(super) async fn dying_with_a_page_read_reads_it_again_and_tells_it_once() {
    let (mut world, id) = settled("servicenow").await;
    let ticket = world.sim.tickets_of(&format!("bigpanda:{id}")).remove(0);
    world.sim.edit_ticket(&ticket.sys_id, "beth.anglin", &[("work_notes", "Disk replaced")]).unwrap();
    die_and_return(&mut world).await;
    let told =
        |world: &World| world.sim.comments(&id).iter().filter(|comment| comment.text.contains("Disk replaced")).count();
    world.until("the incident knows the note", |world| told(world) > 0).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(told(&world), 1);

    let (mut world, id) = settled("bigpanda").await;
    let key = format!("bigpanda:{id}");
    world.sim.act(&id, json!({ "do": "resolve" })).unwrap();
    die_and_return(&mut world).await;
    world.until("the ticket is resolved", |world| world.sim.tickets_of(&key)[0].get("state") == "6").await;
    let writes = world.sim.servicenow_requests().total("PATCH", "");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(world.sim.servicenow_requests().total("PATCH", ""), writes, "it was resolved again");
    assert_eq!(world.sim.ticket_count(), 1);
}
