//! One file per kind of hook: how it is asked, how its answer is checked, what stands in when it fails.

use super::chain::{Failed, Run};
use super::fault::{Fault, FaultKind, Said};
use super::loaded::Loaded;
use super::state::printable;
use super::wire::Answer;
use crate::domain::patch::{Hook, Op, Proposal, StoodIn};

pub(super) mod closure;
pub(super) mod conflict;
pub(super) mod description;
pub(super) mod gate;
pub(super) mod minimal;
pub(super) mod patch;
pub(super) mod primary_alert;
pub(super) mod reopen;
pub(super) mod short_description;
mod tags;

/// Longest reason that is kept, in characters.
const LONGEST_REASON: usize = 300;

/// What came of a hook of which the last plugin with an answer is heard.
struct Heard<R> {
    answer: Option<R>,
    failed: Vec<Failed>,
    stood_in: StoodIn,
}

/// Asks every plugin of the hook in order, then the bundled one if all that there was failed. `take` turns an
/// answer into what is kept of it, replacing what an earlier plugin gave.
fn last_heard<P, T, R>(
    run: &mut Run<'_>,
    hook: Hook,
    about: P,
    take: impl Fn(&Run<'_>, &Loaded, T) -> Result<R, Fault>,
) -> Heard<R>
where
    P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower + Clone,
    T: 'static,
    Answer<T>: wasmtime::component::ComponentNamedList + wasmtime::component::Lift,
{
    let generation = run.generation;
    let mut heard = Heard { answer: None, failed: Vec::new(), stood_in: StoodIn::PreviousInChain };
    for &place in generation.chain_of(hook) {
        consult(run, place, hook, about.clone(), &take, &mut heard);
    }
    if heard.answer.is_none() && !heard.failed.is_empty() {
        for &place in generation.reserve_of(hook) {
            consult(run, place, hook, about.clone(), &take, &mut heard);
            if heard.answer.is_some() {
                heard.stood_in = StoodIn::Bundled;
                break;
            }
        }
    }
    heard
}

fn consult<P, T, R>(
    run: &mut Run<'_>,
    place: usize,
    hook: Hook,
    about: P,
    take: &impl Fn(&Run<'_>, &Loaded, T) -> Result<R, Fault>,
    heard: &mut Heard<R>,
) where
    P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower,
    T: 'static,
    Answer<T>: wasmtime::component::ComponentNamedList + wasmtime::component::Lift,
{
    let asked = run.ask::<P, T>(place, hook, about);
    let taken = match (asked, run.plugin(place)) {
        (Ok(answer), Some(plugin)) => take(run, plugin, answer),
        (Err(Said::Fault(fault)), _) => Err(fault),
        (Err(Said::Skip), _) | (Ok(_), None) => return,
    };
    match taken {
        Ok(answer) => heard.answer = Some(answer),
        Err(fault) => heard.failed.push(Failed { place, fault }),
    }
}

/// Checks operations as a whole: how many, how much text, how long each note.
fn measure<'a>(plugin: &Loaded, texts: impl Iterator<Item = &'a str>, operations: usize) -> Result<(), Fault> {
    let limits = &plugin.limits;
    if operations > limits.operations {
        return Err(output(format!("{operations} operations; at most {} may be", limits.operations)));
    }
    let bytes: usize = texts.map(str::len).sum();
    if bytes > limits.output {
        return Err(output(format!("{} KiB of text; at most {} KiB may be", bytes >> 10, limits.output >> 10)));
    }
    Ok(())
}

/// An operation that the dictionary of its side let pass, as a proposal.
fn checked(run: &Run<'_>, plugin: &Loaded, hook: Hook, op: &Op, reason: Option<&str>) -> Result<Proposal, Fault> {
    if let Op::AddNote { text, .. } = op {
        let length = text.chars().count();
        let most = plugin.limits.note_characters;
        if length > most {
            return Err(output(format!("a note of {length} characters; at most {most} may be")));
        }
    }
    let op = match hook {
        Hook::Tags => tags::check(op),
        Hook::Gate
        | Hook::PrimaryAlert
        | Hook::ShortDescription
        | Hook::Description
        | Hook::Fields
        | Hook::Closure
        | Hook::Reopen
        | Hook::Conflict => run.surroundings.dictionary.check(op),
    };
    let op = op.map_err(output)?;
    Ok(Proposal { op, origin: plugin.origin(hook), reason: reason.map(short), on_update: false })
}

fn output(why: String) -> Fault {
    FaultKind::Output(why).into()
}

/// A guest's words on one line, cut.
fn short(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= LONGEST_REASON {
        text
    } else {
        text.chars().take(LONGEST_REASON).chain(['…']).collect()
    }
}
