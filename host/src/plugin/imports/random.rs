//! `random`: a sequence that the event determines, so that a replay gets the same numbers.

use wasmtime::component::Linker;

use super::{Store, full_name};
use crate::plugin::state::State;

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(&full_name("random"))?;
    interface.func_wrap("next", |mut store: Store<'_>, (): ()| {
        let state = store.data_mut();
        state.count()?;
        Ok((next(&mut state.random),))
    })
}

/// SplitMix64: small, and good enough for spreading things out. Not for secrets.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
