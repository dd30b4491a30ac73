//! `closure`: one question for each side. The incident was resolved: operations on the ticket, like those of `fields`.
//! The ticket was closed: a comment for the incident; the last plugin with an answer is heard.

use super::{checked, last_heard, measure, patch};
use crate::domain::event::Occasion;
use crate::domain::patch::{Hook, Op, Remark, StoodIn};
use crate::domain::ticket::Journal;
use crate::plugin::chain::Run;

pub(in crate::plugin) fn ask(run: &mut Run<'_>) {
    match run.context.input.occasion {
        Occasion::Shared | Occasion::IncidentChanged => patch::ask(run, Hook::Closure),
        Occasion::TicketChanged => comment(run),
    }
}

fn comment(run: &mut Run<'_>) {
    const HOOK: Hook = Hook::Closure;
    let heard = last_heard(run, HOOK, (), |run, plugin, answer: Option<String>| {
        let Some(text) = answer.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        measure(plugin, std::iter::once(text.as_str()), 1)?;
        // The same limits as for a note: both are read by people, and both are refused with control characters.
        let note = Op::AddNote { journal: Journal::Comments, text };
        let proposal = checked(run, plugin, HOOK, &note, None)?;
        let Op::AddNote { text, .. } = proposal.op else { return Ok(None) };
        Ok(Some(Remark { text, origin: proposal.origin }))
    });
    let stood_in = if heard.answer.is_some() { heard.stood_in } else { StoodIn::Nothing };
    run.closing_comment = heard.answer.flatten();
    run.record(HOOK, heard.failed, stood_in);
}
