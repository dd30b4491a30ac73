//! `conflict`: asked once for each dispute; the last plugin with a settlement is heard. A dispute that nobody settled
//! is left to the engine.

use super::{last_heard, measure, output, short, tags};
use crate::domain::patch::{Dispute, Hook, Settlement, StoodIn};
use crate::plugin::chain::Run;
use crate::plugin::wire;

pub(in crate::plugin) fn ask(run: &mut Run<'_>) {
    const HOOK: Hook = Hook::Conflict;
    for dispute in run.context.input.disputes.clone() {
        let Dispute { tag, field, .. } = dispute.clone();
        let heard = last_heard(run, HOOK, (lowered(dispute),), |_, plugin, answer: wire::Settlement| {
            let wire::Settlement { value, reason } = answer;
            measure(plugin, std::iter::once(value.as_str()).chain(reason.as_deref()), 1)?;
            tags::check_value(&tag, &value).map_err(output)?;
            let reason = reason.as_deref().map(short);
            Ok(Settlement { tag: tag.clone(), field: field.clone(), value, reason, origin: plugin.origin(HOOK) })
        });
        let stood_in = if heard.answer.is_some() { heard.stood_in } else { StoodIn::Nothing };
        run.settlements.extend(heard.answer);
        run.record(HOOK, heard.failed, stood_in);
    }
}

fn lowered(dispute: Dispute) -> wire::Dispute {
    let Dispute { tag, field, agreed, incident_value, ticket_value, incident_changed, ticket_changed } = dispute;
    wire::Dispute { tag, field, agreed, incident_value, ticket_value, incident_changed, ticket_changed }
}
