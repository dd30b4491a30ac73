//! One bad event among good ones: its plugin throws, loops for ever, or takes memory for ever.
//!
//! Twenty good events a second for twenty seconds; after five, one whose incident carries the tag `mood`, which
//! `tests/components/moody` obeys. No good event may fail, and none may be late for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::load::{Shares, fire, id};
use crate::plugins::component;
use crate::report::{Report, at, median};
use crate::rig::{PATH, Plan, Rig, TOKEN};
use crate::shape::{body, placeholder, share};

const RATE: f64 = 20.0;
const GOOD: usize = 400;
const BAD: usize = 1_000_000;
const AFTER: Duration = Duration::from_secs(5);

pub(crate) async fn run() {
    let heading = "20 good events a second for 20 s, after 5 s a bad one; milliseconds from share to ticket";
    let mut report = Report::new("isolation", heading);
    for mood in ["well", "panic", "loop", "memory"] {
        one(&mut report, mood).await;
    }
    report.end();
}

async fn one(report: &mut Report, mood: &str) {
    let rig = Rig::start(Plan { plugins: vec![component("moody")], ..Plan::default() }).await;
    let good = Arc::new(Shares::new(PATH, TOKEN, &placeholder(), &body(20)));
    let bad = Arc::new(Shares::new(PATH, TOKEN, &placeholder(), &share(20, &[("mood", mood)]).to_string()));
    // Connections and caches are warm before the first share that counts.
    fire(rig.public, &good, 500_000..500_020, 4, None).await;
    rig.until("the first tickets", |sim| sim.ticket_count() == 20).await;

    let started = Instant::now();
    let (fired, bad_sent, made) = tokio::join!(
        fire(rig.public, &good, 0..GOOD, 8, Some(RATE)),
        async {
            tokio::time::sleep(AFTER).await;
            let fired = fire(rig.public, &bad, BAD..BAD + 1, 1, None).await;
            assert!(fired.all_accepted(), "{:?}", fired.statuses);
            fired.sent[&BAD]
        },
        watch(&rig, started),
    );
    let failed = GOOD - fired.statuses.get(&202).copied().unwrap_or(0);
    let took = |number: &usize, sent: &Instant| {
        made.get(number).map(|made| (*sent, made.duration_since(*sent).as_secs_f64() * 1000.0))
    };
    let all: Vec<(Instant, f64)> = fired.sent.iter().filter_map(|(number, sent)| took(number, sent)).collect();
    let missing = GOOD - all.len();
    // Good events that are still on their way when the bad one comes can be held up by it too.
    let meets = |sent: &Instant| *sent + Duration::from_millis(100) >= bad_sent;
    let part =
        |late: bool| -> Vec<f64> { all.iter().filter(|(sent, _)| meets(sent) == late).map(|(_, ms)| *ms).collect() };
    let (before, after) = (part(false), part(true));
    let delay = at(&after, 1.0) - median(&before);
    let own = made.get(&BAD).map(|made| made.duration_since(bad_sent).as_secs_f64() * 1000.0);
    let moody = rig.log().lines().filter(|line| line.contains("a plugin failed")).count();
    report.row(
        &format!(
            "{mood:<7} good: {failed} refused, {missing} without a ticket; p50 {:.1}, worst before {:.1}, worst after {:.1}, delay {delay:.1}; the bad one's ticket: {}; failures logged: {moody}",
            median(&after),
            at(&before, 1.0),
            at(&after, 1.0),
            own.map_or_else(|| "none".to_owned(), |ms| format!("after {ms:.0}")),
        ),
        json!({ "mood": mood, "refused": failed, "without_ticket": missing, "p50_ms": median(&after),
            "worst_before_ms": at(&before, 1.0), "worst_after_ms": at(&after, 1.0), "delay_ms": delay, "bad_ms": own }),
    );
}

/// When each incident's ticket appeared.
async fn watch(rig: &Rig, started: Instant) -> BTreeMap<usize, Instant> {
    let mut missing: Vec<usize> = (0..GOOD).chain([BAD]).collect();
    let mut made = BTreeMap::new();
    while !missing.is_empty() && started.elapsed() < Duration::from_secs(30) {
        // Good incidents come in order; only those around the front can have got a ticket.
        let due = (started.elapsed().as_secs_f64() * RATE) as usize + 2;
        missing.retain(|number| {
            let due = *number <= due || *number == BAD;
            let found = due && !rig.sim.tickets_of(&format!("bigpanda:{}", id(*number))).is_empty();
            if found {
                made.insert(*number, Instant::now());
            }
            !found
        });
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    made
}
