//! `short-description`: the last plugin with something to say is heard.

use super::{checked, last_heard, measure, minimal};
use crate::domain::patch::{Hook, Op, Proposal, StoodIn};
use crate::plugin::chain::Run;
use crate::plugin::wire::TextAnswer;

pub(in crate::plugin) const FIELD: &str = "short_description";

pub(in crate::plugin) fn ask(run: &mut Run<'_>) {
    const HOOK: Hook = Hook::ShortDescription;
    let before = run.context.proposals.borrow().len();
    let heard = last_heard(run, HOOK, (), |run, plugin, answer: TextAnswer| {
        measure(plugin, [answer.text.as_str()].into_iter(), 1)?;
        let op = Op::Set { field: FIELD.into(), value: answer.text };
        let proposal = checked(run, plugin, HOOK, &op, answer.reason.as_deref())?;
        let mut proposals = run.context.proposals.borrow_mut();
        proposals.truncate(before);
        proposals.push(Proposal { on_update: answer.on_update, ..proposal });
        Ok(())
    });
    let stood_in = if heard.answer.is_some() {
        heard.stood_in
    } else if minimal::wanted(run) {
        minimal::short_description(run);
        StoodIn::Minimal
    } else {
        StoodIn::Nothing
    };
    run.record(HOOK, heard.failed, stood_in);
}
