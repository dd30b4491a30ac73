//! Compiles components. What this host compiled before comes out of the cache.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::Cache;
use super::error::LoadError;
use super::loaded::Digest;

/// Compiles, and remembers.
pub(super) struct Compiler {
    pub(super) cache: Option<Cache>,
}

impl Compiler {
    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8], digest: &Digest) -> Result<Component, LoadError> {
        if let Some(component) = self.cached(engine, digest) {
            return Ok(component);
        }
        let component =
            Component::from_binary(engine, bytes).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        if let Some(cache) = &self.cache {
            match component.serialize() {
                Ok(code) => cache.write(engine, digest, &code),
                Err(error) => tracing::warn!("compiled code can't be kept: {error:#}"),
            }
        }
        Ok(component)
    }

    fn cached(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let code = self.cache.as_ref()?.read(engine, digest)?;
        #[expect(unsafe_code, reason = "the one place where compiled code comes from a file")]
        // SAFETY: the bytes were written by `Cache::write` of a host with this directory's key, for this very
        // component and this build of the engine; the MAC over bytes and name was checked just now.
        let component = unsafe { Component::deserialize(engine, code) };
        component.inspect_err(|error| tracing::warn!("kept code doesn't load; compiling anew: {error:#}")).ok()
    }
}
