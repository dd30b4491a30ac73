//! From bytes to a plugin that is ready to run: look, compile, link, try.
//!
//! Each stage can refuse the file with a sentence; nothing of a refused file stays behind.

use std::rc::Rc;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentNamedList, Instance, InstancePre, Lift, Linker, Lower};
use wasmtime::{Engine, Store};

use super::compile::Compiler;
use super::context::Context;
use super::error::LoadError;
use super::fault::Fault;
use super::imports::{self, Import};
use super::limits::Limits;
use super::live;
use super::loaded::{Digest, Exports, Loaded, Source};
use super::metadata::Metadata;
use super::precheck;
use super::sample;
use super::settings::PluginSettings;
use super::state::State;
use super::stats::Stats;
use super::wire::{Answer, Body, Choice, Decision, Dispute, Operation, Packed, Settlement, TextAnswer, Verdict};
use crate::config::Plugins;
use crate::domain::id::PluginId;
use crate::domain::patch::Hook;

/// Grants that every plugin has that asks for them. They reach nothing outside of the event.
const HARMLESS: [&str; 3] = ["log", "clock", "random"];

/// What is needed to load plugins.
pub(super) struct Loader {
    pub(super) engine: Engine,
    pub(super) linker: Linker<State>,
    pub(super) compiler: Compiler,
    pub(super) config: Plugins,
}

impl Loader {
    /// Takes a component through all stages.
    pub(super) fn load(&self, bytes: &[u8], source: Source) -> Result<Loaded, LoadError> {
        let metadata = precheck::look(bytes, &self.config.limits)?;
        let id = PluginId::new(&metadata.id).map_err(|error| LoadError::Metadata(error.to_string()))?;
        let limits = self.config.limits.lowered(&metadata.limits).map_err(LoadError::Metadata)?;
        let settings = PluginSettings::new(&metadata, self.config.config.get(&id))
            .map_err(|message| LoadError::Config { id: metadata.id.clone(), message })?;
        let digest = Digest::of(bytes);
        let trusted = source == Source::Bundled;
        let component = self.compiler.compile(&self.engine, bytes, &digest, trusted)?;
        self.check_imports(&component, &metadata, &id)?;
        let exports = Exports::find(&component)?;
        let pre = self.linker.instantiate_pre(&component).map_err(|error| LoadError::Link(format!("{error:#}")))?;
        self.try_out(&pre, &exports, &limits)?;
        Ok(Loaded {
            id,
            metadata,
            digest,
            source,
            limits,
            exports,
            pre,
            settings,
            bytes: bytes.len(),
            stats: Stats::default(),
        })
    }

    /// The component's type says what it imports; its metadata must have asked for it and the operator granted it.
    fn check_imports(&self, component: &Component, metadata: &Metadata, id: &PluginId) -> Result<(), LoadError> {
        let granted = |grant: &str| {
            HARMLESS.contains(&grant)
                || self.config.grants.get(id).is_some_and(|grants| grants.iter().any(|given| given == grant))
        };
        if let Some(refused) = metadata.grants.iter().find(|grant| !granted(grant)) {
            return Err(LoadError::NotGranted(refused.clone()));
        }
        for (name, _) in component.component_type().imports(&self.engine) {
            match Import::of(name) {
                Import::Always => {}
                Import::Granted(grant) if metadata.grants.iter().any(|asked| asked == grant) => {}
                Import::Granted(grant) => return Err(LoadError::Unasked(grant)),
                Import::OtherVersion => return Err(other_version(name)),
                Import::Foreign => return Err(LoadError::Foreign(name.chars().take(120).collect())),
            }
        }
        for (name, item) in component.component_type().exports(&self.engine) {
            let ours = name.strip_prefix("tandem:plugin/").and_then(|rest| rest.split_once('@'));
            if let (ComponentItem::ComponentInstance(_), Some((interface, version))) = (&item.ty, ours)
                && Hook::parse(interface).is_some()
                && version != imports::VERSION
            {
                return Err(other_version(name));
            }
        }
        Ok(())
    }

    /// Makes one instance and looks at the type of every hook. Start functions run here for the first time.
    fn try_out(&self, pre: &InstancePre<State>, exports: &Exports, limits: &Limits) -> Result<(), LoadError> {
        let context = Rc::new(Context::new(sample::input()));
        let mut store = live::limited(&self.engine, State::new(context, Packed::default(), limits), limits);
        let instance = pre.instantiate(&mut store).map_err(|error| {
            let fault = Fault::of(&error, store.data(), limits);
            LoadError::Start { code: fault.code(), message: fault.message() }
        })?;
        for hook in exports.hooks() {
            check_type(&instance, &mut store, exports, hook)
                .map_err(|source| LoadError::HookType { hook: hook.as_str(), source })?;
        }
        Ok(())
    }
}

fn other_version(name: &str) -> LoadError {
    LoadError::Version { found: name.chars().take(120).collect(), ours: format!("tandem:plugin@{}", imports::VERSION) }
}

fn check_type(instance: &Instance, store: &mut Store<State>, exports: &Exports, hook: Hook) -> wasmtime::Result<()> {
    match hook {
        Hook::Gate => has::<(), Verdict>(instance, store, exports.gate.as_ref()),
        Hook::PrimaryAlert => has::<(), Choice>(instance, store, exports.primary_alert.as_ref()),
        Hook::ShortDescription => has::<(), TextAnswer>(instance, store, exports.short_description.as_ref()),
        Hook::Description => has::<(), Body>(instance, store, exports.description.as_ref()),
        Hook::Fields => has::<(), Vec<Operation>>(instance, store, exports.fields.as_ref()),
        Hook::Tags => has::<(), Vec<Operation>>(instance, store, exports.tags.as_ref()),
        Hook::Closure => {
            has::<(), Vec<Operation>>(instance, store, exports.close_ticket.as_ref())?;
            has::<(), Option<String>>(instance, store, exports.closing_comment.as_ref())
        }
        Hook::Reopen => has::<(), Decision>(instance, store, exports.reopen.as_ref()),
        Hook::Conflict => has::<(Dispute,), Settlement>(instance, store, exports.conflict.as_ref()),
    }
}

fn has<Params, T>(
    instance: &Instance,
    store: &mut Store<State>,
    export: Option<&super::loaded::Export>,
) -> wasmtime::Result<()>
where
    Params: ComponentNamedList + Lower,
    T: 'static,
    Answer<T>: ComponentNamedList + Lift,
{
    let export = export.ok_or_else(|| wasmtime::Error::msg("a function of the interface is missing"))?;
    instance.get_typed_func::<Params, Answer<T>>(store, export.index()).map(drop)
}
