//! The real sync with its real store on virtual time, between small models of both sides: people edit, shares are
//! lost, doubled and late, peers fail in every way, workers stand still for longer than their leases, the host dies
//! between any two steps and comes back, and its clock jumps. When all is calm again both sides agree and are quiet, whatever happened.
//!
//! A run depends on its seed alone: `TANDEM_SEED=4711 cargo test --workspace --test it -- simulation::one` repeats it.

mod alarms;
mod bigpanda;
mod calm;
mod chance;
mod ladder;
mod nowhere;
mod plugins;
mod redo;
mod run;
mod servicenow;
mod store;
mod time;
mod weather;

use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use chance::Chance;
use run::{Run, Variant};

/// Runs these seeds on all cores; what went wrong.
fn failures(seeds: std::ops::Range<u64>, variant: Variant, enough: usize) -> Vec<String> {
    let next = AtomicU64::new(seeds.start);
    let failed = std::sync::Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || failed.lock().unwrap().len() >= enough {
                        return;
                    }
                    if let Err(why) = Run::new(seed, variant).run() {
                        failed.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap()
}

/// A number from the environment.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn both_sides_agree_in_the_end_whatever_happened() {
    let first = number("TANDEM_FIRST_SEED", 1);
    let seeds = number("TANDEM_SEEDS", 10_000);
    let failed = failures(first..first + seeds, Variant::Sound, 5);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn one() {
    let Run { .. } = Run::new(1, Variant::Sound);
    Run::new(number("TANDEM_SEED", 1), Variant::Sound).run().unwrap();
}

#[test]
fn without_the_look_up_a_run_notices() {
    let failed = failures(1..500, Variant::NoLookUp, 1);
    assert!(failed.iter().any(|why| why.contains("twice") || why.contains("open tickets")), "{failed:?}");
}

#[test]
fn without_memory_a_run_notices() {
    let failed = failures(1..200, Variant::NoMemory, 1);
    assert!(!failed.is_empty(), "nothing was noticed");
}

#[test]
fn without_fences_a_run_notices() {
    let failed = failures(1..500, Variant::NoFences, 1);
    assert!(!failed.is_empty(), "nothing was noticed");
    // The same frost does no harm where fences are on.
    let frozen = failures(1..500, Variant::Frost, 1);
    assert!(frozen.is_empty(), "{}", frozen.join("\n"));
}
