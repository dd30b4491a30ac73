//! Compiles components. What this host compiled before comes out of the cache.
//!
//! A child process does it, which is ended when it takes too long or wants too much memory, and runs at a lower priority
//! than events. So the compiler with all that it needs never stays in the host's memory. Without a program to start, as
//! in tests, it is done here, and the size caps of `precheck` are all that bounds it.

use std::path::PathBuf;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::Cache;
use super::engine::Size;
use super::error::LoadError;
use super::loaded::Digest;

pub(super) mod child;

/// Compiles, and remembers.
pub(super) struct Compiler {
    pub(super) cache: Option<Cache>,
    /// This program, which compiles when it is started as `plugin precompile`.
    pub(super) program: Option<PathBuf>,
    pub(super) size: Size,
}

impl Compiler {
    /// `trusted`: part of this binary, so that it is compiled here when a child can't.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        digest: &Digest,
        trusted: bool,
    ) -> Result<Component, LoadError> {
        if let Some(code) = self.cache.as_ref().and_then(|cache| cache.read(engine, digest))
            && let Some(component) = trust(engine, &code)
        {
            return Ok(component);
        }
        if let Some(program) = &self.program {
            match child::compile(program, &self.size, bytes) {
                Ok(code) => {
                    let component = trust(engine, &code);
                    let component =
                        component.ok_or_else(|| LoadError::Compile("the compiled code doesn't load".into()))?;
                    self.keep(engine, digest, &code);
                    return Ok(component);
                }
                // What is part of this binary has to run, on a system without a shell too.
                Err(error) if trusted => tracing::warn!("a bundled plugin is compiled here, because {error}"),
                Err(error) => return Err(error),
            }
        }
        let component =
            Component::from_binary(engine, bytes).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
        if self.cache.is_some() {
            match component.serialize() {
                Ok(code) => self.keep(engine, digest, &code),
                Err(error) => tracing::warn!("compiled code can't be kept: {error:#}"),
            }
        }
        Ok(component)
    }

    fn keep(&self, engine: &Engine, digest: &Digest, code: &[u8]) {
        if let Some(cache) = &self.cache {
            cache.write(engine, digest, code);
        }
    }
}

/// Makes a component of code that this program itself has compiled.
fn trust(engine: &Engine, code: &[u8]) -> Option<Component> {
    #[expect(unsafe_code, reason = "the one place where compiled code is taken over")]
    // SAFETY: the bytes come from `Cache::read`, which has checked that a host with this directory's key wrote them for
    // this very component and build, or from a child that this process has just started from its own program.
    let component = unsafe { Component::deserialize(engine, code) };
    component.inspect_err(|error| tracing::warn!("compiled code doesn't load: {error:#}")).ok()
}
