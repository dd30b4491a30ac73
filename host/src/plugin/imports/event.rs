//! `event`: the event in parts.

use wasmtime::component::Linker;

use super::{Store, full_name};
use crate::plugin::context::Context;
use crate::plugin::state::State;
use crate::plugin::wire::Packed;

/// The tables that are the same for all plugins.
const PARTS: [(&str, fn(&Context) -> Packed); 8] = [
    ("alerts", Context::alerts),
    ("alert-tags", Context::alert_tags),
    ("incident-tags", Context::incident_tags),
    ("changes", Context::changes),
    ("details", Context::details),
    ("overrides", Context::overrides),
    ("ticket", Context::ticket),
    ("proposed", Context::proposed),
];

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(&full_name("event"))?;
    interface.func_wrap("head", |mut store: Store<'_>, (): ()| {
        store.data_mut().count()?;
        Ok((store.data().context.head(),))
    })?;
    for (name, part) in PARTS {
        interface.func_wrap(name, move |mut store: Store<'_>, (): ()| {
            store.data_mut().count()?;
            Ok((part(&store.data().context),))
        })?;
    }
    interface.func_wrap("settings", |mut store: Store<'_>, (): ()| {
        store.data_mut().count()?;
        Ok((store.data().settings.clone(),))
    })?;
    interface.func_wrap("primary-alert", |mut store: Store<'_>, (): ()| {
        store.data_mut().count()?;
        Ok((store.data().context.primary_alert.get(),))
    })
}
