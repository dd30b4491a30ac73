//! A plugin that is tried for single events: the running chain with one component put into it or in the place of another,
//! for nobody else. `Host::trial` makes it, `Host::transform_with` asks it.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::LoadError;
use super::generation::Generation;
use super::loaded::{Loaded, Source};
use super::registry::Registry;
use crate::domain::id::PluginId;

/// A chain of its own.
#[derive(Clone)]
pub struct Trial {
    pub(super) generation: Arc<Generation>,
    id: PluginId,
    version: String,
    digest: String,
}

impl Trial {
    /// Takes a component through all checks of a reload. It has to be the plugin that it is said to be.
    pub(super) fn load(registry: &Registry, id: &PluginId, bytes: &[u8]) -> Result<Self, LoadError> {
        let source = Source::File(PathBuf::from(format!("{id}.wasm")));
        let loaded: Arc<Loaded> = Arc::new(registry.loader().load(bytes, source)?);
        if loaded.id != *id {
            return Err(LoadError::OtherId { given: id.to_string(), found: loaded.id.to_string() });
        }
        if registry.loader().config.disabled.contains(id) {
            return Err(LoadError::Disabled(id.to_string()));
        }
        let (version, digest) = (loaded.metadata.version.clone(), loaded.digest.short().to_owned());
        let generation = Arc::new(registry.with(&loaded));
        Ok(Self { generation, id: id.clone(), version, digest })
    }

    /// The plugin that is tried.
    pub fn id(&self) -> &PluginId {
        &self.id
    }

    /// Id, version and digest, for people.
    pub fn name(&self) -> String {
        format!("{} {} ({})", self.id, self.version, self.digest)
    }
}
