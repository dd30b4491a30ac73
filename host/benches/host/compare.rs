//! Two builds of the host side by side: the same floods in turn, so that the machine's pace hits both alike.
//!
//! Not part of the whole bench: it runs when it is asked for and `TANDEM_BENCH_BINARY` names the other build.

use std::sync::Arc;

use serde_json::json;

use crate::load::Shares;
use crate::report::{Report, at};
use crate::rig::{PATH, Plan, Rig, TOKEN};
use crate::shape::{body, placeholder};
use crate::tickets::{Flooded, QUIET, flooded};

const ROUNDS: usize = 24;
const SHARES: usize = 800;

pub(crate) async fn run() {
    let Some(other) = std::env::var_os("TANDEM_BENCH_BINARY") else {
        println!("\ncompare: set TANDEM_BENCH_BINARY to the other build");
        return;
    };
    let shares = Arc::new(Shares::new(PATH, TOKEN, &placeholder(), &body(20)));
    let plan = |binary| Plan { pinned: true, settings: QUIET.to_owned(), binary, ..Plan::default() };
    let both = [
        ("this build", Rig::start(plan(Some(env!("CARGO_BIN_EXE_tandem").into()))).await),
        ("the other", Rig::start(plan(Some(other.into()))).await),
    ];
    let mut report = Report::new("compare", "tickets at saturation, two builds in turn, 20 alerts each");
    let mut rounds: [Vec<Flooded>; 2] = Default::default();
    for number in 0..ROUNDS {
        // Whoever goes first in one round goes second in the next.
        for which in [number % 2, 1 - number % 2] {
            let numbers = number * SHARES..(number + 1) * SHARES;
            rounds[which].push(flooded(&both[which].1, &shares, numbers).await);
        }
    }
    // The first rounds warm up.
    let of = |which: usize, get: fn(&Flooded) -> f64| rounds[which].iter().skip(2).map(get).collect::<Vec<_>>();
    for (which, (name, rig)) in both.iter().enumerate() {
        let (cpu, rate, accept) =
            (of(which, |round| round.cpu), of(which, |round| round.rate), of(which, |round| round.accept99));
        let (_, peak) = rig.memory();
        report.row(
            &format!(
                "{name:<11}{:>7.0} tickets/s, {:.3} CPU s per 1,000 (best {:.3}), 202 p99 {:.1} ms, peak {peak:.1} MiB",
                at(&rate, 0.5),
                at(&cpu, 0.5),
                at(&cpu, 0.0),
                at(&accept, 0.5),
            ),
            json!({ "what": name, "per_s": at(&rate, 0.5), "cpu_s_per_1000": at(&cpu, 0.5), "peak_mib": peak }),
        );
    }
    let ratios = |get: fn(&Flooded) -> f64| -> Vec<f64> {
        of(0, get).iter().zip(of(1, get)).map(|(this, other)| this / other).collect()
    };
    let (cpu, rate) = (ratios(|round| round.cpu), ratios(|round| round.rate));
    report.row(
        &format!(
            "ratio      {:.2} of the tickets/s (quartiles {:.2} to {:.2}), {:.2} of the processor time ({:.2} to {:.2})",
            at(&rate, 0.5),
            at(&rate, 0.25),
            at(&rate, 0.75),
            at(&cpu, 0.5),
            at(&cpu, 0.25),
            at(&cpu, 0.75)
        ),
        json!({ "what": "ratio", "per_s": at(&rate, 0.5), "cpu": at(&cpu, 0.5) }),
    );
    report.end();
}
