//! `clock`: the event's time, which stands still.

use wasmtime::component::Linker;

use super::{Store, full_name};
use crate::plugin::state::State;

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(&full_name("clock"))?;
    interface.func_wrap("now", |mut store: Store<'_>, (): ()| {
        store.data_mut().count()?;
        Ok((store.data().context.input.now.0,))
    })
}
