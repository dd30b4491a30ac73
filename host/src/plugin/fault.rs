//! How a plugin can fail on an event, in the operator's words.

use std::time::Duration;

use wasmtime::{Trap, WasmBacktrace};

use super::breaker::Resting;
use super::limits::Limits;
use super::state::{Denied, Panic, State, TooManyCalls, printable};
use super::wire::PluginError;

/// Why a hook has no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    /// Demangled guest frames, innermost first.
    pub(super) frames: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FaultKind {
    Deadline(Duration),
    Memory(usize),
    Table(usize),
    /// The host's stack for guests, of so many bytes.
    Stack(usize),
    /// The guest's own.
    OwnStack,
    HostCalls(u32),
    Panic(Panic),
    Trap(String),
    /// What it handed over can't be read: not UTF-8, out of bounds, or too much at once.
    Unreadable(String),
    /// It can be read, but not used.
    Output(String),
    Said(Complaint, String),
    /// It failed so often in a row that it isn't asked for a while.
    Resting(Resting),
    /// The host's own fault.
    Host(String),
}

/// What a plugin itself complained about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Complaint {
    Input,
    Config,
    Transient,
    Failed,
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self { kind, frames: Vec::new() }
    }
}

/// What a plugin said instead of an answer.
pub(super) enum Said {
    Skip,
    Fault(Fault),
}

impl From<PluginError> for Said {
    fn from(error: PluginError) -> Self {
        let (complaint, why) = match error {
            PluginError::Skip(_) => return Self::Skip,
            PluginError::InvalidInput(why) => (Complaint::Input, why),
            PluginError::InvalidConfig(why) => (Complaint::Config, why),
            PluginError::Transient(why) => (Complaint::Transient, why),
            PluginError::Failed(why) => (Complaint::Failed, why),
        };
        Self::Fault(FaultKind::Said(complaint, shown(&why)).into())
    }
}

/// Longest text of a guest's own that is shown, in characters.
const SHOWN: usize = 500;

