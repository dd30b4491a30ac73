//! The host is killed while it finishes what was under way when it was asked to stop.

use std::time::Duration;

use tandem::simulator::{Action, Fault};
use tandem::steps::Step;

use super::{crash_at, sound};
use crate::support::{World, incident};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(super) async fn dying_while_it_stops_repeats_nothing() {
    let mut world = World::new().await;
    let late = Action::DelayAnswer { millis: 5_000 };
    world.sim.servicenow_faults().add(Fault::times(1, "POST", "/table/incident", late));
    assert!(world.start(&[("TANDEM_CRASH_AT", &crash_at(Step::Draining, 1))]).await, "{}", world.log());
    let (id, share) = incident(1);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    world.until("the ticket is there, and its answer is not", |world| world.sim.ticket_count() == 1).await;
    let status = world.stop().await;
    assert_eq!(status.code(), None, "the host was to be killed:\n{}", world.log());
    assert!(world.sim.callbacks().is_empty(), "the answer had come, so this proves nothing");
    assert!(world.start(&[]).await, "{}", world.log());
    world.until_told(&id).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(world.sim.ticket_count(), 1);
    assert_eq!(world.sim.comments(&id).len(), 1);
    sound(&world);
}
