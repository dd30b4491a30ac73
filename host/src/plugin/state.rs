//! What belongs to one instance while it lives: its view of the event, and what it has used up.

use std::rc::Rc;

use wasmtime::ResourceLimiter;

use super::context::Context;
use super::limits::Limits;
use super::stopwatch::Stopwatch;
use super::wire::{Level, Packed};

/// Where a guest panicked and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Panic {
    pub(super) message: String,
    pub(super) file: String,
    pub(super) line: u32,
}

/// The data of a store.
#[derive(Debug)]
pub(super) struct State {
    pub(super) context: Rc<Context>,
    pub(super) settings: Packed,
    pub(super) meter: Meter,
    pub(super) log: Log,
    pub(super) panic: Option<Panic>,
    pub(super) random: u64,
    pub(super) stopwatch: Stopwatch,
    calls_left: u32,
}

/// A guest called the host too often.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("it called the host more often than it may")]
pub(super) struct TooManyCalls;

impl State {
    pub(super) fn new(context: Rc<Context>, settings: Packed, limits: &Limits) -> Self {
        let random = context.input.seed;
        Self {
            context,
            settings,
            meter: Meter { memory: limits.memory, elements: limits.handles, denied: None },
            log: Log { lines: Vec::new(), lines_left: limits.log_lines, bytes_left: limits.log_bytes, dropped: 0 },
            panic: None,
            random,
            stopwatch: Stopwatch::start(limits.deadline),
            calls_left: limits.host_calls,
        }
    }

    /// Counts a call of the host.
    pub(super) fn count(&mut self) -> Result<(), TooManyCalls> {
        self.calls_left = self.calls_left.checked_sub(1).ok_or(TooManyCalls)?;
        Ok(())
    }
}

/// What a guest wanted more of than it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    Memory,
    Table,
}

/// Keeps memory and tables within their limits, and remembers a refusal: what a guest does next is its own end.
#[derive(Debug)]
pub(super) struct Meter {
    memory: usize,
    elements: usize,
    pub(super) denied: Option<Denied>,
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, _current: usize, desired: usize, _most: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.memory;
        if !fits {
            self.denied = Some(Denied::Memory);
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _most: Option<usize>) -> wasmtime::Result<bool> {
        let fits = desired <= self.elements;
        if !fits {
            self.denied = Some(Denied::Table);
        }
        Ok(fits)
    }
}

/// Lines of one instance, up to its limits.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) lines: Vec<(Level, String)>,
    lines_left: u32,
    bytes_left: usize,
    pub(super) dropped: u32,
}

impl Log {
    pub(super) fn write(&mut self, level: Level, message: &str) {
        if self.lines_left == 0 || message.len() > self.bytes_left {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.lines_left -= 1;
        self.bytes_left -= message.len();
        self.lines.push((level, printable(message)));
    }
}

/// Without what could forge or colour a line of a terminal or a log.
pub(super) fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() || is_direction_mark(c) { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// Marks that turn the direction of the text around them.
pub(super) fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