fn shown(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

impl Fault {
    /// Reads what ended a call, with the help of what the instance left behind.
    pub(super) fn of(error: &wasmtime::Error, state: &State, limits: &Limits) -> Self {
        let frames = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
        let trap = error.downcast_ref::<Trap>().copied();
        let kind = if error.is::<TooManyCalls>() {
            FaultKind::HostCalls(limits.host_calls)
        } else if trap == Some(Trap::MemoryOutOfBounds) && is_recursion(&frames) {
            // A guest's own stack lies at the bottom of its memory; below it there is nothing.
            FaultKind::OwnStack
        } else if let Some(trap) = trap {
            Self::trap(trap, state, limits)
        } else {
            match state.meter.denied {
                Some(Denied::Memory) => FaultKind::Memory(limits.memory),
                Some(Denied::Table) => FaultKind::Table(limits.handles),
                None => FaultKind::Unreadable(shown(&error.root_cause().to_string())),
            }
        };
        Self { kind, frames }
    }

    fn trap(trap: Trap, state: &State, limits: &Limits) -> FaultKind {
        if trap == Trap::Interrupt {
            return FaultKind::Deadline(limits.deadline);
        }
        if trap == Trap::StackOverflow {
            return FaultKind::Stack(limits.stack);
        }
        if let Some(panic) = &state.panic {
            return FaultKind::Panic(Panic { message: shown(&panic.message), ..panic.clone() });
        }
        match state.meter.denied {
            Some(Denied::Memory) => FaultKind::Memory(limits.memory),
            Some(Denied::Table) => FaultKind::Table(limits.handles),
            None => FaultKind::Trap(trap.to_string()),
        }
    }

    /// Stable word-code.
    pub(super) fn code(&self) -> &'static str {
        match &self.kind {
            FaultKind::Deadline(_) => "plugin.deadline",
            FaultKind::Memory(_) => "plugin.memory",
            FaultKind::Table(_) => "plugin.table",
            FaultKind::Stack(_) | FaultKind::OwnStack => "plugin.stack",
            FaultKind::HostCalls(_) => "plugin.host-calls",
            FaultKind::Panic(_) => "plugin.panic",
            FaultKind::Trap(_) => "plugin.trap",
            FaultKind::Unreadable(_) => "plugin.unreadable",
            FaultKind::Output(_) => "plugin.output",
            FaultKind::Said(Complaint::Input, _) => "plugin.input",
            FaultKind::Said(Complaint::Config, _) => "plugin.config",
            FaultKind::Said(Complaint::Transient, _) => "plugin.transient",
            FaultKind::Said(Complaint::Failed, _) => "plugin.failed",
            FaultKind::Resting(_) => "plugin.resting",
            FaultKind::Host(_) => "plugin.host",
        }
    }

    /// One sentence.
    pub(super) fn message(&self) -> String {
        match &self.kind {
            FaultKind::Deadline(deadline) => format!("it ran longer than {} ms", deadline.as_millis()),
            FaultKind::Memory(bytes) => format!("it wanted more than {} of memory", size(*bytes)),
            FaultKind::Table(elements) => format!("it wanted a table of more than {elements} elements"),
            FaultKind::Stack(bytes) => format!("its calls went deeper than a stack of {} holds", size(*bytes)),
            FaultKind::OwnStack => "its calls went deeper than its own stack holds".into(),
            FaultKind::HostCalls(calls) => format!("it called the host more than {calls} times"),
            FaultKind::Panic(Panic { message, file, line }) => format!("it panicked: {message} ({file}:{line})"),
            FaultKind::Trap(what) => format!("it was stopped: {what}"),
            FaultKind::Unreadable(what) => format!("what it handed over can't be read: {what}"),
            FaultKind::Output(what) => format!("its answer can't be used: {what}"),
            FaultKind::Said(Complaint::Input, why) => format!("it can't work with this event: {why}"),
            FaultKind::Said(Complaint::Config, why) => format!("its settings are wrong: {why}"),
            FaultKind::Said(Complaint::Transient, why) => format!("it failed for now: {why}"),
            FaultKind::Said(Complaint::Failed, why) => format!("it failed: {why}"),
            FaultKind::Resting(Resting { failures, .. }) => {
                format!("it failed {failures} times in a row and is left alone for a while")
            }
            FaultKind::Host(what) => format!("the host failed while running it: {what}"),
        }
    }

    /// The remedy, where there is one besides asking the plugin's author.
    pub(super) fn hint(&self) -> Option<&'static str> {
        Some(match &self.kind {
            FaultKind::Deadline(_) => {
                "Raise `deadline` in [plugins.limits] if the work is worth it; a loop needs the author."
            }
            FaultKind::Memory(_) => "Raise `memory` in [plugins.limits] if the work is worth it.",
            FaultKind::Table(_) => "Raise `handles` in [plugins.limits].",
            FaultKind::Stack(_) => "Raise `stack` in [plugins.limits]; endless recursion needs the author.",
            FaultKind::HostCalls(_) => "Raise `host_calls` in [plugins.limits] if the work is worth it.",
            FaultKind::Said(Complaint::Config, _) => "`tandem plugin show ID` lists its settings and what they may be.",
            FaultKind::OwnStack
            | FaultKind::Panic(_)
            | FaultKind::Trap(_)
            | FaultKind::Unreadable(_)
            | FaultKind::Output(_)
            | FaultKind::Resting(_)
            | FaultKind::Said(Complaint::Input | Complaint::Transient | Complaint::Failed, _) => {
                "Tell the plugin's author; until then another version or the bundled plugin can stand in."
            }
            FaultKind::Host(_) => return None,
        })
    }

    /// Whether its instance is none the worse for it.
    pub(super) fn spares_the_instance(&self) -> bool {
        matches!(self.kind, FaultKind::Said(..) | FaultKind::Resting(_))
    }

    /// Whether it counts towards a rest: what ends instances costs time, what a plugin says doesn't.
    pub(super) fn costs_time(&self) -> bool {
        !self.spares_the_instance() && !matches!(self.kind, FaultKind::Output(_) | FaultKind::Host(_))
    }

    /// Whether a new instance of the same plugin is worth a try for the next hook of the same event.
    pub(super) fn spends_the_event(&self) -> bool {
        matches!(self.kind, FaultKind::Deadline(_) | FaultKind::Memory(_) | FaultKind::Host(_))
    }
}

/// A number of bytes for people.
pub(super) fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{} KiB", bytes.div_ceil(1 << 10))
    }
}

/// Whether a few functions call each other again and again.
fn is_recursion(frames: &[String]) -> bool {
    let distinct: std::collections::HashSet<&String> = frames.iter().collect();
    frames.len() >= 15 && distinct.len() <= 4
}

/// Names of the guest's functions as its author wrote them. wasmtime demangles only when it prints.
fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let printed = backtrace.to_string();
    let name = |line: &str| -> Option<String> {
        let (_, name) = line.trim().split_once(" - ")?;
        let name = name.split_once('!').map_or(name, |(_, name)| name);
        Some(printable(name))
    };
    printed.lines().filter_map(name).take(20).collect()
}
