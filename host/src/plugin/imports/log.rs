//! `log`: lines for the operator, capped in number and length.

use wasmtime::component::{Linker, WasmStr};

use super::{Store, full_name};
use crate::plugin::state::State;
use crate::plugin::wire::Level;

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(&full_name("log"))?;
    interface.func_wrap("write", |mut store: Store<'_>, (level, message): (Level, WasmStr)| {
        store.data_mut().count()?;
        let message = message.to_str(&store)?.into_owned();
        store.data_mut().log.write(level, &message);
        Ok(())
    })
}
