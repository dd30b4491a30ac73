//! What guests may call. One file per interface, one interface per grant.

use wasmtime::component::Linker;
use wasmtime::{Engine, StoreContextMut};

use super::state::State;

mod clock;
mod event;
mod log;
mod panic;
mod random;
mod raw_share;

/// The version of the contract.
pub(super) const VERSION: &str = "0.1.0";

/// Interfaces that are always there.
const ALWAYS: [&str; 3] = ["types", "event", "panic"];
/// Interfaces that are granted by their name.
pub(super) const GRANTS: [&str; 4] = ["log", "clock", "random", "raw-share"];

/// The full name of an interface of ours.
pub(super) fn full_name(interface: &str) -> String {
    format!("tandem:plugin/{interface}@{VERSION}")
}

/// What the host thinks of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Import {
    Always,
    Granted(&'static str),
    /// An interface of ours in a version that isn't.
    OtherVersion,
    Foreign,
}

impl Import {
    pub(super) fn of(name: &str) -> Self {
        let Some((interface, version)) = name.strip_prefix("tandem:plugin/").and_then(|rest| rest.split_once('@'))
        else {
            return Self::Foreign;
        };
        if version != VERSION {
            return Self::OtherVersion;
        }
        if ALWAYS.contains(&interface) {
            return Self::Always;
        }
        GRANTS.into_iter().find(|grant| *grant == interface).map_or(Self::Foreign, Self::Granted)
    }
}

/// Everything that there is. Who may have what is checked by name before a component is linked.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    event::add(&mut linker)?;
    panic::add(&mut linker)?;
    log::add(&mut linker)?;
    clock::add(&mut linker)?;
    random::add(&mut linker)?;
    raw_share::add(&mut linker)?;
    Ok(linker)
}

type Store<'a> = StoreContextMut<'a, State>;
