//! The host dies while its store's file changes as a whole: when the log is moved, and when the schema is brought
//! forward.

use serde_json::json;
use tandem::steps::Step;

use super::{crash_at, sound};
use crate::support::{World, incident};

/// Enough of them fill the log, which is moved from 16 MiB on.
fn large(number: u32) -> (String, serde_json::Value) {
    let (id, mut share) = incident(number);
    let padding = json!({ "name": "trace", "value": "at com.example.Checkout ".repeat(10_000) });
    share["incident"]["alerts"][0]["tags"].as_array_mut().unwrap().push(padding);
    (id, share)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(super) async fn dying_while_the_log_is_moved_keeps_what_was_confirmed() {
    let mut world = World::new().await;
    assert!(world.start(&[("TANDEM_CRASH_AT", &crash_at(Step::Checkpoint, 1))]).await, "{}", world.log());
    let mut confirmed = Vec::new();
    for number in 0..400 {
        let (id, share) = large(number);
        match world.share(&share).await {
            Ok(answer) => assert_eq!(answer.status, 202, "{}", answer.body),
            Err(_) => break,
        }
        confirmed.push(id);
    }
    let status = world.wait_for_end().await;
    assert_eq!(status.code(), None, "the host was to be killed:\n{}", world.log());
    assert!(confirmed.len() > 20, "it died before there was much in the log");
    assert!(world.start(&[]).await, "{}", world.log());
    for id in &confirmed {
        world.until_told(id).await;
        assert_eq!(world.sim.tickets_of(&format!("bigpanda:{id}")).len(), 1);
    }
    sound(&world);
}

fn schema(world: &World, file: &str) -> i64 {
    let db = rusqlite::Connection::open(world.directory().join(file)).unwrap();
    db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// A store as the first version left it, with an incident that has its ticket.
async fn old_store() -> (World, String, serde_json::Value) {
    let mut world = World::running().await;
    let (id, share) = incident(1);
    assert_eq!(world.share(&share).await.unwrap().status, 202);
    world.until_told(&id).await;
    world.stop().await;
    let db = rusqlite::Connection::open(world.directory().join("tandem.db")).unwrap();
    db.execute_batch(
        "DROP TABLE cursors; ALTER TABLE event_bodies DROP COLUMN size; ALTER TABLE links DROP COLUMN memory; ALTER TABLE events DROP COLUMN occasion;
         PRAGMA user_version = 1;",
    )
    .unwrap();
    (world, id, share)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(super) async fn dying_inside_a_migration_leaves_a_whole_number_of_them() {
    // A new store is made by migrations too.
    for number in 1..=3 {
        let mut world = World::new().await;
        assert!(!world.start(&[("TANDEM_CRASH_AT", &crash_at(Step::Migrated, number))]).await, "it lives");
        world.wait_for_end().await;
        assert_eq!(schema(&world, "tandem.db"), i64::from(number) - 1);
        assert!(world.start(&[]).await, "{}", world.log());
        sound(&world);
    }
    for step in [Step::Copied, Step::Migrated] {
        let (mut world, id, mut share) = old_store().await;
        assert!(!world.start(&[("TANDEM_CRASH_AT", &crash_at(step, 1))]).await, "it lives");
        world.wait_for_end().await;
        assert_eq!(schema(&world, "tandem.db"), 1);
        // The copy of what was there is whole, or isn't there.
        let copied = world.directory().join("tandem.db.schema-1").exists();
        assert_eq!(copied, step == Step::Migrated);
        assert!(world.start(&[]).await, "{}", world.log());
        assert_eq!(schema(&world, "tandem.db.schema-1"), 1);
        share["metadata"]["event_type"] = "incident#updated".into();
        share["incident"]["changedOn"] = 1_767_300_000.into();
        share["incident"]["updatedOn"] = 1_767_300_000.into();
        for level in ["status", "severity"] {
            share["incident"][level] = "warning".into();
        }
        share["incident"]["alerts"][0]["status"] = "warning".into();
        assert_eq!(world.share(&share).await.unwrap().status, 202);
        world
            .until("the update went to its ticket", |world| world.sim.servicenow_requests().total("PATCH", "") > 0)
            .await;
        assert_eq!(world.sim.tickets_of(&format!("bigpanda:{id}")).len(), 1);
        assert_eq!(world.sim.ticket_count(), 1, "a second ticket was made");
        sound(&world);
    }
}
