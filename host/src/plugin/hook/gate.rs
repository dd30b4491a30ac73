//! `gate`: one plugin that says no is enough. A broken gate stops nothing.

use super::short;
use crate::domain::patch::{Hook, StoodIn, Verdict};
use crate::domain::time::Timestamp;
use crate::plugin::chain::{Failed, Run};
use crate::plugin::fault::Said;
use crate::plugin::wire;

pub(in crate::plugin) fn ask(run: &mut Run<'_>) -> Verdict {
    let mut failed = Vec::new();
    let mut verdict = Verdict::Proceed;
    let generation = run.generation;
    for &place in generation.chain_of(Hook::Gate) {
        let answer = match run.ask::<(), wire::Verdict>(place, Hook::Gate, ()) {
            Ok(answer) => answer,
            Err(Said::Skip) => continue,
            Err(Said::Fault(fault)) => {
                failed.push(Failed { place, fault });
                continue;
            }
        };
        let Some(plugin) = run.plugin(place) else { continue };
        let origin = plugin.origin(Hook::Gate);
        verdict = match answer {
            wire::Verdict::Proceed => continue,
            wire::Verdict::Skip(reason) => Verdict::Skip { reason: short(&reason), origin },
            wire::Verdict::Hold(hold) => {
                Verdict::Hold { until: Timestamp(hold.until), reason: short(&hold.reason), origin }
            }
        };
        break;
    }
    run.record(Hook::Gate, failed, StoodIn::Nothing);
    verdict
}
