//! `fields`, `tags`, and `closure` towards the ticket: every plugin adds its operations; later ones win.
//!
//! A plugin that fails on the hook proposes nothing, and the bundled plugin that it replaced answers in its place.
//! An operation that the dictionary refuses is left out by itself: one wrong field must not cost the others.

use super::{checked, measure};
use crate::config::OnTwoWriters;
use crate::domain::id::PluginId;
use crate::domain::patch::{Hook, Op, Proposal, StoodIn};
use crate::domain::ticket::{Journal, Reference};
use crate::plugin::chain::{Failed, Run};
use crate::plugin::fault::{Fault, FaultKind, Said};
use crate::plugin::loaded::Loaded;
use crate::plugin::wire;

pub(in crate::plugin) fn ask(run: &mut Run<'_>, hook: Hook) {
    let generation = run.generation;
    for &place in generation.chain_of(hook) {
        let Err(fault) = answered(run, place, hook) else { continue };
        // Only what it had replaced: another bundled plugin of the hook is in the chain itself.
        let id = run.plugin(place).map(|plugin| plugin.id.clone());
        let replaced = generation.reserve_of(hook).iter().copied();
        let replaced = replaced.into_iter().find(|&other| run.plugin(other).map(|other| other.id.clone()) == id);
        let stood_in = match replaced.map(|place| (place, answered(run, place, hook))) {
            Some((_, Ok(()))) => StoodIn::Bundled,
            Some((place, Err(fault))) => {
                run.record(hook, vec![Failed { place, fault }], StoodIn::Nothing);
                StoodIn::Nothing
            }
            None => StoodIn::Nothing,
        };
        run.record(hook, vec![Failed { place, fault }], stood_in);
    }
}

/// Asks one plugin and takes over what may be taken over.
fn answered(run: &mut Run<'_>, place: usize, hook: Hook) -> Result<(), Fault> {
    let operations = match run.ask::<(), Vec<wire::Operation>>(place, hook, ()) {
        Ok(operations) => operations,
        Err(Said::Skip) => return Ok(()),
        Err(Said::Fault(fault)) => return Err(fault),
    };
    let Some(plugin) = run.plugin(place) else { return Ok(()) };
    measure(plugin, operations.iter().flat_map(texts), operations.len())?;
    let mut refused = Vec::new();
    let mut accepted: Vec<Proposal> = Vec::with_capacity(operations.len());
    for wire::Operation { op, reason, on_update } in operations {
        match admit(run, plugin, hook, &domain(op), reason.as_deref()) {
            Ok(Some(proposal)) => accepted.push(Proposal { on_update, ..proposal }),
            Ok(None) => {}
            Err(fault) => refused.push(Failed { place, fault }),
        }
    }
    run.context.proposals.borrow_mut().append(&mut accepted);
    run.record(hook, refused, StoodIn::Nothing);
    Ok(())
}

/// Checks an operation against the dictionary and against what others have written already.
fn admit(run: &Run<'_>, plugin: &Loaded, hook: Hook, op: &Op, reason: Option<&str>) -> Result<Option<Proposal>, Fault> {
    let proposal = checked(run, plugin, hook, op, reason)?;
    let Some(other) = other_writer(run, &plugin.id, &proposal) else { return Ok(Some(proposal)) };
    match run.surroundings.on_two_writers {
        OnTwoWriters::LastWins => Ok(Some(proposal)),
        OnTwoWriters::FirstWins => Ok(None),
        OnTwoWriters::Fail => {
            let why = format!("`{}` was set by {other} already", proposal.op.field());
            Err(FaultKind::Output(why).into())
        }
    }
}

/// Another plugin that set the same field, or the same tag, before. Notes and appended lines stand beside each other.
fn other_writer(run: &Run<'_>, plugin: &PluginId, proposal: &Proposal) -> Option<PluginId> {
    let sets = |op: &Op| match op {
        Op::Set { .. } | Op::Unset { .. } | Op::SetReference(_) => true,
        Op::Append { .. } | Op::AddNote { .. } => false,
    };
    if !sets(&proposal.op) {
        return None;
    }
    let is_tag = |proposal: &Proposal| proposal.origin.hook == Hook::Tags;
    let proposals = run.context.proposals.borrow();
    let earlier = proposals.iter().find(|earlier| {
        earlier.origin.plugin != *plugin
            && sets(&earlier.op)
            && earlier.op.field() == proposal.op.field()
            && is_tag(earlier) == is_tag(proposal)
    });
    earlier.map(|earlier| earlier.origin.plugin.clone())
}

fn texts(operation: &wire::Operation) -> impl Iterator<Item = &str> {
    let parts: [&str; 4] = match &operation.op {
        wire::Op::Set(set) | wire::Op::Append(set) => [&set.field, &set.value, "", ""],
        wire::Op::Unset(field) => [field, "", "", ""],
        wire::Op::SetReference(reference) => [&reference.field, &reference.table, &reference.by, &reference.value],
        wire::Op::AddNote(note) => [&note.text, "", "", ""],
    };
    parts.into_iter().chain(operation.reason.as_deref())
}

fn domain(op: wire::Op) -> Op {
    match op {
        wire::Op::Set(wire::FieldValue { field, value }) => Op::Set { field, value },
        wire::Op::Append(wire::FieldValue { field, value }) => Op::Append { field, value },
        wire::Op::Unset(field) => Op::Unset { field },
        wire::Op::SetReference(wire::Reference { field, table, by, value }) => {
            Op::SetReference(Reference { field, table, by, value })
        }
        wire::Op::AddNote(wire::Note { journal, text }) => {
            let journal = match journal {
                wire::Journal::WorkNotes => Journal::WorkNotes,
                wire::Journal::Comments => Journal::Comments,
            };
            Op::AddNote { journal, text }
        }
    }
}
