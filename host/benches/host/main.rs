//! The whole host, measured: `cargo bench --workspace --bench host [-- accept|isolation|economy|scale|tickets|compare]`.
//!
//! Everything goes over loopback. Not a test: a number that misses its target is printed like any other;
//! `benches/README.md` says what is wanted and what was found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    reason = "a bench that fails is to stop, and a bench measures"
)]

mod accept;
mod compare;
mod economy;
mod isolation;
mod load;
#[path = "../../../tests/it/support/plugins.rs"]
#[expect(dead_code, reason = "shared with the tests, which use more of it")]
mod plugins;
#[path = "../support/report.rs"]
mod report;
mod rig;
mod scale;
mod shape;
mod tickets;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let asked = |part: &str| wanted.is_empty() || wanted.iter().any(|word| word == part);
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if asked("accept") {
        runtime().block_on(accept::run());
    }
    if asked("isolation") {
        runtime().block_on(isolation::run());
    }
    if asked("economy") {
        runtime().block_on(economy::run());
    }
    if asked("scale") {
        runtime().block_on(scale::run());
    }
    let compare = wanted.iter().any(|word| word == "compare");
    if asked("tickets") || compare {
        if rig::can_pin() {
            // Last, because it stays so.
            rig::keep_off();
        } else {
            println!("\nhost and load share all processors: there is no `taskset`, or only one processor");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        if compare {
            runtime.block_on(compare::run());
        } else {
            runtime.block_on(tickets::run());
        }
    }
}
