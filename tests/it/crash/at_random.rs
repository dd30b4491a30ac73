//! The host is killed again and again at moments that nobody chose, while shares come in.
//!
//! `TANDEM_KILLS=300 cargo test --workspace --test it -- crash::at_random` does so for minutes; `TANDEM_SEED` chooses
//! other moments.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::sound;
use crate::simulation::{Chance, number};
use crate::support::wire;
use crate::support::{TOKEN, World, incident};

/// Shares that were sent, and whether they were confirmed.
type Sent = BTreeMap<String, (Value, bool)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_again_and_again_under_load_loses_nothing_and_doubles_nothing() {
    let seed = number("TANDEM_SEED", 1);
    let mut chance = Chance::new(seed);
    // Nothing is set aside: who dies here is innocent.
    let mut world = World::new().await.configured("crash_limit = 100");
    assert!(world.start(&[]).await, "{}", world.log());
    let sent = Arc::new(Mutex::new(Sent::new()));
    let enough = Arc::new(AtomicBool::new(false));
    let sender = tokio::spawn({
        let (listen, sent, enough) = (world.listen, sent.clone(), enough.clone());
        async move {
            for number in 0.. {
                if enough.load(Ordering::Relaxed) {
                    return;
                }
                let (id, share) = incident(number);
                let headers = [("authorization", &*format!("Bearer {TOKEN}"))];
                let body = share.to_string();
                let answer = wire::request(listen, "POST", "/integrations/acme/share", &headers, body.as_bytes()).await;
                let confirmed = answer.is_ok_and(|answer| answer.status == 202);
                sent.lock().unwrap().insert(id, (share, confirmed));
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
        }
    });
    for _ in 0..number("TANDEM_KILLS", 8) {
        tokio::time::sleep(Duration::from_millis(100 + chance.below(1_500))).await;
        world.kill().await;
        assert!(world.start(&[]).await, "seed {seed}: the host does not start again:\n{}", world.log());
    }
    enough.store(true, Ordering::Relaxed);
    sender.await.unwrap();
    let sent = std::mem::take(&mut *sent.lock().unwrap());
    let confirmed = sent.values().filter(|(_, confirmed)| *confirmed).count();
    assert!(confirmed > 10 && confirmed < sent.len(), "seed {seed}: {confirmed} of {} were confirmed", sent.len());
    // BigPanda repeats what was not confirmed.
    for (share, _) in sent.values().filter(|(_, confirmed)| !confirmed) {
        assert_eq!(world.share(share).await.unwrap().status, 202);
    }
    for id in sent.keys() {
        world.until_told(id).await;
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    for id in sent.keys() {
        assert_eq!(world.sim.tickets_of(&format!("bigpanda:{id}")).len(), 1, "seed {seed}");
        assert_eq!(world.sim.comments(id).len(), 1, "seed {seed}");
    }
    sound(&world);
}
