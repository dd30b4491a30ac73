//! What the handlers know: the gates of the integrations, the sync's handle, the store's desk, the plugins' desk.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::Value;

use super::auth::Tokens;
use crate::config;
use crate::domain::id::{IntegrationName, PluginId};
use crate::plugin::LoadError;
use crate::store::Store;
use crate::sync::{Handle, Tried};

/// What operators may ask of the plugin host.
pub trait PluginDesk: Send + Sync {
    /// Every plugin with version, digest, hooks, source, state and last error.
    fn list(&self) -> Value;
    /// Looks at the plugins directory now.
    fn reload(&self) -> Value;
    /// The plugins that run, with this component among them. Compiles, so it blocks.
    fn trial(&self, id: &PluginId, bytes: &[u8]) -> Result<Tried, LoadError>;
    /// Whether plugins are there to answer.
    fn is_ready(&self) -> bool;
}

/// What a share of one integration has to pass.
pub struct Gate {
    pub(super) tokens: Tokens,
    /// Host names that a share may name as its ServiceNow. Lower case.
    pub(super) hosts: Vec<String>,
    pub(super) active: bool,
    /// How many requests are handed out at once; `None`: the host calls the instance itself.
    pub(super) pulled: Option<u32>,
    pub(super) limiter: Option<DefaultDirectRateLimiter>,
    /// While this file is there, an operator keeps shares out.
    marker: Option<PathBuf>,
}

impl Gate {
    /// A gate as an integration is configured.
    pub fn new(integration: &config::Integration, shares_per_second: u32) -> Self {
        Self {
            tokens: Tokens::new(&integration.webhook),
            hosts: integration.servicenow.hosts.clone(),
            active: integration.settings.active,
            pulled: integration.is_on_premises().then_some(integration.settings.retrieval_count),
            limiter: NonZeroU32::new(shares_per_second).map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            marker: None,
        }
    }

    /// Keeps shares out while a file is there.
    #[must_use]
    pub fn stopped_by(mut self, marker: PathBuf) -> Self {
        self.marker = Some(marker);
        self
    }

    /// A look at the file system costs a microsecond, beside a sync of the disk for each share.
    pub(super) fn is_stopped(&self) -> bool {
        self.marker.as_ref().is_some_and(|marker| marker.exists())
    }
}

/// Everything that handlers share.
pub struct Site {
    pub gates: HashMap<IntegrationName, Gate>,
    pub sync: Handle,
    pub store: Arc<dyn Store>,
    pub plugins: Arc<dyn PluginDesk>,
    /// Renders the metrics.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    pub(super) admin: Option<Tokens>,
    pub(super) body_limit: usize,
    pub(super) body_timeout: Duration,
    draining: AtomicBool,
}

impl Site {
    pub fn new(
        server: &config::Server,
        gates: HashMap<IntegrationName, Gate>,
        sync: Handle,
        store: Arc<dyn Store>,
        plugins: Arc<dyn PluginDesk>,
        metrics: Box<dyn Fn() -> String + Send + Sync>,
    ) -> Self {
        Self {
            gates,
            sync,
            store,
            plugins,
            metrics,
            admin: server.admin_token.as_ref().map(Tokens::single),
            body_limit: server.body_limit,
            body_timeout: server.body_timeout,
            draining: AtomicBool::new(false),
        }
    }

    /// From now on shares are refused with 503 and the host is not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}
