//! `raw-share`: the share's body as it came.

use wasmtime::component::Linker;

use super::{Store, full_name};
use crate::plugin::state::State;

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(&full_name("raw-share"))?;
    interface.func_wrap("read", |mut store: Store<'_>, (): ()| {
        let state = store.data_mut();
        state.count()?;
        let raw = state.context.input.raw.as_deref();
        // A body that was accepted is JSON and so UTF-8; anything else counts as gone.
        let text = raw.and_then(|raw| std::str::from_utf8(raw).ok()).map(str::to_owned);
        Ok((text,))
    })
}
