//! Looks at plugins without running a host: what is in the directory, and what a host would think of a file.
//!
//! The commands of the operator and of authors call it. Nothing here watches, and nothing is asked about a real event.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use wasmtime::Engine;

use super::cache::Cache;
use super::chain::{self, Dictionary, Surroundings};
use super::compile::Compiler;
use super::context::Input;
use super::engine::{self, Size, Ticker};
use super::error::{Error, LoadError};
use super::generation::Generation;
use super::imports;
use super::load::Loader;
use super::loaded::Source;
use super::registry::{Bundled, Registry};
use super::sample;
use super::status::{About, Status};
use crate::config::Plugins;
use crate::domain::patch::{Hook, PluginFailure, Proposal};

/// An engine of its own, small.
pub struct Workbench {
    loader: Loader,
    engine: Engine,
    _ticker: Ticker,
}

/// A file that a host would load.
#[derive(Debug, Serialize)]
pub struct Checked {
    pub id: String,
    #[serde(flatten)]
    pub about: About,
    /// What it answered about a sample incident.
    pub proposals: Vec<Proposal>,
    /// What it failed on.
    pub failures: Vec<PluginFailure>,
}

/// The hooks that a sample incident can be about.
const SAMPLED: &[Hook] =
    &[Hook::Gate, Hook::PrimaryAlert, Hook::ShortDescription, Hook::Description, Hook::Fields, Hook::Closure];

impl Workbench {
    pub fn open(config: Plugins) -> Result<Self, Error> {
        let instances = u32::try_from(chain::MOST_ALIVE + 1).unwrap_or(u32::MAX);
        let size = Size::of(&config.limits, instances);
        let engine = Engine::new(&engine::config(&size)).map_err(Error::Engine)?;
        let ticker = Ticker::start(&engine).map_err(Error::Thread)?;
        // Whoever looks may be another user than the host; then everything is compiled again.
        let compiler = Compiler { cache: Cache::open(&config.cache).ok(), program: None, size };
        let linker = imports::linker(&engine).map_err(Error::Engine)?;
        let loader = Loader { engine: engine.clone(), linker, compiler, config };
        Ok(Self { loader, engine, _ticker: ticker })
    }

    /// What a host would run if it started now.
    pub fn survey(self, bundled: &[Bundled]) -> Status {
        let registry = Registry::new(self.loader, bundled);
        registry.reload();
        registry.status()
    }

    /// What a host would think of a file, and what the plugin in it answers about a sample incident.
    pub fn check(&self, file: &Path, settings: Arc<str>, dictionary: &dyn Dictionary) -> Result<Checked, LoadError> {
        let bytes = std::fs::read(file).map_err(LoadError::Read)?;
        let plugin = Arc::new(self.loader.load(&bytes, Source::File(file.to_owned()))?);
        let generation = Generation::new(1, &[], std::slice::from_ref(&plugin), &self.loader.config);
        let surroundings =
            Surroundings { engine: &self.engine, dictionary, on_two_writers: self.loader.config.on_two_writers };
        let input = Input { settings, hooks: SAMPLED, ..sample::input() };
        let answer = chain::transform(&surroundings, &generation, input);
        let own = |proposal: &Proposal| proposal.origin.plugin == plugin.id;
        let proposals = answer.proposals.into_iter().filter(own).collect();
        Ok(Checked { id: plugin.id.to_string(), about: About::of(&plugin), proposals, failures: answer.failures })
    }
}
