//! How long it takes from a changed file in the plugins directory to a generation that answers with it: with compiled
//! code in the cache, and without.
//!
//! The change is a rename, the answer is asked for; what is between is the notice, the look at the file, compiling or
//! reading code, linking, the trial instance, and the swap.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::many_single_char_names,
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants
)]

#[path = "../../tests/it/support/plugins.rs"]
#[expect(dead_code, reason = "shared with the tests, which use more of it")]
mod plugins;
#[path = "support/report.rs"]
mod report;

use std::time::{Duration, Instant};

use serde_json::json;

use plugins::{Plugged, bundle, input, relabelled, share};
use report::{Report, at, median};

const ROUNDS: usize = 15;

/// Milliseconds until a changed file answers.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn change(plugged: &Plugged, bytes: &[u8]) -> f64 {
    let before = plugged.host.status().generation;
    let generations = plugged.host.subscribe();
    let start = Instant::now();
    plugged.put("mine.wasm", bytes);
    while *generations.borrow() == before {
        std::thread::sleep(Duration::from_micros(200));
        assert!(start.elapsed() < Duration::from_secs(30), "{:#?}", plugged.host.status());
    }
    let answer = plugged.host.transform_here(input(share(1, 2)));
    assert_eq!(answer.failures, []);
    let passed = start.elapsed().as_secs_f64() * 1000.0;
    // Lets the directory come to rest, so that the next change meets a watcher that waits.
    std::thread::sleep(Duration::from_millis(700));
    passed
}

fn main() {
    let job = bundle("job");
    let version = |round: usize| relabelled(job.bytes, |metadata| metadata["version"] = json!(format!("1.0.{round}")));
    let plugged = Plugged::start(&[]);
    let cold: Vec<f64> = (0..ROUNDS).map(|round| change(&plugged, &version(round))).collect();
    let warm: Vec<f64> = (0..ROUNDS).map(|round| change(&plugged, &version(round))).collect();
    let heading = format!(
        "file change → answer, ms, median and worst of {ROUNDS} rounds, component of {} KiB",
        job.bytes.len() >> 10
    );
    let mut report = Report::new("plugin_reload", &heading);
    for (cache, times) in [("cold", cold), ("warm", warm)] {
        let (middle, worst) = (median(&times), at(&times, 1.0));
        report.row(
            &format!("code cache {cache} {middle:>8.1} {worst:>8.1}"),
            json!({ "cache": cache, "median_ms": middle, "worst_ms": worst }),
        );
    }
    report.end();
}
