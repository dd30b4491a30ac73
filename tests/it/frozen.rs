//! A host that stands still for longer than its leases and then goes on: what it claimed counts as lost by then, and
//! nothing happens twice.
//!
//! The host stops itself at a named step as SIGSTOP does, and SIGCONT lets it go on. Its two hands then reach for the
//! same request at once: the one that stood still, and the one that finds that the lease has run out.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::simulator::{Action, Fault};
use tandem::steps::Step;

use crate::support::{World, incident};

const LEASE: &str = "lease = \"4s\"";
/// Half again as long as the lease.
const FROST: Duration = Duration::from_secs(6);

/// What an incident has in the end whose request stood still at this step: tickets and comments.
async fn frozen_at(step: Step) -> (usize, usize) {
    let mut world = World::new().await.configured(LEASE);
    assert!(world.start(&[("TANDEM_FREEZE_AT", step.as_str())]).await, "{}", world.log());
    let (id, share) = incident(1);
    frozen(&world, &id, &share).await
}

/// The same of a request that stood still before it was sent, after another incident has all of its own. Then the names that
/// a ticket refers to are known, and nothing but the deadline lies between thaw and sending.
async fn frozen_unsent(broken: Option<&str>) -> (usize, usize) {
    let mut world = World::new().await.configured(LEASE);
    // Ticket, callback, tag and comment of the one before.
    let step = format!("{}:5", Step::Decided.as_str());
    let mut environment = vec![("TANDEM_FREEZE_AT", step.as_str())];
    environment.extend(broken.map(|safeguard| ("TANDEM_BREAK", safeguard)));
    assert!(world.start(&environment).await, "{}", world.log());
    let (before, mut share) = incident(2);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    world.until_told(&before).await;
    let (id, _) = incident(1);
    share["incident"]["id"] = json!(id);
    frozen(&world, &id, &share).await
}

async fn frozen(world: &World, id: &str, share: &Value) -> (usize, usize) {
    // Two creations that overlap both arrive: longer than a look for work is apart from the next.
    let slow = Action::Delay { millis: 2_500 };
    world.sim.servicenow_faults().add(Fault { method: Some("POST".to_owned()), ..Fault::new(slow) });
    let thaw = async {
        world.until("the host stands still", World::is_frozen).await;
        tokio::time::sleep(FROST).await;
        world.thaw();
    };
    // The answer may have to wait for the thaw.
    let (answer, ()) = tokio::join!(world.share(share), thaw);
    assert_eq!(answer.unwrap().status, 202);
    world.until_told(id).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    (world.sim.tickets_of(&format!("bigpanda:{id}")).len(), world.sim.comments(id).len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_sent_before_the_frost_is_sent_once_after_it() {
    assert_eq!(frozen_unsent(None).await, (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_read_before_the_frost_is_not_asked_for_again() {
    assert_eq!(frozen_at(Step::Answered).await, (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_bigpanda_was_told_before_the_frost_is_told_once() {
    assert_eq!(frozen_at(Step::Told).await, (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_before_the_frost_is_sent_once() {
    assert_eq!(frozen_at(Step::Transformed).await, (1, 1));
}

/// The test bites: who does not look at the end of the lease sends what somebody else sends too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_deadline_there_are_two_tickets() {
    assert_eq!(frozen_unsent(Some("deadline")).await.0, 2);
}
