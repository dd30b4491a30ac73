//! `description`: the last plugin with something to say is heard; its work note goes with its text.

use super::{checked, last_heard, measure, minimal};
use crate::domain::patch::{Hook, Op, Proposal, StoodIn};
use crate::domain::ticket::Journal;
use crate::plugin::chain::Run;
use crate::plugin::wire::Body;

pub(in crate::plugin) const FIELD: &str = "description";

pub(in crate::plugin) fn ask(run: &mut Run<'_>) {
    const HOOK: Hook = Hook::Description;
    let before = run.context.proposals.borrow().len();
    let heard = last_heard(run, HOOK, (), |run, plugin, answer: Body| {
        let Body { text, work_note, on_update, reason } = answer;
        measure(plugin, std::iter::once(text.as_str()).chain(work_note.as_deref()), 2)?;
        let body = Op::Set { field: FIELD.into(), value: text };
        let body = Proposal { on_update, ..checked(run, plugin, HOOK, &body, reason.as_deref())? };
        let note = match work_note {
            None => None,
            Some(text) => {
                let note = Op::AddNote { journal: Journal::WorkNotes, text };
                Some(Proposal { on_update, ..checked(run, plugin, HOOK, &note, reason.as_deref())? })
            }
        };
        let mut proposals = run.context.proposals.borrow_mut();
        proposals.truncate(before);
        proposals.push(body);
        proposals.extend(note);
        Ok(())
    });
    let stood_in = if heard.answer.is_some() {
        heard.stood_in
    } else if minimal::wanted(run) {
        minimal::description(run);
        StoodIn::Minimal
    } else {
        StoodIn::Nothing
    };
    run.record(HOOK, heard.failed, stood_in);
}
