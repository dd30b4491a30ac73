//! One event through the chain: ask every hook that is wanted, in order, and always come to an answer.
//!
//! A plugin that fails on a hook is stood in for by another one of the chain, else by the bundled plugin of the
//! hook, else by the host's own minimal record. An instance serves all hooks of one plugin for one event.

use std::rc::Rc;

use wasmtime::Engine;
use wasmtime::component::{ComponentNamedList, Lift, Lower};

use super::context::{Context, Input};
use super::fault::{Fault, FaultKind, Said};
use super::generation::Generation;
use super::hook;
use super::live::Live;
use super::loaded::Loaded;
use super::logging;
use super::wire::Answer;
use crate::config::OnTwoWriters;
use crate::domain::patch::{Hook, Op, PluginFailure, Remark, Reopening, Settlement, StoodIn, Transformation, Verdict};

/// Checks an operation against what the target's fields are. Handed in by the shell.
pub trait Dictionary: Send + Sync {
    /// The operation as it may be sent, perhaps cut; or one sentence that says why it may not.
    fn check(&self, op: &Op) -> Result<Op, String>;
}

/// Instances of one event that may live at the same time. Most plugins have one hook and die right after it.
pub(super) const MOST_ALIVE: usize = 4;

/// What a chain needs besides the event.
pub(super) struct Surroundings<'a> {
    pub(super) engine: &'a Engine,
    pub(super) dictionary: &'a dyn Dictionary,
    pub(super) on_two_writers: OnTwoWriters,
}

/// One plugin's instance for this event.
enum Slot {
    Unborn,
    Living(Box<Live>),
    /// It failed in a way that another instance would only repeat.
    Spent(Fault),
}

/// One event on its way.
pub(super) struct Run<'a> {
    pub(super) surroundings: &'a Surroundings<'a>,
    pub(super) generation: &'a Generation,
    pub(super) context: Rc<Context>,
    /// One for each plugin of the generation.
    slots: Vec<Slot>,
    pub(super) reopening: Option<Reopening>,
    pub(super) closing_comment: Option<Remark>,
    pub(super) settlements: Vec<Settlement>,
    pub(super) failures: Vec<PluginFailure>,
}

/// A failure before it is known what stood in.
pub(super) struct Failed {
    pub(super) place: usize,
    pub(super) fault: Fault,
}

/// Asks the chain about one event.
pub(super) fn transform(surroundings: &Surroundings<'_>, generation: &Generation, input: Input) -> Transformation {
    let hooks = input.hooks;
    let wanted = |hook: Hook| hooks.contains(&hook);
    let mut run = Run {
        surroundings,
        generation,
        context: Rc::new(Context::new(input)),
        slots: std::iter::repeat_with(|| Slot::Unborn).take(generation.plugins.len()).collect(),
        reopening: None,
        closing_comment: None,
        settlements: Vec::new(),
        failures: Vec::new(),
    };
    let verdict = if wanted(Hook::Gate) { hook::gate::ask(&mut run) } else { Verdict::Proceed };
    if verdict == Verdict::Proceed {
        if wanted(Hook::PrimaryAlert) {
            hook::primary_alert::ask(&mut run);
        }
        if wanted(Hook::ShortDescription) {
            hook::short_description::ask(&mut run);
        }
        if wanted(Hook::Description) {
            hook::description::ask(&mut run);
        }
        for hook in [Hook::Fields, Hook::Tags] {
            if wanted(hook) {
                hook::patch::ask(&mut run, hook);
            }
        }
        if wanted(Hook::Closure) {
            hook::closure::ask(&mut run);
        }
        if wanted(Hook::Reopen) {
            hook::reopen::ask(&mut run);
        }
        if wanted(Hook::Conflict) {
            hook::conflict::ask(&mut run);
        }
        hook::minimal::note(&mut run);
    }
    run.finish(verdict)
}

