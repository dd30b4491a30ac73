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
use crate::domain::patch::{Hook, PluginFailure, Proposal, Remark, Reopening, Settlement};

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
    /// What it answered about a sample incident, and about a sample change of its ticket.
    pub proposals: Vec<Proposal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reopening: Option<Reopening>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing_comment: Option<Remark>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settlements: Vec<Settlement>,
    /// What it failed on.
    pub failures: Vec<PluginFailure>,
}

impl Checked {
    /// Whether it had no answer to anything.
    pub fn says_nothing(&self) -> bool {
        self.proposals.is_empty()
            && self.reopening.is_none()
            && self.closing_comment.is_none()
            && self.settlements.is_empty()
    }
}

/// The hooks that a sample incident can be about.
const SAMPLED: &[Hook] =
    &[Hook::Gate, Hook::PrimaryAlert, Hook::ShortDescription, Hook::Description, Hook::Fields, Hook::Closure];
/// The hooks that a sample change of its ticket can be about.
const OF_TICKETS: &[Hook] = &[Hook::Tags, Hook::Closure, Hook::Reopen, Hook::Conflict];

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
        let again = settings.clone();
        let input = Input { settings, hooks: SAMPLED, ..sample::input() };
        let answer = chain::transform(&surroundings, &generation, input);
        let changed = Input { settings: again, hooks: OF_TICKETS, ..sample::ticket_changed() };
        let back = chain::transform(&surroundings, &generation, changed);
        let own = |proposal: &Proposal| proposal.origin.plugin == plugin.id;
        Ok(Checked {
            id: plugin.id.to_string(),
            about: About::of(&plugin),
            proposals: answer.proposals.into_iter().chain(back.proposals).filter(own).collect(),
            reopening: back.reopening,
            closing_comment: back.closing_comment,
            settlements: back.settlements,
            failures: answer.failures.into_iter().chain(back.failures).collect(),
        })
    }
}
