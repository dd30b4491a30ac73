//! `panic`: a guest's last words.

use wasmtime::component::{Linker, WasmStr};

use super::{Store, full_name};
use crate::plugin::state::{Panic, State};

/// Longest message that is kept, in bytes.
const LONGEST: usize = 2_000;

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(&full_name("panic"))?;
    interface.func_wrap(
        "report",
        |mut store: Store<'_>, (message, file, line, _column): (WasmStr, WasmStr, u32, u32)| {
            store.data_mut().count()?;
            let message = cut(&message.to_str(&store)?);
            let file = cut(&file.to_str(&store)?);
            store.data_mut().panic = Some(Panic { message, file, line });
            Ok(())
        },
    )
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