impl Run<'_> {
    /// The plugin at a place of the generation.
    pub(super) fn plugin(&self, place: usize) -> Option<&Loaded> {
        self.generation.plugins.get(place).map(AsRef::as_ref)
    }

    /// Asks one plugin about one hook. `about` is what the function takes: nothing, or the dispute.
    pub(super) fn ask<P, T>(&mut self, place: usize, hook: Hook, about: P) -> Result<T, Said>
    where
        P: ComponentNamedList + Lower,
        T: 'static,
        Answer<T>: ComponentNamedList + Lift,
    {
        let generation = self.generation;
        let (Some(plugin), Some(slot)) = (generation.plugins.get(place), self.slots.get_mut(place)) else {
            return Err(Said::Skip);
        };
        let Some(export) = plugin.exports.on(self.context.input.occasion, hook) else { return Err(Said::Skip) };
        let now = self.context.input.now;
        let breaker = plugin.stats.breaker(hook);
        if let Some(Err(resting)) = breaker.map(|breaker| breaker.admit(now)) {
            return Err(Said::Fault(FaultKind::Resting(resting).into()));
        }
        plugin.stats.asked();
        self.context.hook.set(Some(hook));
        let answer = match Self::born(slot, self.surroundings.engine, plugin, &self.context) {
            Ok(live) => live.ask(plugin, export, about),
            Err(fault) => Err(Said::Fault(fault)),
        };
        match (&answer, breaker) {
            (Err(Said::Fault(fault)), Some(breaker)) if fault.costs_time() => breaker.failed(now),
            (_, Some(breaker)) => breaker.succeeded(),
            (_, None) => {}
        }
        let wanted = self.context.input.hooks;
        // Of disputes there may be several, each a question of its own.
        let more =
            hook == Hook::Conflict || wanted.iter().any(|later| *later > hook && plugin.exports.of(*later).is_some());
        match &answer {
            Err(Said::Fault(fault)) if fault.spends_the_event() => end(slot, plugin, Slot::Spent(fault.clone())),
            Err(Said::Fault(fault)) if !fault.spares_the_instance() => end(slot, plugin, Slot::Unborn),
            Ok(_) | Err(Said::Skip | Said::Fault(_)) if !more => end(slot, plugin, Slot::Unborn),
            Ok(_) | Err(Said::Skip | Said::Fault(_)) => self.make_room(place),
        }
        answer
    }

    /// Ends the oldest of the other instances when there are too many; its plugin gets a new one if asked again.
    fn make_room(&mut self, kept: usize) {
        let alive = |slot: &Slot| matches!(slot, Slot::Living(_));
        while self.slots.iter().filter(|slot| alive(slot)).count() >= MOST_ALIVE {
            let oldest = self.slots.iter().enumerate().position(|(place, slot)| place != kept && alive(slot));
            let Some(oldest) = oldest else { return };
            if let (Some(slot), Some(plugin)) = (self.slots.get_mut(oldest), self.generation.plugins.get(oldest)) {
                end(slot, plugin, Slot::Unborn);
            }
        }
    }

    fn born<'s>(
        slot: &'s mut Slot,
        engine: &Engine,
        plugin: &Loaded,
        context: &Rc<Context>,
    ) -> Result<&'s mut Live, Fault> {
        if let Slot::Unborn = slot {
            let settings = plugin.settings.packed(&context.input.settings)?;
            *slot = Slot::Living(Box::new(Live::start(engine, plugin, context.clone(), settings)?));
        }
        match slot {
            Slot::Living(live) => Ok(live),
            Slot::Spent(fault) => Err(fault.clone()),
            Slot::Unborn => Err(super::live::host_fault("an instance went missing")),
        }
    }

    /// Records failures of one hook together with what stood in for them.
    pub(super) fn record(&mut self, hook: Hook, failed: Vec<Failed>, stood_in: StoodIn) {
        for Failed { place, fault } in failed {
            let Some(plugin) = self.generation.plugins.get(place) else { continue };
            let failure = PluginFailure {
                plugin: plugin.id.clone(),
                version: plugin.metadata.version.clone(),
                digest: plugin.digest.short().to_owned(),
                hook,
                code: fault.code().to_owned(),
                message: fault.message(),
                hint: fault.hint().map(str::to_owned),
                frames: fault.frames,
                stood_in,
            };
            plugin.stats.failed(&failure);
            self.failures.push(failure);
        }
    }

    fn finish(mut self, verdict: Verdict) -> Transformation {
        for (slot, plugin) in self.slots.iter_mut().zip(&self.generation.plugins) {
            end(slot, plugin, Slot::Unborn);
        }
        Transformation {
            verdict,
            primary_alert: self.context.primary_alert.get().map(|index| index as usize),
            proposals: self.context.proposals.take(),
            reopening: self.reopening,
            closing_comment: self.closing_comment,
            settlements: self.settlements,
            failures: self.failures,
            generation: self.generation.number,
        }
    }
}

/// Ends an instance, if there is one, and passes on what it logged.
fn end(slot: &mut Slot, plugin: &Loaded, next: Slot) {
    if let Slot::Living(mut live) = std::mem::replace(slot, next) {
        logging::flush(plugin, live.log());
    }
}
