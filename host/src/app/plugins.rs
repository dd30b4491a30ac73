//! The plugin host as the sync and the operators' API want it.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::bigpanda::share;
use crate::config::Plugins;
use crate::domain::id::PluginId;
use crate::domain::patch::{Op, Transformation};
use crate::mapping;
use crate::plugin::{Dictionary, Host, Input, LoadError, Trial, bundled};
use crate::sync::{Transform, TransformJob, Tried};
use crate::web::PluginDesk;

/// Loads the plugins, off the runtime's threads: compiling takes a while.
pub(super) async fn start(config: &Plugins) -> anyhow::Result<Arc<Host>> {
    let bundled = bundled().map_err(anyhow::Error::msg)?;
    let config = config.clone();
    // Only this program knows how to compile for itself; a test or a bench that holds a host is another one.
    let program = std::env::current_exe().ok().filter(|path| path.file_stem().is_some_and(|name| name == "tandem"));
    let start = move || Host::start_with(config, bundled, Arc::new(Fields), program);
    let started = tokio::task::spawn_blocking(start);
    Ok(Arc::new(started.await.context("loading the plugins was cut off")??))
}

/// The field dictionary, for the plugin host.
struct Fields;

impl Dictionary for Fields {
    fn check(&self, op: &Op) -> Result<Op, String> {
        mapping::check(op).map_err(|refusal| refusal.to_string())
    }
}

/// The chain of plugins, for the sync.
pub(super) struct Chain {
    host: Arc<Host>,
}

impl Chain {
    pub(super) fn new(host: Arc<Host>) -> Self {
        Self { host }
    }
}

#[async_trait]
impl Transform for Chain {
    async fn transform(&self, job: TransformJob) -> Transformation {
        self.host.transform(input(job)).await
    }
}

/// The same chain with a plugin that is tried.
struct Other {
    host: Arc<Host>,
    trial: Trial,
}

#[async_trait]
impl Transform for Other {
    async fn transform(&self, job: TransformJob) -> Transformation {
        self.host.transform_with(&self.trial, input(job)).await
    }
}

fn input(job: TransformJob) -> Input {
    let TransformJob { event, occasion, share, stored, ticket, disputes, settings, hooks, now, .. } = job;
    let seed = u64::from_le_bytes(event.0.to_le_bytes());
    let raw = Some(stored.slice_ref(share::raw(&stored)));
    Input { occasion, share, raw, ticket, settings, disputes, hooks, now, seed }
}

/// The plugin host, for operators.
pub(super) struct Desk {
    host: Arc<Host>,
}

impl Desk {
    pub(super) fn new(host: Arc<Host>) -> Self {
        Self { host }
    }
}

impl PluginDesk for Desk {
    fn list(&self) -> Value {
        json!(self.host.status())
    }

    fn reload(&self) -> Value {
        let reload = self.host.reload_now();
        json!({ "generation": reload.generation, "changed": reload.changed, "broken": reload.broken })
    }

    fn trial(&self, id: &PluginId, bytes: &[u8]) -> Result<Tried, LoadError> {
        let trial = self.host.trial(id, bytes)?;
        let (id, name) = (trial.id().clone(), trial.name());
        Ok(Tried { id, name, plugins: Arc::new(Other { host: self.host.clone(), trial }) })
    }

    fn is_ready(&self) -> bool {
        !self.host.hooks().is_empty()
    }
}
