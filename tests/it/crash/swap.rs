//! The host dies with new plugins compiled that do not answer yet.

use tandem::steps::Step;

use super::{crash_at, sound};
use crate::support::plugins::bundle;
use crate::support::{World, incident};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(super) async fn dying_before_new_plugins_answer_loses_nothing() {
    let moody = bundle("moody").bytes;
    let mut world = World::new().await;
    // The first time is when the host starts.
    assert!(world.start(&[("TANDEM_CRASH_AT", &crash_at(Step::Compiled, 2))]).await, "{}", world.log());
    std::fs::write(world.plugins().join(".mine.part"), moody).unwrap();
    std::fs::rename(world.plugins().join(".mine.part"), world.plugins().join("mine.wasm")).unwrap();
    let mut confirmed = Vec::new();
    for number in 0.. {
        let (id, share) = incident(number);
        if world.share(&share).await.is_ok_and(|answer| answer.status == 202) {
            confirmed.push(id);
        }
        if world.ended().is_some() {
            break;
        }
    }
    let status = world.wait_for_end().await;
    assert_eq!(status.code(), None, "the host was to be killed:\n{}", world.log());
    assert!(!world.log().contains("generation=2"), "the new plugins answered already");
    let before = world.log().len();
    assert!(world.start(&[]).await, "{}", world.log());
    for id in &confirmed {
        world.until_told(id).await;
        assert_eq!(world.sim.tickets_of(&format!("bigpanda:{id}")).len(), 1);
    }
    assert!(world.log()[before..].contains("plugin.id=moody"), "the new plugins were forgotten:\n{}", world.log());
    sound(&world);
}
