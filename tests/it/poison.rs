//! A row that kills the host whenever it is taken up: after three deaths it is set aside for a person, and everything
//! else goes on.

use std::time::Duration;

use tandem::simulator::{Action, Fault};
use tandem::steps::Step;

use crate::support::{World, incident};

/// How many deaths are too many, by default.
const LIMIT: u32 = 3;

/// A host that dies at that step, whoever takes it: it gets the share, and dies of it until it does no more.
async fn killed_again_and_again(world: &mut World, step: Step) -> String {
    let environment = [("TANDEM_CRASH_AT", step.as_str())];
    assert!(world.start(&environment).await, "{}", world.log());
    let (id, share) = incident(1);
    // It may die before it answers.
    let _ = world.share(&share).await;
    for death in 1..=LIMIT {
        let status = world.wait_for_end().await;
        assert_eq!(status.code(), None, "death {death}:\n{}", world.log());
        let lives = world.start(&environment).await;
        assert!(lives || death < LIMIT, "it was taken up once more:\n{}", world.log());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(world.ended().is_none(), "it was taken up once more:\n{}", world.log());
    id
}

/// The others are handled by the next life, and the poison rests.
async fn others_go_on(world: &mut World) {
    world.kill().await;
    assert!(world.start(&[]).await, "{}", world.log());
    for number in 2..4 {
        let (id, share) = incident(number);
        assert_eq!(world.share(&share).await.unwrap().status, 202);
        world.until_told(&id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_kills_the_host_three_times_is_set_aside() {
    let mut world = World::new().await;
    let id = killed_again_and_again(&mut world, Step::PluginCalled).await;
    others_go_on(&mut world).await;
    assert!(world.sim.tickets_of(&format!("bigpanda:{id}")).is_empty());
    let metrics = world.admin("/metrics").await.body;
    assert!(metrics.contains("tandem_inbox_events{state=\"quarantined\"} 1"), "{metrics}");
    assert!(world.log().contains("the host died 3 times while handling it"), "{}", world.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_kills_the_host_three_times_is_a_dead_letter() {
    let mut world = World::new().await;
    // It never gets there: the host is dead before anything is done.
    for action in [Action::Delay { millis: 2_000 }, Action::status(503)] {
        world.sim.servicenow_faults().add(Fault { method: Some("POST".to_owned()), ..Fault::new(action) });
    }
    let id = killed_again_and_again(&mut world, Step::Sent).await;
    world.sim.servicenow_faults().clear();
    others_go_on(&mut world).await;
    assert!(world.sim.tickets_of(&format!("bigpanda:{id}")).is_empty());
    let metrics = world.admin("/metrics").await.body;
    assert!(metrics.contains("tandem_outbox_requests{state=\"dead\"} 1"), "{metrics}");
    assert!(world.log().contains("the host died 3 times while delivering it"), "{}", world.log());
}
