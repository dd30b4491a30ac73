//! `reopen`: the last plugin with a decision is heard. Without one the engine decides by itself.

use super::{checked, last_heard, measure, short};
use crate::domain::patch::{Hook, Op, Reopening, StoodIn};
use crate::domain::ticket::Journal;
use crate::plugin::chain::Run;
use crate::plugin::fault::Fault;
use crate::plugin::loaded::Loaded;
use crate::plugin::wire::Decision;

pub(in crate::plugin) fn ask(run: &mut Run<'_>) {
    const HOOK: Hook = Hook::Reopen;
    let heard = last_heard(run, HOOK, (), |run, plugin, answer: Decision| {
        let origin = plugin.origin(HOOK);
        Ok(match answer {
            Decision::Reopen(text) => Reopening::Reopen { note: note(run, plugin, text)?, origin },
            Decision::Create(text) => Reopening::Create { note: note(run, plugin, text)?, origin },
            Decision::Leave(reason) => Reopening::Leave { reason: short(&reason), origin },
        })
    });
    let stood_in = if heard.answer.is_some() { heard.stood_in } else { StoodIn::Nothing };
    run.reopening = heard.answer;
    run.record(HOOK, heard.failed, stood_in);
}

/// A text that may go to the work notes.
fn note(run: &Run<'_>, plugin: &Loaded, text: String) -> Result<String, Fault> {
    measure(plugin, std::iter::once(text.as_str()), 1)?;
    let note = Op::AddNote { journal: Journal::WorkNotes, text };
    Ok(match checked(run, plugin, Hook::Reopen, &note, None)?.op {
        Op::AddNote { text, .. } => text,
        Op::Set { .. } | Op::Append { .. } | Op::Unset { .. } | Op::SetReference(_) => String::new(),
    })
}
