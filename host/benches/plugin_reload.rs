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

use std::time::{Duration, Instant};

use serde_json::json;

use plugins::{Plugged, bundle, input, relabelled, share};

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

fn median(mut numbers: Vec<f64>) -> (f64, f64) {
    numbers.sort_by(f64::total_cmp);
    (numbers[numbers.len() / 2], numbers[numbers.len() - 1])
}

fn main() {
    let job = bundle("job");
    let version = |round: usize| relabelled(job.bytes, |metadata| metadata["version"] = json!(format!("1.0.{round}")));
    let plugged = Plugged::start(&[]);
    let cold: Vec<f64> = (0..ROUNDS).map(|round| change(&plugged, &version(round))).collect();
    let warm: Vec<f64> = (0..ROUNDS).map(|round| change(&plugged, &version(round))).collect();
    let (cold, coldest) = median(cold);
    let (warm, warmest) = median(warm);
    println!(
        "reload, file change → answer (ms, median and worst of {ROUNDS} rounds, component of {} KiB)",
        job.bytes.len() >> 10
    );
    println!("  code cache cold  {cold:>8.1} {coldest:>8.1}");
    println!("  code cache warm  {warm:>8.1} {warmest:>8.1}");
    let report = json!({
        "bench": "plugin_reload", "rounds": ROUNDS, "component_bytes": job.bytes.len(),
        "cold_ms": cold, "cold_worst_ms": coldest, "warm_ms": warm, "warm_worst_ms": warmest,
    });
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/plugin_reload.json");
    std::fs::write(&file, serde_json::to_string_pretty(&report).unwrap() + "\n").unwrap();
    println!("written to {}", file.display());
}
