//! One instance of one plugin, born for one event. Whatever ends a call with an error ends the instance.

use std::rc::Rc;

use wasmtime::component::{ComponentNamedList, Instance, Lift, Lower};
use wasmtime::{Engine, Store, UpdateDeadline};

use super::context::Context;
use super::fault::{Fault, FaultKind, Said};
use super::limits::Limits;
use super::loaded::{Export, Loaded};
use super::state::{Log, State};
use super::stopwatch::Stopwatch;
use super::wire::{Answer, Packed};

/// A living instance.
pub(super) struct Live {
    store: Store<State>,
    instance: Instance,
}

impl Live {
    /// Makes the instance. The deadline holds from here on: start functions can loop too.
    pub(super) fn start(
        engine: &Engine,
        plugin: &Loaded,
        context: Rc<Context>,
        settings: Packed,
    ) -> Result<Self, Fault> {
        let limits = &plugin.limits;
        let mut store = limited(engine, State::new(context, settings, limits), limits);
        match plugin.pre.instantiate(&mut store) {
            Ok(instance) => Ok(Self { store, instance }),
            Err(error) => Err(Fault::of(&error, store.data(), limits)),
        }
    }

    /// Asks one function.
    pub(super) fn ask<P, T>(&mut self, plugin: &Loaded, export: &Export, about: P) -> Result<T, Said>
    where
        P: ComponentNamedList + Lower,
        T: 'static,
        Answer<T>: ComponentNamedList + Lift,
    {
        let limits = &plugin.limits;
        self.store.data_mut().stopwatch = Stopwatch::start(limits.deadline);
        self.store.set_epoch_deadline(1);
        let answer = self
            .instance
            .get_typed_func::<P, Answer<T>>(&mut self.store, export.index())
            .and_then(|function| function.call(&mut self.store, about));
        match answer {
            Ok((Ok(answer),)) => Ok(answer),
            Ok((Err(error),)) => Err(error.into()),
            Err(error) => Err(Said::Fault(Fault::of(&error, self.store.data(), limits))),
        }
    }

    /// What it has logged.
    pub(super) fn log(&mut self) -> &mut Log {
        &mut self.store.data_mut().log
    }
}

/// A store with all its limits in force.
pub(super) fn limited(engine: &Engine, state: State, limits: &Limits) -> Store<State> {
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(limits.host_call_bytes);
    store.epoch_deadline_callback(|mut store| {
        let in_time = store.data_mut().stopwatch.tick();
        Ok(if in_time { UpdateDeadline::Continue(1) } else { UpdateDeadline::Interrupt })
    });
    store.set_epoch_deadline(1);
    store
}

/// A fault of the host's own making, when a guest is not to blame.
pub(super) fn host_fault(what: impl Into<String>) -> Fault {
    FaultKind::Host(what.into()).into()
}
